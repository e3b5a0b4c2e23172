"""The statements of one level: its rows, how many there are, and its sealed cells. Each names the tenant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from domain.files.trail import NOT_FOR_SUBJECTS, AccessEntry
from domain.persons.reach import Reach, Way, way_of
from domain.reading import Level, Where
from domain.records import SHAPES, Shape
from vault.store import tables
from vault.store.reading.columns import SPELLED, Convert, Held, Unsupported, held, named, source
from vault.store.reading.dialects import Dialect, Statement
from vault.store.reading.values import Typed

Condition = sa.ColumnElement[bool] | sa.TextClause
RANKED, PLACE = "ranked", "row_place"
"""What a statement calls the rows of many parents, and the place of each under its own."""
_NOT_FOR_SUBJECTS: list[sa.ColumnClause[str]] = [sa.literal_column(f"'{action}'") for action in NOT_FOR_SUBJECTS]
OTHER = "other"
"""What it calls the other versions of a record."""


class Limit(Enum):
    """Which of the predicates of reach a statement has."""

    NONE = "NONE"
    OWN = "OWN"
    """The customers that one looks after."""
    DEPARTMENT = "DEPARTMENT"
    """Those, and the ones of a department."""
    ONE = "ONE"
    """One customer alone."""

    @classmethod
    def of(cls, reach: Reach | None) -> Limit:
        """The predicate of a limit."""
        if reach is None:
            return cls.NONE
        if reach.only is not None:
            return cls.ONE
        return cls.OWN if reach.department is None else cls.DEPARTMENT


class Kind(NamedTuple):
    """What of a run decides the text of its statements, beside the reading."""

    partner: bool
    """Only what a partner reaches."""
    subject: bool
    """Only what a customer reaches."""
    after: bool
    """Behind a cursor."""
    reach: Limit = Limit.NONE
    """How far a member of staff reaches."""


SOUGHT = ("version", "token"), ("later_version", "later_token")
"""Endings of the parameters that name a version and its token; both pairs are the same while none is being built."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A parameter that is made of an argument."""

    name: str
    slot: int
    convert: Convert


@dataclass(frozen=True, slots=True)
class Order:
    """One column of a level's order. Rows without a value come last, whichever end comes first."""

    held: Held
    descending: bool
    name: str
    """The parameter that holds a cursor's value."""

    def by(self, dialect: Dialect) -> sa.ColumnElement[Any]:
        """The term of ORDER BY."""
        expression = self.held.ordered(dialect)
        directed = expression.desc() if self.descending else expression.asc()
        return directed.nulls_last() if self.held.fact.optional else directed

    def past(self, dialect: Dialect) -> sa.ColumnElement[bool]:
        """Behind the cursor in this column."""
        column, value = self.held.ordered(dialect), self.held.place(self.name)
        behind = column < value if self.descending else column > value
        if not self.held.fact.optional:
            return behind
        return sa.and_(value.is_not(None), sa.or_(behind, column.is_(None)))

    def level(self, dialect: Dialect) -> sa.ColumnElement[bool]:
        """Where the cursor is, in this column."""
        column, value = self.held.ordered(dialect), self.held.place(self.name)
        return column.is_not_distinct_from(value) if self.held.fact.optional else column == value


def orders(level: Level, of: str) -> tuple[Order, ...]:
    """The order of a level, made total by the id, which runs the way of the column before it."""
    return _orders(level.shape, tuple(level.order), of)


Ordering = tuple[tuple[str, bool], ...]
"""Columns, and whether they run down."""


@lru_cache(SPELLED)
def _orders(shape: Shape, order: Ordering, of: str) -> tuple[Order, ...]:
    names = [name for name, _ in order]
    last = order[-1][1] if order else False
    # The id tells all rows apart: what an order says behind it decides nothing.
    wanted = order[: names.index("id") + 1] if "id" in names else (*order, ("id", last))
    return tuple(
        Order(named(shape, name, of), descending, f"after{place}") for place, (name, descending) in enumerate(wanted)
    )


