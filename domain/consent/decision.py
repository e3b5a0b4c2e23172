"""The consent decision: a pure rule with a reason for every field that stays closed (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from domain.consent.consents import Consent, ConsentState, ConsentUse, Partner, PartnerState
from domain.consent.words import DisclosureAction, ObligationKind, Redisclosure
from domain.ids import Id
from domain.reading import Purpose


class Reason(Enum):
    """Why a field is not disclosed; the closed list is published in the schema."""

    NO_CONSENT = "NO_CONSENT"
    RECIPIENT_MISMATCH = "RECIPIENT_MISMATCH"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    INVALIDATED = "INVALIDATED"
    WITHDRAWN = "WITHDRAWN"
    PURPOSE_NOT_COVERED = "PURPOSE_NOT_COVERED"
    ACTION_NOT_COVERED = "ACTION_NOT_COVERED"
    REDISCLOSURE = "REDISCLOSURE"
    NOTICE_SUPERSEDED = "NOTICE_SUPERSEDED"
    FIELD_NOT_COVERED = "FIELD_NOT_COVERED"
    OUTSIDE_LOOKBACK = "OUTSIDE_LOOKBACK"
    DISPUTED = "DISPUTED"
    CONSUMED = "CONSUMED"
    RATE_EXCEEDED = "RATE_EXCEEDED"
    RECIPIENT_SUSPENDED = "RECIPIENT_SUSPENDED"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    NOT_ON_FILE = "NOT_ON_FILE"
    LEGAL_HOLD = "LEGAL_HOLD"
    THRESHOLDS_EXHAUSTED = "THRESHOLDS_EXHAUSTED"

    @property
    def unlock(self) -> str:
        """What would unlock the field."""
        return _UNLOCK[self]


_UNLOCK = {
    Reason.NO_CONSENT: "Ask the customer for a consent that names you.",
    Reason.RECIPIENT_MISMATCH: "Ask the customer for a consent that names you.",
    Reason.NOT_YET_VALID: "Ask again once the consent has begun.",
    Reason.EXPIRED: "Ask the customer for a new consent.",
    Reason.INVALIDATED: "Ask the customer for a new consent.",
    Reason.WITHDRAWN: "Ask the customer for a new consent.",
    Reason.PURPOSE_NOT_COVERED: "Ask for the purpose the customer agreed to, or for a new consent.",
    Reason.ACTION_NOT_COVERED: "Ask for an action the customer agreed to, or for a new consent.",
    Reason.REDISCLOSURE: "Ask for yourself alone, or for a consent that lets you hand it on to this recipient.",
    Reason.NOTICE_SUPERSEDED: "The notice changed; have the customer confirm the consent under the new one.",
    Reason.FIELD_NOT_COVERED: "Ask the customer for a consent that covers this field.",
    Reason.OUTSIDE_LOOKBACK: "Ask over fewer days back, or for a consent that reaches as far.",
    Reason.DISPUTED: "The customer contests it; ask again once its objection is answered.",
    Reason.CONSUMED: "The consent is used up; ask the customer for a new one.",
    Reason.RATE_EXCEEDED: "Ask again when a day has passed since the first use of today.",
    Reason.RECIPIENT_SUSPENDED: "The partner is suspended; ask the company's privacy officer.",
    Reason.UNKNOWN_FIELD: "Ask only for confidential fields of a credit file, by their tags.",
    Reason.NOT_ON_FILE: "Ask the customer or the company to complete the file.",
    Reason.LEGAL_HOLD: "The law forbids to hand it out now; ask the company's legal department.",
    Reason.THRESHOLDS_EXHAUSTED: "Ask a threshold that was answered before, or wait until 30 days have passed.",
}

_WEIGHT = {reason: index for index, reason in enumerate(Reason)}
"""The nearer a consent came to covering a field, the later its reason stands in the enumeration."""


DAY = timedelta(hours=24)
"""The day that `max_per_day` speaks of; it begins with its first use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a partner wants with a customer's fields, and when; all a decision rests on beside the consents."""

    purpose: Purpose
    at: datetime
    action: DisclosureAction = DisclosureAction.VIEW
    onward: Partner | None = None
    """Whom the partner wants to hand it on to."""
    superseded: frozenset[str] = frozenset()
    """Digests of notices that have to be confirmed anew."""
    days_back: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many days back the records lie that a field tells of, where it tells of any."""
    disputed: frozenset[str] = frozenset()
    """Fields that are not told while the customer contests them."""
    held: bool = False
    """Whether the law forbids to hand out anything of the file now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one request may get: fields allowed, each under one consent, and a reason for every other field."""

    consent: Consent | None
    allowed: tuple[str, ...]
    denied: dict[str, Reason]
    obligations: tuple[ObligationKind, ...] = ()
    """What the partner owes for what it gets."""
    delete_by: datetime | None = None


def decide(consents: Sequence[Consent], partner: Partner, question: Question, fields: Sequence[str]) -> Verdict:
    """Which of the fields a partner may get now, under the one consent that covers most of them.

    A field that tells of dated records is covered by a consent that reaches back as far, and by no other.
    Two consents never add up, neither for one field nor within one disclosure. Of those that cover as many, one that
    is not used up comes first, then the one that holds longest. Default is deny.

    Chapter: 4.4.
    Shape:   total; every field is either allowed or has a reason; nothing is allowed without a consent in force
             for this partner, this purpose, this action and this field, nor without an obligation.
    """
    wanted = tuple(dict.fromkeys(fields))
    if partner.state is not PartnerState.ACTIVE:
        return _nothing(dict.fromkeys(wanted, Reason.RECIPIENT_SUSPENDED))
    if question.purpose not in partner.purposes:
        return _nothing(dict.fromkeys(wanted, Reason.PURPOSE_NOT_COVERED))
    if question.held:
        return _nothing(dict.fromkeys(wanted, Reason.LEGAL_HOLD))
    own = [consent for consent in consents if consent.partner == partner.id]
    if consents and not own:
        return _nothing(dict.fromkeys(wanted, Reason.RECIPIENT_MISMATCH))
    usable = [consent for consent in own if obstacle(consent, question) is None]
    best = max(usable, key=lambda consent: _preference(consent, wanted, question), default=None)
    if best is None or not _covered(best, wanted, question):
        return _nothing({tag: _why_not(own, tag, question) for tag in wanted})
    return Verdict(
        consent=best,
        allowed=tuple(tag for tag in wanted if closed(best, tag, question) is None),
        denied={tag: _why_not(own, tag, question) for tag in wanted if closed(best, tag, question)},
        obligations=(ObligationKind.NO_REDISCLOSURE, ObligationKind.DELETE_BY),
        delete_by=best.not_after if best.retention_days is None else question.at + timedelta(days=best.retention_days),
    )


def obstacle(consent: Consent, question: Question) -> Reason | None:
    """What keeps a consent from being used for what is asked, if anything.

    Chapter: 4.4.
    """
    if consent.state is not ConsentState.GIVEN:
        return _OVER.get(consent.state, Reason.NO_CONSENT)
    return _beyond(consent, question) or _out_of_time(consent, question) or _used_up(consent, question.at)


_OVER = {ConsentState.WITHDRAWN: Reason.WITHDRAWN, ConsentState.INVALIDATED: Reason.INVALIDATED}


def _nothing(denied: dict[str, Reason]) -> Verdict:
    return Verdict(consent=None, allowed=(), denied=denied)


def _beyond(consent: Consent, question: Question) -> Reason | None:
    """What is asked goes beyond what was agreed."""
    if consent.purpose is not question.purpose:
        return Reason.PURPOSE_NOT_COVERED
    if question.action not in consent.actions:
        return Reason.ACTION_NOT_COVERED
    if question.onward is not None and not _handed_on(consent, question.onward):
        return Reason.REDISCLOSURE
    return None


def _handed_on(consent: Consent, onward: Partner) -> bool:
    """Whether the recipient may hand it on to another, one step and no further."""
    if onward.state is not PartnerState.ACTIVE:
        return False
    if consent.redisclosure is Redisclosure.PROCESSORS_ONLY:
        return onward.processor_for == consent.partner
    return consent.redisclosure is Redisclosure.NAMED and onward.id in consent.onward_to


def _out_of_time(consent: Consent, question: Question) -> Reason | None:
    if question.at < consent.not_before:
        return Reason.NOT_YET_VALID
    if question.at >= consent.not_after:
        return Reason.EXPIRED
    return Reason.NOTICE_SUPERSEDED if consent.notice_digest in question.superseded else None


def _used_up(consent: Consent, at: datetime) -> Reason | None:
    if consent.use is not ConsentUse.STANDING and consent.uses >= (consent.max_uses or 1):
        return Reason.CONSUMED
    if consent.max_per_day is not None and used_today(consent, at) >= consent.max_per_day:
        return Reason.RATE_EXCEEDED
    return None


def used_today(consent: Consent, at: datetime) -> int:
    """How often a consent was used in the day that its first use began, none where that day is over.

    Chapter: 4.4.
    """
    return consent.day_uses if consent.day_from is not None and at < consent.day_from + DAY else 0


def closed(consent: Consent, tag: str, question: Question) -> Reason | None:
    """What keeps a field closed under a consent that can be used, if anything.

    Chapter: 3.3, 4.4.
    """
    if tag not in consent.fields:
        return Reason.FIELD_NOT_COVERED
    if question.days_back.get(tag, 0) > (consent.lookback_days or 0):
        return Reason.OUTSIDE_LOOKBACK
    return Reason.DISPUTED if tag in question.disputed else None


def _preference(consent: Consent, wanted: Sequence[str], question: Question) -> tuple[int, bool, datetime, Id]:
    covered = _covered(consent, wanted, question)
    return covered, consent.use is ConsentUse.STANDING, consent.not_after, consent.id


def _covered(consent: Consent, tags: Sequence[str], question: Question) -> int:
    return sum(closed(consent, tag, question) is None for tag in tags)


def _why_not(consents: Sequence[Consent], tag: str, question: Question) -> Reason:
    """The reason of the consent that came nearest to covering the field."""
    reasons = [
        obstacle(consent, question) or closed(consent, tag, question) or Reason.FIELD_NOT_COVERED
        for consent in consents
    ]
    covering = [reason for consent, reason in zip(consents, reasons, strict=True) if tag in consent.fields]
    return max(covering or reasons, key=_WEIGHT.__getitem__, default=Reason.NO_CONSENT)
