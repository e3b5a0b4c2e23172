"""What readers find of the log is built behind it, from the batches: the entries, and where each subject is named.

No write waits for it. It is brought up when nothing else is to do, at latest after a while, and always before anybody
looks; whatever a process did not come to is found by the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.files.trail import AuditEntry
from domain.ids import Id
from vault.audit import batches
from vault.audit.merkle import leaf_hash
from vault.store.engines import SQLITE
from vault.store.ledger import terms, tiling
from vault.store.ledger.logbook import Leaf
from vault.store.tables import audit_batch, audit_found, audit_posting, table

_ENTRY = table(AuditEntry.shape)
_WORDS = ("actor", "behalf", "action", "outcome", "code", "cause", "purpose", "consent", "rule", "request", "document")
_LISTS = ("subjects", "resources", "fields")
"""Kept as canonical JSON, which a list of plain words has by itself."""
AT_ONCE = 2_000
"""How many entries one step brings up, give or take a batch."""


BEHIND = (
    "SELECT coalesce((SELECT max(size) FROM audit_batch WHERE tenant = :tenant), 0)"
    " > coalesce((SELECT size FROM audit_found WHERE tenant = :tenant), 0)"
)
"""Whether a log has entries that nobody finds yet."""

LATE = sa.text(f"SELECT ({BEHIND[7:]}) OR EXISTS (SELECT FROM audit_outbox WHERE tenant = :tenant)")  # noqa: S608 - our own
"""On PostgreSQL: the same, or entries that wait for their place."""


def bring_up(connection: sa.Connection, tenant: Id, most: int = AT_ONCE) -> bool:
    """Makes the oldest entries that nobody finds yet findable; whether there may be more of them.

    On PostgreSQL the entries themselves are listed already: they leave the outbox only for there.
    """
    first = found(connection, tenant)
    rows: list[dict[str, Any]] = []
    places: dict[str, list[int]] = {}
    index = first
    for index, text, long in _unfound(connection, tenant, first, most):
        row = row_of(tenant, index, text, long)
        rows.append(row)
        for subject in row["subjects"]:
            places.setdefault(subject, []).append(index)
    if not rows:
        return False
    if connection.dialect.name == SQLITE:
        _list(connection, rows)
    terms.note(connection, tenant, rows)
    if places:
        postings = [
            {
                "tenant": tenant,
                "subject": subject,
                "first_index": held[0],
                "last_index": held[-1],
                "places": json.dumps(held),
            }
            for subject, held in places.items()
        ]
        connection.execute(sa.insert(audit_posting), postings)
    _mark(connection, tenant, first, index + 1)
    tiling.bring_up(connection, tenant, index + 1)
    return len(rows) >= most


def list_entries(connection: sa.Connection, tenant: Id, first: int, leaves: Sequence[Leaf]) -> None:
    """Makes entries findable by themselves, as they get their places."""
    _list(
        connection,
        [row_of(tenant, index, leaf.text, leaf.lists) for index, leaf in enumerate(leaves, first)],
    )


def bring_all_up(connection: sa.Connection, tenant: Id) -> None:
    """Makes every entry findable."""
    while bring_up(connection, tenant):
        pass


def found(connection: sa.Connection, tenant: Id) -> int:
    """How many entries readers find."""
    return connection.scalar(sa.select(audit_found.c.size).where(audit_found.c.tenant == tenant)) or 0


def _mark(connection: sa.Connection, tenant: Id, before: int, after: int) -> None:
    if before:
        connection.execute(sa.update(audit_found).where(audit_found.c.tenant == tenant).values(size=after))
    else:
        connection.execute(sa.insert(audit_found).values(tenant=tenant, size=after))


def _unfound(
    connection: sa.Connection, tenant: Id, first: int, most: int
) -> Iterator[tuple[int, bytes, Sequence[Sequence[Id]] | None]]:
    """Place and leaf of entries, with the lists that are too long for a leaf; whole batches."""
    batch = audit_batch.c
    select = sa.select(batch.first_index, batch.entries, batch.lists).where(
        batch.tenant == tenant, batch.first_index >= first
    )
    count = 0
    for start, packed, lists in connection.execute(select.order_by(batch.first_index).limit(most)).all():
        if count >= most:
            return
        long = json.loads(bytes(lists)) if lists else {}
        for place, text in enumerate(batches.unpack(bytes(packed))):
            yield start + place, text, long.get(str(place))
            count += 1


def row_of(tenant: Id, index: int, text: bytes, long: Sequence[Sequence[Id]] | None) -> dict[str, Any]:
    """What readers find of an entry."""
    said = json.loads(text)
    subjects, resources = long or (said["subjects"], said["resources"])
    return {
        **{name: said.get(name, "") for name in _WORDS},
        "tenant": tenant,
        "id": said["id"],
        "subject_id": tenant,
        "at": datetime.fromisoformat(said["at"]),
        "actions": ",".join(said.get("actions", (said["action"],))),
        "subjects": subjects,
        "resources": resources,
        "fields": said.get("fields", ()),
        "log_index": index,
        "leaf_hash": leaf_hash(text).hex(),
    }


def _list(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    connection.execute(sa.insert(_ENTRY), list(map(stored, rows)))


def stored(row: dict[str, Any]) -> dict[str, Any]:
    """What readers find of an entry, as it stands in the table."""
    return row | {name: _text(row[name]) for name in _LISTS}


_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
