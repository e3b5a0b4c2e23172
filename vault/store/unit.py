"""The unit: one transaction of one tenant, as domain code sees it. It seals and loads sealed values and opens none.

It runs over one connection, inside a transaction that the store begins and ends. What it touched is its trace, which
the audit entry names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, cast

import sqlalchemy as sa

from domain import ids
from domain.audit import Trace, Written
from domain.errors import NotFound, Stale
from domain.files.parties import Tenant
from domain.ids import Id
from domain.ports import Ids, SealedValue
from domain.records import STAMP_FIELDS, Confidential, Fact, Record, Shape, Stamp
from domain.statements.statements import CreditStatement
from vault import index
from vault.providers.port import Purpose
from vault.store import codec
from vault.store.cells import Cells
from vault.store.engines import POSTGRESQL
from vault.store.keeping.destruction import Shredder
from vault.store.keeping.digests import cell_digest, row_digest
from vault.store.keeping.renewal import DataKeyRenewal
from vault.store.keeping.rotation import KeyRotation
from vault.store.keeping.signing import SigningKeys
from vault.store.ledger.tallies import LogTrail
from vault.store.reading.columns import held
from vault.store.reading.dialects import DIALECTS
from vault.store.reading.rows import Cell
from vault.store.search.building import IndexBuilding
from vault.store.tables import table, tenant_register
from vault.store.tenantkeys import TenantKeys

R = TypeVar("R", bound=Record)
T = TypeVar("T")

PSEUDONYM_BYTES = 16
STREAMED = 2_000
"""How many rows a stream fetches at once."""
LOCK_ATTEMPTS = 50
"""How often rows that others supersede first are asked for again before the Gate decides again."""
AT_ONCE = 400
"""How many keys one statement asks for: SQLite nests no deeper than 1,000 alternatives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who writes, when, and with what: everything a unit needs besides its connection."""

    tenant: Id
    actor: str
    now: datetime
    make: Ids

    def id(self, prefix: str) -> Id:
        """The next id of a type."""
        return self.make.make(prefix, int(self.now.timestamp() * 1000))


class SqlUnit:
    """One transaction over SQLAlchemy Core, on either database."""

    def __init__(self, connection: sa.Connection, keys: TenantKeys, hand: Hand) -> None:
        self._connection = connection
        self._keys = keys
        self._hand = hand
        self._dialect = DIALECTS[connection.dialect.name]
        self._cells = Cells(connection, keys, hand.tenant, self._dialect)
        self._added: set[Id] = set()
        self._touched: dict[Id, tuple[Shape, Mapping[str, Any]]] = {}
        self._pseudonyms: dict[tuple[Id, str], str] = {}
        self._read: dict[Id, None] = {}
        self._subjects: dict[Id, None] = {}
        self._tags: dict[str, None] = {}

    @property
    def now(self) -> datetime:
        """The instant of this transaction, UTC."""
        return self._hand.now

    @property
    def rotation(self) -> KeyRotation:
        """Turns the keys of the tenant."""
        return KeyRotation(self._connection, self._keys, self._cells)

    @property
    def signing(self) -> SigningKeys:
        """Replaces the keys that the tenant signs with."""
        return SigningKeys(self._connection, self._keys)

    @property
    def renewal(self) -> DataKeyRenewal:
        """Gives the data keys of the tenant their next version."""
        return DataKeyRenewal(self._connection, self._keys, self._cells)

    @property
    def destruction(self) -> Shredder:
        """Ends keys and rows of the tenant."""
        return Shredder(self._connection, self._keys)

    @property
    def pairwise(self) -> Callable[[Id, Id], str]:
        """What names a subject to a partner."""
        root, tenant = self._keys.root(Purpose.PSEUDONYM), ids.raw(self._hand.tenant)
        return lambda subject, partner: index.pairwise(root, tenant, ids.raw(partner), ids.raw(subject)).hex()

    @property
    def indexing(self) -> IndexBuilding:
        """The blind indexes of the tenant."""
        return IndexBuilding(self._connection, self._keys, self._hand.tenant, self._tags)

    @property
    def trail(self) -> LogTrail:
        """The audit log of the tenant, as far as its readers find it."""
        return LogTrail(self._connection, self._hand.tenant)

    def stamp(
        self, record: type[Record], *, subject: Id | None = None, effective_from: datetime | None = None
    ) -> Stamp:
        """The stamp of a new row; without a subject the record is its own subject."""
        own = self._hand.id(record.shape.prefix)
        return Stamp(
            id=own,
            tenant=self._hand.tenant,
            subject_id=subject or own,
            created_at=self.now,
            created_by=self._hand.actor,
            effective_from=effective_from or self.now,
            recorded_at=self.now,
        )

    def get(self, record: type[R], id: Id, *, lock: bool = False) -> R:  # noqa: A002 - the word of the ports
        """The current version of one record. Raises NotFound, also for another tenant's."""
        found = self.find(record, lock=lock, id=id)
        if not found:
            raise NotFound(f"There is no such {record.shape.table.replace('_', ' ')}.")
        return found[0]

    def find(self, record: type[R], *, lock: bool = False, **equal: object) -> list[R]:
        """The current versions whose facts (or `subject_id`) equal the values given; a tuple means any of."""
        shape = record.shape
        select = self._current(sa.select(table(shape)), shape, equal)
        rows = self._locked(select, shape, equal) if lock else self._connection.execute(select).mappings()
        found = [cast("R", codec.record_of(shape, row)) for row in rows]
        self._touch_subjects(found)
        return found

    def select(
        self, record: type[Record], facts: Sequence[str], *, after: str = "", most: int | None = None, **equal: object
    ) -> Iterator[tuple[Any, ...]]:
        """Some facts of many current rows, streamed in the order of their ids; behind one, and so many at most."""
        shape = record.shape
        columns: list[sa.ColumnElement[Any]] = []
        cells: list[Cell] = []
        for one in (held(shape, name) for name in facts):
            cells.append(Cell(len(columns), len(columns) + len(one.columns), one.decoder()))
            columns += one.columns
        select = self._current(sa.select(*columns), shape, equal).where(table(shape).c.id > after).limit(most)
        with self._connection.execute(select, execution_options={"yield_per": STREAMED}) as rows:
            for row in rows:
                yield tuple(cell.of(row) for cell in cells)

    def add(self, records: Sequence[Record], *, skip_known: bool = False) -> int:
        """Stores new records; returns how many. With `skip_known`, rows that break a `unique` are left out."""
        count = 0
        for shape, own in _by_shape(records):
            stored = self._unknown(shape, own) if skip_known else own
            self._insert(shape, stored)
            self._added.update(record.id for record in stored)
            count += len(stored)
        return count

    def replace(self, record: R, *, correcting: bool = False) -> R:
        """Supersedes the current version by this one; returns it with its new version.

        Raises: Stale when the version it rests on is no longer the current one.
        """
        old = record.stamp
        columns = table(record.shape).c
        superseded = self._connection.execute(
            sa.update(table(record.shape))
            .where(
                columns.tenant == self._hand.tenant,
                columns.id == old.id,
                columns.version == old.version,
                columns.superseded_at.is_(None),
            )
            .values(superseded_at=self.now)
        )
        if superseded.rowcount != 1:
            raise Stale(f"The {record.shape.table.replace('_', ' ')} changed meanwhile.")
        stamp = replace(
            old,
            version=old.version + 1,
            effective_from=old.effective_from if correcting else self.now,
            recorded_at=self.now,
        )
        new = replace(record, stamp=stamp)
        self._insert(record.shape, [new])
        return new

    def seal(self, record: Record, field: Confidential[T], value: T) -> None:
        """Seals a value for a field of a record that was added or loaded here; the next version of its cell."""
        fresh = record.subject_id in self._added
        self._cells.seal(record, field, value, is_new=record.id in self._added, fresh=fresh)
        self._read[record.id] = None
        self._subjects[record.subject_id] = None
        self._tags[field.tag] = None

    def sealed(self, records: Sequence[Record], fields: Sequence[Confidential[Any]]) -> list[SealedValue[Any]]:
        """The sealed values of some fields, opaque, for a release after the record."""
        return self._cells.load(records, fields)

    def look_up(self, field: Confidential[str], normalised: str) -> list[Id]:
        """The ids of the records whose indexed field has this value: one look-up in the blind index."""
        return self._cells.look_up(field, normalised)

    def pseudonym(self, subject: Id, value: str) -> str:
        """A keyed pseudonym of a counterparty, different for every subject and tenant."""
        known = self._pseudonyms.get((subject, value))
        if known is None:
            root = self._keys.root(Purpose.PSEUDONYM)
            made = index.pseudonym(root, ids.raw(self._hand.tenant), ids.raw(subject), value)
            known = self._pseudonyms[subject, value] = made[:PSEUDONYM_BYTES].hex()
        return known

    def finish(self) -> Trace:
        """Writes what is staged, and tells what this transaction touched."""
        self._cells.flush()
        return Trace(
            subjects=tuple(self._subjects),
            resources=tuple(dict.fromkeys((*self._touched, *self._read))),
            fields=tuple(self._tags),
            written=tuple(self._written()),
        )

    def seen(self) -> Trace:
        """What was touched of what was there before: the trace of work that is rolled back."""
        return Trace(
            subjects=tuple(one for one in self._subjects if one not in self._added),
            resources=tuple(one for one in self._read if one not in self._added),
            fields=tuple(self._tags),
        )

    def _written(self) -> Iterator[Written]:
        """Every row and every cell that was written, with its keyed digest."""
        if not self._touched and not self._cells.written():
            return
        root = self._keys.root(Purpose.DIGEST)
        for own, (shape, row) in self._touched.items():
            yield Written(id=own, version=row["version"], digest=row_digest(root, shape, row))
        for cell, (version, envelope) in self._cells.written().items():
            yield Written(id=cell_name(*cell), version=version, digest=cell_digest(root, envelope))

    def _insert(self, shape: Shape, records: Sequence[Record]) -> None:
        if not records:
            return
        if any(record.stamp.tenant != self._hand.tenant for record in records):
            raise AssertionError("a unit writes rows of its own tenant")
        if shape is Tenant.shape:
            self._register()
        if shape is CreditStatement.shape:
            self._keys.ensure(Purpose.STATEMENT)  # what signs it is there before it is
        rows = [codec.row_of(record) for record in records]
        self._connection.execute(sa.insert(table(shape)), rows)
        for record, row in zip(records, rows, strict=True):
            self._touched[record.id] = (shape, row)
            self._subjects[record.subject_id] = None

    def _register(self) -> None:
        """A tenant comes with its keys and its place in the register, in the same transaction."""
        known = self._connection.scalar(
            sa.select(tenant_register.c.tenant).where(tenant_register.c.tenant == self._hand.tenant)
        )
        if known is None:
            self._connection.execute(sa.insert(tenant_register).values(tenant=self._hand.tenant))
            self._keys.mint_tenant()

    def _current(self, select: sa.Select[Any], shape: Shape, equal: Mapping[str, object]) -> sa.Select[Any]:
        columns = table(shape).c
        conditions = [columns.tenant == self._hand.tenant]
        if not shape.ledger:
            conditions.append(columns.superseded_at.is_(None))
        conditions += [_equals(shape, name, value) for name, value in equal.items()]
        return select.where(*conditions).order_by(columns.id)

    def _locked(self, select: sa.Select[Any], shape: Shape, equal: Mapping[str, object]) -> Sequence[Mapping[Any, Any]]:
        """The rows of a selection, locked.

        On PostgreSQL a row that is superseded while its lock is waited for drops out of the answer, and the row that
        supersedes it is not in it yet; so whatever is missing is asked for again. SQLite has one writer.
        """
        alone = self._connection.dialect.name != POSTGRESQL
        ids_now = self._current(sa.select(table(shape).c.id), shape, equal)
        for _ in range(LOCK_ATTEMPTS):
            before = set[str]() if alone else set(self._connection.scalars(ids_now))
            rows = self._connection.execute(select.with_for_update()).mappings().all()
            if before <= {row["id"] for row in rows}:
                return rows
        raise Stale(f"The {shape.table.replace('_', ' ')} changed meanwhile.")

    def _touch_subjects(self, records: Iterable[Record]) -> None:
        """Records that were read one by one are named in the entry when they are about somebody."""
        for record in records:
            if record.shape.subject_reach:
                self._subjects[record.subject_id] = self._read[record.id] = None

    def _unknown(self, shape: Shape, records: Sequence[Record]) -> list[Record]:
        """The records whose unique facts no current row and no earlier one of these has."""
        kept = list(records)
        for group in shape.unique:
            seen = self._known(shape, group, kept)
            fresh: list[Record] = []
            for record in kept:
                key = _key(shape, group, record)
                if key not in seen:
                    seen.add(key)
                    fresh.append(record)
            kept = fresh
        return kept

    def _known(self, shape: Shape, group: Sequence[str], records: Sequence[Record]) -> set[tuple[Any, ...]]:
        """The values of a unique group that current rows have among those of some records.

        Rows are looked for under the leading facts one by one, and by the last fact many at once.
        """
        *leading, last = (table(shape).c[name] for name in group)
        wanted: dict[tuple[Any, ...], list[Any]] = {}
        for record in records:
            *first, own = _key(shape, group, record)
            wanted.setdefault(tuple(first), []).append(own)
        known: set[tuple[Any, ...]] = set()
        for before, values in wanted.items():
            fixed = [column == value for column, value in zip(leading, before, strict=True)]
            for part in _parts(values):
                select = sa.select(last).where(
                    table(shape).c.tenant == self._hand.tenant,
                    table(shape).c.superseded_at.is_(None),
                    *fixed,
                    last.in_(part),
                )
                known.update((*before, row[0]) for row in self._connection.execute(select))
        return known


