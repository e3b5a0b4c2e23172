"""A credit policy version from its draft until a later one takes its place, on both databases."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from domain.assessment.assessments import CreditPolicy, Interpretation, LegalReference, PolicyState
from domain.assessment.policies import in_force
from domain.assessment.scale import Grade
from domain.assessment.version_one import VERSION_ONE
from domain.assessment.versions.deciding import (
    ActivateCreditPolicy,
    AdvanceCreditPolicies,
    ApproveCreditPolicy,
    RejectCreditPolicy,
)
from domain.assessment.versions.drafting import (
    DraftCreditPolicy,
    InterpretCreditPolicy,
    ReviseCreditPolicy,
    SubmitCreditPolicy,
    WithdrawCreditPolicy,
)
from domain.errors import Code, CreditError
from domain.operations import OPERATIONS
from tests.domain.policies.desk import PolicyDesk, document
from tests.firms import yuan
from tests.stored import StoredWorld
from tests.vault.trying import Try

LAW = LegalReference(law="Civil Code", article="526", says="Who has to perform first may be refused until then.")


@pytest.fixture
def desk(database, loop, tmp_path, monkeypatch):
    monkeypatch.setitem(OPERATIONS, "Try", Try)
    with StoredWorld(database, loop, tmp_path) as world:
        yield PolicyDesk(world)


def refused(desk, asked, actor):
    """The error that an operation ends with."""
    with pytest.raises(CreditError) as raised:
        desk.world.do(asked, actor)
    return raised.value


def approving(found, **more):
    return ApproveCreditPolicy(policy=found.id, content_digest=found.content_digest, **more)


def asking(days):
    """Asks for the number of the version in force so many days from now."""
    return Try(how=lambda unit: in_force(unit, unit.now + timedelta(days=days))[0].number)


def number(desk, days=0):
    """The number of the version in force so many days from now."""
    return desk.world.do(asking(days))


def test_a_version_is_drafted_submitted_approved_and_in_force_and_the_next_assessment_goes_by_it(desk):
    file = desk.example()
    assert desk.assess(file, requested_limit=yuan(90_000)).grade is Grade.BBB
    draft = desk.draft(document(grade_scale__2__floor=64), legal_references=(LAW,))
    assert (draft.state, draft.number, draft.base) == (PolicyState.DRAFT, 2, VERSION_ONE.digest)
    assert [(one.section, one.place, one.before, one.after) for one in draft.changes] == [
        ("grade_scale", "A / floor", "70", "64")
    ]
    assert number(desk) == 1
    desk.simulate(draft)
    found = desk.world.do(SubmitCreditPolicy(policy=draft.id), desk.author)
    assert found.state is PolicyState.IN_REVIEW
    approved = desk.world.do(approving(found), desk.committee)
    assert (approved.state, approved.in_force_from, approved.decided_by) == (PolicyState.APPROVED, None, "chair")
    assert number(desk) == 1
    active = desk.world.do(ActivateCreditPolicy(policy=draft.id), desk.committee)
    assert (active.state, active.legal_references) == (PolicyState.IN_FORCE, (LAW,))
    assert desk.states() == ["SUPERSEDED", "IN_FORCE"]
    later = desk.assess(file, requested_limit=yuan(90_000))
    assert (later.policy, later.policy_digest, later.grade) == (draft.id, draft.content_digest, Grade.A)
    assert desk.world.findings() == []


def test_a_scheduled_version_is_in_force_from_its_time_whether_or_not_a_job_moved_it_on(desk):
    start = desk.world.clock.now()
    found = desk.put_in_force(document(), at=start + timedelta(days=10))
    assert found.state is PolicyState.SCHEDULED
    assert [number(desk, days) for days in (0, 9, 10, 400)] == [1, 1, 2, 2]
    desk.world.clock.move(days=10)
    assert desk.assess(desk.example()).policy == found.id
    assert [desk.world.do(AdvanceCreditPolicies(), desk.job) for _ in range(2)] == [2, 0]
    assert desk.states() == ["SUPERSEDED", "IN_FORCE"]
    assert [number(desk, days) for days in (-1, 0)] == [1, 2]


def test_what_was_in_force_at_an_earlier_instant_is_still_found(desk):
    desk.world.clock.move(days=5)
    desk.put_in_force(document())
    desk.world.clock.move(days=5)
    assert [number(desk, days) for days in (-10, -6, -5, 0)] == [1, 1, 2, 2]
    assert refused(desk, asking(-11), desk.author).code is Code.NOT_IN_FORCE


def test_nobody_who_had_a_hand_in_a_version_decides_on_it(desk):
    draft = desk.draft(document())
    second, third = desk.world.actor("second"), desk.world.actor("third")
    desk.world.do(ReviseCreditPolicy(policy=draft.id, document=document(clocks__case_working_days=2)), second)
    desk.simulate(draft)
    found = desk.world.do(SubmitCreditPolicy(policy=draft.id), third)
    assert found.authors == ("author", "second", "third")
    for person in ("author", "second", "third"):
        both = desk.world.actor(person, "credit_committee", "credit_policy_author")
        for asked in (approving(found), RejectCreditPolicy(policy=found.id), ActivateCreditPolicy(policy=found.id)):
            error = refused(desk, asked, both)
            assert (error.code, error.cause) == (Code.SEPARATION_OF_DUTY, "AUTHOR_NOT_APPROVER")
    assert desk.world.do(RejectCreditPolicy(policy=found.id), desk.committee).state is PolicyState.REJECTED


def test_what_is_approved_is_the_content_that_was_read(desk):
    found = desk.ready(document())
    wrong = ApproveCreditPolicy(policy=found.id, content_digest=VERSION_ONE.digest)
    assert refused(desk, wrong, desk.committee).path == ("contentDigest",)
    assert desk.states() == ["IN_FORCE", "IN_REVIEW"]


def test_once_it_is_in_review_its_content_is_fixed(desk):
    found = desk.ready(document())
    again = ReviseCreditPolicy(policy=found.id, document=document(clocks__case_working_days=2))
    for asked, actor in ((approving(found), desk.committee), (ActivateCreditPolicy(policy=found.id), desk.committee)):
        assert refused(desk, again, desk.author).code is Code.INVALID_TRANSITION
        desk.world.do(asked, actor)
    assert refused(desk, again, desk.author).code is Code.INVALID_TRANSITION
    digests = {one.content_digest for one in desk.world.versions(found)}
    assert digests == {found.content_digest}


def test_another_content_has_another_digest_and_a_draft_counts_its_own_number(desk):
    first = desk.draft(document())
    revised = desk.world.do(
        ReviseCreditPolicy(policy=first.id, document=document(limit_rules__stop_days=15), reason="Another"), desk.author
    )
    assert revised.content_digest != first.content_digest
    assert [(one.section, one.place) for one in revised.changes] == [("limit_rules", "stop_days")]
    for text, asked in (
        (document(2), DraftCreditPolicy(document=document(2), reason="a reason")),
        (document(3), ReviseCreditPolicy(policy=first.id, document=document(3))),
    ):
        assert refused(desk, asked, desk.author).path == ("document", "number"), text
    assert desk.draft(document(3)).number == 3


def test_only_what_is_not_in_force_is_withdrawn(desk):
    start = desk.world.clock.now()
    draft, waiting = desk.draft(document(2)), desk.put_in_force(document(3), at=start + timedelta(days=1))
    for one in (draft, waiting):
        taken = desk.world.do(WithdrawCreditPolicy(policy=one.id), desk.committee)
        assert (taken.state, taken.decided_by) == (PolicyState.WITHDRAWN, "chair")
    active = desk.put_in_force(document(4), at=start + timedelta(days=2))
    desk.world.clock.move(days=2)
    error = refused(desk, WithdrawCreditPolicy(policy=active.id), desk.committee)
    assert error.code is Code.INVALID_TRANSITION
    assert number(desk) == 4


def test_of_two_versions_no_time_lets_the_earlier_come_after_the_later(desk):
    at = desk.world.clock.now() + timedelta(days=5)
    desk.put_in_force(document(2), at=at)
    found = desk.ready(document(3))
    for when in (desk.world.clock.now(), at - timedelta(days=1)):
        assert refused(desk, approving(found, in_force_from=when), desk.committee).code is Code.CONFLICT
    early = approving(found, in_force_from=desk.world.clock.now() - timedelta(seconds=1))
    assert refused(desk, early, desk.committee).code is Code.MALFORMED_DATE
    desk.world.do(approving(found, in_force_from=at + timedelta(days=1)), desk.committee)
    assert [number(desk, days) for days in (4, 5, 6)] == [1, 2, 3]


def test_the_department_interprets_a_version_and_the_version_stays_as_it_is(desk):
    found = desk.put_in_force(document())
    asked = InterpretCreditPolicy(
        policy=found.id,
        clause="$.clocks.case_working_days",
        text="Counted from the day after.",
        legal_references=(LAW,),
    )
    written = desk.world.do(asked, desk.committee)
    assert (written.policy, written.written_by, written.legal_references) == (found.id, "chair", (LAW,))
    assert desk.world.current(Interpretation) == [written]
    assert desk.world.versions(found)[-1].stamp == found.stamp
    draft = InterpretCreditPolicy(policy=desk.draft(document(3)).id, clause="$", text="x")
    assert refused(desk, draft, desk.committee).code is Code.INVALID_TRANSITION


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"scorecards__0__characteristics__0__bands__1__points": 19}, Code.MALFORMED, "bands.1.points"),
        ({"scorecards__0__characteristics__0__bands__1__edge": "0"}, Code.MALFORMED, "bands.1.edge"),
        ({"scorecards__0__characteristics__5__inputs": ["age"]}, Code.FORBIDDEN_CATEGORY, "inputs.0"),
        ({"scorecards__0__characteristics__0__code": "A9"}, Code.MALFORMED, "characteristics.0.code"),
        ({"scorecards__0__characteristics__0__maximum": 17}, Code.MALFORMED, "scorecards.0.characteristics"),
        ({"grade_scale__1__floor": 95}, Code.MALFORMED, "grade_scale.1.floor"),
        ({"limit_rules__stop_days": -1}, Code.MALFORMED, "limit_rules.stop_days"),
        ({"limit_rules__stop_days": 1.5}, Code.MALFORMED, "document"),
        ({"surprise": 1}, Code.MALFORMED, "surprise"),
    ],
)
def test_an_unsound_document_is_not_even_drafted_and_its_place_is_named(change, code, place):
    desk = PolicyDesk()
    error = refused(desk, DraftCreditPolicy(document=document(**change), reason="a reason"), desk.author)
    assert (error.code, ".".join(error.path).endswith(place)) == (code, True), error.path
    assert error.path[0] == "document"
    assert len(error.path) == 1 or "$." in error.message
    assert len(desk.world.current(CreditPolicy)) == 1


@pytest.mark.parametrize(
    "text", ["", "[", '{"number": 2, "number": 3}', "[" * 100_000, "9" * 5_000, "NaN", "null", '"\\ud800"']
)
def test_what_is_no_document_is_refused(text):
    desk = PolicyDesk()
    assert refused(desk, DraftCreditPolicy(document=text, reason="a reason"), desk.author).path[0] == "document"


def test_the_document_that_is_kept_is_canonical(desk):
    text = json.dumps(json.loads(document()), indent=4)
    assert desk.draft(text).document == json.dumps(
        json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
