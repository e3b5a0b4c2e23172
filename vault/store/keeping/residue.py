"""What storage still holds of what was deleted is removed: pages of a SQLite file and its log, the heap of PostgreSQL.

Beyond reach are blocks that a file system or a disk freed or copied, and on PostgreSQL segments of its own log: what
lingers there is sealed, and its keys end with the epoch that wraps them.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection
from contextlib import closing
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.custody.erasures import Erasure
from domain.custody.rules import BURIED
from domain.documents.documents import Document
from domain.errors import Overloaded
from domain.ids import Id, prefix_of
from domain.records import DataClass
from vault.documents.blobs import Blobs
from vault.store import engines

TRIES: Final = 50
PAUSE_MILLISECONDS: Final = 100
TABLES: Final = (
    *("vault_dek_wrap", "sealed_field", "blind_index", "audit_payload"),
    *sorted(shape.table for shape in BURIED),
)
"""Where keys, values, tokens and payloads lie, and records that are buried. Only rewriting a table takes the rows away
that were deleted in it."""
_BUSY: Final = "Somebody reads an older state of the database, which still holds what was deleted."


async def forget_blobs(blobs: Blobs, tenant: Id, erasure: Erasure) -> None:
    """Removes the bytes of documents: all of the subjects whose documents were erased, and those that were alone."""
    if DataClass.DOCUMENTS.value in erasure.classes:
        for subject in erasure.subjects:
            await asyncio.to_thread(blobs.forget, tenant, Id(subject))
    alone = {own for own in erasure.records if prefix_of(own) == Document.shape.prefix}
    if alone:
        await asyncio.to_thread(_remove, blobs, tenant, erasure.subject_id, alone)


def _remove(blobs: Blobs, tenant: Id, subject: Id, documents: Collection[str]) -> None:
    for name in list(blobs.names(tenant, subject)):
        if name.document in documents:
            blobs.remove(name)


def clean_sqlite(url: str) -> None:
    """Deleted content is overwritten where it lay (`secure_delete`); here the log's copies of it go too.

    Raises: Overloaded while a reader holds a snapshot from before.
    """
    with closing(sqlite3.connect(engines.sqlite_path(url), isolation_level=None)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {PAUSE_MILLISECONDS}").close()
        for _ in range(TRIES):
            (busy, *_), *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if not busy:
                return
    raise Overloaded(_BUSY, advice="End long readings such as a backup, then run `credence keys shred` again.")


async def clean_postgres(url: str) -> None:
    """The tables that deleted rows lay in are written anew, as their owner; readers of them wait meanwhile.

    Raises: Overloaded when the owner of the tables is somebody else.
    """
    engine: AsyncEngine = engines.postgres_engine(url, size=1, role=None)
    try:
        async with engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in TABLES:
                await alone.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table}")
    except sa.exc.ProgrammingError:
        raise Overloaded(
            "The database user may not rewrite the tables.",
            advice="Run `credence keys shred` as the user that ran `credence migrate`.",
        ) from None
    finally:
        await engine.dispose()
