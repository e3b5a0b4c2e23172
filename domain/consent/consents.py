"""Partners, the customer's consents, and disclosures as records (Ch.4 §4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from domain.consent.words import (
    Authority,
    ConsentAct,
    ConsentKind,
    DisclosureAction,
    EvidenceMethod,
    ObligationKind,
    Redisclosure,
)
from domain.ids import Id
from domain.reading import Purpose
from domain.records import DataClass, Record, children, confidential, fact, link, record


class PartnerState(Enum):
    """PROPOSED → ACTIVE or REJECTED; ACTIVE ↔ SUSPENDED. What is not ACTIVE gets nothing."""

    PROPOSED = "PROPOSED"
    """One person registered it, and another has not decided."""
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    REJECTED = "REJECTED"
    """It was turned away."""


class ConsentState(Enum):
    """REQUESTED → GIVEN or REFUSED; GIVEN → WITHDRAWN or INVALIDATED. Given, it is over at `not_after`, by the clock.

    Expiry is no state that is written: nobody has to act for it, so no job can be late with it.
    """

    REQUESTED = "REQUESTED"
    """The customer was asked and has not answered."""
    GIVEN = "GIVEN"
    """It holds from `not_before` until `not_after`."""
    REFUSED = "REFUSED"
    """The customer said no; the same is not asked again for 90 days."""
    WITHDRAWN = "WITHDRAWN"
    """The customer took it back; nothing is disclosed under it any more."""
    INVALIDATED = "INVALIDATED"
    """It turned out to have been given wrongly, such as without authority; nothing is disclosed under it any more."""


class ConsentUse(Enum):
    """How often a consent may be used."""

    ONE_TIME = "ONE_TIME"
    COUNTED = "COUNTED"
    STANDING = "STANDING"


class DisclosureState(Enum):
    """RECEIVED → CHECKED → RELEASED, PARTIAL, REFUSED or FAILED."""

    CHECKED = "CHECKED"
    RELEASED = "RELEASED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"


@record("pa", table="partner", read="partner:read", unique=(("name",),), subject_reach=False, shown_to_all=True)
class Partner(Record):
    """A third party that may ask for a customer's data, for stated purposes, with consent (Ch.4 §4)."""

    name: str = fact("The partner's legal name. Ch.4 §4", order=True)
    contact: str = fact("How a customer reaches it about its data. Ch.4 §4")
    purposes: tuple[Purpose, ...] = fact("The purposes it may ask for. Ch.4 §4")
    state: PartnerState = fact("A suspended partner gets nothing. Ch.4 §4", filter=True)
    processor_for: Id | None = link(
        "Partner", "The partner on whose behalf it processes, where it does. Ch.4 §4", default=None, same_subject=False
    )
    registration: str | None = fact("The number its legal entity is registered under. Ch.4 §4", default=None)
    address: str | None = fact("Where its legal entity has its seat. Ch.4 §4", default=None)
    registered_by: str = fact("Who registered it. Ch.8 §1", default="")
    decided_by: str | None = fact("Who let it in, or turned it away: another person. Ch.8 §1", default=None)
    recalls_to: str | None = fact("The address that recalls are sent to, where there is one. Ch.4 §4", default=None)

    keys = children("PartnerKey", by="partner", says="The keys that speak for it. Ch.4 §4", same_subject=False)
    documents = children(
        "TrustedDocument",
        by="partner",
        says="The documents that were proposed for it alone; it also runs those that are for every partner. Ch.4 §4",
        same_subject=False,
    )


