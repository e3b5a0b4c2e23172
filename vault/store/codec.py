"""A record becomes a row, and a row becomes the record it was; what a fact needs for that is found out once.

Rows are read as SQLAlchemy, sqlite3 and asyncpg give them: a date or an instant may be text, a boolean a number.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache, partial
from operator import attrgetter, itemgetter
from typing import Any, Protocol, cast

from domain import canonical
from domain.money import Money
from domain.records import STAMP_FIELDS, Fact, Record, Shape, Stamp
from vault.store.schema.columns import instant_text
from vault.store.tables import columns_of

__all__ = ["Row", "columns_of", "decode", "encode", "record_of", "row_of"]

Convert = Callable[[Any], Any]
REPEATED = 4
"""Longer lists are not remembered: they name rows, and no two of them are alike."""
_IDENTITY = ("id", "tenant", "subject_id")


class Row(Protocol):
    """A row whose columns are found by name: of SQLAlchemy, sqlite3 or asyncpg, or a plain mapping."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a column."""


def encode(fact: Fact, value: Any, dialect: str = "") -> tuple[Any, ...]:
    """The values of a fact's columns, as SQLAlchemy takes them, or as the driver of a database does by itself."""
    if fact.type is Money:
        return (None, None) if value is None else (value.minor, value.currency)
    convert = _written(fact.type, dialect)
    return (value,) if convert is None or value is None else (convert(value),)


def decode(fact: Fact, *raw: Any) -> Any:
    """The value of a fact from what its columns hold."""
    if raw[0] is None:
        return None
    if fact.type is Money:
        return Money(*raw)
    convert = _read(fact.type)
    return raw[0] if convert is None else convert(raw[0])


def row_of(record: Record) -> dict[str, Any]:
    """The columns of a record's row, as SQLAlchemy takes them."""
    form = _form(record.shape)
    row = dict(zip(form.stamps, form.stamped(record.stamp), strict=True))
    row.update(zip(form.plain, form.taken(record), strict=True))
    for name, convert in form.converted:
        value = getattr(record, name)
        row[name] = None if value is None else convert(value)
    for name, minor, currency in form.money:
        value = getattr(record, name)
        row[minor], row[currency] = (None, None) if value is None else (value.minor, value.currency)
    return row


def record_of(shape: Shape, row: Row) -> Record:
    """The record of a row; columns it does not know may stand beside its own."""
    form = _form(shape)
    values = dict(zip(form.facts, form.fetched(row), strict=True))
    for name, convert in form.readers:
        value = values[name]
        if value is not None:
            values[name] = convert(value)
    for name, minor, currency in form.money:
        amount = row[minor]
        values[name] = None if amount is None else Money(amount, row[currency])
    return shape.cls(stamp=form.stamp(row), **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How the records of one shape and their rows follow from each other."""

    stamps: tuple[str, ...]
    """The stamp columns of its table."""
    stamped: Callable[[Stamp], tuple[Any, ...]]
    stamp: Callable[[Row], Stamp]
    plain: tuple[str, ...]
    """The facts that are stored as they are."""
    taken: Callable[[Record], tuple[Any, ...]]
    converted: tuple[tuple[str, Convert], ...]
    money: tuple[tuple[str, str, str], ...]
    """Fact, minor units, currency."""
    facts: tuple[str, ...]
    """The facts of one column."""
    fetched: Callable[[Row], tuple[Any, ...]]
    readers: tuple[tuple[str, Convert], ...]


@cache
def _form(shape: Shape) -> _Form:
    single = [fact for fact in shape.facts.values() if fact.type is not Money]
    written = {fact.name: _written(fact.type, "") for fact in single}
    plain = tuple(name for name, convert in written.items() if convert is None)
    facts = tuple(written)
    stamps = _IDENTITY if shape.ledger else STAMP_FIELDS
    return _Form(
        stamps=stamps,
        stamped=_all(attrgetter, stamps),
        stamp=_ledger_stamp if shape.ledger else _stamp,
        plain=plain,
        taken=_all(attrgetter, plain),
        converted=tuple((name, convert) for name, convert in written.items() if convert is not None),
        money=tuple((fact.name, *columns_of(fact)) for fact in shape.facts.values() if fact.type is Money),  # type: ignore[misc] # money has two columns
        facts=facts,
        fetched=_all(itemgetter, facts),
        readers=tuple((fact.name, convert) for fact in single if (convert := _read(fact.type)) is not None),
    )


def _all(getter: Callable[..., Any], names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Takes several parts at once, always as a tuple."""
    if len(names) > 1:
        return cast("Callable[[Any], tuple[Any, ...]]", getter(*names))
    return lambda whole: tuple(getter(name)(whole) for name in names)


_fetch_stamp = itemgetter(*STAMP_FIELDS)


def _stamp(row: Row) -> Stamp:
    id_, tenant, subject, version, created, by, start, end, recorded, superseded = _fetch_stamp(row)
    return Stamp(
        id=id_,
        tenant=tenant,
        subject_id=subject,
        version=version,
        created_at=_instant(created),
        created_by=by,
        effective_from=_instant(start),
        effective_to=None if end is None else _instant(end),
        recorded_at=_instant(recorded),
        superseded_at=None if superseded is None else _instant(superseded),
    )


def _ledger_stamp(row: Row) -> Stamp:
    """An entry of a ledger has one version, made by its actor when it happened."""
    at = _instant(row["at"])
    return Stamp(
        id=row["id"],
        tenant=row["tenant"],
        subject_id=row["subject_id"],
        created_at=at,
        created_by=row["actor"],
        effective_from=at,
        recorded_at=at,
    )


@cache
def _written(type_: Any, dialect: str) -> Convert | None:
    """Makes the value of a column; None where the value is that itself."""
    kind = getattr(type_, "__supertype__", type_)
    if kind == tuple[str, ...]:
        return _listed
    if _structured(kind):
        return _json
    if issubclass(kind, Enum):
        return attrgetter("value")
    if issubclass(kind, Decimal):
        return canonical.plain
    if dialect == "sqlite" and issubclass(kind, date):
        return instant_text if issubclass(kind, datetime) else date.isoformat
    return None


@cache
def _read(type_: Any) -> Convert | None:
    """Reads the value of a column; None where it is the value itself."""
    kind = getattr(type_, "__supertype__", type_)
    if kind == tuple[str, ...]:
        return _texts
    if _structured(kind):
        return partial(_shaped, kind)
    if issubclass(kind, Enum):
        return {item.value: item for item in kind}.__getitem__
    readers: Mapping[Any, Convert] = {bool: bool, Decimal: Decimal, datetime: _instant, date: _day}
    return readers.get(kind)


def _structured(kind: Any) -> bool:
    """Whether a value is stored as canonical JSON: a list, or a value object."""
    return not isinstance(kind, type) or kind is tuple or dataclasses.is_dataclass(kind)


def _json(value: Any) -> str:
    return canonical.encode(canonical.plain(value)).decode()


def _listed(value: tuple[str, ...]) -> str:
    """A list of texts; the short ones, such as findings, repeat from row to row and are written once."""
    return _json(value) if len(value) > REPEATED else _repeated(value)


@lru_cache(maxsize=1024)
def _repeated(value: tuple[str, ...]) -> str:
    return _json(value)


def _texts(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _shaped(kind: Any, text: str) -> Any:
    return canonical.shaped(kind, json.loads(text))


def _instant(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _day(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
