"""Whether a witness cosigns a checkpoint: where a key it trusts signed, and it extends what was cosigned before.

Request, status codes and answer are those of C2SP tlog-witness, `add-checkpoint`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from threading import Lock
from typing import Final, NamedTuple, Protocol

from domain.errors import Malformed, Tampered
from vault.audit import note
from vault.audit.merkle import EMPTY_ROOT, verify_consistency
from vault.audit.note import Checkpoint, Signer, Verifier

MOST_HASHES: Final = 63
"""How many hashes a proof has at most."""
MOST_BYTES: Final = 32 * 1024
"""Bytes of a request: a proof, a checkpoint and a hundred signatures fit."""
SIZE_MEDIA: Final = "text/x.tlog.size"
TEXT_MEDIA: Final = "text/plain; charset=utf-8"

_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


class Answer(NamedTuple):
    """What the witness answers."""

    status: HTTPStatus
    body: str
    media: str = TEXT_MEDIA


class Asked(NamedTuple):
    """A request, as it is written."""

    old: int
    """How many entries the witness cosigned before, as the log believes."""
    proof: tuple[bytes, ...]
    note: bytes
    checkpoint: Checkpoint


class Kept(Protocol):
    """What a witness keeps between two requests."""

    def latest(self, origin: str) -> Checkpoint | None:
        """The latest checkpoint of a log that was cosigned."""
        ...

    def keep(self, origin: str, note: bytes) -> None:
        """Keeps a checkpoint in place of the one before it; durable when it returns."""
        ...


class Witness:
    """One witness: one request at a time is judged, kept and signed, so that no answer is older than what is kept."""

    def __init__(self, signer: Signer, logs: Iterable[Verifier], kept: Kept) -> None:
        self._signer = signer
        self._logs: dict[str, list[Verifier]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        self._kept = kept
        self._turn = Lock()

    def add(self, body: bytes) -> Answer:
        """Judges a checkpoint, and cosigns it where it holds.

        Raises: Tampered where what is kept of the log is damaged; OSError where it cannot be kept: nothing is signed.
        """
        try:
            asked = read_request(body)
        except Malformed as error:
            return Answer(HTTPStatus.BAD_REQUEST, f"{error.message}\n")
        origin = asked.checkpoint.origin
        keys = self._logs.get(origin)
        if keys is None:
            return Answer(HTTPStatus.NOT_FOUND, "This witness does not follow a log of that origin.\n")
        try:
            signed = note.open_note(asked.note, keys)
        except (Malformed, Tampered) as error:
            return Answer(HTTPStatus.FORBIDDEN, f"{error.message}\n")
        with self._turn:
            return self._judged(origin, asked, note.Note(signed.text, signed.verified))

    def _judged(self, origin: str, asked: Asked, signed: note.Note) -> Answer:
        held = self._kept.latest(origin)
        size, root = (0, EMPTY_ROOT) if held is None else (held.size, held.root)
        new = asked.checkpoint
        if asked.old > new.size:
            return Answer(HTTPStatus.BAD_REQUEST, "The old size is more than the size of the checkpoint.\n")
        if asked.old != size:
            return Answer(HTTPStatus.CONFLICT, f"{size}\n", SIZE_MEDIA)
        if size == new.size and held is not None and root != new.root:
            return Answer(HTTPStatus.CONFLICT, f"{size}\n", SIZE_MEDIA)
        if not _extends(size, root, asked):
            return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "The proof does not show that the log only grew.\n")
        own = note.sign_note(signed.text, [self._signer], signed.verified)
        self._kept.keep(origin, own.encode())
        line = own.splitlines(keepends=True)[-1]
        return Answer(HTTPStatus.OK, line)


def _extends(size: int, root: bytes, asked: Asked) -> bool:
    """Whether the checkpoint holds everything that was cosigned before."""
    new = asked.checkpoint
    if size == 0:
        return not asked.proof and (new.size > 0 or new.root == EMPTY_ROOT)
    return verify_consistency(size, new.size, asked.proof, root, new.root)


def read_request(body: bytes) -> Asked:
    """The request that is written.

    Raises: Malformed.
    """
    if len(body) > MOST_BYTES:
        raise Malformed(f"A request has at most {MOST_BYTES} bytes.")
    head, gap, text = body.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        first, lines = "", []
    old = _OLD.fullmatch(first)
    if not gap or old is None or int(old[1]) > note.MAX_NUMBER:
        raise Malformed("A request is: old and a size, the hashes of a proof, an empty line, a checkpoint.")
    proof = tuple(note.canonical_base64(line) for line in lines)
    if len(proof) > MOST_HASHES or any(len(item) != len(EMPTY_ROOT) for item in proof):
        raise Malformed(f"A proof is at most {MOST_HASHES} lines, a hash of 32 bytes in base64 on each.")
    return Asked(int(old[1]), proof, text, note.parse_checkpoint(note.parse_note(text).text))
