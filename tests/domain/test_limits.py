from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessment.limits import eligible_security, recommended_limit
from domain.assessment.receipt import LimitFacts, Pledged
from domain.assessment.scale import Grade, SecurityKind, SecurityState
from domain.assessment.version_one import VERSION_ONE

TODAY = date(2025, 6, 30)
YUAN = 100
EXISTING, NEW, _ = VERSION_ONE.scorecards
HAIRCUTS = VERSION_ONE.limit_rules.haircuts


def pledged(kind, yuan, **change):
    whole = {"kind": kind, "minor": yuan * YUAN, "state": SecurityState.ACTIVE, "valid_to": None}
    return Pledged(**whole | change)


def facts(billing, worth, **more):
    return LimitFacts(
        monthly_billing_minor=billing * YUAN, net_worth_minor=None if worth is None else worth * YUAN, **more
    )


def limit(grade, given, card=EXISTING):
    return recommended_limit(VERSION_ONE, card, grade, given, TODAY)


@pytest.mark.parametrize(
    ("grade", "days", "granted", "yuan"),
    [
        (Grade.AAA, 125, 12_500_000, 125_000),
        (Grade.AA, 110, 8_800_000, 88_000),
        (Grade.A, 95, 6_333_333, 63_000),
        (Grade.BBB, 80, 2_986_666, 29_000),
        (Grade.BB, 72, 1_200_000, 12_000),
        (Grade.B, 65, 0, 0),
        (Grade.CCC, 65, 0, 0),
    ],
)
def test_the_table_of_grades_at_twenty_thousand_a_month(grade, days, granted, yuan):
    found = limit(grade, facts(20_000, 3_000_000))
    steps = {step.code: step.minor for step in found.steps}
    assert (found.days, steps["NEED"], found.minor) == (days, granted, yuan * YUAN)
    assert found.bound_by == "NEED"


GUARANTEE = pledged(SecurityKind.BANK_GUARANTEE, 50_000, valid_to=date(2026, 6, 30))
DEPOSIT = pledged(SecurityKind.SECURITY_DEPOSIT, 40_000)


@pytest.mark.parametrize(
    ("grade", "given", "days", "yuan", "bound_by"),
    [
        (Grade.A, facts(20_000, None), 95, 20_000, "NET_WORTH_UNKNOWN"),
        (Grade.A, facts(20_000, 400_000), 95, 40_000, "NET_WORTH"),
        (Grade.A, facts(20_000, 3_000_000, securities=(GUARANTEE,)), 95, 113_000, "NEED"),
        (Grade.A, facts(20_000, 3_000_000, stop_days=15), 80, 53_000, "NEED"),
        (Grade.B, facts(20_000, 3_000_000, securities=(DEPOSIT,)), 65, 40_000, "NEED"),
        (Grade.BBB, facts(50_000, 1_500_000), 80, 74_000, "NEED"),
        (Grade.AAA, facts(200_000, 8_000_000), 125, 800_000, "NET_WORTH"),
        (Grade.A, facts(20_000, 0), 95, 0, "NET_WORTH"),
        (Grade.A, facts(20_000, -5), 95, 0, "NET_WORTH"),
        (Grade.A, facts(20_000, 3_000_000, tenant_credit_sales_minor=300_000 * YUAN), 95, 30_000, "CONCENTRATION"),
        (Grade.A, facts(20_000, 3_000_000, insurer_cap_minor=25_500 * YUAN), 95, 25_000, "INSURER"),
        (Grade.A, facts(20_000, 3_000_000, billing_cycle_days=7, invoice_lag_days=0), 67, 44_000, "NEED"),
        (Grade.D, facts(20_000, 3_000_000, securities=(DEPOSIT,)), 65, 0, "BLOCKED"),
        (Grade.CCC, facts(20_000, 3_000_000, securities=(DEPOSIT,)), 65, 40_000, "NEED"),
    ],
)
def test_the_further_examples(grade, given, days, yuan, bound_by):
    found = limit(grade, given)
    assert (found.days, found.minor, found.bound_by) == (days, yuan * YUAN, bound_by)


def test_without_a_known_billing_only_security_makes_a_limit():
    nothing = LimitFacts(monthly_billing_minor=None, securities=(DEPOSIT,))
    assert limit(Grade.AAA, nothing).minor == 40_000 * YUAN


def test_a_new_customer_starts_with_at_most_one_months_billing():
    found = limit(Grade.A, facts(20_500, 3_000_000, securities=(DEPOSIT,)), card=NEW)
    assert (found.minor, found.bound_by) == (20_000 * YUAN, "STARTER")


