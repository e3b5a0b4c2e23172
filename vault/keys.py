"""Three levels of keys: a provider's root wraps each tenant's keys, a tenant's key wraps data keys, those seal values.

    root, version n        in the provider
    └── KEK, epoch n       per tenant and month; `sign` keys stand beside it
        ├── data keys      per tenant, subject, data class and version
        └── roots          index, pseudonym, digest, statement: for HMAC alone, the same bytes in every epoch

Rows hold wrapped keys only and may be stored as they are. Every wrapped key is CE 01 01 00 ‖ nonce (12) ‖ encrypted
key (32) ‖ tag (16), bound to what it is for: moved to another tenant, purpose, epoch or subject it does not unwrap.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from domain.errors import Tampered, Unavailable
from vault import hazmat
from vault.keycache import KeyCache
from vault.providers.port import Context, Provider, Purpose
from vault.seal import Dek, sized, u32
from vault.wrapping import DEK_DOMAIN, ROOT_DOMAIN, unwrap_key, wrap_key

TTL_SECONDS = 300.0
CACHED_KEYS = 10_000
"""How many data keys are kept ready at most: about 3 KiB each. Keys of tenants are a tenth of that."""

PUBLIC_KEYS = 1_000
"""How many public keys are kept ready at most."""
BACKUP_DAYS = 35
"""How long backups and archived logs of the database are kept, where nothing else is said."""

T = TypeVar("T")


ROOTS = (Purpose.INDEX, Purpose.PSEUDONYM, Purpose.DIGEST, Purpose.STATEMENT)
"""What lies under the KEK of its epoch; the other purposes are wrapped by the provider."""


class WrappedKey(NamedTuple):
    """A key of a tenant, as it is stored."""

    tenant: bytes
    purpose: Purpose
    epoch: int
    wrapped: bytes

    def __repr__(self) -> str:
        return f"WrappedKey({self.tenant.hex()}, {self.purpose}, {self.epoch})"

    @property
    def context(self) -> Context:
        """What it is bound to."""
        return Context(self.tenant, self.purpose, self.epoch)


class DekRow(NamedTuple):
    """A data key, as it is stored."""

    dek_id: bytes
    tenant: bytes
    subject: bytes
    data_class: str
    version: int
    kek_epoch: int
    wrapped: bytes

    def __repr__(self) -> str:
        return f"DekRow({self.dek_id.hex()}, {self.data_class}, {self.version}, {self.kek_epoch})"

    @property
    def name(self) -> DekName:
        """What stays the same while it is wrapped anew."""
        return DekName(self.tenant, self.subject, self.data_class, self.dek_id)

    def parts(self) -> tuple[bytes, ...]:
        """All but the wrapped key itself."""
        ids = sized(self.dek_id), sized(self.tenant), sized(self.subject)
        return *ids, self.data_class.encode("ascii"), u32(self.version), u32(self.kek_epoch)


class DekName(NamedTuple):
    """What tells a data key from all others, wherever it is wrapped."""

    tenant: bytes
    subject: bytes
    data_class: str
    dek_id: bytes


class Aside(Protocol):
    """How a call is made that may take a while."""

    def __call__(self, call: Callable[[], T], /) -> T:
        """What it returns."""


class Keyring:
    """Keys ready for use, made from stored rows and kept for a while: never beyond their time, never too many.

    A kept key answers for the very row it was unwrapped from; a row that differs in one byte is unwrapped anew. To whom
    has no row it answers by its name, while the generation of keys is the one that was read with the value.
    """

    def __init__(
        self,
        provider: Provider,
        clock: Callable[[], float],
        *,
        ttl: float = TTL_SECONDS,
        size: int = CACHED_KEYS,
        aside: Aside = operator.call,
        backup_days: int = BACKUP_DAYS,
    ) -> None:
        """Takes a monotonic clock in seconds, and how calls to the provider are made: they may take a while."""
        self.backup_days = backup_days
        """How many days backups hold keys that are stored now."""
        self._provider, self._aside = provider, aside
        self._keks: KeyCache[WrappedKey, hazmat.Aes256Gcm] = KeyCache(clock, ttl, size // 10 or 1)
        self._roots: KeyCache[WrappedKey, hazmat.Secret] = KeyCache(clock, ttl, size // 10 or 1)
        self._deks: KeyCache[DekName, tuple[DekRow, Dek]] = KeyCache(clock, ttl, size)
        self._generations: dict[bytes, int] = {}
        self._public: dict[WrappedKey, bytes] = {}

    def newest(self) -> int:
        """The newest epoch of the provider: what a new tenant's keys are wrapped under.

        Raises: KeyUnavailable.
        """
        return self._aside(self._provider.health).newest()

    def following(self) -> int:
        """The epoch that never had a root and comes next.

        Raises: KeyUnavailable.
        """
        return self._aside(self._provider.health).following()

    def make_root(self, epoch: int) -> None:
        """Makes the root of an epoch, unless it stands already.

        Raises: KeyUnavailable.
        """
        if self.newest() < epoch:
            self._aside(lambda: self._provider.generate(epoch))

    def destroy_root(self, epoch: int) -> None:
        """Ends the root of an epoch, and forgets every key: which of them it wrapped is not looked into.

        Raises: KeyUnavailable.
        """
        self._aside(lambda: self._provider.destroy(epoch))
        for kept in (self._keks, self._roots, self._deks):
            kept.drop(lambda _: True)

    def mint_tenant(self, tenant: bytes, epoch: int) -> tuple[WrappedKey, ...]:
        """The keys of a new tenant, one row per purpose, the KEK first.

        Raises: KeyUnavailable.
        """
        kek = self._minted(Context(sized(tenant), Purpose.KEK, epoch))
        roots = [self._wrapped_root(kek, purpose, hazmat.random_secret()) for purpose in ROOTS]
        return kek, *roots, self._minted(Context(tenant, Purpose.SIGN, epoch))

    def mint_root(self, purpose: Purpose, kek: WrappedKey) -> WrappedKey:
        """A new root beside the other keys of an epoch, for a company that has none for the purpose.

        Raises: KeyUnavailable; Tampered.
        """
        return self._wrapped_root(kek, purpose, hazmat.random_secret())

    def mint_signing_key(self, kek: WrappedKey) -> WrappedKey:
        """A new key for signatures beside the other keys of an epoch.

        Raises: KeyUnavailable.
        """
        return self._minted(Context(kek.tenant, Purpose.SIGN, kek.epoch))

    def advance_tenant(self, rows: Iterable[WrappedKey], epoch: int) -> tuple[WrappedKey, ...]:
        """The rows of a tenant's next epoch: a new KEK; the other keys stay as they are and are wrapped anew.

        Raises: KeyUnavailable; Tampered.
        """
        old = {row.purpose: row for row in rows}
        kek, sign = old[Purpose.KEK], old[Purpose.SIGN]
        new = self._minted(Context(kek.tenant, Purpose.KEK, epoch))
        # A root that a company does not have yet is minted when it is first needed.
        roots = [self._wrapped_root(new, one, self.root(old[one], kek)) for one in ROOTS if one in old]
        (moved,) = self._aside(lambda: self._provider.rewrap([(sign.context, sign.wrapped)], epoch))
        return new, *roots, WrappedKey(sign.tenant, Purpose.SIGN, epoch, _delivered(moved))

    def mint_dek(
        self, kek: WrappedKey, *, dek_id: bytes, subject: bytes, data_class: str, version: int
    ) -> tuple[DekRow, Dek]:
        """A new data key: the row to store, and the key ready for use.

        Raises: KeyUnavailable; Tampered.
        """
        moment = self._deks.moment()
        row = DekRow(sized(dek_id), kek.tenant, sized(subject), data_class, version, kek.epoch, b"")
        with hazmat.random_secret() as key:
            row = self._wrapped_dek(row, key, kek)
            dek = Dek(dek_id, key)
        self._deks.keep(row.name, (row, dek), moment)
        return row, dek

    def mint_content_key(
        self, kek: WrappedKey, *, dek_id: bytes, subject: bytes, data_class: str, version: int
    ) -> DekRow:
        """A new data key for the contents of documents: the row to store.

        Raises: KeyUnavailable; Tampered.
        """
        row = DekRow(sized(dek_id), kek.tenant, sized(subject), data_class, version, kek.epoch, b"")
        with hazmat.random_secret() as key:
            return self._wrapped_dek(row, key, kek)

    def content_key(self, row: DekRow, kek: WrappedKey) -> hazmat.Secret:
        """The data key that documents are sealed under, kept by nobody: whoever asked wipes it.

        Raises: KeyUnavailable; Tampered.
        """
        return self._dek_secret(row, kek)

    def dek(self, row: DekRow, kek: WrappedKey) -> Dek:
        """The data key of a row, ready for use; the KEK is the one of the row's tenant and epoch.

        Raises: KeyUnavailable; Tampered.
        """
        return self.deks([(row, kek)])[0]

    def deks(self, rows: Sequence[tuple[DekRow, WrappedKey]]) -> list[Dek]:
        """The data keys of rows, each with the KEK of its tenant and epoch, in their order.

        Raises: KeyUnavailable; Tampered.
        """
        kept = self._deks.get_many([row.name for row, _ in rows])
        return [
            had[1] if had is not None and had[0] == row else self._unwrapped_dek(row, kek)
            for had, (row, kek) in zip(kept, rows, strict=True)
        ]

    def ready(self, tenant: bytes, generation: int, names: Sequence[DekName]) -> list[Dek | None]:
        """The data keys of a tenant that need no unwrapping; the generation was read with what they will open."""
        self.at(tenant, generation)
        return [None if had is None else had[1] for had in self._deks.get_many(names)]

    def rewrap_dek(self, row: DekRow, old: WrappedKey, new: WrappedKey) -> DekRow:
        """The row of the same data key under the KEK of another epoch.

        Raises: KeyUnavailable; Tampered.
        """
        with self._dek_secret(row, old) as key:
            return self._wrapped_dek(row, key, new)

    def root(self, row: WrappedKey, kek: WrappedKey) -> hazmat.Secret:
        """The index, pseudonym or digest root of a tenant; it is shared, so nobody wipes it.

        Raises: KeyUnavailable; Tampered.
        """
        root = self._roots.get(row)
        if root is None:
            moment = self._roots.moment()
            root = unwrap_key(self._kek(kek), row.wrapped, ROOT_DOMAIN, row.context)
            self._roots.keep(row, root, moment)
        return root

    def signing_key(self, row: WrappedKey) -> hazmat.Secret:
        """The private key of a tenant's signatures, unwrapped each time and kept by nobody: signing is rare.

        Raises: KeyUnavailable; Tampered.
        """
        asked = [(_expected(row, Purpose.SIGN).context, row.wrapped)]
        (key,) = self._aside(lambda: self._provider.unwrap(asked))
        return _delivered(key)

    def verifying_key(self, row: WrappedKey) -> bytes:
        """The public half of a key for signatures; it is no secret, and kept as long as there is room.

        Raises: KeyUnavailable; Tampered.
        """
        public = self._public.get(row)
        if public is None:
            with self.signing_key(row) as seed:
                public = seed.use(hazmat.ed25519_public)
            if len(self._public) >= PUBLIC_KEYS:
                self._public.clear()
            self._public[row] = public
        return public

    async def warmed(self, keks: Iterable[WrappedKey]) -> None:
        """Unwraps KEKs as `warm` does, beside the event loop: the provider may take a while, and others go on."""
        if cold := self._cold(keks):
            await asyncio.to_thread(self._unwrapped_keks, cold)

    def warm(self, keks: Iterable[WrappedKey]) -> None:
        """Unwraps KEKs of many tenants or epochs in one call to the provider; one that fails, fails when it is used."""
        if missing := self._cold(keks):
            self._unwrapped_keks(missing)

    def root_anew(self, row: WrappedKey, kek: WrappedKey) -> hazmat.Secret:
        """A root unwrapped from its row, whatever is kept; whoever asks wipes it.

        Raises: KeyUnavailable; Tampered.
        """
        return unwrap_key(self._kek(kek), row.wrapped, ROOT_DOMAIN, row.context)

    def at(self, tenant: bytes, generation: int) -> None:
        """Drops what is kept of a tenant whose keys ended since: the generation is read with every value to open."""
        if self._generations.get(tenant, -1) < generation:
            self._generations[tenant] = generation
            self.forget(tenant)

    def forget(self, tenant: bytes, subject: bytes | None = None) -> None:
        """Drops all kept keys of a tenant, or the data keys of one subject; one being unwrapped now is not kept."""
        if subject is None:
            self._keks.drop(lambda row: row.tenant == tenant)
            self._roots.drop(lambda row: row.tenant == tenant)
        self._deks.drop(lambda name: name.tenant == tenant and subject in {None, name.subject})

    def _cold(self, keks: Iterable[WrappedKey]) -> list[WrappedKey]:
        return [kek for kek in keks if self._keks.get(kek) is None]

    def _unwrapped_dek(self, row: DekRow, kek: WrappedKey) -> Dek:
        moment = self._deks.moment()
        with self._dek_secret(row, kek) as key:
            dek = Dek(row.dek_id, key)
        self._deks.keep(row.name, (row, dek), moment)
        return dek

    def _minted(self, context: Context) -> WrappedKey:
        (wrapped,) = self._aside(lambda: self._provider.wrap([(context, hazmat.random_secret())]))
        return WrappedKey(context.tenant, context.purpose, context.epoch, _delivered(wrapped))

    def _kek(self, row: WrappedKey) -> hazmat.Aes256Gcm:
        cipher = self._keks.get(row)
        return _delivered(self._unwrapped_keks([row])[0]) if cipher is None else cipher

    def _unwrapped_keks(self, rows: Sequence[WrappedKey]) -> list[hazmat.Aes256Gcm | Unavailable]:
        moment = self._keks.moment()
        asked = [(_expected(row, Purpose.KEK).context, row.wrapped) for row in rows]
        keys = self._aside(lambda: self._provider.unwrap(asked))
        ciphers: list[hazmat.Aes256Gcm | Unavailable] = []
        for row, key in zip(rows, keys, strict=True):
            if isinstance(key, Unavailable):
                ciphers.append(key)
                continue
            with key:
                cipher = key.use(hazmat.aes_256_gcm)
            self._keks.keep(row, cipher, moment)
            ciphers.append(cipher)
        return ciphers

    def _wrapped_root(self, kek: WrappedKey, purpose: Purpose, root: hazmat.Secret) -> WrappedKey:
        context = Context(kek.tenant, purpose, kek.epoch)
        return WrappedKey(kek.tenant, purpose, kek.epoch, wrap_key(self._kek(kek), root, ROOT_DOMAIN, context))

    def _wrapped_dek(self, row: DekRow, key: hazmat.Secret, kek: WrappedKey) -> DekRow:
        if row.tenant != kek.tenant:
            raise ValueError("A data key is wrapped by a key of its own tenant.")
        row = row._replace(kek_epoch=kek.epoch)
        return row._replace(wrapped=wrap_key(self._kek(kek), key, DEK_DOMAIN, row))

    def _dek_secret(self, row: DekRow, kek: WrappedKey) -> hazmat.Secret:
        return unwrap_key(self._kek(kek), row.wrapped, DEK_DOMAIN, row)


def _expected(row: WrappedKey, purpose: Purpose) -> WrappedKey:
    if row.purpose is not purpose:
        raise Tampered("A wrapped key is used for another purpose than its own.")
    return row


def _delivered(item: T | Unavailable) -> T:
    if isinstance(item, Unavailable):
        raise item
    return item
