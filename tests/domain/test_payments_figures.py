from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessment.evidence.payments import (
    Ageing,
    Receivable,
    is_existing,
    owes_over_90_days,
    payment_data,
    payment_figures,
)
from domain.assessment.version_one import VERSION_ONE

TODAY = date(2025, 6, 30)


def row(due_days_ago, paid_after=None, minor=100, disputed=0):
    """An invoice due some days ago, and paid so many days after it was due."""
    due = TODAY - timedelta(days=due_days_ago)
    settled = None if paid_after is None else due + timedelta(days=paid_after)
    return Receivable(due - timedelta(days=30), due, settled, minor, disputed)


def figures(*rows):
    return payment_figures(rows, TODAY)


def test_days_beyond_terms_are_weighted_by_value_and_early_payment_is_negative():
    assert figures(row(100, paid_after=20, minor=300), row(90, paid_after=-4, minor=100)).beyond_terms == 14


def test_an_open_invoice_counts_to_the_as_of_date():
    found = figures(row(28), row(60, paid_after=0))
    assert (found.beyond_terms, found.worst_days, found.oldest_overdue_days) == (14, 28, 28)


def test_a_settlement_after_the_as_of_date_is_not_known():
    assert figures(row(10, paid_after=11)) == figures(row(10))
    assert figures(row(10, paid_after=10)) != figures(row(10))


def test_an_invoice_issued_after_the_as_of_date_is_not_known():
    later = Receivable(TODAY + timedelta(days=1), TODAY + timedelta(days=2), None, 100)
    assert figures(later) == figures()


def test_the_window_is_the_last_twelve_months_of_due_dates():
    assert figures(row(365, paid_after=50)).beyond_terms is None
    assert figures(row(364, paid_after=50)).beyond_terms == 50


def test_an_old_debt_still_open_is_the_worst_ageing():
    found = figures(row(400), row(10, paid_after=0))
    assert found.worst_days == 400
    assert found.beyond_terms == 0


def test_only_the_undisputed_part_counts():
    found = figures(row(50, minor=100, disputed=100), row(20, paid_after=2, minor=100, disputed=40))
    assert (found.beyond_terms, found.worst_days, found.oldest_overdue_days) == (2, 2, 0)
    assert found.ageing == Ageing(not_due=0, days_1_30=0, days_31_60=0, days_61_90=0, over_90=0, disputed=100)


def test_late_is_more_than_five_days_by_value_over_six_months():
    late = figures(row(100, paid_after=6, minor=100), row(50, paid_after=5, minor=300), row(300, paid_after=90))
    assert late.late_share_bp == 2_500


def test_trend_is_three_months_minus_twelve():
    assert figures(row(200, paid_after=0), row(50, paid_after=10)).trend_days == 5
    assert figures(row(200, paid_after=0)).trend_days is None


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-5, "not_due"),
        (0, "not_due"),
        (1, "days_1_30"),
        (30, "days_1_30"),
        (31, "days_31_60"),
        (60, "days_31_60"),
        (61, "days_61_90"),
        (90, "days_61_90"),
        (91, "over_90"),
    ],
)
def test_each_ageing_bucket_ends_where_it_says(days, bucket):
    ageing = figures(row(days)).ageing
    assert getattr(ageing, bucket) == 100
    assert sum(getattr(ageing, name) for name in Ageing.__dataclass_fields__) == 100


def test_debt_older_than_ninety_days_is_a_knock_out_and_disputed_debt_is_not():
    assert not owes_over_90_days(figures(row(90)))
    assert owes_over_90_days(figures(row(91)))
    assert not owes_over_90_days(figures(row(91, disputed=100)))


def test_a_customer_exists_after_six_months_and_three_invoices_due():
    rules = VERSION_ONE.indicators
    old = [row(182, paid_after=0), row(100, paid_after=0), row(50, paid_after=0)]
    assert is_existing(figures(*old), rules)
    assert not is_existing(figures(*old[:2]), rules)
    assert not is_existing(figures(row(180, paid_after=0), *old[1:]), rules)
    assert not is_existing(figures(), rules)


