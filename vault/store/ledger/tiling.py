"""The hash tiles of a log, kept as they become full: readers over HTTP, proofs and witnesses need no entries for them.

A tile that is not full yet is made when it is asked for: of the leaves behind the last full tile, or of the roots of
the full tiles below it.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from domain.errors import NotFound
from domain.ids import Id
from vault.audit import batches, tiles
from vault.audit.merkle import CompactRange, Proof, leaf_hash, root_of, split_hashes
from vault.audit.tiles import WIDTH, Edge, Tile, edge_of
from vault.store.tables import audit_batch, audit_tile

AT_ONCE = 64
"""How many tiles are written together."""


def bring_up(connection: sa.Connection, tenant: Id, size: int) -> None:
    """Keeps every tile that is full in the tree of a size, and is not kept yet."""
    kept = _kept(connection, tenant)
    if size // WIDTH <= kept:
        return
    edge = edge_of(kept * WIDTH, lambda tile: hashes_of(connection, tenant, tile))
    rows: list[dict[str, object]] = []
    for leaf in leaves(connection, tenant, kept * WIDTH, size // WIDTH * WIDTH):
        rows += [_row(tenant, tile, hashes) for tile, hashes in edge.append(leaf_hash(leaf))]
        if len(rows) >= AT_ONCE:
            connection.execute(sa.insert(audit_tile), rows)
            rows.clear()
    if rows:
        connection.execute(sa.insert(audit_tile), rows)


def _kept(connection: sa.Connection, tenant: Id) -> int:
    """How many full tiles of leaf hashes are kept."""
    column = audit_tile.c
    last = sa.select(sa.func.max(column.place)).where(column.tenant == tenant, column.level == 0)
    found = connection.scalar(last)
    return 0 if found is None else found + 1


def _row(tenant: Id, tile: Tile, hashes: list[bytes]) -> dict[str, object]:
    packed = tiles.encode_hashes(hashes)
    return {"tenant": tenant, "level": tile.level, "place": tile.index, "root": root_of(hashes), "hashes": packed}


def hashes_of(connection: sa.Connection, tenant: Id, tile: Tile) -> Proof:
    """The hashes of a tile that the log has; a narrower one is the beginning of what is there now.

    Raises: NotFound where the log is too short for it.
    """
    column = audit_tile.c
    own = (column.tenant == tenant, column.level == tile.level, column.place == tile.index)
    packed = connection.scalar(sa.select(column.hashes).where(*own))
    if packed is not None:
        return split_hashes(bytes(packed))[: tile.width]
    first = tile.index * WIDTH
    if tile.level == 0:
        found = tuple(map(leaf_hash, leaves(connection, tenant, first, first + tile.width)))
    else:
        below = (column.tenant == tenant, column.level == tile.level - 1, column.place >= first)
        roots = sa.select(column.root).where(*below, column.place < first + tile.width).order_by(column.place)
        found = tuple(bytes(root) for root in connection.scalars(roots))
    if len(found) != tile.width:
        raise NotFound("The log has no such tile.", advice="Ask for the tiles of a checkpoint that was signed.")
    return found


def leaves(connection: sa.Connection, tenant: Id, first: int, end: int) -> Iterator[bytes]:
    """The entries from one place in the log to before another, as far as they are there."""
    batch = audit_batch.c
    own = batch.tenant == tenant
    start = sa.select(sa.func.max(batch.first_index)).where(own, batch.first_index <= first).scalar_subquery()
    select = sa.select(batch.first_index, batch.entries).where(
        own, batch.first_index >= sa.func.coalesce(start, first), batch.first_index < end
    )
    with connection.execute(select.order_by(batch.first_index), execution_options={"yield_per": 100}) as rows:
        for at, packed in rows:
            entries = batches.unpack(bytes(packed))
            yield from entries[max(first - at, 0) : end - at]


def range_at(connection: sa.Connection, tenant: Id, size: int) -> CompactRange:
    """The tree as it was when the log had a size.

    Raises: NotFound where it never had.
    """
    edge: Edge = edge_of(size, lambda tile: hashes_of(connection, tenant, tile))
    return edge.range()
