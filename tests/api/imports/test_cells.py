"""Cells become values exactly or not at all, and what is refused is not repeated."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.imports.cells import amount_of, choice_of, currency_of, date_of, text_of, translated, whole_of, yes_of
from domain.errors import Code, CreditError, Malformed
from domain.files.dates import DateFormat
from domain.files.history import DocumentState
from domain.money import Money

STATES = {item.value: item for item in DocumentState}


@given(st.integers(min_value=-(10**13), max_value=10**13))
@example(485437)
def test_a_float_that_was_an_amount_is_that_amount(minor):
    assert amount_of(minor / 100, "CNY") == Money(minor, "CNY")


@given(st.integers(min_value=-(10**9), max_value=10**9), st.integers(min_value=1, max_value=9))
def test_a_float_between_two_minor_units_is_refused(minor, tenth):
    with pytest.raises(Malformed) as refused:
        amount_of((minor * 10 + tenth) / 1000, "CNY")
    assert refused.value.code is Code.MALFORMED_AMOUNT


def test_the_noise_of_float_sums_is_no_difference():
    assert amount_of(0.1 + 0.2, "CNY") == Money(30, "CNY")
    with pytest.raises(Malformed):
        amount_of(0.3 + 2e-9, "CNY")


@pytest.mark.parametrize("cell", [float("inf"), 1e17, True, date(2026, 1, 1), "1.234", "12,3", "１２x", "=1+1", "1e5"])
def test_what_is_no_exact_amount_is_refused_without_its_value(cell):
    with pytest.raises(Malformed) as refused:
        amount_of(cell, "CNY")
    assert refused.value.code is Code.MALFORMED_AMOUNT
    assert str(cell) not in refused.value.message + refused.value.advice


@pytest.mark.parametrize(
    ("cell", "minor"),
    [("1,234.50", 123450), (" -7 ", -700), (12, 1200), (Decimal("-1.20"), -120), (Decimal("1E+2"), 10000)],
)
def test_text_integers_and_decimals_are_exact(cell, minor):
    assert amount_of(cell, "CNY") == Money(minor, "CNY")


@pytest.mark.parametrize("cell", ["", "   ", None, float("nan")])
def test_an_empty_cell_is_no_amount(cell):
    assert amount_of(cell, "CNY") is None


def test_minor_digits_are_those_of_the_currency():
    assert amount_of(1234.0, "JPY") == Money(1234, "JPY")
    assert amount_of("1.234", "KWD") == Money(1234, "KWD")
    with pytest.raises(Malformed):
        amount_of(0.5, "JPY")


def test_dates_are_typed_or_text_in_the_declared_format():
    day = date(2026, 3, 1)
    assert date_of(datetime(2026, 3, 1, 23, 59), DateFormat.ISO) == date_of(day, DateFormat.ISO) == day  # noqa: DTZ001 - files have no zones
    assert date_of("3/1/2026", DateFormat.MONTH_FIRST) == date_of(" 2026年3月1日", DateFormat.CHINESE) == day
    assert date_of("", DateFormat.ISO) is None
    for wrong in ("2026-02-30", "1/2/26", 20260301):
        with pytest.raises(Malformed) as refused:
            date_of(wrong, DateFormat.ISO)
        assert refused.value.code is Code.MALFORMED_DATE


def test_numbers_that_stand_for_text_are_written_plainly():
    assert [text_of(cell) for cell in (12345678, 12345678.0, True, Decimal(7), " x ", "", None)] == [
        *("12345678", "12345678", "YES", "7", "x"),
        None,
        None,
    ]


@pytest.mark.parametrize("cell", ["a\nb", "x" * 401, "broken \udcff", "a\x00b"])
def test_text_that_is_too_long_or_not_printable_is_refused(cell):
    with pytest.raises(Malformed):
        text_of(cell)


def test_values_are_translated_by_line_first_and_then_by_pattern():
    values = {"void": "VOID", "v*": "OPEN", "-": ""}
    assert choice_of(" void ", STATES, values) is DocumentState.VOID
    assert choice_of("valid", STATES, values) is DocumentState.OPEN
    assert translated("-", values) is None
    assert choice_of("SETTLED", STATES, {}) is DocumentState.SETTLED
    assert yes_of("No", {"No": "NO"}) is False


@pytest.mark.parametrize("values", [{}, {"void": "VOID"}])
def test_a_value_that_means_nothing_is_refused_without_itself(values):
    with pytest.raises(Malformed) as refused:
        choice_of("whatever", STATES, values)
    assert "whatever" not in refused.value.message + refused.value.advice


def test_whole_numbers_and_currencies():
    assert (whole_of("12"), whole_of("-3"), whole_of(4.0), whole_of("")) == (12, -3, 4, None)
    assert currency_of(" CNY ") == "CNY"
    for refused in (lambda: whole_of("1.5"), lambda: whole_of("１２"), lambda: currency_of("XYZ")):
        with pytest.raises(CreditError):
            refused()
