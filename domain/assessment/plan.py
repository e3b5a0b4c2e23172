"""The control plan: which measures follow from a grade, and from what changed against what was in force (Ch.6)."""

from __future__ import annotations

from dataclasses import dataclass

from domain.assessment.policy import PolicyDocument, SecurityNeed, Trigger
from domain.assessment.receipt import Receipt, Standing
from domain.assessment.scale import ControlBasis, ControlKind, Grade

_REQUIRED = {SecurityNeed.REQUIRED, SecurityNeed.REQUIRED_FOR_TERMS}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAction:
    """One control action the credit policy asks for; a person still approves it."""

    kind: ControlKind
    basis: ControlBasis
    scope: str
    deadline_days: int
    exit_condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What an assessment grants, as far as measures follow from it."""

    grade: Grade | None
    limit_minor: int
    net_days: int
    prepayment_bp: int
    security_required: bool


def granted(receipt: Receipt) -> Granted:
    """What a receipt recommends to grant; without a grade there is no limit.

    Chapter: 5.4.
    """
    return Granted(
        grade=receipt.grade,
        limit_minor=receipt.limit.minor if receipt.limit else 0,
        net_days=receipt.net_days,
        prepayment_bp=receipt.prepayment_bp,
        security_required=receipt.security in _REQUIRED,
    )


def control_plan(policy: PolicyDocument, grant: Granted, previous: Standing | None) -> tuple[PlannedAction, ...]:
    """The measures of the policy that follow from an assessment, in the policy's order.

    Chapter: 3.2, 5.2, 6.1, 6.2, 6.3.
    Units:   deadlines in days after the assessment comes into force.
    Shape:   total; a limit is never both raised and lowered, nor are terms both extended and shortened.
    """
    pulled = _triggers(grant, previous)
    return tuple(
        PlannedAction(
            kind=measure.kind,
            basis=ControlBasis.CREDIT_POLICY,
            scope=measure.scope,
            deadline_days=measure.deadline_days,
            exit_condition=measure.exit_condition,
        )
        for measure in policy.control_rules.measures
        if measure.trigger in pulled and (measure.ungraded if grant.grade is None else grant.grade in measure.grades)
    )


def _triggers(grant: Granted, previous: Standing | None) -> frozenset[Trigger]:
    """What happened: the grade stands, and limit and terms moved against what was in force.

    Terms say when credit is paid back: without a limit there are none to grant.
    """
    net_days = grant.net_days if grant.limit_minor > 0 else 0
    happened = {
        Trigger.STANDING: True,
        Trigger.PREPAYMENT_DUE: grant.prepayment_bp > 0,
        Trigger.SECURITY_REQUIRED: grant.security_required,
        Trigger.LIMIT_GRANTED: previous is None and grant.limit_minor > 0,
        Trigger.TERMS_GRANTED: previous is None and net_days > 0,
    }
    if previous is not None:
        before = previous.net_days if previous.limit_minor > 0 else 0
        happened |= {
            Trigger.LIMIT_RAISED: grant.limit_minor > previous.limit_minor,
            Trigger.LIMIT_LOWERED: grant.limit_minor < previous.limit_minor,
            Trigger.TERMS_EXTENDED: net_days > before,
            Trigger.TERMS_SHORTENED: net_days < before,
        }
    return frozenset(trigger for trigger, true in happened.items() if true)
