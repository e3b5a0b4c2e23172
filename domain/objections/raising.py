"""Raising and withdrawing an objection: by the customer itself, or taken down for it (Ch.3 §3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from domain.actors import Actor
from domain.assessment.assessments import Assessment, AssessmentState
from domain.errors import Code, Malformed, NotFound
from domain.files.codes import check_digest
from domain.files.days import days
from domain.files.history import CreditRecord, DocumentKind, RecordStatus, TradeTransaction
from domain.files.kinds import ALL, OVER
from domain.files.parties import CreditFile, FileState
from domain.ids import Id, prefix_of
from domain.money import Money
from domain.objections.annotating import clear
from domain.objections.clocks import settle
from domain.objections.holidays import calendar_of
from domain.objections.objections import CONTESTS, OPEN, Objection, ObjectionKind, ObjectionState
from domain.operations import Decided, Operation, operation
from domain.ports import Unit

ANNOTATE_IN: Final = 1
"""Working days. Rule CN-R4, verified: an objection is annotated within one working day."""
ANSWER_IN: Final = timedelta(days=20)
"""Rule CN-C9, verified: an objection is answered in writing within 20 days."""
REQUEST_IN: Final = 15
"""Working days. Rule CN-P10: a request of a person is answered in time; how long is our choice."""
MAX_STATEMENT: Final = 4_000
"""Characters of a statement, and of an answer."""
_OBJECTABLE: Final = frozenset({AssessmentState.IN_FORCE, AssessmentState.SUPERSEDED, AssessmentState.EXPIRED})


@operation("objection:raise", chapter="3.3")
class RaiseObjection(Operation[Objection]):
    """Contests a record or a grade, or asks for access, a copy, deletion, reasons or a person's decision (Ch.3 §3)."""

    credit_file: Id
    """The file; a customer raises objections about its own only. Ch.3 §3"""
    kind: ObjectionKind
    """What is contested or asked for. Ch.3 §3"""
    statement: str
    """What is wrong, or what is asked for, in the customer's own words; kept sealed. Ch.3 §3"""
    contested: Id | None = None
    """The credit record, the file for its basic information, or the assessment; with RECORD and GRADE. Ch.3 §3"""
    amount: Money | None = None
    """The contested part of a receivable; the whole of it where nothing is said. Ch.3 §3"""
    evidence_digest: str | None = None
    """SHA-256 of the customer's evidence, in lower-case hex. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Objection]:
        """Its clocks run from now; the same thing is contested once at a time, and nothing about it gets stricter.

        Chapter: 3.3.
        Raises:  NotFound; Malformed (CONFLICT where it is contested already).
        """
        file = _own_file(unit, actor, self.credit_file)
        said = written(self.statement, "statement")
        check_digest(self.evidence_digest, "evidenceDigest")
        contested = self._contested(unit, file)
        if any(
            earlier.kind is self.kind and earlier.contested == self.contested and earlier.state in OPEN
            for earlier in unit.find(Objection, credit_file=file.id)
        ):
            raise Malformed(
                "The same is contested or asked for already, and not answered yet.",
                code=Code.CONFLICT,
                advice="Wait for the answer, or withdraw it with withdrawObjection.",
                path=("contested",),
            )
        today, contests, calendar = days(unit).today, self.kind in CONTESTS, calendar_of(unit)
        objection = Objection(
            stamp=unit.stamp(Objection, subject=file.subject_id),
            credit_file=file.id,
            kind=self.kind,
            contested=self.contested,
            amount=_amount(self.amount, contested),
            state=ObjectionState.RECEIVED,
            raised_by=actor.person,
            received_at=unit.now,
            annotate_by=calendar.after(today, ANNOTATE_IN) if contests else None,
            answer_by=today + ANSWER_IN if contests else calendar.after(today, REQUEST_IN),
            evidence_digest=self.evidence_digest,
        )
        unit.add([objection])
        unit.seal(objection, Objection.statement, said)
        return ended(objection)

    def _contested(self, unit: Unit, file: CreditFile) -> CreditRecord | None:
        """The contested record, where there is one; it belongs to the file and is not put right already."""
        if (self.contested is not None) != (self.kind in CONTESTS):
            raise Malformed(
                "An objection names what it contests, and a request names nothing.",
                advice="Send contested with RECORD and GRADE, and leave it out otherwise.",
                path=("contested",),
            )
        if self.contested is None or (self.kind is ObjectionKind.RECORD and self.contested == file.id):
            return None
        if self.kind is ObjectionKind.GRADE:
            found = unit.find(Assessment, id=self.contested, credit_file=file.id)
            if not found or found[0].state not in _OBJECTABLE:
                raise _nothing()
            return None
        kind = ALL.get(prefix_of(self.contested))
        records = unit.find(kind, id=self.contested, credit_file=file.id) if kind else []
        if not records:
            raise _nothing()
        if records[0].status in OVER or records[0].status is RecordStatus.DISPUTED:
            raise Malformed(
                "The record is contested, corrected or withdrawn already.",
                code=Code.INVALID_TRANSITION,
                advice="Read it again: its status says where it stands.",
                path=("contested",),
            )
        return records[0]


@operation("objection:raise", chapter="3.3")
class WithdrawObjection(Operation[Objection]):
    """Takes an objection back before it is answered; what was annotated stands as before (Ch.3 §3)."""

    objection: Id
    """The objection; a customer withdraws its own only. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Objection]:
        """Withdrawing twice changes nothing; what is answered cannot be taken back.

        Chapter: 3.3.
        """
        found = unit.find(Objection, id=self.objection)
        if not found or actor.subject not in {None, found[0].subject_id}:
            raise NotFound("There is no such objection.", path=("objection",))
        unit.get(CreditFile, found[0].credit_file, lock=True)
        objection = unit.get(Objection, self.objection, lock=True)
        if objection.state is not ObjectionState.WITHDRAWN:
            require(objection, *OPEN)
            clear(unit, objection)
            objection = unit.replace(replace(objection, state=ObjectionState.WITHDRAWN))
            settle(unit, objection)
        return ended(objection)


