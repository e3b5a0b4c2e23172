"""Input objects, generated from the dataclasses of operations: nobody writes an input type."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any, get_type_hints

from strawberry.types.field import StrawberryField

from api.graphql.generation.building import NAMES, entry, expression, input_type
from api.graphql.generation.parts import is_value, item_of, values, without_none
from api.graphql.generation.wording import camel, first_paragraph, remark
from domain.money import Money
from domain.operations import DERIVED


@dataclasses.dataclass(frozen=True, slots=True)
class Entered:
    """One attribute that is entered, with its type without None."""

    name: str
    type: Any
    optional: bool
    """Whether None is one of its values."""
    default: Any
    """What stands where nothing is entered; `dataclasses.MISSING` where something must be."""


@cache
def attributes(cls: type) -> dict[str, Entered]:
    """What is entered for an operation or a value of it, by the name in the schema."""
    hints = get_type_hints(cls)
    found: dict[str, Entered] = {}
    for item in dataclasses.fields(cls):
        if item.metadata.get(DERIVED):
            continue
        type_, optional = without_none(hints[item.name])
        found[camel(item.name)] = Entered(item.name, type_, optional, item.default)
    return found


def entered(cls: type, name: str | None = None, says: str | None = None) -> str:
    """The name of the input object of a dataclass, made when first asked for."""
    made = f"{name or cls.__name__}Input"
    if made not in NAMES:
        fields = _money() if cls is Money else [_entry(cls, key, item) for key, item in attributes(cls).items()]
        input_type(made, says or first_paragraph(cls.__doc__), fields)
    return made


def _entry(cls: type, key: str, item: Entered) -> StrawberryField:
    inner, says = _expression(item.type), remark(cls, item.name)
    if item.default is dataclasses.MISSING:
        return entry(key, inner + " | None" if item.optional else inner, says)
    if item.default is None or is_value(item.type) or item_of(item.type):
        return entry(key, inner + " | None", says)
    return entry(key, inner, says, default=item.default)


def _expression(type_: Any) -> str:
    item = item_of(type_)
    if item is not None:
        return f"list[{_expression(item)}]"
    return entered(type_) if is_value(type_) else expression(type_)


def _money() -> list[StrawberryField]:
    return [entry(name, expression(column.type), column.says) for name, column in values(Money).items()]
