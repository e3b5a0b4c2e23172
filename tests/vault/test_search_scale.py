"""A search stays one look-up in an index, however many files there are: the plans of both databases say so."""

from __future__ import annotations

import json

import pytest

from domain.actors import Rights
from domain.files.parties import CreditFile
from domain.ports import Scope
from domain.reading import Labelled, Level, Page, Purpose, Reading, Slot, Sought, judge
from tests.world import NOW, PHONE, TENANT
from vault.store.reading import SqlReadings
from vault.store.tables import table

SHAPE = CreditFile.shape
COPIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, {count}))",
}
NAMES = {"sqlite": "printf('cf_%026d', n.i)", "postgresql": "'cf_' || lpad(n.i::text, 26, '0')"}
TOKENS = {"sqlite": "randomblob(16)", "postgresql": "decode(md5(n.i::text), 'hex')"}


def multiplied(world, count):
    """So many more files, each with a phone nobody has; whatever makes a file beside that would take hours."""
    kind = world.database.dialect
    head, name = COPIES[kind].format(count=count), NAMES[kind]
    made = {"id": name, "reference": f"{name} || 'r'"}
    columns = ", ".join(column.name for column in table(SHAPE).columns)
    values = ", ".join(made.get(column.name, f"f.{column.name}") for column in table(SHAPE).columns)
    into = f"INSERT INTO credit_file ({columns}) {head} SELECT {values} FROM credit_file AS f, n"  # noqa: S608 - ours
    world.database.execute(into)
    columns = "tenant, field_tag, ver, token, subject, record_id"
    values = f"b.tenant, b.field_tag, b.ver, {TOKENS[kind]}, b.subject, {name}"
    world.database.execute(f"INSERT INTO blind_index ({columns}) {head} SELECT {values} FROM blind_index AS b, n "  # noqa: S608 - ours
                           "WHERE b.field_tag = 'contact.phone'")  # fmt: skip
    world.database.execute("ANALYZE")


def statements(world):
    """What a search runs, with its rows."""
    sought = (Sought(CreditFile.phone, Slot(1), Purpose.CREDIT_REVIEW),)
    level = Level(shape=SHAPE, facts=(Labelled("id", "id"),), sought=sought, page=Page(size=Slot(0), wants_total=True))
    rights = Rights(id=1, version="v", allowed=dict.fromkeys((SHAPE.read, "reveal:contact"), "rule"))
    steps = SqlReadings(world.database.dialect, world.ring).prepare(judge(Reading((Labelled("page", level),)), rights))
    run = steps.run(Scope(tenant=TENANT), [20, PHONE], NOW)
    fetch = next(run)
    while True:
        rows = world.database.fetch(fetch.sql, fetch.parameters)
        yield fetch, rows
        try:
            fetch = run.send(rows)
        except StopIteration:
            return


def scans(world, fetch):
    """The tables that a statement's plan walks, and those it finds rows in by an index."""
    if world.database.dialect == "sqlite":
        told = [row[3] for row in world.database.fetch(f"EXPLAIN QUERY PLAN {fetch.sql}", fetch.parameters)]
        return [line for line in told if line.startswith("SCAN")], [line for line in told if "USING" in line]
    # As it runs again and again: the driver prepares it once, and its plan knows no value.
    world.database.execute("SET plan_cache_mode = force_generic_plan")
    plan = json.loads(world.database.fetch(f"EXPLAIN (FORMAT JSON) {fetch.sql}", fetch.parameters)[0][0])
    pending, nodes = [plan[0]["Plan"]], []
    while pending:
        nodes.append(pending.pop())
        pending += nodes[-1].get("Plans", ())
    walked = [
        node for node in nodes if node["Node Type"] == "Seq Scan" and node["Relation Name"] != "blind_index_state"
    ]
    return walked, [node["Index Name"] for node in nodes if "Index Name" in node]


def looked_up(world, count):
    """Checks the plans of a search among so many files."""
    file = world.file(world.origin())
    multiplied(world, count)
    *before, rows, total = statements(world)
    assert len(before) == 2
    assert [row[0] for row in rows[1]] == [file.id]
    assert total[1][0][-1] == 1
    for fetch, _ in (rows, total):
        walked, found = scans(world, fetch)
        assert walked == []
        assert any("blind_index_token" in str(one) for one in found)
        assert any("credit_file" in str(one) for one in found)


def test_a_search_among_five_thousand_files_is_a_look_up_in_an_index(world):
    looked_up(world, 5_000)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_search_among_400_000_files_is_a_look_up_in_an_index(world):
    looked_up(world, 400_000)
