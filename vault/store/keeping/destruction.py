"""What a subject's data is ends inside one transaction: keys first, then whatever lay under them.

Of every value a row without its envelope stays: readers are told that it was erased, and its version never comes
again. A destroyed data key keeps its row too, so that no new one takes its place unnoticed. What the storage itself
still holds of all that is another matter, and another module's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.custody.keeping import Destroyed
from domain.documents.documents import Document
from domain.ids import Id, prefix_of
from domain.records import AUDIT_CLASS, PREFIXES, TAGS, Shape
from vault.audit.certificate import signed
from vault.providers.port import Purpose
from vault.store.keeping import pruning
from vault.store.keeping.digests import row_digest
from vault.store.ledger.logbook import verifier
from vault.store.search.tokens import upsert
from vault.store.tables import (
    DESTROYED,
    ERASED,
    audit_payload,
    blind_index,
    sealed_field,
    table,
    tombstone,
    vault_dek,
    vault_dek_wrap,
)
from vault.store.tenantkeys import TenantKeys


class Shredder:
    """Ends keys and rows of one tenant, in the transaction of a unit."""

    def __init__(self, connection: sa.Connection, keys: TenantKeys) -> None:
        self._connection = connection
        self._keys = keys
        self._tenant = keys.tenant

    def prunable(self, before: datetime, held: Sequence[Id]) -> int:
        """The minimum index the audit log could have, were it pruned of what was made before an instant."""
        return pruning.prunable(self._connection, self._tenant, before, held)

    def prune(self, minimum: int) -> None:
        """Removes the entries below a minimum index, what leads to them and what lies beside them."""
        pruning.prune(self._connection, self._tenant, minimum)

    def shred(self, subject: Id, classes: Sequence[str]) -> Destroyed:
        """Destroys the data keys of a subject's classes, and with them every value, token and payload under them."""
        living = [row.dek_id for name in classes for row in self._keys.living(subject, name)]
        self._keys.destroy(living)
        emptied = self._connection.execute(
            sa.update(sealed_field).where(self._cells(subject, classes)).values(envelope=ERASED)
        )
        tokens = self._connection.execute(sa.delete(blind_index).where(self._tokens(subject, classes)))
        payloads = 0
        if AUDIT_CLASS in classes:
            payloads = self._connection.execute(sa.delete(audit_payload).where(self._payloads(subject))).rowcount
        return Destroyed(keys=len(living), cells=emptied.rowcount, tokens=tokens.rowcount, payloads=payloads)

    def remaining(self, subject: Id, classes: Sequence[str]) -> int:
        """How many keys, values and tokens of a subject's classes are still there.

        Payloads are not counted: what happens to an erased subject later may be told in new ones.
        """
        dek, named = vault_dek.c, [name for name in classes if name != AUDIT_CLASS]
        wraps = vault_dek_wrap.join(
            vault_dek, sa.and_(dek.tenant == vault_dek_wrap.c.tenant, dek.dek_id == vault_dek_wrap.c.dek_id)
        )
        own = sa.and_(dek.tenant == self._tenant, dek.subject == subject, dek.data_class.in_(named))
        counts = (
            sa.select(sa.func.count()).select_from(wraps).where(own),
            sa.select(sa.func.count()).select_from(sealed_field).where(self._cells(subject, named)),
            sa.select(sa.func.count()).select_from(blind_index).where(self._tokens(subject, named)),
        )
        return sum(self._connection.scalar(count) or 0 for count in counts)

    def empty(self, records: Sequence[Id]) -> int:
        """Removes every value and token of some records; how many values. Their keys are renewed beside it.

        The content of a document has a data key of its own, which is destroyed here.
        """
        cell, token = sealed_field.c, blind_index.c
        own = sa.and_(cell.tenant == self._tenant, cell.record_id.in_(records), cell.envelope != ERASED)
        contents = sa.select(cell.dek_id).where(own, cell.field_tag == Document.content.tag)
        alone = [bytes(dek_id) for dek_id in self._connection.scalars(contents)]
        if alone:
            self._keys.destroy(alone)
        emptied = self._connection.execute(sa.update(sealed_field).where(own).values(envelope=ERASED))
        self._connection.execute(
            sa.delete(blind_index).where(token.tenant == self._tenant, token.record_id.in_(records))
        )
        return emptied.rowcount

    def bury(self, records: Sequence[Id], rule: str) -> int:
        """Removes every version of some records but the current one, under tombstones; how many."""
        gone = 0
        for prefix in dict.fromkeys(prefix_of(own) for own in records):
            own = [one for one in records if prefix_of(one) == prefix]
            gone += self._bury(PREFIXES[prefix], own, rule)
        return gone

    def _bury(self, shape: Shape, records: Sequence[Id], rule: str) -> int:
        columns, root = table(shape).c, self._keys.root(Purpose.DIGEST)
        earlier = sa.and_(columns.tenant == self._tenant, columns.id.in_(records), columns.superseded_at.is_not(None))
        rows = self._connection.execute(sa.select(table(shape)).where(earlier).order_by(columns.version)).mappings()
        last = {row["id"]: row_digest(root, shape, dict(row)) for row in rows}
        if not last:
            return 0
        stones = [
            {"tenant": self._tenant, "record_id": own, "rule": rule, "digest": digest} for own, digest in last.items()
        ]
        upsert(self._connection, tombstone, stones, ("tenant", "record_id"), change=False)
        return self._connection.execute(sa.delete(table(shape)).where(earlier)).rowcount

    def remaining_of(self, records: Sequence[Id]) -> int:
        """How many values, tokens, keys of contents and buried versions of some records are still there."""
        dek, cell = vault_dek.c, sealed_field.c
        contents = sa.select(cell.dek_id).where(
            cell.tenant == self._tenant, cell.record_id.in_(records), cell.field_tag == Document.content.tag
        )
        keys = sa.select(sa.func.count()).where(
            dek.tenant == self._tenant, dek.dek_id.in_(contents), dek.kek_epoch != DESTROYED
        )
        counts = (
            sa.select(sa.func.count()).where(
                rows.c.tenant == self._tenant, rows.c.record_id.in_(records), *(extra for extra in kept)
            )
            for rows, kept in ((sealed_field, (sealed_field.c.envelope != ERASED,)), (blind_index, ()))
        )
        earlier = (
            sa.select(sa.func.count())
            .select_from(table(shape))
            .join(tombstone, sa.and_(tombstone.c.tenant == self._tenant, tombstone.c.record_id == table(shape).c.id))
            .where(
                table(shape).c.tenant == self._tenant,
                table(shape).c.id.in_(records),
                table(shape).c.superseded_at.is_not(None),
            )
            for shape in {PREFIXES[prefix_of(own)].table: PREFIXES[prefix_of(own)] for own in records}.values()
        )
        return sum(self._connection.scalar(count) or 0 for count in (keys, *counts, *earlier))

    def signed(self, kind: str, said: Mapping[str, Any]) -> str:
        """A statement as a JWS of a type, signed by the key that signs the company's log."""
        with self._keys.signing_key() as seed:
            return signed(seed, verifier(self._keys, self._tenant), kind, said)

    def _cells(self, subject: Id, classes: Sequence[str]) -> sa.ColumnElement[bool]:
        cell = sealed_field.c
        deks = sa.select(vault_dek.c.dek_id).where(
            vault_dek.c.tenant == self._tenant,
            vault_dek.c.subject == subject,
            vault_dek.c.data_class.in_(classes),
        )
        # By their keys: that is what cells have an index for.
        return sa.and_(cell.tenant == self._tenant, cell.dek_id.in_(deks), cell.envelope != ERASED)

    def _tokens(self, subject: Id, classes: Sequence[str]) -> sa.ColumnElement[bool]:
        token = blind_index.c
        tags = [tag for tag, field in TAGS.items() if field.data_class.value in classes]
        return sa.and_(token.tenant == self._tenant, token.subject == subject, token.field_tag.in_(tags))

    def _payloads(self, subject: Id) -> sa.ColumnElement[bool]:
        return sa.and_(audit_payload.c.tenant == self._tenant, audit_payload.c.subject == subject)
