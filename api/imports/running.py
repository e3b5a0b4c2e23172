"""An import is driven through the Gate batch by batch; begun again, it goes on where it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

from api.imports.mapping import ImportMap
from api.imports.reading import Table, digest_of, open_table
from api.imports.rejected import RejectedRows
from api.imports.rows import Cells, Row, reader
from domain.errors import CreditError
from domain.files.batches.customers import CustomerRow, ImportCustomers
from domain.files.batches.documents import DocumentRow, ImportDocuments
from domain.files.batches.records import ImportRecords, RecordRow
from domain.files.importing import BeginImport, FinishImport, ImportKind, ImportRun, ImportState, Rejection, rejection
from domain.operations import Operation

T = TypeVar("T")

BATCH = 4_000


class Perform(Protocol):
    """Carries out one operation as one transaction and returns its value."""

    async def __call__(self, operation: Operation[T], /) -> T:
        """The operation's value, once it is durable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an import is."""

    run: ImportRun
    share: float
    """The share of the file that is decided, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How an import ended."""

    run: ImportRun
    resumed_at: int
    """The row it went on from; 0 where it began, the last one where there was nothing left to do."""
    already: bool
    """Whether the file was imported before under this map, so that nothing was read now."""
    rejected: Path | None
    """The file of rejected rows, where there is one."""


async def run_import(
    perform: Perform,
    path: Path,
    plan: ImportMap,
    *,
    rejected: Path | None = None,
    batch: int = BATCH,
    again: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Imported:
    """Imports a file under a map, or the rest of it; rejected rows go to a file beside it, or where told.

    Raises: Malformed when file, map or source is refused as a whole; Conflict when another process imports it.
    """
    table = open_table(path, encoding=plan.encoding, delimiter=plan.delimiter)
    plan.check_file(table.columns)
    run = await perform(
        BeginImport(
            kind=plan.kind,
            source=plan.source,
            lawful_basis=plan.lawful_basis,
            file_name=path.name,
            file_digest=await asyncio.to_thread(digest_of, path),
            map_digest=plan.digest,
            again=again,
        )
    )
    log = RejectedRows(rejected or path.with_suffix(".rejected.csv"), plan.column_of)
    start, already = run.rows_read, run.state is not ImportState.RUNNING
    if not already:
        log.resume(run)
        # The first name is kept, so that a renamed file has the same rows in its source.
        batches = _batches(table, plan, reader(plan, run.file_name), start, batch)
        waiting = next(batches, None)
        while waiting is not None:
            task = asyncio.ensure_future(perform(_operation(plan, run, waiting, log.length)))
            await asyncio.sleep(0)
            try:
                following = next(batches, None)  # is read while the store works on the one before
            finally:
                run = await task
            log.append(run.rejected)
            if progress:
                progress(Progress(run=run, share=waiting.share))
            waiting = following
        run = await perform(FinishImport(run=run.id, position=run.rows_read, rejected_bytes=log.length))
    # The rejected rows of an import of before may have been written elsewhere, or moved away since.
    written = run.rows_rejected and log.path.exists()
    return Imported(run=run, resumed_at=start, already=already, rejected=log.path if written else None)


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: tuple[Row, ...]
    refused: tuple[Rejection, ...]
    share: float


def _batches(
    table: Table, plan: ImportMap, read: Callable[[int, Cells], Row | Rejection], start: int, size: int
) -> Iterator[_Batch]:
    """The rows of the file after the first `start`, mapped."""
    first = start + 1
    for lines, share in table.batches(plan.read, start, size):
        rows: list[Row] = []
        refused: list[Rejection] = []
        for number, line in enumerate(lines, first):
            found = rejection(number, line) if isinstance(line, CreditError) else read(number, line)
            if isinstance(found, Rejection):
                refused.append(found)
            else:
                rows.append(found)
        first += len(lines)
        yield _Batch(tuple(rows), tuple(refused), share)


def _operation(plan: ImportMap, run: ImportRun, batch: _Batch, length: int) -> Operation[ImportRun]:
    """The operation that records a batch."""
    if plan.kind is ImportKind.INVOICES:
        return ImportDocuments(
            run=run.id,
            position=run.rows_read,
            rows=cast("tuple[DocumentRow, ...]", batch.rows),
            refused=batch.refused,
            rejected_bytes=length,
            known=plan.known,
            firms_only=plan.firms_only,
        )
    if plan.kind is ImportKind.CUSTOMERS:
        return ImportCustomers(
            run=run.id,
            position=run.rows_read,
            rows=cast("tuple[CustomerRow, ...]", batch.rows),
            refused=batch.refused,
            rejected_bytes=length,
            known=plan.known,
            firms_only=plan.firms_only,
        )
    return ImportRecords(
        run=run.id,
        position=run.rows_read,
        rows=cast("tuple[RecordRow, ...]", batch.rows),
        refused=batch.refused,
        rejected_bytes=length,
        firms_only=plan.firms_only,
    )
