"""Audit entries become leaves, side payloads and rows that readers find: the part of the log that both stores share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from domain import ids
from domain.audit import MAX_LISTED, Entry, commit_to
from domain.custody.keeping import SigningUse
from domain.custody.pruning import LogPruning
from domain.custody.signing import SigningKey
from domain.files.trail import AuditEntry
from domain.ids import Id
from domain.records import AUDIT_CLASS
from vault import hazmat
from vault.audit import batches
from vault.audit.merkle import CompactRange, leaf_hash
from vault.audit.note import (
    ED25519,
    Checkpoint,
    Ed25519Signer,
    Verifier,
    origin,
    sign_checkpoint,
)
from vault.seal import Cell, seal
from vault.store.codec import record_of
from vault.store.engines import POSTGRESQL
from vault.store.tables import audit_batch, audit_checkpoint, audit_payload, table
from vault.store.tenantkeys import TenantKeys

SYSTEM = "system:log"
"""Who signs the heads of the logs."""
SALT_BYTES = 32
PAYLOAD_TAG = "audit.payload"
PAYLOAD_BUCKET = 64


@dataclass(frozen=True, slots=True)
class Leaf:
    """The bytes of an entry's leaf before it has its place in the log, and the lists that are too long for it."""

    tenant: Id
    entry: Id
    text: bytes
    lists: tuple[tuple[Id, ...], tuple[Id, ...]] | None
    """Subjects and resources where one of them is too long; the leaf holds only its digest."""

    @classmethod
    def of(cls, entry: Entry, commitment: str = "") -> Leaf:
        """The leaf of an entry, with the commitment to its side payload where it has one."""
        lists = entry.subjects, entry.resources
        long = max(map(len, lists)) > MAX_LISTED
        return cls(entry.tenant, entry.id, entry.leaf(commitment), lists if long else None)

    def pack(self) -> bytes:
        """How it waits in an outbox: the text alone, which is a JSON object, or in a JSON list with its lists."""
        return self.text if self.lists is None else json.dumps([self.text.decode(), *self.lists]).encode()

    @classmethod
    def unpack(cls, tenant: Id, entry: Id, packed: bytes) -> Leaf:
        """What waited."""
        if packed.startswith(b"{"):
            return cls(tenant, entry, packed, None)
        text, subjects, resources = json.loads(packed)
        return cls(tenant, entry, text.encode(), (tuple(subjects), tuple(resources)))


def write_entry(connection: sa.Connection, keys: TenantKeys, entry: Entry) -> Leaf:
    """The leaf of an entry; its side payload, where it has one, is sealed and stored beside the log.

    The payload lies under the audit key of the one subject it is about, so that it goes when that subject is erased;
    lists over several subjects hold opaque ids alone and lie under the company's own.
    """
    payload = entry.side_payload()
    commitment = _seal_payload(connection, keys, entry, payload) if payload else ""
    return Leaf.of(entry, commitment)


def _seal_payload(connection: sa.Connection, keys: TenantKeys, entry: Entry, payload: bytes) -> str:
    salt = hazmat.random_bytes(SALT_BYTES)
    subject = entry.subjects[0] if len(entry.subjects) == 1 else entry.tenant
    dek = keys.dek(subject, AUDIT_CLASS)
    cell = payload_cell(entry.tenant, subject, entry.id)
    connection.execute(
        sa.insert(audit_payload).values(
            tenant=entry.tenant,
            entry=entry.id,
            subject=subject,
            dek_id=dek.dek_id,
            envelope=seal(dek, cell, salt + payload, PAYLOAD_BUCKET),
        )
    )
    return commit_to(payload, salt)


def payload_cell(tenant: Id, subject: Id, entry: Id) -> Cell:
    """Where the side payload of an entry is sealed."""
    table_name = AuditEntry.shape.table
    return Cell(ids.raw(tenant), ids.raw(subject), AUDIT_CLASS, table_name, ids.raw(entry), 1, PAYLOAD_TAG, 1)


def last_range(connection: sa.Connection, tenant: Id) -> CompactRange:
    """The tree of a tenant's log as it is now."""
    row = connection.execute(
        sa.select(audit_batch.c.size, audit_batch.c.peaks)
        .where(audit_batch.c.tenant == tenant)
        .order_by(audit_batch.c.first_index.desc())
        .limit(1)
    ).first()
    return CompactRange() if row is None else CompactRange.unpack(row[0], bytes(row[1]))


