"""What the newest entries of a log show that nobody waits with; looking leaves no entry, raising an alarm does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from domain.files.parties import CreditFile
from domain.ids import Id
from domain.supervision.findings import AuditFinding, Examination, FindingKind
from domain.supervision.honey import HoneyFile, HoneyState, Mark
from domain.supervision.honey import touched as judged
from vault.store.ledger.tallies import LogTrail
from vault.store.tables import table

AT_ONCE: Final = 1_000
BACK: Final = 5_000
"""How far back a process looks that begins; whatever lies further back an examination of the log finds."""


def touched(tenant: Id, place: int | None) -> Callable[[sa.Connection], tuple[int, list[Id]]]:
    """How far a log is found, and the entries from a place on that touched a honey file and raised no alarm yet."""

    def look(connection: sa.Connection) -> tuple[int, list[Id]]:
        trail = LogTrail(connection, tenant)
        size, marks = trail.size(), _marks(connection, tenant)
        at = max(_reached(connection, tenant), size - BACK) if place is None else place
        found: list[Id] = []
        while marks and at < size:
            entries = trail.entries(at, AT_ONCE)
            if not entries:
                break
            found += [entry.id for entry, _ in judged(marks, entries)]
            at = entries[-1].log_index + 1
        return size, [one for one in found if one not in _raised(connection, tenant, found)]

    return look


def _marks(connection: sa.Connection, tenant: Id) -> dict[Id, Mark]:
    """The marked files and the customers they are about, each with its mark."""
    mark, file = table(HoneyFile.shape).c, table(CreditFile.shape).c
    rows = connection.execute(
        sa.select(mark.id, mark.created_at, file.id, file.subject_id)
        .join_from(
            table(HoneyFile.shape),
            table(CreditFile.shape),
            (file.tenant == mark.tenant) & (file.id == mark.credit_file),
        )
        .where(
            mark.tenant == tenant,
            mark.state == HoneyState.PLANTED.value,
            mark.superseded_at.is_(None),
            file.superseded_at.is_(None),
        )
    )
    return {Id(name): Mark(Id(own), since) for own, since, *names in rows for name in names}


def _reached(connection: sa.Connection, tenant: Id) -> int:
    own = table(Examination.shape).c
    select = sa.select(own.reached).where(own.tenant == tenant, own.superseded_at.is_(None))
    return connection.scalar(select) or 0


def _raised(connection: sa.Connection, tenant: Id, entries: list[Id]) -> set[Id]:
    """Those of some entries that raised their alarm before."""
    if not entries:
        return set()
    own, kind = table(AuditFinding.shape).c, f"{FindingKind.HONEY_FILE_TOUCHED.value}/"
    names = [kind + one for one in entries]
    select = sa.select(own.told_once).where(own.tenant == tenant, own.told_once.in_(names), own.superseded_at.is_(None))
    return {Id(name.removeprefix(kind)) for name in connection.scalars(select)}
