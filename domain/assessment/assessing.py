"""Requesting an assessment: what it rests on is collected and recorded first, then decided on (Ch.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from domain.actors import Actor
from domain.assessment import gathering
from domain.assessment.assessments import (
    Assessment,
    AssessmentKind,
    AssessmentOutcome,
    AssessmentState,
    CreditPolicy,
    PathStep,
    PointsLine,
    Reason,
)
from domain.assessment.evaluate import evaluate
from domain.assessment.improving.path import Path, path_to_next
from domain.assessment.plan import control_plan, granted
from domain.assessment.policies import in_force
from domain.assessment.policy import Level, PolicyDocument
from domain.assessment.receipt import Receipt, Standing
from domain.assessment.replay import receipt_text
from domain.assessment.scale import ControlKind
from domain.assessment.standing import come_into_force, refuse_outdated, standing_of
from domain.controls import cancel_proposals, propose
from domain.errors import Code, Malformed, NotInForce, Stale
from domain.files.days import Days, days
from domain.files.opening import usable
from domain.files.parties import CreditFile, Customer
from domain.ids import Id
from domain.money import Money
from domain.operations import Collecting, Decided, operation
from domain.ports import SealedValue, Unit
from domain.reading import Purpose


@dataclass(frozen=True, slots=True)
class _Begun:
    """The file, the day and the policy of one request, checked."""

    file: CreditFile
    as_of: date
    calendar: Days
    policy: CreditPolicy
    document: PolicyDocument


@operation(
    "assessment:request",
    collection="assessment:collect",
    purpose=Purpose.CREDIT_REVIEW.value,
    chapter="5.1, 5.2, 5.3, 5.4",
)
class RequestAssessment(Collecting[Assessment]):
    """Assesses a customer's credit standing as of a day, under the credit policy in force (Ch.5)."""

    credit_file: Id
    """The file to assess. Ch.5"""
    kind: AssessmentKind = AssessmentKind.PERIODIC
    """What leads to it; a SIMULATED one is kept and changes nothing. Ch.5 §3"""
    as_of: date | None = None
    """The day the data is read for; today where none is given. Ch.5 §3"""
    requested_limit: Money | None = None
    """The limit the customer asks for, in the credit policy's currency. Ch.5 §4"""

    def collect(self, unit: Unit, actor: Actor) -> Sequence[SealedValue[Any]]:
        """The sealed figures the scorecard, a cap or a knock-out reads, of records that score on the day.

        Chapter: 4.4, 5.1.
        """
        del actor
        begun = self._begin(unit, lock=False)
        return gathering.to_open(unit, gathering.gather(unit, begun.file, begun.as_of, begun.calendar))

    def decide_on(
        self, unit: Unit, actor: Actor, sealed: Sequence[SealedValue[Any]], opened: Sequence[Any]
    ) -> Decided[Assessment]:
        """Scores, grades and files the assessment; it is in force at once only where the policy leaves it to no person.

        Chapter: 5.1, 5.2, 5.3, 5.4.
        Raises:  Stale where what was collected is no longer what is on file; NotInForce for another currency.
        """
        begun = self._begin(unit, lock=True)
        gathered = gathering.gather(unit, begun.file, begun.as_of, begun.calendar)
        if _cells(gathering.to_open(unit, gathered)) != _cells(sealed):
            raise Stale("What the assessment rests on changed meanwhile.")
        values = {(one.record, one.field.tag): value for one, value in zip(sealed, opened, strict=True)}
        snapshot = gathering.snapshot(
            unit,
            begun.document,
            gathered,
            values,
            requested_minor=self.requested_limit.minor if self.requested_limit else None,
            previous=standing_of(unit, begun.file, begun.document.currency),
        )
        receipt = evaluate(begun.document, snapshot)
        state = self._state(gathered.customer, receipt, snapshot.previous)
        assessment = _assessment(unit, actor, begun, receipt, kind=self.kind, state=state)
        assessment = _with_path(assessment, path_to_next(begun.document, snapshot, receipt))
        if state is not AssessmentState.SCORED:
            refuse_outdated(unit, begun.file, assessment)
            _withdraw_open(unit, begun.file)
        unit.add([assessment])
        unit.seal(assessment, Assessment.receipt, receipt_text(snapshot, receipt))
        if state is AssessmentState.IN_FORCE:
            come_into_force(unit, begun.file, assessment, begun.document, snapshot.previous)
        elif state is AssessmentState.IN_REVIEW:
            _stop_loss(unit, begun, assessment, receipt)
        return Decided(value=assessment, policy=receipt.policy_digest, resources=(assessment.id, begun.file.id))

    def _begin(self, unit: Unit, *, lock: bool) -> _Begun:
        file = unit.get(CreditFile, self.credit_file, lock=lock)
        usable(file)
        policy, document = in_force(unit, unit.now)
        calendar = days(unit)
        if self.as_of is not None and self.as_of > calendar.today:
            raise Malformed("The day lies in the future.", code=Code.MALFORMED_DATE, path=("asOf",))
        if self.requested_limit is not None:
            _check_requested(self.requested_limit, document.currency)
        return _Begun(file, self.as_of or calendar.today, calendar, policy, document)

    def _state(self, customer: Customer, receipt: Receipt, previous: Standing | None) -> AssessmentState:
        """In force at once where an analyst's level covers it and the policy lets no person decide.

        A person, or a sole trader, is never assessed by a machine alone. Without a grade nothing is granted, and that
        holds at once. A grade that rises because somebody put a record right rises by another person's decision: no
        waiting time holds it back.
        """
        if self.kind is AssessmentKind.SIMULATED:
            return AssessmentState.SCORED
        covered = receipt.grade is None or (receipt.automatic and receipt.approver is Level.ANALYST)
        alone = covered and not customer.kind.natural and not _restores(receipt, previous)
        return AssessmentState.IN_FORCE if alone else AssessmentState.IN_REVIEW


