"""What waiting together saves: works a second on SQLite, 1, 8, 32 and 128 waiting, relative to one at a time.

    PYTHONPATH=. python bench/store/commits.py

Every work is durable before its answer (WAL, synchronous=FULL) and leaves its entry in the log.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median

from api.app import House, open_house, prepare
from api.settings import load
from domain.actors import Actor
from domain.files.sources import LawfulBasis, RegisterSource, SourceType
from domain.ids import Id

WORKS = 384
ROUNDS = 5
WAITING = (1, 8, 32, 128)


async def some(house: House, actor: Actor, numbers: Iterator[int], waiting: int) -> float:
    """Works a second with so many waiting at a time."""

    async def client() -> None:
        for _ in range(WORKS // waiting):
            name = f"source {next(numbers)}"
            work = RegisterSource(type=SourceType.REGISTRY, name=name, lawful_bases=(LawfulBasis.LEGALLY_PUBLIC,))
            await house.gate.perform(work, actor)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(waiting)))
    return WORKS / (time.perf_counter() - began)


async def measured(folder: Path) -> dict[int, list[float]]:
    """Interleaved rounds, so that a noisy moment meets all alike."""
    settings = load({}, data_dir=folder)
    await prepare(settings)
    found: dict[int, list[float]] = {waiting: [] for waiting in WAITING}
    async with open_house(settings) as house:
        tenant = await house.open_tenant("bench")
        actor = Actor(tenant=Id(tenant), person="bench", roles=frozenset({"privacy_officer"}))
        numbers = count()
        for _ in range(ROUNDS):
            for waiting in WAITING:
                found[waiting].append(await some(house, actor, numbers, waiting))
    return found


def main() -> None:
    """Prints the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        rounds = asyncio.run(measured(Path(folder) / "data"))
    alone = median(rounds[1])
    for waiting, speeds in rounds.items():
        print(f"{waiting:>4} waiting: {median(speeds) / alone:.1f} times one at a time")


if __name__ == "__main__":
    main()
