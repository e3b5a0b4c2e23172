"""What the schema offers of a record: one table of its fields, read by the type generator and by the compiler."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from api.graphql.generation import declared
from api.graphql.generation.wording import camel, first_paragraph, guarded, remark
from api.graphql.scalars import CurrencyCode
from domain.ids import Id
from domain.money import Money
from domain.records import SHAPES, Children, Computed, Confidential, Fact, Shape, Stamp

declared.load()  # what follows is generated from every declared record


@dataclass(frozen=True, slots=True)
class Column:
    """An ordinary fact, or a stamp every row carries."""

    name: str
    type: Any
    optional: bool
    says: str


@dataclass(frozen=True, slots=True)
class ToOne:
    """A link to one record; null where there is none, or none within the reader's reach."""

    by: Fact
    says: str


@dataclass(frozen=True, slots=True)
class ToMany:
    """A link to many records, a connection."""

    by: Children
    says: str


@dataclass(frozen=True, slots=True)
class Masked:
    """The masked form of a confidential field."""

    by: Confidential[Any]
    says: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A field computed for many records at once."""

    by: Computed
    says: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The confidential fields, together, behind their purpose."""

    fields: Mapping[str, Confidential[Any]]
    """By their name in the schema."""
    says: str


Part = Column | ToOne | ToMany | Masked | Derived | Closed

_STAMPS = {
    "created_at": "When it was first recorded. Ch.8 §1",
    "created_by": "Who recorded it first. Ch.8 §1",
    "recorded_at": "When this version was recorded. Ch.8 §1",
    "effective_from": "From when this version holds. Ch.4 §2",
    "effective_to": "Until when this version holds; null while it does. Ch.4 §2",
    "version": "The number of this version, counted from 1. Ch.8 §1",
}
"""What readers see of the stamp of a row; an entry of the audit log has none of it."""


@cache
def parts(shape: Shape) -> Mapping[str, Part]:
    """Every field the schema offers of a record, by its name there, in the order of the declaration.

    Raises: TypeError when two fields would have one name; it is raised while the schema is built.
    """
    found: dict[str, Part] = {}
    pairs = [
        ("id", Column("id", Id, optional=False, says=guarded("The id, opaque. Ch.3 §1", shape.read))),
        *((camel(name), _fact(shape, fact)) for name, fact in shape.facts.items()),
        *((camel(name), _derived(shape, derived)) for name, derived in shape.computed.items()),
        *((camel(name), _many(children)) for name, children in shape.children.items()),
        *(_sealed(shape)),
        *(_stamps(shape)),
    ]
    for name, part in pairs:
        if name in found:
            raise TypeError(f"{shape.name} offers {name} twice.")
        found[name] = part
    return found


def described(shape: Shape) -> str:
    """What a record is, and the action that guards it."""
    return guarded(first_paragraph(shape.says), shape.read)


def values(cls: type) -> Mapping[str, Column]:
    """The fields of a value object, such as one line of points, by their name in the schema."""
    if cls is Money:
        return _MONEY
    hints = get_type_hints(cls)
    found: dict[str, Column] = {}
    for item in dataclasses.fields(cls):
        type_, optional = without_none(hints[item.name])
        found[camel(item.name)] = Column(item.name, type_, optional=optional, says=remark(cls, item.name))
    return found


def without_none(hint: Any) -> tuple[Any, bool]:
    """A type hint without its None, and whether it had one."""
    arguments = get_args(hint)
    if type(None) in arguments:
        return next(item for item in arguments if item is not type(None)), True
    return hint, False


def item_of(type_: Any) -> Any:
    """The type of the items of a tuple fact; None for every other fact."""
    return get_args(type_)[0] if get_origin(type_) is tuple else None


def is_value(type_: Any) -> bool:
    """Whether a fact is a value object with fields of its own."""
    return isinstance(type_, type) and dataclasses.is_dataclass(type_)


def is_enum(type_: Any) -> bool:
    """Whether a fact is one of a closed list of words."""
    return isinstance(type_, type) and issubclass(type_, Enum)


def _fact(shape: Shape, fact: Fact) -> Part:
    if fact.target:
        return ToOne(fact, guarded(fact.says, fact.action or SHAPES[fact.target].read))
    return Column(fact.name, fact.type, optional=fact.optional, says=guarded(fact.says, fact.action or shape.read))


def _many(children: Children) -> ToMany:
    return ToMany(children, guarded(children.says, children.action or SHAPES[children.target].read))


def _derived(shape: Shape, derived: Computed) -> Derived:
    return Derived(derived, guarded(derived.says, derived.action or shape.read))


def _sealed(shape: Shape) -> list[tuple[str, Part]]:
    if not shape.confidential:
        return []
    masked: list[tuple[str, Part]] = [
        (
            camel(name) + "Masked",
            Masked(sealed, guarded(f"Masked: {sealed.says}", f"mask:{sealed.data_class.value}")),
        )
        for name, sealed in shape.confidential.items()
        if sealed.mask is not None
    ]
    actions = ", ".join(dict.fromkeys(action for item in shape.confidential.values() for action in item.actions))
    fields = {camel(name): sealed for name, sealed in shape.confidential.items()}
    closed = Closed(fields, guarded("The confidential fields, opened for one purpose and recorded. Ch.4 §4", actions))
    return [*masked, ("confidential", closed)]


def _stamps(shape: Shape) -> list[tuple[str, Part]]:
    if shape.ledger:
        return []
    hints = get_type_hints(Stamp)
    found: list[tuple[str, Part]] = []
    for name, says in _STAMPS.items():
        type_, optional = without_none(hints[name])
        found.append((camel(name), Column(name, type_, optional=optional, says=guarded(says, shape.read))))
    return found


_MONEY = {
    "amount": Column("amount", Decimal, optional=False, says="The amount in major units, exact. Ch.5 §4"),
    "currency": Column("currency", CurrencyCode, optional=False, says="Its currency, ISO 4217. Ch.5 §4"),
}