def test_the_factor_of_grade_b_counts_only_on_top_of_two_months_deposit():
    granted = {"granted_prepayment_bp": 5_000}
    assert limit(Grade.B, facts(20_000, 3_000_000, securities=(DEPOSIT,), **granted)).minor == 45_000 * YUAN
    less = pledged(SecurityKind.SECURITY_DEPOSIT, 39_999)
    assert limit(Grade.B, facts(20_000, 3_000_000, securities=(less,), **granted)).minor == 39_000 * YUAN
    assert limit(Grade.A, facts(20_000, 3_000_000, **granted)).minor == 31_000 * YUAN


@pytest.mark.parametrize(
    ("kind", "factor"),
    [
        (SecurityKind.SECURITY_DEPOSIT, 10_000),
        (SecurityKind.BANK_GUARANTEE, 10_000),
        (SecurityKind.CREDIT_INSURANCE, 9_000),
        (SecurityKind.PERSONAL_GUARANTEE, 2_000),
        (SecurityKind.EARNEST_MONEY, 0),
        (SecurityKind.PLEDGE, 0),
        (SecurityKind.PREPAYMENT, 0),
    ],
)
def test_each_security_counts_by_its_factor(kind, factor):
    assert eligible_security(HAIRCUTS, [pledged(kind, 100)], TODAY) == factor


def test_a_companys_guarantee_counts_half_and_only_where_it_is_rated():
    given = pledged(SecurityKind.CORPORATE_GUARANTEE, 100)
    assert eligible_security(HAIRCUTS, [given], TODAY) == 0
    assert eligible_security(HAIRCUTS, [replace(given, rated=True)], TODAY) == 5_000


def test_a_bank_guarantee_counts_until_thirty_days_before_it_ends():
    ends = TODAY + timedelta(days=30)
    kind = SecurityKind.BANK_GUARANTEE
    assert eligible_security(HAIRCUTS, [pledged(kind, 1, valid_to=ends)], TODAY) == 100
    assert eligible_security(HAIRCUTS, [pledged(kind, 1, valid_to=ends - timedelta(days=1))], TODAY) == 0


def test_other_security_counts_until_its_last_day():
    kind = SecurityKind.SECURITY_DEPOSIT
    assert eligible_security(HAIRCUTS, [pledged(kind, 1, valid_to=TODAY)], TODAY) == 100
    assert eligible_security(HAIRCUTS, [pledged(kind, 1, valid_to=TODAY - timedelta(days=1))], TODAY) == 0


@pytest.mark.parametrize("state", SecurityState)
def test_security_counts_only_while_active_or_expiring(state):
    counted = eligible_security(HAIRCUTS, [replace(DEPOSIT, state=state)], TODAY)
    assert bool(counted) is (state in {SecurityState.ACTIVE, SecurityState.EXPIRING})


MONEY = st.integers(0, 10**13)
FACTS = st.builds(
    LimitFacts,
    monthly_billing_minor=st.none() | MONEY,
    net_worth_minor=st.none() | st.integers(-(10**13), 10**13),
    tenant_credit_sales_minor=st.none() | MONEY,
    insurer_cap_minor=st.none() | MONEY,
    billing_cycle_days=st.none() | st.integers(0, 120),
    stop_days=st.none() | st.integers(0, 120),
    granted_prepayment_bp=st.none() | st.integers(0, 10_000),
    securities=st.lists(
        st.builds(
            Pledged,
            kind=st.sampled_from(SecurityKind),
            minor=MONEY,
            state=st.sampled_from(SecurityState),
            valid_to=st.none() | st.dates(TODAY - timedelta(days=60), TODAY + timedelta(days=60)),
            rated=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
)


@given(FACTS, st.sampled_from(VERSION_ONE.scorecards))
@settings(max_examples=200)
def test_with_equal_facts_the_limit_never_falls_as_the_grade_improves(given, card):
    limits = [limit(grade, given, card).minor for grade in Grade]
    assert limits == sorted(limits, reverse=True)
    assert all(minor >= 0 and minor % (1_000 * YUAN) == 0 for minor in limits)


@given(FACTS, st.sampled_from(Grade), st.integers(0, 10**12))
@settings(max_examples=100)
def test_further_security_never_lowers_the_limit(given, grade, minor):
    more = replace(given, securities=(*given.securities, replace(DEPOSIT, minor=minor)))
    assert limit(grade, more).minor >= limit(grade, given).minor


def test_a_need_that_is_not_known_is_told_apart_from_none():
    def found(billing):
        return recommended_limit(VERSION_ONE, EXISTING, Grade.A, LimitFacts(monthly_billing_minor=billing), TODAY)

    assert (found(None).minor, found(None).bound_by) == (0, "NEED_UNKNOWN")
    assert (found(0).minor, found(0).bound_by) == (0, "NEED")
