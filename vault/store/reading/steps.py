"""A prepared reading: a generator that yields statements and is sent their rows. It touches no database itself."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from domain.files.days import zone_of
from domain.ports import Draft, Fetch, Rows, Scope
from domain.reading import Reading
from vault.keys import Keyring
from vault.store.reading import queries
from vault.store.reading.dialects import Dialect
from vault.store.reading.gathering import Gathering
from vault.store.reading.levels import LevelPlan
from vault.store.search.states import finder


class SqlSteps:
    """The steps of one reading on one database; they may run many times, also at once."""

    def __init__(self, reading: Reading, dialect: Dialect, ring: Keyring) -> None:
        self._dialect = dialect
        self._ring = ring
        self._sought = any(level.sought for level in reading.levels())
        self._roots = tuple((root.label, LevelPlan(root.what, dialect)) for root in reading.roots)
        counts = [plan.statements for _, plan in self._roots]
        self._zone = queries.zone(dialect) if any(level.computed for level in reading.levels()) else None
        self.alone = sum(counts) == 1 and self._zone is None and not self._sought
        self.ledger = any(level.shape.ledger for level in reading.levels())

    def run(self, scope: Scope, arguments: Sequence[Any], now: datetime) -> Generator[Fetch, Rows, Draft]:
        """The statements, whose number does not depend on the number of rows, and at the end the draft.

        Raises: Malformed for a page size out of bounds, a cursor of another list, a value no column holds, or one
                that is looked up and is no identifier of its kind; KeyUnavailable.
        """
        today = yield from self._today(scope, now)
        finds = (yield from finder(self._ring, scope.tenant, self._dialect)) if self._sought else None
        run = Gathering(scope, arguments, today, self._ring, finds)
        answer: dict[str, Any] = {}
        for label, plan in self._roots:
            found = yield from plan.read(run)
            answer[label] = found[None]
        return run.draft(answer)

    def _today(self, scope: Scope, now: datetime) -> Generator[Fetch, Rows, date]:
        """The day it is where the company is, which only computed fields ask for."""
        if self._zone is None:
            return now.date()
        rows = yield self._zone.fetch({"tenant": scope.tenant})
        zone = zone_of(rows[0][0]) if rows else None
        return now.astimezone(zone or UTC).date()