def ordered(level: Level, of: str, dialect: Dialect) -> tuple[sa.ColumnElement[Any], ...]:
    """The terms of ORDER BY."""
    return _ordered(level.shape, tuple(level.order), of, dialect)


@lru_cache(SPELLED)
def _ordered(shape: Shape, order: Ordering, of: str, dialect: Dialect) -> tuple[sa.ColumnElement[Any], ...]:
    return tuple(sa.literal_column(dialect.compile(key.by(dialect)).sql) for key in _orders(shape, order, of))


@lru_cache(SPELLED)
def _after(shape: Shape, order: Ordering, of: str, dialect: Dialect) -> sa.TextClause:
    return dialect.spelled(behind(_orders(shape, order, of), dialect).self_group())


def behind(keys: Sequence[Order], dialect: Dialect) -> sa.ColumnElement[bool]:
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
    columns: Sequence[str]
    """As they are spelled."""
    texts: Callable[[Kind], Sequence[sa.ColumnElement[str]]]
    """What is written behind the columns; nothing is where a row is one of many of its parent."""
    placed: bool = False
    """Whether the rows are those at some places of the log, found before."""

    def rows(self, kind: Kind) -> Statement:
        """The rows; of every parent at most `limit`, in order."""
        conditions = self._conditions(kind)
        columns: list[sa.ColumnElement[Any]] = [sa.literal_column(", ".join(self.columns)), *self.texts(kind)]
        select: sa.Select[Any]
        own = self.level.shape.table
        table = source(self.level.shape, own)
        if kind.after:
            conditions.append(_after(self.level.shape, tuple(self.level.order), own, self.dialect))
        if self.placed:
            conditions.append(self.dialect.among(named(self.level.shape, "log_index", own).column, "log_index"))
        by = ordered(self.level, own, self.dialect)
        limit = sa.bindparam("limit", type_=sa.Integer)
        if self.by is None:
            select = sa.select(*columns).select_from(table).where(*conditions).order_by(*by).limit(limit)
        elif self.many:
            numbered = sa.func.row_number().over(partition_by=self.by.column, order_by=by).label(PLACE)
            inner = sa.select(*columns, numbered).select_from(table).where(*conditions).subquery(RANKED)
            taken = ", ".join(f"{RANKED}.{column.partition('.')[2]}" for column in self.columns)
            place = sa.literal_column(f"{RANKED}.{PLACE}", sa.Integer)
            select = sa.select(sa.literal_column(taken)).select_from(inner).where(place <= limit).order_by(place)
        else:
            select = sa.select(*columns).select_from(table).where(*conditions)
        return self.dialect.compile(select)

    def total(self, kind: Kind) -> Statement:
        """How many rows there are on all pages, per parent."""
        conditions = self._conditions(kind)
        columns = [] if self.by is None else [self.by.column]
        table = source(self.level.shape, self.level.shape.table)
        select = sa.select(*columns, sa.func.count()).select_from(table).where(*conditions)
        return self.dialect.compile(select.group_by(*columns))

    def _conditions(self, kind: Kind) -> list[Condition]:
        found = conditions(self.level, kind, self.dialect, self.level.shape.table)
        if self.by is not None:
            found.append(_among(self.level.shape, self.by.fact.name, self.dialect))
        return found + [_looked_up(self.level, place, kind) for place in range(len(self.level.sought))]


def conditions(level: Level, kind: Kind, dialect: Dialect, of: str, prefix: str = "") -> list[Condition]:
    """Which rows a level may find at all, and which it asks for; `of` is what a statement calls its table."""
    times = None if level.shape.ledger else (level.times.as_of is not None, level.times.known_at is not None)
    reach = _reachable(level.shape, kind._replace(after=False), times, dialect, of)
    wheres = enumerate(level.where)
    return [
        reach,
        *(_where(level.shape, one.column, one.operator, f"{prefix}where{at}", dialect, of) for at, one in wheres),
    ]


