from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessment.evidence import features
from domain.assessment.evidence.features import Statement, statement_data
from domain.assessment.version_one import VERSION_ONE

TODAY = date(2025, 6, 30)
RULES = VERSION_ONE.review_rules
FULL = Statement(
    period_end=date(2024, 12, 31),
    audited=False,
    current_assets=110,
    current_liabilities=100,
    total_assets=100,
    total_liabilities=62,
    tangible_net_worth=1_000,
    net_profit=-1,
    operating_cash_flow=1,
)


def values(statement, requested=60, as_of=TODAY):
    data = statement_data(statement, as_of=as_of, rules=RULES, requested_limit=requested)
    return {code: datum.value for code, datum in data.items()}


def test_the_ratios_of_the_example():
    assert values(FULL) == {
        "B1": Decimal("1.1"),
        "B2": 6_200,
        "B3": "CASH_FLOW_ONLY",
        "B4": 600,
        "C4": "UNAUDITED",
    }


@pytest.mark.parametrize(
    ("profit", "cash", "label"),
    [(1, 1, "BOTH_POSITIVE"), (0, 1, "CASH_FLOW_ONLY"), (1, 0, "PROFIT_ONLY"), (0, 0, "NEITHER")],
)
def test_profit_and_cash_flow_count_only_above_zero(profit, cash, label):
    assert values(replace(FULL, net_profit=profit, operating_cash_flow=cash))["B3"] == label


def test_what_cannot_be_divided_has_a_label():
    odd = replace(FULL, current_liabilities=0, total_assets=0, tangible_net_worth=0)
    found = values(odd)
    assert (found["B1"], found["B2"], found["B4"]) == ("NO_CURRENT_LIABILITIES", "NO_ASSETS", "NET_WORTH_NOT_POSITIVE")


def test_what_a_statement_does_not_say_is_absent():
    assert values(Statement(period_end=FULL.period_end, audited=True)) == {"C4": "AUDITED"}
    assert "B4" not in values(FULL, requested=None)


def test_a_statement_scores_for_fifteen_months_and_is_fresh_for_twelve():
    data = statement_data(FULL, as_of=date(2026, 3, 30), rules=RULES, requested_limit=60)
    assert data["B1"].expires_on == date(2026, 3, 31)
    assert data["C4"].value == "OLD_OR_NONE"
    assert values(replace(FULL, audited=True), as_of=date(2025, 12, 31))["C4"] == "AUDITED"
    assert values(FULL, as_of=date(2026, 1, 1))["C4"] == "OLD_OR_NONE"


@pytest.mark.parametrize(
    ("established", "years"),
    [(date(2015, 6, 30), 10), (date(2015, 7, 1), 9), (date(2026, 1, 1), 0), (date(2024, 2, 29), 1)],
)
def test_years_in_operation_are_complete_years(established, years):
    assert features.years_in_operation(established, TODAY) == years


@pytest.mark.parametrize(
    ("unsatisfied", "worth", "enforced", "label"),
    [
        (0, None, False, "NONE"),
        (10, 1_000, False, "MINOR"),
        (11, 1_000, False, "MATERIAL"),
        (100, 1_000, False, "MATERIAL"),
        (101, 1_000, False, "SEVERE"),
        (1, 1_000, True, "SEVERE"),
        (1, 0, False, "SEVERE"),
        (1, None, False, "SEVERE"),
    ],
)
def test_judgments_weigh_against_the_net_worth(unsatisfied, worth, enforced, label):
    assert features.judgment_severity(unsatisfied, worth, enforced=enforced) == label


def test_judgments_above_half_the_net_worth_are_seen_exactly():
    assert features.judgments_bp(500, 1_000) == 5_000
    assert features.judgments_bp(500_000_001, 1_000_000_000) == 5_001
    assert features.judgments_bp(0, None) == 0
    assert features.judgments_bp(1, None) is None
    assert features.judgments_bp(1, 0) > 5_000


@pytest.mark.parametrize(
    ("months", "burst"),
    [
        ([1, 10, 10, 10, 5, 22, 7], Decimal("2.2")),
        ([0, 0, 0, 0, 1, 0], "FROM_NOTHING"),
        ([0, 0, 0, 0, 0, 0], None),
        ([1, 1, 1, 1, 1], None),
    ],
)
def test_a_usage_burst_compares_the_largest_month_with_the_three_before(months, burst):
    assert features.usage_burst(months) == burst


def test_peak_utilisation_is_the_largest_share_of_the_limit():
    assert features.peak_utilisation_bp([40, 85, 60], 100) == 8_500
    assert features.peak_utilisation_bp([], 100) is None
    assert features.peak_utilisation_bp([1], 0) is None


@pytest.mark.parametrize(
    ("existing", "file", "invoices", "card"),
    [
        (True, True, 9, "EXISTING"),
        (False, True, 9, "NEW"),
        (False, False, 9, "INVOICE"),
        (False, False, 0, "NEW"),
    ],
)
def test_the_card_follows_what_is_known(existing, file, invoices, card):
    assert features.card_for(existing=existing, statement_or_record=file, sales_invoices=invoices) == card


EDGES = st.sampled_from(
    [band.edge for card in VERSION_ONE.scorecards for item in card.characteristics for band in item.bands if band.edge]
)


@given(EDGES, st.integers(1, 2**63 - 1), st.integers(-2, 2))
@settings(max_examples=200)
def test_a_quotient_compares_with_every_edge_as_the_true_ratio_does(edge, whole, nudge):
    part = int(Fraction(edge) * whole) + nudge
    found, true = features.quotient(part, whole), Fraction(part, whole)
    assert (found < edge, found == edge) == (true < Fraction(edge), true == Fraction(edge))


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(1, 10**12))
@settings(max_examples=100)
def test_more_judgments_are_never_milder(left, right, worth):
    order = ["NONE", "MINOR", "MATERIAL", "SEVERE"]
    less, more = sorted((left, right))
    milder = order.index(features.judgment_severity(less, worth, enforced=False))
    assert milder <= order.index(features.judgment_severity(more, worth, enforced=False))
