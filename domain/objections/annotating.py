"""What is contested says so: of a receivable the contested part, of another record that it does not score (Ch.3 §3)."""

from __future__ import annotations

from dataclasses import replace

from domain.files.days import days
from domain.files.history import CreditRecord, DocumentKind, RecordStatus, TradeTransaction
from domain.files.kinds import ALL, OVER
from domain.files.parties import CreditFile
from domain.ids import prefix_of
from domain.objections.objections import ANNOTATING, Objection, ObjectionKind, ObjectionState
from domain.ports import Unit


def mark(unit: Unit, objection: Objection) -> Objection:
    """Marks what is contested, from now on; a review falls due where that changes what scores.

    Chapter: 3.3, 4.2.
    """
    record = _record(unit, objection)
    if record is None:
        return objection
    if isinstance(record, TradeTransaction) and record.kind is DocumentKind.RECEIVABLE:
        unit.replace(replace(record, disputed=objection.amount))
        objection = replace(objection, disputed_before=record.disputed)
    else:
        unit.replace(replace(record, status=RecordStatus.DISPUTED))
    due(unit, objection)
    return objection


def clear(unit: Unit, objection: Objection) -> None:
    """Takes the mark away again: the record stands as it did before.

    Chapter: 3.3, 4.2.
    """
    if objection.state not in ANNOTATING or objection.state is ObjectionState.UNVERIFIABLE:
        return
    record = _record(unit, objection)
    if record is None or record.status in OVER:
        return
    if isinstance(record, TradeTransaction) and record.kind is DocumentKind.RECEIVABLE:
        unit.replace(replace(record, disputed=objection.disputed_before))
    elif record.status is RecordStatus.DISPUTED:
        unit.replace(replace(record, status=RecordStatus.ACTIVE))
    due(unit, objection)


def due(unit: Unit, objection: Objection) -> None:
    """A review of the file is due today, unless it was due before.

    Chapter: 3.3, 5.2.
    """
    file, today = unit.get(CreditFile, objection.credit_file, lock=True), days(unit).today
    if file.review_due_on is not None and file.review_due_on > today:
        unit.replace(replace(file, review_due_on=today))


def _record(unit: Unit, objection: Objection) -> CreditRecord | None:
    """The credit record that is contested, locked; None where it is the file, an assessment or nothing."""
    if objection.kind is not ObjectionKind.RECORD or objection.contested is None:
        return None
    kind = ALL.get(prefix_of(objection.contested))
    return unit.get(kind, objection.contested, lock=True) if kind else None