def require(objection: Objection, *states: ObjectionState) -> None:
    """Refuses a step from a state that it does not follow.

    Chapter: 3.3.
    Raises:  Malformed (INVALID_TRANSITION).
    """
    if objection.state not in states:
        raise Malformed(
            f"An objection that is {objection.state.value} cannot take this step.",
            code=Code.INVALID_TRANSITION,
            advice="It is taken from: " + ", ".join(state.value for state in ObjectionState if state in states) + ".",
            path=("objection",),
        )


def written(text: str, name: str) -> str:
    """A statement or an answer, with at least one letter.

    Chapter: 3.3.
    Raises:  Malformed.
    """
    said = text.strip()
    if not 1 <= len(said) <= MAX_STATEMENT:
        raise Malformed(
            f"It is said in 1 to {MAX_STATEMENT} characters.",
            code=Code.MISSING_VALUE,
            advice="Attach more as a document of the file.",
            path=(name,),
        )
    return said


def ended(objection: Objection) -> Decided[Objection]:
    """The end of an operation on an objection, as its audit entry tells it.

    Chapter: 3.3, 8.1.
    """
    contested = (objection.contested,) if objection.contested and objection.contested != objection.credit_file else ()
    return Decided(value=objection, resources=(objection.id, objection.credit_file, *contested))


def _own_file(unit: Unit, actor: Actor, credit_file: Id) -> CreditFile:
    """The file, locked; a customer finds its own only, and objects also while the file is restricted."""
    found = unit.find(CreditFile, lock=True, id=credit_file)
    if not found or actor.subject not in {None, found[0].subject_id} or found[0].state is FileState.ERASED:
        raise NotFound("There is no such credit file.", path=("creditFile",))
    return found[0]


def _amount(amount: Money | None, contested: CreditRecord | None) -> Money | None:
    """The contested part of a receivable.

    Raises: Malformed for a part of anything else, or of another size or currency than the document has.
    """
    if not isinstance(contested, TradeTransaction) or contested.kind is not DocumentKind.RECEIVABLE:
        if amount is not None:
            raise Malformed("Only of a receivable a part is contested.", advice="Leave amount out.", path=("amount",))
        return None
    if amount is None:
        return contested.total
    if amount.currency != contested.total.currency or not 0 < amount.minor <= contested.total.minor:
        raise Malformed(
            "The contested part is more than nothing and at most the total, in its currency.",
            advice="Read the total of the document.",
            path=("amount",),
        )
    return amount


def _nothing() -> NotFound:
    return NotFound("There is no such record or assessment of this file.", path=("contested",))
