"""The database is brought to the newest revision, whole or not at all, however many processes try at once."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Unavailable
from vault.store import engines
from vault.store.schema import statistics

LOCK: Final = 0x637265_64656E63
"""The advisory lock of a migration on PostgreSQL; SQLite has its write lock."""

_PLACES: Final = (Path(__file__).parents[1] / "scripts", Path(__file__).parents[3] / "alembic")
"""Where the revisions are: in the installed package, or in a checkout."""
_MIGRATE: Final = "Run `credence migrate`."
_SILENT: Final = "Check CREDENCE_DATABASE_URL, and that it names a database that is running and not busy."
_OTHER: Final = "Install the version of Credence that migrated it, or restore a backup of before."
# Alembic keeps the running migration in a module, for the scripts to find it: one at a time in a process.
_one_at_a_time = threading.Lock()

T = TypeVar("T")
Work = Callable[[sa.Connection], T]


def head() -> str:
    """The newest revision that this version of the product knows."""
    return str(_scripts().get_current_head())


async def upgrade(url: str) -> str:
    """Brings the database to the newest revision in one transaction, and returns that revision.

    A SQLite file that is not there yet is made. Whoever comes second waits and then finds nothing to do.

    Raises: Unavailable for a database that does not answer, or of a revision that this version does not know.
    """
    return await asyncio.to_thread(within, url, _upgrade)


async def revision(url: str) -> str | None:
    """The revision of the database; None where it was never migrated, or is not there.

    Raises: Unavailable for a database that does not answer.
    """
    if engines.parse(url).drivername == engines.SQLITE:
        return await asyncio.to_thread(_revision_sqlite, url)
    return await _on_postgres(url, _revision)


async def check(url: str) -> None:
    """The database is at the newest revision.

    Raises: Unavailable, with advice, when it is not.
    """
    found = await revision(url)
    if found is None:
        raise Unavailable("The database was not migrated yet.", advice=_MIGRATE)
    if found != head():
        _known(found)
        raise Unavailable(f"The database is at revision {found}, and not at {head()}.", advice=_MIGRATE)


def within(url: str, work: Work[T]) -> T:
    """What the work returns, done in one transaction of its own while no other migration runs.

    For a thread without an event loop.
    """
    with _one_at_a_time:
        if engines.parse(url).drivername == engines.SQLITE:
            return _on_sqlite(url, work)
        return asyncio.run(_on_postgres(url, work, lock=True))


def declared_for(dialect: str) -> Callable[..., bool]:
    """Tells Alembic which declared indexes this database has: some stand in one of the two only."""

    def include(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:  # noqa: FBT001 - the arguments are Alembic's
        del name, kind, compare_to
        only = getattr(item, "_ddl_if", None)
        return reflected or only is None or only.dialect == dialect

    return include


def _upgrade(connection: sa.Connection) -> str:
    found = _revision(connection)
    if found is not None:
        _known(found)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name == engines.SQLITE:
        statistics.tell(connection)
    return head()


def _config() -> Config:
    place = next(place for place in _PLACES if (place / "env.py").is_file())
    config = Config()
    config.set_main_option("script_location", str(place).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _known(found: str) -> None:
    if found not in {script.revision for script in _scripts().walk_revisions()}:
        raise Unavailable(f"The database is at revision {found}, which this version does not know.", advice=_OTHER)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def _revision_sqlite(url: str) -> str | None:
    if not engines.sqlite_path(url).exists():
        return None
    with _answering(), closing(engines.sqlite_reader(url)()) as connection:
        try:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return None
            raise
    return None if found is None else str(found[0])


def _on_sqlite(url: str, work: Work[T]) -> T:
    engine = engines.sqlite_writer(url)
    try:
        with _answering(), engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


async def _on_postgres(url: str, work: Work[T], *, lock: bool = False) -> T:
    engine = engines.postgres_engine(url, size=1, role=None)
    try:
        with _answering():
            async with engine.begin() as connection:
                if lock:
                    await _lock(connection)
                return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def _lock(connection: AsyncConnection) -> None:
    """Held until the transaction ends."""
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


@contextmanager
def _answering() -> Iterator[None]:
    """What goes wrong before the first statement is no bug of ours."""
    try:
        yield
    except (OSError, sqlite3.DatabaseError, asyncpg.PostgresError) as error:
        raise _silent() from error
    except sa.exc.DBAPIError as error:
        if error.statement in {None, "BEGIN IMMEDIATE"}:
            raise _silent() from error
        raise


def _silent() -> Unavailable:
    return Unavailable("The database does not answer.", advice=_SILENT)
