"""What sealing a document costs beside writing and reading it: `python bench/vault/documents.py [MIB]`.

Ratios of one run: a plain file written and brought to the disk is 1, and so is reading it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from domain.ids import encode
from vault import hazmat
from vault.documents.blobs import Name
from vault.documents.folder import FolderBlobs
from vault.documents.format import HEAD_BYTES, Sealing, Unsealing
from vault.documents.handing import BlobPassage, Held
from vault.documents.opening import place_of
from vault.documents.receiving import BlobSlot

NAME = Name(encode("te", b"t" * 16), encode("cu", b"s" * 16), encode("do", b"d" * 16), 2)
PIECE = os.urandom(64 * 1024)
"""What a server hands over at once."""
ROUNDS = 5


def secret() -> hazmat.Secret:
    """The same key each time."""
    return hazmat.Secret(bytearray(range(32)))


def plain(path: Path, mebibytes: int) -> None:
    """A file as it is."""
    with path.open("wb") as file:
        for _ in range(mebibytes * 16):
            file.write(PIECE)
        file.flush()
        os.fsync(file.fileno())


async def sealed(blobs: FolderBlobs, mebibytes: int) -> bytes:
    """A document, received as over HTTP; its head."""
    sealing = Sealing(b"k" * 16, secret(), place_of(NAME))
    slot = BlobSlot(blobs, NAME, sealing, lambda digest: digest.hex())
    for _ in range(mebibytes * 16):
        await slot.write(PIECE)
    return (await slot.keep()).content.head


async def opened(blobs: FolderBlobs, head: bytes) -> None:
    """The document, verified whole and then read."""
    source = blobs.open(NAME)
    if source is None or len(head) != HEAD_BYTES:
        raise AssertionError("the document was kept")
    passage = await BlobPassage.verified(source, head, partial(Unsealing, head, secret(), place_of(NAME)), Held())
    async for _ in passage.pieces():
        pass
    await passage.close()


def best(work: Callable[[], object]) -> float:
    """The seconds of the fastest of some rounds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def run(work: Callable[[], Awaitable[object]]) -> object:
    """What some work gives."""

    async def done() -> object:
        return await work()

    return asyncio.run(done())


def main(mebibytes: int) -> None:
    """Prints the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        path, blobs = Path(folder) / "plain", FolderBlobs(Path(folder) / "documents")
        written = best(lambda: plain(path, mebibytes))
        kept = best(lambda: run(lambda: sealed(blobs, mebibytes)))
        head = run(lambda: sealed(blobs, mebibytes))
        read = best(path.read_bytes)
        came = best(lambda: run(lambda: opened(blobs, head)))  # type: ignore[arg-type] # the head of what was kept
    print(f"{mebibytes} MiB received, hashed, sealed, on the disk / written plain, on the disk: {kept / written:.2f}")
    print(f"{mebibytes} MiB verified and read / read plain: {came / read:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
