"""The real files: every row of theirs can be mapped, and what is odd about them is known."""

from collections import Counter

import pytest

from api.imports.mapping import find_map
from api.imports.reading import open_table
from api.imports.rows import reader
from domain.errors import CreditError, Malformed
from domain.files.history import DocumentState
from domain.files.importing import Rejection
from domain.files.parties import PartyKind
from domain.files.recording.documents import findings_of

INVOICES = {
    "cumcm2020c/credit_output_invoices.parquet": "cumcm2020c_sales",
    "cumcm2020c/nocredit_output_invoices.parquet": "cumcm2020c_sales",
    "cumcm2020c/credit_input_invoices.parquet": "cumcm2020c_purchases",
    "cumcm2020c/nocredit_input_invoices.parquet": "cumcm2020c_purchases",
}
RECEIVABLES = "ibm_accounts_receivable/WA_Fn-UseC_-Accounts-Receivable.csv"


def read(path, name, start=0, size=4_000, most=None):
    plan = find_map(name)
    table = open_table(path, encoding=plan.encoding, delimiter=plan.delimiter)
    plan.check_file(table.columns)
    one, number = reader(plan, path.name), start
    for lines, _ in table.batches(plan.read, start, size):
        for line in lines:
            number += 1
            assert not isinstance(line, CreditError)
            yield one(number, line)
        if most and number - start >= most:
            return


def test_all_382_firms_are_customers_and_the_bank_s_columns_are_not_read(shared):
    rows = [
        row
        for name in ("credit_companies.csv", "nocredit_companies.csv")
        for row in read(shared / "cumcm2020c" / name, "cumcm2020c_firms")
    ]
    assert len({row.reference for row in rows}) == 382
    kinds = Counter(row.kind for row in rows)
    assert set(kinds) == {PartyKind.ENTERPRISE, PartyKind.SOLE_TRADER}
    assert not [row for row in rows if row.name in {"A", "B", "C", "D", "是", "否"}]


@pytest.mark.parametrize(("file", "plan"), INVOICES.items())
def test_a_slice_of_every_book_is_mapped_without_a_rejection(shared, file, plan):
    rows = list(read(shared / file, plan, start=20_000, most=4_000))
    assert len(rows) == 4_000
    assert not [row for row in rows if isinstance(row, Rejection)]
    assert rows[0].document.source_row.endswith(":20001")


@pytest.mark.slow
def test_every_invoice_of_the_382_firms_is_mapped_and_four_totals_do_not_add_up(shared):
    count, findings, states, red, repeats, seen, firms = 0, Counter(), Counter(), 0, 0, set(), set()
    for file, plan in INVOICES.items():
        for row in read(shared / file, plan):
            assert not isinstance(row, Rejection)
            document = row.document
            count += 1
            findings.update(findings_of(document))
            states[document.state] += 1
            red += document.total.minor < 0
            key = (row.reference, document.kind, document.number)
            repeats += key in seen
            seen.add(key)
            firms.add(row.reference)
    assert (count, len(firms)) == (913_641, 382)
    assert states == {DocumentState.OPEN: 858_673, DocumentState.VOID: 54_968}
    assert findings["TOTAL_DOES_NOT_ADD_UP"] == 4
    assert red > 1_000
    assert repeats > 1_000


def test_receivables_have_their_terms_settlements_and_disputes(shared):
    rows = list(read(shared / RECEIVABLES, "ibm_receivables"))
    assert len(rows) == 2_466
    documents = [row.document for row in rows]
    assert {(item.due_on - item.issued_on).days for item in documents} == {30}
    late = sum(item.settled_on > item.due_on for item in documents)
    disputed = sum(item.disputed == item.total for item in documents)
    assert (round(late * 1000 / len(rows)), round(disputed * 1000 / len(rows))) == (356, 227)


def test_a_map_that_names_the_bank_s_grade_or_default_is_refused():
    from api.imports import mapping

    text = (mapping.resources.files("api.imports") / "maps" / "cumcm2020c_firms.toml").read_text(encoding="utf-8")
    for outcome in ("grade", "default"):
        with pytest.raises(Malformed, match=outcome):
            mapping.read_map(text.replace("[columns]", f'[columns]\nindustry_code = "{outcome}"'))
