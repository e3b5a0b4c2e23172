"""The proof of one entry, made from the batches of the log: under the first signed checkpoint that covers the entry.

What is read lies between the entry's batch and that checkpoint, which is at most a second or 256 entries later, however
long the log is; and the proof of an entry is the same whenever it is asked for, but that a quorum of witnesses may have
cosigned a checkpoint over it meanwhile: then it is under the first of those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import sqlalchemy as sa

from domain.audit import EntryProof
from domain.errors import AuditUnavailable, NotFound
from domain.files.trail import AuditEntry
from domain.ids import Id
from vault.audit import batches
from vault.audit.merkle import leaf_hash, nodes_beyond
from vault.audit.note import parse_checkpoint, parse_note
from vault.audit.proof import prove
from vault.store.ledger import tiling
from vault.store.ledger.cosigning import Quorum, first_over
from vault.store.tables import audit_batch, table

T = TypeVar("T")


def proof_of(tenant: Id, entry: Id, quorum: Quorum) -> Callable[[sa.Connection], EntryProof | None]:
    """A look that finds what shows that an entry is in the log; nothing while no checkpoint covers it.

    Raises: NotFound where the log has no such entry; Tampered where its batches do not lead to the checkpoint.
    """

    def look(connection: sa.Connection) -> EntryProof | None:
        columns = table(AuditEntry.shape).c
        index = connection.scalar(
            sa.select(columns.log_index).where(columns.tenant == tenant, columns.id == entry).limit(1)
        )
        if index is None:
            raise NotFound(
                "There is no such audit entry, or it has no place in the log yet.",
                advice="An entry gets its place within a second or two: ask again then.",
                path=("entry",),
            )
        checkpoint = first_over(connection, tenant, index, quorum)
        return None if checkpoint is None else _proof(connection, tenant, entry, index, checkpoint)

    return look


def _proof(connection: sa.Connection, tenant: Id, entry: Id, index: int, checkpoint: str) -> EntryProof:
    size = parse_checkpoint(parse_note(checkpoint.encode()).text).size
    batch = audit_batch.c
    own = sa.select(sa.func.max(batch.first_index)).where(batch.tenant == tenant, batch.first_index <= index)
    start = connection.scalar(own) or 0
    select = sa.select(batch.entries).where(
        batch.tenant == tenant, batch.first_index >= start, batch.first_index < size
    )
    packed = connection.scalars(select.order_by(batch.first_index)).all()
    leaves = [leaf for each in packed for leaf in batches.unpack(bytes(each))]
    nodes = nodes_beyond(tiling.range_at(connection, tenant, start), [leaf_hash(leaf) for leaf in leaves])
    return EntryProof(entry=entry, leaf=leaves[index - start].decode(), proof=prove(index, checkpoint, nodes).text)


class Log(Protocol):
    """What a store offers for it."""

    async def inspect(self, tenant: Id | None, look: Callable[[sa.Connection], T]) -> T:
        """What a look at one snapshot of the database finds."""
        ...

    async def checkpoint(self, tenant: Id) -> str:
        """The signed checkpoint of a tenant's log as it is now."""
        ...


async def proven(store: Log, tenant: Id, entry: Id, quorum: Quorum) -> EntryProof:
    """The proof of an entry; where no checkpoint covers it yet, one is signed now.

    Raises: NotFound where the log has no such entry; Unavailable.
    """
    found = await store.inspect(tenant, proof_of(tenant, entry, quorum))
    if found is None:
        await store.checkpoint(tenant)
        found = await store.inspect(tenant, proof_of(tenant, entry, quorum))
    if found is None:
        raise AuditUnavailable("No checkpoint covers the entry yet.", advice="Ask again in a second.")
    return found