def minimum_of(connection: sa.Connection, tenant: Id) -> int:
    """The minimum index of a log: entries below it may be absent."""
    own = table(LogPruning.shape).c
    return connection.scalar(sa.select(sa.func.max(own.minimum)).where(own.tenant == tenant)) or 0


def batches_of(connection: sa.Connection, tenant: Id) -> Iterator[tuple[bytes, ...]]:
    """The entries of a log, batch by batch."""
    select = sa.select(audit_batch.c.entries).where(audit_batch.c.tenant == tenant).order_by(audit_batch.c.first_index)
    with connection.execute(select, execution_options={"yield_per": 100}) as rows:
        for row in rows:
            yield batches.unpack(bytes(row[0]))


def integrate(connection: sa.Connection, tenant: Id, leaves: Sequence[Leaf], at: datetime) -> int:
    """Appends entries to a tenant's tree, one row for all of them; the new size. `lookups` makes them findable."""
    before = last_range(connection, tenant)
    after = before.extend([leaf_hash(leaf.text) for leaf in leaves])
    connection.execute(
        sa.insert(audit_batch).values(
            tenant=tenant,
            first_index=before.size,
            size=after.size,
            peaks=after.pack(),
            entries=batches.pack([leaf.text for leaf in leaves]),
            lists=_lists(leaves),
            at=at,
        )
    )
    return after.size


def _lists(leaves: Sequence[Leaf]) -> bytes:
    """The lists too long for their leaves, which hold only a digest of them, by place; nothing where there is none."""
    long = {place: leaf.lists for place, leaf in enumerate(leaves) if leaf.lists}
    return json.dumps(long, separators=(",", ":")).encode() if long else b""


def sign_head(connection: sa.Connection, keys: TenantKeys, tenant: Id) -> str:
    """The signed checkpoint of a tenant's log as it is now; signed once for each size."""
    head = last_range(connection, tenant)
    signed = connection.scalar(
        sa.select(audit_checkpoint.c.text).where(
            audit_checkpoint.c.tenant == tenant, audit_checkpoint.c.size == head.size
        )
    )
    if signed is not None:
        return str(signed)
    with keys.signing_key() as seed:
        text = sign_checkpoint(Checkpoint(origin(tenant), head.size, head.root()), [signer_of(seed, tenant)])
    connection.execute(sa.insert(audit_checkpoint).values(tenant=tenant, size=head.size, text=text))
    return text


def unsigned(connection: sa.Connection, tenant: Id) -> int:
    """How many entries of a log no checkpoint covers yet."""
    latest = sa.select(sa.func.max(audit_checkpoint.c.size)).where(audit_checkpoint.c.tenant == tenant)
    return last_range(connection, tenant).size - (connection.scalar(latest) or 0)


def signer_of(seed: hazmat.Secret, tenant: Id) -> Ed25519Signer:
    """A key as it signs for a tenant's log; it is not wiped before its last signature."""
    return Ed25519Signer(
        name=origin(tenant),
        public=seed.use(hazmat.ed25519_public),
        signs=lambda message: seed.use(lambda raw: hazmat.ed25519_sign(raw, message)),
    )


def verifier(keys: TenantKeys, tenant: Id) -> Verifier:
    """What an auditor pins to verify the checkpoints of a tenant."""
    return Verifier(origin(tenant), ED25519, keys.verifying_key())


def signing_keys(connection: sa.Connection, tenant: Id, use: SigningUse) -> list[SigningKey]:
    """The records of a company's keys of one use, the first key first; none where none was ever replaced."""
    own = table(SigningKey.shape)
    select = sa.select(own).where(own.c.tenant == tenant, own.c.use == use.value, own.c.superseded_at.is_(None))
    rows = connection.execute(select.order_by(own.c.number)).mappings()
    return [cast("SigningKey", record_of(SigningKey.shape, row)) for row in rows]


def hold_log(connection: sa.Connection, tenant: Id) -> None:
    """Lets nobody else work on a tenant's log until this transaction ends; on SQLite nobody does."""
    if connection.dialect.name == POSTGRESQL:
        key = sa.func.hashtextextended(f"credence/log/{tenant}", 0)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
