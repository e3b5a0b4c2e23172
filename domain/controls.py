"""Control actions: what is done about a customer's risk (Ch.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from enum import Enum
from typing import Final

from domain.actors import Actor
from domain.assessment.plan import PlannedAction
from domain.assessment.scale import ControlBasis, ControlKind, Tier
from domain.errors import Code, Conflict, Malformed
from domain.files.days import days
from domain.files.opening import usable
from domain.files.parties import CreditFile, CreditStatus
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.persons.duties import Apart
from domain.ports import Unit
from domain.records import Record, fact, link, record

MAX_TEXT = 400
MAX_REASON = 2_000


class ControlState(Enum):
    """PROPOSED → PENDING_APPROVAL → APPROVED → NOTIFIED → ACTIVE → LIFTED, EXPIRED or ESCALATED; CANCELLED before."""

    PROPOSED = "PROPOSED"
    PENDING_APPROVAL = "PENDING_APPROVAL"
    APPROVED = "APPROVED"
    NOTIFIED = "NOTIFIED"
    ACTIVE = "ACTIVE"
    LIFTED = "LIFTED"
    EXPIRED = "EXPIRED"
    ESCALATED = "ESCALATED"
    CANCELLED = "CANCELLED"


@record("ca", table="control_action", read="control:read")
class ControlAction(Record):
    """One measure of the control plan that follows from a grade, or that a person proposed (Ch.6)."""

    credit_file: Id = link("CreditFile", "The customer's file. Ch.6")
    assessment: Id | None = link("Assessment", "The assessment it follows from. Ch.6", default=None)
    kind: ControlKind = fact("What is done. Ch.6", filter=True)
    basis: ControlBasis = fact("The ground it rests on. Ch.6 §4", filter=True)
    scope: str = fact("Which services it touches. Ch.6 §3")
    exit_condition: str = fact("When it ends. Ch.6")
    deadline_on: date = fact("By when it must be carried out. Ch.6 §4", order=True)
    proposed_by: str = fact("Who proposed it. Ch.6")
    approved_by: str | None = fact("Who approved it: another person. Ch.6", default=None)
    state: ControlState = fact("Where it stands. Ch.6", default=ControlState.PROPOSED, filter=True)


BEFORE_ACTIVE: Final = (
    ControlState.PROPOSED,
    ControlState.PENDING_APPROVAL,
    ControlState.APPROVED,
    ControlState.NOTIFIED,
)
OPEN: Final = (*BEFORE_ACTIVE, ControlState.ACTIVE)
"""States of a measure that is still meant to be, or is, carried out."""

OF_AN_ASSESSMENT: Final = frozenset(
    {ControlKind.RAISE_LIMIT, ControlKind.LOWER_LIMIT, ControlKind.EXTEND_TERMS, ControlKind.SHORTEN_TERMS}
)
"""Limit and terms change with an assessment alone; a measure that says so ends with the next one."""

RESTRICTIONS: Final = frozenset({ControlKind.CAP_USAGE, ControlKind.RESTRICT_SERVICE})
"""Measures that take away from service that is running."""

_WAITING = (
    "The law's waiting periods and notices for it are not checked here: 30 days past due, then 60 days suspended."
)

KINDS_NOT_PROPOSED: Final[Mapping[ControlKind, str]] = {
    ControlKind.RAISE_LIMIT: "A limit follows from an assessment: request one.",
    ControlKind.LOWER_LIMIT: "A limit follows from an assessment: request one.",
    ControlKind.EXTEND_TERMS: "Terms follow from an assessment: request one.",
    ControlKind.SHORTEN_TERMS: "Terms follow from an assessment: request one.",
    ControlKind.SUSPEND_SERVICE: _WAITING,
    ControlKind.TERMINATE_SERVICE: _WAITING,
    ControlKind.LEGAL_ACTION: "It needs an evidence pack and a checked limitation clock, which are not kept here.",
    ControlKind.WRITE_OFF: "It needs the amount and the committee's decision, which are not kept here.",
}
"""Kinds that nobody proposes by hand, and why: their guard is an assessment, or is not kept here."""

BASES_NOT_OFFERED: Final[Mapping[ControlBasis, str]] = {
    ControlBasis.CIVIL_CODE_525: "It needs the other side's duty that is due, which is not kept here.",
    ControlBasis.CIVIL_CODE_526: "It needs the other side's duty that is due, which is not kept here.",
    ControlBasis.CIVIL_CODE_527: "It needs typed evidence and a proven notice, which are not kept here.",
    ControlBasis.TELECOM_34: "It needs the agreed due date of telecom service, which is not kept here.",
}
"""Grounds that a measure may not rest on, and why: a restriction without its proof is itself a breach."""

_SET_BY_HAND = frozenset({CreditStatus.STOP, CreditStatus.NO_CHECK, CreditStatus.ONE_INVOICE_ONLY})


def credit_status(current: CreditStatus, tier: Tier | None, active: Iterable[ControlKind]) -> CreditStatus:
    """How new business stands, by the tier in force and the measures that are active; the strictest counts.

    Chapter: 6.2, 6.3, 6.4.
    Shape:   total; a further measure never loosens it; what a person set by hand stays.
    """
    kinds = set(active)
    if current in _SET_BY_HAND:
        return current
    if tier is Tier.BLOCKED or ControlKind.FREEZE_NEW_ORDERS in kinds:
        return CreditStatus.HOLD
    if tier is Tier.POOR or ControlKind.INTENSIFY_MONITORING in kinds:
        return CreditStatus.WATCH
    return CreditStatus.OK


def follow_plan(
    unit: Unit, file: CreditFile, assessment: Id, planned: Sequence[PlannedAction], *, proposed_by: str
) -> tuple[ControlAction, ...]:
    """Proposes the measures of a plan that are not open already, and ends what the plan before proposed alone.

    What an earlier assessment proposed and nobody approved is cancelled where it no longer follows; its changes of
    limit and terms are over. What is active stays until a person lifts it.

    Chapter: 5.2, 6.1, 6.2, 6.3.
    """
    wanted = {(each.kind, each.scope) for each in planned}
    for action in unit.find(ControlAction, lock=True, credit_file=file.id, state=OPEN):
        change = action.kind in OF_AN_ASSESSMENT
        if not change and (action.kind, action.scope) in wanted:
            continue
        if action.assessment is not None and action.state in BEFORE_ACTIVE:
            unit.replace(replace(action, state=ControlState.CANCELLED))
        elif change:
            unit.replace(replace(action, state=ControlState.EXPIRED))
    return propose(unit, file, assessment, planned, proposed_by=proposed_by)


def propose(
    unit: Unit, file: CreditFile, assessment: Id, planned: Sequence[PlannedAction], *, proposed_by: str
) -> tuple[ControlAction, ...]:
    """Proposes measures of an assessment that are not open already, each with its deadline from today.

    Chapter: 6.1, 6.2, 6.3.
    """
    begins = days(unit).today
    held = {(action.kind, action.scope) for action in unit.find(ControlAction, credit_file=file.id, state=OPEN)}
    actions = tuple(
        ControlAction(
            stamp=unit.stamp(ControlAction, subject=file.subject_id),
            credit_file=file.id,
            assessment=assessment,
            kind=each.kind,
            basis=each.basis,
            scope=each.scope,
            exit_condition=each.exit_condition,
            deadline_on=begins + timedelta(days=each.deadline_days),
            proposed_by=proposed_by,
        )
        for each in planned
        if (each.kind, each.scope) not in held
    )
    if actions:
        unit.add(actions)
    return actions


def cancel_proposals(unit: Unit, assessment: Id) -> None:
    """Cancels what an assessment proposed and nobody approved.

    Chapter: 6.
    """
    for action in unit.find(ControlAction, lock=True, assessment=assessment, state=BEFORE_ACTIVE):
        unit.replace(replace(action, state=ControlState.CANCELLED))


def active_kinds(unit: Unit, credit_file: Id) -> list[ControlKind]:
    """The kinds of the measures that are active on a file.

    Chapter: 6.
    """
    return [action.kind for action in unit.find(ControlAction, credit_file=credit_file, state=ControlState.ACTIVE)]


def reason_of(text: str) -> str:
    """A reason as given; it goes into the sealed note of the audit entry and into no record.

    Chapter: 8.1.
    Raises:  Malformed.
    """
    stripped = text.strip()
    if not 1 <= len(stripped) <= MAX_REASON:
        raise Malformed(f"A reason has 1 to {MAX_REASON} characters.", code=Code.MISSING_VALUE, path=("reason",))
    return stripped


@operation("control:propose", chapter="6.3, 6.4")
class ProposeControlAction(Operation[ControlAction]):
    """Proposes a measure against a customer's risk; another person approves it (Ch.6)."""

    credit_file: Id
    """The customer's file. Ch.6"""
    kind: ControlKind
    """What is to be done; limits and terms follow from assessments alone. Ch.6"""
    basis: ControlBasis
    """The ground it rests on; to restrict running service, one beyond the credit policy. Ch.6 §4"""
    scope: str
    """Which services it touches; never emergency calls, nor prepaid service that is not disputed. Ch.6 §3"""
    exit_condition: str
    """When it ends. Ch.6"""
    deadline_on: date
    """By when it must be carried out. Ch.6 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ControlAction]:
        """A measure names its ground, scope and end; one that is open already is not proposed twice.

        Chapter: 6.3, 6.4.
        """
        file = unit.get(CreditFile, self.credit_file, lock=True)
        usable(file)
        scope, ends = self._check(days(unit).today)
        if unit.find(ControlAction, credit_file=file.id, kind=self.kind, scope=scope, state=OPEN):
            raise Conflict("The same measure is open already.", advice="Approve or lift that one.", path=("kind",))
        action = ControlAction(
            stamp=unit.stamp(ControlAction, subject=file.subject_id),
            credit_file=file.id,
            kind=self.kind,
            basis=self.basis,
            scope=scope,
            exit_condition=ends,
            deadline_on=self.deadline_on,
            proposed_by=actor.person,
        )
        unit.add([action])
        return Decided(value=action, resources=(action.id, file.id))

    def _check(self, day: date) -> tuple[str, str]:
        refused = KINDS_NOT_PROPOSED.get(self.kind)
        if refused:
            raise Malformed(
                "A measure of this kind is not proposed by hand.",
                code=Code.INVALID_TRANSITION,
                advice=refused,
                path=("kind",),
            )
        refused = BASES_NOT_OFFERED.get(self.basis)
        if refused:
            raise Malformed("A measure may not rest on this ground.", advice=refused, path=("basis",))
        if self.kind in RESTRICTIONS and self.basis is ControlBasis.CREDIT_POLICY:
            raise Malformed(
                "A restriction of running service needs a ground beyond the credit policy.",
                advice="Name the contract clause, the court order or the customer's request it rests on.",
                path=("basis",),
            )
        if self.deadline_on < day:
            raise Malformed("The deadline has passed.", code=Code.MALFORMED_DATE, path=("deadlineOn",))
        return _text(self.scope, "scope"), _text(self.exit_condition, "exitCondition")


@operation(
    "control:approve",
    chapter="6.4",
    apart=Apart(record="ControlAction", by="control_action", authors=("proposed_by",), owner=True),
)
class ApproveControlAction(Operation[ControlAction]):
    """Approves a measure that another person proposed; it is active at once (Ch.6 §4)."""

    control_action: Id
    """The measure. Ch.6 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ControlAction]:
        """With the approval it is active: no notice is waited for; new business stands as the active measures say.

        Chapter: 6.4.
        """
        file, action = _locked(unit, self.control_action)
        if action.state is not ControlState.PROPOSED:
            raise _no_step("Only a proposed measure can be approved.")
        action = unit.replace(replace(action, state=ControlState.ACTIVE, approved_by=actor.person))
        _apply(unit, file)
        return Decided(value=action, resources=(action.id, file.id))


