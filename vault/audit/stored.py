"""The files of a log, each judged by whether it leads to the root that the checkpoint signed.

A tile of hashes is sound when its root stands in a sound tile above it, or when it is part of the right edge and the
edge gives the signed root. A tile that is not sound is rebuilt from what lies below it, from the entries in the end:
if that leads upwards the damage is in the tile alone. So one damaged file is one finding, wherever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice, product

from domain.errors import Malformed
from vault.audit import tiles
from vault.audit.merkle import EMPTY_ROOT, Proof, leaf_hash, root_of
from vault.audit.note import Checkpoint
from vault.audit.report import Findings, Kind
from vault.audit.tiles import CHECKPOINT, ENTRIES, HEIGHT, WIDTH, Edge, Tile, tile_at

Read = Callable[[str], bytes]
"""The bytes that lie at a path of the log; FileNotFoundError when there are none."""

MAX_TRIALS = 64
"""How many ways to put a damaged right edge together are tried."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The hashes of a tile as far as they are known, and whether the signed root vouches for them."""

    hashes: Proof
    sound: bool


UNKNOWN = Judged((), sound=False)


class Stored:
    """A log as its files have it, under a checkpoint. Each level keeps its latest tiles in memory, no more."""

    def __init__(self, read: Read, checkpoint: Checkpoint, findings: Findings) -> None:
        self._read = read
        self._size = checkpoint.size
        self._findings = findings
        self._edge: dict[Tile, Judged] = {}
        self.absent: set[str] = set()
        """What was looked for and is not there."""
        self._upper = lru_cache(maxsize=64)(self._judge)
        self.bundle = lru_cache(maxsize=2)(self._bundle)
        """The entries that can be read from a bundle; None when it is not there."""
        self.sound = self._judge_edge(checkpoint.root)
        """Whether the right edge of the stored tree, as it is or rebuilt, gives the signed root."""

    def file(self, path: str, *, quiet: bool = False) -> bytes | None:
        """The bytes of a file; None, and a problem unless quiet, when it cannot be read."""
        try:
            return self._read(path)
        except (FileNotFoundError, NotADirectoryError):
            self.absent.add(path)
            if not quiet:
                self._findings.add(Kind.MISSING, path)
        except OSError as error:
            self._findings.add(Kind.UNREADABLE, path, type(error).__name__)
        return None

    def judged(self, tile: Tile) -> Judged:
        """The hashes of a tile of the tree."""
        if tile in self._edge:
            return self._edge[tile]
        return self._judge(tile) if tile.level == 0 else self._upper(tile)

    def root_at(self, size: int) -> bytes | None:
        """The root the tree had at an earlier size; None where the signed root does not vouch for it."""
        edge, level = Edge(size), 0
        while hashes := size >> HEIGHT * level:
            width, index = hashes % WIDTH, hashes // WIDTH
            tile = tile_at(level, index, self._size) if width else None
            found = self.judged(tile) if tile else UNKNOWN
            if width and not found.sound:
                return None
            edge.levels.append(list(found.hashes[:width]))
            level += 1
        return edge.root()

    def _judge(self, tile: Tile) -> Judged:
        """A full tile, by the hash that stands for it above."""
        place = tile_at(tile.level + 1, tile.index // WIDTH, self._size)
        above = self.judged(place) if place else UNKNOWN
        promised = above.hashes[tile.index % WIDTH] if above.hashes else b""
        stored = self._hashes(tile)
        if stored and root_of(stored) == promised:
            return Judged(stored, above.sound)
        rebuilt = self._below(tile)
        if rebuilt and root_of(rebuilt) == promised:
            if stored:
                self._findings.add(Kind.ALTERED, tile.path)
            return Judged(rebuilt, above.sound)
        if promised and place and (stored or rebuilt):
            span = WIDTH ** (tile.level + 1)
            entries = f"entries {tile.index * span} to {(tile.index + 1) * span - 1}"
            blamed = tile.path if stored else entries
            self._findings.add(Kind.ALTERED, blamed, f"what is there does not lead to {place.path}")
        return Judged(stored or rebuilt, sound=False)

    def _judge_edge(self, root: bytes) -> bool:
        """Puts the right edge together so that it gives the signed root, if that can be done."""
        edge = [tile for tile in self._levels() if tile]
        kept = {tile: self._hashes(tile) for tile in edge}
        if self._leads(kept, root):
            return self._settle(kept, sound=True)
        rebuilt = {tile: self._below(tile) for tile in edge}
        for way in islice(product(*((kept[tile], rebuilt[tile]) for tile in edge)), MAX_TRIALS):
            trial = dict(zip(edge, way, strict=True))
            if self._leads(trial, root):
                for tile in edge:
                    if kept[tile] and trial[tile] != kept[tile]:
                        self._findings.add(Kind.ALTERED, tile.path)
                return self._settle(trial, sound=True)
        for tile in edge:
            if kept[tile] and rebuilt[tile] and kept[tile] != rebuilt[tile]:
                self._findings.add(Kind.ALTERED, tile.path, "it is not what lies below it")
        said = f"the {self._size} entries and their tiles do not lead to the root of the checkpoint"
        self._findings.add(Kind.WRONG_ROOT, CHECKPOINT, said)
        return self._settle({tile: kept[tile] or rebuilt[tile] for tile in edge}, sound=False)

    def _levels(self) -> list[Tile | None]:
        """The partial tile at the end of each level; None where the level ends with a full one."""
        levels: list[Tile | None] = []
        while hashes := self._size >> HEIGHT * len(levels):
            levels.append(tile_at(len(levels), hashes // WIDTH, self._size))
        return levels

    def _leads(self, edge: Mapping[Tile, Proof], root: bytes) -> bool:
        if not self._size:
            return root == EMPTY_ROOT
        if not all(edge.values()):
            return False
        levels = [list(edge[tile]) if tile else [] for tile in self._levels()]
        return Edge(self._size, levels).root() == root

    def _settle(self, edge: Mapping[Tile, Proof], *, sound: bool) -> bool:
        self._edge = {tile: Judged(hashes, sound) for tile, hashes in edge.items()}
        return sound

    def _hashes(self, tile: Tile) -> Proof:
        """The hashes a tile's file holds; none when it is missing or of another length."""
        data = self.file(tile.path)
        if data is None:
            return ()
        try:
            return tiles.decode_hashes(data, tile.width)
        except Malformed as error:
            self._findings.add(Kind.MALFORMED, tile.path, error.message)
            return ()

    def _below(self, tile: Tile) -> Proof:
        """The hashes of a tile, made from the files below it; none when one of those is missing too."""
        if tile.level == 0:
            entries = self.bundle(Tile(ENTRIES, tile.index, tile.width)) or ()
            return tuple(map(leaf_hash, entries)) if len(entries) == tile.width else ()
        hashes: list[bytes] = []
        for index in range(tile.index * WIDTH, tile.index * WIDTH + tile.width):
            child = Tile(tile.level - 1, index)
            below = self._hashes(child) or self._below(child)
            if not below:
                return ()
            hashes.append(root_of(below))
        return tuple(hashes)

    def _bundle(self, tile: Tile) -> tuple[bytes, ...] | None:
        data = self.file(tile.path, quiet=True)  # whether it should be there is not known yet
        if data is None:
            return None
        entries, end = tiles.read_bundle(data)
        if end != len(data) and len(entries) < tile.width:
            self._findings.add(Kind.MALFORMED, tile.path, f"it ends inside entry {tile.index * WIDTH + len(entries)}")
        elif end != len(data) or len(entries) != tile.width:
            most = f"more than {WIDTH}" if end != len(data) else str(len(entries))
            self._findings.add(Kind.MALFORMED, tile.path, f"it holds {most} entries, its path says {tile.width}")
        return entries


def left_at(read: Callable[[str], bytes | None], bundle: Tile) -> tuple[bytes, ...]:
    """The entries of the widest bundle at a place where the one that is due is missing."""
    for width in range(WIDTH, 0, -1):
        data = read(replace(bundle, width=width).path)
        if data is not None:
            return tiles.read_bundle(data)[0]
    return ()


def prefix_of(older: Tile, known: Sequence[bytes]) -> bytes:
    """The bytes an older, narrower file must hold, by what is known at its place now."""
    beginning = known[: older.width]
    return tiles.encode_bundle(beginning) if older.level == ENTRIES else tiles.encode_hashes(beginning)
