"""How a log asks its witnesses: a checkpoint with the proof that it extends what each of them cosigned before."""

from __future__ import annotations

import asyncio
import http.client
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from domain.errors import Malformed, Tampered, Unavailable
from vault.audit import note
from vault.audit.merkle import Proof
from vault.audit.note import COSIGNS, Signature, Verifier
from vault.witness.judging import SIZE_MEDIA

WAIT_SECONDS: Final = 5.0
"""How long one answer of a witness is waited for."""
MOST_BYTES: Final = 64 * 1024
"""Of an answer no more is read."""
TRIES: Final = 3
"""How often a witness is asked that cosigned something else meanwhile."""
HISTORIES: Final = "Keep both: one of them was rewritten, and each was signed."
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_FORM: Final = "Write url (https) and key (name+id+base64) of a witness."


@dataclass(frozen=True, slots=True)
class Place:
    """A witness as a log knows it: where it answers, and the key it cosigns with."""

    url: str
    """Its submission prefix."""
    key: Verifier

    @classmethod
    def read(cls, url: str, key: str, *, local: Sequence[object] = ()) -> Place:
        """The witness that is written.

        Raises: Malformed; plain HTTP goes to this machine alone, and where networks of one's own are named.
        """
        verifier = Verifier.read(key)
        if verifier.algorithm not in COSIGNS:
            raise Malformed(f"The key of {verifier.name} signs logs, and cosigns none.", advice=_FORM, path=("key",))
        try:
            parts = urlsplit(url)
            known = parts.scheme == "https" or (parts.scheme == "http" and (bool(local) or parts.hostname in _LOOPBACK))
            fits = bool(parts.hostname) and not (parts.username or parts.query or parts.fragment) and parts.port != 0
        except ValueError:
            known = fits = False
        if not known or not fits:
            raise Malformed("That is no address of a witness.", advice=_FORM, path=("url",))
        return cls(url.rstrip("/"), verifier)


class Inconsistent(Tampered):
    """The witness says that the log is not the one it cosigned before."""


class Behind(NamedTuple):
    """The witness cosigned another size than the log believes."""

    size: int


def written(checkpoint: str, old: int, proof: Proof) -> bytes:
    """The request for a cosignature."""
    lines = [f"old {old}", *(b64encode(item).decode() for item in proof), "", checkpoint]
    return "\n".join(lines).encode()


Connect = Callable[[str], http.client.HTTPConnection]
"""Opens a connection to the address of a witness. Raises: OSError."""


async def ask(
    place: Place, checkpoint: str, old: int, proof: Proof, connect: Connect | None = None
) -> Signature | Behind:
    """The cosignature of a witness, verified; or the size it had cosigned where that is another.

    Raises: Unavailable while it cannot be reached; Inconsistent where the log is not the one it cosigned; Tampered
    where it refuses the log otherwise, or answers what does not verify.
    """
    body = written(checkpoint, old, proof)
    status, media, text = await asyncio.to_thread(_posted, place, body, connect or _connected)
    if status == HTTPStatus.OK:
        return cosignature(place.key, checkpoint, text)
    if status == HTTPStatus.CONFLICT and media == SIZE_MEDIA and text.strip().isdecimal():
        return Behind(int(text))
    said = text.strip().splitlines()[0][:200] if text.strip() else "nothing"
    kind = Inconsistent if status == HTTPStatus.UNPROCESSABLE_ENTITY else Tampered
    raise kind(
        f"The witness {place.key.name} does not cosign: {int(status)}, {said!a}.",
        advice="Ask whoever runs it whether it follows this log and its key; it keeps what it was shown.",
    )


Prove = Callable[[int], Awaitable[Proof]]
"""What shows that the log only grew since it had a size. Raises: Malformed; NotFound."""


async def submit(
    place: Place, checkpoint: str, known: int, prove: Prove, connect: Connect | None = None
) -> Signature | Behind:
    """The cosignature of a witness that is believed to have cosigned a size; where it says another, that one counts.

    What it gives where it cosigned more than the checkpoint has, is how much: then there may be a newer checkpoint.

    Raises: Unavailable; Inconsistent; Tampered.
    """
    size = note.parse_checkpoint(note.parse_note(checkpoint.encode()).text).size
    for _ in range(TRIES):
        found = await ask(place, checkpoint, known, await prove(known), connect)
        if isinstance(found, Signature) or found.size > size:
            return found
        if found.size == known == size:
            raise Inconsistent(f"The witness cosigned another history of {size} entries.", advice=HISTORIES)
        known = found.size
    raise Tampered("The witness does not stay with what it says.", advice="Ask whoever runs it.")


def cosignature(key: Verifier, checkpoint: str, lines: str) -> Signature:
    """The one of the lines that is a valid cosignature of a key.

    Raises: Tampered.
    """
    text = note.parse_note(checkpoint.encode()).text
    try:
        found = note.open_note(f"{text}\n{lines}".encode(), (key,))
    except Malformed:
        raise Tampered(f"The witness {key.name} answered no signature.", advice="Is it a witness at all?") from None
    return found.verified[0]


def _connected(url: str) -> http.client.HTTPConnection:
    """A connection to wherever the address leads: for who runs a command and named it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        secure = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=WAIT_SECONDS, context=secure)
    return http.client.HTTPConnection(host, parts.port, timeout=WAIT_SECONDS)


def _posted(place: Place, body: bytes, connect: Connect) -> tuple[int, str, str]:
    parts = urlsplit(place.url)
    try:
        connection = connect(place.url)
        try:
            headers = {"Content-Type": "text/plain; charset=utf-8", "Host": parts.netloc, "Connection": "close"}
            connection.request("POST", f"{parts.path}/add-checkpoint", body, headers)
            answer = connection.getresponse()
            text = answer.read(MOST_BYTES)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(
            f"The witness {place.key.name} cannot be reached ({type(error).__name__}).",
            advice="It is asked again later; checkpoints are signed meanwhile, and not cosigned.",
        ) from None
    media = (answer.getheader("Content-Type") or "").partition(";")[0].strip()
    return answer.status, media, text.decode(errors="replace")
