"""An assessment whose input is put right is not relied on any more: its review is due (Ch.3 §3, Ch.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

from domain.assessment.assessments import Assessment, AssessmentState
from domain.assessment.gathering import SCORED
from domain.controls import cancel_proposals
from domain.files.days import Days
from domain.files.history import CreditRecord, RecordStatus, TradeTransaction
from domain.files.parties import CreditFile
from domain.ports import Unit
from domain.statements.falling import statements_fall
from domain.statements.statements import RevokedBecause

_AFTER = {
    AssessmentState.IN_FORCE: AssessmentState.INVALIDATED,
    AssessmentState.IN_REVIEW: AssessmentState.WITHDRAWN,
}
"""What becomes of an assessment whose input was wrong."""

View = tuple[object, ...] | None


def document_put_right(unit: Unit, calendar: Days, wrong: TradeTransaction, right: TradeTransaction) -> None:
    """Invalidates what read a trade document otherwise than it is right; a later payment is news, no correction.

    Chapter: 3.3, 5.3.
    """
    _invalidate(unit, calendar, wrong, lambda day: _read(wrong, day) != _read(right, day))


def values_put_right(unit: Unit, calendar: Days, wrong: CreditRecord, tags: Iterable[str]) -> None:
    """Invalidates what read a sealed value that was wrong, or that did not score and now does.

    Chapter: 3.3, 5.3.
    """
    scored = wrong.status is not RecordStatus.ACTIVE or not SCORED.isdisjoint(tags)
    _invalidate(unit, calendar, wrong, lambda _: scored)


def withdrawn(unit: Unit, calendar: Days, record: CreditRecord) -> None:
    """Invalidates what read a record that should not have been there.

    Chapter: 3.3, 5.3.
    """

    def scored(day: date) -> bool:
        read = _read(record, day) is not None if isinstance(record, TradeTransaction) else True
        return read and record.status is RecordStatus.ACTIVE

    _invalidate(unit, calendar, record, scored)


def _read(document: TradeTransaction, day: date) -> View:
    """What an assessment as of a day reads of a document; None where it reads nothing of it."""
    if document.status is not RecordStatus.ACTIVE or document.issued_on > day:
        return None
    settled = document.settled_on is not None and document.settled_on <= day
    # Open and settled are told apart by the day alone.
    state = document.state.value if document.state.value in {"VOID", "REVERSED"} else ""
    return (
        document.kind,
        document.number,
        document.issued_on,
        document.due_on,
        document.settled_on if settled else None,
        document.net,
        document.total,
        document.disputed,
        document.counterparty,
        state,
    )


def _invalidate(unit: Unit, calendar: Days, record: CreditRecord, differs: Callable[[date], bool]) -> None:
    """The assessment in force becomes INVALIDATED and one that waits is withdrawn, where the record was known to it.

    Grade, limit and terms stay until the new assessment is in force: nobody loses them by our mistake, and nobody
    decides on them without a new one. The review is due today, so that it stands in the lists of what is due.
    """
    file = unit.get(CreditFile, record.credit_file, lock=True)
    fallen = False
    for assessment in unit.find(Assessment, lock=True, credit_file=file.id, state=tuple(_AFTER)):
        if record.stamp.created_at > assessment.stamp.created_at or not differs(assessment.as_of):
            continue
        unit.replace(replace(assessment, state=_AFTER[assessment.state]))
        if assessment.state is AssessmentState.IN_REVIEW:
            cancel_proposals(unit, assessment.id)
        else:
            statements_fall(unit, file.id, RevokedBecause.INPUT_CORRECTED)
        fallen = True
    if fallen and (file.review_due_on is None or file.review_due_on > calendar.today):
        unit.replace(replace(file, review_due_on=calendar.today))
