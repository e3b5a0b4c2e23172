"""A log cut into immutable files (C2SP tlog-tiles): where each lies and what it holds.

A tile joins up to 256 hashes of one level of tiles: at level 0 the leaf hashes, above it the roots of the full tiles
below. An entry bundle joins up to 256 entries, each behind its length in two bytes, so an entry is at most 65,535
bytes. The rightmost tile of a level may be partial; its path then names its width.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from domain.errors import Malformed
from vault.audit import batches
from vault.audit.merkle import CompactRange, Nodes, Proof, root_of, split_hashes

WIDTH = 256
"""How many hashes a full tile holds, and how many entries a full bundle."""
HEIGHT = 8
"""How many levels of the tree one level of tiles spans."""
MAX_LEVEL = 63
MAX_BUNDLE_BYTES = WIDTH * (2 + batches.MAX_ENTRY_BYTES)
CHECKPOINT = "checkpoint"
"""The path of the signed checkpoint."""
ENTRIES = -1
"""The level of entry bundles, which lie below the leaf hashes."""

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
_MAX_PATH = 64


@dataclass(frozen=True, slots=True)
class Tile:
    """One file of the log: a tile of hashes, or a bundle of entries at level `ENTRIES`."""

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not ENTRIES <= self.level <= MAX_LEVEL or self.index < 0 or not 1 <= self.width <= WIDTH:
            raise Malformed(f"There is no tile {self.index} of width {self.width} at level {self.level}.")

    @property
    def path(self) -> str:
        """Where it lies, such as `tile/0/x001/x234/067.p/5`."""
        digits = f"{self.index % 1000:03}"
        rest = self.index // 1000
        while rest:
            digits = f"x{rest % 1000:03}/{digits}"
            rest //= 1000
        level = "entries" if self.level == ENTRIES else str(self.level)
        return f"tile/{level}/{digits}" + (f".p/{self.width}" if self.width < WIDTH else "")


def read_path(path: str) -> Tile:
    """The tile that lies at a path.

    Shape:  gives back the tile whose path it is, and no tile has two paths.
    Raises: Malformed.
    """
    match = _PATH.fullmatch(path) if len(path) <= _MAX_PATH else None
    if match is None:
        raise _no_path()
    level, upper, last, width = match.groups()
    index = int(upper.replace("x", "").replace("/", "") + last)
    tile = Tile(ENTRIES if level == "entries" else int(level), index, int(width or WIDTH))
    if tile.path != path:  # leading zeros, or a width that says what needs no saying
        raise _no_path()
    return tile


def _no_path() -> Malformed:
    return Malformed("The path does not name a tile of the log.")


def tile_at(level: int, index: int, size: int) -> Tile | None:
    """The tile at its place in a tree of a size, partial where the tree ends; None where there is nothing yet."""
    hashes = size >> HEIGHT * max(level, 0)
    width = min(hashes - index * WIDTH, WIDTH)
    return Tile(level, index, width) if width > 0 and index >= 0 else None


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle.

    Raises: Malformed when an entry is too long, or the bundle would be empty or too wide.
    """
    if not 1 <= len(entries) <= WIDTH:
        raise Malformed(f"A bundle holds 1 to 256 entries, not {len(entries)}.")
    return batches.pack(entries)


def decode_bundle(data: bytes) -> tuple[bytes, ...]:
    """The entries of a bundle.

    Shape:  gives back what was encoded; no other bytes give the same entries.
    Raises: Malformed when it ends inside an entry, is empty, or holds more than 256.
    """
    entries, end = read_bundle(data)
    if end != len(data) or not entries:
        raise Malformed("The bundle ends inside an entry, or holds none or more than 256.")
    return entries


def read_bundle(data: bytes) -> tuple[tuple[bytes, ...], int]:
    """The entries that can be read from a damaged bundle, 256 at most, and where reading ended."""
    return batches.read(data, WIDTH)


def encode_hashes(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a tile of hashes."""
    return b"".join(hashes)


def decode_hashes(data: bytes, width: int = WIDTH) -> Proof:
    """The hashes of a tile.

    Raises: Malformed when it is not as wide as its path says.
    """
    hashes = split_hashes(data)
    if len(hashes) != width:
        raise Malformed(f"The tile holds {len(hashes)} hashes where its path says {width}.")
    return hashes


def nodes_in(size: int, read: Callable[[Tile], bytes]) -> Nodes:
    """Nodes of a tree of a size, read from its tiles: what proofs are made of without the entries."""

    def node(level: int, index: int) -> bytes:
        above, below = divmod(level, HEIGHT)
        first = index << below
        tile = tile_at(above, first // WIDTH, size)
        offset = first % WIDTH
        if tile is None or offset + (1 << below) > tile.width:
            raise Malformed(f"The tree has no whole subtree {index} at level {level}.")
        return root_of(decode_hashes(read(tile), tile.width)[offset : offset + (1 << below)])

    return node


@dataclass(slots=True)
class Edge:
    """The right edge of a growing log: of each level of tiles, the hashes of the tile that is not yet full.

    Shape: the tiles it gives, with those still unfinished at the end, are all tiles of the tree.
    """

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=list)

    def append(self, leaf: bytes) -> list[tuple[Tile, list[bytes]]]:
        """Adds a leaf hash; gives the tiles that become full with it, from the lowest level up."""
        self.size += 1
        done: list[tuple[Tile, list[bytes]]] = []
        node, level = leaf, 0
        while True:
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(node)
            if len(self.levels[level]) < WIDTH:
                return done
            full, self.levels[level] = self.levels[level], []
            done.append((Tile(level, (self.size >> HEIGHT * (level + 1)) - 1), full))
            node, level = root_of(full), level + 1

    def unfinished(self) -> Iterator[tuple[Tile, list[bytes]]]:
        """The partial tiles at the end of the log as it is now."""
        for level, hashes in enumerate(self.levels):
            if hashes:
                yield Tile(level, self.size >> HEIGHT * (level + 1), len(hashes)), hashes

    def range(self) -> CompactRange:
        """The tree as its size and peaks alone."""
        peaks: Proof = ()
        for hashes in reversed(self.levels):
            peaks += CompactRange().extend(hashes).peaks
        return CompactRange(self.size, peaks)

    def root(self) -> bytes:
        """The root of the tree."""
        return self.range().root()


def edge_of(size: int, read: Callable[[Tile], Iterable[bytes]]) -> Edge:
    """The right edge of a log of a size, from the partial tiles it ends with."""
    edge = Edge(size)
    level = 0
    while hashes := size >> HEIGHT * level:
        tile = tile_at(level, hashes // WIDTH, size)
        edge.levels.append(list(read(tile)) if tile else [])
        level += 1
    return edge
