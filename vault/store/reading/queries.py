"""The statements of one level: its rows, how many there are, and its sealed cells. Each names the tenant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from domain.reading import Level, Where
from domain.records import SHAPES, Shape
from vault.store import tables
from vault.store.reading.columns import Convert, Held, Unsupported, held
from vault.store.reading.dialects import Dialect, Statement

Condition = sa.ColumnElement[bool]


class Kind(NamedTuple):
    """What of a run decides the text of its statements, beside the reading."""

    partner: bool
    """Only what a partner reaches."""
    subject: bool
    """Only what a customer reaches."""
    after: bool
    """Behind a cursor."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A parameter that is made of an argument."""

    name: str
    slot: int
    convert: Convert


@dataclass(frozen=True, slots=True)
class Order:
    """One column of a level's order. Rows without a value come last, whichever end comes first."""

    shape: Shape
    held: Held
    descending: bool
    name: str
    """The parameter that holds a cursor's value."""

    def by(self, dialect: Dialect, of: sa.FromClause | None = None) -> sa.ColumnElement[Any]:
        """The term of ORDER BY."""
        wanted = self.held if of is None else held(self.shape, self.held.fact.name, of)
        expression = wanted.ordered(dialect)
        directed = expression.desc() if self.descending else expression.asc()
        return directed.nulls_last() if self.held.fact.optional else directed

    def past(self, dialect: Dialect) -> Condition:
        """Behind the cursor in this column."""
        column, value = self.held.ordered(dialect), self.held.place(self.name)
        behind = column < value if self.descending else column > value
        if not self.held.fact.optional:
            return behind
        return sa.and_(value.is_not(None), sa.or_(behind, column.is_(None)))

    def level(self, dialect: Dialect) -> Condition:
        """Where the cursor is, in this column."""
        column, value = self.held.ordered(dialect), self.held.place(self.name)
        return column.is_not_distinct_from(value) if self.held.fact.optional else column == value


def orders(level: Level) -> tuple[Order, ...]:
    """The order of a level, made total by the id, which runs the way of the column before it."""
    names = [name for name, _ in level.order]
    # The id tells all rows apart: what an order says behind it decides nothing.
    wanted = level.order[: names.index("id") + 1] if "id" in names else (*level.order, ("id", _last(level)))
    return tuple(
        Order(level.shape, held(level.shape, name), descending, f"after{place}")
        for place, (name, descending) in enumerate(wanted)
    )


def _last(level: Level) -> bool:
    return level.order[-1][1] if level.order else False


def behind(keys: Sequence[Order], dialect: Dialect) -> Condition:
    """The rows behind a cursor in an order, with nulls and mixed directions.

    One row comparison where the columns allow it, since an index serves that.
    """
    if len({key.descending for key in keys}) == 1 and not any(key.held.fact.optional for key in keys):
        row = sa.tuple_(*(key.held.ordered(dialect) for key in keys))
        cursor = sa.tuple_(*(key.held.place(key.name) for key in keys))
        return row < cursor if keys[0].descending else row > cursor
    condition = keys[-1].past(dialect)
    for key in reversed(keys[:-1]):
        condition = sa.or_(key.past(dialect), sa.and_(key.level(dialect), condition))
    return condition


