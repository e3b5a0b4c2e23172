"""Control actions: what is done about a customer's risk (Ch.6)."""

from __future__ import annotations

from datetime import date
from enum import Enum

from domain.assessment.scale import ControlBasis, ControlKind
from domain.ids import Id
from domain.records import Record, fact, link, record


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
