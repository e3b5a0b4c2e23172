"""Handling an objection: annotated, looked into by one person, decided on by another than who recorded it (Ch.3 §3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import Final

from domain.actors import Actor
from domain.assessment.assessments import Assessment
from domain.errors import Code, Malformed
from domain.files.kinds import ALL
from domain.files.parties import CreditFile
from domain.ids import Id, prefix_of
from domain.objections import following
from domain.objections.annotating import clear, mark
from domain.objections.clocks import settle
from domain.objections.objections import CONTESTS, Objection, ObjectionKind, ObjectionState
from domain.objections.raising import ended, require, written
from domain.operations import Decided, Operation, operation
from domain.persons.duties import Apart
from domain.ports import Unit


class Ruling(Enum):
    """How an objection is decided."""

    UPHELD = "UPHELD"
    """The customer is right, or gets what it asks for."""
    REJECTED = "REJECTED"
    """It is not, and the answer says why."""
    UNVERIFIABLE = "UNVERIFIABLE"
    """It cannot be settled: the customer's statement stays with the record (rule CN-C9)."""


_STATE: Final = {ruling: ObjectionState[ruling.name] for ruling in Ruling}


@operation("objection:handle", chapter="3.3")
class AnnotateObjection(Operation[Objection]):
    """Marks what is contested, so that everybody who reads it reads that; it does not score meanwhile (Ch.3 §3)."""

    objection: Id
    """The objection. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Objection]:
        """Of a receivable the contested part neither ages nor triggers; another record is DISPUTED.

        Chapter: 3.3, 4.2.
        """
        del actor
        objection = _locked(unit, self.objection)
        require(objection, ObjectionState.RECEIVED)
        if objection.kind not in CONTESTS:
            raise Malformed(
                "A request contests nothing that could be annotated.",
                code=Code.INVALID_TRANSITION,
                advice="Take it up with investigateObjection.",
                path=("objection",),
            )
        marked = replace(mark(unit, objection), state=ObjectionState.ANNOTATED, annotated_at=unit.now)
        settle(unit, marked)
        return ended(unit.replace(marked))


@operation("objection:handle", chapter="3.3")
class InvestigateObjection(Operation[Objection]):
    """Takes an objection or a request up, to find out what is right (Ch.3 §3)."""

    objection: Id
    """The objection. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Objection]:
        """What is contested is annotated before.

        Chapter: 3.3.
        """
        del actor
        objection = _locked(unit, self.objection)
        contests = objection.kind in CONTESTS
        require(objection, ObjectionState.ANNOTATED if contests else ObjectionState.RECEIVED)
        return ended(unit.replace(replace(objection, state=ObjectionState.INVESTIGATING)))


@operation(
    "objection:decide",
    chapter="3.3, 8.1",
    apart=Apart(record="Objection", by="objection", authors=("raised_by",), owner=True),
)
class DecideObjection(Operation[Objection]):
    """Answers an objection or a request in writing, with reasons (Ch.3 §3)."""

    objection: Id
    """The objection, which is looked into. Ch.3 §3"""
    ruling: Ruling
    """How it is decided. Ch.3 §3"""
    answer: str
    """The answer with its reasons, as the customer reads it; kept sealed. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Objection]:
        """Who recorded, prepared or approved what is contested does not decide on it, nor who looks after the account.

        What is rejected stands as before. What cannot be settled keeps its mark. What is upheld is put right next.

        Chapter: 3.3, 8.1.
        """
        objection = _locked(unit, self.objection)
        require(objection, ObjectionState.INVESTIGATING)
        answer = written(self.answer, "answer")
        if self.ruling is Ruling.UNVERIFIABLE and objection.kind not in CONTESTS:
            raise Malformed(
                "A request is granted or rejected.",
                advice="Send UPHELD or REJECTED, and say in the answer why.",
                path=("ruling",),
            )
        if self.ruling is Ruling.REJECTED:
            clear(unit, objection)
        decided = unit.replace(
            replace(objection, state=_STATE[self.ruling], answered_at=unit.now, decided_by=actor.person)
        )
        unit.seal(decided, Objection.answer, answer)
        settle(unit, decided)
        return ended(decided)

    def hands(self, unit: Unit) -> Iterator[str]:
        """Who recorded, prepared or approved what is contested.

        Chapter: 3.3, 8.1.
        """
        objection = unit.get(Objection, self.objection)
        if objection.contested is None:
            return
        if objection.kind is ObjectionKind.GRADE:
            assessment = unit.get(Assessment, objection.contested)
            yield assessment.prepared_by
            yield assessment.approved_by or ""
        elif objection.contested == objection.credit_file:
            yield unit.get(CreditFile, objection.credit_file).collector
        else:
            yield unit.get(ALL[prefix_of(objection.contested)], objection.contested).collector


@operation("objection:handle", chapter="3.3, 4.4")
class NotifyRecipients(Operation[Objection]):
    """Tells everybody who got what was wrong: each disclosure of it is recalled (Ch.3 §3)."""

    objection: Id
    """The objection, whose record is put right. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Objection]:
        """The file is assessed anew before, where a review of it is due.

        Chapter: 3.3, 4.4.
        """
        del actor
        objection = _locked(unit, self.objection)
        require(objection, *following.settled(unit, objection))
        following.recall(unit, objection)
        return ended(unit.replace(replace(objection, state=ObjectionState.RECIPIENTS_NOTIFIED)))


def _locked(unit: Unit, objection: Id) -> Objection:
    """The objection, behind its file, which is locked first as everywhere."""
    unit.get(CreditFile, unit.get(Objection, objection).credit_file, lock=True)
    return unit.get(Objection, objection, lock=True)
