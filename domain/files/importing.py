"""An import brings many rows of one file, from a lawful source, in batches; each batch is one operation (Ch.4 §2, §3).

The run of a file moves on in the same transaction as the rows of its batch, so whatever stops an import between two
batches loses nothing and doubles nothing. A row that cannot be recorded is rejected with a code, a sentence and
advice, never with its value, and the rest goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from domain.actors import Actor
from domain.errors import Code, Conflict, CreditError, Malformed
from domain.files.codes import check_digest, required_text
from domain.files.opening import usable
from domain.files.parties import CreditFile, Customer
from domain.files.sources import LawfulBasis, Origin, Source, lawful
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, link, record

MAX_ROWS = 5_000
"""Rows of one batch at most: one transaction, one audit entry."""


class ImportKind(Enum):
    """What the rows of an import are."""

    CUSTOMERS = "CUSTOMERS"
    INVOICES = "INVOICES"
    DEFAULTS = "DEFAULTS"
    LITIGATION = "LITIGATION"
    SANCTIONS = "SANCTIONS"
    RATINGS = "RATINGS"
    STATEMENTS = "STATEMENTS"


class ImportState(Enum):
    """RUNNING until the last row of the file is decided, then COMPLETE."""

    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"


class Known(Enum):
    """What becomes of a row that is recorded already."""

    KEEP = "KEEP"
    """It stays as recorded; a row that says something else is rejected."""
    UPDATE = "UPDATE"
    """A row that says something else supersedes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One row that was not recorded, and why; never its value (Ch.4 §2)."""

    row: int
    """The row of the file, counted from 1 below the header."""
    field: str
    """The field at fault; empty where it is the row as a whole."""
    code: Code
    """The closed code of the reason."""
    message: str
    """The reason in a sentence."""
    advice: str
    """What to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCount:
    """How often something was noticed and yet recorded (Ch.4 §2)."""

    code: str
    """What was noticed, such as TOTAL_DOES_NOT_ADD_UP."""
    count: int
    """In how many rows."""


@record(
    "im",
    table="import_run",
    read="import:read",
    unique=(("source", "file_digest", "map_digest"),),
    subject_reach=False,
)
class ImportRun(Record):
    """The import of one file from one source under one map: how far it is and what became of its rows (Ch.4 §3)."""

    kind: ImportKind = fact("What its rows are. Ch.4 §2", filter=True)
    source: Id = link("Source", "The registered source it came from. Ch.4 §3", same_subject=False)
    lawful_basis: LawfulBasis = fact("The lawful basis its rows are kept on. Ch.4 §3")
    file_name: str = fact("The file's name without its folder. Ch.4 §3")
    file_digest: str = fact("SHA-256 of the file, in hex: the evidence behind every row of it. Ch.4 §3")
    map_digest: str = fact("SHA-256 of the map that says what its columns mean, in hex. Ch.4 §3")
    state: ImportState = fact("Whether it is over. Ch.4 §2", filter=True)
    rows_read: int = fact("How many rows of the file are decided. Ch.4 §2", default=0)
    rows_stored: int = fact("How many of them were recorded. Ch.4 §2", default=0)
    rows_updated: int = fact("How many superseded what was recorded. Ch.4 §2", default=0)
    rows_known: int = fact("How many were recorded already and left as they are. Ch.4 §2", default=0)
    rows_rejected: int = fact("How many were rejected. Ch.4 §2", default=0)
    findings: tuple[FindingCount, ...] = fact("What was noticed but not refused. Ch.4 §2", default=())
    rejected_bytes: int = fact("How long the file of rejected rows was before the last batch. Ch.4 §2", default=0)
    rejected: tuple[Rejection, ...] = fact("The rejected rows of the last batch. Ch.4 §2", default=())

    @property
    def origin(self) -> Origin:
        """Where its rows come from; the file itself is the evidence."""
        return Origin(source=self.source, lawful_basis=self.lawful_basis, evidence_digest=self.file_digest)


