"""A store in memory that keeps the promises of the ports; `tests.world` puts the real Gate over it.

Versions, two times, unique groups, sealed values kept apart, tenants apart, refused work undone. Transactions see a
snapshot, and the second of two that change the same row is Stale. `Faults` breaks the n-th step.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar, cast

from domain.audit import Entry, EntryProof, Receipt, Trace, Warrant, Written
from domain.errors import AuditUnavailable, CreditError, KeyUnavailable, NotFound, NotPermitted, Stale
from domain.files.trail import AuditEntry
from domain.ids import Id, prefix_of
from domain.ports import (
    Challenge,
    Clock,
    Committed,
    Draft,
    Fetch,
    Ids,
    Rows,
    SealedValue,
    ToSign,
    Unsigned,
    Work,
)
from domain.records import Confidential, Record, Shape, Stamp
from domain.supervision.looking import Tally

R = TypeVar("R", bound=Record)
T = TypeVar("T")

UNIQUE_BROKEN = "Somebody else was faster."


class Faults:
    """Breaks one step of the store, by its number (`at`) or name (`on`): every call of a unit is one, and a commit."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.at: int | None = None
        self.on = ""
        self.error: Exception = AuditUnavailable("The store is gone.")

    def step(self, name: str) -> None:
        """Counts a step, and fails when its turn has come; each fault strikes once."""
        self.steps.append(name)
        if name == self.on or (self.at is not None and len(self.steps) > self.at):
            self.at, self.on = None, ""
            raise self.error


@dataclass(frozen=True, slots=True)
class Cell:
    """A sealed value: its version and when it was sealed. The value itself is in the vault, under `key`."""

    version: int
    key: object
    field: Confidential[Any]
    subject: Id


@dataclass(slots=True)
class State:
    """What is committed, as one snapshot: it is replaced, never changed."""

    rows: dict[tuple[Id, str], dict[Id, tuple[Record, ...]]] = field(default_factory=dict)
    """By tenant and record name: every version of a record, the oldest first."""
    cells: dict[tuple[Id, Id, str], Cell] = field(default_factory=dict)
    """By tenant, record and tag."""
    keys: dict[tuple[Id, str, tuple[str, ...], tuple[Any, ...]], Id] = field(default_factory=dict)
    """Which current record holds a unique key."""

    def copy(self) -> State:
        """A state of its own with the same content."""
        return State({name: dict(rows) for name, rows in self.rows.items()}, dict(self.cells), dict(self.keys))

    def versions(self, tenant: Id, shape: Shape, id_: Id) -> tuple[Record, ...]:
        """The versions of one record, the oldest first; none when it is unknown."""
        return self.rows.get((tenant, shape.name), {}).get(id_, ())

    def current(self, tenant: Id, record: type[R]) -> list[R]:
        """The current versions of a kind, by id."""
        rows = self.rows.get((tenant, record.shape.name), {})
        return [cast("R", rows[id_][-1]) for id_ in sorted(rows)]


class Vault:
    """Where sealed values lie, and the only way to them: with a warrant that names them."""

    def __init__(self, faults: Faults) -> None:
        self._values: dict[object, Any] = {}
        self._faults = faults
        self.fails: CreditError | None = None
        self.destroyed: set[Id] = set()
        self.warrants: list[Warrant] = []
        self.before: Callable[[], None] | None = None
        """What happens once while values are being opened: somebody else's work, for a race."""

    def keep(self, value: object) -> object:
        """Takes a value; what comes back says nothing."""
        key = object()
        self._values[key] = value
        return key

    def same(self, cell: Cell, value: object) -> bool:
        """Whether a cell holds a value: the blind index."""
        return bool(self._values[cell.key] == value)

    async def open(self, warrant: Warrant, sealed: Iterable[SealedValue[Any]]) -> list[Any]:
        """The values in order, masked where the masked form was asked for."""
        self.warrants.append(warrant)
        if self.before is not None:
            before, self.before = self.before, None
            await asyncio.to_thread(before)
        self._faults.step("open")
        if self.fails is not None:
            raise self.fails
        return [self._opened(warrant, value) for value in sealed]

    async def sign(self, warrant: Warrant, statement: ToSign) -> str:
        """What a statement says, as plain JSON: memory signs nothing."""
        self._faults.step("sign")
        if isinstance(statement, Challenge):
            return statement.text
        if not isinstance(statement, Unsigned):
            return json.dumps({"company": warrant.tenant, "type": statement.type, "claims": dict(statement.claims)})
        told = {"company": warrant.tenant, "claims": dict(statement.claims), "holder": dict(statement.holder)}
        return json.dumps(told | {"place": [statement.status_list, statement.status_index]})

    def _opened(self, warrant: Warrant, sealed: SealedValue[Any]) -> object:
        if not warrant.covers(sealed.tenant, sealed.subject, sealed.field.tag):
            raise NotPermitted("The warrant does not name this value.")
        if sealed.subject in self.destroyed:
            raise KeyUnavailable("The key is destroyed.")
        value = self._values[sealed.material]
        return sealed.field.mask.apply(value) if sealed.masked and sealed.field.mask else value


