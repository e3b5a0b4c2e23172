import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import canonical
from domain.assessment.approving import ApproveAssessment, RejectAssessment
from domain.assessment.assessing import RequestAssessment
from domain.assessment.assessments import (
    Assessment,
    AssessmentKind,
    AssessmentOutcome,
    AssessmentState,
    CreditPolicy,
    PolicyState,
)
from domain.assessment.evaluate import evaluate
from domain.assessment.receipt import Datum, LimitFacts, Snapshot
from domain.assessment.replay import receipt_text, replay
from domain.assessment.scale import Calibration, ControlKind, Grade, Tier
from domain.assessment.scorecard import Origin
from domain.assessment.version_one import VERSION_ONE
from domain.controls import ControlAction, ControlState
from domain.errors import Code, Conflict, Malformed, NotInForce, NotPermitted, Tampered
from domain.files.history import DefaultKind, DocumentKind, LitigationSeverity, RatingBand
from domain.files.parties import CreditStatus, Customer, FileState, PartyKind, SizeClass
from tests.firms import TODAY, Bill, Desk, yuan


@pytest.fixture
def desk():
    return Desk()


def back(days):
    return TODAY - timedelta(days=days)


def good(desk, name="Good", **basic):
    """A new customer with a sound statement and nothing against it: 74 points, A."""
    file = desk.open(name, established_on=date(2000, 1, 1), size_class=SizeClass.LARGE, industry_code="D44", **basic)
    healthy(desk, file)
    desk.case(file, LitigationSeverity.NONE, back(200))
    desk.rating(file, RatingBand.GOOD, back(200))
    return file


def ailing(desk, file, **figures):
    """A statement that takes 16 points: 58, BB."""
    healthy(desk, file, current_assets=1, net_profit=-1, operating_cash_flow=-1, **figures)


def asked(desk, file, **request):
    """An assessment of a customer that asks for 50,000."""
    return desk.assess(file, **{"requested_limit": yuan(50_000)} | request)


def healthy(desk, file, period_end=date(2026, 6, 30), **figures):
    desk.statement(
        file,
        period_end,
        **{
            "current_assets": 2_000_000,
            "total_liabilities": 2_000_000,
            "tangible_net_worth": 3_000_000,
            "net_profit": 1,
            "audited": True,
        }
        | figures,
    )


def measures(desk, *states):
    return {action.kind for action in desk.world.current(ControlAction) if not states or action.state in states}


def test_the_worked_example_runs_from_records_to_grade_limit_and_terms(desk):
    file = desk.example()
    desk.set(replace(desk.file(file), credit_limit=yuan(160_000)))
    found = desk.assess(file, requested_limit=yuan(90_000))
    assert {line.characteristic: line.points for line in found.points} == {
        "A1": 12, "A2": 7, "A3": 2, "A4": 3, "A5": 2, "A6": 3, "B1": 3, "B2": 3, "B3": 3, "B4": 2, "B5": 3, "B6": 1,
        "B7": 1, "C1": 7, "C2": 4, "C3": 2, "C4": 1, "D1": 2, "D2": 3,
    }  # fmt: skip
    assert (found.score, found.grade, found.tier, found.card) == (64, Grade.BBB, Tier.MEDIUM, "EXISTING")
    assert (found.credit_limit, found.limit_bound_by) == (yuan(74_000), "NEED")
    assert (found.net_days, found.prepayment_bp, found.review_due_on) == (15, 2_000, date(2027, 2, 24))
    assert [(reason.code, reason.points_lost) for reason in found.reasons] == [
        ("A1", 6),
        ("A3", 5),
        ("A2", 3),
        ("A5", 3),
    ]
    assert (found.completeness_bp, found.calibration) == (10_000, Calibration.EXPERT_UNCALIBRATED)
    assert (found.state, found.approver_level, found.prepared_by) == (AssessmentState.IN_REVIEW, "MANAGER", "an")


