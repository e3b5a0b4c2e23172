"""Batches of trade documents of many customers: recorded once, oddities kept as findings (Ch.4 §2, §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.actors import Actor
from domain.errors import Code, CreditError, Malformed
from domain.files.checks import means_refused
from domain.files.days import days
from domain.files.history import DocumentKind, RecordStatus, TradeTransaction
from domain.files.importing import (
    ImportKind,
    ImportRun,
    Known,
    Rejection,
    Tally,
    advanced,
    file_for,
    files_of,
    opened,
)
from domain.files.parties import CreditFile, Customer
from domain.files.recording.documents import Document, check_document, transaction
from domain.files.sources import LawfulBasis
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit

NUMBER_REPEATED = "NUMBER_REPEATED"
"""A document before it has the same number, kind and customer: real books repeat numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """One trade document of an import."""

    row: int
    """The row of the file, counted from 1 below the header."""
    reference: str
    """The company's own number for the customer."""
    document: Document
    """What the row says."""


@dataclass(frozen=True, slots=True)
class _Draft:
    row: int
    record: TradeTransaction


@operation("import:run", chapter="4.2, 4.3")
class ImportDocuments(Operation[ImportRun]):
    """Records one batch of trade documents of many customers and moves the import on (Ch.4 §2)."""

    run: Id
    """The import it belongs to."""
    position: int
    """How many rows of the file are decided before this batch."""
    rows: tuple[DocumentRow, ...]
    """The documents, in the order of the file."""
    refused: tuple[Rejection, ...] = ()
    """The rows between them that could not be read."""
    rejected_bytes: int = 0
    """How long the file of rejected rows is before this batch."""
    known: Known = Known.KEEP
    """What becomes of a document that is recorded already and now says something else."""
    firms_only: bool = False
    """Whether rows about natural persons are rejected."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ImportRun]:
        """A document is recorded once per row of its source; repeated numbers and odd totals are kept as findings.

        Chapter: 4.2, 4.3.
        """
        kinds = (ImportKind.INVOICES,)
        run, tally = opened(unit, self.run, kinds, self.position, len(self.rows), self.refused)
        files = files_of(unit, (item.reference for item in self.rows), firms_only=self.firms_only)
        consented = self.firms_only or run.lawful_basis is LawfulBasis.WRITTEN_CONSENT
        persons = set[Id]() if consented else _persons(unit, self.rows, files)
        drafts = _repeats_marked(unit, _drafts(unit, actor, run, self.rows, files, persons, tally))
        records = [draft.record for draft in drafts]
        if not records or unit.add(records, skip_known=True) == len(records):
            fresh = drafts
        else:
            fresh = _beside_known(unit, run, drafts, self.known, tally)
        tally.stored = len(fresh)
        for draft in fresh:
            tally.findings.update(draft.record.findings)
        read = len(self.rows) + len(self.refused)
        return Decided(value=advanced(unit, run, tally, read, self.rejected_bytes), resources=(run.id,))


def _persons(unit: Unit, rows: Sequence[DocumentRow], files: dict[str, CreditFile | Malformed]) -> set[Id]:
    """The files of natural persons of whose own books the batch holds rows: one look-up."""
    asked = {item.reference for item in rows if item.document.kind.own_books}
    found = [file for name in asked if isinstance(file := files.get(name), CreditFile)]
    owners = unit.find(Customer, id=tuple(file.customer for file in found)) if found else []
    natural = {owner.id for owner in owners if owner.kind.natural}
    return {file.id for file in found if file.customer in natural}


def _drafts(
    unit: Unit,
    actor: Actor,
    run: ImportRun,
    rows: Sequence[DocumentRow],
    files: dict[str, CreditFile | Malformed],
    persons: set[Id],
    tally: Tally,
) -> list[_Draft]:
    """The records of the rows that can be recorded; the others are rejected."""
    drafts: list[_Draft] = []
    origin, calendar, collector = run.origin, days(unit), actor.person
    for item in rows:
        try:
            file = file_for(files, item.reference)
            if file.id in persons and item.document.kind.own_books:
                raise means_refused()
            check_document(item.document, calendar.today)
        except CreditError as error:
            tally.reject(item.row, error)
        else:
            drafts.append(_Draft(item.row, transaction(unit, calendar, file, item.document, origin, collector)))
    return drafts


def _repeats_marked(unit: Unit, drafts: Sequence[_Draft]) -> list[_Draft]:
    """The drafts; those whose number an earlier document of the same customer and kind has get a finding."""
    numbers = tuple({draft.record.number for draft in drafts})
    facts = ("credit_file", "kind", "number", "source", "source_row")
    seen: dict[tuple[Id, DocumentKind, str], tuple[Id, str]] = {}
    if numbers:
        for file, kind, number, source, row in unit.select(TradeTransaction, facts, number=numbers):
            seen.setdefault((file, kind, number), (source, row))
    marked: list[_Draft] = []
    for draft in drafts:
        record = draft.record
        place = (record.source, record.source_row)
        first = seen.setdefault((record.credit_file, record.kind, record.number), place)
        if first == place:
            marked.append(draft)
        else:
            marked.append(_Draft(draft.row, replace(record, findings=(*record.findings, NUMBER_REPEATED))))
    return marked


def _beside_known(unit: Unit, run: ImportRun, drafts: Sequence[_Draft], known: Known, tally: Tally) -> list[_Draft]:
    """The drafts that were stored; the others are compared with what their row of the source is recorded as."""
    rows = tuple(draft.record.source_row for draft in drafts)
    on_file = {found.source_row: found for found in unit.find(TradeTransaction, source=run.source, source_row=rows)}
    fresh: list[_Draft] = []
    for draft in drafts:
        record, current = draft.record, on_file[draft.record.source_row]
        if current.id == record.id:
            fresh.append(draft)
        elif _content(current) == _content(record):
            tally.known += 1
        elif known is Known.KEEP:
            tally.reject(draft.row, _says_otherwise())
        elif current.status is not RecordStatus.ACTIVE or current.collector != record.collector:
            tally.reject(draft.row, _put_right())
        else:
            changed = replace(record, stamp=current.stamp, supersedes=current.supersedes)
            on_file[record.source_row] = unit.replace(changed, correcting=True)
            tally.updated += 1
    return fresh


def _content(record: TradeTransaction) -> tuple[object, ...]:
    """What a document says, apart from how it came in and what was noticed."""
    return (
        record.credit_file,
        record.kind,
        record.number,
        record.issued_on,
        record.due_on,
        record.settled_on,
        record.net,
        record.tax,
        record.total,
        record.disputed,
        record.state,
        record.counterparty,
    )


def _says_otherwise() -> Malformed:
    return Malformed(
        "This row of the source is recorded already and says something else.",
        code=Code.CONFLICT,
        advice='Say known = "UPDATE" in the map if this file is newer, or give the rows a source_row of their own.',
        path=("sourceRow",),
    )


def _put_right() -> Malformed:
    """What a person disputed, withdrew, corrected or entered is not undone by the next file."""
    return Malformed(
        "This row of the source is recorded already, and somebody has put its record right or disputed it.",
        code=Code.CONFLICT,
        advice="Correct the record itself, with the reason.",
        path=("sourceRow",),
    )
