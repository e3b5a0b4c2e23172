"""How auditors' queries grow with the log: time at a large log ÷ time at one of 10,000 entries, and the plans.

Run from the repository: `python bench/audit/ten_million.py [--entries 10000000] [--database sqlite|postgresql]`. Built
are 102,400 entries in the log's own format (leaves, batches, tree), and what readers find by, brought up as a server
brings it up. A larger log is made of copies of what readers find of these, each with its own ids, places and times; it
has no batches and no tree beyond the first copy, which no query of auditors reads. Only ratios mean anything.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg

from tests import databases
from tests.vault import asking
from vault.store import engines
from vault.store.schema import migrations

SMALL = 10_000
ROUNDS = 7


class Lite:
    """A log in a SQLite file."""

    dialect = "sqlite"

    def __init__(self, folder: Path, entries: int) -> None:
        self.url = f"sqlite:///{folder / f'log-{entries}.db'}"
        asyncio.run(migrations.upgrade(self.url))
        with engines.sqlite_writer(self.url).connect() as connection:
            _built(connection, entries)
        self.connection: sqlite3.Connection = engines.sqlite_reader(self.url)()

    def rows(self, sql: str, parameters: Any) -> list[Any]:
        """The rows of a statement."""
        return self.connection.execute(sql, parameters).fetchall()

    def plan(self, sql: str, parameters: Any) -> list[str]:
        """How it finds them."""
        return [row[3] for row in self.rows(f"EXPLAIN QUERY PLAN {sql}", parameters)]


class Postgres:
    """A log in a PostgreSQL database."""

    dialect = "postgresql"

    def __init__(self, loop: Any, url: str, entries: int) -> None:
        self._loop = loop
        asyncio.run(migrations.upgrade(url))
        loop(self._fill(url, entries))
        self._connection = loop(asyncpg.connect(url, server_settings={"timezone": "UTC"}))
        loop(self._connection.execute("ANALYZE"))
        loop(self._connection.execute(f"SELECT set_config('credence.tenant', '{asking.TENANT}', false)"))

    async def _fill(self, url: str, entries: int) -> None:
        engine = engines.postgres_engine(url, size=1, role=None)
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"SELECT set_config('credence.tenant', '{asking.TENANT}', true)")
            await connection.run_sync(_built, entries)
        await engine.dispose()

    def rows(self, sql: str, parameters: Any) -> list[Any]:
        """The rows of a statement."""
        return list(self._loop(self._connection.fetch(sql, *parameters)))

    def plan(self, sql: str, parameters: Any) -> list[str]:
        """How it finds them."""
        return [row[0] for row in self.rows(f"EXPLAIN (COSTS OFF) {sql}", parameters)]


def _built(connection: Any, entries: int) -> None:
    asking.fill(connection, min(entries, asking.REAL))
    if entries > asking.REAL:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT set_config('credence.tenant', '{asking.TENANT}', true)")
        asking.multiply(connection, -(-entries // asking.REAL), _told)


def _told(done: int) -> None:
    print(f"\r{done:>12,} entries", end="", file=sys.stderr, flush=True)


def once(log: Any, steps: Any, arguments: list[Any], *, plans: list[str] | None = None) -> float:
    """How long one run takes; its plans, where they are asked for."""
    began = perf_counter()
    walk = asking.run(steps, arguments)
    try:
        fetch = next(walk)
        while True:
            if plans is not None:
                plans += log.plan(fetch.sql, fetch.parameters)
            fetch = walk.send(log.rows(fetch.sql, fetch.parameters))
    except StopIteration:
        return perf_counter() - began


def measured(log: Any, count: int) -> dict[str, tuple[float, list[str]]]:
    """The median of every query, and its plans."""
    found: dict[str, tuple[float, list[str]]] = {}
    queries = {
        name: asking.steps_of(log.dialect, where, descending=down)
        for name, (where, down) in asking.asked(count).items()
    }
    queries["access log of a customer"] = asking.access_of(log.dialect)
    for name, (steps, arguments) in queries.items():
        plans: list[str] = []
        once(log, steps, arguments, plans=plans)
        found[name] = median(once(log, steps, arguments) for _ in range(ROUNDS)), plans
    return found


def shown(small: dict[str, tuple[float, list[str]]], large: dict[str, tuple[float, list[str]]]) -> None:
    """The ratios, and what of the plans walks a table."""
    print(f"{'query':34} {'large ÷ small':>13}  {'÷ newest':>9}")
    least = large["newest"][0]
    for name, (time, plans) in large.items():
        walks = [line for line in plans if line.lstrip("-> ").startswith(("SCAN audit", "Seq Scan on audit"))]
        print(f"{name:34} {time / small[name][0]:13.1f}  {time / least:9.1f}  {'; '.join(dict.fromkeys(walks))}")


def main() -> None:
    """Builds both logs and asks them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--plans", action="store_true", help="prints every plan of the large log")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="credence-bench-") as folder:
        if given.database == "sqlite":
            small, large = (Lite(Path(folder), count) for count in (SMALL, given.entries))
            found = measured(small, SMALL), measured(large, given.entries)
        else:
            with databases.Loop() as loop, databases.started() as url, databases.Server(loop, url) as server:
                logs = [Postgres(loop, server.url_of(server.create()), count) for count in (SMALL, given.entries)]
                found = measured(logs[0], SMALL), measured(logs[1], given.entries)
    print(f"\n{given.database}, {given.entries:,} entries against {SMALL:,}")
    shown(*found)
    if given.plans:
        for name, (_, plans) in found[1].items():
            print(f"\n{name}\n  " + "\n  ".join(dict.fromkeys(plans)))


if __name__ == "__main__":
    main()