@dataclass(frozen=True, slots=True)
class Query:
    """What one level asks of its table; `by` is the column its parents are found in, None at a root."""

    level: Level
    dialect: Dialect
    by: Held | None
    many: bool
    columns: Sequence[sa.ColumnElement[Any]]
    keys: tuple[Order, ...]
    texts: Callable[[Kind], Sequence[sa.ColumnElement[str]]]
    """What is written behind the columns; nothing is where a row is one of many of its parent."""

    def rows(self, kind: Kind) -> Statement:
        """The rows; of every parent at most `limit`, in order."""
        conditions = self._conditions(kind)
        columns = [*self.columns, *self.texts(kind)]
        if kind.after:
            conditions.append(behind(self.keys, self.dialect))
        ordered = [key.by(self.dialect) for key in self.keys]
        limit = sa.bindparam("limit", type_=sa.Integer)
        if self.by is None:
            select = sa.select(*columns).where(*conditions).order_by(*ordered).limit(limit)
        elif self.many:
            place = sa.func.row_number().over(partition_by=self.by.column, order_by=ordered).label("place")
            inner = sa.select(*columns, place).where(*conditions).subquery()
            select = sa.select(*list(inner.c)[:-1]).where(inner.c.place <= limit).order_by(inner.c.place)
        else:
            select = sa.select(*columns).where(*conditions)
        return self.dialect.compile(select)

    def total(self, kind: Kind) -> Statement:
        """How many rows there are on all pages, per parent."""
        conditions = self._conditions(kind)
        count = sa.func.count()
        if self.by is None:
            return self.dialect.compile(sa.select(count).select_from(tables.table(self.level.shape)).where(*conditions))
        by = self.by.column
        return self.dialect.compile(sa.select(by, count).where(*conditions).group_by(by))

    def _conditions(self, kind: Kind) -> list[Condition]:
        found = conditions(self.level, kind, self.dialect)
        if self.by is not None:
            found.append(self.dialect.among(self.by.column, "parents"))
        return found


def source(level: Level) -> sa.Table:
    """The table that holds the rows of a level."""
    return tables.table(level.shape)


def conditions(
    level: Level, kind: Kind, dialect: Dialect, of: sa.FromClause | None = None, prefix: str = ""
) -> list[Condition]:
    """Which rows a level may find at all, and which it asks for; `of` is what a statement calls its table."""
    tenant = held(level.shape, "tenant", of)
    found: list[Condition] = [tenant.column == tenant.bind("tenant")]
    found += _reach(level.shape, kind, of)
    found += _times(level, of)
    found += [
        _condition(level.shape, where, f"{prefix}where{place}", dialect, of) for place, where in enumerate(level.where)
    ]
    return found


@cache
def zone(dialect: Dialect) -> Statement:
    """The time zone in which a company counts its days."""
    own = tables.table(SHAPES["Tenant"]).c
    tenant = sa.bindparam("tenant", type_=sa.Text)
    select = sa.select(own.time_zone).where(own.tenant == tenant, own.superseded_at.is_(None))
    return dialect.compile(select.order_by(own.id).limit(1))


@cache
def sealed(dialect: Dialect) -> Statement:
    """The statement of `sealed_cells`."""
    return dialect.compile(sealed_cells(dialect))


def sealed_cells(dialect: Dialect) -> sa.Select[Any]:
    """The sealed cells of some records, with the wrapped keys of each: an opener needs no database.

    A key that is gone leaves its columns empty; the cell is found all the same.
    """
    cell, dek, wrap, kek = tables.sealed_field, tables.vault_dek, tables.vault_dek_wrap, tables.vault_key
    return (
        sa.select(
            cell.c.record_id,
            cell.c.field_tag,
            cell.c.value_version,
            cell.c.schema_version,
            cell.c.envelope,
            cell.c.dek_id,
            dek.c.version,
            dek.c.alg,
            dek.c.kek_epoch,
            wrap.c.wrapped,
            kek.c.wrapped,
        )
        .select_from(cell)
        .outerjoin(dek, sa.and_(dek.c.tenant == cell.c.tenant, dek.c.dek_id == cell.c.dek_id))
        .outerjoin(
            wrap,
            sa.and_(wrap.c.tenant == dek.c.tenant, wrap.c.dek_id == dek.c.dek_id, wrap.c.kek_epoch == dek.c.kek_epoch),
        )
        .outerjoin(
            kek,
            sa.and_(
                kek.c.tenant == dek.c.tenant,
                kek.c.epoch == dek.c.kek_epoch,
                kek.c.purpose == sa.bindparam("purpose", tables.KEK, type_=sa.Text),
            ),
        )
        .where(
            cell.c.tenant == sa.bindparam("tenant", type_=sa.Text),
            cell.c.record_type == sa.bindparam("record_type", type_=sa.Text),
            dialect.among(cell.c.record_id, "records"),
            dialect.among(cell.c.field_tag, "tags"),
        )
    )


