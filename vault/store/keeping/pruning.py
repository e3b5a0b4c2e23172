"""Entries of the log go from the oldest on, up to its minimum index: what they say, what leads to them, no hash.

The minimum index stands at the beginning of a stretch of what entries are found by, so that nothing half points at
them. A commit whose entries stand on both sides of it keeps its row; what lies below it there, nobody is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from domain.files.trail import AuditEntry
from domain.ids import Id
from vault.store.ledger.logbook import last_range
from vault.store.ledger.terms import STRETCH
from vault.store.tables import (
    audit_batch,
    audit_found,
    audit_payload,
    audit_posting,
    audit_stretch,
    audit_term,
    table,
)

_ENTRY = table(AuditEntry.shape)
_AT_ONCE = 400


def prunable(connection: sa.Connection, tenant: Id, before: datetime, held: Sequence[Id]) -> int:
    """The minimum index the log could have.

    What readers do not find yet stays, and so does the last entry: the tree grows from its place.
    """
    entry, posting = _ENTRY.c, audit_posting.c
    found = connection.scalar(sa.select(audit_found.c.size).where(audit_found.c.tenant == tenant)) or 0
    kept = [min(found, last_range(connection, tenant).size - 1)]
    younger = sa.select(sa.func.min(entry.log_index)).where(entry.tenant == tenant, entry.at >= before)
    kept.append(connection.scalar(younger))
    for start in range(0, len(held), _AT_ONCE):
        part = held[start : start + _AT_ONCE]
        named = sa.select(sa.func.min(posting.first_index)).where(posting.tenant == tenant, posting.subject.in_(part))
        kept.append(connection.scalar(named))
    return max(min(place for place in kept if place is not None), 0) // STRETCH * STRETCH


def prune(connection: sa.Connection, tenant: Id, minimum: int) -> None:
    """Removes the entries below a minimum index; the record that it moved stands already, or the database refuses."""
    entry, batch, payload, posting = _ENTRY.c, audit_batch.c, audit_payload.c, audit_posting.c
    gone = sa.select(entry.id).where(entry.tenant == tenant, entry.log_index < minimum)
    connection.execute(sa.delete(audit_payload).where(payload.tenant == tenant, payload.entry.in_(gone)))
    connection.execute(sa.delete(audit_posting).where(posting.tenant == tenant, posting.last_index < minimum))
    connection.execute(sa.delete(_ENTRY).where(entry.tenant == tenant, entry.log_index < minimum))
    for found in (audit_term, audit_stretch):
        own = found.c
        connection.execute(sa.delete(found).where(own.tenant == tenant, own.stretch < minimum // STRETCH))
    connection.execute(sa.delete(audit_batch).where(batch.tenant == tenant, batch.size <= minimum))
