"""Recording trade documents: what is odd is kept with a finding, what cannot be one is refused (Ch.4 §2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.actors import Actor
from domain.documents.evidence import check_evidence
from domain.errors import Code, Malformed
from domain.files.checks import refuse_means
from domain.files.codes import required_text
from domain.files.days import Days, days
from domain.files.history import (
    DocumentKind,
    DocumentState,
    TradeTransaction,
)
from domain.files.opening import usable
from domain.files.parties import CreditFile
from domain.files.sources import Origin, lawful
from domain.ids import Id
from domain.money import Money
from domain.operations import Decided, Operation, operation
from domain.ports import Unit

MAX_TRANSACTIONS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One trade document as entered or imported."""

    source_row: str
    """Where it stands in its source; with the source it identifies the document. Ch.4 §3"""
    kind: DocumentKind
    """Whose document it is. Ch.4 §2"""
    number: str
    """The document's number; numbers repeat in real books. Ch.4 §2"""
    issued_on: date
    """The day it was issued; not in the future. Ch.4 §2"""
    net: Money
    """The amount before tax; negative on a red invoice. Ch.4 §2"""
    total: Money
    """The amount with tax; one document has one currency. Ch.4 §2"""
    tax: Money | None = None
    """The tax. Ch.4 §2"""
    due_on: date | None = None
    """The day it is due. Ch.4 §2"""
    settled_on: date | None = None
    """The day it was settled. Ch.4 §2"""
    disputed: Money | None = None
    """The part the customer disputes; it neither ages nor triggers. Ch.4 §2"""
    state: DocumentState = DocumentState.OPEN
    """Whether it is open, settled, void or reversed. Ch.4 §2"""
    counterparty: str | None = None
    """The other party; only a keyed pseudonym of it is kept. Ch.4 §4"""


def findings_of(document: Document | TradeTransaction) -> tuple[str, ...]:
    """What is odd about a document and yet kept: real books hold such rows.

    Chapter: 4.2.
    """
    found: list[str] = []
    if document.tax is not None and document.net + document.tax != document.total:
        found.append("TOTAL_DOES_NOT_ADD_UP")
    if document.due_on and document.due_on < document.issued_on:
        found.append("DUE_BEFORE_ISSUED")
    if document.settled_on and document.settled_on < document.issued_on:
        found.append("SETTLED_BEFORE_ISSUED")
    return tuple(found)


def check_document(document: Document | TradeTransaction, today: date) -> None:
    """Refuses what cannot be a document at all: from the future, without a number, of two currencies.

    Chapter: 4.2.
    Raises:  Malformed.
    """
    if document.issued_on > today:
        raise Malformed("The document is dated in the future.", code=Code.MALFORMED_DATE, path=("issuedOn",))
    required_text(document.number, "number")
    required_text(document.source_row, "sourceRow")
    if any(
        amount is not None and amount.currency != document.total.currency
        for amount in (document.net, document.tax, document.disputed)
    ):
        raise Malformed("One document has one currency.", code=Code.MALFORMED_AMOUNT, path=("total",))


def transaction(
    unit: Unit, calendar: Days, file: CreditFile, document: Document, origin: Origin, collector: str
) -> TradeTransaction:
    """The record of a document; the counterparty stands in it only as a keyed pseudonym.

    Chapter: 4.2, 4.4.
    """
    other = document.counterparty
    return TradeTransaction(
        stamp=unit.stamp(TradeTransaction, subject=file.subject_id, effective_from=calendar.begin(document.issued_on)),
        credit_file=file.id,
        source=origin.source,
        lawful_basis=origin.lawful_basis,
        collector=collector,
        collected_at=origin.collected_at or unit.now,
        evidence_digest=origin.evidence_digest,
        evidence=origin.evidence,
        source_row=document.source_row,
        kind=document.kind,
        number=document.number,
        issued_on=document.issued_on,
        due_on=document.due_on,
        settled_on=document.settled_on,
        net=document.net,
        tax=document.tax,
        total=document.total,
        disputed=document.disputed,
        state=document.state,
        counterparty=None if other is None else unit.pseudonym(file.subject_id, other),
        findings=findings_of(document),
    )


@operation("transaction:record", chapter="4.2")
class RecordTransactions(Operation[tuple[TradeTransaction, ...]]):
    """Records trade documents of one customer, at most 1,000 at once (Ch.4 §2)."""

    credit_file: Id
    """The file of the customer; it must be open. Ch.4 §2"""
    origin: Origin
    """Where the documents come from. Ch.4 §3"""
    documents: tuple[Document, ...]
    """The documents, 1 to 1,000; all are recorded or none. Ch.4 §2"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[tuple[TradeTransaction, ...]]:
        """All or none; a document already recorded from the same row of the same source is a conflict.

        Chapter: 4.2, 4.3.
        """
        lawful(unit, self.origin)
        file = unit.get(CreditFile, self.credit_file)
        usable(file)
        check_evidence(unit, self.origin.evidence, file.id)
        if not 1 <= len(self.documents) <= MAX_TRANSACTIONS:
            raise Malformed(f"Send 1 to {MAX_TRANSACTIONS} documents at once.", path=("documents",))
        if any(document.kind.own_books for document in self.documents):
            refuse_means(unit, file, self.origin.lawful_basis)
        calendar = days(unit)
        for index, document in enumerate(self.documents):
            try:
                check_document(document, calendar.today)
            except Malformed as error:
                error.path = ("documents", str(index), *error.path)
                raise
        records = tuple(transaction(unit, calendar, file, item, self.origin, actor.person) for item in self.documents)
        if unit.add(records, skip_known=True) != len(records):
            raise Malformed(
                "A document of the same source and row is recorded already.",
                code=Code.CONFLICT,
                advice="Leave out what is recorded, or use an import: it skips known rows.",
                path=("documents",),
            )
        return Decided(value=records, resources=(file.id,))
