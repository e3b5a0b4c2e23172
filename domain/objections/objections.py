"""Objections as records: what a customer contests or asks for, by when it is answered, where it stands (Ch.3 §3)."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Final

from domain.ids import Id
from domain.money import Money
from domain.ports import Unit
from domain.records import DataClass, Record, children, confidential, fact, link, record


class ObjectionKind(Enum):
    """What a customer contests, or what it asks for."""

    RECORD = "RECORD"
    """A credit record, or the basic information of the file, is wrong."""
    GRADE = "GRADE"
    """An assessment is wrong; a firm may object to its grade as a person may."""
    ACCESS = "ACCESS"
    """To see what is kept."""
    COPY = "COPY"
    """To have a copy of it."""
    DELETION = "DELETION"
    """To have it deleted."""
    EXPLANATION = "EXPLANATION"
    """To have a decision explained."""
    AUTOMATED_DECISION = "AUTOMATED_DECISION"
    """To have a person decide instead of a rule."""


CONTESTS: Final = frozenset({ObjectionKind.RECORD, ObjectionKind.GRADE})
"""The kinds that contest something; the others ask for something."""


class ObjectionState(Enum):
    """RECEIVED → ANNOTATED → INVESTIGATING → UPHELD → CORRECTED → RESCORED → RECIPIENTS_NOTIFIED, or REJECTED.

    A request is not annotated, and ends with its answer.
    """

    RECEIVED = "RECEIVED"
    ANNOTATED = "ANNOTATED"
    """What is contested says so to everybody who reads it."""
    INVESTIGATING = "INVESTIGATING"
    UPHELD = "UPHELD"
    """The customer is right, or gets what it asks for."""
    CORRECTED = "CORRECTED"
    """The record is put right."""
    RESCORED = "RESCORED"
    """A new assessment is in force."""
    RECIPIENTS_NOTIFIED = "RECIPIENTS_NOTIFIED"
    """Everybody who got what was wrong is told."""
    REJECTED = "REJECTED"
    """The record is right; the customer has the reasons in writing."""
    UNVERIFIABLE = "UNVERIFIABLE"
    """It cannot be settled: the customer's statement stays with the record."""
    WITHDRAWN = "WITHDRAWN"
    """The customer took it back."""


OPEN: Final = frozenset({ObjectionState.RECEIVED, ObjectionState.ANNOTATED, ObjectionState.INVESTIGATING})
"""Not answered yet."""
ANNOTATING: Final = frozenset({ObjectionState.ANNOTATED, ObjectionState.INVESTIGATING, ObjectionState.UNVERIFIABLE})
"""While it stands so, what is contested is read with it."""


@record("ob", table="objection", read="objection:read")
class Objection(Record):
    """What a customer contests about its own file, or asks for; answered in writing in time (Ch.3 §3)."""

    credit_file: Id = link("CreditFile", "The customer's file. Ch.3 §3")
    kind: ObjectionKind = fact("What is contested or asked for. Ch.3 §3", filter=True)
    contested: Id | None = fact(
        "The credit record, file or assessment that is contested; null where something is asked for. Ch.3 §3",
        default=None,
        filter=True,
    )
    amount: Money | None = fact("The contested part of a receivable. Ch.3 §3", default=None)
    disputed_before: Money | None = fact("What of it was contested before. Ch.3 §3", default=None)
    state: ObjectionState = fact("Where it stands. Ch.3 §3", filter=True)
    raised_by: str = fact("Who raised it: the customer, or who took it down for it. Ch.3 §3")
    received_at: datetime = fact("When it was received. Ch.3 §3", order=True)
    annotate_by: date | None = fact(
        "By when it is annotated: one working day, rule CN-R4; null where nothing is contested. Ch.3 §3", default=None
    )
    answer_by: date = fact(
        "By when it is answered: 20 days (rule CN-C9), or 15 working days for a request (our choice). Ch.3 §3",
        order=True,
        filter=True,
    )
    annotated_at: datetime | None = fact("When it was annotated. Ch.3 §3", default=None)
    answered_at: datetime | None = fact("When it was answered. Ch.3 §3", default=None)
    decided_by: str | None = fact("Who decided. Ch.3 §3", default=None)
    evidence_digest: str | None = fact("SHA-256 of the customer's evidence. Ch.3 §3", default=None)

    escalations = children("Escalation", by="objection", says="What fell due about it, and who was told. Ch.3 §3")

    statement = confidential(
        "identity.objection_statement", DataClass.IDENTITY, str, "What the customer says. Ch.3 §3", bucket=64
    )
    answer = confidential(
        "identity.objection_answer", DataClass.IDENTITY, str, "The written answer with its reasons. Ch.3 §3", bucket=64
    )


def is_contested(unit: Unit, contested: Id) -> bool:
    """Whether something is read with an objection to it.

    Chapter: 3.3.
    """
    return bool(unit.find(Objection, contested=contested, state=tuple(ANNOTATING)))