@operation("import:run", chapter="4.2, 4.3")
class BeginImport(Operation[ImportRun]):
    """Begins the import of a file, or finds where an earlier one of the same file and map stopped (Ch.4 §3)."""

    kind: ImportKind
    """What its rows are."""
    source: str
    """The name of the registered source it comes from."""
    lawful_basis: LawfulBasis
    """The lawful basis its rows are kept on."""
    file_name: str
    """The file's name without its folder."""
    file_digest: str
    """SHA-256 of the file, in hex."""
    map_digest: str
    """SHA-256 of the map, in hex."""
    again: bool = False
    """Whether a file that is through is read once more from its first row; what is recorded stays recorded."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ImportRun]:
        """One run per source, file and map; it begins only from a registered source on a basis of that source.

        Chapter: 4.2, 4.3.
        """
        del actor
        sources = unit.find(Source, name=self.source)
        origin = Origin(source=sources[0].id if sources else Id(""), lawful_basis=self.lawful_basis)
        source = lawful(unit, origin)
        check_digest(self.file_digest, "fileDigest")
        check_digest(self.map_digest, "mapDigest")
        name = required_text(self.file_name, "fileName")
        if "/" in name or "\\" in name:
            raise Malformed(
                "The file's name names a folder.",
                advice="Send the name alone, such as invoices.csv.",
                path=("fileName",),
            )
        known = unit.find(
            ImportRun, lock=True, source=source.id, file_digest=self.file_digest, map_digest=self.map_digest
        )
        if known:
            run = known[0]
            if run.state is ImportState.COMPLETE and self.again:
                run = unit.replace(_from_the_start(run))
            return Decided(value=run, resources=(run.id,))
        run = ImportRun(
            stamp=unit.stamp(ImportRun),
            kind=self.kind,
            source=source.id,
            lawful_basis=self.lawful_basis,
            file_name=name,
            file_digest=self.file_digest,
            map_digest=self.map_digest,
            state=ImportState.RUNNING,
        )
        unit.add([run])
        return Decided(value=run, resources=(run.id,))


def _from_the_start(run: ImportRun) -> ImportRun:
    return replace(
        run,
        state=ImportState.RUNNING,
        rows_read=0,
        rows_stored=0,
        rows_updated=0,
        rows_known=0,
        rows_rejected=0,
        findings=(),
        rejected_bytes=0,
        rejected=(),
    )


@operation("import:run", chapter="4.2, 4.3")
class FinishImport(Operation[ImportRun]):
    """Ends an import whose last row is decided (Ch.4 §3)."""

    run: Id
    """The import."""
    position: int
    """How many rows the file has."""
    rejected_bytes: int
    """How long the file of rejected rows is."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ImportRun]:
        """An import ends once, where its last batch stopped.

        Chapter: 4.2, 4.3.
        """
        del actor
        run = running(unit, self.run, self.position)
        over = replace(run, state=ImportState.COMPLETE, rejected_bytes=self.rejected_bytes, rejected=())
        return Decided(value=unit.replace(over), resources=(run.id,))


def running(unit: Unit, run: Id, position: int) -> ImportRun:
    """The import at a position, locked; its source must still be lawful.

    Chapter: 4.3.
    Raises:  Conflict when the import is over or stands elsewhere: another process drives it.
    """
    found = unit.get(ImportRun, run, lock=True)
    if found.state is not ImportState.RUNNING or found.rows_read != position:
        raise Conflict(
            "The import stands elsewhere: another process reads the same file.",
            advice="Let one process finish, or begin again: it goes on where the import stands.",
            path=("position",),
        )
    lawful(unit, found.origin)
    return found


@dataclass(slots=True, kw_only=True)
class Tally:
    """What becomes of the rows of one batch while it is decided."""

    stored: int = 0
    updated: int = 0
    known: int = 0
    findings: Counter[str] = field(default_factory=Counter[str])
    rejections: list[Rejection] = field(default_factory=list[Rejection])

    def reject(self, row: int, error: CreditError) -> None:
        """Notes why a row is not recorded: its error, which holds no value.

        Chapter: 4.2.
        """
        self.rejections.append(rejection(row, error))


