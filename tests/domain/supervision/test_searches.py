"""Searches of the log are kept by name, every version of them, and hold only what a list of entries takes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Malformed, NotFound
from domain.ids import encode
from domain.supervision.searches import AuditSearch, DropAuditSearch, SaveAuditSearch, SearchState, checked
from tests.world import World

REFUSALS = {"outcome": {"eq": "REFUSED"}, "at": {"gte": "2026-11-01T00:00:00+08:00"}, "actor": {"in": ["li", "wang"]}}


def test_a_search_is_saved_changed_and_dropped_and_every_version_stays():
    world = World()
    saved = world.do(SaveAuditSearch(name="Refusals", conditions=json.dumps(REFUSALS)), world.actor("zhao"))
    assert json.loads(saved.conditions) == REFUSALS
    changed = world.do(SaveAuditSearch(name="Refusals", conditions='{"code":{"eq":"X"}}'), world.actor("sun"))
    assert (changed.id, changed.stamp.version, changed.saved_by) == (saved.id, 2, "sun")
    dropped = world.do(DropAuditSearch(search=saved.id))
    assert dropped.state is SearchState.DROPPED
    assert world.do(DropAuditSearch(search=saved.id)).stamp.version == 3
    again = world.do(SaveAuditSearch(name="Refusals", conditions='{"code":{"eq":"Y"}}'))
    assert (again.state, again.stamp.version) == (SearchState.KEPT, 4)
    assert len(world.current(AuditSearch)) == 1
    assert [entry.action for entry in world.entries] == ["audit:save"] * 5
    with pytest.raises(NotFound):
        world.do(DropAuditSearch(search=encode("sq", bytes(16))))


@pytest.mark.parametrize(
    "conditions",
    [
        "",
        "[]",
        "{}",
        "not json",
        '{"nobody":{"eq":"x"}}',
        '{"actor":{}}',
        '{"actor":"li"}',
        '{"actor":{"has":"li"}}',
        '{"actor":{"eq":7}}',
        '{"actor":{"in":[]}}',
        '{"outcome":{"contains":"DONE"}}',
        '{"subjects":{"eq":"cu_1"}}',
        '{"at":{"gte":"yesterday"}}',
        '{"at":{"gte":"2026-11-01T00:00:00"}}',
        '{"actor":{"eq":"' + "x" * 4_000 + '"}}',
        "[" * 3_000,
    ],
)
def test_conditions_that_no_list_takes_are_refused(conditions):
    with pytest.raises(Malformed):
        checked(conditions)


@pytest.mark.parametrize("name", ["", " x", "x ", "x" * 81])
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(Malformed):
        World().do(SaveAuditSearch(name=name, conditions=json.dumps(REFUSALS)))


@given(
    st.dictionaries(st.sampled_from(["actor", "action", "code"]), st.fixed_dictionaries({"eq": st.text()}), min_size=1)
)
def test_checking_what_was_checked_changes_nothing(conditions):
    once = checked(json.dumps(conditions))
    assert checked(once) == once
    assert json.loads(once) == conditions
