"""A document on its way out: verified to its last byte before its first one leaves, however large it is.

The cipher gives whole chunks before it can know whether the last ones are missing. So a document of at most 16 MiB is
opened whole; a larger one is opened twice, once to verify and once to be read.
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


class BlobPassage:
    """One document that verified."""

    def __init__(
        self, source: Source, head: bytes, begin: Callable[[], Unsealing], size: int, whole: bytes | None
    ) -> None:
        self._source = source
        self._head = head
        self._begin = begin
        self._size = size
        self._whole = whole

    @classmethod
    async def verified(cls, source: Source, head: bytes, begin: Callable[[], Unsealing]) -> Self:
        """The passage of a document whose bytes verify, every one of them; it lets the source go where they do not.

        Raises: Tampered; Unavailable.
        """
        try:
            whole, size = await in_thread(lambda: _verify(source, head, begin()))
        except BaseException:
            source.close()
            raise
        return cls(source, head, begin, size, whole)

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self._size

    async def pieces(self) -> AsyncIterator[bytes]:
        """The document, piece by piece, once.

        Raises: Tampered where it changed since it verified.
        """
        if self._whole is not None:
            whole, self._whole = memoryview(self._whole), None
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
        self._whole = None
        await in_thread(self._source.close)


def _verify(source: Source, head: bytes, opening: Unsealing) -> tuple[bytes | None, int]:
    """The plaintext of a small document and its size; of a large one the size alone.

    Raises: Tampered.
    """
    stand_behind(source, head)
    kept: list[bytes] | None = [] if source.size <= WHOLE_BYTES else None
    size, ended = 0, False
    while not ended:
        piece, ended = step(source, opening)
        size += len(piece)
        if kept is not None:
            kept.append(piece)
    return None if kept is None else b"".join(kept), size


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
