"""SQLite's planner finds rows by their keys, and never walks a company's rows for a few of them."""

from __future__ import annotations

import pytest

from vault.store.statistics import figures


def test_the_figures_of_an_index_narrow_from_column_to_column():
    assert figures(["tenant", "id"], unique=True) == "1000000 250000 1"
    assert figures(["tenant", "subject_id"], unique=False) == "1000000 250000 100"
    assert figures(["id", "version"], unique=True) == "1000000 1 1"
    assert figures(["tenant", "field_tag", "ver", "token"], unique=False) == "1000000 250000 250000 250000 100"


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM trade_transaction WHERE tenant = ? AND id IN (?, ?, ?)", "trade_transaction_version"),
        (
            "SELECT * FROM trade_transaction WHERE tenant = ? AND credit_file = ? AND superseded_at IS NULL ORDER BY id",
            "trade_transaction_credit_file",
        ),
        (
            "SELECT id FROM trade_transaction WHERE tenant = ? AND source = ? AND source_row IN (?, ?) "
            "AND superseded_at IS NULL",
            "trade_transaction_source_source_row",
        ),
        ("SELECT * FROM credit_file WHERE tenant = ? AND id = ? AND superseded_at IS NULL", "credit_file_current"),
        ("SELECT * FROM sealed_field WHERE tenant = ? AND record_id IN (?, ?)", "sqlite_autoindex_sealed_field_1"),
        ("SELECT * FROM audit_access WHERE tenant = ? AND subject_id = ?", "sqlite_autoindex_audit_access_1"),
        (
            "SELECT record_id FROM blind_index WHERE tenant = ? AND field_tag = ? AND ver = ? AND token = ?",
            "blind_index_token",
        ),
    ],
)
def test_rows_are_found_by_the_key_that_narrows_most(sqlite, query, index):
    plan = sqlite.fetch(f"EXPLAIN QUERY PLAN {query}", ("x",) * query.count("?"))
    assert [step[3] for step in plan if index in step[3]], plan
