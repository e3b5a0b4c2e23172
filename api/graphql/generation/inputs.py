"""Filters and orders of a list, from the facts that are declared for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, cast

from api.graphql.generation.building import NAMES, entry, enum_type, expression, input_type
from api.graphql.generation.parts import is_enum
from api.graphql.generation.wording import camel, first_paragraph, guarded
from domain.ids import Id
from domain.records import SHAPES, Children, Confidential, Fact, Shape

OPERATORS: Mapping[str, str] = {"eq": "=", "in": "in", "gte": ">=", "lte": "<=", "contains": "contains", "has": "has"}
"""The operator of the read model behind each word of a filter."""

_SAYS = {
    "eq": "Equal to this.",
    "in": "One of these; at most 100.",
    "gte": "This or later, this or more.",
    "lte": "This or earlier, this or less.",
    "contains": "Contains this text.",
    "has": "This is among them.",
}


@dataclass(frozen=True, slots=True)
class _Suits:
    """Which words a filter on a type knows."""

    type: Any
    name: str
    words: tuple[str, ...]


_SUITS = (
    _Suits(str, "Text", ("eq", "in", "contains")),
    _Suits(Id, "Id", ("eq", "in")),
    _Suits(int, "Int", ("eq", "in", "gte", "lte")),
    _Suits(bool, "Boolean", ("eq",)),
    _Suits(date, "Date", ("eq", "gte", "lte")),
    _Suits(datetime, "DateTime", ("gte", "lte")),
    _Suits(tuple[str, ...], "List", ("has",)),
)


class OrderDirection(Enum):
    """Which end of an order comes first."""

    ASC = "ASC"
    """Smallest, earliest or best first."""
    DESC = "DESC"
    """Largest, latest or worst first."""


def filter_of(shape: Shape) -> str | None:
    """The name of the filter of a record's lists, made when first asked for; None where no fact filters."""
    facts = [fact for fact in shape.facts.values() if fact.filter]
    if not facts:
        return None
    name = f"{shape.name}Filter"
    if name not in NAMES:
        says = f"Conditions on {shape.name}; all of them hold. ({shape.read})"
        input_type(name, says, [entry(camel(fact.name), f"{_by_type(fact)} | None", fact.says) for fact in facts])
    return name


LOOK_UP_PURPOSE = "purpose"
"""The field of a look-up that says why somebody searches."""


def looked_up_by(shape: Shape) -> dict[str, tuple[Confidential[str], Children | None]]:
    """The confidential fields that records are found by, by their name in the schema: their own and their children's.

    Of a child the link stands beside the field.
    """
    ways: list[tuple[Shape, Children | None]] = [(SHAPES[way.target], way) for way in shape.children.values()]
    return {
        camel(name): (sealed, way)
        for holder, way in [(shape, None), *ways]
        for name, sealed in holder.confidential.items()
        if sealed.index is not None and (way is None or holder is not shape)
    }


def look_up_of(shape: Shape) -> str | None:
    """The name of the look-up of a record's list, made when first asked for; None where no identifier is indexed."""
    fields = looked_up_by(shape)
    if not fields:
        return None
    name = f"{shape.name}LookUp"
    if name not in NAMES:
        actions = ", ".join(dict.fromkeys(action for one in fields.values() for action in _looking(*one)))
        input_type(
            name,
            f"{shape.name} by confidential identifiers that are known already: all that are given are equal, however "
            f"they are written. It takes the actions that would open them, and is recorded. Ch.4 §4 ({actions})",
            [
                entry(LOOK_UP_PURPOSE, "Purpose", "Why it is looked for; it is recorded. Ch.4 §4"),
                *(
                    entry(word, "str | None", guarded(sealed.says, ", ".join(_looking(sealed, way))))
                    for word, (sealed, way) in fields.items()
                ),
            ],
        )
    return name


def _looking(sealed: Confidential[str], way: Children | None) -> tuple[str, ...]:
    """The actions that looking for a field takes."""
    return sealed.actions if way is None else (*sealed.actions, way.action or SHAPES[way.target].read)


def order_of(shape: Shape) -> str | None:
    """The name of the order of a record's lists, made when first asked for; None where nothing orders."""
    columns = ordering(shape)
    if not columns:
        return None
    name = f"{shape.name}Order"
    if name not in NAMES:
        words = {column.upper(): says for column, says in columns.items()}
        fields = cast("type[Enum]", Enum(f"{shape.name}OrderField", {word: word.lower() for word in words}))
        enum_type(fields, f"What lists of {shape.name} are ordered by.", words=words)
        if "OrderDirection" not in NAMES:
            enum_type(OrderDirection)
        input_type(
            name,
            f"The order of a list of {shape.name}; equal ones by their id. ({shape.read})",
            [
                entry("field", f"{shape.name}OrderField", "What to order by."),
                entry("direction", "OrderDirection", "Which end comes first.", default=OrderDirection.ASC),
            ],
        )
    return name


def ordering(shape: Shape) -> dict[str, str]:
    """The columns that lists of a record can be ordered by, with what each says."""
    columns = {fact.name: fact.says for fact in shape.facts.values() if fact.order}
    if not shape.ledger:
        columns["recorded_at"] = "When the version was recorded. Ch.8 §1"
    return columns


def _by_type(fact: Fact) -> str:
    """The filter on one type of fact, made when first asked for."""
    if is_enum(fact.type):
        suits = _Suits(fact.type, fact.type.__name__, ("eq", "in"))
    else:
        suits = next(item for item in _SUITS if item.type == fact.type)
    name = f"{suits.name}Filter"
    if name not in NAMES:
        inner = "ID" if suits.name == "List" else expression(suits.type)
        about = first_paragraph(fact.type.__doc__) if is_enum(fact.type) else f"A fact of type {suits.name}."
        input_type(
            name,
            f"Conditions on one fact; one that is null, or left out, holds for every row. {about}",
            [
                entry(word, f"list[{inner}] | None" if word == "in" else f"{inner} | None", _SAYS[word])
                for word in suits.words
            ],
        )
    return name
