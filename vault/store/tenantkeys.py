"""The keys of one tenant inside one transaction: rows become keys that are ready, and new data keys become rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import sqlalchemy as sa

from domain import ids
from domain.errors import KeyUnavailable
from domain.ids import Id
from vault import hazmat
from vault.keys import DekRow, Keyring, WrappedKey
from vault.providers.port import Purpose
from vault.seal import Dek
from vault.store.tables import vault_dek, vault_dek_wrap, vault_key

FIELDS_ALG = "AES-256-GCM"
"""What the data keys of sealed fields and payloads serve."""
CONTENT_ALG = "Cobblestone-256"
"""What the data keys of the contents of documents serve."""
DEK_PREFIX = "dk"
"""Data keys have ids like records, but their raw bytes alone are stored."""


class TenantKeys:
    """What one transaction seals with. A data key that is not there yet is minted and stored in the transaction."""

    def __init__(self, connection: sa.Connection, ring: Keyring, tenant: Id, make: Callable[[str], Id]) -> None:
        self._connection = connection
        self._ring = ring
        self._tenant = tenant
        self._raw = ids.raw(tenant)
        self._make = make
        self._deks: dict[tuple[Id, str], Dek] = {}

    def mint_tenant(self) -> None:
        """Makes and stores the keys of a new tenant."""
        rows = self._ring.mint_tenant(self._raw, self._ring.newest())
        values = [
            {"tenant": self._tenant, "purpose": row.purpose.value, "epoch": row.epoch, "wrapped": row.wrapped}
            for row in rows
        ]
        self._connection.execute(sa.insert(vault_key), values)

    @cached_property
    def rows(self) -> Mapping[Purpose, WrappedKey]:
        """The tenant's keys of its newest epoch.

        Raises: KeyUnavailable when it has none.
        """
        found = self._connection.execute(
            sa.select(vault_key.c.purpose, vault_key.c.epoch, vault_key.c.wrapped)
            .where(vault_key.c.tenant == self._tenant)
            .order_by(vault_key.c.epoch)
        )
        rows = {
            Purpose(purpose): WrappedKey(self._raw, Purpose(purpose), epoch, wrapped)
            for purpose, epoch, wrapped in found
        }
        if not rows:
            raise KeyUnavailable("The company has no keys here.", advice="Open the company first.")
        return rows

    def root(self, purpose: Purpose) -> hazmat.Secret:
        """The index, pseudonym or digest root."""
        return self._ring.root(self.rows[purpose], self.rows[Purpose.KEK])

    def signing_key(self) -> hazmat.Secret:
        """The key that signs the tenant's checkpoints."""
        return self._ring.signing_key(self.rows[Purpose.SIGN])

    def dek(self, subject: Id, data_class: str) -> Dek:
        """The newest data key of a subject's class, minted when it is first needed."""
        key = (subject, data_class)
        if key not in self._deks:
            found = self._found(subject, data_class, FIELDS_ALG)
            self._deks[key] = self._ring.dek(*found) if found else self._minted(subject, data_class)
        return self._deks[key]

    def content_key(self, subject: Id, data_class: str) -> DekRow:
        """The row of the newest data key of a subject's documents, minted when it is first needed."""
        found = self._found(subject, data_class, CONTENT_ALG)
        if found:
            return found[0]
        row = self._ring.mint_content_key(
            self.rows[Purpose.KEK],
            dek_id=ids.raw(self._make(DEK_PREFIX)),
            subject=ids.raw(subject),
            data_class=data_class,
            version=1,
        )
        self._store(row, subject, CONTENT_ALG)
        return row

    def _found(self, subject: Id, data_class: str, alg: str) -> tuple[DekRow, WrappedKey] | None:
        dek, wrap, kek = vault_dek, vault_dek_wrap, vault_key
        row = self._connection.execute(
            sa.select(dek.c.dek_id, dek.c.version, dek.c.kek_epoch, wrap.c.wrapped, kek.c.wrapped)
            .outerjoin(
                wrap,
                sa.and_(
                    wrap.c.tenant == dek.c.tenant,
                    wrap.c.dek_id == dek.c.dek_id,
                    wrap.c.kek_epoch == dek.c.kek_epoch,
                ),
            )
            .outerjoin(
                kek,
                sa.and_(
                    kek.c.tenant == dek.c.tenant,
                    kek.c.epoch == dek.c.kek_epoch,
                    kek.c.purpose == Purpose.KEK.value,
                ),
            )
            .where(
                dek.c.tenant == self._tenant,
                dek.c.subject == subject,
                dek.c.data_class == data_class,
                dek.c.alg == alg,
            )
            .order_by(dek.c.version.desc())
            .limit(1)
        ).first()
        if row is None:
            return None
        dek_id, version, epoch, wrapped, kek_wrapped = row
        if wrapped is None or kek_wrapped is None:
            raise KeyUnavailable("A data key is destroyed.", advice="What was erased takes no new values.")
        found = DekRow(bytes(dek_id), self._raw, ids.raw(subject), data_class, version, epoch, bytes(wrapped))
        return found, WrappedKey(self._raw, Purpose.KEK, epoch, bytes(kek_wrapped))

    def _minted(self, subject: Id, data_class: str) -> Dek:
        row, dek = self._ring.mint_dek(
            self.rows[Purpose.KEK],
            dek_id=ids.raw(self._make(DEK_PREFIX)),
            subject=ids.raw(subject),
            data_class=data_class,
            version=1,
        )
        self._store(row, subject, FIELDS_ALG)
        return dek

    def _store(self, row: DekRow, subject: Id, alg: str) -> None:
        self._connection.execute(
            sa.insert(vault_dek).values(
                tenant=self._tenant,
                dek_id=row.dek_id,
                subject=subject,
                data_class=row.data_class,
                version=row.version,
                alg=alg,
                kek_epoch=row.kek_epoch,
            )
        )
        self._connection.execute(
            sa.insert(vault_dek_wrap).values(
                tenant=self._tenant, dek_id=row.dek_id, kek_epoch=row.kek_epoch, wrapped=row.wrapped
            )
        )
