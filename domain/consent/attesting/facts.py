"""The facts that predicates ask about, as they stand now; none of them leaves (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from domain.assessment.assessments import Assessment, AssessmentState
from domain.assessment.scale import Grade
from domain.consent.attesting.predicates import PredicateCode
from domain.files.days import days
from domain.files.history import DocumentKind, DocumentState, RecordStatus, TradeTransaction, days_beyond_terms
from domain.files.parties import CreditFile
from domain.objections.objections import is_contested
from domain.ports import Unit


def answer(unit: Unit, file: CreditFile, code: PredicateCode, threshold: str) -> bool | None:
    """Whether the fact passes the threshold; None where there is no such fact to tell of.

    Chapter: 4.4, 5.2.
    """
    return _ANSWERS[code](unit, file, threshold)


def is_disputed(unit: Unit, file: CreditFile, code: PredicateCode) -> bool:
    """Whether the customer contests the fact: a bare yes or no would not tell that it does.

    Disputed amounts are left out of what is overdue anyway.

    Chapter: 3.3, 4.4.
    """
    if code is PredicateCode.NO_OVERDUE_BEYOND:
        return False
    return is_contested(unit, file.id) or (file.assessment is not None and is_contested(unit, file.assessment))


def _in_force(unit: Unit, file: CreditFile) -> Assessment | None:
    """The assessment in force, while its review is not due."""
    found = None if file.assessment is None else unit.get(Assessment, file.assessment)
    if found is None or found.state is not AssessmentState.IN_FORCE:
        return None
    due = file.review_due_on
    return None if due is not None and due < days(unit).today else found


def _grade(unit: Unit, file: CreditFile, threshold: str) -> bool | None:
    found = _in_force(unit, file)
    return None if found is None or found.grade is None else found.grade.rank <= Grade(threshold).rank


def _score(unit: Unit, file: CreditFile, threshold: str) -> bool | None:
    found = _in_force(unit, file)
    return None if found is None or found.score is None else found.score >= int(threshold)


def _overdue(unit: Unit, file: CreditFile, threshold: str) -> bool | None:
    most, back = map(int, threshold.split("/"))
    today = days(unit).today
    facts = ("issued_on", "due_on", "settled_on", "total", "disputed", "state")
    found = unit.select(
        TradeTransaction, facts, credit_file=file.id, kind=DocumentKind.RECEIVABLE, status=RecordStatus.ACTIVE
    )
    looked_at = [
        (due, settled)
        for issued, due, settled, total, disputed, state in found
        if issued >= today - timedelta(days=back)
        and state in _COUNT
        and (disputed is None or disputed.minor < total.minor)
    ]
    if not looked_at:
        return None
    return all(beyond is None or beyond <= most for beyond in days_beyond_terms(looked_at, today))


_COUNT: Final = frozenset({DocumentState.OPEN, DocumentState.SETTLED})
_ANSWERS: Final[Mapping[PredicateCode, Callable[[Unit, CreditFile, str], bool | None]]] = {
    PredicateCode.GRADE_AT_LEAST: _grade,
    PredicateCode.SCORE_AT_LEAST: _score,
    PredicateCode.NO_OVERDUE_BEYOND: _overdue,
}