def _assessment(
    unit: Unit, actor: Actor, begun: _Begun, receipt: Receipt, *, kind: AssessmentKind, state: AssessmentState
) -> Assessment:
    """The record of a receipt: what may stand in clear; values stay in the sealed receipt."""
    grant = granted(receipt)
    limit = receipt.limit
    return Assessment(
        stamp=unit.stamp(Assessment, subject=begun.file.subject_id),
        credit_file=begun.file.id,
        kind=kind,
        state=state,
        as_of=receipt.as_of,
        policy=begun.policy.id,
        policy_digest=receipt.policy_digest,
        card=receipt.card,
        outcome=AssessmentOutcome.GRADED if receipt.grade else AssessmentOutcome.INSUFFICIENT_DATA,
        score=receipt.score,
        grade=receipt.grade,
        tier=receipt.tier,
        calibration=receipt.calibration,
        completeness_bp=receipt.completeness_bp,
        points=tuple(
            PointsLine(
                characteristic=line.code,
                band=line.band,
                points=line.points,
                maximum=line.maximum,
                missing=line.missing,
            )
            for line in receipt.points
        ),
        reasons=tuple(
            Reason(code=reason.code, sentence=reason.sentence, points_lost=reason.points_lost)
            for reason in receipt.reasons
        ),
        missing=receipt.missing,
        credit_limit=Money(limit.minor, receipt.currency) if limit else None,
        limit_bound_by=limit.bound_by if limit else None,
        net_days=receipt.net_days,
        prepayment_bp=receipt.prepayment_bp,
        security_required=grant.security_required,
        approver_level=receipt.approver.value,
        review_due_on=receipt.valid_to,
        prepared_by=actor.person,
        inputs_digest=receipt.inputs_digest,
        receipt_digest=receipt.digest,
    )


def _with_path(assessment: Assessment, path: Path) -> Assessment:
    return replace(
        assessment,
        next_grade=path.grade,
        path=tuple(
            PathStep(
                characteristic=change.code,
                sentence=change.sentence,
                points_gained=change.gain,
                effort=change.effort,
                waits=change.waits,
            )
            for change in path.changes
        ),
        path_barred_by=path.barred_by,
        path_from=path.not_before,
    )


def _restores(receipt: Receipt, previous: Standing | None) -> bool:
    """Whether a correction lets the grade rise without waiting."""
    if previous is None or not previous.restored or receipt.grade is None:
        return False
    return previous.grade is None or receipt.grade.rank < previous.grade.rank


def _withdraw_open(unit: Unit, file: CreditFile) -> None:
    """An assessment that waits for a decision gives way to the one that is made now."""
    for waiting in unit.find(Assessment, lock=True, credit_file=file.id, state=AssessmentState.IN_REVIEW):
        unit.replace(replace(waiting, state=AssessmentState.WITHDRAWN))
        cancel_proposals(unit, waiting.id)


def _stop_loss(unit: Unit, begun: _Begun, assessment: Assessment, receipt: Receipt) -> None:
    """On a knock-out no new orders is proposed at once: it need not wait for the committee."""
    if receipt.knock_outs:
        plan = control_plan(begun.document, granted(receipt), None)
        freeze = [each for each in plan if each.kind is ControlKind.FREEZE_NEW_ORDERS]
        propose(unit, begun.file, assessment.id, freeze, proposed_by=assessment.prepared_by)


def _cells(sealed: Sequence[SealedValue[Any]]) -> set[tuple[Id, str, int]]:
    return {(one.record, one.field.tag, one.version) for one in sealed}


def _check_requested(requested: Money, currency: str) -> None:
    if requested.currency != currency:
        raise NotInForce(
            "The requested limit is not in the currency of the credit policy in force.",
            advice=f"Ask for it in {currency}.",
            path=("requestedLimit",),
        )
    if requested.minor <= 0:
        raise Malformed("A requested limit is above zero.", code=Code.MALFORMED_AMOUNT, path=("requestedLimit",))
