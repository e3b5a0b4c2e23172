"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint): text under signatures of named keys.

A key is known by its name and a key id of four bytes. Signatures of unknown keys are kept and prove nothing; one
signature of a known key that does not verify refuses the whole note. Base64 is accepted in its one canonical
spelling only, so that no byte of a note can change unnoticed.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain import ids
from domain.errors import Malformed, Tampered
from vault import hazmat
from vault.audit.merkle import HASH_BYTES

ED25519 = 0x01
"""Signs the text of the note."""
COSIGNATURE = 0x04
"""A witness's Ed25519 signature over the time and the text (C2SP tlog-cosignature)."""
ML_DSA_44 = 0x06
"""A witness's ML-DSA-44 signature over its name, the time and the tree; no quantum computer forges it."""
COSIGNS = (COSIGNATURE, ML_DSA_44)
MAX_SIGNATURES = 100
MAX_NOTE_BYTES = 1_000_000
KEY_ID_BYTES = 4
MAX_NUMBER = 2**63 - 1
"""The largest size, index or time that is accepted."""
TENANT = "te"
"""The prefix of a tenant's id."""

_ORIGIN = "credence/"
_TIME_BYTES = 8
_PUBLIC_BYTES = {
    ED25519: hazmat.KEY_BYTES,
    COSIGNATURE: hazmat.KEY_BYTES,
    ML_DSA_44: hazmat.MLDSA44_PUBLIC_BYTES,
}
_DASH = "\u2014 "
_NO_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def origin(tenant: str) -> str:
    """The origin of a tenant's log, which is also the name of the key that signs it.

    Shape:  `tenant_of` gives the tenant back; two tenants never share an origin.
    Raises: Malformed when it is not a tenant's id.
    """
    return _ORIGIN + ids.check(tenant, TENANT)


def tenant_of(origin: str) -> ids.Id:
    """The tenant whose log an origin names.

    Raises: Malformed when it is the origin of no tenant.
    """
    if not origin.startswith(_ORIGIN):
        raise Malformed("The origin names no tenant's log.")
    return ids.check(origin.removeprefix(_ORIGIN), TENANT)


class UnknownKey(Tampered):
    """No key that was pinned signed the note."""


class BadSignature(Tampered):
    """A signature of a pinned key does not verify."""