@lru_cache(SPELLED)
def _reachable(shape: Shape, kind: Kind, times: tuple[bool, bool] | None, dialect: Dialect, of: str) -> sa.TextClause:
    """Which rows a statement may find at all: those of the tenant that its reader reaches, of the time that is read."""
    tenant = named(shape, "tenant", of)
    own = tenant.column == tenant.bind("tenant")
    then = _times(shape, of, as_of=times[0], known=times[1]) if times else []
    return dialect.spelled(sa.and_(own, *_reach(shape, kind, of), *then))


@lru_cache(SPELLED)
def _among(shape: Shape, name: str, dialect: Dialect) -> sa.TextClause:
    return dialect.spelled(dialect.among(named(shape, name, shape.table).column, "parents"))


@cache
def zone(dialect: Dialect) -> Statement:
    """The time zone in which a company counts its days."""
    own = tables.table(SHAPES["Tenant"]).c
    tenant = sa.bindparam("tenant", type_=sa.Text)
    select = sa.select(own.time_zone).where(own.tenant == tenant, own.superseded_at.is_(None))
    return dialect.compile(select.order_by(own.id).limit(1))


def _reach(shape: Shape, kind: Kind, of: str) -> list[sa.ColumnElement[bool]]:
    """A partner finds the rows that name it, and itself; a customer those about itself, or about no customer."""
    conditions: list[sa.ColumnElement[bool]] = []
    if kind.partner:
        column = "id" if shape.name == "Partner" else "partner" if shape.partner_reach else None
        own = named(shape, column, of) if column else None
        conditions.append(own.column == own.bind("partner") if own else sa.false())
    if kind.subject and not shape.shown_to_all:
        own = named(shape, "subject_id", of)
        conditions.append(own.column == own.bind("subject") if shape.subject_reach else sa.false())
        if shape.name == AccessEntry.__name__:
            conditions.append(named(shape, "action", of).column.not_in(_NOT_FOR_SUBJECTS))
    return [*conditions, *_limited(shape, kind.reach, of)]


def _limited(shape: Shape, limit: Limit, of: str) -> list[sa.ColumnElement[bool]]:
    """The rows about customers within a limit, as `way_of` leads to them; what is about no customer is not limited."""
    way, column = way_of(shape)
    if limit is Limit.NONE or way is Way.NOBODY:
        return []
    if way is Way.EVERYBODY:
        return [sa.false()]
    own, customers = named(shape, column, of).column, _customers(limit)
    if way is Way.FILE:
        file = tables.table(SHAPES["CreditFile"]).c
        tenant = sa.bindparam("tenant", type_=sa.Text)
        customers = sa.select(file.id).where(
            file.tenant == tenant, file.superseded_at.is_(None), file.customer.in_(customers)
        )
    return [own.in_(customers)]


def _customers(limit: Limit) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """The ids of the customers within a limit. Each part follows an index of its own."""
    one = tables.table(SHAPES["Customer"]).c
    current = one.tenant == sa.bindparam("tenant", type_=sa.Text), one.superseded_at.is_(None)
    words = {"owner": one.account_owner, "department": one.department, "only": one.id}
    parts = {
        name: sa.select(one.id).where(*current, column == sa.bindparam(f"reach_{name}", type_=sa.Text))
        for name, column in words.items()
    }
    if limit is Limit.DEPARTMENT:
        return sa.union_all(parts["owner"], parts["department"])
    return parts["only" if limit is Limit.ONE else "owner"]


def _times(shape: Shape, of: str, *, as_of: bool, known: bool) -> list[sa.ColumnElement[bool]]:
    """Which version of each record is read.

    Without a day, the version that is current, or was when it was known. As of a day: the last version among those
    that had begun by then, so that a change hides what it replaced from its own day on, and a correction always.
    """
    if not as_of:
        recorded, superseded = named(shape, "recorded_at", of), named(shape, "superseded_at", of)
        return _spans(recorded, superseded, "known_at") if known else [superseded.column.is_(None)]
    end = named(shape, "effective_to", of).column
    at = held(shape, "effective_from").bind("as_of")
    return [
        named(shape, "version", of).column == _last_version(shape, of, known=known),
        sa.or_(end.is_(None), end > at),
    ]


