"""The consent decision: a pure rule with a reason for every field that stays closed (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from domain.consent.consents import Consent, ConsentState, ConsentUse, Partner, PartnerState
from domain.ids import Id
from domain.reading import Purpose


class Reason(Enum):
    """Why a field is not disclosed; the closed list is published in the schema."""

    NO_CONSENT = "NO_CONSENT"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"
    PURPOSE_NOT_COVERED = "PURPOSE_NOT_COVERED"
    FIELD_NOT_COVERED = "FIELD_NOT_COVERED"
    CONSUMED = "CONSUMED"
    RECIPIENT_SUSPENDED = "RECIPIENT_SUSPENDED"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    NOT_ON_FILE = "NOT_ON_FILE"

    @property
    def unlock(self) -> str:
        """What would unlock the field."""
        return _UNLOCK[self]


_UNLOCK = {
    Reason.NO_CONSENT: "Ask the customer for a consent that names you.",
    Reason.NOT_YET_VALID: "Ask again once the consent has begun.",
    Reason.EXPIRED: "Ask the customer for a new consent.",
    Reason.WITHDRAWN: "Ask the customer for a new consent.",
    Reason.PURPOSE_NOT_COVERED: "Ask for the purpose the customer agreed to, or for a new consent.",
    Reason.FIELD_NOT_COVERED: "Ask the customer for a consent that covers this field.",
    Reason.CONSUMED: "The consent is used up; ask the customer for a new one.",
    Reason.RECIPIENT_SUSPENDED: "The partner is suspended; ask the company's privacy officer.",
    Reason.UNKNOWN_FIELD: "Ask only for confidential fields of a credit file, by their tags.",
    Reason.NOT_ON_FILE: "Ask the customer or the company to complete the file.",
}

_WEIGHT = {reason: index for index, reason in enumerate(Reason)}
"""The nearer a consent came to covering a field, the later its reason stands in the enumeration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one request may get: fields allowed, each under one consent, and a reason for every other field."""

    consent: Consent | None
    allowed: tuple[str, ...]
    denied: dict[str, Reason]


def decide(
    consents: Sequence[Consent], partner: Partner, *, purpose: Purpose, fields: Sequence[str], at: datetime
) -> Verdict:
    """Which of the fields a partner may get now, under the one consent that covers most of them.

    Two consents never add up, neither for one field nor within one disclosure. Of those that cover as many, one that
    is not used up comes first, then the one that holds longest. Default is deny.

    Chapter: 4.4.
    Shape:   total; every field is either allowed or has a reason; nothing is allowed without a consent in force
             for this partner, this purpose and this field.
    """
    wanted = tuple(dict.fromkeys(fields))
    if partner.state is not PartnerState.ACTIVE:
        return Verdict(consent=None, allowed=(), denied=dict.fromkeys(wanted, Reason.RECIPIENT_SUSPENDED))
    if purpose not in partner.purposes:
        return Verdict(consent=None, allowed=(), denied=dict.fromkeys(wanted, Reason.PURPOSE_NOT_COVERED))
    own = [consent for consent in consents if consent.partner == partner.id]
    usable = [consent for consent in own if obstacle(consent, purpose, at) is None]
    best = max(usable, key=lambda consent: _preference(consent, wanted), default=None)
    if best is None or not _covered(best, wanted):
        return Verdict(
            consent=None,
            allowed=(),
            denied={field: _why_not(own, field, purpose, at) for field in wanted},
        )
    allowed = tuple(field for field in wanted if field in best.fields)
    denied = {field: _why_not(own, field, purpose, at) for field in wanted if field not in best.fields}
    return Verdict(consent=best, allowed=allowed, denied=denied)


def obstacle(consent: Consent, purpose: Purpose, at: datetime) -> Reason | None:
    """What keeps a consent from being used for a purpose at an instant, if anything.

    Chapter: 4.4.
    """
    if consent.state is ConsentState.WITHDRAWN:
        return Reason.WITHDRAWN
    if consent.state is not ConsentState.GIVEN:
        return Reason.NO_CONSENT
    if consent.purpose is not purpose:
        return Reason.PURPOSE_NOT_COVERED
    if at < consent.not_before:
        return Reason.NOT_YET_VALID
    if at >= consent.not_after:
        return Reason.EXPIRED
    if consent.use is not ConsentUse.STANDING and consent.uses >= (consent.max_uses or 1):
        return Reason.CONSUMED
    return None


def _preference(consent: Consent, wanted: Sequence[str]) -> tuple[int, bool, datetime, Id]:
    return _covered(consent, wanted), consent.use is ConsentUse.STANDING, consent.not_after, consent.id


def _covered(consent: Consent, fields: Sequence[str]) -> int:
    return sum(field in consent.fields for field in fields)


def _why_not(consents: Sequence[Consent], field: str, purpose: Purpose, at: datetime) -> Reason:
    """The reason of the consent that came nearest to covering the field."""
    reasons = [obstacle(consent, purpose, at) or Reason.FIELD_NOT_COVERED for consent in consents]
    covering = [reason for consent, reason in zip(consents, reasons, strict=True) if field in consent.fields]
    return max(covering or reasons, key=_WEIGHT.__getitem__, default=Reason.NO_CONSENT)


def same_request(partner: Id, credit_file: Id, purpose: Purpose, fields: Sequence[str]) -> dict[str, object]:
    """What makes two requests under one idempotency key the same request.

    Chapter: 4.4.
    """
    return {"partner": partner, "creditFile": credit_file, "purpose": purpose.value, "fields": sorted(fields)}
