"""The facts of a record as a statement selects them, compares them and orders by them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache, lru_cache, partial
from typing import Any, get_args, get_type_hints

import sqlalchemy as sa

from domain.money import Money
from domain.records import Fact, Shape, Stamp
from vault.store import codec, tables
from vault.store.reading.dialects import Dialect
from vault.store.reading.values import Typed

Convert = Callable[[Any], Any]
"""Makes a parameter of a value, or raises Malformed."""

ORDERED = (str, int, date, Enum)
"""The types that conditions and orders know (booleans are integers); money, lists and value objects have neither."""


SPELLED = 4_096
"""How many parts of statements of each kind are kept at most."""


class Unsupported(ValueError):
    """A reading asks for what no declaration offers: a bug of whoever built it, found when it is prepared."""


@dataclass(frozen=True, slots=True)
class Held:
    """A fact or stamp column, and where the table holds it."""

    fact: Fact
    columns: tuple[sa.ColumnElement[Any], ...]

    @property
    def column(self) -> sa.ColumnElement[Any]:
        """The one column of a fact that can be compared.

        Raises: Unsupported.
        """
        type_ = self.typed.type
        if not isinstance(type_, type) or not issubclass(type_, ORDERED):
            raise Unsupported(f"{self.fact.name} is of a type that is not compared.")
        return self.columns[0]

    @property
    def typed(self) -> Typed:
        """The type of its values."""
        return Typed(getattr(self.fact.type, "__supertype__", self.fact.type), self.fact.optional)

    def bind(self, name: str) -> sa.BindParameter[Any]:
        """A parameter as the column holds values."""
        return sa.bindparam(name, type_=self.column.type)

    def ordered(self, dialect: Dialect) -> sa.ColumnElement[Any]:
        """What the fact is ordered by: words of a list by their place in it, text by code points."""
        column, type_ = self.column, self.typed.type
        if issubclass(type_, Enum):
            words = [(f"'{item.value}'", str(place)) for place, item in enumerate(type_)]
            places: Any = [(sa.literal_column(word), sa.literal_column(place)) for word, place in words]
            return sa.case(*places, value=column)
        return dialect.by_code_point(column) if issubclass(type_, str) else column

    def place(self, name: str) -> sa.BindParameter[Any]:
        """A parameter to compare that order with."""
        if issubclass(self.typed.type, Enum):
            return sa.bindparam(name, type_=sa.Integer)
        return self.bind(name)

    def decoder(self) -> Callable[..., Any] | None:
        """Reads the value from what a driver fetched; None where that is the value."""
        type_ = self.typed.type
        if type_ is str or type_ is int:
            return None
        if isinstance(type_, type) and issubclass(type_, Enum):
            return {item.value: item for item in type_}.__getitem__
        return partial(codec.decode, self.fact)

    def raw(self, dialect: Dialect) -> Convert:
        """Makes a parameter as the column holds values."""
        typed, fact, name = self.typed, self.fact, dialect.name
        return lambda value: codec.encode(fact, typed.fit(value), name)[0]

    def placed(self, dialect: Dialect) -> Convert:
        """Makes a parameter to compare the order with."""
        typed = self.typed
        if not issubclass(typed.type, Enum):
            return self.raw(dialect)
        places = {item: place for place, item in enumerate(typed.type)}
        return lambda value: places.get(typed.fit(value))


def _stamps() -> Mapping[str, Fact]:
    """The stamp columns, told like facts."""
    hints = get_type_hints(Stamp)
    told: dict[str, Fact] = {}
    for item in dataclasses.fields(Stamp):
        kinds = [kind for kind in get_args(hints[item.name]) if kind is not type(None)]
        told[item.name] = Fact(
            name=item.name,
            says="",
            type=kinds[0] if kinds else hints[item.name],
            optional=bool(kinds),
        )
    return told


STAMPS = _stamps()


@cache
def held(shape: Shape, name: str) -> Held:
    """A fact or stamp column of a record, in its table.

    Raises: Unsupported when the record has none of this name.
    """
    fact, columns = shape.facts.get(name) or STAMPS.get(name), tables.table(shape).c
    names = (f"{name}_minor", f"{name}_currency") if fact is not None and fact.type is Money else (name,)
    if fact is None or names[0] not in columns:
        raise Unsupported(f"{shape.name} has no column {name}.")
    return Held(fact, tuple(columns[part] for part in names))


@lru_cache(SPELLED)
def named(shape: Shape, name: str, of: str) -> Held:
    """The same where a statement calls the table by this name.

    Its columns are text that is already spelled: to SQLAlchemy the columns of a table, and still more of an alias, cost
    many times what they say. No name of ours needs quotes.

    Raises: Unsupported when the record has none of this name.
    """
    own = held(shape, name)
    columns = [sa.literal_column(spelled(of, column), column.type) for column in own.columns]
    return Held(own.fact, tuple(columns))


def spelled(of: str, column: Any) -> str:
    """A column of a table that a statement calls by this name."""
    return f"{of}.{column.name}"


@lru_cache(SPELLED)
def source(shape: Shape, of: str) -> sa.FromClause:
    """The table of a record, as a statement calls it by this name."""
    table = sa.table(shape.table)
    return table if of == shape.table else table.alias(of)
