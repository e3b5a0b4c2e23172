"""A document on its way in: sealed piece by piece as it comes, in flat memory, found by nobody before it is kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from domain.documents.content import Content, Received
from domain.errors import Unavailable
from vault.documents.blobs import Blobs, Name, Sink
from vault.documents.format import Sealing

T = TypeVar("T")

PIECE_BYTES: Final = 1 << 20
"""How much is gathered before a thread seals and writes it."""


class BlobSlot:
    """Where one document is written to."""

    def __init__(self, blobs: Blobs, name: Name, sealing: Sealing, digest: Callable[[bytes], str]) -> None:
        """Takes what makes the keyed digest of a plain one."""
        self._blobs = blobs
        self._name = name
        self._sealing = sealing
        self._digest = digest
        self._plain = hashlib.sha256()
        self._size = 0
        self._gathered = bytearray()
        self._sink: Sink | None = None

    async def write(self, piece: bytes) -> None:
        """Takes some more of it.

        Raises: Unavailable.
        """
        self._gathered += piece
        if len(self._gathered) >= PIECE_BYTES:
            gathered, self._gathered = bytes(self._gathered), bytearray()
            await in_thread(lambda: self._take(gathered))

    async def keep(self) -> Received:
        """Makes it durable.

        Raises: Unavailable; then nothing of it remains.
        """
        gathered, self._gathered = bytes(self._gathered), bytearray()
        try:
            await in_thread(lambda: self._end(gathered))
        except Unavailable:
            await self.drop()
            raise
        plain = self._plain.digest()
        return Received(
            content=Content(head=self._sealing.head, version=self._name.version),
            size=self._size,
            sha256=plain.hex(),
            digest=self._digest(plain),
        )

    async def drop(self) -> None:
        """Leaves nothing of it; after `keep` it changes nothing."""
        sink = self._sink
        if sink is not None:
            with suppress(Unavailable):  # what cannot be removed now is swept later
                await in_thread(sink.drop)

    async def undo(self) -> None:
        """Removes what was kept: nothing refers to it."""
        with suppress(Unavailable):
            await in_thread(lambda: self._blobs.remove(self._name))

    def _take(self, piece: bytes) -> None:
        if self._sink is None:
            self._sink = self._blobs.create(self._name)
            self._sink.write(self._sealing.head)
        self._plain.update(piece)
        self._size += len(piece)
        self._sink.write(self._sealing.step(piece))

    def _end(self, piece: bytes) -> None:
        self._take(piece)
        if self._sink is None:
            raise AssertionError("what was taken has its sink")
        self._sink.write(self._sealing.end())
        self._sink.keep()


async def in_thread(work: Callable[[], T]) -> T:
    """What some work in a thread gives; whoever breaks it off waits for its end, so that two never work at once."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(Exception):
            await task
        raise
