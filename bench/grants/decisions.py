"""What a decision costs beside a look-up in a set, and beside `enforce`, as rules grow; and what it costs to compile.

Run from the repository: `python bench/grants/decisions.py`, with `--most 10000` for fewer rules. Only ratios mean
anything, but for the last column: whether a whole decision stays below a microsecond on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from time import perf_counter, process_time
from typing import Any

from authz import adapter
from authz.holding import TenantGrants, _Held
from authz.table import Table
from domain.actors import Actor
from domain.grants.content import GrantLink, GrantRule, Snapshot
from domain.ids import Id

COUNTS = (50, 1_000, 5_000, 10_000, 100_000)
ENFORCED = 5_000
"""Beyond so many rules `enforce` is not measured any more."""
ROLES, HELD, ASKED, ROUNDS = 20, 3, 2_000, 7
TENANT = Id("te_bench")
MICROSECOND = 1e-6


def grants(count: int) -> tuple[Snapshot, list[str], list[str]]:
    """Random grants of so many rules, every eighth a deny, over roles that inherit from each other."""
    chance = random.Random(count)  # noqa: S311 - a seed makes the grants the same each time
    roles = [f"role_{number}" for number in range(ROLES)]
    actions = [f"noun_{number}:do" for number in range(max(10, count // 8))]
    cells = chance.sample([(role, action) for role in roles for action in actions], count)
    rules = tuple(
        GrantRule(
            role=role,
            object=action.partition(":")[0],
            verb="do",
            effect="deny" if chance.random() < 1 / 8 else "allow",
            id=f"xx-{number}",
            why="Ch.8",
        )
        for number, (role, action) in enumerate(cells)
    )
    links = tuple(
        GrantLink(role=low, inherits=high)
        for place, low in enumerate(roles)
        for high in roles[place + 1 :]
        if chance.random() < 0.05
    )
    return Snapshot(rules=rules, links=links), roles, actions


def each(work: Callable[[], object], times: int) -> float:
    """The median seconds of one of so many."""
    taken = []
    for _ in range(ROUNDS):
        start = perf_counter()
        work()
        taken.append((perf_counter() - start) / times)
    return median(taken)


def held(table: Table) -> TenantGrants:
    """The grants of one company that a process knows."""
    found = object.__new__(TenantGrants)
    found._monotonic, found._held = (lambda: 0.0), {TENANT: _Held(table, 1.0)}
    return found


def looked_up(known: frozenset[str], asked: Sequence[str]) -> None:
    """Whether each is in the set: the floor."""
    for action in asked:
        action in known  # noqa: B015 - the look-up itself is measured


def decided(company: TenantGrants, actor: Actor, asked: Sequence[str]) -> None:
    """A whole decision: the rights of an actor, and whether they permit it."""
    for action in asked:
        company.rights(actor).permits(action)


def permitted(company: TenantGrants, actor: Actor, asked: Sequence[str]) -> None:
    """A decision with the rights at hand, as a request has them."""
    rights = company.rights(actor)
    for action in asked:
        rights.permits(action)


async def noticed(company: TenantGrants) -> None:
    """What every request does first: to see that what is known is fresh."""
    for _ in range(ASKED):
        await company.notice(TENANT)


def measured(count: int) -> dict[str, Any]:
    """The figures of so many rules."""
    snapshot, roles, actions = grants(count)
    start = process_time()
    table = Table.of(snapshot, actions=actions, roles=roles)
    compiling = process_time() - start
    company, actor = held(table), Actor(tenant=TENANT, person="li", roles=frozenset(roles[:HELD]))
    asked = random.Random(1).choices(actions, k=ASKED)  # noqa: S311 - the same each time
    known = frozenset(company.rights(actor).allowed)
    floor = each(lambda: looked_up(known, asked), ASKED)
    whole = each(lambda: decided(company, actor, asked), ASKED)
    found: dict[str, Any] = {
        "at hand": each(lambda: permitted(company, actor, asked), ASKED) / floor,
        "whole": whole / floor,
        "notice": each(lambda: asyncio.run(noticed(company)), ASKED) / floor,
        "compile": compiling / count / floor,
        "below": whole < MICROSECOND,
        "enforce": None,
    }
    if count <= ENFORCED:
        enforcer = adapter.enforcer(snapshot, (TENANT,))
        for role in actor.roles:
            enforcer.add_grouping_policy("li", role, TENANT)
        few = asked[:20]
        one = each(lambda: [enforcer.enforce("li", TENANT, *action.split(":")) for action in few], len(few))
        wrong = [
            a for a in few if enforcer.enforce("li", TENANT, *a.split(":")) is not company.rights(actor).permits(a)
        ]
        assert not wrong, wrong
        found["enforce"] = one / whole
    return found


def main() -> None:
    """Prints a line for each number of rules."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--most", type=int, default=COUNTS[-1])
    most = options.parse_args().most
    print(f"{datetime.now(UTC):%Y-%m-%d}; each figure is a multiple of a look-up in a set of the same actions.")
    print("rules    at hand   whole   notice   enforce ÷ whole   compile per rule   below 1 µs")
    for count in COUNTS:
        if count <= most:
            one = measured(count)
            enforce = "" if one["enforce"] is None else f"{one['enforce']:,.0f}"
            print(
                f"{count:7,}  {one['at hand']:6.1f}  {one['whole']:6.1f}  {one['notice']:6.1f}  {enforce:>15}"
                f"  {one['compile']:16,.0f}   {'yes' if one['below'] else 'no'}"
            )


if __name__ == "__main__":
    main()
