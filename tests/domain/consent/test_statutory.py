"""An authority gets what a law demands after three persons looked at it; nobody else has a part in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.audit import Outcome
from domain.consent.consents import Disclosure
from domain.consent.statutory import (
    ApproveStatutoryDisclosure,
    AuthorityKind,
    ProposeStatutoryDisclosure,
    RejectStatutoryDisclosure,
    ReleaseConcealedDisclosure,
    ReleaseStatutoryDisclosure,
    StatutoryDisclosure,
    StatutoryState,
)
from domain.errors import Code, Malformed, NotFound, NotPermitted
from domain.files.opening import BasicInformation
from domain.files.parties import FileState
from domain.ids import Id
from tests.domain.consent.test_giving import EMAIL, PHONE, refused
from tests.world import PHONE as NUMBER
from tests.world import World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def file(world):
    return world.file(world.origin())


def propose(file, **changes):
    said = {
        "credit_file": file.id,
        "authority": "Chaoyang People's Court",
        "authority_kind": AuthorityKind.COURT,
        "legal_reference": "Civil Procedure Law, article 70",
        "letter": "(2026) 0105 No. 1",
        "fields": (PHONE, EMAIL, PHONE),
    }
    return ProposeStatutoryDisclosure(**said | changes)


def approved(world, file, **changes):
    """A statutory disclosure that ling proposed, and wu and zhou approved."""
    proposed = world.do(propose(file, **changes), world.actor("ling"))
    for person in ("wu", "zhou"):
        world.do(ApproveStatutoryDisclosure(disclosure=proposed.id), world.actor(person))
    return world.versions(proposed)[-1]


def test_three_persons_stand_behind_what_an_authority_gets(world, file):
    ready = approved(world, file)
    assert (ready.state, ready.proposed_by, ready.first_approver, ready.second_approver) == (
        StatutoryState.APPROVED,
        "ling",
        "wu",
        "zhou",
    )
    done = world.perform(ReleaseStatutoryDisclosure(disclosure=ready.id), world.actor("ling"))
    assert (done.value.tags, done.opened) == ((EMAIL, PHONE), ("office@yunfan.example", NUMBER))
    assert (done.value.disclosure.state, done.value.disclosure.released_by) == (StatutoryState.RELEASED, "ling")
    entry = world.entries[-1]
    assert (entry.action, entry.purpose, entry.consent) == ("statutory:release", "STATUTORY_DUTY", "")
    assert file.subject_id in entry.subjects
    assert set(entry.fields) == {PHONE, EMAIL}
    assert world.current(Disclosure) == []


def test_nobody_decides_twice_and_nobody_on_his_own(world, file):
    proposed = world.do(propose(file), world.actor("ling"))
    approve = ApproveStatutoryDisclosure(disclosure=proposed.id)
    reject = RejectStatutoryDisclosure(disclosure=proposed.id, reason="Not signed")
    for operation in (approve, reject):
        with pytest.raises(NotPermitted) as own:
            world.do(operation, world.actor("ling"))
        assert own.value.code is Code.SEPARATION_OF_DUTY
    once = world.do(approve, world.actor("wu"))
    assert (once.state, once.second_approver) == (StatutoryState.APPROVED_ONCE, None)
    with pytest.raises(NotPermitted):
        world.do(approve, world.actor("wu"))
    for release in (ReleaseStatutoryDisclosure, ReleaseConcealedDisclosure):
        with pytest.raises(Malformed):
            world.do(release(disclosure=proposed.id))
    assert world.do(reject, world.actor("zhou")).state is StatutoryState.REJECTED
    assert dict(world.entries[-1].payload) == {"note": "Not signed"}
    assert refused(world, approve) == (Code.INVALID_TRANSITION, ("disclosure",))
    assert world.vault.warrants == []


def test_a_release_is_repeated_by_the_same_person_alone(world, file):
    ready = approved(world, file)
    release = ReleaseStatutoryDisclosure(disclosure=ready.id)
    first = world.do(release, world.actor("ling"))
    world.clock.move(hours=1)
    assert world.do(release, world.actor("ling")).disclosure == first.disclosure
    assert refused(world, release, world.actor("wu")) == (Code.INVALID_TRANSITION, ("disclosure",))
    assert [entry.outcome for entry in world.entries[-3:]] == [Outcome.DONE, Outcome.DONE, Outcome.INVALID]


REFUSALS = [
    ({"fields": ()}, Code.MALFORMED, ("fields",)),
    ({"fields": (PHONE, "contact.person_phone")}, Code.MALFORMED, ("fields", "1")),
    ({"legal_reference": " "}, Code.MISSING_VALUE, ("legalReference",)),
    ({"authority": ""}, Code.MISSING_VALUE, ("authority",)),
    ({"letter": ""}, Code.MISSING_VALUE, ("letter",)),
    ({"authority_kind": AuthorityKind.FOREIGN_BODY}, Code.MISSING_VALUE, ("approval",)),
    ({"concealed": True}, Code.MISSING_VALUE, ("concealedBecause",)),
    ({"concealed_because": "x"}, Code.MALFORMED, ("concealedBecause",)),
]


@pytest.mark.parametrize(("changes", "code", "path"), REFUSALS)
def test_what_names_no_ground_is_not_proposed(world, file, changes, code, path):
    assert refused(world, propose(file, **changes)) == (code, path)
    assert world.current(StatutoryDisclosure) == []


def test_CN_P14_a_foreign_body_gets_nothing_without_approval(world, file):  # noqa: N802 - the rule's own id
    foreign = propose(file, authority_kind=AuthorityKind.FOREIGN_BODY)
    with pytest.raises(Malformed, match="CN-P14"):
        world.do(foreign)
    assert world.do(replace(foreign, approval="MOJ (2026) 7")).approval == "MOJ (2026) 7"


def test_no_partner_and_no_customer_has_a_part_in_it(world, file):
    partner = world.actor("bank", partner=world.partner().id)
    customer = world.actor("li", subject=file.subject_id)
    ready = approved(world, file)
    waiting = world.do(propose(file), world.actor("ling"))
    for actor in (partner, customer):
        for operation in (
            propose(file),
            ApproveStatutoryDisclosure(disclosure=waiting.id),
            RejectStatutoryDisclosure(disclosure=waiting.id, reason="x"),
            ReleaseStatutoryDisclosure(disclosure=ready.id),
        ):
            with pytest.raises(NotPermitted):
                world.do(operation, actor)


def test_what_the_law_forbids_to_tell_is_released_on_its_own_way_and_its_reason_is_kept(world, file):
    ready = approved(world, file, concealed=True, concealed_because="Criminal Procedure Law")
    told = [dict(entry.payload) for entry in world.entries if entry.action == "statutory:propose"]
    assert told == [{"note": "Criminal Procedure Law"}]
    assert refused(world, ReleaseStatutoryDisclosure(disclosure=ready.id))[1] == ("disclosure",)
    assert file.subject_id not in world.entries[-1].subjects
    done = world.perform(ReleaseConcealedDisclosure(disclosure=ready.id))
    assert done.opened == ("office@yunfan.example", NUMBER)
    assert world.entries[-1].action == "statutory:conceal"
    open_one = approved(world, file)
    assert refused(world, ReleaseConcealedDisclosure(disclosure=open_one.id))[1] == ("disclosure",)


def test_a_file_that_is_stored_only_still_answers_and_an_erased_one_does_not(world, file):
    ready = approved(world, file)
    closed = world.put(replace(file, state=FileState.RESTRICTED))
    release = ReleaseStatutoryDisclosure(disclosure=ready.id)
    assert world.perform(release).opened
    world.put(replace(closed, state=FileState.ERASED))
    assert refused(world, release) == (Code.INVALID_TRANSITION, ("disclosure",))
    empty = world.file(world.origin("x"), "C-2", BasicInformation())
    with pytest.raises(NotFound):
        world.do(ReleaseStatutoryDisclosure(disclosure=approved(world, empty).id))
    with pytest.raises(NotFound):
        world.do(propose(file, document=Id("do_" + "z" * 26)))
