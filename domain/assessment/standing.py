"""A customer's standing: what was in force before an assessment, and how an assessment comes into force (Ch.5 §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from domain.assessment.assessments import Assessment, AssessmentState
from domain.assessment.plan import Granted, control_plan
from domain.assessment.policy import PolicyDocument
from domain.assessment.receipt import Standing
from domain.controls import active_kinds, credit_status, follow_plan
from domain.errors import Conflict, NotInForce
from domain.files.parties import CreditFile
from domain.ports import Unit

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
    earlier = unit.find(Assessment, credit_file=file.id, state=_WAS_IN_FORCE)
    last = next(each for each in earlier if each.id == file.assessment)
    since = _since(earlier, last)
    return Standing(
        grade=file.grade,
        grade_changed_on=since.as_of,
        limit_minor=limit.minor if limit else 0,
        net_days=file.net_days or 0,
        prepayment_bp=file.prepayment_bp or 0,
        restored=last.state is AssessmentState.INVALIDATED,
    )


def _since(earlier: Sequence[Assessment], last: Assessment) -> Assessment:
    """The first assessment of the run of equal grades that ends with the last."""
    newest_first = sorted(earlier, key=lambda each: (each.as_of, each.stamp.created_at, each.id), reverse=True)
    run = takewhile(lambda each: each.grade is last.grade, newest_first[newest_first.index(last) :])
    return list(run)[-1]


def come_into_force(unit: Unit, file: CreditFile, assessment: Assessment, policy: PolicyDocument) -> CreditFile:
    """The file under a new assessment: grade, limit, terms, review and measures change in this transaction.

    The assessment before is superseded. Measures that follow are proposed; how new business stands follows from the
    tier and from the measures that are active.

    Chapter: 5.2, 5.4, 6.1, 6.2, 6.3.
    Units:   the limit in minor units of the policy's currency.
    """
    previous = standing_of(unit, file, policy.currency)
    if file.assessment is not None and file.assessment != assessment.id:
        before = unit.get(Assessment, file.assessment, lock=True)
        if before.state is AssessmentState.IN_FORCE:
            unit.replace(replace(before, state=AssessmentState.SUPERSEDED))
    planned = control_plan(policy, _granted(assessment), previous)
    follow_plan(unit, file, assessment.id, planned, proposed_by=assessment.prepared_by)
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