def _reach(shape: Shape, kind: Kind, of: sa.FromClause | None) -> list[Condition]:
    """A partner finds the rows that name it, and itself; a customer the rows about itself; nothing else."""
    conditions: list[Condition] = []
    if kind.partner:
        column = "id" if shape.name == "Partner" else "partner" if shape.partner_reach else None
        own = held(shape, column, of) if column else None
        conditions.append(own.column == own.bind("partner") if own else sa.false())
    if kind.subject:
        own = held(shape, "subject_id", of)
        conditions.append(own.column == own.bind("subject") if shape.subject_reach else sa.false())
    return conditions


def _times(level: Level, of: sa.FromClause | None) -> list[Condition]:
    """Which version of each record is read; the rows of a ledger have no others.

    Without a day, the version that is current, or was when it was known. As of a day: the last version among those
    that had begun by then, so that a change hides what it replaced from its own day on, and a correction always.
    """
    shape, times = level.shape, level.times
    if shape.ledger:
        return []
    known = times.known_at is not None
    if times.as_of is None:
        recorded, superseded = held(shape, "recorded_at", of), held(shape, "superseded_at", of)
        return _spans(recorded, superseded, "known_at") if known else [superseded.column.is_(None)]
    end = held(shape, "effective_to", of).column
    at = held(shape, "effective_from").bind("as_of")
    return [
        held(shape, "version", of).column == _last_version(shape, of, known=known),
        sa.or_(end.is_(None), end > at),
    ]


@cache
def _other(table: sa.Table) -> sa.FromClause:
    """The same table under another name; made once, since its columns cost more than the rest of a condition."""
    return table.alias("other")


def _last_version(shape: Shape, of: sa.FromClause | None, *, known: bool) -> sa.ScalarSelect[Any]:
    """The newest version of the same record that had begun by the day, and was known by the instant."""
    own = tables.table(shape) if of is None else of
    other = _other(tables.table(shape))
    conditions = [
        other.c.tenant == own.c.tenant,
        other.c.id == own.c.id,
        other.c.effective_from <= held(shape, "effective_from").bind("as_of"),
    ]
    if known:
        conditions.append(other.c.recorded_at <= held(shape, "recorded_at").bind("known_at"))
    return sa.select(sa.func.max(other.c.version)).where(*conditions).correlate(own).scalar_subquery()


def _spans(start: Held, end: Held, name: str) -> list[Condition]:
    at = start.bind(name)
    return [start.column <= at, sa.or_(end.column.is_(None), end.column > at)]


def _condition(shape: Shape, where: Where, name: str, dialect: Dialect, of: sa.FromClause | None) -> Condition:
    fact = held(shape, where.column, of)
    match where.operator:
        case "=":
            return fact.column == fact.bind(name)
        case "!=":
            return fact.column != fact.bind(name)
        case "in":
            return dialect.among(fact.column, name)
        case ">=":
            return fact.ordered(dialect) >= fact.place(name)
        case "<=":
            return fact.ordered(dialect) <= fact.place(name)
        case "contains" if fact.typed.type is str:
            return dialect.contains(fact.column, fact.bind(name))
        case _:
            raise Unsupported(f"{shape.name}.{where.column} knows no condition {where.operator}.")


def filled(level: Level, dialect: Dialect, prefix: str = "") -> tuple[Filled, ...]:
    """The parameters of a level that are made of arguments."""
    made = [_filled(level.shape, where, f"{prefix}where{place}", dialect) for place, where in enumerate(level.where)]
    if not level.shape.ledger:
        instants = {"as_of": level.times.as_of, "known_at": level.times.known_at}
        convert = held(level.shape, "recorded_at").raw(dialect)
        made += [Filled(name, slot.index, convert) for name, slot in instants.items() if slot is not None]
    return tuple(made)


def _filled(shape: Shape, where: Where, name: str, dialect: Dialect) -> Filled:
    fact = held(shape, where.column)
    convert = fact.placed(dialect) if where.operator in {">=", "<="} else fact.raw(dialect)
    if where.operator == "in":
        return Filled(
            name, where.value.index, lambda values: dialect.listed([convert(value) for value in values or ()])
        )
    return Filled(name, where.value.index, convert)