def rejection(row: int, error: CreditError) -> Rejection:
    """A row and the reason it is rejected for.

    Chapter: 4.2.
    """
    return Rejection(
        row=row,
        field=".".join(error.path),
        code=error.code,
        message=error.message,
        advice=error.advice,
    )


def advanced(unit: Unit, run: ImportRun, tally: Tally, read: int, rejected_bytes: int) -> ImportRun:
    """The import moved on by a batch, in the transaction of its rows.

    Chapter: 4.2.
    """
    counts = Counter({item.code: item.count for item in run.findings})
    counts.update(tally.findings)
    return unit.replace(
        replace(
            run,
            rows_read=run.rows_read + read,
            rows_stored=run.rows_stored + tally.stored,
            rows_updated=run.rows_updated + tally.updated,
            rows_known=run.rows_known + tally.known,
            rows_rejected=run.rows_rejected + len(tally.rejections),
            findings=tuple(FindingCount(code=code, count=counts[code]) for code in sorted(counts)),
            rejected_bytes=rejected_bytes,
            rejected=tuple(sorted(tally.rejections, key=lambda item: item.row)),
        )
    )


def opened(
    unit: Unit, run: Id, kinds: Iterable[ImportKind], position: int, rows: int, refused: Sequence[Rejection]
) -> tuple[ImportRun, Tally]:
    """The import a batch belongs to and its tally, which begins with the rows that could not be read.

    Chapter: 4.2, 4.3.
    Raises:  Malformed when the batch is empty, too large or of another kind; Conflict as `running` does.
    """
    if not 1 <= rows + len(refused) <= MAX_ROWS:
        raise Malformed(f"A batch has 1 to {MAX_ROWS} rows.", path=("rows",))
    found = running(unit, run, position)
    if found.kind not in kinds:
        raise Malformed("The rows are not of the import's kind.", path=("rows",))
    return found, Tally(rejections=list(refused))


def files_of(unit: Unit, references: Iterable[str], *, firms_only: bool) -> dict[str, CreditFile | Malformed]:
    """The credit file behind each reference of a batch, or why nothing is recorded for it: one look-up or two.

    Chapter: 4.2, 4.3.
    """
    wanted = tuple(dict.fromkeys(references))
    found: dict[str, CreditFile | Malformed] = {reference: _unknown_customer() for reference in wanted}
    files = unit.find(CreditFile, reference=wanted)
    found.update((file.reference, file) for file in files)
    if firms_only and files:
        owners = {customer.id: customer for customer in unit.find(Customer, id=tuple(file.customer for file in files))}
        found.update((file.reference, natural_person()) for file in files if owners[file.customer].kind.natural)
    return found


def file_for(files: Mapping[str, CreditFile | Malformed], reference: str) -> CreditFile:
    """The open credit file behind a reference.

    Chapter: 4.2.
    Raises:  Malformed (UNKNOWN_CUSTOMER, FORBIDDEN_CATEGORY, INVALID_TRANSITION).
    """
    found = files[reference]
    if isinstance(found, Malformed):
        raise found
    usable(found)
    return found


def _unknown_customer() -> Malformed:
    return Malformed(
        "No credit file has this reference.",
        code=Code.UNKNOWN_CUSTOMER,
        advice="Import the customers first, or correct the reference.",
        path=("reference",),
    )


def natural_person() -> Malformed:
    """Why a row about a person is rejected where the map says that the file holds firms only.

    Chapter: 4.3.
    """
    return Malformed(
        "The customer is a natural person, and the map says that the file holds firms only.",
        code=Code.FORBIDDEN_CATEGORY,
        advice="Leave the row out, or say persons = true in the map and no column about a person's means.",
        path=("reference",),
    )
