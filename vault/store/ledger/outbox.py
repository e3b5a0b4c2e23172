"""Entries that come alone go into the outbox together: what waits while a statement is on its way goes with the next.

An entry is durable when its statement is; its place in the tree follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from domain.ids import Id
from vault.store.calm import calm
from vault.store.ledger.logbook import Leaf

TOGETHER = 1_000
"""How many entries one statement carries at most."""
_INSERT = (
    "INSERT INTO audit_outbox (tenant, id, entry) SELECT $1, own.id, own.entry "
    "FROM unnest($2::text[], $3::bytea[]) AS own(id, entry)"
)

Waiting = list[tuple[Leaf, asyncio.Future[None]]]


class Outbox:
    """What of each tenant waits to become durable in this process."""

    def __init__(self, told: Callable[[Exception], Exception]) -> None:
        self._told = told
        self._pool: asyncpg.Pool | None = None
        self._waiting: dict[Id, Waiting] = {}
        self._tasks: dict[Id, asyncio.Task[None]] = {}

    def open(self, pool: asyncpg.Pool) -> None:
        """Begins to take entries."""
        self._pool = pool

    async def close(self) -> None:
        """Finishes what waits."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._pool = None

    async def put(self, leaf: Leaf) -> None:
        """Returns when the entry is durable."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(leaf.tenant, []).append((leaf, future))
        if leaf.tenant not in self._tasks:
            self._tasks[leaf.tenant] = asyncio.create_task(self._work(leaf.tenant), name="credence-outbox")
        await future

    async def _work(self, tenant: Id) -> None:
        try:
            while waiting := self._waiting.get(tenant):
                await calm(waiting, TOGETHER)
                del self._waiting[tenant]
                for start in range(0, len(waiting), TOGETHER):
                    await self._write(tenant, waiting[start : start + TOGETHER])
        finally:
            del self._tasks[tenant]

    async def _write(self, tenant: Id, waiting: Waiting) -> None:
        try:
            await self._insert(tenant, [leaf for leaf, _ in waiting])
        except Exception as error:  # noqa: BLE001 - everyone who waits hears of it
            for _, future in waiting:
                if not future.done():
                    future.set_exception(self._told(error))
            return
        for _, future in waiting:
            if not future.done():
                future.set_result(None)

    async def _insert(self, tenant: Id, leaves: list[Leaf]) -> None:
        if self._pool is None:
            raise OSError("The store is closed.")
        async with self._pool.acquire() as connection:
            await connection.enter(tenant)
            await connection.execute(_INSERT, tenant, [leaf.entry for leaf in leaves], [leaf.pack() for leaf in leaves])
