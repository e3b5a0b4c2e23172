"""Batches of sealed records of the kinds besides trade documents, as if entered one by one (Ch.4 §2, Ch.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.actors import Actor
from domain.errors import CreditError, Malformed
from domain.files.days import Days, days
from domain.files.history import (
    DefaultEvent,
    ExternalRating,
    FinancialStatement,
    LitigationRecord,
    PublicSanction,
    SourcedRecord,
)
from domain.files.importing import (
    ImportKind,
    ImportRun,
    Rejection,
    advanced,
    file_for,
    files_of,
    opened,
)
from domain.files.parties import CreditFile
from domain.files.recording.events import RecordDefault, RecordLitigation, RecordSanction
from domain.files.recording.reports import RecordRating, RecordStatement
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit

Recording = RecordDefault | RecordLitigation | RecordSanction | RecordRating | RecordStatement

RECORDED_BY: dict[ImportKind, type[Recording]] = {
    ImportKind.DEFAULTS: RecordDefault,
    ImportKind.LITIGATION: RecordLitigation,
    ImportKind.SANCTIONS: RecordSanction,
    ImportKind.RATINGS: RecordRating,
    ImportKind.STATEMENTS: RecordStatement,
}
"""The operation that records one row of each kind."""

_RECORDS: dict[ImportKind, type[SourcedRecord]] = {
    ImportKind.DEFAULTS: DefaultEvent,
    ImportKind.LITIGATION: LitigationRecord,
    ImportKind.SANCTIONS: PublicSanction,
    ImportKind.RATINGS: ExternalRating,
    ImportKind.STATEMENTS: FinancialStatement,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """One credit record of an import."""

    row: int
    """The row of the file, counted from 1 below the header."""
    reference: str
    """The company's own number for the customer."""
    source_row: str
    """Where the record stands in its source; it is recorded once."""
    recording: Recording
    """What it says, as the operation that records it by itself; its credit file and origin are the row's."""


@operation("import:run", chapter="4.2, 4.3, 7.1, 7.2")
class ImportRecords(Operation[ImportRun]):
    """Records one batch of defaults, cases, sanctions, ratings or statements and moves the import on (Ch.4 §2)."""

    run: Id
    """The import it belongs to."""
    position: int
    """How many rows of the file are decided before this batch."""
    rows: tuple[RecordRow, ...]
    """The records, in the order of the file."""
    refused: tuple[Rejection, ...] = ()
    """The rows between them that could not be read."""
    rejected_bytes: int = 0
    """How long the file of rejected rows is before this batch."""
    firms_only: bool = False
    """Whether rows about natural persons are rejected."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ImportRun]:
        """A record is made once per row of its source; what it says is sealed, so a known one stays as it is.

        Chapter: 4.2, 4.3.
        """
        run, tally = opened(unit, self.run, _RECORDS, self.position, len(self.rows), self.refused)
        files = files_of(unit, (item.reference for item in self.rows), firms_only=self.firms_only)
        rows = tuple(item.source_row for item in self.rows)
        on_file = unit.find(_RECORDS[run.kind], source=run.source, source_row=rows) if rows else []
        known = {found.source_row for found in on_file}
        calendar = days(unit)
        for item in self.rows:
            if item.source_row in known:
                tally.known += 1
                continue
            try:
                _record(unit, actor, calendar, run, item, file_for(files, item.reference))
            except CreditError as error:
                tally.reject(item.row, error)
            else:
                known.add(item.source_row)
                tally.stored += 1
        read = len(self.rows) + len(self.refused)
        return Decided(value=advanced(unit, run, tally, read, self.rejected_bytes), resources=(run.id,))


def _record(unit: Unit, actor: Actor, calendar: Days, run: ImportRun, item: RecordRow, file: CreditFile) -> None:
    if type(item.recording) is not RECORDED_BY[run.kind]:
        raise Malformed("The row is not of the import's kind.", path=("rows",))
    origin = replace(run.origin, source_row=item.source_row)
    replace(item.recording, credit_file=file.id, origin=origin).record(unit, actor, calendar)
