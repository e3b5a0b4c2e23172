"""A receipt of a consent: what was agreed to, and what became of it, for whoever gave it to take along (Ch.4 §4).

It holds the fields of ISO/IEC TS 27560, is signed by the company, and is verified without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from domain import canonical
from domain.actors import Actor
from domain.consent.attesting.predicates import class_of
from domain.consent.consents import Consent, ConsentEvent, ConsentState, Partner
from domain.consent.giving import own_consent, reference
from domain.errors import Code, Malformed
from domain.files.parties import Tenant
from domain.ids import Id
from domain.operations import OWN, Decided, Operation, operation
from domain.ports import Attested, Unit

SCHEMA: Final = "ISO/IEC TS 27560:2023"
"""Whose fields a receipt holds."""
VERSION: Final = 1
"""The version of its form."""
_ABOUT: Final = "consent-receipts"
Json = dict[str, Any]


@operation("consent:receipt", chapter="4.4")
class TakeConsentReceipt(Operation[Consent]):
    """Takes a signed receipt of a consent along: as it was given, withdrawn, refused or struck out (Ch.4 §4)."""

    consent: Id
    """The consent; a customer's own. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Consent]:
        """A customer gets receipts of its own consents alone, and none of what it has not answered.

        The entry holds the digest of what is attested, so that the receipt and the log prove each other.

        Chapter: 3.3, 4.4.
        Raises:  NotFound; Malformed (INVALID_TRANSITION) while it is only asked for.
        """
        consent = own_consent(unit, actor, self.consent)
        if consent.state is ConsentState.REQUESTED:
            raise Malformed(
                "The customer has not answered yet.",
                code=Code.INVALID_TRANSITION,
                advice="Answer with giveRequestedConsent or refuseConsent; then there is a receipt.",
                path=("consent",),
            )
        drawn = f"receipt/{consent.id}/{consent.stamp.version}/{unit.now.isoformat()}"
        attested = Attested(
            id=unit.pseudonym(consent.subject_id, drawn),
            about=unit.pseudonym(consent.subject_id, _ABOUT),
            issued_at=unit.now,
            record=_record(unit, consent, unit.pseudonym(consent.subject_id, f"{drawn}/salt")),
        )
        return Decided(
            value=consent,
            signs=lambda _: attested,
            purpose=consent.purpose.value,
            consent=reference(consent),
            digest=canonical.digest(attested.record),
            proves=(OWN,),
            resources=(consent.id, consent.credit_file),
        )


def _record(unit: Unit, consent: Consent, salt: str) -> Json:
    """What a receipt attests; the salt keeps its digest from being guessed."""
    events = sorted(unit.find(ConsentEvent, consent=consent.id), key=lambda event: (event.at, event.id))
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "salt": salt,
        "record_id": consent.id,
        "record_version": consent.stamp.version,
        "state": consent.state.value,
        "consent_type": consent.kind.value,
        "jurisdiction": consent.jurisdiction,
        "language": consent.language,
        "parties": _parties(unit, consent),
        "notice": {
            "notice_id": consent.notice_id,
            "notice_version": consent.notice_version,
            "sha256": consent.notice_digest,
        },
        "processing": _processing(consent),
        "given": {
            "by": consent.given_by,
            "authority": _word(consent.authority),
            "authority_sha256": consent.authority_digest,
            "evidence_method": _word(consent.evidence_method),
            "evidence_sha256": consent.evidence_digest,
        },
        "withdrawal": {"method": "withdrawConsent", "contact": consent.withdrawal_contact},
        "events": [_event(event) for event in events],
    }


def _parties(unit: Unit, consent: Consent) -> list[Json]:
    """Who decides about the data, who receives it, and whom it may be handed on to."""
    company = unit.get(Tenant, consent.stamp.tenant)
    recipient = unit.get(Partner, consent.partner)
    named: Sequence[Partner] = [unit.get(Partner, Id(one)) for one in consent.onward_to]
    return [
        {"party_id": company.id, "party_name": company.name, "party_role": "CONTROLLER"},
        _party(recipient, "RECIPIENT" if recipient.processor_for is None else "PROCESSOR"),
        *(_party(partner, "ONWARD_RECIPIENT") for partner in named),
    ]


def _party(partner: Partner, role: str) -> Json:
    return {
        "party_id": partner.id,
        "party_name": partner.name,
        "party_role": role,
        "party_contact": partner.contact,
        "party_address": partner.address,
        "registration": partner.registration,
    }


def _processing(consent: Consent) -> Json:
    return {
        "purpose": consent.purpose.value,
        "lawful_basis": "CONSENT",
        "pii_types": sorted({class_of(tag).value for tag in consent.fields}),
        "pii_fields": list(consent.fields),
        "actions": [action.value for action in consent.actions],
        "use": consent.use.value,
        "max_uses": consent.max_uses,
        "max_per_day": consent.max_per_day,
        "valid_from": _instant(consent.not_before),
        "valid_until": _instant(consent.not_after),
        "lookback_days": consent.lookback_days,
        "retention_days": consent.retention_days,
        "redisclosure": consent.redisclosure.value,
    }


def _event(event: ConsentEvent) -> Json:
    return {
        "event_type": event.act.value,
        "event_time": _instant(event.at),
        "record_version": event.consent_version,
        "recorded_by": event.person,
        "given_by": event.given_by,
        "authority": _word(event.authority),
        "notice_sha256": event.notice_digest,
        "evidence_sha256": event.evidence_digest,
    }


def _word(value: Any) -> str | None:
    return None if value is None else str(value.value)


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
