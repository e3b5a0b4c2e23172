"""What can be changed about partners, consents and disclosures (Ch.4 §4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final

from api.consents.writing import written
from api.graphql.changing.declaring import Extra, Mutation
from api.graphql.context import House
from api.graphql.trusting import completed
from domain.audit import EntryProof
from domain.consent.admitting.deciding import ApprovePartner, RejectPartner
from domain.consent.attesting.attesting import RequestAttestation
from domain.consent.changing import InvalidateConsent, ReconfirmConsent
from domain.consent.consents import Withheld
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import GrantConsent, RegisterPartner, ReinstatePartner, SuspendPartner, WithdrawConsent
from domain.consent.handover.delivering import SetRecallAddress
from domain.consent.handover.handing import printed
from domain.consent.handover.recalling import AcknowledgeRecall, RecallDisclosure
from domain.consent.keys import ApprovePartnerKey, ProposePartnerKey, RejectPartnerKey, RetirePartnerKey
from domain.consent.moving import ExportConsents
from domain.consent.notices import PublishConsentNotice
from domain.consent.receipts import TakeConsentReceipt
from domain.consent.requesting import GiveRequestedConsent, RefuseConsent, RequestConsent
from domain.consent.statutory import (
    ApproveStatutoryDisclosure,
    ProposeStatutoryDisclosure,
    RejectStatutoryDisclosure,
    ReleaseConcealedDisclosure,
    ReleaseStatutoryDisclosure,
)
from domain.consent.trusted import (
    ApproveTrustedDocument,
    ProposeTrustedDocument,
    RejectTrustedDocument,
    RetireTrustedDocument,
)
from domain.files.trail import ProveAuditEntry
from domain.operations import Operation, Performed


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedValue:
    """One confidential value that was disclosed to a partner (Ch.4 §4)."""

    field: str
    """The field's tag. Ch.4 §4"""
    text: str
    """The value as text: an amount with its currency, a day as `2026-11-24`. Ch.4 §4"""


def looked_at(house: House, proposed: ProposePartnerKey) -> ProposePartnerKey:
    """A proposal with the key that its JWK holds, and what names it.

    Raises: Malformed where it holds no public key for this use.
    """
    public, jkt = house.public_key(proposed.jwk, proposed.use.value)
    return replace(proposed, public=public, jkt=jkt)


def _disclosed(ended: Performed[Any]) -> tuple[DisclosedValue, ...]:
    pairs = zip(ended.value.tags, ended.opened, strict=True)
    return tuple(DisclosedValue(field=tag, text=printed(value)) for tag, value in pairs)


PARTNER = {"partner": "Partner"}
PARTNER_KEY = {"partnerKey": "PartnerKey"}
CONSENT = {"consent": "Consent"}
DOCUMENT = {"trustedDocument": "TrustedDocument"}
RECALL = {"recall": "Recall"}
STATUTORY = {"statutoryDisclosure": "StatutoryDisclosure"}
FILE = {"creditFile": "CreditFile"}
VALUES = Extra(
    name="values",
    type=tuple[DisclosedValue, ...],
    says="The disclosed values themselves; they stand nowhere else. Ch.4 §4",
    of=_disclosed,
)


PROOFS = Extra(
    name="proofs",
    type=tuple[EntryProof, ...],
    says="What shows offline that the entry stands in the log; of what was sealed, also that of its digest. Ch.8 §1",
    of=attrgetter("proofs"),
)


SEALED_TO = Extra(
    name="sealedTo",
    type=str,
    says="The thumbprint of that key. Ch.4 §4",
    of=lambda ended: ended.value.sealed_to,
)


def _release(operation: type[Operation[Any]]) -> Mutation:
    return Mutation(operation=operation, shows=STATUTORY, id=attrgetter("disclosure.id"), extras=(VALUES,))