def test_the_request_leaves_two_entries_and_names_the_policy(desk):
    file = desk.example()
    desk.assess(file)
    collected, decided = desk.world.entries[-2:]
    assert (collected.action, collected.purpose) == ("assessment:collect", "CREDIT_REVIEW")
    assert "financial.tangible_net_worth" in collected.fields
    assert (decided.action, decided.policy) == ("assessment:request", VERSION_ONE.digest)
    assert file.subject_id in decided.subjects


def test_no_confidential_value_stands_on_the_record(desk):
    file = desk.example()
    text = repr(desk.assess(file, requested_limit=yuan(90_000)))
    for value in ("1100000", "110000000", "150000000", "140800", "BROKEN", "Haidian", "1.1", "11 days", "14.2"):
        assert value not in text


def test_the_sealed_receipt_replays_to_the_byte(desk):
    found = desk.assess(desk.example())
    text = desk.world.secret(found, "receipt")
    receipt = replay(VERSION_ONE, text)
    assert (receipt.digest, receipt.inputs_digest) == (found.receipt_digest, found.inputs_digest)
    assert canonical.encode(json.loads(text)).decode() == text


def test_a_receipt_that_was_changed_does_not_replay(desk):
    text = desk.world.secret(desk.assess(desk.example()), "receipt")
    for was, becomes in (
        ('"score":63', '"score":99'),
        ('"net_worth_minor":150000000', '"net_worth_minor":950000000'),
        ("{", "{ "),
    ):
        assert was in text
        with pytest.raises(Tampered):
            replay(VERSION_ONE, text.replace(was, becomes, 1))
    with pytest.raises(NotInForce):
        replay(replace(VERSION_ONE, number=2), text)
    for wrong in ("", "{}", "[]", '{"snapshot":{},"receipt":3}'):
        with pytest.raises(Malformed):
            replay(VERSION_ONE, wrong)


@given(
    st.sampled_from(["EXISTING", "NEW", "INVOICE"]),
    st.data(),
    st.none() | st.integers(0, 10**12),
    st.none() | st.integers(-(10**12), 10**12),
    st.frozensets(st.sampled_from(["INSOLVENCY", "PROVEN_FRAUD"])),
    st.booleans(),
)
@settings(max_examples=60)
def test_every_receipt_replays_to_the_same_bytes(code, data, billing, worth, knock_outs, natural):
    values = {}
    for item in VERSION_ONE.card(code).characteristics:
        names = [name for band in item.bands for name in band.names]
        numbers = (
            st.nothing() if item.bands[0].edge is None else st.integers(-(10**6), 10**6) | st.decimals(-9, 99, places=4)
        )
        value = data.draw(st.none() | numbers | (st.sampled_from(names) if names else st.nothing()))
        if value is not None:
            values[item.code] = Datum(value=value, observed_on=TODAY, origin=Origin.OWN)
    taken = Snapshot(
        as_of=TODAY,
        card=code,
        currency="CNY",
        values=values,
        limits=LimitFacts(monthly_billing_minor=billing, net_worth_minor=worth),
        volumes={"active_months": 12, "sales_invoices": 99},
        knock_outs=knock_outs,
        natural_person=natural,
    )
    receipt = evaluate(VERSION_ONE, taken)
    again = replay(VERSION_ONE, receipt_text(taken, receipt))
    assert canonical.encode(again.to_json()) == canonical.encode(receipt.to_json())


def test_what_an_analyst_may_decide_is_in_force_at_once(desk):
    file = good(desk)
    found = desk.assess(file, requested_limit=yuan(50_000))
    now = desk.file(file)
    assert (found.score, found.grade, found.card) == (74, Grade.A, "NEW")
    assert (found.state, found.approver_level, found.approved_by) == (AssessmentState.IN_FORCE, "ANALYST", None)
    assert (now.assessment, now.score, now.grade, now.tier) == (found.id, 74, Grade.A, Tier.GOOD)
    assert (now.credit_limit, now.net_days, now.prepayment_bp) == (yuan(50_000), 30, 0)
    assert (now.review_due_on, now.credit_status) == (date(2027, 5, 7), CreditStatus.OK)
    assert measures(desk) == {ControlKind.RAISE_LIMIT, ControlKind.EXTEND_TERMS}


