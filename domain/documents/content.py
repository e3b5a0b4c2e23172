"""The content of a document, as the domain knows it: what stands for it, and the two ways to its bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

MAX_BYTES = 1 << 30
"""How many bytes a document may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What stands for a document's content in its cell: nothing of it can be read from this.

    Without a head the content is awaited: the cell has its key, and no bytes yet.
    """

    head: bytes = b""
    """The first sealed bytes; no other sealed bytes fit behind them."""
    version: int = 0
    """The version of the cell that the bytes were sealed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A document that was received whole and is kept, sealed."""

    content: Content
    size: int
    sha256: str
    """The plain digest, in hex; it is sealed like the content."""
    digest: str
    """The keyed digest, in hex: only the vault makes it, so it tells a stranger nothing of what is in the document."""


class Slot(Protocol):
    """Where one document is written to. Nothing of it can be read before it is kept."""

    async def write(self, piece: bytes) -> None:
        """Takes some more of it.

        Raises: Unavailable.
        """
        ...

    async def keep(self) -> Received:
        """Makes it durable.

        Raises: Unavailable; then nothing of it remains.
        """
        ...

    async def drop(self) -> None:
        """Leaves nothing of it; after `keep` it changes nothing."""
        ...

    async def undo(self) -> None:
        """Removes what was kept: nothing refers to it."""
        ...


class Passage(Protocol):
    """One document on its way out. It verified whole before there was a passage."""

    @property
    def size(self) -> int:
        """How many bytes it has."""
        ...

    def pieces(self) -> AsyncIterator[bytes]:
        """The document, piece by piece, once.

        Raises: Tampered where it changed since it verified; what was given until then is what was sealed.
        """
        ...

    async def close(self) -> None:
        """Lets it go, read or not."""
        ...
