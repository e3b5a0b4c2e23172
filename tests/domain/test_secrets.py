"""No value that is entered gets into an error or into the leaf of an audit entry, whatever operation refuses it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.consent.attesting.attesting import RequestAttestation
from domain.consent.attesting.predicates import PredicateCode
from domain.consent.changing import InvalidateConsent, ReconfirmConsent
from domain.consent.consents import ConsentUse
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import GrantConsent, RegisterPartner, SuspendPartner, WithdrawConsent
from domain.consent.handover.delivering import ClaimDelivery, SetRecallAddress, TellAttempt
from domain.consent.handover.recalling import (
    AcknowledgeRecall,
    Compliance,
    RecallCause,
    RecallDelivery,
    RecallDisclosure,
)
from domain.consent.keys import KeyUse, ProposePartnerKey
from domain.consent.moving import ExportConsents, ImportConsents, PastAct, PastConsent
from domain.consent.notices import PublishConsentNotice
from domain.consent.receipts import TakeConsentReceipt
from domain.consent.requesting import GiveRequestedConsent, RefuseConsent, RequestConsent
from domain.consent.statutory import (
    ApproveStatutoryDisclosure,
    AuthorityKind,
    ProposeStatutoryDisclosure,
    RejectStatutoryDisclosure,
    ReleaseConcealedDisclosure,
    ReleaseStatutoryDisclosure,
)
from domain.consent.terms import ConsentProof, ConsentTerms
from domain.consent.words import Authority, ConsentAct, Redisclosure
from domain.errors import CreditError
from domain.files.correcting import (
    CorrectRecord,
    CorrectTransaction,
    DocumentCorrection,
    WithdrawRecord,
)
from domain.files.opening import BasicInformation, Contact, OpenCreditFile, UpdateBasicInformation
from domain.files.parties import PartyKind
from domain.files.recording.documents import RecordTransactions
from domain.files.recording.events import RecordDefault, RecordLitigation, RecordSanction
from domain.files.recording.reports import RecordRating, RecordStatement
from domain.files.sources import LawfulBasis, RegisterSource, SourceType
from domain.files.values import SealedCorrection
from domain.objections.handling import DecideObjection, Ruling
from domain.objections.holidays import PublishWorkCalendar
from domain.objections.objections import ObjectionKind
from domain.objections.raising import RaiseObjection, WithdrawObjection
from domain.operations import OPERATIONS
from domain.reading import Purpose
from tests.domain.files.test_recording import DOCUMENT
from tests.domain.files.test_recording import given as recording
from tests.world import BASIC, NOW, World

PURPOSE = Purpose.PARTNER_CREDIT_DECISION


def operations() -> tuple[World, list[Any]]:
    """A world, and every operation of files and consents in an order, each with all its texts filled in."""
    world = World()
    origin = dataclasses.replace(world.origin(), evidence_digest="e" * 64, source_row="row 1")
    file, partner = world.file(origin), world.partner()
    document = world.do(recording(RecordTransactions, file, origin))[0]
    case = world.do(recording(RecordLitigation, file, dataclasses.replace(origin, source_row="row 2")))
    terms = {
        "credit_file": file.id,
        "partner": partner.id,
        "purpose": PURPOSE,
        "fields": ("contact.phone", "contact.email"),
        "use": ConsentUse.STANDING,
        "not_after": NOW.replace(year=2028),
        "notice_digest": "d" * 64,
    }
    asked = world.do(RequestConsent(**terms))
    given = world.do(GrantConsent(**terms, given_by="Wang"))
    said = ConsentTerms(
        notice_id="data",
        notice_version="1",
        withdrawal_contact="the desk",
        redisclosure=Redisclosure.NAMED,
        onward_to=(world.partner("Onward Bank").id,),
    )
    proof = ConsentProof(authority=Authority.AGENT, authority_digest="a" * 64)
    propose = ProposeStatutoryDisclosure(
        credit_file=file.id,
        authority="A court",
        authority_kind=AuthorityKind.COURT,
        legal_reference="Civil Procedure Law, article 70",
        letter="(2026) 1",
        fields=("contact.phone",),
        approval="none",
        concealed=True,
        concealed_because="An investigation",
    )
    demanded = world.do(propose)
    asking = RequestDisclosure(
        credit_file=file.id, purpose=PURPOSE, fields=("contact.phone",), idempotency_key="key-0000"
    )
    disclosed = world.do(asking, world.actor("bank", partner=partner.id)).disclosure
    recalled = world.do(RecallDisclosure(disclosure=disclosed.id, cause=RecallCause.WITHDRAWAL, reason="Withdrawn"))
    objection = world.do(RaiseObjection(credit_file=file.id, kind=ObjectionKind.COPY, statement="Send it"))
    past = PastConsent(
        record_id="record 1",
        partner=partner.name,
        purpose=PURPOSE,
        fields=("contact.phone",),
        use=ConsentUse.STANDING,
        max_uses=None,
        uses=0,
        not_before=NOW,
        not_after=NOW.replace(year=2028),
        notice_digest="d" * 64,
        given_by="Wang",
        evidence_digest="c" * 64,
        proof=proof,
        terms=dataclasses.replace(said, onward_to=()),
        onward_to=("Onward Bank",),
        acts=(PastAct(act=ConsentAct.GIVEN, at=NOW, person="Li"),),
    )
    world.do(RegisterSource(type=SourceType.PARTNER, name="the old system", lawful_bases=(LawfulBasis.CONSENT,)))
    taking = ImportConsents(
        source="the old system",
        lawful_basis=LawfulBasis.CONSENT,
        reference=file.reference,
        consents=(past,),
        original="{}",
    )
    contact = Contact(duty="finance", name="Zhao", phone="13800138000", email="zhao@yunfan.example")
    basic = dataclasses.replace(
        BASIC, registered_address="Road 1", industry_code="I65", legal_representative="Qian", bank_account="1" * 12
    )
    own = BasicInformation(phone="13800138000")
    correction = DocumentCorrection(number="F-2", counterparty="Gamma")
    made = [
        ProposePartnerKey(partner=partner.id, use=KeyUse.DPOP, jwk="{}", public="{}", jkt="j" * 43),
        RegisterSource(type=SourceType.REGISTRY, name="Registry", lawful_bases=(), licence="L-1"),
        OpenCreditFile(
            reference="C-2",
            name="Beta",
            kind=PartyKind.ENTERPRISE,
            origin=origin,
            basic=dataclasses.replace(basic, unified_social_credit_code="91160100123456788F"),
            contacts=(contact,),
            account_owner="li",
        ),
        UpdateBasicInformation(credit_file=file.id, origin=origin, name="Gamma", basic=own, contacts=(contact,)),
        *(
            recording(kind, file, dataclasses.replace(origin, source_row=f"row {kind.__name__}"))
            for kind in (RecordDefault, RecordLitigation, RecordSanction, RecordRating, RecordStatement)
        ),
        recording(RecordTransactions, file, origin, documents=(dataclasses.replace(DOCUMENT, source_row="8"),)),
        CorrectTransaction(record=document.id, changes=correction, reason="Misread", evidence_digest="c" * 64),
        CorrectRecord(
            record=case.id,
            values=(SealedCorrection(field="litigation.court", text="Chaoyang Court"),),
            cleared=("litigation.claim",),
            reason="Misread",
            evidence_digest="c" * 64,
        ),
        WithdrawRecord(record=case.id, reason="Wrong"),
        RegisterPartner(name="Second Bank", contact="dpo@second.example", purposes=(PURPOSE,)),
        SuspendPartner(partner=partner.id, reason="A leak"),
        GrantConsent(**terms, given_by="Wang", evidence_digest="c" * 64),
        RequestConsent(**terms),
        GiveRequestedConsent(consent=asked.id, given_by="Wang", evidence_digest="c" * 64),
        RefuseConsent(consent=asked.id),
        WithdrawConsent(consent=asked.id),
        GrantConsent(**terms, given_by="Wang", terms=said, proof=proof),
        ReconfirmConsent(consent=given.id, given_by="Wang", not_after=NOW.replace(year=2029), notice_digest="b" * 64),
        InvalidateConsent(consent=given.id, reason="No authority"),
        PublishConsentNotice(name="data", text="What is disclosed"),
        propose,
        taking,
        ExportConsents(credit_file=file.id),
        ApproveStatutoryDisclosure(disclosure=demanded.id),
        RejectStatutoryDisclosure(disclosure=demanded.id, reason="Not signed"),
        ReleaseStatutoryDisclosure(disclosure=demanded.id),
        ReleaseConcealedDisclosure(disclosure=demanded.id),
        RequestDisclosure(credit_file=file.id, purpose=PURPOSE, fields=("contact.phone",), idempotency_key="key-0001"),
        RequestAttestation(
            credit_file=file.id,
            purpose=PURPOSE,
            predicate=PredicateCode.GRADE_AT_LEAST,
            threshold="A",
            idempotency_key="key-0002",
        ),
        SetRecallAddress(partner=partner.id, address="https://bank.example/recalls"),
        ClaimDelivery(partner=partner.id),
        TellAttempt(delivery=world.current(RecallDelivery)[0].id, attempt=1, status=204),
        RecallDisclosure(
            disclosure=disclosed.id, cause=RecallCause.REPAIR, reason="Repaired", fields=("contact.phone",)
        ),
        AcknowledgeRecall(recall=recalled.id, compliance=Compliance.DELETED),
        RaiseObjection(
            credit_file=file.id,
            kind=ObjectionKind.RECORD,
            statement="We paid it",
            contested=case.id,
            evidence_digest="c" * 64,
        ),
        WithdrawObjection(objection=objection.id),
        DecideObjection(objection=objection.id, ruling=Ruling.REJECTED, answer="It is right"),
        PublishWorkCalendar(year=2027, holidays=(), worked=(), notice="Notice 1"),
    ]
    return world, made


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every text in an operation."""
    if type(value) is str:
        yield way
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from places(item, (*way, index))
    elif dataclasses.is_dataclass(value):
        for item in dataclasses.fields(value):
            yield from places(getattr(value, item.name), (*way, item.name))


