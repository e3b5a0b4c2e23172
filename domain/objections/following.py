"""What follows when a customer was right: the record put right, the file assessed anew, recipients told (Ch.3 §3)."""

from __future__ import annotations

from dataclasses import replace

from domain.consent.consents import Disclosure
from domain.consent.handover.recalling import RELEASED, RecallCause, issue
from domain.files.days import days
from domain.files.history import TradeTransaction
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.money import Money
from domain.objections.objections import Objection, ObjectionKind, ObjectionState
from domain.ports import Unit


def put_right(unit: Unit, record: Id) -> None:
    """What contested a record, and was upheld, is CORRECTED with it.

    Chapter: 3.3.
    """
    for objection in unit.find(Objection, lock=True, contested=record, state=ObjectionState.UPHELD):
        unit.replace(replace(objection, state=ObjectionState.CORRECTED))


def still_disputed(unit: Unit, document: TradeTransaction) -> Money | None:
    """What of a document stays contested when it is put right: an objection that was upheld is over with that.

    Chapter: 3.3, 4.2.
    """
    for objection in unit.find(Objection, contested=document.id, state=ObjectionState.UPHELD):
        if objection.amount == document.disputed:
            return objection.disputed_before
    return document.disputed


def rescored(unit: Unit, credit_file: Id) -> None:
    """What was put right, or contested a grade and was upheld, is RESCORED when a new assessment is in force.

    Chapter: 3.3, 5.2.
    """
    waiting = (ObjectionState.UPHELD, ObjectionState.CORRECTED)
    for objection in unit.find(Objection, lock=True, credit_file=credit_file, state=waiting):
        if objection.state is ObjectionState.CORRECTED or objection.kind is ObjectionKind.GRADE:
            unit.replace(replace(objection, state=ObjectionState.RESCORED))


def settled(unit: Unit, objection: Objection) -> tuple[ObjectionState, ...]:
    """The states from which recipients are told: once it is rescored, or put right where no review is due.

    Chapter: 3.3.
    """
    file = unit.get(CreditFile, objection.credit_file)
    due = file.review_due_on is not None and file.review_due_on <= days(unit).today
    return (ObjectionState.RESCORED,) if due else (ObjectionState.CORRECTED, ObjectionState.RESCORED)


def recall(unit: Unit, objection: Objection) -> None:
    """Recalls what was disclosed of the file before the answer, where it is the file that was wrong.

    Partners get confidential fields of the file and nothing else: what a credit record or a grade says was told to
    none of them.

    Chapter: 3.3, 4.4.
    """
    if objection.contested != objection.credit_file:
        return
    for disclosure in unit.find(Disclosure, credit_file=objection.credit_file, state=RELEASED):
        issue(unit, disclosure, disclosure.fields, RecallCause.CORRECTION)
