"""Who waits for the log of a company to grow is woken when a transaction of this process has made it grow.

It is a hint and no more: what other processes write wakes nobody here, so whoever waits looks again after a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock

from domain.ids import Id


@dataclass(slots=True, eq=False)
class Wait:
    """One who waits, on the event loop it waits on."""

    loop: asyncio.AbstractEventLoop
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_grown(self, seconds: float) -> None:
        """Returns when the log has grown since the last time, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        self.woken.clear()


class Growth:
    """Everybody who waits, by company; it is told from the thread that writes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[Id, list[Wait]] = {}

    @contextmanager
    def waiting(self, tenant: Id) -> Iterator[Wait]:
        """Waits for one company's log, for as long as the block lasts."""
        wait = Wait(asyncio.get_running_loop())
        with self._lock:
            self._waiting.setdefault(tenant, []).append(wait)
        try:
            yield wait
        finally:
            with self._lock:
                self._waiting[tenant].remove(wait)
                if not self._waiting[tenant]:
                    del self._waiting[tenant]

    def told(self, tenant: Id) -> None:
        """Wakes everybody who waits for a company's log: a transaction that made it grow is durable."""
        if tenant not in self._waiting:
            return
        with self._lock:
            waiting = list(self._waiting.get(tenant, ()))
        for wait in waiting:
            with suppress(RuntimeError):  # a loop that has ended waits for nothing
                wait.loop.call_soon_threadsafe(wait.woken.set)