def _last_version(shape: Shape, of: str, *, known: bool) -> sa.ScalarSelect[Any]:
    """The newest version of the same record that had begun by the day, and was known by the instant."""
    effective, recorded = named(shape, "effective_from", OTHER), named(shape, "recorded_at", OTHER)
    conditions = [
        *(named(shape, same, OTHER).column == named(shape, same, of).column for same in ("tenant", "id")),
        effective.column <= effective.bind("as_of"),
    ]
    if known:
        conditions.append(recorded.column <= recorded.bind("known_at"))
    newest = sa.func.max(named(shape, "version", OTHER).column)
    return sa.select(newest).select_from(source(shape, OTHER)).where(*conditions).scalar_subquery()


def _spans(start: Held, end: Held, name: str) -> list[sa.ColumnElement[bool]]:
    at = start.bind(name)
    return [start.column <= at, sa.or_(end.column.is_(None), end.column > at)]


@lru_cache(SPELLED)
def _where(shape: Shape, column: str, operator: str, name: str, dialect: Dialect, of: str) -> sa.TextClause:
    return dialect.spelled(_condition(named(shape, column, of), operator, name, dialect).self_group())


def _condition(fact: Held, operator: str, name: str, dialect: Dialect) -> sa.ColumnElement[bool]:
    match operator:
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
        case "has":
            # A list is kept as canonical JSON, and ids need no escapes in it.
            quoted = (
                sa.literal_column("'\"'").concat(sa.bindparam(name, type_=sa.Text)).concat(sa.literal_column("'\"'"))
            )
            return dialect.contains(fact.columns[0], quoted)
        case "contains" if fact.typed.type is str:
            return dialect.contains(fact.column, fact.bind(name))
        case _:
            raise Unsupported(f"{fact.fact.name} knows no condition {operator}.")


def _looked_up(level: Level, place: int, kind: Kind) -> Condition:
    """The rows that have a value, or a child that has and is reached: by the tokens of at most two versions."""
    field, by, own = level.sought[place].field, level.sought[place].by, tables.blind_index.c
    holder = level.shape if by is None else SHAPES[by.target]
    if holder.confidential.get(field.name) != field or field.index is None:
        raise Unsupported(f"{level.shape.name} offers no look-up by {field.name}.")
    versions, tokens = zip(*SOUGHT, strict=True)
    found = sa.select(own.record_id).where(
        own.tenant == sa.bindparam("tenant", type_=sa.Text),
        own.field_tag == sa.bindparam(f"sought{place}", field.tag, type_=sa.Text),
        own.ver.in_([sa.bindparam(f"sought{place}{name}", type_=sa.BigInteger) for name in versions]),
        own.token.in_([sa.bindparam(f"sought{place}{name}", type_=sa.LargeBinary) for name in tokens]),
    )
    if by is None:
        return named(level.shape, "id", level.shape.table).column.in_(found)
    child = tables.table(holder).c
    current = child.tenant == sa.bindparam("tenant", type_=sa.Text), child.superseded_at.is_(None)
    reached = sa.select(child[by.by]).where(*current, child.id.in_(found), *_reach(holder, kind, holder.table))
    return named(level.shape, by.on, level.shape.table).column.in_(reached)


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
    if where.operator == "has":
        return Filled(name, where.value.index, Typed(str).fit)
    convert = fact.placed(dialect) if where.operator in {">=", "<="} else fact.raw(dialect)
    if where.operator == "in":
        return Filled(
            name, where.value.index, lambda values: dialect.listed([convert(value) for value in values or ()])
        )
    return Filled(name, where.value.index, convert)
