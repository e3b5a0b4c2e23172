import random
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessment.evidence.invoices import Invoice, invoice_data, invoice_figures, invoice_volumes
from domain.files.history import DocumentKind, DocumentState

TODAY = date(2020, 2, 29)


def sale(net, issued_on=TODAY, state=DocumentState.SETTLED, *, red=False, buyer="b1"):
    return Invoice(DocumentKind.SALE, issued_on, net, state, red, buyer)


def purchase(net, issued_on=TODAY, state=DocumentState.SETTLED, *, red=False, supplier="s1"):
    return Invoice(DocumentKind.PURCHASE, issued_on, net, state, red, supplier)


def values(invoices, as_of=TODAY):
    return {code: datum.value for code, datum in invoice_data(invoice_figures(invoices, as_of)).items()}


def test_void_invoices_are_left_out_of_turnover_and_counted_in_the_void_share():
    figures = invoice_figures([sale(300), sale(900, state=DocumentState.VOID)], TODAY)
    assert (figures.year_sales, figures.year_void, figures.year_count) == (300, 1, 2)
    assert values([sale(300), sale(900, state=DocumentState.VOID)])["V4"] == 5_000


@pytest.mark.parametrize("net", [100, -100])
def test_red_invoices_are_subtracted_whatever_their_sign(net):
    rows = [sale(1_000), sale(net, red=True)]
    assert invoice_figures(rows, TODAY).year_sales == 900
    assert values(rows)["V5"] == 1_000


def test_a_negative_amount_is_red_even_when_nobody_says_so():
    assert invoice_figures([sale(1_000), sale(-400)], TODAY).year_red == 400


def test_a_reversed_invoice_and_its_red_one_cancel_out():
    rows = [sale(500), sale(700, state=DocumentState.REVERSED), sale(-700, red=True)]
    assert invoice_figures(rows, TODAY).year_sales == 500


def test_turnover_is_a_mean_over_the_months_since_the_first_invoice_up_to_twelve():
    assert values([sale(1_200)])["V1"] == 1_200
    assert values([sale(1_200), sale(600, date(2019, 12, 15))])["V1"] == 600
    assert values([sale(1_200), sale(999, date(2017, 1, 1))])["V1"] == 100


def test_trend_compares_six_months_with_the_six_before():
    rows = [sale(300), sale(200, date(2019, 8, 29)), sale(100, date(2019, 8, 30))]
    assert values(rows)["V2"] == 20_000
    assert "V2" not in values([sale(300)])


def test_windows_begin_the_day_after_the_same_day_a_year_ago():
    rows = [sale(10, date(2019, 2, 28)), sale(20, date(2019, 3, 1)), sale(40, TODAY + timedelta(days=1))]
    assert invoice_figures(rows, TODAY).year_sales == 20


def test_concentration_is_the_largest_named_partys_share():
    rows = [sale(600), sale(300, buyer="b2"), sale(100, buyer=None), purchase(40), purchase(60, supplier=None)]
    assert values(rows)["V6"] == 6_000
    assert values(rows)["V7"] == 4_000
    assert "V6" not in values([sale(100, buyer=None)])


def test_red_purchases_reduce_purchases_and_void_ones_do_not_count():
    rows = [sale(300), purchase(250), purchase(50, red=True), purchase(999, state=DocumentState.VOID)]
    assert values(rows)["V8"] == Decimal("1.5")


def test_sales_without_purchases_have_a_label_and_nothing_at_all_has_no_value():
    assert values([sale(300)])["V8"] == "NO_PURCHASES"
    assert values([]) == {"V3": 0}


def test_active_months_and_invoices_are_counted_over_two_years():
    rows = [sale(1, date(2018, 2, 28)), sale(1, date(2018, 3, 1)), sale(1, date(2019, 1, 1)), sale(1, date(2019, 1, 9))]
    assert invoice_volumes(invoice_figures([*rows, sale(-1, red=True)], TODAY)) == {
        "active_months": 2,
        "sales_invoices": 3,
    }


def test_a_receivable_of_the_company_is_no_invoice_of_the_firm():
    row = Invoice(DocumentKind.RECEIVABLE, TODAY, 100, DocumentState.OPEN, False, None)  # noqa: FBT003  # a row, as read
    assert values([row]) == {"V3": 0}


ROWS = st.lists(
    st.builds(
        Invoice,
        st.sampled_from([DocumentKind.SALE, DocumentKind.PURCHASE]),
        st.dates(date(2017, 6, 1), date(2020, 6, 1)),
        st.integers(-(10**10), 10**10),
        st.sampled_from(DocumentState),
        st.booleans(),
        st.none() | st.sampled_from("abcd"),
    ),
    max_size=25,
)


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_the_order_of_the_invoices_and_what_came_later_do_not_matter(rows, chance):
    shuffled = list(rows)
    chance.shuffle(shuffled)
    known = [row for row in shuffled if row.issued_on <= TODAY]
    assert values(shuffled) == values(rows) == values(known)


@given(ROWS)
@settings(max_examples=100)
def test_sums_equal_a_second_plain_count(rows):
    year = [row for row in rows if date(2019, 2, 28) < row.issued_on <= TODAY and row.state is not DocumentState.VOID]
    signed = [
        (row.kind, -abs(row.net_minor) if row.is_red or row.net_minor < 0 else row.net_minor, row.counterparty)
        for row in year
    ]
    figures = invoice_figures(rows, TODAY)
    assert figures.year_sales == sum(net for kind, net, _ in signed if kind is DocumentKind.SALE)
    assert figures.year_purchases == sum(net for kind, net, _ in signed if kind is DocumentKind.PURCHASE)
    assert sum(figures.buyers.values()) == figures.year_sales
    mean = figures.mean_monthly_sales
    assert mean is None or abs(mean) >= Fraction(abs(figures.year_sales), 12)


def test_a_hundred_thousand_invoices_are_read_in_one_pass_with_bounded_memory():
    chance = random.Random(7)  # noqa: S311  # a repeatable stream, nothing secret
    days = [TODAY - timedelta(days=each) for each in range(1_000)]
    stream = (
        sale(chance.randrange(10**7), chance.choice(days), buyer=f"b{chance.randrange(50)}") for _ in range(100_000)
    )
    figures = invoice_figures(stream, TODAY)
    assert len(figures.buyers) <= 50
    assert len(figures.active_months) <= 25
    assert figures.sales_invoices > 70_000
