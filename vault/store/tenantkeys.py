"""The keys of one tenant inside one transaction: rows become keys that are ready, and new data keys become rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, NamedTuple

import sqlalchemy as sa

from domain import ids
from domain.errors import KeyUnavailable, Stale
from domain.ids import Id
from domain.records import AUDIT_CLASS
from vault import hazmat
from vault.keys import DekRow, Keyring, WrappedKey
from vault.providers.port import Purpose
from vault.seal import Dek, pae
from vault.store.engines import POSTGRESQL
from vault.store.tables import DESTROYED, vault_dek, vault_dek_wrap, vault_key

FIELDS_ALG = "AES-256-GCM"
"""What the data keys of sealed fields and payloads serve."""
CONTENT_ALG = "Cobblestone-256"
"""What the data keys of the contents of documents serve."""
_DERIVED = b"vault/derived/1"
DEK_PREFIX = "dk"
"""Data keys have ids like records, but their raw bytes alone are stored."""


class _Found(NamedTuple):
    """The newest data key of a class, as it is stored."""

    subject: Id
    data_class: str
    dek_id: bytes
    version: int
    kek_epoch: int
    wrapped: bytes | None
    kek: bytes | None


class TenantKeys:
    """What one transaction seals with. A data key that is not there yet is minted and stored in the transaction."""

    def __init__(self, connection: sa.Connection, ring: Keyring, tenant: Id, make: Callable[[str], Id]) -> None:
        self._connection = connection
        self.ring = ring
        self.tenant = tenant
        self._raw = ids.raw(tenant)
        self._make = make
        self._deks: dict[tuple[Id, str], Dek] = {}
        self._held = False

    def mint_tenant(self) -> None:
        """Makes and stores the keys of a new tenant."""
        self.store(self.ring.mint_tenant(self._raw, self.ring.newest()))

    def store(self, rows: Iterable[WrappedKey]) -> None:
        """Stores the keys of an epoch; from now on they are the newest."""
        values = [
            {
                "tenant": self.tenant,
                "purpose": row.purpose.value,
                "epoch": row.epoch,
                "wrapped": row.wrapped,
                "generation": 0,
            }
            for row in rows
        ]
        self._connection.execute(sa.insert(vault_key), values)
        self.__dict__.pop("rows", None)

    def raise_generation(self) -> None:
        """Says to every process, with the next value it opens, that keys it keeps may be gone."""
        key = vault_key.c
        highest = sa.select(sa.func.max(key.generation)).where(key.tenant == self.tenant).scalar_subquery()
        self._connection.execute(sa.update(vault_key).where(key.tenant == self.tenant).values(generation=highest + 1))

    def every(self) -> Mapping[tuple[Purpose, int], WrappedKey]:
        """The tenant's keys of every epoch that stands."""
        found = self._connection.execute(
            sa.select(vault_key.c.purpose, vault_key.c.epoch, vault_key.c.wrapped).where(
                vault_key.c.tenant == self.tenant
            )
        )
        return {
            (Purpose(purpose), epoch): WrappedKey(self._raw, Purpose(purpose), epoch, bytes(wrapped))
            for purpose, epoch, wrapped in found
        }

    @cached_property
    def rows(self) -> Mapping[Purpose, WrappedKey]:
        """The tenant's keys of its newest epoch.

        Raises: KeyUnavailable when it has none.
        """
        every = self.every()
        if not every:
            raise KeyUnavailable("The company has no keys here.", advice="Open the company first.")
        newest = max(epoch for _, epoch in every)
        return {purpose: row for (purpose, epoch), row in every.items() if epoch == newest}

    def root(self, purpose: Purpose) -> hazmat.Secret:
        """The index, pseudonym or digest root."""
        return self.ring.root(self.rows[purpose], self.rows[Purpose.KEK])

    def root_anew(self, purpose: Purpose) -> hazmat.Secret:
        """The same from its row, whatever is kept; whoever asks wipes it."""
        return self.ring.root_anew(self.rows[purpose], self.rows[Purpose.KEK])

    def derived(self, label: bytes) -> bytes:
        """A secret for one use outside the vault: every process derives the same, and nothing in here rests on it."""
        message = pae(_DERIVED, self._raw, label)
        return self.root(Purpose.DIGEST).use(lambda key: hazmat.hmac_sha256(key, message))

    def ensure(self, purpose: Purpose) -> None:
        """Mints and stores a root that a company lacks, because it was opened before there was such a purpose."""
        if purpose in self.rows:
            return
        self.alone()
        if purpose not in self.rows:
            self.store([self.ring.mint_root(purpose, self.rows[Purpose.KEK])])

    def alone(self) -> None:
        """Waits until nobody else adds to the tenant's keys, and reads them anew."""
        key = vault_key.c
        kek = sa.select(key.epoch).where(key.tenant == self.tenant, key.purpose == Purpose.KEK.value)
        self._connection.execute(kek.with_for_update(key_share=True))
        self.__dict__.pop("rows", None)

    def signing_key(self) -> hazmat.Secret:
        """The key that signs the tenant's checkpoints."""
        return self.ring.signing_key(self.rows[Purpose.SIGN])

    def verifying_key(self) -> bytes:
        """The public half of the key that signs the tenant's checkpoints."""
        return self.ring.verifying_key(self.rows[Purpose.SIGN])

    def swap(self, row: WrappedKey) -> None:
        """Puts a key in the place of the tenant's own of its purpose, in every epoch that stands."""
        key = vault_key.c
        self._connection.execute(
            sa.delete(vault_key).where(key.tenant == self.tenant, key.purpose == row.purpose.value)
        )
        self.store([row])
        self.raise_generation()

    def dek(self, subject: Id, data_class: str, *, fresh: bool = False) -> Dek:
        """The newest data key of a subject's class, minted when it is first needed; a fresh subject has none yet.

        Raises: KeyUnavailable when it is destroyed; the log alone gets another one, for what happens after that.
        """
        key = (subject, data_class)
        if key not in self._deks:
            found = None if fresh else self._newest(subject, data_class, FIELDS_ALG)
            if found is not None and found.kek_epoch == DESTROYED:
                found = self._newest(subject, data_class, FIELDS_ALG)  # renewed, while its row was waited for
            if found is None:
                self._deks[key] = self._minted(subject, data_class, 1)
            elif found.kek_epoch == DESTROYED and data_class == AUDIT_CLASS:
                self._deks[key] = self._minted(subject, data_class, found.version + 1)
            else:
                self._deks[key] = self.ring.dek(*self._whole(found))
        return self._deks[key]

    def content_key(self, subject: Id, data_class: str) -> DekRow:
        """The row of a data key for the content of one document, minted here: it ends with that document.

        Raises: KeyUnavailable when the class is destroyed.
        """
        self.dek(subject, data_class)
        found = self._newest(subject, data_class, CONTENT_ALG)
        kek = self.rows[Purpose.KEK]
        self._hold(kek.epoch)
        row = self.ring.mint_content_key(
            kek,
            dek_id=ids.raw(self._make(DEK_PREFIX)),
            subject=ids.raw(subject),
            data_class=data_class,
            version=1 if found is None else found.version + 1,
        )
        self._store(row, subject, CONTENT_ALG)
        return row

    def stands(self, dek_id: bytes) -> bool:
        """Whether a data key is not destroyed; it stays so until this transaction ends."""
        dek = vault_dek.c
        own = sa.select(dek.kek_epoch).where(dek.tenant == self.tenant, dek.dek_id == dek_id)
        return bool(self._connection.scalar(own.with_for_update(read=True)))

    def living(self, subject: Id, data_class: str) -> Sequence[Any]:
        """The rows of a subject's class whose data keys are not destroyed, locked."""
        dek = vault_dek.c
        select = sa.select(vault_dek).where(
            dek.tenant == self.tenant,
            dek.subject == subject,
            dek.data_class == data_class,
            dek.kek_epoch != DESTROYED,
        )
        return self._connection.execute(select.order_by(dek.version).with_for_update()).all()

    def wrapped(self, rows: Iterable[Any]) -> list[tuple[DekRow, WrappedKey]]:
        """The data keys of rows with the keys that wrap them; one whose wrap is missing is left out."""
        rows = list(rows)
        keks, wrap = self.every(), vault_dek_wrap.c
        select = sa.select(wrap.dek_id, wrap.kek_epoch, wrap.wrapped).where(
            wrap.tenant == self.tenant, wrap.dek_id.in_([row.dek_id for row in rows])
        )
        wraps = {(bytes(dek_id), epoch): bytes(wrapped) for dek_id, epoch, wrapped in self._connection.execute(select)}
        found = []
        for row in rows:
            kek, wrapped = keks.get((Purpose.KEK, row.kek_epoch)), wraps.get((bytes(row.dek_id), row.kek_epoch))
            if kek is not None and wrapped is not None:
                identity = bytes(row.dek_id), kek.tenant, ids.raw(row.subject), row.data_class, row.version
                found.append((DekRow(*identity, row.kek_epoch, wrapped), kek))
        return found

    def whole(self, rows: Sequence[Any]) -> list[tuple[DekRow, WrappedKey]]:
        """The same, where none may be left out.

        Raises: KeyUnavailable when a wrap is missing.
        """
        found = self.wrapped(rows)
        if len(found) != len(rows):
            raise KeyUnavailable("What wraps a data key is missing.", advice="Run `credence fsck`, and restore.")
        return found

    def renew(self, subject: Id, data_class: str) -> None:
        """Mints the next version of a data key: from now on the class is sealed under it."""
        found = self._newest(subject, data_class, FIELDS_ALG)
        version = 1 if found is None else found.version + 1
        self._deks[subject, data_class] = self._minted(subject, data_class, version)

    def destroy(self, deks: Sequence[bytes]) -> None:
        """Destroys data keys: their rows stay and say so, whatever wrapped them goes."""
        dek, wrap = vault_dek.c, vault_dek_wrap.c
        # The row first: whoever wraps the key anew holds it locked, and finds afterwards that it is destroyed.
        self._connection.execute(
            sa.update(vault_dek).where(dek.tenant == self.tenant, dek.dek_id.in_(deks)).values(kek_epoch=DESTROYED)
        )
        self._connection.execute(sa.delete(vault_dek_wrap).where(wrap.tenant == self.tenant, wrap.dek_id.in_(deks)))
        self.raise_generation()
        self._deks = {key: kept for key, kept in self._deks.items() if kept.dek_id not in deks}

    def _newest(self, subject: Id, data_class: str, alg: str) -> _Found | None:
        """The row of the newest data key of a class, with its wrap and the key of that; None where there is none.

        On PostgreSQL it is held: a class is not destroyed between the look at its key and what is sealed under it.
        """
        wanted = {"tenant": self.tenant, "subject": subject, "data_class": data_class, "alg": alg}
        row = self._connection.execute(_newest(), wanted).first()
        return None if row is None else _Found(subject, data_class, *row)

    def _whole(self, found: _Found) -> tuple[DekRow, WrappedKey]:
        """A data key with the key that wraps it.

        Raises: KeyUnavailable when it is destroyed; Stale when it was wrapped anew while its row was waited for.
        """
        if found.kek_epoch == DESTROYED:
            raise KeyUnavailable("A data key is destroyed.", advice="What was erased takes no new values.")
        if found.wrapped is None or found.kek is None:
            raise Stale("The keys of the company turned meanwhile.")
        identity = bytes(found.dek_id), self._raw, ids.raw(found.subject), found.data_class, found.version
        row = DekRow(*identity, found.kek_epoch, bytes(found.wrapped))
        return row, WrappedKey(self._raw, Purpose.KEK, found.kek_epoch, bytes(found.kek))

    def _minted(self, subject: Id, data_class: str, version: int) -> Dek:
        kek = self.rows[Purpose.KEK]
        self._hold(kek.epoch)
        row, dek = self.ring.mint_dek(
            kek,
            dek_id=ids.raw(self._make(DEK_PREFIX)),
            subject=ids.raw(subject),
            data_class=data_class,
            version=version,
        )
        self._store(row, subject, FIELDS_ALG)
        return dek

    def _store(self, row: DekRow, subject: Id, alg: str) -> None:
        named = {"tenant": self.tenant, "dek_id": row.dek_id, "kek_epoch": row.kek_epoch}
        identity = {"subject": subject, "data_class": row.data_class, "version": row.version, "alg": alg}
        self._connection.execute(_STORE, named | identity)
        self._connection.execute(_STORE_WRAP, named | {"wrapped": row.wrapped})

    def _hold(self, epoch: int) -> None:
        """Keeps the epoch a data key is minted under from being left before the data key is there.

        Raises: Stale when it was left already.
        """
        if self._held or self._connection.dialect.name != POSTGRESQL:
            return  # SQLite has one writer at a time
        key = vault_key.c
        held = sa.select(key.epoch).where(
            key.tenant == self.tenant, key.purpose == Purpose.KEK.value, key.epoch == epoch
        )
        if self._connection.scalar(held.with_for_update(read=True, key_share=True)) is None:
            raise Stale("The keys of the company turned meanwhile.")
        self._held = True


_STORE, _STORE_WRAP = sa.insert(vault_dek), sa.insert(vault_dek_wrap)


@cache
def _newest() -> sa.Select[Any]:
    """The newest data key of a class; made once, since making it costs more than running it."""
    dek, wrap, kek = vault_dek.c, vault_dek_wrap.c, vault_key.c
    wrapped = sa.and_(wrap.tenant == dek.tenant, wrap.dek_id == dek.dek_id, wrap.kek_epoch == dek.kek_epoch)
    wraps = sa.and_(kek.tenant == dek.tenant, kek.epoch == dek.kek_epoch, kek.purpose == Purpose.KEK.value)
    return (
        sa.select(dek.dek_id, dek.version, dek.kek_epoch, wrap.wrapped, kek.wrapped.label("kek"))
        .outerjoin(vault_dek_wrap, wrapped)
        .outerjoin(vault_key, wraps)
        .where(*(dek[name] == sa.bindparam(name) for name in ("tenant", "subject", "data_class", "alg")))
        .order_by(dek.version.desc())
        .limit(1)
        .with_for_update(read=True, of=vault_dek)
    )
