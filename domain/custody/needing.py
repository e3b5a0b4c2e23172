"""What still needs a record whose time is over: as long as there is any, the record stays, and the sweep names it."""

from __future__ import annotations

from typing import Any

from domain.assessment.assessments import Assessment
from domain.consent.consents import Consent, ConsentState
from domain.controls import OPEN as CARRIED_OUT
from domain.controls import ControlAction
from domain.documents.documents import Document
from domain.documents.evidence import resting_on
from domain.files.history import DocumentKind, DocumentState, RecordStatus, TradeTransaction
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.objections.objections import OPEN, Objection
from domain.ports import Unit
from domain.records import Record
from domain.statements.statements import CreditStatement, StatementState


def needing(unit: Unit, record: Record) -> tuple[Id, ...]:
    """The records that still need one; a claim that nobody settled or wrote off needs itself.

    Chapter: 3.3, 4.4.
    """
    contested = [] if isinstance(record, Objection) else unit.find(Objection, contested=record.id, state=tuple(OPEN))
    found = [one.id for one in contested]
    if isinstance(record, Document):
        found += resting_on(unit, record)
    if isinstance(record, Assessment):
        found += _statements(unit, assessment=record.id)
    if isinstance(record, TradeTransaction) and _claim(record):
        found.append(record.id)
    if isinstance(record, CreditFile):
        found += _of_the_file(unit, record.id)
    return tuple(dict.fromkeys(found))


def _of_the_file(unit: Unit, file: Id) -> list[Id]:
    """What is under way with a customer: a request, a claim, a consent, a statement it holds, a measure."""
    objections = unit.find(Objection, credit_file=file, state=tuple(OPEN))
    claims = unit.select(
        TradeTransaction,
        ("id",),
        credit_file=file,
        kind=DocumentKind.RECEIVABLE,
        state=DocumentState.OPEN,
        status=(RecordStatus.ACTIVE, RecordStatus.DISPUTED),
    )
    consents = unit.find(Consent, credit_file=file, state=ConsentState.GIVEN)
    measures = unit.find(ControlAction, credit_file=file, state=CARRIED_OUT)
    return [
        *(one.id for one in objections),
        *(row[0] for row in claims),
        *(one.id for one in consents if one.not_after > unit.now),
        *_statements(unit, credit_file=file),
        *(one.id for one in measures),
    ]


def _claim(record: TradeTransaction) -> bool:
    return (record.kind, record.state) == (DocumentKind.RECEIVABLE, DocumentState.OPEN)


def _statements(unit: Unit, **equal: Id) -> list[Id]:
    """Credit statements that still count."""
    named: dict[str, Any] = dict(equal)
    rows = unit.select(CreditStatement, ("id", "expires_at"), state=StatementState.ISSUED, **named)
    return [row[0] for row in rows if row[1] > unit.now]
