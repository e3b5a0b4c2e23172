"""A document on its way out: verified to its last byte before its first one leaves, however large it is.

The cipher gives whole chunks before it can know whether the last ones are missing. So a document of at most 16 MiB is
opened whole; a larger one is opened twice, once to verify and once to be read. So is a small one while many are read
at once: what is held in memory is bounded over all of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final, Self

from domain.errors import Tampered
from vault.documents.blobs import Source
from vault.documents.format import HEAD_BYTES, Unsealing, refused
from vault.documents.receiving import in_thread

WHOLE_BYTES: Final = 16 << 20
"""Up to how many sealed bytes a document is opened whole."""
PIECE_BYTES: Final = 1 << 20
HELD_BYTES: Final = 4 * WHOLE_BYTES
"""How many bytes of documents that were opened whole are held at once; it is used from one event loop."""


class Held:
    """How much may still be held."""

    def __init__(self, most: int = HELD_BYTES) -> None:
        self._left = most

    def take(self, size: int) -> int:
        """As much as was asked for, where it may be opened whole and there is still so much; otherwise nothing."""
        taken = size if size <= min(WHOLE_BYTES, self._left) else 0
        self._left -= taken
        return taken

    def give(self, taken: int) -> None:
        """Lets go of what was taken."""
        self._left += taken


class BlobPassage:
    """One document that verified."""

    def __init__(self, source: Source, head: bytes, begin: Callable[[], Unsealing], held: Held) -> None:
        self._source = source
        self._head = head
        self._begin = begin
        self._held = held
        self._taken = held.take(source.size)
        self._size = 0
        self._whole: bytes | None = None

    @classmethod
    async def verified(cls, source: Source, head: bytes, begin: Callable[[], Unsealing], held: Held) -> Self:
        """The passage of a document whose bytes verify, every one of them; it lets the source go where they do not.

        Raises: Tampered; Unavailable.
        """
        passage = cls(source, head, begin, held)
        try:
            await in_thread(passage._verify)
        except BaseException:
            await passage.close()
            raise
        return passage

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self._size

    async def pieces(self) -> AsyncIterator[bytes]:
        """The document, piece by piece, once.

        Raises: Tampered where it changed since it verified.
        """
        if self._whole is not None:
            whole = memoryview(self._whole)
            for start in range(0, len(whole), PIECE_BYTES):
                yield bytes(whole[start : start + PIECE_BYTES])
            return
        opening, left, ended = self._begin(), self._size, False
        await in_thread(lambda: stand_behind(self._source, self._head))
        while not ended:
            piece, ended = await in_thread(lambda: step(self._source, opening))
            left -= len(piece)
            if left < 0:
                raise refused()
            if piece:
                yield piece
        if left:
            raise refused()

    async def close(self) -> None:
        """Lets it go, read or not."""
        taken, self._taken, self._whole = self._taken, 0, None
        self._held.give(taken)
        await in_thread(self._source.close)

    def _verify(self) -> None:
        """Reads it to its end, and keeps it where it may.

        Raises: Tampered; Unavailable.
        """
        opening, kept, ended = self._begin(), list[bytes](), False
        stand_behind(self._source, self._head)
        while not ended:
            piece, ended = step(self._source, opening)
            self._size += len(piece)
            if self._taken:
                kept.append(piece)
        if self._taken:
            self._whole = b"".join(kept)


def stand_behind(source: Source, head: bytes) -> None:
    """Stands behind the head, which is the one that the database holds.

    Raises: Tampered.
    """
    source.rewind()
    if source.read(HEAD_BYTES) != head:
        raise Tampered("Other bytes lie where a sealed document should.")


def step(source: Source, opening: Unsealing) -> tuple[bytes, bool]:
    """Some more plaintext, and whether it was the last: then nothing is missing."""
    sealed = source.read(PIECE_BYTES)
    return (opening.step(sealed), False) if sealed else (opening.end(), True)