def cell_name(record: Id, tag: str) -> Id:
    """How the log names a cell: its record and its tag."""
    return Id(f"{record}/{tag}")


def _by_shape(records: Sequence[Record]) -> Iterator[tuple[Shape, list[Record]]]:
    shapes: dict[str, list[Record]] = {}
    for record in records:
        shapes.setdefault(record.shape.name, []).append(record)
    for own in shapes.values():
        yield own[0].shape, own


def _key(shape: Shape, group: Sequence[str], record: Record) -> tuple[Any, ...]:
    return tuple(codec.encode(shape.facts[name], getattr(record, name))[0] for name in group)


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]


def _equals(shape: Shape, name: str, value: object) -> sa.ColumnElement[bool]:
    """A fact or a stamp column equals a value, or one of several."""
    fact = held(shape, name).fact
    columns = held(shape, name).columns
    if isinstance(value, tuple):
        if len(columns) > 1:
            raise TypeError(f"{name} is compared with one amount at a time.")
        return columns[0].in_([_stored(fact, name, item) for item in value])
    if value is None:
        return columns[0].is_(None)
    if len(columns) > 1:
        parts = codec.encode(fact, value)
        return sa.and_(*(column == part for column, part in zip(columns, parts, strict=True)))
    condition: sa.ColumnElement[bool] = columns[0] == _stored(fact, name, value)
    return condition


def _stored(fact: Fact, name: str, value: object) -> Any:
    return value if name in STAMP_FIELDS else codec.encode(fact, value)[0]
