"""What the database knows of the contents of documents: which stand, under which name, and which are awaited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from domain.documents.documents import Document, FilingState
from domain.ids import Id
from vault.documents.blobs import Name
from vault.store.tables import sealed_field, table

STREAMED = 1_000


class Kept(NamedTuple):
    """A document with the cell of its content; without a head nothing is stored for it."""

    name: Name
    state: FilingState
    size: int | None
    digest: str | None
    dek_id: bytes
    head: bytes

    @property
    def stored(self) -> bool:
        """Whether its bytes should be there: they go when it is erased."""
        erased = bool(self.name.version) and not self.head
        return self.state is FilingState.STORED and not erased


def kept(connection: sa.Connection, tenant: Id) -> Iterator[Kept]:
    """Every document of a company, as it stands now."""
    own, cell = table(Document.shape).c, sealed_field.c
    select = (
        sa.select(
            own.id, own.subject_id, own.state, own.size, own.digest, cell.value_version, cell.dek_id, cell.envelope
        )
        .select_from(table(Document.shape))
        .outerjoin(
            sealed_field,
            sa.and_(cell.tenant == own.tenant, cell.record_id == own.id, cell.field_tag == Document.content.tag),
        )
        .where(own.tenant == tenant, own.superseded_at.is_(None))
        .order_by(own.id)
    )
    with connection.execute(select, execution_options={"yield_per": STREAMED}) as rows:
        for document, subject, state, size, digest, version, dek_id, envelope in rows:
            name = Name(tenant, Id(subject), Id(document), version or 0)
            yield Kept(name, FilingState(state), size, digest, bytes(dek_id or b""), bytes(envelope or b""))


def strays(connection: sa.Connection, tenant: Id, names: Sequence[Name]) -> list[Name]:
    """Of the blobs that were there before this look, those that no document has and none awaits.

    One whose document is awaited may have been kept this moment, its record on its way.
    """
    stored: set[Name] = set()
    awaited: set[Id] = set()
    for one in kept(connection, tenant):
        if one.stored:
            stored.add(one.name)
        elif one.state is FilingState.AWAITED:
            awaited.add(one.name.document)
    return [name for name in names if name not in stored and name.document not in awaited]