@operation("control:lift", chapter="6.4", apart=Apart(record="ControlAction", by="control_action", owner=True))
class LiftControlAction(Operation[ControlAction]):
    """Lifts an active measure, or cancels one that is not active yet, for a reason (Ch.6 §4)."""

    control_action: Id
    """The measure. Ch.6 §4"""
    reason: str
    """Why; kept under seal beside the audit log, not in the record. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ControlAction]:
        """New business stands as what is left says; a customer whose grade is blocked stays on hold.

        Chapter: 6.4.
        """
        del actor
        reason = reason_of(self.reason)
        file, action = _locked(unit, self.control_action)
        if action.state not in OPEN:
            raise _no_step("The measure is over already.")
        ends = ControlState.LIFTED if action.state is ControlState.ACTIVE else ControlState.CANCELLED
        action = unit.replace(replace(action, state=ends))
        _apply(unit, file)
        return Decided(value=action, note=reason, resources=(action.id, file.id))


def _locked(unit: Unit, id_: Id) -> tuple[CreditFile, ControlAction]:
    """The file, locked first as everywhere, and the measure."""
    file = unit.get(CreditFile, unit.get(ControlAction, id_).credit_file, lock=True)
    return file, unit.get(ControlAction, id_, lock=True)


def _apply(unit: Unit, file: CreditFile) -> None:
    status = credit_status(file.credit_status, file.tier, active_kinds(unit, file.id))
    if status is not file.credit_status:
        unit.replace(replace(file, credit_status=status))


def _no_step(sentence: str) -> Malformed:
    return Malformed(
        sentence,
        code=Code.INVALID_TRANSITION,
        advice="Read it again: its state says what can follow.",
        path=("controlAction",),
    )


def _text(value: str, name: str) -> str:
    stripped = value.strip()
    if not 1 <= len(stripped) <= MAX_TEXT or not stripped.isprintable():
        raise Malformed(f"The {name} is empty, too long or not printable.", code=Code.MISSING_VALUE, path=(name,))
    return stripped
