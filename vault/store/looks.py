"""What can be looked up in a store beside its records: each is a function that `inspect` runs over one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from domain.custody.keeping import SigningUse
from domain.custody.signing import SigningState
from domain.ids import Id
from vault.audit.files import write_log
from vault.audit.note import parse_checkpoint, parse_note
from vault.audit.tiles import Tile, encode_hashes
from vault.documents.blobs import Name
from vault.findings import Finding
from vault.store import contents, engines
from vault.store.fsck import check_store
from vault.store.ledger import tiling
from vault.store.ledger.cosigning import with_cosignatures
from vault.store.ledger.logbook import minimum_of, signing_keys, verifier
from vault.store.schema.migrations import within
from vault.store.tables import DESTROYED, tenant_register, vault_dek, vault_key
from vault.store.transaction import Room


def exported(tenant: Id, checkpoint: str, folder: Path) -> Callable[[sa.Connection], int]:
    """Writes a company's log as files under a signed checkpoint, with its cosignatures; how many are new."""

    def look(connection: sa.Connection) -> int:
        size = parse_checkpoint(parse_note(checkpoint.encode()).text).size
        whole = with_cosignatures(connection, tenant, size, checkpoint)
        first = minimum_of(connection, tenant)

        def hashes(tile: Tile) -> bytes:
            return encode_hashes(tiling.hashes_of(connection, tenant, tile))

        return write_log(folder, tiling.leaves(connection, tenant, first, size), whole, first=first, below=hashes)

    return look


def verifying_key(room: Room, tenant: Id, person: str) -> Callable[[sa.Connection], str]:
    """What an auditor pins to verify a company's log: `name+id+base64`."""
    return lambda connection: str(verifier(room.keys(connection, room.hand(tenant, person)), tenant))


class LogKeys(NamedTuple):
    """What the world is told of the keys of a log."""

    pinned: list[str]
    """The one that signs now, and those that retired before it, the latest first; none that is compromised."""
    handovers: list[str]
    """How each that ended handed over, in their order."""


def log_keys(room: Room, tenant: Id, person: str) -> Callable[[sa.Connection], LogKeys]:
    """The keys of a company's log."""

    def look(connection: sa.Connection) -> LogKeys:
        now = str(verifier(room.keys(connection, room.hand(tenant, person)), tenant))
        known = signing_keys(connection, tenant, SigningUse.LOG)
        retired = [one.public for one in reversed(known) if one.state is SigningState.RETIRED]
        return LogKeys([now, *retired], [one.handover for one in known if one.handover])

    return look


def derived(room: Room, tenant: Id, person: str, label: bytes) -> Callable[[sa.Connection], bytes]:
    """A secret of the tenant for one use outside the vault, the same in every process."""
    return lambda connection: room.keys(connection, room.hand(tenant, person)).derived(label)


def findings(room: Room, tenant: Id) -> Callable[[sa.Connection], list[Finding]]:
    """What is wrong with a company's records, seals and log."""
    return lambda connection: list(check_store(connection, room, tenant))


def strays(tenant: Id, names: Sequence[Name]) -> Callable[[sa.Connection], list[Name]]:
    """Of the blobs that were there before this look, those that no document has and none awaits."""
    return lambda connection: contents.strays(connection, tenant, names)


def holds_tenants(url: str) -> bool:
    """Whether a database holds companies; for a thread without an event loop."""
    return within(url, lambda connection: connection.scalar(sa.select(tenant_register.c.tenant).limit(1)) is not None)


class EpochKeys(NamedTuple):
    """What stands under one epoch of a company's keys."""

    epoch: int
    keys: int
    """How many of its own keys are stored, one per purpose."""
    data_keys: int
    """How many data keys are opened by way of this epoch."""


def epochs(url: str) -> dict[Id, list[EpochKeys]]:
    """The epochs of every company's keys, the oldest first; for a thread without an event loop."""
    return within(url, _epochs)


def _epochs(connection: sa.Connection) -> dict[Id, list[EpochKeys]]:
    tenants = connection.scalars(sa.select(tenant_register.c.tenant).order_by(tenant_register.c.tenant)).all()
    return {Id(tenant): _epochs_of(connection, tenant) for tenant in tenants}


def _epochs_of(connection: sa.Connection, tenant: str) -> list[EpochKeys]:
    if connection.dialect.name == engines.POSTGRESQL:
        # Row security holds for the owner of the tables too.
        connection.execute(sa.select(sa.func.set_config(engines.TENANT, tenant, True)))  # noqa: FBT003 - SQL's argument
    keys = _counted(connection, vault_key.c.epoch, tenant)
    data_keys = _counted(connection, vault_dek.c.kek_epoch, tenant)
    data_keys.pop(DESTROYED, None)
    return [EpochKeys(epoch, keys.get(epoch, 0), data_keys.get(epoch, 0)) for epoch in sorted({*keys, *data_keys})]


def _counted(connection: sa.Connection, epoch: sa.Column[int], tenant: str) -> dict[int, int]:
    counted = sa.select(epoch, sa.func.count()).where(epoch.table.c.tenant == tenant).group_by(epoch)
    return {row[0]: row[1] for row in connection.execute(counted)}
