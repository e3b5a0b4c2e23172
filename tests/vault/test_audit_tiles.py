import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Malformed
from vault.audit import merkle, tiles
from vault.audit.tiles import Edge, Tile

LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(70_000)]


def grown(size):
    """The edge of a log and all its tiles, as a folder would hold them."""
    edge, files = Edge(), {}
    for leaf in LEAVES[:size]:
        files |= {tile: tuple(hashes) for tile, hashes in edge.append(leaf)}
    return edge, files | {tile: tuple(hashes) for tile, hashes in edge.unfinished()}


def test_a_path_is_that_of_the_format():
    assert Tile(0, 1234067).path == "tile/0/x001/x234/067"
    assert Tile(tiles.ENTRIES, 0, 15).path == "tile/entries/000.p/15"
    assert Tile(63, 999, 255).path == "tile/63/999.p/255"
    assert Tile(1, 1000).path == "tile/1/x001/000"


@given(st.integers(-1, 63), st.integers(0, 2**60), st.integers(1, 256))
def test_a_path_gives_its_tile_back(level, index, width):
    tile = Tile(level, index, width)
    assert tiles.read_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/123/456/078",
        "tile/-1/123",
        "tile/64/000",
        "tile/00/000",
        "tile/0/x000/001",
        "tile/0/0001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/05",
        "tile/0/001.p",
        "tile/0/001\n",
        "tile/0/٠٠١",
        "tile/data/001",
        "/tile/0/001",
        "tile/0/../001",
        "tile/0/" + "x999/" * 40 + "999",
        "",
    ],
)
def test_what_is_not_a_path_is_refused(path):
    with pytest.raises(Malformed):
        tiles.read_path(path)


@pytest.mark.parametrize(("level", "index", "width"), [(-2, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_a_tile_outside_the_format_does_not_exist(level, index, width):
    with pytest.raises(Malformed):
        Tile(level, index, width)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
@settings(max_examples=50)
def test_a_bundle_gives_its_entries_back_and_no_shorter_or_longer_one_does(entries):
    data = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(data) == tuple(entries)
    with pytest.raises(Malformed):
        tiles.decode_bundle(data + b"\x00")
    with pytest.raises(Malformed):
        tiles.decode_bundle(data[:1])


def test_an_entry_is_at_most_65535_bytes_and_a_bundle_holds_1_to_256():
    longest = bytes(65_535)
    assert tiles.decode_bundle(tiles.encode_bundle([longest] * 256)) == (longest,) * 256
    for entries in ([longest + b"\x00"], [], [b""] * 257):
        with pytest.raises(Malformed):
            tiles.encode_bundle(entries)
    for data in (b"", b"\x00", b"\x00\x02a", b"\x00\x00" * 257):
        with pytest.raises(Malformed):
            tiles.decode_bundle(data)


def test_a_damaged_bundle_is_read_up_to_the_damage():
    assert tiles.read_bundle(b"\x00\x01a\x00\x05b") == ((b"a",), 3)
    assert tiles.read_bundle(b"\x00\x00" * 300) == ((b"",) * 256, 512)


def test_a_tile_of_another_width_than_its_path_says_is_refused():
    assert tiles.decode_hashes(tiles.encode_hashes(LEAVES[:3]), 3) == tuple(LEAVES[:3])
    for data in (b"", bytes(31), bytes(64), bytes(97)):
        with pytest.raises(Malformed):
            tiles.decode_hashes(data, 3)


def test_the_tree_of_70000_has_the_tiles_the_specification_counts():
    edge, files = grown(70_000)
    counts = {}
    for tile in files:
        counts[tile.level, tile.width] = counts.get((tile.level, tile.width), 0) + 1
    assert counts == {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1}
    assert all(tiles.tile_at(tile.level, tile.index, 70_000) == tile for tile in files)
    assert edge.root() == merkle.root_of(LEAVES)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537])
def test_an_edge_is_restored_from_the_partial_tiles(size):
    edge, files = grown(size)
    restored = tiles.edge_of(size, files.__getitem__)
    assert restored.root() == edge.root() == merkle.root_of(LEAVES[:size])
    assert restored.append(LEAVES[0]) == edge.append(LEAVES[0])
    assert list(restored.unfinished()) == list(edge.unfinished())


def test_proofs_can_be_made_of_tiles_alone():
    size = 66_000
    _, files = grown(size)
    nodes = tiles.nodes_in(size, lambda tile: tiles.encode_hashes(files[tile]))
    root = merkle.root_of(LEAVES[:size])
    for index in (0, 255, 256, 65_535, 65_536, size - 1):
        proof = merkle.inclusion_proof(index, size, nodes)
        assert merkle.verify_inclusion(index, size, LEAVES[index], proof, root)
    for old in (1, 255, 256, 257, 65_536, size - 1, size):
        proof = merkle.consistency_proof(old, size, nodes)
        assert merkle.verify_consistency(old, size, proof, merkle.root_of(LEAVES[:old]), root)
    for level, index in ((0, size), (8, size >> 8), (17, 0)):
        with pytest.raises(Malformed):
            nodes(level, index)


def test_there_is_no_tile_beyond_the_tree():
    assert tiles.tile_at(0, 1, 256) is None
    assert tiles.tile_at(1, 0, 255) is None
    assert tiles.tile_at(tiles.ENTRIES, 0, 0) is None
    assert tiles.tile_at(tiles.ENTRIES, 1, 257) == Tile(tiles.ENTRIES, 1, 1)
    assert tiles.tile_at(0, -1, 300) is None
