from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessment.evaluate import evaluate
from domain.assessment.plan import control_plan, granted
from domain.assessment.receipt import Limit, LimitFacts, Snapshot, Standing
from domain.assessment.scale import ControlBasis, ControlKind, Grade, Tier
from domain.assessment.version_one import VERSION_ONE

TODAY = date(2025, 6, 30)
EMPTY = evaluate(
    VERSION_ONE,
    Snapshot(as_of=TODAY, card="NEW", currency="CNY", values={}, limits=LimitFacts(monthly_billing_minor=None)),
)


def graded(grade, minor=0):
    terms = VERSION_ONE.terms_rules.grades[grade]
    return replace(
        EMPTY,
        grade=grade,
        limit=Limit(minor=minor, bound_by="NEED", days=0, steps=()),
        net_days=terms.net_days,
        prepayment_bp=terms.prepayment_bp,
        security=terms.security,
    )


def before(grade, minor):
    terms = VERSION_ONE.terms_rules.grades[grade]
    return Standing(
        grade=grade,
        grade_changed_on=TODAY,
        limit_minor=minor,
        net_days=terms.net_days,
        prepayment_bp=terms.prepayment_bp,
    )


def kinds(receipt, previous=None):
    return [action.kind.value for action in control_plan(VERSION_ONE, granted(receipt), previous)]


@pytest.mark.parametrize(
    ("grade", "minor", "plan"),
    [
        (Grade.AAA, 100, ["RAISE_LIMIT", "EXTEND_TERMS"]),
        (Grade.A, 100, ["RAISE_LIMIT", "EXTEND_TERMS"]),
        (Grade.BBB, 100, ["REQUIRE_PREPAYMENT", "INTENSIFY_MONITORING"]),
        (Grade.BB, 100, ["REQUIRE_PREPAYMENT", "INTENSIFY_MONITORING"]),
        (
            Grade.B,
            0,
            ["REQUIRE_PREPAYMENT", "REQUIRE_SECURITY", "INTENSIFY_MONITORING", "RESTRICT_SERVICE", "FREEZE_NEW_ORDERS"],
        ),
        (
            Grade.CCC,
            0,
            ["REQUIRE_PREPAYMENT", "REQUIRE_SECURITY", "INTENSIFY_MONITORING", "RESTRICT_SERVICE", "FREEZE_NEW_ORDERS"],
        ),
        (Grade.D, 0, ["REQUIRE_PREPAYMENT", "INTENSIFY_MONITORING", "FREEZE_NEW_ORDERS"]),
    ],
)
def test_a_first_assessment_leads_to_the_measures_of_its_tier(grade, minor, plan):
    assert kinds(graded(grade, minor)) == plan


def test_where_data_did_not_suffice_service_is_prepaid():
    plan = control_plan(VERSION_ONE, granted(EMPTY), None)
    assert [action.kind for action in plan] == [ControlKind.REQUIRE_PREPAYMENT]
    assert plan[0].exit_condition == "The missing data is on file and assessed."


def test_a_downgrade_lowers_the_limit_and_shortens_the_terms():
    assert kinds(graded(Grade.BBB, 50), before(Grade.A, 100)) == [
        "LOWER_LIMIT",
        "SHORTEN_TERMS",
        "REQUIRE_PREPAYMENT",
        "INTENSIFY_MONITORING",
    ]


def test_an_upgrade_raises_the_limit_and_extends_the_terms():
    assert kinds(graded(Grade.AA, 200), before(Grade.A, 100)) == ["RAISE_LIMIT", "EXTEND_TERMS"]
    assert kinds(graded(Grade.BBB, 200), before(Grade.BB, 100))[:2] == ["RAISE_LIMIT", "EXTEND_TERMS"]


def test_an_unchanged_good_customer_needs_nothing():
    assert kinds(graded(Grade.A, 100), before(Grade.A, 100)) == []


def test_losing_the_grade_lowers_the_limit():
    assert kinds(EMPTY, before(Grade.A, 100)) == ["LOWER_LIMIT", "SHORTEN_TERMS", "REQUIRE_PREPAYMENT"]


def test_every_action_rests_on_the_credit_policy_and_says_when_it_ends():
    for grade in Grade:
        for action in control_plan(VERSION_ONE, granted(graded(grade)), before(Grade.AAA, 1)):
            assert action.basis is ControlBasis.CREDIT_POLICY
            assert action.scope.endswith(".")
            assert action.exit_condition.endswith(".")
            assert action.deadline_days >= 0


def test_a_blocked_customer_keeps_its_prepaid_service():
    freeze = control_plan(VERSION_ONE, granted(graded(Grade.D)), None)[-1]
    assert "prepaid undisputed service goes on" in freeze.scope
    assert freeze.deadline_days == 0


def test_a_tier_that_gives_nothing_to_the_good_asks_nothing_of_them():
    asked = {"REQUIRE_SECURITY", "RESTRICT_SERVICE", "FREEZE_NEW_ORDERS", "REQUIRE_PREPAYMENT"}
    for band in VERSION_ONE.grade_scale:
        if band.tier is Tier.GOOD:
            assert not asked & set(kinds(graded(band.grade, 1)))


@given(st.sampled_from(Grade), st.integers(0, 5), st.none() | st.tuples(st.sampled_from(Grade), st.integers(0, 5)))
@settings(max_examples=100)
def test_no_plan_moves_one_thing_both_ways(grade, minor, previous):
    plan = kinds(graded(grade, minor), before(*previous) if previous else None)
    assert not {"RAISE_LIMIT", "LOWER_LIMIT"} <= set(plan)
    assert not {"EXTEND_TERMS", "SHORTEN_TERMS"} <= set(plan)
    assert len(set(plan)) == len(plan)


def test_the_arrears_ladder_of_telecom_waits_thirty_days_before_suspension():
    telecom = [step for step in VERSION_ONE.control_rules.ladder if step.regime.value == "TELECOM"]
    assert [step.past_due_days for step in telecom] == [1, 7, 15, 30, 31, 60, 90]
    suspends = [step.past_due_days for step in telecom if ControlKind.SUSPEND_SERVICE in step.kinds]
    assert suspends == [30]


def test_terms_without_a_limit_are_none():
    assert kinds(graded(Grade.A, 0)) == []
    assert kinds(graded(Grade.A, 0), before(Grade.A, 0)) == []
    assert kinds(graded(Grade.A, 100), before(Grade.A, 0)) == ["RAISE_LIMIT", "EXTEND_TERMS"]
    assert kinds(graded(Grade.A, 0), before(Grade.A, 100)) == ["LOWER_LIMIT", "SHORTEN_TERMS"]


def test_no_measure_of_the_policy_takes_away_from_service_that_runs():
    plans = [control_plan(VERSION_ONE, granted(graded(grade)), None) for grade in Grade]
    narrowed = [each for plan in plans for each in plan if each.kind is ControlKind.RESTRICT_SERVICE]
    assert narrowed
    assert all(each.scope.startswith("New services") for each in narrowed)
