"""Credit records: past transactions, defaults, litigation, external ratings and statements (Ch.4 §2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from domain.files.sources import Provenanced
from domain.ids import Id
from domain.money import Money
from domain.records import DataClass, computed, confidential, fact, link, record


class RecordStatus(Enum):
    """Scoring uses ACTIVE records; the others do not score."""

    ACTIVE = "ACTIVE"
    SATISFIED = "SATISFIED"
    REPAIRED = "REPAIRED"
    EXPIRED = "EXPIRED"
    DISPUTED = "DISPUTED"
    CORRECTED = "CORRECTED"
    WITHDRAWN = "WITHDRAWN"


class DocumentKind(Enum):
    """Whose document a transaction is."""

    RECEIVABLE = "RECEIVABLE"
    """The company's own invoice to the customer."""
    SALE = "SALE"
    """A VAT invoice the customer issued to its buyer."""
    PURCHASE = "PURCHASE"
    """A VAT invoice the customer received from its supplier."""

    @property
    def own_books(self) -> bool:
        """Whether it is of the customer's own books, which say what it earns and is taxed on."""
        return self is not DocumentKind.RECEIVABLE


class DocumentState(Enum):
    """OPEN until paid; VOID was never valid; REVERSED nets against its original."""

    OPEN = "OPEN"
    SETTLED = "SETTLED"
    VOID = "VOID"
    REVERSED = "REVERSED"


class DefaultKind(Enum):
    """How a customer failed to perform."""

    LATE_PAYMENT = "LATE_PAYMENT"
    NON_PAYMENT = "NON_PAYMENT"
    BROKEN_PROMISE = "BROKEN_PROMISE"
    FAILED_PAYMENT = "FAILED_PAYMENT"
    ABUSE = "ABUSE"
    FRAUD = "FRAUD"
    INSOLVENCY = "INSOLVENCY"


class LitigationSeverity(Enum):
    """How heavily live, unsatisfied litigation weighs."""

    NONE = "NONE"
    MINOR = "MINOR"
    MATERIAL = "MATERIAL"
    SEVERE = "SEVERE"


class SanctionKind(Enum):
    """What a public sanction is; NONE records that a register was searched and names the customer nowhere."""

    NONE = "NONE"
    DISHONEST_JUDGMENT_DEBTOR = "DISHONEST_JUDGMENT_DEBTOR"
    """失信被执行人"""
    ADMINISTRATIVE_PENALTY = "ADMINISTRATIVE_PENALTY"
    """行政处罚"""
    ABNORMAL_OPERATION = "ABNORMAL_OPERATION"
    """经营异常名录"""
    SERIOUS_DISHONESTY = "SERIOUS_DISHONESTY"
    """严重违法失信名单"""


class SanctionSeverity(Enum):
    """The class of a sanction, which bounds how long it is published (rule CN-R1, secondary)."""

    NONE = "NONE"
    SLIGHT = "SLIGHT"
    """轻微: at most 3 months."""
    ORDINARY = "ORDINARY"
    """一般: at most 1 year."""
    SEVERE = "SEVERE"
    """严重: at most 3 years."""


class SanctionMatch(Enum):
    """Who says that a sanction is about this customer; a name on a list alone decides nothing."""

    CONFIRMED = "CONFIRMED"
    """A person compared it with the customer's identity."""
    NAME_ONLY = "NAME_ONLY"


class RatingBand(Enum):
    """An external rating, mapped to four bands by whoever records it."""

    GOOD = "GOOD"
    MIDDLE = "MIDDLE"
    WEAK = "WEAK"
    BAD = "BAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRecord(Provenanced):
    """What every credit record carries (Ch.4 §2)."""

    credit_file: Id = link("CreditFile", "The credit file it belongs to. Ch.4 §2")
    status: RecordStatus = fact("Only ACTIVE records score. Ch.4 §2", default=RecordStatus.ACTIVE, filter=True)
    supersedes: Id | None = fact("The record this one puts right, where there is one. Ch.3 §3", default=None)


def days_beyond_terms(rows: Sequence[tuple[Any, ...]], today: date) -> list[int | None]:
    """Days between due date and settlement, or today while open; negative when early; none without a due date.

    Chapter: 5.1.
    Units:   days.
    """
    return [None if due is None else ((settled or today) - due).days for due, settled in rows]


