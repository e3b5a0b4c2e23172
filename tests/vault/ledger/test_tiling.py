"""Full tiles are kept as they become full; every other tile is made of what is there, at whatever size."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from domain.errors import NotFound
from tests.vault.ledger.grown import grow
from tests.world import TENANT
from vault.audit.merkle import leaf_hash, root_of
from vault.audit.tiles import WIDTH, Edge, Tile
from vault.store.ledger import lookups, published, tiling
from vault.store.tables import audit_tile


def tiles_of(leaves):
    """All tiles of a log, by the other code there is for them."""
    edge, found = Edge(), {}
    for leaf in leaves:
        found.update((tile, tuple(hashes)) for tile, hashes in edge.append(leaf_hash(leaf)))
    return found, {tile: tuple(hashes) for tile, hashes in edge.unfinished()}


@pytest.mark.parametrize("most", [lookups.AT_ONCE, 100])
def test_every_tile_of_a_log_is_there_however_it_grew(world, monkeypatch, most):
    monkeypatch.setattr(lookups.bring_up, "__defaults__", (most,))
    for count in (3, WIDTH - 1, 1, 300, 2 * WIDTH):
        grow(world, count)
    leaves = world.leaves()
    full, partial = tiles_of(leaves)
    assert {tile.level for tile in full} == {0}
    for tile, hashes in (full | partial).items():
        assert world.look(lambda connection, tile=tile: tiling.hashes_of(connection, TENANT, tile)) == hashes
    kept = sa.select(audit_tile.c.level, audit_tile.c.place, audit_tile.c.root).order_by(audit_tile.c.place)
    assert [tuple(row) for row in world.look(lambda connection: connection.execute(kept).all())] == [
        (tile.level, tile.index, root_of(hashes)) for tile, hashes in full.items()
    ]
    for size in (1, WIDTH - 1, WIDTH, WIDTH + 1, 3 * WIDTH + 7, len(leaves)):
        found = world.look(lambda connection, size=size: tiling.range_at(connection, TENANT, size))
        assert found.root() == root_of(map(leaf_hash, leaves[:size]))


def test_what_the_log_has_not_is_not_made_up(world):
    grow(world, 5)
    for tile in (Tile(0, 0), Tile(0, 3, 1), Tile(1, 0, 1), Tile(0, 0, 200)):
        with pytest.raises(NotFound):
            world.look(lambda connection, tile=tile: tiling.hashes_of(connection, TENANT, tile))
    assert world.look(published.file_of(TENANT, "tile/entries/000")) is None
    assert world.look(published.file_of(TENANT, "tile/0/000.p/200")) is None