def test_monthly_billing_is_the_mean_of_six_months_without_what_is_disputed():
    rows = [
        row(0, minor=700),
        row(30, minor=500, disputed=100),
        row(170, minor=9_999),
        Receivable(TODAY, TODAY, None, -100),
    ]
    assert figures(*rows).monthly_billing_minor == (700 + 400 - 100) // 6
    assert figures().monthly_billing_minor is None


def test_the_data_of_the_card_are_exact_and_what_is_unknown_is_absent():
    data = payment_data(figures(row(10, paid_after=1, minor=1), row(10, paid_after=0, minor=2)))
    assert {code: str(datum.value)[:6] for code, datum in data.items()} == {
        "A1": "0.3333",
        "A2": "1",
        "A3": "0",
        "A4": "0",
    }
    assert len(str(data["A1"].value)) > 50
    assert payment_data(figures()) == {}


ROWS = st.lists(
    st.builds(
        row,
        st.integers(-100, 500),
        st.none() | st.integers(-60, 200),
        st.integers(0, 10**10),
        st.integers(0, 10**10),
    ),
    max_size=20,
)


@given(ROWS)
@settings(max_examples=100)
def test_every_open_amount_is_in_one_bucket(rows):
    ageing = payment_figures(rows, TODAY).ageing
    known = [each for each in rows if each.issued_on <= TODAY]
    still_open = sum(each.minor for each in known if each.settled_on is None or each.settled_on > TODAY)
    assert sum(getattr(ageing, name) for name in Ageing.__dataclass_fields__) == still_open


@given(ROWS)
@settings(max_examples=100)
def test_what_is_settled_later_stays_open(rows):
    blind = [
        each._replace(settled_on=None) if each.settled_on is not None and each.settled_on > TODAY else each
        for each in rows
    ]
    assert payment_figures(rows, TODAY) == payment_figures(blind, TODAY)
    share = payment_figures(rows, TODAY).late_share_bp
    assert share is None or Fraction(0) <= share <= 10_000


def test_the_peak_of_what_is_owed_counts_disputed_parts_and_what_was_open_before():
    old = Receivable(TODAY - timedelta(days=300), TODAY - timedelta(days=270), TODAY - timedelta(days=60), 500, 200)
    new = Receivable(TODAY - timedelta(days=30), TODAY, None, 300)
    assert figures(old, new).peak_exposure == 500
    assert figures(old._replace(settled_on=None), new).peak_exposure == 800
    assert figures(old._replace(settled_on=TODAY - timedelta(days=200)), new).peak_exposure == 300
    assert figures().peak_exposure is None


def test_billing_by_month_runs_from_the_oldest_and_needs_six_months_of_trade():
    began = Receivable(date(2024, 1, 1), date(2024, 2, 1), date(2024, 2, 1), 9)
    rows = [Receivable(date(2025, month, 15), TODAY, None, month * 10) for month in range(1, 7)]
    assert figures(began, *rows).billed_months == (10, 20, 30, 40, 50, 60)
    assert figures(*rows).billed_months == ()


def test_an_invoice_without_a_due_date_is_billed_and_owed_and_never_late():
    found = figures(Receivable(TODAY - timedelta(days=100), None, None, 600))
    assert (found.worst_days, found.oldest_overdue_days, found.due_in_year) == (None, 0, 0)
    assert (found.ageing.not_due, found.monthly_billing_minor, found.peak_exposure) == (600, 100, 600)


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_the_receivables_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert payment_figures(shuffled, TODAY) == payment_figures(rows, TODAY)


@given(ROWS)
@settings(max_examples=50)
def test_the_peak_is_the_most_owed_on_any_day_of_three_months(rows):
    window = [TODAY - timedelta(days=back) for back in range((TODAY - date(2025, 3, 30)).days + 1)]
    owed = [
        sum(
            each.minor
            for each in rows
            if each.issued_on <= day and (each.settled_on is None or max(each.settled_on, each.issued_on) > day)
        )
        for day in window
    ]
    assert (payment_figures(rows, TODAY).peak_exposure or 0) == max(owed)