def test_a_larger_amount_than_an_analyst_decides_waits_for_a_manager(desk):
    file = good(desk)
    found = desk.assess(file, requested_limit=yuan(250_000))
    assert (found.state, found.approver_level, found.credit_limit) == (
        AssessmentState.IN_REVIEW,
        "MANAGER",
        yuan(250_000),
    )
    assert desk.file(file).assessment is None
    assert measures(desk) == set()


@pytest.mark.parametrize("kind", [PartyKind.SOLE_TRADER, PartyKind.NATURAL_PERSON])
def test_a_person_is_never_assessed_by_a_machine_alone(desk, kind):
    file = good(desk)
    desk.set(replace(desk.world.current(Customer)[0], kind=kind))
    found = desk.assess(file)
    assert found.state is AssessmentState.IN_REVIEW
    empty = desk.open("Empty", kind)
    assert desk.assess(empty).outcome is AssessmentOutcome.INSUFFICIENT_DATA
    assert desk.file(empty).assessment is None


def test_where_data_does_not_suffice_there_is_no_grade_and_service_is_prepaid(desk):
    file = desk.open()
    found = desk.assess(file)
    now = desk.file(file)
    assert (found.outcome, found.score, found.grade) == (AssessmentOutcome.INSUFFICIENT_DATA, None, None)
    assert (found.state, found.credit_limit) == (AssessmentState.IN_FORCE, None)
    assert "Current ratio" in found.missing
    assert (now.assessment, now.grade, now.credit_limit) == (found.id, None, None)
    assert (now.net_days, now.prepayment_bp, now.credit_status) == (0, 10_000, CreditStatus.OK)
    assert measures(desk) == {ControlKind.REQUIRE_PREPAYMENT}


def test_a_firm_known_by_its_invoices_gets_a_grade_and_a_limit_only_for_what_it_asks(desk):
    file = desk.open()
    for month in range(24):
        for buyer in ("b1", "b2", "b3", "b4", "b5"):
            desk.invoice(file, DocumentKind.SALE, back(15 + 30 * month), 100_000, other=buyer)
        for supplier in ("s1", "s2", "s3", "s4"):
            desk.invoice(file, DocumentKind.PURCHASE, back(15 + 30 * month), 80_000, other=supplier)
    found = desk.assess(file)
    assert (found.card, found.grade, found.outcome) == ("INVOICE", Grade.A, AssessmentOutcome.GRADED)
    assert (found.state, found.credit_limit) == (AssessmentState.IN_FORCE, yuan(0))
    assert desk.assess(file, requested_limit=yuan(20_000)).credit_limit == yuan(20_000)
    assert desk.assess(file, requested_limit=yuan(9_000_000)).credit_limit == yuan(50_000)


def test_too_few_invoices_give_no_grade(desk):
    file = desk.open()
    desk.invoice(file, DocumentKind.SALE, back(15), 100, times=19)
    found = desk.assess(file)
    assert (found.card, found.outcome) == ("INVOICE", AssessmentOutcome.INSUFFICIENT_DATA)
    assert "At least 20 valid sales invoices, of the last 24 months" in found.missing


def test_a_knock_out_is_d_for_committee_and_legal_and_a_freeze_is_proposed_at_once(desk):
    file = desk.example()
    desk.default(file, DefaultKind.INSOLVENCY, back(3))
    found = desk.assess(file)
    assert (found.grade, found.tier, found.credit_limit) == (Grade.D, Tier.BLOCKED, yuan(0))
    assert (found.state, found.approver_level) == (AssessmentState.IN_REVIEW, "COMMITTEE_AND_LEGAL")
    assert measures(desk) == {ControlKind.FREEZE_NEW_ORDERS}
    with pytest.raises(NotPermitted):
        desk.approve(found, desk.committee)
    desk.approve(found, desk.board)
    now = desk.file(file)
    assert (now.grade, now.credit_status, now.review_due_on) == (Grade.D, CreditStatus.HOLD, None)
    assert sorted(action.kind.value for action in desk.world.current(ControlAction)) == [
        "FREEZE_NEW_ORDERS",
        "INTENSIFY_MONITORING",
        "REQUIRE_PREPAYMENT",
    ]