@record("co", table="consent", read="consent:read", partner_reach=True)
class Consent(Record):
    """A customer's consent: to whom, for what purpose, which fields, how often, until when (Ch.4 §4)."""

    credit_file: Id = link("CreditFile", "The file it opens. Ch.4 §4")
    partner: Id = link("Partner", "Whom it names. Ch.4 §4", same_subject=False)
    purpose: Purpose = fact("The one purpose it covers. Ch.4 §4", filter=True)
    fields: tuple[str, ...] = fact("Tags of the confidential fields it covers. Ch.4 §4")
    use: ConsentUse = fact("How often it may be used. Ch.4 §4")
    max_uses: int | None = fact("How many uses a counted consent allows. Ch.4 §4", default=None)
    uses: int = fact("How often it was used. Ch.4 §4", default=0)
    not_before: datetime = fact("From when it holds. Ch.4 §4")
    not_after: datetime = fact("Until when it holds. Ch.4 §4")
    state: ConsentState = fact("Where it stands. Ch.4 §4", filter=True)
    given_by: str | None = fact(
        "Who gave it, and by what authority; nobody while it is asked for. Ch.4 §4", default=None
    )
    authority: Authority | None = fact("By what authority; null while it is asked for. Ch.4 §4", default=None)
    authority_digest: str | None = fact("SHA-256 of the proof of authority. Ch.4 §4", default=None)
    authority_document: Id | None = link("Document", "The proof of authority on file. Ch.4 §4", default=None)
    jurisdiction: str = fact("The law it was given under, such as CN. Ch.4 §4", default="CN")
    language: str = fact("The language it was given in, such as zh. Ch.4 §4", default="zh")
    kind: ConsentKind = fact("Whether it was asked for by itself. Ch.4 §4", default=ConsentKind.SEPARATE, filter=True)
    notice_id: str | None = fact("The notice that was shown, by its name. Ch.4 §4", default=None, filter=True)
    notice_version: str | None = fact("The version of that notice. Ch.4 §4", default=None)
    notice_digest: str = fact("SHA-256 of the notice as it was shown. Ch.4 §4", filter=True)
    evidence_digest: str | None = fact("SHA-256 of the evidence. Ch.4 §4", default=None)
    evidence_method: EvidenceMethod | None = fact("How it is shown that it was given. Ch.4 §4", default=None)
    evidence_document: Id | None = link("Document", "The evidence on file. Ch.4 §4", default=None)
    lookback_days: int | None = fact(
        "How many days back the credit records may lie that it opens; null where it opens none. Ch.4 §4", default=None
    )
    actions: tuple[DisclosureAction, ...] = fact(
        "What the recipient may do with it. Ch.4 §4", default=(DisclosureAction.VIEW,)
    )
    redisclosure: Redisclosure = fact(
        "Whether the recipient may hand it on. Ch.4 §4", default=Redisclosure.PROHIBITED, filter=True
    )
    onward_to: tuple[str, ...] = fact("The partners it may be handed on to, where they are named. Ch.4 §4", default=())
    retention_days: int | None = fact(
        "After how many days the recipient deletes it; at the end of the consent where nothing is agreed. Ch.4 §4",
        default=None,
    )
    max_per_day: int | None = fact("How many uses it allows in a day of 24 hours. Ch.4 §4", default=None)
    day_from: datetime | None = fact("When the first use of the present day was. Ch.4 §4", default=None)
    day_uses: int = fact("How often it was used since then. Ch.4 §4", default=0)
    withdrawal_contact: str | None = fact(
        "Whom the customer may turn to in order to withdraw it, besides withdrawConsent. Ch.4 §4", default=None
    )

    source: Id | None = link(
        "Source", "Where it was recorded before, where it was taken over. Ch.4 §3", default=None, same_subject=False
    )
    record_id: str | None = fact("The id it has there. Ch.4 §3", default=None, filter=True)

    original = confidential(
        "consent.original", DataClass.DOCUMENTS, str, "The record as it was taken over. Ch.4 §3", bucket=64
    )
    events = children("ConsentEvent", by="consent", says="What was done about it, by whom and when. Ch.4 §4")


@record("ce", table="consent_event", read="consent:read")
class ConsentEvent(Record):
    """What was done about a consent, once and for all: who, when, by what authority (Ch.4 §4)."""

    consent: Id = link("Consent", "The consent it is about. Ch.4 §4")
    consent_version: int = fact("The version of the consent that it made. Ch.4 §4")
    act: ConsentAct = fact("What was done. Ch.4 §4", filter=True)
    at: datetime = fact("When it was done. Ch.4 §4", order=True, filter=True)
    person: str = fact("Who recorded it. Ch.8 §1")
    given_by: str | None = fact("Who gave the consent, where it was given. Ch.4 §4", default=None)
    authority: Authority | None = fact("By what authority. Ch.4 §4", default=None)
    notice_digest: str = fact("SHA-256 of the notice it rests on. Ch.4 §4")
    evidence_digest: str | None = fact("SHA-256 of the evidence of this act. Ch.4 §4", default=None)
    digest: str = fact("SHA-256 of all that the consent said then. Ch.4 §4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A field that stayed closed, and why (Ch.4 §4)."""

    field: str
    """The field's tag."""
    reason: str
    """The closed reason code."""
    unlock: str
    """What would unlock it."""


@record("di", table="disclosure", read="disclosure:read", unique=(("partner", "idempotency_key"),), partner_reach=True)
class Disclosure(Record):
    """What one partner got of one customer, for which purpose, under which consent (Ch.4 §4)."""

    credit_file: Id = link("CreditFile", "The file it is about. Ch.4 §4", action="credit_file:read")
    pseudonym: str = fact("The customer as this partner knows it: every other partner knows another one. Ch.4 §4")
    partner: Id = link("Partner", "Who got it. Ch.4 §4", same_subject=False, action="partner:read")
    consent: Id | None = link("Consent", "The consent it rests on. Ch.4 §4", default=None)
    consent_version: int | None = fact("That consent's version. Ch.4 §4", default=None)
    purpose: Purpose = fact("What it was asked for. Ch.4 §4", filter=True)
    action: DisclosureAction = fact("What the partner may do with it. Ch.4 §4", default=DisclosureAction.VIEW)
    onward_to: Id | None = link(
        "Partner", "Whom it is handed on to, where it was asked for that. Ch.4 §4", default=None, same_subject=False
    )
    fields: tuple[str, ...] = fact("Tags of the fields that were disclosed. Ch.4 §4")
    withheld: tuple[Withheld, ...] = fact("What stayed closed, and why. Ch.4 §4", default=())
    obligations: tuple[ObligationKind, ...] = fact("What the partner owes for it. Ch.4 §4", default=())
    delete_by: datetime | None = fact(
        "When the partner has deleted it at latest. Ch.4 §4", default=None, order=True, filter=True
    )
    state: DisclosureState = fact("Where it stands. Ch.4 §4", filter=True)
    contested: bool = fact("Whether the customer contested the file when it was disclosed. Ch.3 §3", default=False)
    idempotency_key: str = fact("The partner's key: asking again with it discloses nothing new. Ch.4 §4")
    request_digest: str = fact("Digest of the request under that key. Ch.4 §4")
