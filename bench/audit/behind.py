"""What it costs to make entries findable by their facts: the same entries with and without it, in one run.

Run from the repository: `python bench/audit/behind.py`. Only ratios mean anything.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from unittest import mock

from tests.databases import Loop, Sqlite
from tests.stored import StoredWorld
from tests.vault import asking
from tests.world import TENANT
from vault.store.ledger import terms
from vault.store.schema import migrations

ENTRIES = 6_000
TOGETHER = 64
ROUNDS = 7


async def written(store: Any) -> tuple[float, float]:
    """How long entries take to be durable, and how long until all of them are findable."""
    made = [replace(entry, tenant=TENANT) for entry in asking.entries(ENTRIES)]
    began = perf_counter()
    for start in range(0, ENTRIES, TOGETHER):
        await asyncio.gather(*(store.put(entry) for entry in made[start : start + TOGETHER]))
    durable = perf_counter()
    await store.bring_up(TENANT)
    return durable - began, perf_counter() - began


def once(folder: Path, loop: Loop) -> tuple[float, float]:
    """One round in a database of its own."""
    folder.mkdir()
    asyncio.run(migrations.upgrade(f"sqlite:///{folder / 'log.db'}"))
    with Sqlite(folder / "log.db") as database, StoredWorld(database, loop, folder) as world:
        world.open_tenant()
        return loop(written(world.store))


def main() -> None:
    """Interleaves rounds with and without terms."""
    with_terms, without = [], []
    with tempfile.TemporaryDirectory(prefix="credence-bench-") as folder, Loop() as loop:
        for number in range(ROUNDS):
            with_terms.append(once(Path(folder) / f"with-{number}", loop))
            with mock.patch.object(terms, "note", return_value=None):
                without.append(once(Path(folder) / f"without-{number}", loop))
    for place, says in enumerate(("until they are durable", "until they are found as well")):
        ratio = median(one[place] for one in with_terms) / median(one[place] for one in without)
        print(f"{ENTRIES} entries, {TOGETHER} at a time, {says}: with terms ÷ without {ratio:.2f}")


if __name__ == "__main__":
    main()
