"""SQLite's planner finds rows by their keys, and never walks a company's rows for a few of them."""

from __future__ import annotations

import pytest

from vault.store.schema.statistics import figures


def test_the_figures_of_an_index_narrow_from_column_to_column():
    assert figures(["tenant", "id"], unique=True) == "1000000 250000 1"
    assert figures(["tenant", "subject_id"], unique=False) == "1000000 250000 100"
    assert figures(["id", "place"], unique=True) == "1000000 1 1"
    assert figures(["tenant", "id", "version"], unique=True) == "1000000 400000 4 1"
    assert figures(["tenant", "field_tag", "ver", "token"], unique=False) == "1000000 250000 250000 250000 100"


CURRENT = "tenant = ? AND superseded_at IS NULL"
FOUND = {
    "trade_transaction_version": "trade_transaction WHERE tenant = ? AND id IN (?, ?, ?)",
    "trade_transaction_credit_file": f"trade_transaction WHERE {CURRENT} AND credit_file = ? ORDER BY id",
    "trade_transaction_source_source_row": f"trade_transaction WHERE {CURRENT} AND source = ? AND source_row IN (?, ?)",
    "credit_file_current": f"credit_file WHERE {CURRENT} AND id = ?",
    "consent_current": f"consent WHERE {CURRENT} ORDER BY id",
    "credit_file_version (tenant=?": "credit_file WHERE tenant = ? AND recorded_at <= ? ORDER BY id",
    "assessment_version (tenant=?": "assessment WHERE tenant = ? AND effective_to > ? ORDER BY id LIMIT 21",
    "sqlite_autoindex_sealed_field_1": "sealed_field WHERE tenant = ? AND record_id IN (?, ?)",
    "sqlite_autoindex_audit_posting_1": "audit_access WHERE tenant = ? AND subject_id = ?",
    "audit_entry_log_index": "audit_access WHERE tenant = ? AND subject_id = ?",
    "blind_index_token": "blind_index WHERE tenant = ? AND field_tag = ? AND ver = ? AND token = ?",
}


@pytest.mark.parametrize("index", FOUND)
def test_rows_are_found_by_the_key_that_narrows_most(sqlite, index):
    query = f"EXPLAIN QUERY PLAN SELECT * FROM {FOUND[index]}"  # noqa: S608 - written above
    plan = sqlite.fetch(query, ("x",) * query.count("?"))
    assert [step[3] for step in plan if index in step[3]], plan
