"""What it costs to make entries findable by their facts: the same entries with and without it, in one run.

Run from the repository: `python bench/audit/behind.py`. Only ratios mean anything.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from unittest import mock

import sqlalchemy as sa

from domain.ids import RandomIds
from tests.vault import asking
from vault.documents.folder import FolderBlobs
from vault.keys import Keyring
from vault.providers.file import KeyFile
from vault.store import engines
from vault.store.ledger import terms
from vault.store.schema import migrations
from vault.store.sqlite import SqliteStore
from vault.store.transaction import Room

ENTRIES = 4_000
TOGETHER = 64
ROUNDS = 5


class Now:
    """The time of the made-up entries."""

    def now(self) -> datetime:
        """When they begin."""
        return asking.BEGUN


async def written(url: str, room: Room) -> tuple[float, float]:
    """How long entries take to be durable, and how long until all of them are findable."""
    store = SqliteStore(url, room)
    await store.start()
    made = list(asking.entries(ENTRIES))
    began = perf_counter()
    for start in range(0, ENTRIES, TOGETHER):
        await asyncio.gather(*(store.put(entry) for entry in made[start : start + TOGETHER]))
    durable = perf_counter()
    await store.bring_up(asking.TENANT)
    found = perf_counter()
    await store.close()
    return durable - began, found - began


def once(folder: Path, name: str) -> tuple[float, float]:
    """One round in a database of its own."""
    url = f"sqlite:///{folder / name}.db"
    asyncio.run(migrations.upgrade(url))
    keys = KeyFile.create(folder / f"{name}.json", 1)
    ring = Keyring(keys, time.monotonic)
    with engines.sqlite_writer(url).begin() as connection:
        connection.execute(sa.text("INSERT INTO tenant_register (tenant) VALUES (:tenant)"), {"tenant": asking.TENANT})
    room = Room(ring=ring, clock=Now(), make=RandomIds(), blobs=FolderBlobs(folder / f"{name}.blobs"))
    return asyncio.run(written(url, room))


def main() -> None:
    """Interleaves rounds with and without terms."""
    with_terms, without = [], []
    with tempfile.TemporaryDirectory(prefix="credence-bench-") as folder:
        for number in range(ROUNDS):
            with_terms.append(once(Path(folder), f"with-{number}"))
            with mock.patch.object(terms, "note", return_value=None):
                without.append(once(Path(folder), f"without-{number}"))
    for place, says in enumerate(("until they are durable", "until they are found as well")):
        ratio = median(one[place] for one in with_terms) / median(one[place] for one in without)
        print(f"{ENTRIES} entries, {TOGETHER} at a time, {says}: with terms ÷ without {ratio:.2f}")


if __name__ == "__main__":
    main()