def put(value: Any, way: tuple[Any, ...], text: str) -> Any:
    """The operation with a text in one place."""
    if not way:
        return text
    first, *rest = way
    if isinstance(value, tuple):
        return (*value[:first], put(value[first], tuple(rest), text), *value[first + 1 :])
    return dataclasses.replace(value, **{first: put(getattr(value, first), tuple(rest), text)})


NOT_SECRET = {"currency", "use", "cleared"}
PLACES = [
    (index, way)
    for index, operation in enumerate(operations()[1])
    for way in places(operation)
    if way[-1] not in NOT_SECRET
]


def check(text: str, index: int, way: tuple[Any, ...]) -> None:
    """Tries an operation with a text in one place; what is refused, and the log, do not tell the text."""
    world, made = operations()
    asks = isinstance(made[index], RequestDisclosure | RequestAttestation)
    actor = world.actor("bank", partner=world.partner("Third Bank").id) if asks else world.actor()
    before, told = len(world.entries), ""
    try:
        world.do(put(made[index], way, text), actor)
    except CreditError as error:
        told = " ".join((str(error), error.message, error.advice, error.cause, *error.path, repr(error)))
    assert text not in told
    assert all(text not in entry.leaf("0" * 64).decode() for entry in world.entries[before:])


def test_every_operation_of_files_and_consents_is_tried():
    rooms = ("domain.files.opening", "domain.files.correcting", "domain.files.sources")
    folders = ("domain.files.recording.", "domain.consent.", "domain.objections.")
    declared = {
        name for name, cls in OPERATIONS.items() if cls.__module__ in rooms or cls.__module__.startswith(folders)
    }
    tried = {type(one).__name__ for one in operations()[1]}
    # A trusted document is read by auditors as it is: its text is code, and who proposes it puts nothing else in.
    documents = {name for name in declared if name.endswith("TrustedDocument")}
    # Of a key nobody says more than its id once it is proposed.
    decided = {"ApprovePartnerKey", "RejectPartnerKey", "RetirePartnerKey", "ApprovePartner", "RejectPartner"}
    bare = decided | {"ReinstatePartner", "AnnotateObjection", "InvestigateObjection", "NotifyRecipients"}
    bare |= {"EscalateObjections", TakeConsentReceipt.__name__}
    assert declared - tried == bare | documents


@pytest.mark.parametrize(
    ("index", "way"), PLACES, ids=lambda one: ".".join(map(str, one)) if isinstance(one, tuple) else ""
)
def test_a_text_in_any_place_is_told_by_no_error_and_no_entry(index, way):
    for text in ("Zq7 secret 90210", "Zq7\nsecret", "health Zq7", "zq7_.secret_word"):
        check(text, index, way)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=6, max_size=40).filter(lambda text: text.isprintable()), st.sampled_from(PLACES))
def test_a_random_text_in_any_place_is_told_by_no_error_and_no_entry(text, place):
    check(f"{text}~#~{text}", *place)


def test_a_refused_day_is_not_told_either():
    world, made = operations()
    refused = []
    for one in made:
        for item in dataclasses.fields(one):
            if type(getattr(one, item.name)) is date:
                try:
                    world.do(dataclasses.replace(one, **{item.name: date(2031, 7, 19)}))
                except CreditError as error:
                    refused.append(error)
    assert len(refused) == len({(error.code, error.path) for error in refused}) == 5
    assert all("2031" not in str(error) + error.advice for error in refused)
