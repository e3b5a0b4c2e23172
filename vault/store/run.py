"""Steps are run in one snapshot: inline on sqlite3, or in a read-only transaction through asyncpg."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from typing import Any, cast

import asyncpg

from domain.ids import Id
from domain.ports import Draft, Fetch, Rows

WAIT_SECONDS = 30
"""How long a reading waits for a connection while all are busy."""

Run = Generator[Fetch, Rows, Draft]


def run_sqlite(connection: sqlite3.Connection, steps: Run, *, alone: bool = False) -> Draft:
    """The draft of a reading; the connection is in autocommit mode and in no transaction."""
    if alone:
        return _end(steps, connection.execute(*_only(steps)).fetchall())
    connection.execute("BEGIN")
    try:
        fetch = next(steps)
        while True:
            fetch = steps.send(connection.execute(fetch.sql, fetch.parameters).fetchall())
    except StopIteration as end:
        return cast("Draft", end.value)
    finally:
        connection.execute("COMMIT")


class TenantConnection(asyncpg.Connection):  # type: ignore[misc] # asyncpg ships no stubs
    """A connection that knows for which tenant it reads, so that row security is told only when that changes."""

    _tenant: Id | None = None

    async def enter(self, tenant: Id) -> None:
        """Reads for a tenant from now on."""
        if self._tenant == tenant:
            return
        self._tenant = None  # whoever breaks this off leaves no tenant behind
        await self.execute("SELECT set_config('credence.tenant', $1, false)", tenant)
        self._tenant = tenant


async def run_postgres(pool: asyncpg.Pool, tenant: Id, steps: Run, *, alone: bool = False) -> Draft:
    """The draft of a reading; row security knows the tenant before the first statement."""
    async with pool.acquire(timeout=WAIT_SECONDS) as connection:
        await connection.enter(tenant)
        if alone:
            sql, parameters = _only(steps)
            return _end(steps, await connection.fetch(sql, *parameters))
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            try:
                fetch = next(steps)
                while True:
                    fetch = steps.send(await connection.fetch(fetch.sql, *fetch.parameters))
            except StopIteration as end:
                return cast("Draft", end.value)


def _only(steps: Run) -> tuple[str, tuple[Any, ...]]:
    """The one statement of steps that have no other."""
    fetch = next(steps)
    return fetch.sql, fetch.parameters


def _end(steps: Run, rows: Rows) -> Draft:
    """The draft that follows from its rows."""
    try:
        steps.send(rows)
    except StopIteration as end:
        return cast("Draft", end.value)
    raise TypeError("Steps that are said to be one statement asked for another.")
