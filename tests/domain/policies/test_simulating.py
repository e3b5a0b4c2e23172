"""A draft run over the whole book says what assessing every file under it would say, and changes nothing."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from domain.assessment.assessments import Assessment, AssessmentKind, CreditPolicy, PolicyState
from domain.assessment.scale import Tier
from domain.assessment.versions import trying
from domain.assessment.versions.deciding import ApproveCreditPolicy
from domain.assessment.versions.drafting import ReviseCreditPolicy, SubmitCreditPolicy
from domain.assessment.versions.simulating import SimulateCreditPolicy
from domain.assessment.versions.simulations import PolicySimulation
from domain.assessment.versions.tallying import Compared, Result, Tally, counted
from domain.assessment.versions.trying import TryCreditPolicy
from domain.errors import Code, CreditError
from domain.files.history import DefaultKind
from domain.files.parties import FileState, PartyKind
from tests.domain.policies.desk import PolicyDesk, document
from tests.firms import TODAY
from tests.stored import StoredWorld

STRICT = {"grade_scale__0__floor": 95, "grade_scale__2__floor": 75, "limit_rules__factors_bp__A": 9_000}


@pytest.fixture
def desk(database, loop, tmp_path):
    with StoredWorld(database, loop, tmp_path) as world:
        yield PolicyDesk(world)


def refused(desk, asked, actor):
    with pytest.raises(CreditError) as raised:
        desk.world.do(asked, actor)
    return raised.value


def book(desk):
    """Firms of several kinds: graded, without data, knocked out, in force and never assessed."""
    files = [desk.example(), *(desk.open(name, registered_capital=None) for name in ("Beta", "Gamma"))]
    out = desk.open("Delta")
    desk.default(out, DefaultKind.INSOLVENCY, TODAY)
    return [*files, out]


def dry(desk, file):
    """The file assessed alone, kept and without effect, under the version in force."""
    return desk.assess(file, kind=AssessmentKind.SIMULATED)


def test_a_simulation_says_what_assessing_every_file_one_by_one_says(desk, monkeypatch):
    monkeypatch.setattr(trying, "AT_ONCE", 3)
    monkeypatch.setattr("api.simulating.AT_ONCE", 3)
    monkeypatch.setattr(TryCreditPolicy.__init__, "__kwdefaults__", {"after": "", "most": 3})
    files = book(desk)
    before = [dry(desk, file) for file in files]
    draft = desk.draft(document(**STRICT))
    found = desk.simulate(draft)
    desk.world.do(SubmitCreditPolicy(policy=draft.id), desk.author)
    decided = ApproveCreditPolicy(
        policy=draft.id, content_digest=draft.content_digest, in_force_from=desk.world.clock.now()
    )
    desk.world.do(decided, desk.committee)
    after = [dry(desk, file) for file in files]
    assert {one.policy for one in after} == {draft.id}

    def word(one):
        return one.grade.value if one.grade else "NONE"

    def limit(some):
        return sum((one.credit_limit.amount for one in some if one.credit_limit), Decimal(0))

    pairs = Counter((word(left), word(right)) for left, right in zip(before, after, strict=True))
    assert {(one.before, one.after): one.files for one in found.migrations} == pairs
    assert (found.files, found.failed, found.limit_before.amount, found.limit_after.amount) == (
        4,
        0,
        limit(before),
        limit(after),
    )
    blocked = sum(a.tier is Tier.BLOCKED and b.tier is not Tier.BLOCKED for b, a in zip(before, after, strict=True))
    assert (found.newly_blocked, found.ungraded) == (blocked, sum(one.grade is None for one in after))
    assert (found.content_digest, found.run_by) == (draft.content_digest, "author")
    for kind in ("KIND", "INDUSTRY", "DEPARTMENT"):
        parts = [one for one in found.segments if one.kind == kind]
        assert sum(one.files for one in parts) == 4
        assert sum(one.limit_after for one in parts) == limit(after)


def test_simulating_changes_no_assessment_and_no_file_and_leaves_its_entry(desk):
    files = book(desk)
    desk.assess(files[0])
    draft = desk.draft(document(**STRICT))
    kept, stood, leaves = desk.world.rows(Assessment), [desk.file(one) for one in files], len(desk.world.leaves())
    found = desk.simulate(draft)
    assert desk.world.rows(Assessment) == kept
    assert [desk.file(one) for one in files] == stood
    new = desk.world.leaves()[leaves:]
    assert sum(b"credit_policy:simulate" in leaf for leaf in new) == 1
    # What each page opens is recorded, as for any assessment, and that it was tried.
    assert sum(b"assessment:collect" in leaf for leaf in new) == sum(b"credit_policy:try" in leaf for leaf in new) == 1
    assert len(new) == 3
    assert desk.world.current(PolicySimulation) == [found]
    assert desk.world.findings() == []


def test_without_a_simulation_of_its_content_nobody_submits_a_draft(desk):
    draft = desk.draft(document())
    asked = SubmitCreditPolicy(policy=draft.id)
    assert "not simulated" in refused(desk, asked, desk.author).message
    desk.simulate(draft)
    assert desk.states() == ["IN_FORCE", "SIMULATED"]
    desk.world.do(ReviseCreditPolicy(policy=draft.id, document=document(limit_rules__stop_days=15)), desk.author)
    assert desk.states() == ["IN_FORCE", "DRAFT"]
    assert "not simulated" in refused(desk, asked, desk.author).message
    desk.simulate(draft)
    desk.put_in_force(document(3))
    assert "since it was simulated" in refused(desk, asked, desk.author).message
    desk.simulate(draft)
    assert desk.world.do(asked, desk.author).state is PolicyState.IN_REVIEW


def test_whoever_simulates_has_a_hand_in_it(desk):
    draft = desk.draft(document())
    desk.simulate(draft, desk.world.actor("figures", "credit_policy_author"))
    found = desk.world.do(SubmitCreditPolicy(policy=draft.id), desk.author)
    both = desk.world.actor("figures", "credit_committee")
    asked = ApproveCreditPolicy(policy=found.id, content_digest=found.content_digest)
    assert refused(desk, asked, both).code is Code.SEPARATION_OF_DUTY


def test_a_count_of_other_content_is_not_kept(desk):
    draft = desk.draft(document())
    for tally in (None, Tally(content_digest="0" * 64, against=draft.base)):
        asked = SimulateCreditPolicy(policy=draft.id, tally=tally, began_at=desk.world.clock.now())
        assert refused(desk, asked, desk.author).code is Code.CONFLICT


def test_equal_inputs_have_an_equal_digest_and_a_file_more_has_another(desk):
    book(desk)
    draft = desk.draft(document())
    first, second = desk.simulate(draft), desk.simulate(draft)
    assert first.inputs_digest == second.inputs_digest
    desk.open("Epsilon")
    assert desk.simulate(draft).inputs_digest != first.inputs_digest


def test_a_file_that_is_not_open_is_left_out_and_one_in_another_currency_is_told(desk):
    files = book(desk)
    draft = desk.draft(document(currency="USD"))
    found = desk.simulate(draft)
    assert found.failed > 0
    assert set(found.failed_files) <= {one.id for one in files}
    assert found.limit_after.currency == "USD"
    assert desk.file(files[0]).state is FileState.OPEN


def test_an_empty_book_is_simulated_too(desk):
    found = desk.simulate(desk.draft(document()))
    assert (found.files, found.winners, found.migrations, found.segments) == (0, 0, (), ())
    assert len(desk.world.current(CreditPolicy)) == 2


def test_counted_page_by_page_it_is_the_same_as_counted_at_once():
    grades = [None, *Tier]
    rows = [
        Compared(
            file=f"cf_{place}",
            inputs=str(place),
            before=Result(grade=None, tier=grades[place % 5], limit_minor=place),
            after=None if place % 7 == 0 else Result(grade=None, tier=grades[place % 3], limit_minor=place * 2 % 11),
            segments=(("KIND", PartyKind.ENTERPRISE.value),),
        )
        for place in range(60)
    ]
    begun = Tally(content_digest="a", against="b")
    whole, parts = counted(begun, rows), begun
    for start in range(0, 60, 7):
        parts = counted(parts, rows[start : start + 7])
    assert parts == whole
    assert whole.failed == 9