def test_own_debt_over_ninety_days_is_a_knock_out(desk):
    file = desk.example()
    desk.bill(file, Bill(back(106), 10, None))
    assert desk.assess(file).reasons[0].code == "OWN_DEBT_OVER_90_DAYS"


def test_disputed_debt_is_none(desk):
    file = desk.example()
    desk.bill(file, Bill(back(106), 10, None, disputed=10))
    assert desk.assess(file).grade is not Grade.D


def test_another_person_approves_and_the_whole_standing_changes_at_once(desk):
    file = desk.example()
    found = desk.assess(file)
    approved = desk.approve(found, desk.manager)
    now = desk.file(file)
    assert (approved.state, approved.approved_by) == (AssessmentState.IN_FORCE, "ma")
    assert (now.assessment, now.grade, now.credit_limit) == (found.id, Grade.BBB, found.credit_limit)
    assert now.credit_status is CreditStatus.OK
    assert measures(desk, ControlState.PROPOSED) == {ControlKind.REQUIRE_PREPAYMENT, ControlKind.INTENSIFY_MONITORING}
    assert {action.assessment for action in desk.world.current(ControlAction)} == {found.id}
    assert desk.world.entries[-1].policy == VERSION_ONE.digest
    with pytest.raises(Malformed) as refused:
        desk.approve(found)
    assert refused.value.code is Code.INVALID_TRANSITION


@pytest.mark.parametrize(
    "operation", [ApproveAssessment, lambda assessment: RejectAssessment(assessment=assessment, reason="no")]
)
def test_who_prepared_it_or_looks_after_the_account_does_not_decide(desk, operation):
    preparer = desk.world.actor("pi", "credit_manager", "credit_committee", "legal")
    owner = desk.world.actor("zhao", "credit_manager")
    found = desk.assess(desk.example(), preparer)
    for person in (preparer, owner):
        with pytest.raises(NotPermitted) as refused:
            desk.world.do(operation(assessment=found.id), person)
        assert refused.value.code is Code.SEPARATION_OF_DUTY
    assert desk.world.current(Assessment)[0].state is AssessmentState.IN_REVIEW


@pytest.mark.parametrize(
    ("level", "roles", "allowed"),
    [
        ("ANALYST", ("credit_analyst",), True),
        ("ANALYST", ("credit_committee",), True),
        ("ANALYST", ("sales",), False),
        ("ANALYST", ("legal",), False),
        ("MANAGER", ("credit_analyst",), False),
        ("MANAGER", ("credit_manager",), True),
        ("COMMITTEE", ("credit_manager", "legal"), False),
        ("COMMITTEE", ("credit_committee",), True),
        ("COMMITTEE_AND_LEGAL", ("credit_committee",), False),
        ("COMMITTEE_AND_LEGAL", ("credit_manager", "legal"), False),
        ("COMMITTEE_AND_LEGAL", ("credit_committee", "legal"), True),
    ],
)
def test_the_approvers_role_covers_the_level(desk, level, roles, allowed):
    found = desk.assess(desk.example())
    desk.set(replace(found, approver_level=level))
    person = desk.world.actor("bo", *roles)
    if allowed:
        assert desk.approve(found, person).state is AssessmentState.IN_FORCE
    else:
        with pytest.raises(NotPermitted) as refused:
            desk.approve(found, person)
        assert level in refused.value.advice


def test_a_rejection_keeps_what_is_in_force_and_its_reason_stays_in_the_log(desk):
    file = desk.example()
    desk.default(file, DefaultKind.FRAUD, back(3))
    found = desk.assess(file)
    rejected = desk.world.do(RejectAssessment(assessment=found.id, reason=" The court has not ruled. "), desk.board)
    assert rejected.state is AssessmentState.REJECTED
    assert desk.file(file).assessment is None
    assert measures(desk, ControlState.CANCELLED) == measures(desk) == {ControlKind.FREEZE_NEW_ORDERS}
    assert desk.world.entries[-1].payload == (("note", "The court has not ruled."),)
    assert "ruled" not in repr(rejected)
    with pytest.raises(Malformed):
        desk.world.do(RejectAssessment(assessment=found.id, reason=" "), desk.board)


