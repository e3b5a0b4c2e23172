"""Partners are registered and suspended; consents are asked for, given, refused and withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.audit import Outcome
from domain.consent.admitting.deciding import ApprovePartner, RejectPartner
from domain.consent.attesting.predicates import DISCLOSABLE
from domain.consent.consents import Consent, ConsentState, ConsentUse, Partner, PartnerState
from domain.consent.giving import (
    GrantConsent,
    RegisterPartner,
    ReinstatePartner,
    SuspendPartner,
    WithdrawConsent,
)
from domain.consent.requesting import ASK_AGAIN_AFTER, GiveRequestedConsent, RefuseConsent, RequestConsent
from domain.errors import Code, Conflict, Malformed, NotFound, NotPermitted
from domain.files.forbidden import category_of
from domain.files.opening import BasicInformation
from domain.files.parties import FileState
from domain.ids import Id
from domain.reading import Purpose
from domain.records import SHAPES, TAGS
from tests.world import NOW, OTHER_TENANT, World

PURPOSE = Purpose.PARTNER_CREDIT_DECISION
PHONE, EMAIL = "contact.phone", "contact.email"
YEAR = timedelta(days=365)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def file(world):
    return world.file(world.origin())


@pytest.fixture
def partner(world):
    return world.partner()


def terms(file, partner, **changes):
    said = {
        "credit_file": file.id,
        "partner": partner.id,
        "purpose": PURPOSE,
        "fields": (PHONE,),
        "use": ConsentUse.STANDING,
        "not_after": NOW + YEAR,
        "notice_digest": "0" * 64,
    }
    return said | changes


def grant(file, partner, **changes):
    return GrantConsent(**terms(file, partner, given_by="Wang, legal representative") | changes)


def request(file, partner, **changes):
    return RequestConsent(**terms(file, partner, **changes))


def refused(world, operation, actor=None):
    """The refusal of an operation, with its code and path."""
    with pytest.raises(Malformed) as refusal:
        world.do(operation, actor)
    assert refusal.value.advice
    return refusal.value.code, refusal.value.path


# Partners


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"name": " "}, Code.MISSING_VALUE, ("name",)),
        ({"contact": ""}, Code.MISSING_VALUE, ("contact",)),
        ({"contact": "a\nb"}, Code.MALFORMED, ("contact",)),
        ({"purposes": ()}, Code.MISSING_VALUE, ("purposes",)),
        ({"name": " First Bank "}, Code.CONFLICT, ("name",)),
    ],
)
def test_a_partner_that_is_not_well_described_is_refused(world, partner, changes, code, path):
    said = {"name": "Second Bank", "contact": "dpo@bank.example", "purposes": (PURPOSE, PURPOSE)} | changes
    assert refused(world, RegisterPartner(**said)) == (code, path)
    assert world.current(Partner) == [partner]


def test_a_partner_that_one_person_registered_is_let_in_by_another(world, file):
    registered = world.do(RegisterPartner(name="B", contact="x", purposes=(PURPOSE,)))
    assert (registered.state, registered.registered_by, registered.decided_by) == (PartnerState.PROPOSED, "wang", None)
    assert refused(world, grant(file, registered)) == (Code.INVALID_TRANSITION, ("partner",))
    for operation in (SuspendPartner, ReinstatePartner):
        asked = operation(partner=registered.id, reason="x")
        assert refused(world, asked) == (Code.INVALID_TRANSITION, ("partner",))
    for decision in (ApprovePartner, RejectPartner):
        with pytest.raises(NotPermitted) as caught:
            world.do(decision(partner=registered.id))
        assert caught.value.code is Code.SEPARATION_OF_DUTY
    let_in = world.do(ApprovePartner(partner=registered.id), world.actor("zhou"))
    assert (let_in.state, let_in.decided_by) == (PartnerState.ACTIVE, "zhou")
    world.do(grant(file, let_in))
    with pytest.raises(Conflict):
        world.do(ApprovePartner(partner=registered.id), world.actor("li"))


def test_a_partner_that_was_turned_away_gets_nothing(world, file):
    registered = world.do(RegisterPartner(name="B", contact="x", purposes=(PURPOSE,)))
    away = world.do(RejectPartner(partner=registered.id), world.actor("zhou"))
    assert away.state is PartnerState.REJECTED
    assert refused(world, grant(file, away)) == (Code.INVALID_TRANSITION, ("partner",))
    asked = ReinstatePartner(partner=away.id, reason="x")
    assert refused(world, asked) == (Code.INVALID_TRANSITION, ("partner",))


def test_a_purpose_is_registered_once(world):
    partner = world.do(RegisterPartner(name="B", contact="x", purposes=(PURPOSE, PURPOSE)))
    assert partner.purposes == (PURPOSE,)


def test_a_partner_is_suspended_and_reinstated_with_a_reason(world, partner):
    for number, (operation, state) in enumerate(
        [(SuspendPartner, PartnerState.SUSPENDED), (ReinstatePartner, PartnerState.ACTIVE)], start=3
    ):
        for _ in range(2):
            changed = world.do(operation(partner=partner.id, reason="A leak"))
            assert (changed.state, changed.stamp.version) == (state, number)
            assert dict(world.entries[-1].payload) == {"note": "A leak"}
        assert refused(world, operation(partner=partner.id, reason="")) == (Code.MISSING_VALUE, ("reason",))
    with pytest.raises(NotFound):
        world.do(SuspendPartner(partner=partner.id, reason="x"), world.actor(tenant=OTHER_TENANT))


# Giving


def test_a_consent_says_whom_for_what_which_fields_how_often_and_until_when(world, file, partner):
    consent = world.do(grant(file, partner, fields=(PHONE, EMAIL, PHONE), use=ConsentUse.ONE_TIME))
    assert (consent.fields, consent.max_uses, consent.uses) == ((EMAIL, PHONE), 1, 0)
    assert (consent.state, consent.not_before) == (ConsentState.GIVEN, NOW)
    assert consent.subject_id == file.subject_id
    entry = world.entries[-1]
    assert (entry.consent, entry.purpose) == (f"{consent.id}/1", "PARTNER_CREDIT_DECISION")
    assert {consent.id, file.id} <= set(entry.resources)


REFUSALS = [
    ({"fields": ()}, Code.MISSING_VALUE, ("fields",)),
    ({"fields": (PHONE, "contact.person_phone")}, Code.MALFORMED, ("fields", "1")),
    ({"fields": ("13800138000",)}, Code.MALFORMED, ("fields", "0")),
    ({"fields": ("person.religion",)}, Code.FORBIDDEN_CATEGORY, ("fields", "0")),
    ({"fields": ("健康",)}, Code.FORBIDDEN_CATEGORY, ("fields", "0")),
    ({"purpose": Purpose.SUPERVISION}, Code.MALFORMED, ("purpose",)),
    ({"not_after": NOW}, Code.MALFORMED_DATE, ("notAfter",)),
    ({"not_after": NOW.replace(tzinfo=None)}, Code.MALFORMED_DATE, ("notAfter",)),
    ({"use": ConsentUse.COUNTED}, Code.MALFORMED, ("maxUses",)),
    ({"use": ConsentUse.COUNTED, "max_uses": 0}, Code.MALFORMED, ("maxUses",)),
    ({"use": ConsentUse.STANDING, "max_uses": 2}, Code.MALFORMED, ("maxUses",)),
    ({"use": ConsentUse.ONE_TIME, "max_uses": 1}, Code.MALFORMED, ("maxUses",)),
    ({"notice_digest": "0" * 63}, Code.MALFORMED_CODE, ("noticeDigest",)),
]


@pytest.mark.parametrize("make", [grant, request])
@pytest.mark.parametrize(("changes", "code", "path"), REFUSALS)
def test_terms_that_are_not_in_order_are_refused(world, file, partner, make, changes, code, path):
    assert refused(world, make(file, partner, **changes)) == (code, path)
    assert world.current(Consent) == []


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"not_before": NOW + YEAR}, Code.MALFORMED_DATE, ("notAfter",)),
        ({"not_before": NOW.replace(tzinfo=None)}, Code.MALFORMED_DATE, ("notBefore",)),
        ({"given_by": " "}, Code.MISSING_VALUE, ("givenBy",)),
        ({"given_by": "a\0b"}, Code.MALFORMED, ("givenBy",)),
        ({"evidence_digest": "the letter"}, Code.MALFORMED_CODE, ("evidenceDigest",)),
    ],
)
def test_a_consent_that_is_not_proven_is_refused(world, file, partner, changes, code, path):
    assert refused(world, grant(file, partner, **changes)) == (code, path)


@pytest.mark.parametrize("make", [grant, request])
def test_no_consent_is_asked_or_given_for_a_suspended_partner_or_a_closed_file(world, file, partner, make):
    world.do(SuspendPartner(partner=partner.id, reason="A leak"))
    assert refused(world, make(file, partner)) == (Code.INVALID_TRANSITION, ("partner",))
    world.do(ReinstatePartner(partner=partner.id, reason="Fixed"))
    world.put(replace(file, state=FileState.RESTRICTED))
    assert refused(world, make(file, partner)) == (Code.INVALID_TRANSITION, ("creditFile",))


# Customers


def test_a_customer_gives_and_withdraws_for_its_own_file_only(world, file, partner):
    own = world.actor("customer", subject=file.subject_id)
    stranger = world.actor("stranger", subject=Id("cu_" + "z" * 26))
    consent = world.do(grant(file, partner), own)
    for operation in (
        grant(file, partner),
        WithdrawConsent(consent=consent.id),
        RefuseConsent(consent=consent.id),
        GiveRequestedConsent(consent=consent.id, given_by="x"),
    ):
        with pytest.raises(NotFound):
            world.do(operation, stranger)
    assert world.entries[-1].cause == "NOT_OWN_CONSENT"
    assert world.entries[-1].behalf == stranger.subject
    assert world.do(WithdrawConsent(consent=consent.id), own).state is ConsentState.WITHDRAWN


def test_a_customer_cannot_tell_what_is_another_s_from_what_is_not_there(world, file, partner):
    consent = world.do(grant(file, partner))
    stranger = world.actor("stranger", subject=Id("cu_" + "z" * 26))
    nowhere, nothing = replace(file, stamp=replace(file.stamp, id=Id("cf_" + "z" * 26))), Id("co_" + "z" * 26)

    def told(operation):
        with pytest.raises(NotFound) as refusal:
            world.do(operation, stranger)
        return str(refusal.value), refusal.value.code, refusal.value.advice, refusal.value.path

    assert told(grant(file, partner)) == told(grant(nowhere, partner))
    for make in (
        lambda id_: WithdrawConsent(consent=id_),
        lambda id_: RefuseConsent(consent=id_),
        lambda id_: GiveRequestedConsent(consent=id_, given_by="x"),
    ):
        assert told(make(consent.id)) == told(make(nothing))
    causes = {entry.cause for entry in world.entries if entry.outcome is Outcome.INVALID}
    assert causes == {"NOT_OWN_FILE", "NO_SUCH_FILE", "NOT_OWN_CONSENT", "NO_SUCH_CONSENT"}


def test_consents_of_another_company_are_not_there(world, file, partner):
    consent = world.do(grant(file, partner))
    other = world.actor(tenant=OTHER_TENANT)
    for operation in (grant(file, partner), WithdrawConsent(consent=consent.id)):
        with pytest.raises(NotFound):
            world.do(operation, other)


# Withdrawing


def test_a_consent_is_withdrawn_in_one_step_and_twice_changes_nothing(world, file, partner):
    consent = world.do(grant(file, partner))
    first = world.do(WithdrawConsent(consent=consent.id))
    assert world.do(WithdrawConsent(consent=consent.id)) == first
    assert [one.state for one in world.versions(consent)] == [ConsentState.GIVEN, ConsentState.WITHDRAWN]
    assert world.entries[-1].consent == f"{consent.id}/2"


def test_a_consent_can_be_withdrawn_when_the_file_is_closed_or_its_end_has_come(world, file, partner):
    consent = world.do(grant(file, partner))
    world.put(replace(file, state=FileState.RESTRICTED))
    world.clock.move(days=366)
    assert world.do(WithdrawConsent(consent=consent.id)).state is ConsentState.WITHDRAWN


def test_what_was_not_given_is_not_withdrawn(world, file, partner):
    asked = world.do(request(file, partner))
    assert refused(world, WithdrawConsent(consent=asked.id)) == (Code.INVALID_TRANSITION, ("consent",))


# Asking


def test_a_request_is_given_on_the_terms_that_were_shown(world, file, partner):
    asked = world.do(request(file, partner, use=ConsentUse.COUNTED, max_uses=3))
    assert (asked.state, asked.given_by) == (ConsentState.REQUESTED, None)
    world.clock.move(days=2)
    own = world.actor("customer", subject=file.subject_id)
    given = world.do(GiveRequestedConsent(consent=asked.id, given_by=" Wang ", evidence_digest="a" * 64), own)
    assert (given.id, given.state, given.given_by, given.not_before) == (
        asked.id,
        ConsentState.GIVEN,
        "Wang",
        world.clock.at,
    )
    assert (given.fields, given.use, given.max_uses, given.not_after) == (
        asked.fields,
        asked.use,
        3,
        asked.not_after,
    )
    assert (given.evidence_digest, given.notice_digest) == ("a" * 64, asked.notice_digest)


def test_what_is_answered_is_not_answered_again(world, file, partner):
    asked = world.do(request(file, partner))
    world.do(RefuseConsent(consent=asked.id))
    give = GiveRequestedConsent(consent=asked.id, given_by="Wang")
    assert refused(world, give) == (Code.INVALID_TRANSITION, ("consent",))
    given = world.do(grant(file, partner))
    assert refused(world, RefuseConsent(consent=given.id)) == (Code.INVALID_TRANSITION, ("consent",))
    assert refused(world, GiveRequestedConsent(consent=given.id, given_by="Wang")) == (
        Code.INVALID_TRANSITION,
        ("consent",),
    )


def test_a_request_whose_end_has_come_cannot_be_given(world, file, partner):
    asked = world.do(request(file, partner))
    world.clock.at = asked.not_after
    give = GiveRequestedConsent(consent=asked.id, given_by="Wang")
    assert refused(world, give) == (Code.MALFORMED_DATE, ("notAfter",))
    assert refused(world, GiveRequestedConsent(consent=asked.id, given_by=" ")) == (Code.MISSING_VALUE, ("givenBy",))


def test_a_request_is_not_given_to_a_partner_suspended_meanwhile(world, file, partner):
    asked = world.do(request(file, partner))
    world.do(SuspendPartner(partner=partner.id, reason="A leak"))
    give = GiveRequestedConsent(consent=asked.id, given_by="Wang")
    assert refused(world, give) == (Code.INVALID_TRANSITION, ("partner",))


def test_the_same_is_asked_once_at_a_time(world, file, partner):
    world.do(request(file, partner))
    assert refused(world, request(file, partner)) == (Code.CONFLICT, ("fields",))
    assert refused(world, request(file, partner, fields=(EMAIL, PHONE))) == (Code.CONFLICT, ("fields",))
    world.do(request(file, partner, fields=(EMAIL,)))
    world.do(request(file, world.partner("Second Bank")))
    world.do(request(world.file(world.origin("x"), "C-2", BasicInformation()), partner))
    world.clock.at += YEAR
    world.do(request(file, partner, not_after=NOW + 2 * YEAR))


def test_CN_P16_what_was_refused_is_not_asked_again_for_ninety_days(world, file, partner):  # noqa: N802 - the rule's own id
    asked = world.do(request(file, partner, fields=(PHONE, EMAIL)))
    world.clock.move(days=5)
    first = world.do(RefuseConsent(consent=asked.id))
    refused_at = world.clock.at
    world.clock.move(days=80)
    assert world.do(RefuseConsent(consent=asked.id)) == first
    again = request(file, partner, fields=(EMAIL, PHONE))
    more = request(file, partner, fields=(EMAIL, PHONE, "identity.uscc"))
    less = request(file, partner, fields=(PHONE,))
    for at in (refused_at, refused_at + ASK_AGAIN_AFTER - timedelta(microseconds=1)):
        world.clock.at = at
        with pytest.raises(Malformed, match=r"90 days \(rule CN-P16") as refusal:
            world.do(again)
        assert (refusal.value.code, refusal.value.path) == (Code.CONFLICT, ("fields",))
        assert "2027-02-27T08:30+00:00" in refusal.value.advice
        assert refused(world, more) == (Code.CONFLICT, ("fields",))
    world.do(less)
    world.do(request(file, world.partner("Second Bank"), fields=(EMAIL, PHONE)))
    world.do(grant(file, partner, fields=(EMAIL, PHONE)))
    world.clock.at = refused_at + ASK_AGAIN_AFTER
    assert world.do(request(file, partner, fields=(EMAIL,))).state is ConsentState.REQUESTED
    refusable = world.do(request(file, partner, fields=("identity.uscc",)))
    world.do(RefuseConsent(consent=refusable.id))
    assert refused(world, request(file, partner, fields=("identity.uscc",))) == (Code.CONFLICT, ("fields",))


# Names


def test_no_declared_field_is_of_a_category_that_is_never_collected():
    names = [name for shape in SHAPES.values() for name in (*shape.facts, *shape.confidential)]
    assert [name for name in (*names, *TAGS) if category_of(name)] == []


def test_what_can_be_consented_to_are_the_confidential_fields_of_the_file_itself():
    assert all(field.record == "credit_file" for field in DISCLOSABLE.values())
    assert not any(tag.startswith("contact.person") for tag in DISCLOSABLE)
