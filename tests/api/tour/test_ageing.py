"""A book of receivables as known on a day."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from api.imports.mapping import find_map
from api.imports.reading import open_table
from api.imports.rows import reader
from api.tour.ageing import receivables_summary
from domain.assessment.evidence.payments import Receivable

TODAY = date(2026, 6, 30)
REAL = Path(__file__).parents[4] / "shared/data/ibm_accounts_receivable/WA_Fn-UseC_-Accounts-Receivable.csv"


def row(due_ago, paid_after=None, minor=100, disputed=0):
    due = TODAY - timedelta(days=due_ago)
    settled = None if paid_after is None else due + timedelta(days=paid_after)
    return Receivable(due - timedelta(days=30), due, settled, minor, disputed)


def test_an_empty_book_has_no_shares():
    found = receivables_summary({}, TODAY)
    assert (found.customers, found.due, found.beyond_terms, found.late_share) == (
        0,
        0,
        *[None] * 2,
    )


def test_open_amounts_are_aged_and_disputed_ones_stand_apart():
    found = receivables_summary({"a": [row(-5), row(10), row(45, minor=70, disputed=20)], "b": [row(95)]}, TODAY)
    ageing = found.ageing
    assert (ageing.not_due, ageing.days_1_30, ageing.days_31_60, ageing.over_90, ageing.disputed) == (
        *(100, 100, 50, 100),
        20,
    )
    assert (found.customers, found.invoices, found.due, found.late) == (2, 4, 3, 3)


def test_what_was_settled_later_is_not_known():
    book = {"a": [row(20, paid_after=30), row(40, paid_after=-3)]}
    found = receivables_summary(book, TODAY)
    assert found.late == 1
    assert found.ageing.days_1_30 == 100
    assert receivables_summary(book, TODAY + timedelta(days=30)).ageing.days_1_30 == 0


def test_what_was_issued_later_is_not_known():
    book = {"a": [row(20, paid_after=0)], "b": [row(-40)]}
    assert (receivables_summary(book, TODAY).customers, receivables_summary(book, TODAY).invoices) == (1, 1)


def test_the_customers_that_pay_latest_are_named_in_order():
    book = {f"c{days}": [row(100, paid_after=days), row(3)] for days in (-5, 0, 40, 8, 20, 30, 10)}
    found = receivables_summary(book, TODAY)
    assert [item.reference for item in found.latest] == ["c40", "c30", "c20", "c10", "c8"]
    assert {item.overdue_minor for item in found.latest} == {100}


def test_the_real_book_agrees_with_its_own_column_of_days_late():
    if not REAL.exists():
        pytest.skip("the real data is not beside this checkout")
    plan = find_map("ibm_receivables")
    table = open_table(REAL, encoding=plan.encoding, delimiter=plan.delimiter)
    read, book = reader(plan, REAL.name), {}
    for lines, _ in table.batches(plan.read, 0, 1_000):
        for number, line in enumerate(lines, 1):
            found = read(number, line)
            document = found.document
            amounts = (document.total.minor, document.disputed.minor if document.disputed else 0)
            one = Receivable(document.issued_on, document.due_on, document.settled_on, *amounts)
            book.setdefault(found.reference, []).append(one)
    whole = receivables_summary(book, date(2014, 6, 30))
    with REAL.open(encoding="utf-8", newline="") as file:
        late = sum(int(line["DaysLate"]) > 0 for line in csv.DictReader(file))
    assert (whole.customers, whole.invoices, whole.due, whole.late) == (100, 2_466, 2_466, late)
    assert not any((whole.ageing.not_due, whole.ageing.days_1_30, whole.ageing.over_90, whole.ageing.disputed))
    midway = receivables_summary(book, date(2013, 6, 30))
    assert midway.ageing.not_due > midway.ageing.days_1_30 > 0
    assert midway.ageing.disputed > 0
    assert 0 < midway.late_share < 1