def test_a_new_assessment_supersedes_the_one_before_and_leaves_one_in_force(desk):
    file = good(desk)
    first = desk.assess(file, requested_limit=yuan(50_000))
    desk.world.clock.move(days=1)
    second = desk.assess(file, requested_limit=yuan(40_000))
    states = {each.id: each.state for each in desk.world.current(Assessment)}
    assert states == {first.id: AssessmentState.SUPERSEDED, second.id: AssessmentState.IN_FORCE}
    assert desk.file(file).assessment == second.id
    open_now = {
        action.kind: action.state for action in desk.world.current(ControlAction) if action.assessment == second.id
    }
    assert open_now == {ControlKind.LOWER_LIMIT: ControlState.PROPOSED}
    assert measures(desk, ControlState.CANCELLED) == {ControlKind.RAISE_LIMIT, ControlKind.EXTEND_TERMS}


def test_a_request_takes_the_place_of_one_that_waits(desk):
    file = desk.example()
    first = asked(desk, file)
    second = asked(desk, file)
    states = {each.id: each.state for each in desk.world.current(Assessment)}
    assert states == {first.id: AssessmentState.WITHDRAWN, second.id: AssessmentState.IN_REVIEW}


def test_a_measure_that_is_open_already_is_not_proposed_twice(desk):
    file = good(desk)
    ailing(desk, file)
    desk.approve(asked(desk, file))
    before = desk.world.current(ControlAction)
    assert measures(desk) == {ControlKind.REQUIRE_PREPAYMENT, ControlKind.INTENSIFY_MONITORING}
    desk.world.clock.move(days=1)
    desk.approve(asked(desk, file))
    assert desk.world.current(ControlAction) == before


def test_an_upgrade_waits_ninety_days_and_takes_one_notch(desk):
    file = good(desk)
    ailing(desk, file)
    low = asked(desk, file, as_of=back(89))
    assert low.grade is Grade.BB
    desk.approve(low)
    healthy(desk, file, date(2026, 9, 30))
    soon = asked(desk, file)
    assert (soon.score, soon.grade) == (74, Grade.BB)
    assert soon.reasons[0].code == "UPGRADE_TOO_SOON"
    desk.world.clock.move(days=1)
    later = asked(desk, file)
    assert (later.grade, later.reasons[0].code) == (Grade.BBB, "UPGRADE_BY_NOTCHES")


def test_a_renewed_grade_does_not_begin_the_ninety_days_anew(desk):
    file = good(desk)
    ailing(desk, file)
    for days in (100, 50):
        desk.approve(asked(desk, file, as_of=back(days)))
    healthy(desk, file, date(2026, 9, 30))
    assert asked(desk, file).grade is Grade.BBB


def test_after_an_input_was_corrected_the_grade_is_restored_at_once(desk):
    file = good(desk)
    ailing(desk, file)
    low = desk.approve(asked(desk, file))
    desk.set(replace(low, state=AssessmentState.INVALIDATED))
    desk.world.clock.move(days=1)
    healthy(desk, file, date(2026, 9, 30))
    assert asked(desk, file).grade is Grade.A


def test_a_downgrade_comes_at_once(desk):
    file = good(desk)
    asked(desk, file)
    ailing(desk, file)
    assert asked(desk, file).grade is Grade.BB


def test_an_older_day_never_replaces_a_newer_one(desk):
    file = good(desk)
    asked(desk, file)
    with pytest.raises(Conflict):
        asked(desk, file, as_of=back(1))


def test_what_was_overtaken_is_not_approved_any_more(desk):
    file = good(desk)
    waiting = desk.assess(file, requested_limit=yuan(250_000))
    desk.world.clock.move(hours=1)
    newer = desk.assess(file, requested_limit=yuan(50_000))
    desk.set(replace(desk.world.versions(waiting)[-1], state=AssessmentState.IN_REVIEW))
    with pytest.raises(Conflict):
        desk.approve(waiting)
    assert desk.file(file).assessment == newer.id


