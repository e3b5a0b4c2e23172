"""A process that opens credit files until it is killed, and says of each when it is durable.

python -m tests.vault.writer URL KEYS SOURCE NAME
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path

from domain.errors import Unavailable
from domain.files.opening import BasicInformation, OpenCreditFile
from domain.files.parties import PartyKind
from domain.files.sources import LawfulBasis, Origin
from domain.gate import Gate
from domain.ids import RandomIds
from tests.world import Granted, World
from vault.documents.folder import FolderBlobs
from vault.keys import Keyring
from vault.opening import VaultOpener
from vault.providers.file import KeyFile
from vault.store.postgres import PostgresStore
from vault.store.sqlite import SqliteStore
from vault.store.transaction import Room

AT_ONCE = 6


def phone(reference: str) -> str:
    """A phone of its own for each file, as customers have: a check looks at how many are different."""
    return f"+86138{int(sha256(reference.encode()).hexdigest(), 16) % 10**8:08}"


class Now:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)


def instant(at: datetime) -> str:
    """A point in time as the log writes it."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def say(*words: str) -> None:
    """One line, at once."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def main(url: str, keys: str, source: str, name: str) -> None:
    """Writes until it is killed."""
    ring, make = Keyring(KeyFile(Path(keys)), time.monotonic), RandomIds()
    room = Room(ring=ring, clock=Now(), make=make, blobs=FolderBlobs(Path(keys).parent / "documents"))
    store = (SqliteStore if url.startswith("sqlite") else PostgresStore)(url, room)
    await store.start()
    gate = Gate(grants=Granted(), store=store, opener=VaultOpener(room), clock=Now(), make=make)
    origin = Origin(source=source, lawful_basis=LawfulBasis.CONTRACT)
    numbers, actor = count(), World().actor(name)

    async def one() -> None:
        for number in numbers:
            reference = f"{name}-{number}"
            opening = OpenCreditFile(
                reference=reference,
                name="Yunfan",
                kind=PartyKind.ENTERPRISE,
                origin=origin,
                basic=BasicInformation(phone=phone(reference)),
            )
            try:
                await gate.perform(opening, actor)
            except Unavailable as error:
                say("failed", reference, error.code.value)
            else:
                say("done", reference, instant(Now().now()))

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