CONSENTS: Final = {
    "registerPartner": Mutation(operation=RegisterPartner, shows=PARTNER),
    "setRecallAddress": Mutation(operation=SetRecallAddress, shows=PARTNER),
    "approvePartner": Mutation(operation=ApprovePartner, shows=PARTNER),
    "rejectPartner": Mutation(operation=RejectPartner, shows=PARTNER),
    "suspendPartner": Mutation(operation=SuspendPartner, shows=PARTNER),
    "reinstatePartner": Mutation(operation=ReinstatePartner, shows=PARTNER),
    "proposePartnerKey": Mutation(
        operation=ProposePartnerKey,
        shows=PARTNER_KEY,
        complete=looked_at,
        extras=(
            Extra(
                name="challenge",
                type=str,
                says="With ENC: sealed to the key, for the partner to read and so show that it holds it. Ch.4 §4",
                of=lambda ended: ended.signed or None,
            ),
        ),
    ),
    "approvePartnerKey": Mutation(operation=ApprovePartnerKey, shows=PARTNER_KEY),
    "rejectPartnerKey": Mutation(operation=RejectPartnerKey, shows=PARTNER_KEY),
    "retirePartnerKey": Mutation(operation=RetirePartnerKey, shows=PARTNER_KEY),
    "proposeTrustedDocument": Mutation(operation=ProposeTrustedDocument, shows=DOCUMENT, complete=completed),
    "approveTrustedDocument": Mutation(operation=ApproveTrustedDocument, shows=DOCUMENT),
    "rejectTrustedDocument": Mutation(operation=RejectTrustedDocument, shows=DOCUMENT),
    "retireTrustedDocument": Mutation(operation=RetireTrustedDocument, shows=DOCUMENT),
    "requestConsent": Mutation(operation=RequestConsent, shows=CONSENT),
    "grantConsent": Mutation(operation=GrantConsent, shows=CONSENT),
    "giveRequestedConsent": Mutation(operation=GiveRequestedConsent, shows=CONSENT),
    "refuseConsent": Mutation(operation=RefuseConsent, shows=CONSENT),
    "reconfirmConsent": Mutation(operation=ReconfirmConsent, shows=CONSENT),
    "withdrawConsent": Mutation(operation=WithdrawConsent, shows=CONSENT),
    "invalidateConsent": Mutation(operation=InvalidateConsent, shows=CONSENT),
    "exportConsents": Mutation(
        operation=ExportConsents,
        shows=FILE,
        id=attrgetter("credit_file"),
        extras=(
            Extra(
                name="records",
                type=tuple[str, ...],
                says="The consents as JSON-LD, each in the form of ISO/IEC TS 27560. Ch.3 §3",
                of=lambda ended: tuple(written(whole) for whole in ended.value.consents),
            ),
        ),
    ),
    "takeConsentReceipt": Mutation(
        operation=TakeConsentReceipt,
        shows=CONSENT,
        extras=(
            Extra(
                name="receipt",
                type=str,
                says="The receipt itself, a JWS signed with ES256; it stands nowhere else: keep it. Ch.4 §4",
                of=attrgetter("signed"),
            ),
            PROOFS,
        ),
    ),
    "publishConsentNotice": Mutation(operation=PublishConsentNotice, shows={"consentNotice": "ConsentNotice"}),
    "proposeStatutoryDisclosure": Mutation(operation=ProposeStatutoryDisclosure, shows=STATUTORY),
    "approveStatutoryDisclosure": Mutation(operation=ApproveStatutoryDisclosure, shows=STATUTORY),
    "rejectStatutoryDisclosure": Mutation(operation=RejectStatutoryDisclosure, shows=STATUTORY),
    "releaseStatutoryDisclosure": _release(ReleaseStatutoryDisclosure),
    "releaseConcealedDisclosure": _release(ReleaseConcealedDisclosure),
    "recallDisclosure": Mutation(operation=RecallDisclosure, shows=RECALL),
    "acknowledgeRecall": Mutation(operation=AcknowledgeRecall, shows=RECALL),
    "requestDisclosure": Mutation(
        operation=RequestDisclosure,
        shows={"disclosure": "Disclosure"},
        id=attrgetter("disclosure.id"),
        extras=(
            replace(
                VALUES,
                says="The disclosed values, where the partner has no key to seal them to. Ch.4 §4",
                of=lambda ended: () if ended.value.sealed_to else _disclosed(ended),
            ),
            Extra(
                name="sealed",
                type=str,
                says="The values signed by the company and sealed to the partner's own key, where it has one. Ch.4 §4",
                of=lambda ended: ended.signed or None,
            ),
            SEALED_TO,
            Extra(
                name="withheld",
                type=tuple[Withheld, ...],
                says="The fields that stayed closed, each with its reason. Ch.4 §4",
                of=lambda ended: ended.value.disclosure.withheld,
            ),
            PROOFS,
        ),
    ),
    "requestAttestation": Mutation(
        operation=RequestAttestation,
        shows={"disclosure": "Disclosure"},
        id=attrgetter("disclosure.id"),
        extras=(
            Extra(
                name="attestation",
                type=str,
                says="The answer, a JWS signed with ES256; sealed to the partner's own key where it has one. Ch.4 §4",
                of=attrgetter("signed"),
            ),
            SEALED_TO,
            PROOFS,
        ),
    ),
    "proveAuditEntry": Mutation(operation=ProveAuditEntry, shows={}, extras=(PROOFS,)),
}
"""Each mutation of this room, by its name in the schema."""