def test_an_assessment_under_an_older_policy_is_not_approved(desk):
    found = desk.assess(desk.example())
    desk.set(replace(desk.world.current(CreditPolicy)[0], state=PolicyState.SUPERSEDED))
    with pytest.raises(NotInForce):
        desk.approve(found)


def test_a_simulated_assessment_changes_nothing(desk):
    file = good(desk)
    before = desk.assess(file, requested_limit=yuan(10_000))
    found = desk.assess(file, kind=AssessmentKind.SIMULATED, as_of=back(20), requested_limit=yuan(50_000))
    assert (found.state, found.grade) == (AssessmentState.SCORED, Grade.A)
    assert desk.file(file).assessment == before.id
    assert ControlKind.RAISE_LIMIT in measures(desk)
    with pytest.raises(Malformed):
        desk.approve(found)


def test_what_changed_while_it_was_collected_is_collected_again(desk):
    file = good(desk)
    desk.world.vault.before = lambda: healthy(desk, file, date(2026, 9, 30), current_assets=1)
    found = desk.assess(file)
    points = {line.characteristic: line.points for line in found.points}
    assert points["B1"] == 0
    actions = [entry.action for entry in desk.world.entries]
    assert actions.count("assessment:collect") == 2
    assert actions.count("assessment:request") == 1


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"as_of": TODAY + timedelta(days=1)}, Malformed),
        ({"requested_limit": yuan(0)}, Malformed),
        ({"requested_limit": yuan(-5)}, Malformed),
        ({"requested_limit": yuan(5, "USD")}, NotInForce),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(desk, request_, error):
    file = good(desk)
    with pytest.raises(error):
        desk.assess(file, **request_)
    assert desk.world.current(Assessment) == []


def test_a_day_that_has_begun_where_the_company_is_may_be_assessed(desk):
    file = good(desk)
    desk.world.clock.move(hours=8)
    assert desk.assess(file).as_of == TODAY + timedelta(days=1)


def test_a_restricted_file_is_not_assessed(desk):
    file = good(desk)
    desk.set(replace(desk.file(file), state=FileState.RESTRICTED))
    with pytest.raises(Malformed):
        desk.assess(file)


def test_another_currency_on_file_is_refused_and_leaves_nothing(desk):
    file = good(desk)
    desk.bill(file, Bill(back(20), 100), currency="USD")
    with pytest.raises(NotInForce):
        desk.assess(file)
    assert desk.world.current(Assessment) == []


def test_who_may_request_but_not_collect_gets_nothing(desk):
    file = good(desk)
    desk.world.grants.denied.add("assessment:collect")
    with pytest.raises(NotPermitted):
        desk.assess(file)
    assert desk.world.vault.warrants == []


def test_the_decision_is_the_same_whoever_asks(desk):
    file = good(desk)
    by_sales = desk.assess(file, desk.sales, kind=AssessmentKind.SIMULATED)
    by_analyst = desk.assess(file, kind=AssessmentKind.SIMULATED)
    assert by_sales.receipt_digest == by_analyst.receipt_digest


def test_every_fault_leaves_before_or_after(desk):
    file = good(desk)
    request = RequestAssessment(credit_file=file.id, requested_limit=yuan(50_000))
    before = desk.world.store.state
    desk.world.faults.steps.clear()
    desk.world.do(request, desk.analyst)
    steps = len(desk.world.faults.steps)
    last = desk.world.faults.steps.index("acknowledge", desk.world.faults.steps.index("open"))
    for at in range(steps):
        desk.world.store.state = before
        desk.world.faults.steps.clear()
        desk.world.faults.at = at
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever broke, the state is what counts
            desk.world.do(request, desk.analyst)
        desk.world.faults.at = None
        kept = desk.world.current(Assessment)
        assert (len(kept) == 1) is (at >= last)
        assert (desk.file(file).assessment is None) is not bool(kept)
