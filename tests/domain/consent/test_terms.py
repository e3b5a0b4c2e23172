"""Who gave a consent, on what authority, under which notice; what it says beside; and its history."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.consent.changing import InvalidateConsent, ReconfirmConsent
from domain.consent.consents import Consent, ConsentEvent, ConsentState, ConsentUse
from domain.consent.giving import WithdrawConsent
from domain.consent.notices import ConsentNotice, NoticeState, PublishConsentNotice
from domain.consent.requesting import GiveRequestedConsent, RefuseConsent
from domain.consent.terms import ConsentProof, ConsentTerms
from domain.consent.words import Authority, ConsentAct, ConsentKind, DisclosureAction, EvidenceMethod, Redisclosure
from domain.documents.documents import Document, EvidenceKind, FilingState
from domain.documents.filing import RegisterDocument
from domain.errors import Code, Malformed, NotFound
from domain.files.opening import BasicInformation
from domain.files.parties import Customer, PartyKind
from domain.ids import Id
from tests.domain.consent.test_giving import YEAR, grant, refused, request
from tests.world import NOW, World

A, B = "a" * 64, "b" * 64


@pytest.fixture
def world():
    return World()


@pytest.fixture
def origin(world):
    return world.origin()


@pytest.fixture
def file(world, origin):
    return world.file(origin)


@pytest.fixture
def partner(world):
    return world.partner()


def stored(world, file, origin):
    """A document of a file whose content came."""
    register = RegisterDocument(credit_file=file.id, kind=EvidenceKind.CONSENT, origin=origin, file_name="signed.pdf")
    return world.put(replace(world.do(register), state=FilingState.STORED, size=1, digest=A))


# Authority


@pytest.mark.parametrize("authority", [Authority.LEGAL_REPRESENTATIVE, Authority.AGENT])
def test_whoever_gives_another_s_consent_proves_that_he_may_or_nothing_is_stored(world, file, partner, authority):
    asked = world.do(request(file, partner))
    unproven = ConsentProof(authority=authority)
    for operation in (
        grant(file, partner, proof=unproven),
        GiveRequestedConsent(consent=asked.id, given_by="Li", proof=unproven),
    ):
        assert refused(world, operation) == (Code.NO_AUTHORITY, ("authorityDigest",))
    assert world.current(Consent) == [asked]
    assert [event.act for event in world.current(ConsentEvent)] == [ConsentAct.REQUESTED]
    proof = ConsentProof(authority=authority, authority_digest=A)
    given = world.do(GiveRequestedConsent(consent=asked.id, given_by="Li", proof=proof))
    assert (given.authority, given.authority_digest, given.given_by) == (authority, A, "Li")


def test_proof_and_evidence_may_be_documents_of_the_same_file(world, file, partner, origin):
    document = stored(world, file, origin)
    proof = ConsentProof(
        authority=Authority.AGENT,
        authority_document=document.id,
        evidence_document=document.id,
        evidence_method=EvidenceMethod.WET_SCAN,
    )
    given = world.do(grant(file, partner, proof=proof, evidence_digest=B))
    assert (given.authority_document, given.evidence_document) == (document.id, document.id)
    assert (given.evidence_method, given.evidence_digest) == (EvidenceMethod.WET_SCAN, B)
    other = world.file(world.origin("x"), "C-2", BasicInformation())
    assert refused(world, grant(other, partner, proof=proof)) == (Code.NOT_FOUND, ("authorityDocument",))
    world.put(replace(world.current(Document)[0], state=FilingState.AWAITED))
    assert refused(world, grant(file, partner, proof=replace(proof, authority_digest=A, authority_document=None))) == (
        Code.NOT_FOUND,
        ("evidenceDocument",),
    )


# Terms


def test_a_consent_says_little_where_little_is_said(world, file, partner):
    given = world.do(grant(file, partner))
    assert (given.authority, given.kind, given.redisclosure) == (
        Authority.SUBJECT,
        ConsentKind.SEPARATE,
        Redisclosure.PROHIBITED,
    )
    assert (given.actions, given.jurisdiction, given.language) == ((DisclosureAction.VIEW,), "CN", "zh")


def test_everything_else_a_consent_says_is_kept(world, file, partner):
    second = world.partner("Second Bank")
    terms = ConsentTerms(
        jurisdiction="HK",
        language="zh-Hant-HK",
        kind=ConsentKind.GENERAL,
        notice_id=" disclosure ",
        notice_version="2026-01",
        lookback_days=730,
        actions=(DisclosureAction.EXPORT, DisclosureAction.VIEW, DisclosureAction.EXPORT),
        redisclosure=Redisclosure.NAMED,
        onward_to=(second.id, second.id),
        retention_days=90,
        max_per_day=5,
        withdrawal_contact="the desk, 400 000 0000",
    )
    for operation in (grant(file, partner, terms=terms), request(file, partner, terms=terms)):
        said = world.do(operation)
        assert (said.jurisdiction, said.language, said.kind) == ("HK", "zh-Hant-HK", ConsentKind.GENERAL)
        assert (said.notice_id, said.notice_version) == ("disclosure", "2026-01")
        assert (said.lookback_days, said.retention_days, said.max_per_day) == (730, 90, 5)
        assert said.actions == (DisclosureAction.VIEW, DisclosureAction.EXPORT)
        assert (said.redisclosure, said.onward_to) == (Redisclosure.NAMED, (second.id,))
        assert said.withdrawal_contact == "the desk, 400 000 0000"


REFUSALS = [
    ({"jurisdiction": "China"}, "jurisdiction"),
    ({"jurisdiction": ""}, "jurisdiction"),
    ({"language": "Chinese!"}, "language"),
    ({"lookback_days": 0}, "lookbackDays"),
    ({"retention_days": 3_661}, "retentionDays"),
    ({"max_per_day": 0}, "maxPerDay"),
    ({"actions": ()}, "actions"),
    ({"notice_id": " "}, "noticeId"),
    ({"withdrawal_contact": "a\nb"}, "withdrawalContact"),
    ({"redisclosure": Redisclosure.NAMED}, "onwardTo"),
]


@pytest.mark.parametrize(("changes", "path"), REFUSALS)
def test_terms_that_cannot_be_are_refused_and_nothing_is_stored(world, file, partner, changes, path):
    for make in (grant, request):
        assert refused(world, make(file, partner, terms=ConsentTerms(**changes)))[1] == (path,)
    assert world.current(Consent) == world.current(ConsentEvent) == []


def test_it_is_handed_on_to_other_known_partners_alone(world, file, partner):
    def onward(*named, rule=Redisclosure.NAMED):
        return grant(file, partner, terms=ConsentTerms(redisclosure=rule, onward_to=named))

    assert refused(world, onward(partner.id))[1] == ("onwardTo",)
    assert refused(world, onward(world.partner("B").id, rule=Redisclosure.PROHIBITED))[1] == ("onwardTo",)
    with pytest.raises(NotFound):
        world.do(onward(Id("pa_" + "z" * 26)))


@pytest.mark.parametrize("kind", [PartyKind.NATURAL_PERSON, PartyKind.SOLE_TRADER])
def test_CN_P5_what_tells_of_a_natural_person_needs_a_separate_consent(world, file, partner, kind):  # noqa: N802 - the rule's own id
    general = ConsentTerms(kind=ConsentKind.GENERAL)
    representative = grant(file, partner, fields=("identity.legal_representative",), terms=general)
    assert refused(world, representative)[1] == ("kind",)
    assert world.do(grant(file, partner, terms=general)).kind is ConsentKind.GENERAL
    world.put(replace(world.current(Customer)[0], kind=kind))
    with pytest.raises(Malformed, match="CN-P5") as refusal:
        world.do(grant(file, partner, terms=general))
    assert refusal.value.path == ("kind",)
    assert world.do(grant(file, partner)).kind is ConsentKind.SEPARATE


# Notices


def test_CN_P2_a_notice_has_versions_and_a_changed_one_is_asked_about_again(world, file, partner):  # noqa: N802 - the rule's own id
    first = world.do(PublishConsentNotice(name="data", text="One"))
    given = world.do(grant(file, partner, notice_digest=first.digest))
    assert (given.notice_id, given.notice_version) == ("data", "1")
    world.do(PublishConsentNotice(name="data", text="One.", renews=False))
    world.do(PublishConsentNotice(name="data", text="Eins", language="de"))
    third = world.do(PublishConsentNotice(name="data", text="Two"))
    states = {notice.text: (notice.number, notice.state) for notice in world.current(ConsentNotice)}
    assert states == {
        "One": (1, NoticeState.SUPERSEDED),
        "One.": (2, NoticeState.SUPERSEDED),
        "Eins": (1, NoticeState.IN_FORCE),
        "Two": (3, NoticeState.IN_FORCE),
    }
    assert refused(world, grant(file, partner, notice_digest=first.digest)) == (Code.NOT_IN_FORCE, ("noticeDigest",))
    for said in ({"notice_id": "other"}, {"notice_version": "2"}):
        operation = grant(file, partner, notice_digest=third.digest, terms=ConsentTerms(**said))
        assert refused(world, operation) == (Code.CONFLICT, ("noticeId",))
    unknown = grant(file, partner, notice_digest=A, terms=ConsentTerms(notice_id="data"))
    assert refused(world, unknown) == (Code.CONFLICT, ("noticeDigest",))


def test_a_request_under_a_superseded_notice_is_not_given_any_more(world, file, partner):
    first = world.do(PublishConsentNotice(name="data", text="One"))
    asked = world.do(request(file, partner, notice_digest=first.digest))
    world.do(PublishConsentNotice(name="data", text="Two"))
    give = GiveRequestedConsent(consent=asked.id, given_by="Wang")
    assert refused(world, give) == (Code.NOT_IN_FORCE, ("noticeDigest",))


def test_a_notice_is_a_text_that_was_not_published_before(world):
    world.do(PublishConsentNotice(name="data", text="One"))
    for changes, path in (({"text": "One"}, "text"), ({"text": " "}, "text"), ({"name": ""}, "name")):
        assert refused(world, PublishConsentNotice(**{"name": "other", "text": "Two"} | changes))[1] == (path,)
    assert refused(world, PublishConsentNotice(name="other", text="x", language="!"))[1] == ("language",)


# Confirming and striking out


def test_a_consent_is_confirmed_by_a_new_act_that_changes_nothing_else(world, file, partner):
    given = world.do(grant(file, partner, use=ConsentUse.COUNTED, max_uses=3))
    world.clock.move(days=100)
    proof = ConsentProof(authority=Authority.AGENT, authority_digest=A)
    again = {"given_by": "Li", "not_after": NOW + 2 * YEAR, "notice_digest": B, "evidence_digest": A, "proof": proof}
    confirmed = world.do(ReconfirmConsent(consent=given.id, **again))
    assert (confirmed.stamp.version, confirmed.state, confirmed.not_after) == (2, ConsentState.GIVEN, NOW + 2 * YEAR)
    same = ("partner", "purpose", "fields", "use", "max_uses", "uses", "actions", "redisclosure", "not_before")
    assert all(getattr(confirmed, name) == getattr(given, name) for name in same)
    assert (confirmed.given_by, confirmed.authority, confirmed.notice_digest) == ("Li", Authority.AGENT, B)
    assert [version.given_by for version in world.versions(given)] == [given.given_by, "Li"]
    world.clock.at = NOW + 2 * YEAR
    late = ReconfirmConsent(consent=given.id, **again | {"not_after": NOW + 3 * YEAR})
    assert refused(world, late) == (Code.INVALID_TRANSITION, ("consent",))


@pytest.mark.parametrize("over", ["requested", "refused", "withdrawn", "struck out"])
def test_only_what_is_given_is_confirmed_or_struck_out(world, file, partner, over):
    if over in {"requested", "refused"}:
        consent = world.do(request(file, partner))
        if over == "refused":
            world.do(RefuseConsent(consent=consent.id))
    else:
        consent = world.do(grant(file, partner))
        strike = InvalidateConsent(consent=consent.id, reason="Forged")
        world.do(strike if over == "struck out" else WithdrawConsent(consent=consent.id))
    confirm = ReconfirmConsent(consent=consent.id, given_by="Wang", not_after=NOW + YEAR, notice_digest=A)
    assert refused(world, confirm) == (Code.INVALID_TRANSITION, ("consent",))
    if over == "struck out":
        assert world.do(strike).stamp.version == 2
        assert refused(world, WithdrawConsent(consent=consent.id)) == (Code.INVALID_TRANSITION, ("consent",))
    else:
        assert refused(world, InvalidateConsent(consent=consent.id, reason="Forged"))[1] == ("consent",)


def test_what_was_done_about_a_consent_is_kept_with_who_and_when(world, file, partner):
    asked = world.do(request(file, partner), world.actor("sales"))
    world.clock.move(days=1)
    customer = world.actor("li", subject=file.subject_id)
    world.do(GiveRequestedConsent(consent=asked.id, given_by="Li", evidence_digest=A), customer)
    world.clock.move(days=1)
    world.do(WithdrawConsent(consent=asked.id), customer)
    world.do(WithdrawConsent(consent=asked.id), customer)
    events = sorted(world.current(ConsentEvent), key=lambda event: event.at)
    assert [(event.act, event.person, event.consent_version, event.at - NOW) for event in events] == [
        (ConsentAct.REQUESTED, "sales", 1, timedelta(0)),
        (ConsentAct.GIVEN, "li", 2, timedelta(days=1)),
        (ConsentAct.WITHDRAWN, "li", 3, timedelta(days=2)),
    ]
    assert [event.given_by for event in events] == [None, "Li", None]
    assert {event.subject_id for event in events} == {file.subject_id}
