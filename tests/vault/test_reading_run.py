"""Steps run in one snapshot that changes nothing and is left behind in every case."""

from __future__ import annotations

import sqlite3

import pytest

from domain.errors import Malformed
from domain.ports import Draft, Fetch
from vault.store.run import run_sqlite


@pytest.fixture
def connection(tmp_path):
    with_rows = sqlite3.connect(tmp_path / "rows.db", isolation_level=None)
    with_rows.execute("PRAGMA journal_mode=WAL")
    with_rows.execute("CREATE TABLE word (text TEXT)")
    with_rows.execute("INSERT INTO word VALUES ('first')")
    yield with_rows
    with_rows.close()


def drafted(rows):
    """A draft that holds some rows."""
    return Draft(answer={"rows": rows}, subjects=(), resources=())


def test_all_statements_of_a_reading_see_one_snapshot(connection, tmp_path):
    def steps():
        before = yield Fetch("SELECT text FROM word", ())
        other = sqlite3.connect(tmp_path / "rows.db", isolation_level=None)
        other.execute("INSERT INTO word VALUES ('second')")
        other.close()
        after = yield Fetch("SELECT text FROM word WHERE text <> ?", ("none",))
        return drafted([before, after])

    assert run_sqlite(connection, steps()).answer["rows"] == [[("first",)], [("first",)]]
    assert len(connection.execute("SELECT text FROM word").fetchall()) == 2


@pytest.mark.parametrize("fetch", [None, Fetch("SELECT nothing FROM nowhere", ())])
def test_a_reading_that_fails_leaves_no_transaction_behind(connection, fetch):
    def steps():
        if fetch is None:
            raise Malformed("The size of the page is out of bounds.")
        yield fetch
        return drafted([])

    with pytest.raises((Malformed, sqlite3.OperationalError)):
        run_sqlite(connection, steps())
    assert not connection.in_transaction


def test_a_reading_without_statements_has_its_draft(connection):
    def steps():
        yield from ()
        return drafted([])

    assert run_sqlite(connection, steps()) == drafted([])
