"""The audit log as supervision sees it in a transaction: entries in order, and counts made of places alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

import sqlalchemy as sa

from domain.files.trail import AuditEntry
from domain.ids import Id
from domain.supervision.looking import Tally
from vault.store import codec
from vault.store.ledger import lookups, terms
from vault.store.ledger.terms import STRETCH
from vault.store.tables import audit_stretch, audit_term, table

_ENTRY = table(AuditEntry.shape)
AT_ONCE: Final = 400
"""How many places one statement names."""


class _Span(NamedTuple):
    """How many entries, and the places of the first and the last of them."""

    many: int
    first: int
    last: int


class LogTrail:
    """The log of one company, as far as this transaction finds it."""

    def __init__(self, connection: sa.Connection, tenant: Id) -> None:
        self._connection = connection
        self._tenant = tenant

    def size(self) -> int:
        """How many entries are found: the place behind the last of them."""
        return lookups.found(self._connection, self._tenant)

    def entries(self, first: int, most: int) -> Sequence[AuditEntry]:
        """So many entries at most from a place on, in the order of the log."""
        own = _ENTRY.c.log_index
        return self._entries(sa.and_(own >= first, own < self.size()), own, most)

    def latest(self, fact: str, value: str) -> AuditEntry | None:
        """The newest entry with a value of a fact."""
        term = audit_term.c
        rows = self._connection.execute(
            sa.select(term.stretch, term.places)
            .where(term.tenant == self._tenant, term.fact == fact, term.value == terms.kept(value))
            .order_by(term.stretch.desc())
        )
        with rows:
            for stretch, places in rows:
                last = stretch * STRETCH + terms.unpack(bytes(places)).bit_length() - 1
                found = self._entries(_ENTRY.c.log_index == last, _ENTRY.c.log_index, 1)
                if found and getattr(found[0], fact) == value:
                    return found[0]
        return None

    def tally(self, fact: str, since: datetime, until: datetime) -> Mapping[str, Tally]:
        """How many entries there are of each value of a fact, from an instant on and before another.

        Stretches that lie in between as a whole are counted by their places; of the others the entries are read.
        """
        found: dict[str, _Span] = {}
        whole, parts = self._stretches(since, until)
        for stretch in parts:
            _add(found, self._counted(fact, stretch, since, until))
        for first, last in _runs(whole):
            _add(found, self._whole(fact, first, last))
        times = self._times({place for one in found.values() for place in (one.first, one.last)})
        return {
            value: Tally(count=one.many, first_at=times[one.first], last_at=times[one.last])
            for value, one in found.items()
        }

    def _stretches(self, since: datetime, until: datetime) -> tuple[list[int], list[int]]:
        """The stretches that lie between two instants, and those that lie there in part."""
        own = audit_stretch.c
        whole: list[int] = []
        parts: list[int] = []
        select = sa.select(own.stretch, own.earliest, own.latest).where(
            own.tenant == self._tenant, own.latest >= since, own.earliest < until
        )
        for stretch, earliest, latest in self._connection.execute(select.order_by(own.stretch)):
            (whole if since <= earliest and latest < until else parts).append(stretch)
        return whole, parts

    def _counted(self, fact: str, stretch: int, since: datetime, until: datetime) -> Iterator[tuple[str, _Span]]:
        own = _ENTRY.c
        index = own.log_index
        select = sa.select(own[fact], sa.func.count(), sa.func.min(index), sa.func.max(index)).where(
            own.tenant == self._tenant,
            index >= stretch * STRETCH,
            index < (stretch + 1) * STRETCH,
            own.at >= since,
            own.at < until,
        )
        for value, count, first, last in self._connection.execute(select.group_by(own[fact])):
            yield value, _Span(count, first, last)

    def _whole(self, fact: str, first: int, last: int) -> Iterator[tuple[str, _Span]]:
        """The counts of a run of whole stretches."""
        term = audit_term.c
        select = sa.select(term.value, term.stretch, term.places).where(
            term.tenant == self._tenant, term.fact == fact, term.stretch >= first, term.stretch <= last
        )
        with self._connection.execute(select, execution_options={"yield_per": 1_000}) as rows:
            for value, stretch, packed in rows:
                count, least, most = terms.span(bytes(packed))
                yield value, _Span(count, stretch * STRETCH + least, stretch * STRETCH + most)

    def _times(self, places: set[int]) -> dict[int, datetime]:
        """When the entries at some places happened."""
        own, wanted = _ENTRY.c, sorted(places)
        found: dict[int, datetime] = {}
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            select = sa.select(own.log_index, own.at).where(own.tenant == self._tenant, own.log_index.in_(part))
            found.update((row[0], row[1]) for row in self._connection.execute(select))
        return found

    def _entries(self, condition: sa.ColumnElement[bool], order: Any, most: int) -> list[AuditEntry]:
        select = sa.select(_ENTRY).where(_ENTRY.c.tenant == self._tenant, condition).order_by(order).limit(most)
        rows = self._connection.execute(select).mappings()
        return [cast("AuditEntry", codec.record_of(AuditEntry.shape, row)) for row in rows]


def _add(found: dict[str, _Span], more: Iterator[tuple[str, _Span]]) -> None:
    for value, one in more:
        had = found.get(value, one._replace(many=0))
        found[value] = _Span(had.many + one.many, min(had.first, one.first), max(had.last, one.last))


def _runs(stretches: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Stretches that follow one another, as (first, last)."""
    run: list[int] = []
    for stretch in stretches:
        if run and stretch != run[-1] + 1:
            yield run[0], run[-1]
            run = []
        run.append(stretch)
    if run:
        yield run[0], run[-1]
