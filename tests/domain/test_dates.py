import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Code, Malformed
from domain.files.dates import DateFormat, parse_date

INVOICES = (
    Path(__file__).resolve().parents[3] / "shared/data/ibm_accounts_receivable/WA_Fn-UseC_-Accounts-Receivable.csv"
)


def written(day, form):
    return {
        DateFormat.ISO: day.isoformat(),
        DateFormat.YEAR_FIRST: f"{day.year}/{day.month}/{day.day}",
        DateFormat.MONTH_FIRST: f"{day.month}/{day.day}/{day.year}",
        DateFormat.CHINESE: f"{day.year}年{day.month}月{day.day}日",
    }[form]


def refused(text, form):
    with pytest.raises(Malformed) as caught:
        parse_date(text, form)
    assert caught.value.code is Code.MALFORMED_DATE
    return caught.value


@pytest.mark.parametrize("form", DateFormat)
@given(day=st.dates(min_value=date(1000, 1, 1)))
def test_every_date_is_read_back_in_every_format(form, day):
    assert parse_date(written(day, form), form) == day


@given(day=st.dates(min_value=date(1000, 1, 1)))
def test_a_date_of_another_format_is_refused_and_not_guessed(day):
    for form in DateFormat:
        for other in set(DateFormat) - {form}:
            refused(written(day, form), other)


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        (" 2024-03-01 ", DateFormat.ISO, date(2024, 3, 1)),
        ("2024/03/01", DateFormat.YEAR_FIRST, date(2024, 3, 1)),
        ("03/01/2024", DateFormat.MONTH_FIRST, date(2024, 3, 1)),
        ("2024年03月01日", DateFormat.CHINESE, date(2024, 3, 1)),
        ("2024年3月1号", DateFormat.CHINESE, date(2024, 3, 1)),
        ("2024-02-29", DateFormat.ISO, date(2024, 2, 29)),
    ],
)
def test_leading_zeros_are_read(text, form, day):
    assert parse_date(text, form) == day


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2023-02-29", DateFormat.ISO),
        ("2024/13/1", DateFormat.YEAR_FIRST),
        ("2024/0/1", DateFormat.YEAR_FIRST),
        ("31/12/2024", DateFormat.MONTH_FIRST),
        ("2024年4月31日", DateFormat.CHINESE),
    ],
)
def test_a_day_that_does_not_exist_is_refused(text, form):
    assert refused(text, form).message == "There is no such day."


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("24-03-01", DateFormat.ISO),
        ("0024-03-01", DateFormat.ISO),
        ("24/3/1", DateFormat.YEAR_FIRST),
        ("3/1/24", DateFormat.MONTH_FIRST),
        ("24年3月1日", DateFormat.CHINESE),
    ],
)
def test_a_year_of_two_digits_is_refused(text, form):
    error = refused(text, form)
    assert "the year in full" in error.advice
    assert text not in error.message + error.advice


@pytest.mark.parametrize(
    "text", ["", "2024-3-1", "2024-03-01T00:00:00", "20240301", "2024–03–01", "２０２４-０３-０１", "٢٠٢٤-٠٣-٠١"]
)
def test_iso_is_strict(text):
    refused(text, DateFormat.ISO)


def test_every_date_of_real_invoices_is_read_and_agrees_with_their_own_day_counts():
    if not INVOICES.exists():
        pytest.skip("no accounts receivable in the shared data")
    with INVOICES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2_466
    for row in rows:
        issued, settled = (parse_date(row[name], DateFormat.MONTH_FIRST) for name in ("InvoiceDate", "SettledDate"))
        assert (settled - issued).days == int(row["DaysToSettle"])
