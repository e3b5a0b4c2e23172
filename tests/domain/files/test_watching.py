"""What arrives is read like everything else: granted by an action of its own, and recorded where it has news."""

from __future__ import annotations

import asyncio

import pytest

from domain.actors import Rights
from domain.audit import Outcome
from domain.errors import NotPermitted
from domain.files.watching import NEWEST, STREAMS, arriving, beginning, behind, places
from domain.gate import Plan
from domain.ports import Draft
from domain.reading import Labelled, Level, Page, Reading, Slot, judge
from tests.domain.test_gate_reading import Prepared
from tests.world import World

ENTRIES = STREAMS["auditEntries"]
BOTH = {"audit:read": "r-1", "audit:watch": "r-2"}


def watched():
    level = Level(shape=ENTRIES.shape, facts=(Labelled("actor", "actor"),), page=Page(size=Slot(0), layout=()))
    return Reading((Labelled("news", arriving(ENTRIES, level, Slot(1), 2)),), ENTRIES.action)


def plan_of(rows, allowed, world):
    rights = Rights(id=1, version="g", allowed=allowed)
    world.grants.rights = lambda _: rights
    page = {"rows": rows, "cursors": list("c" * len(rows)), "more": False, "earlier": False, "total": None}
    steps = Prepared(Draft(answer={"news": page}, subjects=(), resources=()))
    return Plan(judged=judge(watched(), rights), steps=steps)


@pytest.fixture
def world():
    return World()


def watch(world, plan):
    return asyncio.run(world.gate.watch(plan, world.actor(), (20, None, 0, ENTRIES.action)))


def test_news_is_recorded_as_a_delivery_before_it_leaves(world):
    found = watch(world, plan_of([{"actor": "li"}], BOTH, world))
    assert found["news"]["rows"] == [{"actor": "li"}]
    (entry,) = world.entries
    assert (entry.action, entry.rule, entry.outcome) == ("audit:watch", "r-2,r-1", Outcome.DONE)
    assert entry.fields == ("audit_entry.action", "audit_entry.actor", "audit_entry.log_index")


def test_where_there_is_no_news_nothing_leaves_and_nothing_is_recorded(world):
    assert watch(world, plan_of([], BOTH, world)) is None
    assert world.entries == []


@pytest.mark.parametrize("lacking", sorted(BOTH))
def test_a_watcher_needs_the_read_and_the_watch(world, lacking):
    plan = plan_of([{"actor": "li"}], {name: rule for name, rule in BOTH.items() if name != lacking}, world)
    with pytest.raises(NotPermitted, match="AuditEntry") as refused:
        watch(world, plan)
    assert lacking in refused.value.advice
    assert world.entries[-1].outcome is Outcome.REFUSED


def test_what_arrives_comes_oldest_first_behind_a_place_and_without_deliveries():
    level = watched().roots[0].what
    assert level.order == (("log_index", False),)
    assert [(where.column, where.operator, where.value.index) for where in level.where] == [
        ("log_index", ">=", 2),
        ("action", "!=", 3),
    ]
    assert (level.page.after, level.page.wants_cursors, level.page.layout) == (Slot(1), True, None)
    assert places(ENTRIES, 7) == (7, "audit:watch")


@pytest.mark.parametrize(("rows", "place"), [([{"log_index": 41}], 42), ([], 0)])
def test_a_stream_begins_behind_the_newest_record(rows, place):
    assert behind(ENTRIES, {NEWEST: {"rows": rows}}) == place
    assert beginning(ENTRIES).action == ENTRIES.action
