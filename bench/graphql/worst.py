"""Looks for the document within the limits that costs most CPU, from its text to its answer from an empty company.

    PYTHONPATH=. python bench/graphql/worst.py [--seconds 60] [--seed 1] [--show]

A document is grown from a list of numbers, each a choice; the search changes some of them and keeps what costs more.
It begins anew when nothing better is found for long. Printed is each worst one so far, in milliseconds of CPU, with
what the server said; documents that were refused count too.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)

from api.app import House, open_house, prepare
from api.garbage import settle
from api.graphql.context import Memory
from api.graphql.documents import GraphQLRequest
from api.graphql.execute import execute
from api.graphql.limits import FOLLOWED as WEIGHS
from api.graphql.limits import followed
from api.graphql.schema import build_schema
from api.settings import load
from domain.actors import Actor
from domain.ids import Id

GENES = 400
TOKENS = 990
FOLLOWED = followed(build_schema().graph)
DEEPEST = 8
TRIES = 3
SURE = 12
PATIENCE = 60
BUDGET = 25.0
ROLES = frozenset({"auditor", "credit_analyst", "privacy_officer", "legal", "ar_finance"})
WORDS = {
    "String": '"a"',
    "ID": '"cf_00000000000000000000000001"',
    "Int": "1",
    "Boolean": "true",
    "DateTime": '"2026-01-01T00:00:00Z"',
    "Decimal": '"1"',
}


@dataclass(slots=True)
class Growing:
    """A document that is grown, choice by choice; what is left of the limit on tokens bounds it."""

    genes: list[int]
    left: int = TOKENS
    at: int = 0
    fragments: list[str] = field(default_factory=list)

    def choose(self, count: int) -> int:
        """The next choice among so many."""
        gene = self.genes[self.at % len(self.genes)]
        self.at += 1
        return gene % count

    def selection(self, kind: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> str:
        """The fields of an object, some of them again and again."""
        names = list(kind.fields)
        parts: list[str] = []
        wanted = 1 + self.choose(2 if depth > 3 else 30)
        while len(parts) < wanted and self.left > 20:
            if not names:
                break
            # Mostly each once: what stands twice, or has an alias, is counted and soon refused.
            name = names[self.choose(len(names))]
            if self.choose(40):
                names.remove(name)
            made = self.one(name, kind.fields[name], depth)
            if made is None:
                continue
            match self.choose(9):
                case 0:
                    made = f"... on {kind.name} {{ {made} }}"
                    self.left -= 5
                case 1:
                    self.fragments.append(f"fragment F{len(self.fragments)} on {kind.name} {{ {made} }}")
                    made = f"...F{len(self.fragments) - 1}"
                    self.left -= 8
                case 2:
                    made += " @include(if: true)" if "{" not in made else ""
                    self.left -= 6
                case _:
                    pass
            parts.append(made)
        return " ".join(parts) or "__typename"

    def one(self, name: str, held: GraphQLField, depth: int) -> str | None:
        """A field with its arguments and what is selected of it; nothing where it would lead too deep."""
        inner = get_named_type(held.type)
        if not is_leaf_type(inner) and (depth >= DEEPEST or not isinstance(inner, GraphQLObjectType)):
            self.at += 1
            return None
        alias = f"a{self.choose(40)}: " if self.choose(60) == 0 else ""
        given = [
            f"{word}: {self.value(argument.type, 0)}"
            for word, argument in held.args.items()
            if is_required_argument(argument) or self.wants(argument)
        ]
        text = alias + name + (f"({', '.join(given)})" if given else "")
        self.left -= 1 + 2 * bool(alias) + 2 * bool(given)
        if is_leaf_type(inner):
            return text
        self.left -= 2 + WEIGHS * (name in FOLLOWED)
        return f"{text} {{ {self.selection(inner, depth + 1)} }}"

    def wants(self, argument: GraphQLArgument) -> bool:
        """Whether an optional argument is given."""
        del argument
        return self.left > 60 and self.choose(3) == 0

    def value(self, kind: Any, depth: int) -> str:
        """A literal of a type."""
        self.left -= 3
        inner = get_named_type(kind)
        if isinstance(inner, GraphQLEnumType):
            words = list(inner.values)
            word = words[self.choose(len(words))]
        elif isinstance(inner, GraphQLInputObjectType):
            names = list(inner.fields)
            chosen = {names[self.choose(len(names))] for _ in range(1 + self.choose(4))} if depth < 3 else set()
            chosen |= {name for name, item in inner.fields.items() if is_required_argument(item)}
            word = "{" + ", ".join(f"{one}: {self.value(inner.fields[one].type, depth + 1)}" for one in chosen) + "}"
        else:
            word = WORDS.get(inner.name, '"2026-01-01"')
        return f"[{word}]" if is_list_type(getattr(kind, "of_type", kind)) or is_list_type(kind) else word


def document(house: House, genes: list[int]) -> str:
    """The document of a list of numbers."""
    growing = Growing(genes)
    root = house.schema.graph.query_type
    assert root
    body = f"{{ {growing.selection(root, 0)} }}"
    return " ".join([body, *growing.fragments])


async def cost(house: House, actor: Actor, text: str, tries: int = TRIES) -> tuple[float, str]:
    """Milliseconds of CPU, the best of some tries, each without anything remembered; and what was said."""
    spent, said = [], ""
    for _ in range(tries):
        house = replace(house, memory=Memory())
        begun = time.process_time()
        response = await execute(house, actor, GraphQLRequest(text, None, None, "bench"))
        spent.append((time.process_time() - begun) * 1_000)
        said = response.errors[0]["message"] if response.errors else "answered"
    return min(spent), said


async def search(folder: Path, seconds: float, seed: int, *, show: bool) -> None:
    """Prints every worst one so far."""
    chance = random.Random(seed)  # noqa: S311 - a search that can be repeated, and no secret
    settings = load({}, data_dir=folder)
    await prepare(settings)
    async with open_house(settings) as house:
        tenant = Id(await house.open_tenant("bench"))
        actor = Actor(tenant=tenant, person="bench", roles=ROLES)
        settle()
        worst, until, tried = 0.0, time.monotonic() + seconds, 0
        while time.monotonic() < until:
            genes, best, stale = [chance.randrange(1 << 16) for _ in range(GENES)], 0.0, 0
            while stale < PATIENCE and time.monotonic() < until:
                changed = list(genes)
                for _ in range(1 + chance.randrange(12)):
                    changed[chance.randrange(GENES)] = chance.randrange(1 << 16)
                text = document(house, changed)
                spent, said = await cost(house, actor, text)
                if spent > worst:  # whatever else the machine did meanwhile is no cost of the document
                    spent = min(spent, (await cost(house, actor, text, SURE))[0])
                tried, stale = tried + 1, stale + 1
                if spent > best:
                    genes, best, stale = changed, spent, 0
                if spent > worst:
                    worst = spent
                    over = "  OVER" if spent > BUDGET else ""
                    print(f"{tried:6} tried  {spent:7.2f} ms  {len(text):6} characters  {said[:70]}{over}", flush=True)
                    if show:
                        print(text, flush=True)
        print(f"{tried} documents tried; the worst took {worst:.2f} ms")


def main() -> None:
    """Looks for it."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--seconds", type=float, default=60)
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--show", action="store_true", help="print the documents")
    asked = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(search(Path(folder), asked.seconds, asked.seed, show=asked.show))


if __name__ == "__main__":
    main()