@record("tt", table="trade_transaction", read="transaction:read", unique=(("source", "source_row"),))
class TradeTransaction(CreditRecord):
    """One document of trade: the company's own receivable, or an invoice from the customer's books (Ch.4 §2)."""

    source_row: str = fact("Where it stands in its source; with the source it identifies the document. Ch.4 §3")
    kind: DocumentKind = fact("Whose document it is. Ch.4 §2", filter=True)
    number: str = fact("The document's number; numbers repeat in real books. Ch.4 §2", filter=True)
    issued_on: date = fact("The day it was issued. Ch.4 §2", order=True, filter=True)
    due_on: date | None = fact("The day it is due. Ch.4 §2", default=None, order=True)
    settled_on: date | None = fact("The day it was settled. Ch.4 §2", default=None)
    net: Money = fact("The amount before tax; negative on a red invoice. Ch.4 §2")
    tax: Money | None = fact("The tax. Ch.4 §2", default=None)
    total: Money = fact("The amount with tax. Ch.4 §2")
    disputed: Money | None = fact("The part the customer disputes; it neither ages nor triggers. Ch.4 §2", default=None)
    state: DocumentState = fact("Whether it is open, settled, void or reversed. Ch.4 §2", filter=True)
    counterparty: str | None = fact("A keyed pseudonym of the other party; it names nobody. Ch.4 §4", default=None)
    findings: tuple[str, ...] = fact(
        "What was noticed but not refused, such as a total that does not add up.", default=()
    )

    days_beyond_terms = computed(
        int, needs=("due_on", "settled_on"), batch=days_beyond_terms, says="Days beyond terms so far. Ch.5 §1"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedRecord(CreditRecord):
    """A credit record that may say which row of its source it came from, so that it is recorded once (Ch.4 §3)."""

    source_row: str | None = fact("Where it stands in its source, where that is known. Ch.4 §3", default=None)


@record("de", table="default_event", read="default:read", unique=(("source", "source_row"),))
class DefaultEvent(SourcedRecord):
    """A default of the customer (Ch.4 §2)."""

    default_kind = confidential("default.kind", DataClass.DEFAULT, str, "How it failed to perform. Ch.4 §2")
    default_amount = confidential("default.amount", DataClass.DEFAULT, Money, "How much is at stake. Ch.4 §2")
    default_since = confidential("default.since_on", DataClass.DEFAULT, date, "Since when. Ch.4 §2", bucket=16)
    default_ended = confidential("default.ended_on", DataClass.DEFAULT, date, "When it ended. Ch.4 §2", bucket=16)


@record("lr", table="litigation_record", read="litigation:read", unique=(("source", "source_row"),))
class LitigationRecord(SourcedRecord):
    """A court case that names the customer (Ch.4 §2)."""

    court = confidential("litigation.court", DataClass.LITIGATION, str, "The court. Ch.4 §2", bucket=64)
    case_number = confidential(
        "litigation.case_number", DataClass.LITIGATION, str, "The case number. Ch.4 §2", bucket=64
    )
    role = confidential("litigation.role", DataClass.LITIGATION, str, "The customer's role in it. Ch.4 §2")
    claim = confidential("litigation.claim", DataClass.LITIGATION, Money, "The amount claimed. Ch.4 §2")
    severity = confidential(
        "litigation.severity", DataClass.LITIGATION, str, "NONE, MINOR, MATERIAL or SEVERE. Ch.5 §1", bucket=16
    )


@record("ps", table="public_sanction", read="sanction:read", unique=(("source", "source_row"),))
class PublicSanction(SourcedRecord):
    """A public sanction of the customer, or that a register was searched and holds none (Ch.4 §2)."""

    authority = confidential(
        "sanction.authority", DataClass.LITIGATION, str, "The authority or register. Ch.4 §2", bucket=64
    )
    sanction_kind = confidential(
        "sanction.kind", DataClass.LITIGATION, str, "What it is; NONE where a search found nothing. Ch.4 §2"
    )
    sanction_severity = confidential(
        "sanction.severity", DataClass.LITIGATION, str, "NONE, SLIGHT, ORDINARY or SEVERE. Ch.5 §1", bucket=16
    )
    sanction_match = confidential(
        "sanction.match", DataClass.LITIGATION, str, "Whether a person confirmed whom it is about. Ch.4 §2", bucket=16
    )
    publish_until = confidential(
        "sanction.publish_until", DataClass.LITIGATION, date, "The last day it is published. Ch.4 §2", bucket=16
    )
    repaired_on = confidential(
        "sanction.repaired_on", DataClass.LITIGATION, date, "The day it was repaired or removed. Ch.4 §2", bucket=16
    )


@record("er", table="external_rating", read="rating:read", unique=(("source", "source_row"),))
class ExternalRating(SourcedRecord):
    """A rating of the customer by a third party (Ch.4 §2)."""

    valid_until: date | None = fact("Until when the agency lets it stand. Ch.7 §2", default=None)

    agency = confidential("rating.agency", DataClass.RATING, str, "The agency. Ch.4 §2", bucket=64)
    rating = confidential("rating.rating", DataClass.RATING, str, "The rating on the agency's scale. Ch.4 §2")
    rating_band = confidential(
        "rating.band", DataClass.RATING, str, "The rating mapped to GOOD, MIDDLE, WEAK or BAD. Ch.5 §1", bucket=16
    )


@record("fs", table="financial_statement", read="statement:read", unique=(("source", "source_row"),))
class FinancialStatement(SourcedRecord):
    """A financial statement of the customer (Ch.7 §1)."""

    period_end: date = fact("The last day of its period. Ch.7 §1", order=True)
    audited: bool = fact("Whether an auditor signed it. Ch.5 §1")

    current_assets = confidential("financial.current_assets", DataClass.FINANCIAL, Money, "Current assets. Ch.7 §1")
    current_liabilities = confidential(
        "financial.current_liabilities", DataClass.FINANCIAL, Money, "Current liabilities. Ch.7 §1"
    )
    total_assets = confidential("financial.total_assets", DataClass.FINANCIAL, Money, "Total assets. Ch.7 §1")
    total_liabilities = confidential(
        "financial.total_liabilities", DataClass.FINANCIAL, Money, "Total liabilities. Ch.7 §1"
    )
    tangible_net_worth = confidential(
        "financial.tangible_net_worth", DataClass.FINANCIAL, Money, "Tangible net worth. Ch.5 §4"
    )
    net_profit = confidential("financial.net_profit", DataClass.FINANCIAL, Money, "Net profit of the period. Ch.7 §1")
    operating_cash_flow = confidential(
        "financial.operating_cash_flow", DataClass.FINANCIAL, Money, "Operating cash flow of the period. Ch.7 §1"
    )
