"""Checks an exported log with pinned keys alone: no database, no network, no trust in who exported it.

Everything is recomputed: signature, bundles, leaf hashes, tiles and root. What the signed root vouches for is
right; whatever differs from it is named. Checking goes on after a problem, so that one report tells them all.
Earlier checkpoints that an auditor kept prove that the log only grew: a log cut back to an older checkpoint of its
own is sound in itself, and only they show what is gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from domain.errors import Malformed
from vault.audit import handover, note, tiles
from vault.audit.alignment import Alignment
from vault.audit.handover import Keyholders
from vault.audit.leaf import read_leaf
from vault.audit.merkle import leaf_hash
from vault.audit.note import BadSignature, Checkpoint, UnknownKey, Verifier
from vault.audit.report import Findings, Kind, Report
from vault.audit.stored import Read, Stored, left_at, prefix_of
from vault.audit.tiles import CHECKPOINT, ENTRIES, WIDTH, Tile, tile_at

HANDOVERS = "handover"
"""The folder beside an exported log in which its keys hand over, one file each, by number."""
MAX_HANDOVERS = 1_000
MAX_ABSENT = 64
"""After so many bundles in a row that are not there the rest is taken to be absent too."""


def verify_folder(
    folder: Path,
    key: Verifier,
    *,
    origin: str | None = None,
    earlier: Sequence[str] = (),
    witnesses: Sequence[Verifier] = (),
    quorum: int | None = None,
    others: Sequence[Verifier] = (),
) -> Report:
    """What is wrong with a log in a folder, judged by the keys that were pinned.

    The origin is that which the key's name states, unless another is expected. `earlier` are signed checkpoints of
    the log; of `witnesses`, so many as the quorum says must have cosigned its checkpoint, all of them where it says
    nothing; `others` are pinned beside the key.
    """
    return verify_log(
        reader(folder),
        key,
        origin=origin,
        earlier=earlier,
        witnesses=witnesses,
        quorum=quorum,
        paths=paths_in(folder),
        others=others,
        handovers=handovers_in(folder),
    )


def verify_log(  # noqa: PLR0913 - what may be pinned, each by its name
    read: Read,
    key: Verifier,
    *,
    origin: str | None = None,
    earlier: Sequence[str] = (),
    witnesses: Sequence[Verifier] = (),
    quorum: int | None = None,
    paths: Iterable[str] = (),
    others: Sequence[Verifier] = (),
    handovers: Sequence[str] = (),
    entries: bool = True,
) -> Report:
    """What is wrong with a log that is read from anywhere; `paths` are the files it is known to have.

    `handovers` say which key came after which; they count as far as a pinned key vouches for them. Without its
    entries, checkpoint and tiles alone are checked, and whether the log only grew.

    Shape: a folder that `write_log` made is `ok`; after any change of a file its checkpoint asks for it is not.
    """
    findings = Findings()
    expected = key.name if origin is None else origin
    keys = _keyholders((key, *others), handovers, findings)
    checkpoint, signer = _checkpoint(read, keys, expected, _Policy(witnesses, quorum), findings)
    if checkpoint is None:
        return Report(problems=findings.problems, found=findings.found)
    stored = Stored(read, checkpoint, findings)
    pruned = 0
    if entries:
        pruned = _entries(stored, checkpoint.size, expected, findings)
    else:
        _tree(stored, checkpoint.size)
    for number, text in enumerate(earlier, 1):
        place = f"earlier checkpoint {number}"
        old, by = _signed(text.encode(), keys, expected, place, findings)
        if old is not None and by is not None:
            _extends(stored, checkpoint.size, old, place, findings)
    for number, one in enumerate(keys.used, 1):
        _extends(stored, checkpoint.size, one.checkpoint, f"handover {number}", findings)
    for path in paths:
        _file(stored, checkpoint.size, path, findings)
    return Report(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root,
        key="" if signer is None else str(signer),
        pruned=pruned,
        problems=findings.problems,
        found=findings.found,
    )


def reader(folder: Path) -> Read:
    """Reads the files of a folder, never more of one than the format allows and one byte that shows there is more."""

    def read(path: str) -> bytes:
        most = note.MAX_NOTE_BYTES if path == CHECKPOINT else tiles.MAX_BUNDLE_BYTES
        with (folder / path).open("rb") as file:
            return file.read(most + 1)

    return read


def paths_in(folder: Path) -> Iterator[str]:
    """The files under `tile/` of a folder; what lies beside it, such as a description, is no part of the log."""
    for place, folders, names in os.walk(folder / "tile"):
        folders.sort()
        for name in sorted(names):
            yield (Path(place) / name).relative_to(folder).as_posix()


def handovers_in(folder: Path) -> list[str]:
    """The handovers that lie beside a log, in their order."""
    files = sorted((folder / HANDOVERS).glob("*"), key=lambda path: (len(path.name), path.name))
    return [_text(path) for path in files[:MAX_HANDOVERS]]


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(note.MAX_NOTE_BYTES).decode(errors="replace")


def _keyholders(pinned: Sequence[Verifier], handovers: Sequence[str], findings: Findings) -> Keyholders:
    """The keys that are believed; a handover that is none is a finding, and says nothing."""
    sound: list[str] = []
    for number, text in enumerate(handovers, 1):
        try:
            handover.read(text)
        except Malformed as error:
            findings.add(Kind.MALFORMED, f"handover {number}", error.message)
        else:
            sound.append(text)
    keys = Keyholders(pinned, sound)
    for one in keys.doubled:
        findings.add(Kind.FORK, f"handover to {_called(one.following)}", f"{_called(one.former)} hands over twice")
    return keys


class _Policy(NamedTuple):
    """Which witnesses are believed, and how many of them must have cosigned."""

    witnesses: Sequence[Verifier]
    quorum: int | None

    def judge(self, data: bytes, findings: Findings) -> None:
        """Names the witnesses that are missed, where those that cosigned are too few."""
        missed = [witness.name for witness in self.witnesses if not _cosigned(data, witness)]
        wanted = len(self.witnesses) if self.quorum is None else self.quorum
        have = len(self.witnesses) - len(missed)
        if have >= wanted:
            return
        if self.quorum is None:
            for name in missed:
                findings.add(Kind.UNWITNESSED, CHECKPOINT, f"{name} has not cosigned it")
        else:
            said = f"{have} of {wanted} that are needed cosigned it; not: {', '.join(missed)}"
            findings.add(Kind.UNWITNESSED, CHECKPOINT, said)


def _cosigned(data: bytes, witness: Verifier) -> bool:
    try:
        note.open_note(data, (witness,))
    except (BadSignature, UnknownKey):
        return False
    return True


def _checkpoint(
    read: Read, keys: Keyholders, origin: str, policy: _Policy, findings: Findings
) -> tuple[Checkpoint | None, Verifier | None]:
    """The checkpoint of the log, and the believed key that signed it."""
    try:
        data = read(CHECKPOINT)
    except (FileNotFoundError, NotADirectoryError):
        findings.add(Kind.MISSING, CHECKPOINT)
        return None, None
    except OSError as error:
        findings.add(Kind.UNREADABLE, CHECKPOINT, type(error).__name__)
        return None, None
    checkpoint, signer = _signed(data, keys, origin, CHECKPOINT, findings)
    if checkpoint is not None:
        policy.judge(data, findings)
    return checkpoint, signer


def _signed(
    data: bytes, keys: Keyholders, origin: str, place: str, findings: Findings
) -> tuple[Checkpoint | None, Verifier | None]:
    """The checkpoint as it is written, and the believed key that signed it for this log."""
    try:
        written = note.parse_note(data)
        checkpoint = note.parse_checkpoint(written.text)
    except Malformed as error:
        findings.add(Kind.MALFORMED, place, error.message)
        return None, None
    signer = _signer(data, checkpoint, keys, place, findings)
    if checkpoint.origin != origin:
        findings.add(Kind.WRONG_ORIGIN, place, f"it is of {checkpoint.origin}, not of {origin}")
        return checkpoint, None
    return checkpoint, signer


def _signer(data: bytes, checkpoint: Checkpoint, keys: Keyholders, place: str, findings: Findings) -> Verifier | None:
    """The believed key that signed a checkpoint, in its own time."""
    pinned = keys.verifiers[0]
    try:
        verified = note.open_note(data, keys.verifiers).verified
    except BadSignature:
        findings.add(Kind.BAD_SIGNATURE, place, f"the signature of {pinned.name} does not verify")
        return None
    except UnknownKey:
        lines = note.parse_note(data).unverified
        names = ", ".join(f"{line.name}+{line.key_id.hex()}" for line in lines[:3])
        findings.add(Kind.WRONG_KEY, place, f"signed by {names}, not by {_called(pinned)}")
        return None
    ended = ""
    for line in verified:
        known = keys.of(line.name, line.key_id)
        if known is not None and (known.size is None or checkpoint.size <= known.size):
            return known.key
        if known is not None:
            ended = f"{_called(known.key)} signs no more than {known.size} entries: it ended there"
    findings.add(Kind.WRONG_KEY, place, ended)
    return None


def _called(key: Verifier) -> str:
    return f"{key.name}+{key.key_id.hex()}"


def _tree(stored: Stored, size: int) -> None:
    """Checks that every tile of leaf hashes leads to the root."""
    for first in range(0, size, WIDTH):
        stored.judged(Tile(0, first // WIDTH, min(WIDTH, size - first)))


def _entries(stored: Stored, size: int, origin: str, findings: Findings) -> int:
    """Checks that every entry is the one the tree has at its place, and an entry of this tenant.

    Gives how many entries at the beginning may be absent: as many as an entry that is there says were pruned.
    """
    check, alignment = _Entries(origin, findings), Alignment(findings)
    holes: list[Tile] = []
    absent: list[Tile] = []
    first = 0
    while first < size:
        bundle = Tile(ENTRIES, first // WIDTH, min(WIDTH, size - first))
        entries = stored.bundle(bundle)
        promised = stored.judged(replace(bundle, level=0)).hashes
        first += WIDTH
        if entries:
            absent.clear()
            hashes = tuple(map(leaf_hash, entries))
            alignment.feed(bundle.index * WIDTH, promised or hashes, hashes)
            check.see(bundle.index * WIDTH, entries)
        else:
            absent.append(bundle)
            holes += [bundle] if bundle.path in stored.absent else []
            if len(absent) == MAX_ABSENT:
                first = _onward(stored, first, size)
    _holes(holes, check.pruned, findings)
    cut = len(absent) > 1
    if absent:
        # A log that was cut short, or grew, may still have a bundle of another width where this one is due.
        first = absent[0].index * WIDTH
        left = left_at(lambda path: stored.file(path, quiet=True), absent[0])
        hashes = tuple(map(leaf_hash, left))
        alignment.feed(first, stored.judged(replace(absent[0], level=0)).hashes or hashes, hashes)
        check.see(first, left)
        cut = cut or len(left) < absent[0].width
    alignment.finish(size, cut=cut)
    return check.pruned if holes else 0


def _holes(holes: Sequence[Tile], pruned: int, findings: Findings) -> None:
    """Names the bundles that are absent, and that no entry says were pruned."""
    for bundle in holes:
        if (bundle.index + 1) * WIDTH > pruned:
            findings.add(Kind.MISSING, bundle.path)


def _onward(stored: Stored, first: int, size: int) -> int:
    """Where entries are there again after many that are not; the end of the log where none are.

    Pruning leaves one gap, so that halving finds its end; its bundles need not be asked for one by one.
    """
    last = (size - 1) // WIDTH
    low, high = first // WIDTH, last

    def there(index: int) -> bool:
        path = Tile(ENTRIES, index, min(WIDTH, size - index * WIDTH)).path
        return stored.file(path, quiet=True) is not None

    if low > last or not there(last):
        return size
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if there(middle) else (middle + 1, high)
    return low * WIDTH


class _Entries:
    """Reads entry after entry: each of format 1, of one tenant, with an id of its own. Remembers every id."""

    def __init__(self, origin: str, findings: Findings) -> None:
        self._findings = findings
        self._seen: dict[str, int] = {}
        self.pruned = 0
        """How many entries were pruned, by the entries that say so."""
        self._tenant = ""
        try:
            self._tenant = note.tenant_of(origin)
        except Malformed as error:
            findings.add(Kind.WRONG_ORIGIN, CHECKPOINT, error.message)

    def see(self, first: int, entries: Sequence[bytes]) -> None:
        """Takes the entries from a place in the log on."""
        for at, data in enumerate(entries, first):
            try:
                leaf = read_leaf(data)
            except Malformed as error:
                self._findings.add(Kind.MALFORMED, f"entry {at}", error.message)
                continue
            self.pruned = max(self.pruned, leaf.pruned)
            if self._tenant and leaf.tenant != self._tenant:
                self._findings.add(Kind.WRONG_TENANT, f"entry {at}", f"it is not of {self._tenant}")
            before = self._seen.setdefault(leaf.id, at)
            if before != at:
                self._findings.add(Kind.REPEATED, f"entry {at}", f"it has the id of entry {before}")


def _extends(stored: Stored, size: int, old: Checkpoint, place: str, findings: Findings) -> None:
    """Checks that the log only grew since an earlier checkpoint of it."""
    if old.size > size:
        findings.add(Kind.ROLLED_BACK, place, f"it promises {old.size} entries, the log has {size}")
        return
    root = stored.root_at(old.size)
    if root is None:
        findings.add(Kind.UNPROVEN, place, f"damage hides whether the checkpoint of size {old.size} is a prefix")
    elif root != old.root:
        findings.add(Kind.FORK, place, f"the checkpoint of size {old.size} is not a prefix")


def _file(stored: Stored, size: int, path: str, findings: Findings) -> None:
    """Checks a file that the checkpoint does not ask for: an older partial tile is a beginning of what is there now."""
    try:
        tile = tiles.read_path(path)
    except Malformed:
        findings.add(Kind.EXTRA, path if path.isprintable() else ascii(path), "it is no file of a log")
        return
    due = tile_at(tile.level, tile.index, size)
    if due is None or tile.width > due.width:
        findings.add(Kind.EXTRA, path, f"it is beyond the {size} entries of the checkpoint")
    elif tile.width < due.width:
        known = (stored.bundle(due) or ()) if tile.level == ENTRIES else stored.judged(due).hashes
        data = stored.file(path)
        if data is not None and len(known) >= tile.width and data != prefix_of(tile, known):
            findings.add(Kind.ALTERED, path, f"it is not a beginning of {due.path}")
