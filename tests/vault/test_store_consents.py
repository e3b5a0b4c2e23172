"""What the domain promises about consents and corrections holds on both databases, also for many at once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.consent.changing import InvalidateConsent, ReconfirmConsent
from domain.consent.consents import Consent, ConsentEvent, ConsentState, ConsentUse, Disclosure
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import WithdrawConsent
from domain.consent.moving import ImportConsents, PastAct, PastConsent
from domain.consent.requesting import GiveRequestedConsent, RefuseConsent
from domain.consent.statutory import (
    ApproveStatutoryDisclosure,
    AuthorityKind,
    ProposeStatutoryDisclosure,
    ReleaseStatutoryDisclosure,
    StatutoryDisclosure,
    StatutoryState,
)
from domain.consent.terms import ConsentProof, ConsentTerms
from domain.consent.words import ConsentAct
from domain.errors import Malformed, NotConsented
from domain.files.correcting import CorrectRecord, CorrectTransaction, DocumentCorrection, WithdrawRecord
from domain.files.history import LitigationRecord, RecordStatus
from domain.files.recording.documents import RecordTransactions
from domain.files.recording.events import RecordLitigation
from domain.files.sources import LawfulBasis, RegisterSource, SourceType
from tests.domain.consent.test_giving import PHONE, PURPOSE, grant, request
from tests.domain.files.test_correcting import court
from tests.domain.files.test_recording import given
from tests.world import NOW
from tests.world import PHONE as NUMBER

MANY = 12


@pytest.fixture
def file(world):
    return world.file(world.origin())


@pytest.fixture
def partner(world):
    return world.partner()


@pytest.fixture
def bank(world, partner):
    return world.actor("bank", partner=partner.id)


def ask(file, key):
    return RequestDisclosure(credit_file=file.id, purpose=PURPOSE, fields=(PHONE,), idempotency_key=key)


def at_once(world, *performed):
    """The ends of operations performed at the same time."""

    async def all_of_them():
        work = (world.gate.perform(operation, actor) for operation, actor in performed)
        return await asyncio.gather(*work, return_exceptions=True)

    return world.loop(all_of_them())


def said(world):
    """The audit log as it reads."""
    return [json.loads(entry) for entry in world.leaves()]


@pytest.mark.parametrize("same_key", [False, True])
def test_many_requests_use_a_one_time_consent_exactly_once(world, file, partner, bank, same_key):
    world.do(grant(file, partner, use=ConsentUse.ONE_TIME))
    keys = ["the-one-key" if same_key else f"key-{number:04}" for number in range(MANY)]
    ended = at_once(world, *((ask(file, key), bank) for key in keys))
    got = [one for one in ended if not isinstance(one, Exception)]
    assert [one.opened for one in got] == [(NUMBER,)] * (MANY if same_key else 1)
    refused = [one for one in ended if isinstance(one, Exception)]
    assert all(isinstance(one, NotConsented) and one.cause == "CONSUMED" for one in refused)
    assert world.current(Consent)[0].uses == 1
    assert len(world.current(Disclosure)) == 1


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"use": ConsentUse.COUNTED, "max_uses": 5}, "CONSUMED"),
        ({"terms": ConsentTerms(max_per_day=5)}, "RATE_EXCEEDED"),
    ],
)
def test_many_requests_use_a_consent_exactly_as_often_as_it_says(world, file, partner, bank, changes, cause):
    consent = world.do(grant(file, partner, **changes))
    ended = at_once(world, *((ask(file, f"key-{number:04}"), bank) for number in range(MANY)))
    assert sum(not isinstance(one, Exception) for one in ended) == 5
    assert {one.cause for one in ended if isinstance(one, Exception)} == {cause}
    last = world.versions(consent)[-1]
    assert (last.stamp.version, last.day_uses) == (6, 5)
    assert len(world.current(Disclosure)) == 5


@pytest.mark.parametrize("end", [WithdrawConsent, InvalidateConsent])
def test_the_events_of_a_consent_tell_how_it_stands_whoever_comes_first(world, file, partner, bank, end):
    consent = world.do(grant(file, partner, use=ConsentUse.COUNTED, max_uses=MANY))
    reason = {"reason": "Forged"} if end is InvalidateConsent else {}
    confirm = ReconfirmConsent(
        consent=consent.id, given_by="Li", not_after=consent.not_after + timedelta(days=9), notice_digest="b" * 64
    )
    ended = at_once(
        world,
        (ask(file, "key-0001"), bank),
        (confirm, world.actor()),
        (end(consent=consent.id, **reason), world.actor()),
        (confirm, world.actor()),
        (ask(file, "key-0002"), bank),
    )
    assert not isinstance(ended[2], Exception)
    told = {event.consent_version: event.act for event in world.current(ConsentEvent)}
    versions = world.versions(consent)
    assert told.pop(1) is ConsentAct.GIVEN
    assert told.pop(versions[-1].stamp.version).value == versions[-1].state.value
    assert set(told.values()) <= {ConsentAct.RECONFIRMED}
    assert len(told) == sum(not isinstance(one, Exception) for one in (ended[1], ended[3]))
    assert world.findings() == []


def test_a_withdrawal_races_disclosures_and_comes_before_or_after_each(world, file, partner, bank):
    consent = world.do(grant(file, partner, use=ConsentUse.COUNTED, max_uses=MANY))
    asked = [(ask(file, f"key-{number:04}"), bank) for number in range(MANY)]
    half = MANY // 2
    ended = at_once(world, *asked[:half], (WithdrawConsent(consent=consent.id), world.actor()), *asked[half:])
    assert not isinstance(ended[half], Exception)
    got = [one for one in ended[:half] + ended[half + 1 :] if not isinstance(one, Exception)]
    versions = world.versions(consent)
    assert (versions[-1].state, versions[-1].uses) == (ConsentState.WITHDRAWN, len(got))
    assert len(world.current(Disclosure)) == len(got)
    assert all(one.value.disclosure.consent_version < versions[-1].stamp.version for one in got)


def test_every_partner_knows_a_customer_by_another_name(world, file, partner, bank):
    other = world.partner("Second Bank")
    second = world.actor("second", partner=other.id)
    world.do(grant(file, partner))
    world.do(grant(file, other))
    names = [
        world.do(ask(file, f"request-{place}"), one).disclosure.pseudonym for place, one in enumerate((bank, second))
    ]
    again = world.do(ask(file, "request-9"), bank).disclosure.pseudonym
    assert len(set(names)) == 2
    assert again == names[0]
    assert all(len(name) == 64 and file.id[3:] not in name for name in names)


def test_a_refusal_names_whose_data_was_asked_for_and_nothing_that_is_not_there(world, file, partner, bank):
    with pytest.raises(NotConsented):
        world.do(ask(file, "key-0001"), bank)
    refused = said(world)[-1]
    assert (refused["outcome"], refused["cause"], refused["behalf"]) == ("REFUSED", "NO_CONSENT", partner.id)
    assert refused["subjects"] == [file.subject_id]
    assert file.id in refused["resources"]
    with pytest.raises(Malformed):
        world.file(world.origin("another"))
    doubled = said(world)[-1]
    assert (doubled["outcome"], doubled["written"]) == ("INVALID", [])
    assert doubled["subjects"] == [file.subject_id]


def test_of_many_who_ask_the_customer_the_same_one_does(world, file, partner):
    ended = at_once(world, *((request(file, partner), world.actor()) for _ in range(MANY)))
    assert sum(not isinstance(one, Exception) for one in ended) == 1
    (asked,) = world.current(Consent)
    assert (asked.state, asked.given_by) == (ConsentState.REQUESTED, None)
    answers = [GiveRequestedConsent(consent=asked.id, given_by="Wang"), RefuseConsent(consent=asked.id)]
    answered = at_once(world, *((one, world.actor()) for one in answers))
    assert sum(not isinstance(one, Exception) for one in answered) == 1
    assert world.current(Consent)[0].state in {ConsentState.GIVEN, ConsentState.REFUSED}


def test_of_many_who_take_a_record_over_one_does(world, file, partner):
    world.do(RegisterSource(type=SourceType.PARTNER, name="the old system", lawful_bases=(LawfulBasis.CONSENT,)))
    past = PastConsent(
        record_id="r-1",
        partner=partner.name,
        purpose=PURPOSE,
        fields=(PHONE,),
        use=ConsentUse.STANDING,
        max_uses=None,
        uses=0,
        not_before=NOW,
        not_after=NOW + timedelta(days=365),
        notice_digest="0" * 64,
        given_by="Wang",
        evidence_digest=None,
        proof=ConsentProof(),
        terms=ConsentTerms(),
        onward_to=(),
        acts=(PastAct(act=ConsentAct.GIVEN, at=NOW - timedelta(days=1), person="Li"),),
    )
    taking = ImportConsents(
        source="the old system",
        lawful_basis=LawfulBasis.CONSENT,
        reference=file.reference,
        consents=(past,),
        original='{"a": 1}',
    )
    ended = at_once(world, *((taking, world.actor()) for _ in range(MANY)))
    taken = [one.value.taken for one in ended if not isinstance(one, Exception)]
    assert sorted(one.value for one in taken) == ["KNOWN"] * (MANY - 1) + ["STORED"]
    (consent,) = world.current(Consent)
    assert (consent.record_id, consent.state, consent.not_before) == ("r-1", ConsentState.GIVEN, NOW)
    assert [event.at for event in world.current(ConsentEvent)] == [NOW - timedelta(days=1)]
    assert world.findings() == []


def test_two_who_approve_a_statutory_disclosure_at_once_both_count_and_one_person_counts_once(world, file):
    proposal = ProposeStatutoryDisclosure(
        credit_file=file.id,
        authority="A court",
        authority_kind=AuthorityKind.COURT,
        legal_reference="Civil Procedure Law, article 70",
        letter="1",
        fields=(PHONE,),
    )
    proposed = world.do(proposal, world.actor("ling"))
    approve = ApproveStatutoryDisclosure(disclosure=proposed.id)
    people = ["wu", "wu", "zhou", "zhou", "wu", "ling"]
    at_once(world, *((approve, world.actor(person)) for person in people))
    (ready,) = world.current(StatutoryDisclosure)
    assert ready.state is StatutoryState.APPROVED
    assert {ready.first_approver, ready.second_approver} == {"wu", "zhou"}
    release = ReleaseStatutoryDisclosure(disclosure=proposed.id)
    ended = at_once(world, *((release, world.actor(person)) for person in ("ling", "wu", "zhou")))
    assert [one.opened for one in ended if not isinstance(one, Exception)] == [(NUMBER,)]


def test_records_are_corrected_and_withdrawn_and_their_history_stays(world, file):
    origin = world.origin("court")
    case = world.do(given(RecordLitigation, file, replace(origin, source_row="9")))
    (document,) = world.do(given(RecordTransactions, file, origin))
    correction = CorrectRecord(record=case.id, values=(court(),), reason="A typing error")
    ended = at_once(world, *((correction, world.actor()) for _ in range(3)))
    assert sum(not isinstance(one, Exception) for one in ended) == 1
    wrong, right = sorted(world.current(LitigationRecord), key=lambda one: one.supersedes is not None)
    assert (wrong.status, wrong.source_row) == (RecordStatus.CORRECTED, None)
    assert (right.supersedes, right.status, right.source_row) == (case.id, RecordStatus.ACTIVE, "9")
    assert world.versions(case)[0].status is RecordStatus.ACTIVE
    world.clock.move(days=1)
    changes = DocumentCorrection(number="F-2")
    corrected = world.do(CorrectTransaction(record=document.id, changes=changes, reason="Misread"))
    world.do(WithdrawRecord(record=document.id, reason="Another customer's"))
    numbers = [(one.number, one.status) for one in world.versions(document)]
    assert numbers == [
        ("F-1", RecordStatus.ACTIVE),
        ("F-2", RecordStatus.ACTIVE),
        ("F-2", RecordStatus.WITHDRAWN),
    ]
    assert corrected.stamp.effective_from == document.stamp.effective_from
    assert world.findings() == []
    assert "Misread" not in json.dumps(said(world))
