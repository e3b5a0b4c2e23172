"""Writes a log as a folder of plain files (C2SP tlog-tiles) that anybody can check with the log's key alone.

The folder is whole at every moment. New files are gathered beside the log and moved into it only when the entries
lead to the checkpoint; the checkpoint comes last. Files of a log never change: writing again over an older export
adds what is new, and compares all the rest.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from domain.errors import Malformed, Tampered
from vault.audit import note, tiles
from vault.audit.merkle import leaf_hash
from vault.audit.note import Checkpoint
from vault.audit.tiles import CHECKPOINT, ENTRIES, HEIGHT, WIDTH, Edge, Tile, edge_of

_NEW = ".new"
"""Where files wait, in the folder itself so that moving them is one step of the file system."""
FOLDER, FILE = 0o700, 0o600
"""Entries tell who did what: whoever wrote them decides who else may read them."""


def write_log(
    folder: Path,
    entries: Iterable[bytes],
    checkpoint: str,
    *,
    first: int = 0,
    below: Callable[[Tile], bytes] | None = None,
) -> int:
    """Writes all entries of a log, from its first, under a signed checkpoint; gives how many files are new.

    Of a log that was pruned the entries begin with a later one, at the beginning of a bundle; the tiles of hashes
    before it are read from `below`.

    One bundle of entries is held in memory at a time. One writer at a time may write to a folder. Whether the
    signature holds is for the reader to check, who has pinned the key.

    Shape:  the same entries and checkpoint give the same files, whatever older export of the log was there; when it
            raises, the log in the folder is as it was.
    Raises: Malformed when the checkpoint does not fit the entries or is of another log than the folder;
            Tampered when the folder holds more than this log, or other bytes.
    """
    stated = note.parse_checkpoint(note.parse_note(checkpoint.encode()).text)
    _make(folder)
    new = folder / _NEW
    shutil.rmtree(new, ignore_errors=True)  # what a crash left behind
    new.mkdir(FOLDER)
    try:
        start = _Start(first, below)
        for tile, data in _checked(entries, stated, _held(folder, stated), start):
            _add(folder, new, tile.path, data)
        _put(new / CHECKPOINT, checkpoint.encode())
        return _publish(folder, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def files_of(entries: Iterable[bytes], edge: Edge) -> Iterator[tuple[Tile, bytes]]:
    """The files of a log in the order they become whole; the edge, empty at first, grows with them."""
    bundle: list[bytes] = []
    for entry in entries:
        bundle.append(entry)
        done = edge.append(leaf_hash(entry))
        if done:
            yield Tile(ENTRIES, edge.size // WIDTH - 1), tiles.encode_bundle(bundle)
            bundle = []
        for tile, hashes in done:
            yield tile, tiles.encode_hashes(hashes)
    if bundle:
        yield Tile(ENTRIES, edge.size // WIDTH, len(bundle)), tiles.encode_bundle(bundle)
    for tile, hashes in edge.unfinished():
        yield tile, tiles.encode_hashes(hashes)


class _Start(NamedTuple):
    """Where the entries begin, and how the tiles before them are read."""

    first: int
    below: Callable[[Tile], bytes] | None

    def edge(self, size: int) -> Edge:
        """The right edge of the log as it was at a size before the entries."""
        return edge_of(size, self._read)

    def files(self) -> Iterator[tuple[Tile, bytes]]:
        """The full tiles of hashes over what is not there."""
        level = 0
        while count := self.first >> HEIGHT * (level + 1):
            for index in range(count):
                tile = Tile(level, index)
                yield tile, tiles.encode_hashes(self._read(tile))
            level += 1

    def _read(self, tile: Tile) -> Sequence[bytes]:
        if self.below is None:
            raise Malformed("The entries of a log begin with its first.")
        return tiles.decode_hashes(self.below(tile), tile.width)


def _checked(
    entries: Iterable[bytes], stated: Checkpoint, held: Checkpoint | None, start: _Start
) -> Iterator[tuple[Tile, bytes]]:
    """The files of the log, when its entries fit the checkpoint and extend what the folder holds."""
    edge = start.edge(start.first) if start.first else Edge()

    def counted() -> Iterator[bytes]:
        for entry in entries:
            if edge.size == stated.size:
                raise Malformed(f"There are more entries than the {stated.size} the checkpoint states.")
            _extends(edge, held)
            yield entry

    if held is not None and held.size < start.first:
        _extends(start.edge(held.size), held)
    yield from start.files()
    yield from files_of(counted(), edge)
    _extends(edge, held)
    if edge.size != stated.size or edge.root() != stated.root:
        raise Malformed(f"The checkpoint of {stated.size} entries does not fit the {edge.size} entries of the log.")


def _extends(edge: Edge, held: Checkpoint | None) -> None:
    if held is not None and edge.size == held.size and edge.root() != held.root:
        raise Tampered(f"The log does not extend the {held.size} entries exported earlier.")


def _held(folder: Path, stated: Checkpoint) -> Checkpoint | None:
    """The checkpoint the folder has; it may not promise more than the new one."""
    try:
        held = note.parse_checkpoint(note.parse_note((folder / CHECKPOINT).read_bytes()).text)
    except FileNotFoundError:
        return None
    except Malformed:
        raise Tampered("The checkpoint in the folder is damaged.") from None
    if held.origin != stated.origin:
        raise Malformed("The folder holds another log.")
    if held.size > stated.size:
        raise Tampered(f"The folder promises {held.size} entries, the log has {stated.size}.")
    return held


def _add(folder: Path, new: Path, path: str, data: bytes) -> None:
    """Gathers a file, unless the folder has it already."""
    try:
        if (folder / path).read_bytes() != data:
            raise Tampered(f"The folder holds another {path}.")
    except FileNotFoundError:
        _put(new / path, data)


def _put(path: Path, data: bytes) -> None:
    _make(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _make(folder: Path) -> None:
    """A folder with every folder it stands in, each for its owner alone."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(FOLDER, exist_ok=True)


def _publish(folder: Path, new: Path) -> int:
    """Moves the gathered files into the log, the checkpoint last; each step is durable before the next."""
    moved = 0
    touched = {folder}
    for place, _, names in os.walk(new / "tile"):
        goal = folder / Path(place).relative_to(new)
        _make(goal)
        touched |= {goal, goal.parent}
        for name in names:
            _sync(Path(place) / name)
            (Path(place) / name).replace(goal / name)
            moved += 1
    for each in touched:
        _sync(each)
    _sync(new / CHECKPOINT)
    (new / CHECKPOINT).replace(folder / CHECKPOINT)
    _sync(folder)
    return moved


def _sync(path: Path) -> None:
    """Makes a file, or the names in a folder, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