class Signer(Protocol):
    """A key that signs notes, wherever it is kept."""

    @property
    def name(self) -> str:
        """The key's name, for a log its origin."""

    @property
    def key_id(self) -> bytes:
        """The first four bytes of the hash over name, algorithm and public key."""

    def sign(self, message: bytes) -> bytes:
        """The signature of a message."""


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """A named Ed25519 key whose private part is used through a function."""

    name: str
    public: bytes
    signs: Callable[[bytes], bytes]

    @property
    def key_id(self) -> bytes:
        """The key id of an Ed25519 key."""
        return key_id(self.name, ED25519, self.public)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message."""
        return self.signs(message)

    def verifier(self) -> Verifier:
        """What an auditor pins to verify this key's signatures."""
        return Verifier(self.name, ED25519, self.public)


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's key: it signs the time with the checkpoint (C2SP tlog-cosignature)."""

    name: str
    public: bytes
    signs: Callable[[bytes], bytes]
    now: Callable[[], int]
    """Seconds since 1970 UTC."""
    algorithm: int = COSIGNATURE

    @property
    def key_id(self) -> bytes:
        """The key id of a key that cosigns."""
        return key_id(self.name, self.algorithm, self.public)

    def sign(self, message: bytes) -> bytes:
        """The time, and the signature over it and the message."""
        seconds = self.now()
        return seconds.to_bytes(_TIME_BYTES, "big") + self.signs(self.verifier().cosigned(message.decode(), seconds))

    def verifier(self) -> Verifier:
        """What an auditor pins to verify this key's cosignatures."""
        return Verifier(self.name, self.algorithm, self.public)


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public part of a named key; as text `name+id+base64`, which is what an auditor pins."""

    name: str
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise Malformed("A key's name is not empty and holds neither spaces nor plus signs.")
        if len(self.public) != _PUBLIC_BYTES.get(self.algorithm):
            raise Malformed("The key is neither an Ed25519 key nor an ML-DSA-44 key that cosigns.")

    @classmethod
    def read(cls, text: str) -> Verifier:
        """The verifier of its text form.

        Raises: Malformed, also when the key id does not belong to the key.
        """
        parts = text.split("+", 2)
        data = canonical_base64(parts[2]) if len(parts) == len(("name", "id", "key")) else b""
        if not data:
            raise Malformed("A verifier key is written name+id+base64.")
        found = cls(parts[0], data[0], data[1:])
        if found.key_id.hex() != parts[1]:
            raise Malformed("The key id does not belong to the key.")
        return found

    @property
    def key_id(self) -> bytes:
        """The key id that stands before this key's signatures."""
        return key_id(self.name, self.algorithm, self.public)

    def __str__(self) -> str:
        data = bytes((self.algorithm,)) + self.public
        return f"{self.name}+{self.key_id.hex()}+{b64encode(data).decode()}"

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether this key made the signature over the text."""
        if self.algorithm not in COSIGNS:
            return hazmat.ed25519_verifies(self.public, signature, text.encode())
        seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
        try:
            message = self.cosigned(text, seconds)
        except Malformed:
            return False
        holds = hazmat.mldsa44_verifies if self.algorithm == ML_DSA_44 else hazmat.ed25519_verifies
        return seconds <= MAX_NUMBER and holds(self.public, signature[_TIME_BYTES:], message)

    def cosigned(self, text: str, seconds: int) -> bytes:
        """What this key signs to cosign a text at a time.

        Raises: Malformed where ML-DSA-44 is to sign what is no checkpoint.
        """
        return (
            subtree_message(self.name, text, seconds)
            if self.algorithm == ML_DSA_44
            else cosigned_message(text, seconds)
        )


def key_id(name: str, algorithm: int, public: bytes) -> bytes:
    """The four bytes that identify a key together with its name."""
    return hashlib.sha256(name.encode() + b"\n" + bytes((algorithm,)) + public).digest()[:KEY_ID_BYTES]


def cosigned_message(text: str, seconds: int) -> bytes:
    """What a witness signs: that it saw the checkpoint at a time, in seconds since 1970 UTC."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def subtree_message(name: str, text: str, seconds: int) -> bytes:
    """What a witness signs with ML-DSA-44: its name, the time, and the tree of a checkpoint from its first entry on.

    Raises: Malformed for what is no checkpoint.
    """
    said = parse_checkpoint(text)
    words = [one.encode() for one in (name, said.origin)]
    if any(len(word) not in range(1, 256) for word in words):
        raise Malformed("A name in a cosignature has 1 to 255 bytes.")
    witness, origin = (bytes((len(word),)) + word for word in words)
    numbers = [number.to_bytes(_TIME_BYTES, "big") for number in (seconds, 0, said.size)]
    return b"subtree/v1\n\0" + witness + numbers[0] + origin + numbers[1] + numbers[2] + said.root


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line as it stands in the note, with its newline."""
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, apart as far as they were verified."""

    text: str
    verified: tuple[Signature, ...] = ()
    unverified: tuple[Signature, ...] = ()


def sign_note(text: str, signers: Iterable[Signer], existing: Iterable[Signature] = ()) -> str:
    """The note of a text, with existing signatures first; a key signs once, in place of what it signed before.

    Raises: Malformed.
    """
    if not text.endswith("\n") or not _is_text(text):
        raise Malformed("The text of a note ends with a newline and holds no other control character.")
    new = {(signer.name, signer.key_id): signer for signer in signers}
    kept = [signature for signature in existing if (signature.name, signature.key_id) not in new]
    if not all(map(_is_name, (*(signature.name for signature in kept), *(name for name, _ in new)))):
        raise Malformed("A key's name is not empty and holds neither spaces nor plus signs.")
    if len(kept) + len(new) > MAX_SIGNATURES:
        raise Malformed(f"A note has at most {MAX_SIGNATURES} signatures.")
    made = [Signature(name, known_as, signer.sign(text.encode())) for (name, known_as), signer in new.items()]
    return text + "\n" + "".join(signature.line for signature in (*kept, *made))


def parse_note(message: bytes) -> Note:
    """The note as it is written, no signature verified. Its text must not be trusted.

    Raises: Malformed.
    """
    try:
        note = message.decode() if len(message) <= MAX_NOTE_BYTES else ""
    except UnicodeDecodeError:
        note = ""
    text, gap, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() or not _is_text(note) or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise Malformed("The note is malformed: text, an empty line, then 1 to 100 signatures.")
    return Note(text + "\n", (), tuple(_signature(line) for line in lines))


