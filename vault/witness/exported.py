"""An exported log gets the cosignature of a witness: what proves that it grew is in its files."""

from __future__ import annotations

from pathlib import Path

from domain.errors import Malformed, NotFound, Tampered
from vault.audit import note, tiles
from vault.audit.merkle import Proof, consistency_proof
from vault.audit.note import Checkpoint, Signature
from vault.audit.tiles import CHECKPOINT, Tile
from vault.witness.asking import Place, submit
from vault.witness.folder import put

_WRITTEN = "Name the folder that `credence audit export` wrote."
_AGAIN = "Export the log again, into the same folder."


async def cosign(folder: Path, place: Place) -> Checkpoint:
    """Asks a witness to cosign the checkpoint of an exported log, and puts its signature there; the checkpoint.

    Raises: NotFound; Malformed; Tampered where the witness refuses, or cosigned more than the export has; Unavailable.
    """
    try:
        written = (folder / CHECKPOINT).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound("There is no exported log.", advice=_WRITTEN) from None
    signed = note.parse_note(written)
    checkpoint = note.parse_checkpoint(signed.text)

    async def prove(old: int) -> Proof:
        return _grown(folder, checkpoint, old)

    found = await submit(place, written.decode(), 0, prove)
    if not isinstance(found, Signature):
        said = f"The witness cosigned {found.size} entries, the export has {checkpoint.size}."
        raise Tampered(said, advice=_AGAIN)
    put(folder / CHECKPOINT, _with(signed, found))
    return checkpoint


def _with(signed: note.Note, found: Signature) -> bytes:
    """The note with a signature in place of one the same key made before."""
    lines = [each.line for each in signed.unverified if (each.name, each.key_id) != (found.name, found.key_id)]
    return "".join([signed.text, "\n", *lines, found.line]).encode()


def _grown(folder: Path, checkpoint: Checkpoint, old: int) -> Proof:
    """What shows that the exported log extends what the witness cosigned."""
    if old in {0, checkpoint.size}:
        return ()

    def read(tile: Tile) -> bytes:
        return (folder / tile.path).read_bytes()

    try:
        return consistency_proof(old, checkpoint.size, tiles.nodes_in(checkpoint.size, read))
    except (OSError, Malformed):
        raise Tampered("The files of the exported log are not whole.", advice=_AGAIN) from None
