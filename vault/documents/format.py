"""A document becomes sealed bytes that open as this version of this document and nowhere else, and back, in chunks.

`document/1`: CD 01 10 00 ‖ data key id (16) ‖ Cobblestone-256 (C2SP chunked-encryption): salt (24) ‖ commitment (32) ‖
chunks of 16 KiB, each with a tag (16), the last one shorter. The context names the place. The first 76 bytes stand in
the database too: the commitment among them stands for the key, the salt and the place, so no other bytes fit them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.errors import Tampered
from vault import hazmat
from vault.seal import ID_BYTES, pae, sized

PREFIX: Final = bytes.fromhex("cd011000")
"""Magic, format 1, Cobblestone-256, no flags: the only combination that is opened."""
HEADER_BYTES: Final = len(PREFIX) + ID_BYTES
HEAD_BYTES: Final = HEADER_BYTES + 24 + 32
"""The header, the salt and the commitment."""
CHUNK_BYTES: Final = 16 * 1024
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + hazmat.TAG_BYTES

_DOMAIN: Final = b"vault/document/1"
_CLASS: Final = b"documents"


class Place(NamedTuple):
    """Whose document it is, and which version of its content; ids are the 16 bytes inside the public ones."""

    tenant: bytes
    subject: bytes
    document: bytes
    version: int


class Sealing:
    """One stream of plaintext on its way to sealed bytes; `head` is known from the beginning."""

    def __init__(self, dek_id: bytes, key: hazmat.Secret, place: Place) -> None:
        header = PREFIX + sized(dek_id)
        bound = context(header, place)
        self._sealer = key.use(lambda raw: hazmat.cobblestone_256_sealer(raw, bound))
        self.head = header + self._sealer.update(b"")
        """The first bytes; they are the first to be stored."""
        if len(self.head) != HEAD_BYTES:
            raise AssertionError("a sealed document begins with its whole head")

    def step(self, plain: bytes) -> bytes:
        """The sealed bytes that some more plaintext gives: whole chunks."""
        return self._sealer.update(plain)

    def end(self) -> bytes:
        """The last chunk."""
        return self._sealer.finalize()


class Unsealing:
    """One stream of sealed bytes on its way back. What `step` gives verifies; that nothing is missing, `end` says."""

    def __init__(self, head: bytes, key: hazmat.Secret, place: Place) -> None:
        dek_id_of(head)
        bound = context(head[:HEADER_BYTES], place)
        self._opener = key.use(lambda raw: hazmat.cobblestone_256_opener(raw, bound))
        self.step(head[HEADER_BYTES:])

    def step(self, sealed: bytes) -> bytes:
        """The plaintext of the chunks that are whole by now.

        Raises: Tampered.
        """
        try:
            return self._opener.update(sealed)
        except hazmat.Forged:
            raise refused() from None

    def end(self) -> bytes:
        """The plaintext of the last chunk.

        Raises: Tampered, where anything behind it is missing or too much.
        """
        try:
            return self._opener.finalize()
        except hazmat.Forged:
            raise refused() from None


def context(header: bytes, place: Place) -> bytes:
    """What the bytes of a document are bound to."""
    tenant, subject, document, version = place
    return pae(_DOMAIN, header, sized(tenant), sized(subject), _CLASS, sized(document), version.to_bytes(8, "big"))


def dek_id_of(head: bytes) -> bytes:
    """The id of the data key that a head names.

    Raises: Tampered when it is none.
    """
    if head[: len(PREFIX)] != PREFIX or len(head) != HEAD_BYTES:
        raise Tampered("A sealed document is not in a known form.")
    return head[len(PREFIX) : HEADER_BYTES]


def sealed_size(plain: int) -> int:
    """How many bytes a document of so many has when it is sealed."""
    return HEAD_BYTES + plain + (plain // CHUNK_BYTES + 1) * hazmat.TAG_BYTES


def refused() -> Tampered:
    """What is said of bytes that do not verify."""
    return Tampered("A sealed document does not verify in its place.")