class Trail:
    """The audit log, walked entry by entry."""

    def __init__(self, entries: Sequence[Entry], tenant: Id) -> None:
        mine = [entry for entry in entries if entry.tenant == tenant]
        self._entries = [_listed(index, entry) for index, entry in enumerate(mine)]

    def size(self) -> int:
        """How many there are."""
        return len(self._entries)

    def entries(self, first: int, most: int) -> Sequence[AuditEntry]:
        """So many from a place on."""
        return self._entries[first : first + most]

    def tally(self, fact: str, since: datetime, until: datetime) -> dict[str, Tally]:
        """How many there are of each value."""
        found: dict[str, list[datetime]] = {}
        for entry in self._entries:
            if since <= entry.at < until:
                value = getattr(entry, fact)
                found.setdefault(value.value if isinstance(value, Enum) else value, []).append(entry.at)
        return {value: Tally(count=len(at), first_at=at[0], last_at=at[-1]) for value, at in found.items()}

    def latest(self, fact: str, value: str) -> AuditEntry | None:
        """The newest with a value."""
        return next((entry for entry in reversed(self._entries) if getattr(entry, fact) == value), None)


def _listed(index: int, entry: Entry) -> AuditEntry:
    words = ("at", "actor", "behalf", "action", "outcome", "code", "cause", "purpose", "consent", "rule", "request")
    lists = ("subjects", "resources", "fields", "document")
    stamp = Stamp(
        id=entry.id,
        tenant=entry.tenant,
        subject_id=entry.tenant,
        created_at=entry.at,
        created_by=entry.actor,
        effective_from=entry.at,
        recorded_at=entry.at,
    )
    return AuditEntry(
        stamp=stamp,
        log_index=index,
        actions=",".join(entry.actions or (entry.action,)),
        leaf_hash="",
        **{name: getattr(entry, name) for name in (*words, *lists)},
    )


