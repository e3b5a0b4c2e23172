"""An exported log gets the cosignature of a witness: what proves that it grew is in its files."""

from __future__ import annotations

from pathlib import Path

from domain.errors import Malformed, NotFound, Tampered
from vault.audit import note, tiles
from vault.audit.merkle import Proof, consistency_proof
from vault.audit.note import Checkpoint, Signature
from vault.audit.tiles import CHECKPOINT, Tile
from vault.witness.asking import Behind, Place, ask
from vault.witness.folder import put

_TRIES = 3
"""How often a witness is asked that cosigned something else meanwhile."""
_WRITTEN = "Name the folder that `credence audit export` wrote."
_HISTORIES = "Keep both: one of them was rewritten, and each was signed."
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
    old, proof = 0, Proof()
    for _ in range(_TRIES):
        found = await ask(place, written.decode(), old, proof)
        if isinstance(found, Signature):
            put(folder / CHECKPOINT, _with(signed, found))
            return checkpoint
        if found.size == old == checkpoint.size:
            raise Tampered(f"The witness cosigned another history of {old} entries.", advice=_HISTORIES)
        old, proof = found.size, _grown(folder, checkpoint, found)
    raise Tampered("The witness does not stay with what it says.", advice="Ask whoever runs it.")


def _with(signed: note.Note, found: Signature) -> bytes:
    """The note with a signature in place of one the same key made before."""
    lines = [each.line for each in signed.unverified if (each.name, each.key_id) != (found.name, found.key_id)]
    return "".join([signed.text, "\n", *lines, found.line]).encode()


def _grown(folder: Path, checkpoint: Checkpoint, behind: Behind) -> Proof:
    """What shows that the exported log extends what the witness cosigned."""
    if behind.size > checkpoint.size:
        raise Tampered(f"The witness cosigned {behind.size} entries, the export has {checkpoint.size}.", advice=_AGAIN)
    if behind.size == checkpoint.size:
        return ()

    def read(tile: Tile) -> bytes:
        return (folder / tile.path).read_bytes()

    try:
        return consistency_proof(behind.size, checkpoint.size, tiles.nodes_in(checkpoint.size, read))
    except (OSError, Malformed):
        raise Tampered("The files of the exported log are not whole.", advice=_AGAIN) from None
