from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.graphql import scalars
from api.graphql.scalars import CurrencyCode, printer
from domain.files.sources import LawfulBasis
from domain.ids import Id
from domain.money import Money


@settings(max_examples=60)
@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 30)), st.integers(-720, 720))  # noqa: DTZ001 - the offset is added below
def test_an_instant_prints_in_utc_with_microseconds_and_reads_back_as_itself(instant, minutes):
    aware = instant.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    printed = scalars.print_instant(aware)
    assert printed.endswith("Z")
    assert len(printed) == len("2026-11-24T08:30:00.000000Z")
    assert scalars.parse_instant(printed) == aware


@settings(max_examples=60)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_a_decimal_prints_all_digits_and_reads_back_as_itself(number):
    printed = scalars.print_decimal(number)
    assert "E" not in printed
    assert scalars.parse_decimal(printed) == number


@settings(max_examples=30)
@given(st.dates())
def test_a_day_prints_and_reads_back_as_itself(day):
    assert scalars.parse_day(scalars.print_day(day)) == day


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T08:30:00",
        "2026-11-24 08:30:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-24T25:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "tomorrow",
        1764000000,
        None,
    ],
)
def test_an_instant_without_offset_or_outside_the_calendar_is_refused(text):
    with pytest.raises(scalars.Unreadable):
        scalars.parse_instant(text)


@pytest.mark.parametrize("text", ["20261124", "2026-11-31", "2026-W48-2", 20261124, None])
def test_a_day_that_is_no_day_is_refused(text):
    with pytest.raises(scalars.Unreadable):
        scalars.parse_day(text)


@pytest.mark.parametrize("value", ["1e5", "NaN", "1.", ".5", 1.5, True, None, "9" * 31])
def test_a_decimal_that_may_have_been_rounded_is_refused(value):
    with pytest.raises(scalars.Unreadable):
        scalars.parse_decimal(value)


@pytest.mark.parametrize("value", ["XXX", "cny", "", 7])
def test_an_unknown_currency_is_refused(value):
    with pytest.raises(scalars.Unreadable):
        scalars.parse_currency(value)


def test_printing_twice_prints_the_same():
    assert (
        scalars.print_instant(scalars.print_instant(datetime(2026, 1, 1, tzinfo=UTC))) == "2026-01-01T00:00:00.000000Z"
    )
    assert scalars.print_day(scalars.print_day(date(2026, 1, 1))) == "2026-01-01"
    assert scalars.print_decimal(scalars.print_decimal(Decimal("0.00"))) == "0.00"
    assert scalars.print_enum(scalars.print_enum(LawfulBasis.CONSENT)) == "CONSENT"


def test_the_amount_of_money_keeps_its_minor_digits():
    assert printer(Decimal)(Money(0, "CNY").amount) == "0.00"
    assert printer(Decimal)(Money(-5, "KWD").amount) == "-0.005"
    assert printer(Decimal)(Money(12, "JPY").amount) == "12"


def test_every_kind_of_fact_has_one_printer():
    assert printer(Id)("cf_x") == "cf_x"
    assert printer(CurrencyCode)("CNY") == "CNY"
    assert printer(bool)(1) is True
    assert printer(LawfulBasis)(LawfulBasis.CONTRACT) == "CONTRACT"
    with pytest.raises(TypeError):
        printer(float)


def test_a_whole_number_beyond_what_clients_hold_is_a_bug_and_not_an_answer():
    assert scalars.print_whole(2**31 - 1) == 2**31 - 1
    with pytest.raises(ValueError, match="32 bits"):
        scalars.print_whole(2**31)