class Unit:
    """One transaction over a snapshot."""

    def __init__(self, store: Store, tenant: Id, actor: str) -> None:
        self._store, self._tenant, self._actor = store, tenant, actor
        self.base, self.state = store.state, store.state.copy()
        self._now = store.clock.now()
        self.held: dict[Id, Shape] = {}
        """Rows that must not have changed meanwhile: locked or replaced."""
        self.fresh: set[Id] = set()
        self._seen: set[Id] = set()
        self._subjects: dict[Id, None] = {}
        self._resources: dict[Id, None] = {}
        self._fields: dict[str, None] = {}
        self._written: dict[tuple[Id, int], Record] = {}

    @property
    def now(self) -> datetime:
        """The instant of this transaction."""
        return self._now

    @property
    def trace(self) -> Trace:
        """What was touched so far."""
        return Trace(
            subjects=tuple(self._subjects),
            resources=tuple(self._resources),
            fields=tuple(self._fields),
            written=tuple(
                Written(id=id_, version=version, digest=hashlib.sha256(repr(record).encode()).hexdigest())
                for (id_, version), record in self._written.items()
            ),
        )

    @property
    def trail(self) -> Trail:
        """The log, every entry of it findable."""
        return Trail(self._store.entries, self._tenant)

    def stamp(
        self, record: type[Record], *, subject: Id | None = None, effective_from: datetime | None = None
    ) -> Stamp:
        """The stamp of a new row."""
        made = self._store.ids.make(record.shape.prefix, int(self._now.timestamp() * 1000))
        return Stamp(
            id=made,
            tenant=self._tenant,
            subject_id=subject or made,
            created_at=self._now,
            created_by=self._actor,
            effective_from=effective_from or self._now,
            recorded_at=self._now,
        )

    def get(self, record: type[R], id: Id, *, lock: bool = False) -> R:  # noqa: A002 - the word of the ports
        """The current version of one record."""
        self._store.faults.step("get")
        versions = self.state.versions(self._tenant, record.shape, id)
        if not versions or prefix_of(id) != record.shape.prefix:
            raise NotFound("There is no such record.")
        return self._touch(cast("R", versions[-1]), lock=lock)

    def find(self, record: type[R], *, lock: bool = False, **equal: object) -> list[R]:
        """The current versions whose facts equal the values given; a tuple means any of."""
        self._store.faults.step("find")
        return [self._touch(row, lock=lock) for row in self._matching(record, equal)]

    def select(
        self, record: type[Record], facts: Sequence[str], *, after: str = "", most: int | None = None, **equal: object
    ) -> Iterator[tuple[Any, ...]]:
        """Some facts of the current rows, by id."""
        self._store.faults.step("select")
        for row in [row for row in self._matching(record, equal) if row.id > after][:most]:
            yield tuple(_value(row, name) for name in facts)

    def add(self, records: Sequence[Record], *, skip_known: bool = False) -> int:
        """Stores new records; with `skip_known`, rows that break a unique group are left out."""
        self._store.faults.step("add")
        count = 0
        for record in records:
            if record.stamp.tenant != self._tenant or record.stamp.version != 1:
                raise ValueError("A new record carries a stamp that this unit made.")
            if any(self.state.keys.get(key) for key in _keys(record)):
                if skip_known:
                    continue
                raise Stale(UNIQUE_BROKEN)
            if self.state.versions(self._tenant, record.shape, record.id):
                raise ValueError("The record is stored already.")
            self._put((record,))
            self.fresh.add(record.id)
            count += 1
        return count

    def replace(self, record: R, *, correcting: bool = False) -> R:
        """Supersedes the current version by this one; a correction holds from when the old version did."""
        self._store.faults.step("replace")
        versions = self.state.versions(self._tenant, record.shape, record.id)
        if not versions or record.stamp.tenant != self._tenant:
            raise NotFound("There is no such record.")
        old = versions[-1]
        if record.stamp.version != old.stamp.version:
            raise Stale("The record changed meanwhile.")
        if any(self.state.keys.get(key, record.id) != record.id for key in _keys(record)):
            raise Stale(UNIQUE_BROKEN)
        for key in _keys(old):
            del self.state.keys[key]
        stamp = replace(
            record.stamp,
            version=old.stamp.version + 1,
            effective_from=record.stamp.effective_from if correcting else self._now,
            recorded_at=self._now,
            superseded_at=None,
        )
        closed = replace(old, stamp=replace(old.stamp, superseded_at=self._now))
        new = replace(record, stamp=stamp)
        self.held.setdefault(record.id, record.shape)
        self._put((*versions[:-1], closed, new))
        return new

    def seal(self, record: Record, field: Confidential[T], value: T) -> None:
        """Seals a value for a record that was added or loaded here."""
        self._store.faults.step("seal")
        if record.id not in self._seen or not record.shape.declares(field):
            raise ValueError("A value is sealed for a field of a record that was added or loaded here.")
        if type(value) is not field.type:
            raise TypeError(f"{field.tag} holds {field.type.__name__}.")
        place = (self._tenant, record.id, field.tag)
        known = self.state.cells.get(place)
        version = known.version + 1 if known else 1
        self.state.cells[place] = Cell(version, self._store.vault.keep(value), field, record.subject_id)
        self._fields[field.tag] = None

    def sealed(self, records: Sequence[Record], fields: Sequence[Confidential[Any]]) -> list[SealedValue[Any]]:
        """The sealed values of some fields, opaque; what is not on file is left out."""
        self._store.faults.step("sealed")
        found: list[SealedValue[Any]] = []
        for record in records:
            for wanted in fields:
                cell = self.state.cells.get((self._tenant, record.id, wanted.tag))
                if cell:
                    found.append(
                        SealedValue(
                            field=cell.field,
                            tenant=self._tenant,
                            subject=cell.subject,
                            record=record.id,
                            version=cell.version,
                            material=cell.key,
                        )
                    )
        return found

    def look_up(self, field: Confidential[str], normalised: str) -> list[Id]:
        """The records whose indexed field has this value."""
        self._store.faults.step("look_up")
        if not field.index:
            raise ValueError(f"{field.tag} has no blind index.")
        places = ((place, cell) for place, cell in self.state.cells.items() if place[::2] == (self._tenant, field.tag))
        return sorted(place[1] for place, cell in places if self._store.vault.same(cell, normalised))

    @property
    def pairwise(self):
        """What names a subject to a partner."""
        return lambda subject, partner: self.pseudonym(subject, f"partner {partner}")

    def pseudonym(self, subject: Id, value: str) -> str:
        """A keyed pseudonym, different for every subject and tenant."""
        return hashlib.sha256(f"{self._store.salt}|{self._tenant}|{subject}|{value}".encode()).hexdigest()

    def merged(self) -> State:
        """The committed state with this unit's changes; raises Stale when another unit was faster."""
        now = self._store.state
        if now is self.base:
            return self.state
        for id_, shape in self.held.items():
            before = self.base.versions(self._tenant, shape, id_)
            if id_ not in self.fresh and now.versions(self._tenant, shape, id_) != before:
                raise Stale("The record changed meanwhile.")
        merged = now.copy()
        for id_, record in ((id_, record) for (id_, _), record in self._written.items()):
            merged.rows.setdefault((self._tenant, record.shape.name), {})[id_] = self.state.versions(
                self._tenant, record.shape, id_
            )
        merged.cells |= {place: cell for place, cell in self.state.cells.items() if self.base.cells.get(place) != cell}
        for key in set(self.base.keys) - set(self.state.keys):
            merged.keys.pop(key, None)
        for key, id_ in self.state.keys.items():
            if merged.keys.setdefault(key, id_) != id_:
                raise Stale("The same key was taken meanwhile.")
        return merged

    def _matching(self, record: type[R], equal: Mapping[str, object]) -> list[R]:
        return [row for row in self.state.current(self._tenant, record) if _matches(row, equal)]

    def _touch(self, row: R, *, lock: bool) -> R:
        if lock:
            self.held.setdefault(row.id, row.shape)
        self._seen.add(row.id)
        if row.shape.subject_reach:
            self._subjects[row.subject_id] = self._resources[row.id] = None
        return row

    def _put(self, versions: tuple[Record, ...]) -> None:
        new = versions[-1]
        self.state.rows.setdefault((self._tenant, new.shape.name), {})[new.id] = versions
        self.state.keys.update(dict.fromkeys(_keys(new), new.id))
        self._written[new.id, new.stamp.version] = new
        self._subjects[new.subject_id] = self._resources[new.id] = None
        self._touch(new, lock=False)


