"""Recording what happened with a customer: transactions, defaults, litigation, ratings, statements (Ch.4 §2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.actors import Actor
from domain.days import Days, days
from domain.errors import Code, Malformed
from domain.files.checks import check_default, check_figures, not_future, not_negative, refuse_means
from domain.files.codes import required_text
from domain.files.history import (
    DefaultEvent,
    DefaultKind,
    DocumentKind,
    DocumentState,
    ExternalRating,
    FinancialStatement,
    LitigationRecord,
    LitigationSeverity,
    RatingBand,
    SourcedRecord,
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
        if not 1 <= len(self.documents) <= MAX_TRANSACTIONS:
            raise Malformed(f"Send 1 to {MAX_TRANSACTIONS} documents at once.", path=("documents",))
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


def _origin_facts(unit: Unit, actor: Actor, origin: Origin) -> dict[str, Any]:
    return {
        "source": origin.source,
        "lawful_basis": origin.lawful_basis,
        "collector": actor.person,
        "collected_at": origin.collected_at or unit.now,
        "evidence_digest": origin.evidence_digest,
        "source_row": origin.source_row,
    }


def _opened(unit: Unit, kind: type[SourcedRecord], credit_file: Id, origin: Origin) -> CreditFile:
    """The open file a record goes to, when its source is lawful and has not told of the same row before."""
    lawful(unit, origin)
    file = unit.get(CreditFile, credit_file)
    usable(file)
    if origin.source_row is not None and unit.find(kind, source=origin.source, source_row=origin.source_row):
        raise Malformed(
            "A record of the same source and row is recorded already.",
            code=Code.CONFLICT,
            advice="Leave it out, or put the recorded one right with correctRecord.",
            path=("sourceRow",),
        )
    return file


@operation("default:record", chapter="4.2")
class RecordDefault(Operation[DefaultEvent]):
    """Records a default of the customer (Ch.4 §2)."""

    credit_file: Id
    """The file of the customer; it must be open. Ch.4 §2"""
    origin: Origin
    """Where the fact comes from. Ch.4 §3"""
    kind: DefaultKind
    """How the customer failed to perform; sealed. Ch.4 §2"""
    amount: Money
    """How much is at stake; sealed. Ch.4 §2"""
    since_on: date
    """Since when, not in the future; sealed. Ch.4 §2"""
    ended_on: date | None = None
    """When it ended; left out while it lasts; sealed. Ch.4 §2"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[DefaultEvent]:
        """What, how much and since when are sealed; that there is an event, and its status, are not.

        Chapter: 4.2.
        """
        return self.record(unit, actor, days(unit))

    def record(self, unit: Unit, actor: Actor, calendar: Days) -> Decided[DefaultEvent]:
        """The same by days that are known already: an import looks them up once.

        Chapter: 4.2.
        """
        file = _opened(unit, DefaultEvent, self.credit_file, self.origin)
        check_default(self.since_on, self.ended_on, calendar.today)
        not_negative(self.amount, "amount")
        # Since when is sealed, so the row must not say it either: it holds from when it is known.
        event = DefaultEvent(
            stamp=unit.stamp(DefaultEvent, subject=file.subject_id),
            credit_file=file.id,
            **_origin_facts(unit, actor, self.origin),
        )
        unit.add([event])
        unit.seal(event, DefaultEvent.default_kind, self.kind.value)
        unit.seal(event, DefaultEvent.default_amount, self.amount)
        unit.seal(event, DefaultEvent.default_since, self.since_on)
        if self.ended_on:
            unit.seal(event, DefaultEvent.default_ended, self.ended_on)
        return Decided(value=event, resources=(file.id,))


