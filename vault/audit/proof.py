"""A proof that an entry is in a log, in one text that needs no network (C2SP tlog-proof): index, hashes, checkpoint.

The text may carry extra data for the reader. Nothing vouches for it: it is never to be trusted.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import Malformed, Tampered
from vault.audit import merkle, note
from vault.audit.merkle import HASH_BYTES, Nodes, Proof
from vault.audit.note import Checkpoint, Verifier

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
"""A tree of the largest size a checkpoint states has no longer path."""
MAX_PROOF_BYTES = 65_536 + note.MAX_NOTE_BYTES
_EXTRA = "extra "
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """An entry's place in a log, the hashes that lead from it to the root, and the checkpoint that states the root."""

    index: int
    hashes: Proof
    checkpoint: str
    """The signed checkpoint, word for word."""
    extra: bytes = b""
    """Not authenticated."""

    @property
    def text(self) -> str:
        """The proof as it is stored or sent."""
        extra = f"{_EXTRA}{b64encode(self.extra).decode()}\n" if self.extra else ""
        hashes = "".join(f"{b64encode(each).decode()}\n" for each in self.hashes)
        return f"{HEADER}\n{extra}index {self.index}\n{hashes}\n{self.checkpoint}"


def prove(index: int, checkpoint: str, nodes: Nodes) -> LogProof:
    """The proof that a log holds what stands at an index, from the nodes of the tree that the checkpoint states.

    Shape:  `verify` accepts it with the entry of that index, and with no other.
    Raises: Malformed when the log has no such entry; Tampered when the nodes do not lead to the checkpoint's root.
    """
    stated = note.parse_checkpoint(note.parse_note(checkpoint.encode()).text)
    hashes = merkle.inclusion_proof(index, stated.size, nodes)
    if not merkle.verify_inclusion(index, stated.size, nodes(0, index), hashes, stated.root):
        raise Tampered("The tiles of the log do not lead to the root of its checkpoint.")
    return LogProof(index=index, hashes=hashes, checkpoint=checkpoint)


def read_proof(data: bytes) -> LogProof:
    """The proof as it is written, nothing verified.

    Shape:  gives back what `text` wrote; no proof has two spellings.
    Raises: Malformed.
    """
    try:
        text = data.decode() if len(data) <= MAX_PROOF_BYTES else ""
    except UnicodeDecodeError:
        text = ""
    head, gap, checkpoint = text.partition("\n\n")
    header, *lines = head.split("\n")
    if not gap or header != HEADER:
        raise Malformed(f"A proof begins with {HEADER}, and an empty line stands before its checkpoint.")
    extra = b""
    if lines and lines[0].startswith(_EXTRA):
        extra = note.canonical_base64(lines.pop(0).removeprefix(_EXTRA))
        if not extra:
            raise Malformed("The extra data of the proof is not base64.")
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None or int(index[1]) > note.MAX_NUMBER:
        raise Malformed("The proof does not say at which index the entry stands.")
    hashes = tuple(map(note.canonical_base64, lines))
    if len(hashes) > MAX_HASHES or any(len(each) != HASH_BYTES for each in hashes):
        raise Malformed(f"A proof has at most {MAX_HASHES} hashes, each of 32 bytes in base64.")
    return LogProof(index=int(index[1]), hashes=hashes, checkpoint=checkpoint, extra=extra)


def verify(
    entry: bytes, proof: LogProof, key: Verifier, *, origin: str | None = None, witnesses: Sequence[Verifier] = ()
) -> Checkpoint:
    """The checkpoint under which the log holds the entry, when the proof shows it and the pinned key signed it.

    The origin is that which the key's name states, unless another is expected; every witness must have cosigned.

    Raises: Malformed; UnknownKey and BadSignature for the checkpoint; Tampered when the entry is not there.
    """
    data = proof.checkpoint.encode()
    checkpoint = note.open_checkpoint(data, key.name if origin is None else origin, key)
    for witness in witnesses:
        note.open_note(data, (witness,))
    leaf = merkle.leaf_hash(entry)
    if not merkle.verify_inclusion(proof.index, checkpoint.size, leaf, proof.hashes, checkpoint.root):
        raise Tampered(f"The proof does not show that the entry stands at index {proof.index} of the log.")
    return checkpoint
