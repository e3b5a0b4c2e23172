"""What is served of a log (C2SP tlog-tiles): its newest signed checkpoint, and the files of the tree under it."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from domain.errors import Malformed
from domain.ids import Id
from vault.audit import tiles
from vault.audit.tiles import ENTRIES, WIDTH, Tile, read_path, tile_at
from vault.store.ledger import tiling
from vault.store.ledger.cosigning import Quorum, newest
from vault.store.ledger.logbook import minimum_of
from vault.store.tables import audit_checkpoint

Look = Callable[[sa.Connection], bytes | None]


def checkpoint_of(tenant: Id, quorum: Quorum) -> Look:
    """The newest signed checkpoint of a log, with its cosignatures; nothing while there is none.

    Where a quorum is asked for, the newest that has it comes first: what is newer is cosigned in a moment.
    """

    def look(connection: sa.Connection) -> bytes | None:
        text = newest(connection, tenant, quorum)
        return None if text is None else text.encode()

    return look


def file_of(tenant: Id, path: str) -> Look:
    """A tile or a bundle of entries; nothing where no signed checkpoint asks for it.

    Raises: Malformed for what is no path of one.
    """
    tile = read_path(path)

    def look(connection: sa.Connection) -> bytes | None:
        signed = audit_checkpoint.c
        size = connection.scalar(sa.select(sa.func.max(signed.size)).where(signed.tenant == tenant)) or 0
        due = tile_at(tile.level, tile.index, size)
        if due is None or tile.width > due.width:
            return None
        return _bundle(connection, tenant, tile) if tile.level == ENTRIES else _hashes(connection, tenant, tile)

    return look


def is_bundle(path: str) -> bool:
    """Whether a path is that of entries, which are not for everybody.

    Raises: Malformed for what is no path of a log.
    """
    return read_path(path).level == ENTRIES


def is_full(path: str) -> bool:
    """Whether what lies at a path of a log never gets more."""
    try:
        return read_path(path).width == WIDTH
    except Malformed:
        return False


def _hashes(connection: sa.Connection, tenant: Id, tile: Tile) -> bytes:
    return tiles.encode_hashes(tiling.hashes_of(connection, tenant, tile))


def _bundle(connection: sa.Connection, tenant: Id, tile: Tile) -> bytes | None:
    first = tile.index * WIDTH
    if first < minimum_of(connection, tenant):
        return None
    entries = tuple(tiling.leaves(connection, tenant, first, first + tile.width))
    return tiles.encode_bundle(entries) if len(entries) == tile.width else None