def open_note(message: bytes, verifiers: Sequence[Verifier]) -> Note:
    """The note, when a known key signed it; repeated lines of a key that verified are dropped.

    Raises: Malformed; BadSignature when a known key's signature does not verify; UnknownKey when no known key signed.
    """
    note = parse_note(message)
    verified: dict[tuple[str, bytes], Signature] = {}
    unverified: dict[Signature, None] = {}
    for signature in note.unverified:
        key = (signature.name, signature.key_id)
        known = [verifier for verifier in verifiers if (verifier.name, verifier.key_id) == key]
        if len(known) > 1:
            raise Malformed(f"Two known keys are called {signature.name}+{signature.key_id.hex()}.")
        if not known:
            unverified[signature] = None
        elif key not in verified:
            if not known[0].verifies(note.text, signature.signature):
                raise BadSignature(f"The signature of {signature.name}+{signature.key_id.hex()} does not verify.")
            verified[key] = signature
    if not verified:
        raise UnknownKey("No known key signed the note.")
    return Note(note.text, tuple(verified.values()), tuple(unverified))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log that its key signs: whose log, how many entries, and the root of their tree."""

    origin: str
    size: int
    root: bytes
    rest: str = ""
    """Extension lines; ours has none."""

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n{self.rest}"


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint a text states.

    Shape:  gives back what `text` wrote.
    Raises: Malformed.
    """
    checkpoint = parse_lines(text)
    if len(checkpoint.root) != HASH_BYTES:
        raise Malformed("The root of a checkpoint is 32 bytes.")
    if checkpoint.rest and ("\n\n" in "\n" + checkpoint.rest or not checkpoint.rest.endswith("\n")):
        raise Malformed("The extension lines of a checkpoint are not empty.")
    return checkpoint


def parse_lines(text: str) -> Checkpoint:
    """The lines of a checkpoint, with a root of any length and anything after it.

    Raises: Malformed.
    """
    origin, size, root, rest = (text.split("\n", 3) + [""] * 3)[:4]
    if text.count("\n") < len(("origin", "size", "root")) or not origin or not _SIZE.fullmatch(size):
        raise Malformed("A checkpoint is three lines: origin, size, and root in base64.")
    raw = canonical_base64(root)
    if not raw or int(size) > MAX_NUMBER:
        raise Malformed("The size or the root of the checkpoint is malformed.")
    return Checkpoint(origin, int(size), raw, rest)


def sign_checkpoint(checkpoint: Checkpoint, signers: Iterable[Signer]) -> str:
    """The signed checkpoint.

    Raises: Malformed when its text would state something else than the checkpoint says.
    """
    if parse_checkpoint(checkpoint.text) != checkpoint:
        raise Malformed("An origin is one line.")
    return sign_note(checkpoint.text, signers)


def open_checkpoint(message: bytes, origin: str, log: Verifier, others: Sequence[Verifier] = ()) -> Checkpoint:
    """The checkpoint, when the log's own key signed it and it is of the expected origin; others may have cosigned.

    Raises: Malformed; BadSignature; UnknownKey when the log's key did not sign.
    """
    note = open_note(message, (log, *others))
    if (log.name, log.key_id) not in {(signature.name, signature.key_id) for signature in note.verified}:
        raise UnknownKey("The log's own key did not sign the checkpoint.")
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise Malformed("The checkpoint is of another log.")
    return checkpoint


def canonical_base64(text: str) -> bytes:
    """The bytes of canonical base64; empty for anything else."""
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if b64encode(raw).decode() == text else b""


def _signature(line: str) -> Signature:
    name, _, data = line.removeprefix(_DASH).partition(" ")
    raw = canonical_base64(data)
    if not line.startswith(_DASH) or not _is_name(name) or len(raw) <= KEY_ID_BYTES:
        raise Malformed("A signature line of the note is malformed.")
    return Signature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(map(str.isspace, name)) and _is_text(name)


def _is_text(text: str) -> bool:
    """Whether it has no control character but newlines, and no half character, which UTF-8 cannot spell."""
    return not _NO_TEXT.search(text)
