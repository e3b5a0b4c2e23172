"""Every condition and order that lists of the audit log offer is answered by indexes, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from api.graphql.generation.inputs import ordering
from domain.files.trail import AccessEntry, AuditEntry
from tests.vault import asking
from vault.store import engines

COUNT = 3_000
WALKS = ("SCAN audit_", "Seq Scan on audit_", "Seq Scan on ")


@pytest.fixture(scope="module")
def log(read_database):
    """A log whose entries fill several stretches."""
    if read_database.dialect == "sqlite":
        with engines.sqlite_writer(read_database.url).connect() as connection:
            asking.fill(connection, COUNT)
        return read_database

    async def filled():
        engine = engines.postgres_engine(read_database.url, size=1, role=None)
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"SELECT set_config('credence.tenant', '{asking.TENANT}', true)")
            await connection.run_sync(asking.fill, COUNT)
        await engine.dispose()

    asyncio.run(filled())
    # So few rows are walked by a planner that has the choice: it is asked what it does where it has none.
    for setting in ("enable_seqscan", "enable_bitmapscan"):
        read_database.execute(f"SET {setting} = off")
    read_database.execute("ANALYZE")
    return read_database


def plans(log, steps, arguments):
    """How each statement of a run finds its rows, and the answer."""
    explain = "EXPLAIN QUERY PLAN" if log.dialect == "sqlite" else "EXPLAIN"
    found, walk = [], asking.run(steps, arguments)
    try:
        fetch = next(walk)
        while True:
            found += [row[-1] for row in log.fetch(f"{explain} {fetch.sql}", fetch.parameters)]
            fetch = walk.send(log.fetch(fetch.sql, fetch.parameters))
    except StopIteration as end:
        return found, end.value.answer["x"]


def walked(lines):
    """The lines of a plan that walk a table of ours from end to end."""
    lines = [line.strip().removeprefix("->").strip() for line in lines]
    return [line for line in lines if line.startswith(WALKS)]


def test_every_fact_that_filters_is_asked_for_and_every_order_is_walked():
    """A condition that is added has its query, and its plan."""
    conditions = {column for where, _ in asking.asked(COUNT).values() for column, _, _ in where}
    filters = {fact.name for fact in AuditEntry.shape.facts.values() if fact.filter}
    # These are kept and found like the others; a log of made-up entries leaves them empty.
    assert filters - conditions == {"behalf", "actions", "cause", "document"}
    assert set(ordering(AuditEntry.shape)) == {"log_index"}
    assert {down for _, down in asking.asked(COUNT).values()} == {True, False}


@pytest.mark.parametrize("name", asking.asked(COUNT))
def test_no_query_of_auditors_walks_the_log(log, name):
    where, descending = asking.asked(COUNT)[name]
    for down in (descending, not descending):
        lines, _ = plans(log, *asking.steps_of(log.dialect, where, descending=down))
        assert lines
        assert walked(lines) == [], lines


@pytest.mark.parametrize("column", ["behalf", "actions", "cause", "document"])
def test_conditions_on_facts_that_are_mostly_empty_walk_no_log_either(log, column):
    for operator, value in (("=", "x"), ("in", ("x", "y")), ("contains", "x")):
        lines, answer = plans(log, *asking.steps_of(log.dialect, ((column, operator, value),), descending=True))
        assert walked(lines) == [], lines
        assert answer["rows"] == [] or column == "actions"


@pytest.mark.parametrize("order", sorted(ordering(AccessEntry.shape)))
def test_who_looked_at_a_customer_is_found_by_the_customer(log, order):
    for down in (True, False):
        where = (("subject_id", "=", asking.subject(9)),)
        steps, arguments = asking.steps_of(log.dialect, where, descending=down, record=AccessEntry, order=order)
        lines, answer = plans(log, steps, arguments)
        assert walked(lines) == [], lines
        assert answer["rows"]


def test_the_made_up_log_is_whole(log):
    """What is measured is a log: its queries find what a walk over the made-up entries finds."""
    made = list(asking.entries(COUNT))
    for name, actor in (("a busy actor", "person1"), ("a part of an actor", "system:sweep")):
        where, descending = asking.asked(COUNT)[name]
        assert descending
        _, answer = plans(log, *asking.steps_of(log.dialect, where, descending=True))
        wanted = [entry.id for entry in reversed(made) if entry.actor == actor][:50]
        assert [row["id"] for row in answer["rows"]] == wanted