class Store:
    """Transactions over one state, with the audit log beside it."""

    def __init__(self, clock: Clock, ids: Ids, faults: Faults, vault: Vault) -> None:
        self.clock, self.ids, self.faults, self.vault = clock, ids, faults, vault
        self.state = State()
        self.entries: list[Entry] = []
        self.salt = "a key"

    async def write(self, work: Work[T]) -> Committed[T]:
        """Decides, then records; a refusal records itself alone."""
        self.faults.step("begin")
        unit = Unit(self, work.tenant, work.actor)
        result: T | CreditError
        try:
            result = work.decide(unit)
            entry = work.conclude(unit.trace, result)
        except Stale:
            raise
        except CreditError as error:
            result = error
            return Committed(result=result, receipt=await self.put(work.conclude(unit.trace, error)))
        await asyncio.sleep(0)  # where another transaction may commit first
        self.faults.step("put")
        self.faults.step("commit")
        self.state = unit.merged()
        self.entries.append(entry)
        self.faults.step("acknowledge")
        return Committed(result=result, receipt=Receipt(entry=entry.id, tenant=entry.tenant))

    async def read(self, tenant: Id, steps: Generator[Fetch, Rows, Draft], **_: bool) -> Draft:
        """Runs the steps of a reading that fetches nothing: it looks into the state by itself."""
        del tenant
        self.faults.step("read")
        try:
            next(steps)
        except StopIteration as end:
            return cast("Draft", end.value)
        raise TypeError("Memory runs no statements.")

    async def put(self, entry: Entry, **_: bool) -> Receipt:
        """Records one entry alone."""
        self.faults.step("put")
        self.entries.append(entry)
        self.faults.step("acknowledge")
        return Receipt(entry=entry.id, tenant=entry.tenant)

    async def prove(self, tenant: Id, entry: Id) -> EntryProof:
        """The entry itself: memory has no tree."""
        self.faults.step("prove")
        found = [one for one in self.entries if (one.tenant, one.id) == (tenant, entry)]
        if not found:
            raise NotFound("There is no such entry.", path=("entry",))
        return EntryProof(entry=entry, leaf=found[0].leaf("").decode(), proof="memory")


def _value(row: Record, name: str) -> object:
    return getattr(row if name in row.shape.facts else row.stamp, name)


def _matches(row: Record, equal: Mapping[str, object]) -> bool:
    for name, wanted in equal.items():
        value = _value(row, name)
        if value not in wanted if isinstance(wanted, tuple) else value != wanted:
            return False
    return True


def _keys(row: Record) -> list[tuple[Id, str, tuple[str, ...], tuple[Any, ...]]]:
    """The unique keys a current row holds; as in SQL, an absent value equals no other."""
    groups = ((group, tuple(_value(row, name) for name in group)) for group in row.shape.unique)
    return [(row.stamp.tenant, row.shape.name, group, values) for group, values in groups if None not in values]
