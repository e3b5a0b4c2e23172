"""A customer's standing: what was in force before an assessment, and how an assessment comes into force (Ch.5 §4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import takewhile
from operator import itemgetter
from typing import Any

from domain.assessment.assessments import Assessment, AssessmentState
from domain.assessment.plan import Granted, control_plan
from domain.assessment.policy import PolicyDocument
from domain.assessment.receipt import Standing
from domain.assessment.scale import Grade
from domain.controls import active_kinds, credit_status, follow_plan
from domain.errors import Conflict, NotInForce
from domain.files.parties import CreditFile
from domain.objections.following import rescored
from domain.ports import Unit
from domain.statements.falling import statements_fall
from domain.statements.statements import RevokedBecause

_WAS_IN_FORCE = (
    AssessmentState.IN_FORCE,
    AssessmentState.SUPERSEDED,
    AssessmentState.EXPIRED,
    AssessmentState.INVALIDATED,
)


def standing_of(unit: Unit, file: CreditFile, currency: str) -> Standing | None:
    """What is in force for a customer, and since when its grade is that one; None before the first assessment.

    A grade counts from the day its data was read for. Where the assessment in force was invalidated, because an input
    was corrected, its grade is restored at once.

    Chapter: 5.3, 5.4.
    Raises:  NotInForce when the limit in force is in another currency.
    """
    if file.assessment is None:
        return None
    limit = file.credit_limit
    if limit is not None and limit.currency != currency:
        raise NotInForce(
            f"The credit limit in force is not in {currency}, the currency of the credit policy in force.",
            advice="Put a credit policy of its currency in force.",
            path=("creditFile",),
        )
    last = unit.get(Assessment, file.assessment)
    earlier = unit.select(Assessment, ("as_of", "id", "grade"), credit_file=file.id, state=_WAS_IN_FORCE)
    return Standing(
        grade=file.grade,
        grade_changed_on=_changed_on(earlier, last),
        limit_minor=limit.minor if limit else 0,
        net_days=file.net_days or 0,
        prepayment_bp=file.prepayment_bp or 0,
        restored=last.state is AssessmentState.INVALIDATED,
    )


def _changed_on(earlier: Iterable[tuple[Any, ...]], last: Assessment) -> date:
    """The day of the first assessment of the run of equal grades that ends with the last; later ids are newer."""
    newest_first = sorted(
        (row for row in earlier if row[:2] <= (last.as_of, last.id)), reverse=True, key=itemgetter(0, 1)
    )
    run = takewhile(lambda row: row[2] is last.grade, newest_first)
    return min((as_of for as_of, _, _ in run), default=last.as_of)


def come_into_force(
    unit: Unit, file: CreditFile, assessment: Assessment, policy: PolicyDocument, previous: Standing | None
) -> CreditFile:
    """The file under a new assessment: grade, limit, terms, review and measures change in this transaction.

    The assessment before is superseded, and where the grade falls, credit statements are revoked. Measures that follow
    are proposed; how new business stands follows from the tier and from the measures that are active.

    Chapter: 5.2, 5.4, 6.1, 6.2, 6.3.
    Units:   the limit in minor units of the policy's currency.
    """
    if file.assessment is not None and file.assessment != assessment.id:
        before = unit.get(Assessment, file.assessment, lock=True)
        if before.state is AssessmentState.IN_FORCE:
            unit.replace(replace(before, state=AssessmentState.SUPERSEDED))
    if _fell(file.grade, assessment.grade):
        statements_fall(unit, file.id, RevokedBecause.LOWER_GRADE)
    planned = control_plan(policy, _granted(assessment), previous)
    follow_plan(unit, file, assessment.id, planned, proposed_by=assessment.prepared_by)
    rescored(unit, file.id)
    return unit.replace(
        replace(
            file,
            assessment=assessment.id,
            score=assessment.score,
            grade=assessment.grade,
            tier=assessment.tier,
            credit_limit=assessment.credit_limit,
            net_days=assessment.net_days,
            prepayment_bp=assessment.prepayment_bp,
            review_due_on=assessment.review_due_on,
            credit_status=credit_status(file.credit_status, assessment.tier, active_kinds(unit, file.id)),
        )
    )


def _fell(before: Grade | None, after: Grade | None) -> bool:
    """Whether a grade fell, or is gone."""
    return before is not None and (after is None or after.rank > before.rank)


def refuse_outdated(unit: Unit, file: CreditFile, assessment: Assessment) -> None:
    """Refuses an assessment that would come into force over one that is newer than what it rests on.

    Chapter: 5.3.
    Raises:  Conflict.
    """
    if file.assessment is None or file.assessment == assessment.id:
        return
    current = unit.get(Assessment, file.assessment)
    if current.as_of > assessment.as_of or current.stamp.effective_from > assessment.stamp.created_at:
        raise Conflict(
            "A newer assessment is in force.", advice="Request a new assessment of the file.", path=("assessment",)
        )


def _granted(assessment: Assessment) -> Granted:
    return Granted(
        grade=assessment.grade,
        limit_minor=assessment.credit_limit.minor if assessment.credit_limit else 0,
        net_days=assessment.net_days or 0,
        prepayment_bp=assessment.prepayment_bp or 0,
        security_required=assessment.security_required,
    )
