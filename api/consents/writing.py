"""A consent is written as a record in the form of ISO/IEC TS 27560; read again, it says the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.consents.acting import ACTS
from api.consents.jsonld import NAMESPACES, OURS
from domain import canonical
from domain.consent.consents import Consent, ConsentEvent, Partner
from domain.consent.moving import Whole
from domain.consent.words import Authority, ConsentAct, ConsentKind
from domain.reading import Purpose

CONFORMS = "dpv-27560:record-2"
CONTROLLER, GIVER = f"{OURS}:controller", f"{OURS}:giver"
_STATUS = {act: word for word, act in reversed(ACTS.items())}
_PURPOSES = {
    Purpose.PARTNER_CREDIT_DECISION: "dpv:CreditChecking",
    Purpose.CREDIT_REVIEW: "dpv:CustomerSolvencyMonitoring",
    Purpose.CREDIT_CONTROL: "dpv:CustomerSolvencyMonitoring",
    Purpose.CUSTOMER_CONTACT: "dpv:CommunicationForCustomerCare",
    Purpose.LEGAL_CLAIM: "dpv:EstablishLegalClaim",
}
"""The word of the vocabulary that comes nearest; our own stands beside it and is the one that counts."""
_DATA = {
    "contact.phone": "pd:TelephoneNumber",
    "contact.email": "pd:EmailAddress",
    "financial.bank_account": "pd:BankAccount",
}
_GIVING = {ConsentAct.GIVEN, ConsentAct.RECONFIRMED}
Json = dict[str, Any]


def written(whole: Whole) -> str:
    """The record of a consent, as canonical JSON."""
    return canonical.encode(_record(whole)).decode()


def _record(whole: Whole) -> Json:
    consent = whole.consent
    return _said(
        {
            "@context": {prefix: iri for prefix, iri in NAMESPACES.items() if prefix != "eu-gdpr"},
            "@type": ["dpv:ConsentRecord"],
            "dct:conformsTo": CONFORMS,
            "dpv:hasIdentifier": consent.record_id or consent.id,
            "dpv:hasDataSubject": {"@type": ["dpv:DataSubject"], "dpv:hasIdentifier": whole.reference},
            "dct:created": _instant(whole.events[0].at if whole.events else consent.stamp.created_at),
            "dct:creator": CONTROLLER,
            "dct:language": consent.language,
            "dpv:hasProcess": [_process(whole)],
            "dpv:hasEntity": _parties(whole),
        }
    )


def _process(whole: Whole) -> Json:
    consent = whole.consent
    return _said(
        {
            "@type": ["dpv:DecisionProcess"],
            "dpv:hasPurpose": [
                _said(
                    {
                        "@id": f"{OURS}:{consent.purpose.value}",
                        "@type": ["dpv:Purpose"],
                        "skos:broader": _PURPOSES.get(consent.purpose),
                    }
                )
            ],
            "dpv:hasPersonalData": [
                _said({"@id": f"{OURS}:{tag}", "skos:broader": _DATA.get(tag)}) for tag in consent.fields
            ],
            "dpv:hasDataController": [CONTROLLER],
            "dpv:hasRecipient": [_party(whole.partner)],
            "dpv:hasLegalBasis": [
                "dpv:ExplicitlyExpressedConsent" if consent.kind is ConsentKind.SEPARATE else "dpv:ExpressedConsent"
            ],
            "dpv:hasJurisdiction": [f"loc:{consent.jurisdiction}"],
            "dpv:hasNotice": [_notice(consent)],
            "dpv:hasStorageCondition": _storage(consent),
            "dpv:hasConsentStatus": _statuses(whole),
            **_own(whole),
        }
    )


def _own(whole: Whole) -> Json:
    """What the vocabulary has no word for."""
    consent = whole.consent
    evidence = _said(
        {
            f"{OURS}:sha256": consent.evidence_digest,
            f"{OURS}:method": consent.evidence_method and consent.evidence_method.value,
            f"{OURS}:document": consent.evidence_document,
        }
    )
    return {
        f"{OURS}:kind": consent.kind.value,
        f"{OURS}:use": consent.use.value,
        f"{OURS}:maxUses": consent.max_uses,
        f"{OURS}:uses": consent.uses,
        f"{OURS}:notBefore": _instant(consent.not_before),
        f"{OURS}:lookbackDays": consent.lookback_days,
        f"{OURS}:actions": [action.value for action in consent.actions],
        f"{OURS}:redisclosure": consent.redisclosure.value,
        f"{OURS}:onwardTo": sorted(partner.name for partner in whole.onward) or None,
        f"{OURS}:maxPerDay": consent.max_per_day,
        f"{OURS}:withdrawalContact": consent.withdrawal_contact,
        f"{OURS}:evidence": evidence or None,
    }


def _notice(consent: Consent) -> Json:
    return _said(
        {
            "@type": ["dpv:ConsentNotice"],
            "dpv:hasIdentifier": consent.notice_id,
            f"{OURS}:version": consent.notice_version,
            f"{OURS}:sha256": consent.notice_digest,
        }
    )


def _storage(consent: Consent) -> list[Json] | None:
    if consent.retention_days is None:
        return None
    days = {"@type": ["dpv:TemporalDuration"], "rdf:value": f"P{consent.retention_days}D"}
    return [{"@type": ["dpv:StorageDuration"], "dpv:hasDuration": days}]


def _statuses(whole: Whole) -> list[Json]:
    """Every act; the last one by which it was given says by whom, and the last of all until when."""
    giving = [event for event in whole.events if event.act in _GIVING]
    last = giving[-1] if giving else None
    return [_status(whole.consent, event, whole.events[-1], last) for event in whole.events]


def _status(consent: Consent, event: ConsentEvent, newest: ConsentEvent, giving: ConsentEvent | None) -> Json:
    until = {"@type": ["dpv:UntilTimeDuration"], "rdf:value": _instant(consent.not_after)}
    return _said(
        {
            "@type": [_STATUS[event.act]],
            "dpv:isIndicatedAtTime": _instant(event.at),
            "dpv:isIndicatedBy": GIVER if event is giving else None,
            "dpv:isExercisedAt": "withdrawConsent" if event is newest else None,
            "dpv:hasDuration": until if event is newest else None,
            f"{OURS}:recordedBy": event.person,
        }
    )


def _parties(whole: Whole) -> Json:
    consent, parties = whole.consent, [whole.partner, *whole.onward]
    entities: Json = {
        CONTROLLER: {"@type": ["dpv:Organisation", "dpv:DataController"], "dpv:hasName": whole.company},
        **{
            _party(partner): {
                "@type": ["dpv:Organisation", "dpv:ThirdParty"],
                "dpv:hasName": partner.name,
                "dpv:hasContact": partner.contact,
            }
            for partner in parties
        },
    }
    if consent.authority is not None:
        own = consent.authority is Authority.SUBJECT
        entities[GIVER] = _said(
            {
                "@type": ["dpv:DataSubject" if own else "dpv:Representative", f"{OURS}:{consent.authority.value}"],
                "dpv:hasName": consent.given_by,
                f"{OURS}:authoritySha256": consent.authority_digest,
                f"{OURS}:authorityDocument": consent.authority_document,
            }
        )
    return entities


def _party(partner: Partner) -> str:
    return f"party:{partner.name}"


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _said(node: Json) -> Json:
    """A node without what is not said."""
    return {key: value for key, value in node.items() if value is not None}
