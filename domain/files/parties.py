"""Customers and their credit files: basic information (Ch.3 §1, Ch.4 §1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Any

from domain.assessment.scale import Grade, Tier
from domain.files.identifying.identifiers import Exact
from domain.files.identifying.masks import Mask
from domain.files.sources import Provenanced
from domain.ids import Id
from domain.money import Money
from domain.records import DataClass, Record, children, computed, confidential, fact, link, record


class PartyKind(Enum):
    """What a customer is in law; personal information rules protect the natural ones."""

    ENTERPRISE = "ENTERPRISE"
    SOLE_TRADER = "SOLE_TRADER"
    NATURAL_PERSON = "NATURAL_PERSON"
    PUBLIC_BODY = "PUBLIC_BODY"

    @property
    def natural(self) -> bool:
        """Whether one person stands behind it."""
        return self in {PartyKind.SOLE_TRADER, PartyKind.NATURAL_PERSON}


class SizeClass(Enum):
    """Size of a firm by paid-in capital and staff."""

    MICRO = "MICRO"
    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"


class FileState(Enum):
    """OPEN → RESTRICTED (store only) → DESTROYING → ERASED."""

    OPEN = "OPEN"
    RESTRICTED = "RESTRICTED"
    DESTROYING = "DESTROYING"
    ERASED = "ERASED"


class CreditStatus(Enum):
    """How new business with the customer stands."""

    OK = "OK"
    WATCH = "WATCH"
    HOLD = "HOLD"
    STOP = "STOP"
    NO_CHECK = "NO_CHECK"
    ONE_INVOICE_ONLY = "ONE_INVOICE_ONLY"


@record("te", table="tenant", read="tenant:read", unique=(("name",),), subject_reach=False)
class Tenant(Record):
    """A company that runs the standard (Ch.2); nothing is readable across tenants."""

    name: str = fact("The company's name. Ch.2")
    time_zone: str = fact("The time zone its days are counted in. Ch.2", default="Asia/Shanghai")


@record("cu", table="customer", read="credit_file:read")
class Customer(Record):
    """A customer of the company: the subject whose keys seal its confidential fields (Ch.1)."""

    kind: PartyKind = fact("What the customer is in law. Ch.4 §1", filter=True)
    account_owner: str | None = fact("The member of staff who looks after it. Ch.8 §1", default=None, filter=True)
    department: Id | None = link("Department", "The department it is with. Ch.8 §1", default=None, same_subject=False)


def basic_completeness(rows: Sequence[tuple[Any, ...]], today: date) -> list[int]:
    """The share of the basic information that is on file, per file.

    Chapter: 3.1, 4.1.
    Units:   basis points.
    """
    del today
    return [sum(value is not None for value in row) * 10_000 // len(row) for row in rows]


@record("cf", table="credit_file", read="credit_file:read", unique=(("reference",),))
class CreditFile(Provenanced):
    """A customer's credit file: basic information, credit records, and the standing they earn (Ch.3 §1)."""

    customer: Id = link("Customer", "The customer it is about. Ch.3 §1")
    reference: str = fact("The company's own number for this customer, unique. Ch.3 §1", filter=True, order=True)
    name: str = fact("The registered name. Ch.4 §1", filter=True, order=True)
    registered_address: str | None = fact("The registered address. Ch.4 §1", default=None)
    registered_capital: Money | None = fact("The registered capital. Ch.4 §1", default=None)
    established_on: date | None = fact("The day it was established. Ch.4 §1", default=None, order=True)
    industry_code: str | None = fact("Its industry (GB/T 4754). Ch.4 §1", default=None, filter=True)
    size_class: SizeClass | None = fact("Its size. Ch.4 §1", default=None, filter=True)
    staff_count: int | None = fact("How many people it employs. Ch.4 §1", default=None)
    findings: tuple[str, ...] = fact("What was noticed but not refused, such as a retired region.", default=())
    state: FileState = fact("Whether the file is in use. Ch.4 §4", default=FileState.OPEN, filter=True)
    credit_status: CreditStatus = fact("How new business stands. Ch.6", default=CreditStatus.OK, filter=True)
    assessment: Id | None = link("Assessment", "The assessment in force. Ch.5", default=None)
    score: int | None = fact("The score in force, 0 to 100 points. Ch.5 §1", default=None, order=True)
    grade: Grade | None = fact("The grade in force. Ch.5 §2", default=None, filter=True, order=True)
    tier: Tier | None = fact("The tier of the grade in force. Ch.6", default=None, filter=True)
    credit_limit: Money | None = fact("The credit limit in force. Ch.5 §4", default=None)
    net_days: int | None = fact("Payment terms in force: days net. Ch.5 §4", default=None)
    prepayment_bp: int | None = fact("Share to pay in advance, in basis points. Ch.5 §4", default=None)
    review_due_on: date | None = fact("When the next review is due. Ch.5 §3", default=None, filter=True, order=True)
    relation_ended_on: date | None = fact(
        "The last day of the customer relation; null while it lasts. Ch.4 §4", default=None, filter=True
    )
    statement_by_customer: str | None = fact("The customer's own statement. Ch.3 §3", default=None)

    contacts = children(
        "ContactPerson", by="customer", on="subject_id", says="Its contacts. Ch.4 §1", same_subject=False
    )
    transactions = children("TradeTransaction", by="credit_file", says="Past transactions. Ch.4 §2")
    defaults = children("DefaultEvent", by="credit_file", says="Defaults. Ch.4 §2")
    litigation = children("LitigationRecord", by="credit_file", says="Litigation. Ch.4 §2")
    sanctions = children("PublicSanction", by="credit_file", says="Public sanctions. Ch.4 §2")
    ratings = children("ExternalRating", by="credit_file", says="External ratings. Ch.4 §2")
    statements = children("FinancialStatement", by="credit_file", says="Financial statements. Ch.7 §1")
    assessments = children("Assessment", by="credit_file", says="Its assessments. Ch.5")
    control_actions = children("ControlAction", by="credit_file", says="What was done about its risk. Ch.6")
    consents = children("Consent", by="credit_file", says="The customer's consents. Ch.4 §4")
    objections = children("Objection", by="credit_file", says="What it contests and asks for. Ch.3 §3")
    documents = children("Document", by="credit_file", says="Documents it rests on. Ch.4 §3")
    credit_statements = children(
        "CreditStatement", by="credit_file", says="Credit statements the customer took along. Ch.3 §3"
    )
    disclosures = children("Disclosure", by="credit_file", says="What was disclosed to partners. Ch.4 §4")
    access_log = children(
        "AccessEntry", by="subject_id", on="subject_id", says="Who looked or acted, when and why. Ch.3 §3"
    )

    basic_completeness = computed(
        int,
        needs=(
            "registered_address",
            "registered_capital",
            "established_on",
            "industry_code",
            "size_class",
            "staff_count",
        ),
        batch=basic_completeness,
        says="Share of the basic information on file, in basis points. Ch.3 §1",
    )

    unified_social_credit_code = confidential(
        "identity.uscc",
        DataClass.IDENTITY,
        str,
        "The unified social credit code (GB 32100). Ch.4 §1",
        mask=Mask.CODE,
        index=Exact(normaliser="uscc/1", distinct_percent=100),
    )
    legal_representative = confidential(
        "identity.legal_representative", DataClass.IDENTITY, str, "The legal representative. Ch.4 §1", mask=Mask.NAME
    )
    phone = confidential(
        "contact.phone",
        DataClass.CONTACT,
        str,
        "The main phone, E.164. Ch.4 §1",
        mask=Mask.PHONE,
        index=Exact(normaliser="phone/1"),
    )
    email = confidential(
        "contact.email",
        DataClass.CONTACT,
        str,
        "The main e-mail address. Ch.4 §1",
        bucket=64,
        mask=Mask.EMAIL,
        index=Exact(normaliser="email/1"),
    )
    bank_account = confidential(
        "financial.bank_account",
        DataClass.FINANCIAL,
        str,
        "The bank account. Ch.4 §1",
        mask=Mask.ACCOUNT,
        index=Exact(normaliser="account/1"),
    )


@record("cp", table="contact_person", read="contact_person:read", subject_reach=False)
class ContactPerson(Provenanced):
    """A person to talk to at a customer; its own subject, so that it can be erased without the firm (Ch.4 §1)."""

    customer: Id = link("Customer", "The customer it speaks for. Ch.4 §1", same_subject=False)
    duty: str = fact("What the person does there. Ch.4 §1")

    person_name = confidential(
        "contact.person_name", DataClass.CONTACT, str, "The person's name. Ch.4 §1", mask=Mask.NAME
    )
    person_phone = confidential(
        "contact.person_phone",
        DataClass.CONTACT,
        str,
        "The person's phone. Ch.4 §1",
        mask=Mask.PHONE,
        index=Exact(normaliser="phone/1"),
    )
    person_email = confidential(
        "contact.person_email",
        DataClass.CONTACT,
        str,
        "The person's e-mail address. Ch.4 §1",
        bucket=64,
        mask=Mask.EMAIL,
        index=Exact(normaliser="email/1"),
    )
