"""A partner gets exactly what one consent covers, and learns nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.audit import Outcome
from domain.consent.admitting.deciding import ApprovePartner
from domain.consent.changing import ReconfirmConsent
from domain.consent.consents import Consent, ConsentUse, Disclosure, DisclosureState, Withheld
from domain.consent.decision import DAY, Reason
from domain.consent.disclosing import MAX_FIELDS, RequestDisclosure
from domain.consent.giving import RegisterPartner, ReinstatePartner, SuspendPartner, WithdrawConsent
from domain.consent.notices import PublishConsentNotice
from domain.consent.terms import ConsentTerms
from domain.consent.words import DisclosureAction, ObligationKind, Redisclosure
from domain.errors import AuditUnavailable, Code, Malformed, NotConsented, NotFound, NotPermitted, Tampered
from domain.files.opening import BasicInformation, UpdateBasicInformation
from domain.files.parties import CreditFile, FileState
from domain.ids import Id
from domain.reading import Purpose
from tests.domain.consent.test_giving import EMAIL, PHONE, YEAR, grant, request
from tests.world import NOW, OTHER_TENANT, World
from tests.world import PHONE as NUMBER

PURPOSE = Purpose.PARTNER_CREDIT_DECISION
USCC = "identity.uscc"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def file(world):
    return world.file(world.origin())


@pytest.fixture
def partner(world):
    return world.partner()


@pytest.fixture
def bank(world, partner):
    return world.actor("bank", "partner_client", partner=partner.id)


def ask(file, *fields, key="key-0001", **changes):
    said = {"credit_file": file.id, "purpose": PURPOSE, "fields": fields or (PHONE,), "idempotency_key": key}
    return RequestDisclosure(**said | changes)


def refusal(world, operation, actor):
    """Everything a partner is told, and the true cause beside it."""
    with pytest.raises(NotConsented) as refused:
        world.do(operation, actor)
    error = refused.value
    assert world.entries[-1].outcome is Outcome.REFUSED
    assert world.entries[-1].cause == error.cause
    return (str(error), error.code, error.advice, error.path), error.cause


def test_a_partner_gets_the_consented_fields_and_a_reason_for_each_other(world, file, partner, bank):
    consent = world.do(grant(file, partner, fields=(PHONE, EMAIL, "financial.bank_account")))
    performed = world.perform(ask(file, USCC, PHONE, "financial.bank_account", "x.y", EMAIL, PHONE), bank)
    assert performed.opened == (NUMBER, "office@yunfan.example")
    disclosed = performed.value
    assert disclosed.tags == (PHONE, EMAIL) == disclosed.disclosure.fields
    assert [(one.field, one.reason) for one in disclosed.disclosure.withheld] == [
        (USCC, "FIELD_NOT_COVERED"),
        ("financial.bank_account", "NOT_ON_FILE"),
        ("x.y", "UNKNOWN_FIELD"),
    ]
    assert all(isinstance(one, Withheld) and one.unlock for one in disclosed.disclosure.withheld)
    assert (disclosed.disclosure.state, disclosed.disclosure.consent) == (DisclosureState.PARTIAL, consent.id)
    entry = world.entries[-1]
    assert (entry.actor, entry.behalf, entry.action) == ("bank", partner.id, "disclosure:request")
    assert (entry.purpose, entry.consent, entry.subjects) == (PURPOSE.value, f"{consent.id}/1", (file.subject_id,))
    assert set(entry.fields) == {PHONE, EMAIL}


def test_everything_consented_is_released(world, file, partner, bank):
    world.do(grant(file, partner))
    disclosed = world.do(ask(file), bank)
    assert (disclosed.disclosure.state, disclosed.disclosure.withheld) == (DisclosureState.RELEASED, ())


# What a partner cannot tell apart


def test_every_refusal_tells_a_partner_the_same(world, file, partner, bank):
    nowhere = replace(file, stamp=replace(file.stamp, id=Id("cf_" + "z" * 26)))
    abroad = world.file(world.origin(tenant=OTHER_TENANT), tenant=OTHER_TENANT)
    found = {}

    def note(what, target=file, **changes):
        found[what] = refusal(world, ask(target, **changes), bank)

    note("no such file", nowhere)
    note("another company's file", abroad)
    note("no consent")
    note("unknown field", fields=("x.y",))
    world.do(request(file, partner))
    note("asked and not answered")
    world.do(grant(file, world.partner("Second Bank")))
    note("another partner's consent")
    consent = world.do(grant(file, partner, not_before=NOW + timedelta(days=1)))
    note("not yet")
    world.clock.move(days=1)
    note("another purpose", purpose=Purpose.CREDIT_REVIEW)
    note("another field", fields=(EMAIL,))
    world.do(SuspendPartner(partner=partner.id, reason="A leak"))
    note("suspended")
    world.do(ReinstatePartner(partner=partner.id, reason="Fixed"))
    closed = world.put(replace(file, state=FileState.RESTRICTED))
    note("closed")
    world.put(replace(closed, state=FileState.OPEN))
    world.do(WithdrawConsent(consent=consent.id))
    note("withdrawn")
    world.do(grant(file, partner, use=ConsentUse.ONE_TIME, not_after=NOW + YEAR))
    world.do(ask(file, key="a new key"), bank)
    note("used up")
    world.clock.at = NOW + YEAR
    note("over")
    assert len({told for told, _ in found.values()}) == 1
    assert {what: cause for what, (_, cause) in found.items()} == {
        "no such file": "NO_SUCH_FILE",
        "another company's file": "NO_SUCH_FILE",
        "no consent": "NO_CONSENT",
        "unknown field": "UNKNOWN_FIELD",
        "asked and not answered": "NO_CONSENT",
        "another partner's consent": "NO_CONSENT",
        "not yet": "NOT_YET_VALID",
        "another purpose": "PURPOSE_NOT_COVERED",
        "another field": "FIELD_NOT_COVERED",
        "suspended": "RECIPIENT_SUSPENDED",
        "closed": "FILE_NOT_OPEN",
        "withdrawn": "WITHDRAWN",
        "used up": "CONSUMED",
        "over": "WITHDRAWN",
    }


def test_a_consent_that_names_another_partner_is_told_in_the_log_alone(world, file, bank):
    nothing = refusal(world, ask(file), bank)
    world.do(grant(file, world.partner("Second Bank")))
    told, cause = refusal(world, ask(file), bank)
    assert (told, cause) == (nothing[0], "RECIPIENT_MISMATCH")


# Handing on, rates, notices


def test_what_is_handed_on_is_asked_for_by_name_and_goes_one_step(world, file, partner, bank):
    second, third = world.partner("Second Bank"), world.partner("Third Bank")
    terms = ConsentTerms(redisclosure=Redisclosure.NAMED, onward_to=(second.id,))
    world.do(grant(file, partner, terms=terms))
    got = world.do(ask(file, onward_to=second.id), bank).disclosure
    assert (got.onward_to, got.partner) == (second.id, partner.id)
    assert refusal(world, ask(file, onward_to=third.id, key="key-0002"), bank)[1] == "REDISCLOSURE"
    assert refusal(world, ask(file, onward_to=Id("pa_" + "z" * 26), key="key-0003"), bank)[1] == "REDISCLOSURE"
    other = world.actor("second", partner=second.id)
    for onward in (None, third.id):
        assert refusal(world, ask(file, onward_to=onward, key="key-0004"), other)[1] == "RECIPIENT_MISMATCH"
    with pytest.raises(Malformed) as conflict:
        world.do(ask(file), bank)
    assert conflict.value.path == ("idempotencyKey",)


def test_a_processor_gets_what_its_partner_may_hand_on_to_processors(world, file, partner, bank):
    register = RegisterPartner(name="Cloud", contact="dpo@cloud.example", purposes=(PURPOSE,), processor_for=partner.id)
    processor = world.do(ApprovePartner(partner=world.do(register).id), world.actor("zhou"))
    world.do(grant(file, partner, terms=ConsentTerms(redisclosure=Redisclosure.PROCESSORS_ONLY)))
    assert world.do(ask(file, onward_to=processor.id), bank).disclosure.onward_to == processor.id
    world.do(SuspendPartner(partner=processor.id, reason="A leak"))
    assert refusal(world, ask(file, onward_to=processor.id), bank)[1] == "REDISCLOSURE"


def test_a_consent_is_used_in_a_day_as_often_as_it_says(world, file, partner, bank):
    consent = world.do(grant(file, partner, terms=ConsentTerms(max_per_day=2)))
    for number in range(2):
        world.do(ask(file, key=f"key-{number:04}"), bank)
        world.clock.move(hours=10)
    assert refusal(world, ask(file, key="key-0002"), bank)[1] == "RATE_EXCEEDED"
    assert world.do(ask(file, key="key-0001"), bank)
    world.clock.at = NOW + DAY
    assert world.do(ask(file, key="key-0002"), bank)
    last = world.versions(consent)[-1]
    assert (last.uses, last.day_uses, last.day_from) == (0, 1, NOW + DAY)


def test_a_superseded_notice_stops_disclosures_until_the_customer_confirms(world, file, partner, bank):
    first = world.do(PublishConsentNotice(name="data", text="First"))
    consent = world.do(grant(file, partner, notice_digest=first.digest))
    world.do(ask(file), bank)
    second = world.do(PublishConsentNotice(name="data", text="First, in other words", renews=False))
    assert world.do(ask(file, key="key-0002"), bank)
    third = world.do(PublishConsentNotice(name="data", text="More recipients"))
    for key in ("key-0001", "key-0003"):
        assert refusal(world, ask(file, key=key), bank)[1] == "NOTICE_SUPERSEDED"
    confirm = {"consent": consent.id, "given_by": "Wang", "not_after": NOW + YEAR}
    with pytest.raises(Malformed) as outdated:
        world.do(ReconfirmConsent(**confirm, notice_digest=second.digest))
    assert outdated.value.code is Code.NOT_IN_FORCE
    world.do(ReconfirmConsent(**confirm, notice_digest=third.digest))
    assert world.do(ask(file, key="key-0003"), bank).disclosure.consent_version == 2


def test_what_is_owed_stands_on_the_disclosure(world, file, partner, bank):
    world.do(grant(file, partner, terms=ConsentTerms(retention_days=30)))
    got = world.do(ask(file), bank).disclosure
    assert got.delete_by == NOW + timedelta(days=30)
    assert got.obligations == (ObligationKind.NO_REDISCLOSURE, ObligationKind.DELETE_BY)
    world.clock.move(days=3)
    assert world.do(ask(file), bank).disclosure == got


def test_an_action_that_was_not_agreed_to_is_refused(world, file, partner, bank):
    world.do(grant(file, partner))
    assert refusal(world, ask(file, action=DisclosureAction.EXPORT), bank)[1] == "ACTION_NOT_COVERED"


@pytest.mark.parametrize(("late", "allowed"), [(timedelta(microseconds=1), True), (timedelta(0), False)])
def test_a_consent_is_over_at_the_instant_of_its_end(world, file, partner, bank, late, allowed):
    world.do(grant(file, partner))
    world.clock.at = NOW + YEAR - late
    if allowed:
        assert world.perform(ask(file), bank).opened == (NUMBER,)
    else:
        assert refusal(world, ask(file), bank)[1] == "EXPIRED"


def test_a_withdrawal_bites_at_once_also_on_a_retry(world, file, partner, bank):
    consent = world.do(grant(file, partner))
    world.do(ask(file), bank)
    world.do(WithdrawConsent(consent=consent.id))
    for key in ("key-0001", "key-0002"):
        assert refusal(world, ask(file, key=key), bank)[1] == "WITHDRAWN"
    assert len(world.vault.warrants) == 1


@pytest.mark.parametrize("what", ["suspended", "closed", "over"])
def test_a_retry_is_decided_on_like_a_new_request(world, file, partner, bank, what):
    world.do(grant(file, partner, use=ConsentUse.ONE_TIME))
    world.do(ask(file), bank)
    if what == "suspended":
        world.do(SuspendPartner(partner=partner.id, reason="A leak"))
    elif what == "closed":
        world.put(replace(file, state=FileState.ERASED))
    else:
        world.clock.at = NOW + YEAR
    refusal(world, ask(file), bank)
    assert len(world.vault.warrants) == 1


# Uses


@pytest.mark.parametrize(("use", "limit"), [(ConsentUse.ONE_TIME, 1), (ConsentUse.COUNTED, 3)])
def test_a_consent_is_used_as_often_as_it_says(world, file, partner, bank, use, limit):
    consent = world.do(grant(file, partner, use=use, max_uses=None if use is ConsentUse.ONE_TIME else limit))
    for number in range(1, limit + 1):
        disclosed = world.do(ask(file, key=f"key-{number:04}"), bank)
        assert disclosed.disclosure.consent_version == number + 1
        assert world.versions(consent)[-1].uses == number
    assert refusal(world, ask(file, key="one more"), bank)[1] == "CONSUMED"
    assert world.versions(consent)[-1].uses == limit


def test_a_standing_consent_is_not_used_up_and_gets_no_new_version(world, file, partner, bank):
    consent = world.do(grant(file, partner))
    for number in range(3):
        world.do(ask(file, key=f"key-{number:04}"), bank)
    assert world.versions(consent) == (consent,)


def test_a_retry_under_the_same_key_discloses_nothing_new_and_uses_nothing_up(world, file, partner, bank):
    consent = world.do(grant(file, partner, fields=(PHONE, EMAIL), use=ConsentUse.ONE_TIME))
    first = world.perform(ask(file, PHONE, EMAIL), bank)
    again = world.perform(ask(file, EMAIL, PHONE), bank)
    assert (again.value, again.opened) == (first.value, first.opened)
    assert world.current(Disclosure) == [first.value.disclosure]
    assert world.versions(consent)[-1].uses == 1
    assert [entry.outcome for entry in world.entries[-2:]] == [Outcome.DONE] * 2


@pytest.mark.parametrize(
    "changes", [{"fields": (EMAIL,)}, {"fields": (PHONE, EMAIL)}, {"purpose": Purpose.CREDIT_REVIEW}]
)
def test_a_key_used_for_another_request_is_a_conflict(world, file, partner, bank, changes):
    world.do(grant(file, partner, fields=(PHONE, EMAIL)))
    world.do(ask(file), bank)
    with pytest.raises(Malformed) as conflict:
        world.do(ask(file, **changes), bank)
    assert (conflict.value.code, conflict.value.path) == (Code.CONFLICT, ("idempotencyKey",))


def test_keys_belong_to_their_partner(world, file, partner, bank):
    second = world.partner("Second Bank")
    for one in (partner, second):
        world.do(grant(file, one))
    first = world.do(ask(file), bank)
    other = world.do(ask(file), world.actor("second", partner=second.id))
    assert other.disclosure.id != first.disclosure.id


def test_a_key_of_a_request_that_was_refused_is_free(world, file, partner, bank):
    refusal(world, ask(file), bank)
    world.do(grant(file, partner))
    assert world.perform(ask(file), bank).opened == (NUMBER,)


@pytest.mark.parametrize("same_key", [False, True])
def test_requests_at_the_same_time_use_a_one_time_consent_exactly_once(world, file, partner, bank, same_key):
    consent = world.do(grant(file, partner, use=ConsentUse.ONE_TIME))

    async def at_once():
        keys = ["key-0000" if same_key else f"key-{number:04}" for number in range(4)]
        work = (world.gate.perform(ask(file, key=key), bank) for key in keys)
        return await asyncio.gather(*work, return_exceptions=True)

    ended = asyncio.run(at_once())
    disclosed = [one for one in ended if not isinstance(one, Exception)]
    assert len(disclosed) == (4 if same_key else 1)
    assert all(isinstance(one, NotConsented) and one.cause == "CONSUMED" for one in ended if isinstance(one, Exception))
    assert world.versions(consent)[-1].uses == 1
    assert len(world.current(Disclosure)) == 1


def test_a_withdrawal_at_the_same_time_comes_before_or_after(world, file, partner, bank):
    consent = world.do(grant(file, partner, use=ConsentUse.ONE_TIME))

    async def at_once():
        withdraw = world.gate.perform(WithdrawConsent(consent=consent.id), world.actor())
        return await asyncio.gather(withdraw, world.gate.perform(ask(file), bank), return_exceptions=True)

    withdrawn, disclosed = asyncio.run(at_once())
    assert not isinstance(withdrawn, Exception)
    versions = world.versions(consent)
    if isinstance(disclosed, Exception):
        assert isinstance(disclosed, NotConsented)
        assert [one.uses for one in versions] == [0, 0]
    else:
        assert [one.uses for one in versions] == [0, 1, 1]


def test_what_would_disclose_nothing_uses_nothing_up(world, partner, bank):
    file = world.file(world.origin(), basic=BasicInformation())
    consent = world.do(grant(file, partner, use=ConsentUse.ONE_TIME))
    with pytest.raises(NotFound) as refused:
        world.do(ask(file), bank)
    assert (refused.value.path, refused.value.advice) == (("fields",), Reason.NOT_ON_FILE.unlock)
    assert world.versions(consent) == (consent,)
    origin = world.origin("another")
    world.do(UpdateBasicInformation(credit_file=file.id, origin=origin, basic=BasicInformation(phone=NUMBER)))
    assert world.perform(ask(file), bank).opened == (NUMBER,)


# Bad requests


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"fields": ("13800138000",)}, ("fields", "0")),
        ({"fields": (PHONE, "Contact.Phone")}, ("fields", "1")),
        ({"fields": (PHONE, "a." + "b" * 41)}, ("fields", "1")),
        ({"fields": ("a.b",) * (MAX_FIELDS + 1)}, ("fields",)),
        ({"idempotency_key": "short"}, ("idempotencyKey",)),
        ({"idempotency_key": "x" * 201}, ("idempotencyKey",)),
        ({"idempotency_key": "with\nnewline"}, ("idempotencyKey",)),
    ],
)
def test_a_request_that_is_not_well_formed_is_refused(world, file, partner, bank, changes, path):
    world.do(grant(file, partner))
    with pytest.raises(Malformed) as refused:
        world.do(ask(file, **changes), bank)
    assert (refused.value.code, refused.value.path) == (Code.MALFORMED, path)
    assert refused.value.advice
    assert world.current(Disclosure) == []


def test_a_request_without_fields_is_refused(world, file, partner, bank):
    world.do(grant(file, partner))
    with pytest.raises(Malformed) as refused:
        world.do(replace(ask(file), fields=()), bank)
    assert refused.value.path == ("fields",)


def test_only_a_partner_asks_and_only_for_itself(world, file, partner):
    world.do(grant(file, partner))
    with pytest.raises(NotPermitted):
        world.do(ask(file))
    with pytest.raises(NotFound):
        world.do(ask(file), world.actor("bank", partner=Id("pa_" + "z" * 26)))
    with pytest.raises(NotFound):
        world.do(ask(file), world.actor("bank", partner=partner.id, tenant=OTHER_TENANT))


# Faults


def test_whatever_breaks_nothing_is_disclosed_that_is_not_on_record():
    def start():
        world = World()
        file, partner = world.file(world.origin()), world.partner()
        world.do(grant(file, partner, use=ConsentUse.ONE_TIME))
        return world, file, world.actor("bank", partner=partner.id)

    world, file, bank = start()
    first = len(world.faults.steps)
    world.do(ask(file), bank)
    for broken, step in enumerate(world.faults.steps[first:]):
        world, file, bank = start()
        world.faults.at = first + broken
        with pytest.raises(AuditUnavailable):
            world.do(ask(file), bank)
        disclosed = len(world.current(Disclosure))
        used = world.current(Consent)[0].uses
        told = sum(entry.action == "disclosure:request" and entry.outcome is Outcome.DONE for entry in world.entries)
        assert disclosed == used == told, step
        assert len(world.vault.warrants) <= told, step
        assert world.perform(ask(file), bank).opened == (NUMBER,), "the same key again gives the value once"
        assert (len(world.current(Disclosure)), world.current(Consent)[0].uses) == (1, 1), step


def test_a_disclosure_that_cannot_be_opened_says_so_in_the_log(world, file, partner, bank):
    consent = world.do(grant(file, partner))
    world.vault.fails = Tampered("Does not verify.")
    with pytest.raises(Tampered):
        world.do(ask(file), bank)
    done, failed = world.entries[-2:]
    assert (done.outcome, failed.outcome, failed.code) == (Outcome.DONE, Outcome.FAILED, "TAMPERED")
    assert (failed.consent, failed.purpose) == (f"{consent.id}/1", PURPOSE.value)


def test_the_decision_rests_on_the_file_as_it_is_now(world, file, partner, bank):
    world.do(grant(file, partner))
    origin = world.origin("another")
    world.do(ask(file), bank)
    world.do(UpdateBasicInformation(credit_file=file.id, origin=origin, basic=BasicInformation(phone="13900139000")))
    assert world.perform(ask(file), bank).opened == ("+8613900139000",)
    assert world.current(CreditFile)[0].stamp.version == 2


# What an auditor sees of a refusal


def test_the_entry_of_a_refusal_says_what_was_asked_for_and_what_for(world, file, bank):
    refusal(world, ask(file, EMAIL, PHONE, "patient.zhang_san"), bank)
    entry = world.entries[-1]
    assert (entry.purpose, set(entry.fields)) == (PURPOSE.value, {PHONE, EMAIL})
    assert (entry.subjects, entry.written, entry.payload) == ((file.subject_id,), (), ())
    assert "zhang" not in repr(entry)


def test_so_does_the_entry_of_what_the_grants_do_not_allow(world, file, bank):
    world.grants.denied.add("disclosure:request")
    with pytest.raises(NotPermitted):
        world.do(ask(file), bank)
    entry = world.entries[-1]
    assert (entry.outcome, entry.purpose, entry.fields) == (Outcome.REFUSED, PURPOSE.value, (PHONE,))


def test_the_entry_of_a_disclosure_names_only_what_was_disclosed(world, file, partner, bank):
    world.do(grant(file, partner, fields=(PHONE,)))
    world.do(ask(file, PHONE, USCC), bank)
    assert world.entries[-1].fields == (PHONE,)