@operation("litigation:record", chapter="4.2")
class RecordLitigation(Operation[LitigationRecord]):
    """Records a court case that names the customer (Ch.4 §2)."""

    credit_file: Id
    """The file of the customer; it must be open. Ch.4 §2"""
    origin: Origin
    """Where the fact comes from. Ch.4 §3"""
    court: str
    """The court; sealed. Ch.4 §2"""
    case_number: str
    """The case number; sealed. Ch.4 §2"""
    role: str
    """The customer's role in the case; sealed. Ch.4 §2"""
    severity: LitigationSeverity
    """How heavily it weighs; sealed. Ch.5 §1"""
    claim: Money | None = None
    """The amount claimed; sealed. Ch.4 §2"""
    filed_on: date
    """The day it was filed, not in the future. Ch.4 §2"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[LitigationRecord]:
        """Everything about the case but the day it was filed is sealed.

        Chapter: 4.2.
        """
        return self.record(unit, actor, days(unit))

    def record(self, unit: Unit, actor: Actor, calendar: Days) -> Decided[LitigationRecord]:
        """The same by days that are known already: an import looks them up once.

        Chapter: 4.2.
        """
        file = _opened(unit, LitigationRecord, self.credit_file, self.origin)
        not_future(self.filed_on, calendar.today, "filedOn")
        court, number = required_text(self.court, "court"), required_text(self.case_number, "caseNumber")
        role = required_text(self.role, "role")
        not_negative(self.claim, "claim")
        case = LitigationRecord(
            stamp=unit.stamp(LitigationRecord, subject=file.subject_id, effective_from=calendar.begin(self.filed_on)),
            credit_file=file.id,
            **_origin_facts(unit, actor, self.origin),
        )
        unit.add([case])
        unit.seal(case, LitigationRecord.court, court)
        unit.seal(case, LitigationRecord.case_number, number)
        unit.seal(case, LitigationRecord.role, role)
        unit.seal(case, LitigationRecord.severity, self.severity.value)
        if self.claim:
            unit.seal(case, LitigationRecord.claim, self.claim)
        return Decided(value=case, resources=(file.id,))


@operation("rating:record", chapter="4.2, 7.2")
class RecordRating(Operation[ExternalRating]):
    """Records an external rating of the customer (Ch.4 §2, Ch.7 §2)."""

    credit_file: Id
    """The file of the customer; it must be open. Ch.4 §2"""
    origin: Origin
    """Where the rating comes from. Ch.4 §3"""
    agency: str
    """The agency that gave it; sealed. Ch.4 §2"""
    rating: str
    """The rating on the agency's own scale; sealed. Ch.4 §2"""
    band: RatingBand
    """The rating mapped to one of four bands; sealed. Ch.5 §1"""
    rated_on: date
    """The day it was given, not in the future. Ch.7 §2"""
    valid_until: date | None = None
    """Until when the agency lets it stand. Ch.7 §2"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ExternalRating]:
        """The agency and its rating are sealed; how long it stands is not.

        Chapter: 4.2, 7.2.
        """
        return self.record(unit, actor, days(unit))

    def record(self, unit: Unit, actor: Actor, calendar: Days) -> Decided[ExternalRating]:
        """The same by days that are known already: an import looks them up once.

        Chapter: 4.2, 7.2.
        """
        file = _opened(unit, ExternalRating, self.credit_file, self.origin)
        not_future(self.rated_on, calendar.today, "ratedOn")
        if self.valid_until and self.valid_until < self.rated_on:
            raise Malformed(
                "A rating stands from the day it was given on.",
                code=Code.MALFORMED_DATE,
                advice="Send a day from ratedOn on, or leave it out.",
                path=("validUntil",),
            )
        agency, given = required_text(self.agency, "agency"), required_text(self.rating, "rating")
        rating = ExternalRating(
            stamp=unit.stamp(ExternalRating, subject=file.subject_id, effective_from=calendar.begin(self.rated_on)),
            credit_file=file.id,
            valid_until=self.valid_until,
            **_origin_facts(unit, actor, self.origin),
        )
        unit.add([rating])
        unit.seal(rating, ExternalRating.agency, agency)
        unit.seal(rating, ExternalRating.rating, given)
        unit.seal(rating, ExternalRating.rating_band, self.band.value)
        return Decided(value=rating, resources=(file.id,))


@operation("statement:record", chapter="7.1")
class RecordStatement(Operation[FinancialStatement]):
    """Records a financial statement of the customer (Ch.7 §1)."""

    credit_file: Id
    """The file of the customer; it must be open. Ch.7 §1"""
    origin: Origin
    """Where the statement comes from. Ch.4 §3"""
    period_end: date
    """The last day of its period, not in the future. Ch.7 §1"""
    audited: bool
    """Whether an auditor signed it. Ch.5 §1"""
    current_assets: Money
    """Current assets, in the statement's one currency; sealed. Ch.7 §1"""
    current_liabilities: Money
    """Current liabilities; sealed. Ch.7 §1"""
    total_assets: Money
    """Total assets; sealed. Ch.7 §1"""
    total_liabilities: Money
    """Total liabilities; sealed. Ch.7 §1"""
    tangible_net_worth: Money
    """Tangible net worth; sealed. Ch.5 §4"""
    net_profit: Money
    """Net profit of the period; sealed. Ch.7 §1"""
    operating_cash_flow: Money
    """Operating cash flow of the period; sealed. Ch.7 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[FinancialStatement]:
        """The figures are sealed; the period and whether it was audited are not.

        Chapter: 7.1.
        """
        return self.record(unit, actor, days(unit))

    def record(self, unit: Unit, actor: Actor, calendar: Days) -> Decided[FinancialStatement]:
        """The same by days that are known already: an import looks them up once.

        Chapter: 7.1.
        """
        file = _opened(unit, FinancialStatement, self.credit_file, self.origin)
        refuse_means(unit, file, self.origin.lawful_basis)
        figures: Sequence[tuple[Any, Money]] = (
            (FinancialStatement.current_assets, self.current_assets),
            (FinancialStatement.current_liabilities, self.current_liabilities),
            (FinancialStatement.total_assets, self.total_assets),
            (FinancialStatement.total_liabilities, self.total_liabilities),
            (FinancialStatement.tangible_net_worth, self.tangible_net_worth),
            (FinancialStatement.net_profit, self.net_profit),
            (FinancialStatement.operating_cash_flow, self.operating_cash_flow),
        )
        check_figures({field.name: money for field, money in figures})
        not_future(self.period_end, calendar.today, "periodEnd")
        statement = FinancialStatement(
            stamp=unit.stamp(
                FinancialStatement, subject=file.subject_id, effective_from=calendar.begin(self.period_end)
            ),
            credit_file=file.id,
            period_end=self.period_end,
            audited=self.audited,
            **_origin_facts(unit, actor, self.origin),
        )
        unit.add([statement])
        for field, money in figures:
            unit.seal(statement, field, money)
        return Decided(value=statement, resources=(file.id,))
