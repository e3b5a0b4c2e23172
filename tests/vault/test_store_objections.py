"""What is late is told once on both databases, also by two sweeps at once and while somebody answers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.objections.clocks import EscalateObjections, Escalation, EscalationState
from domain.objections.objections import ObjectionKind
from domain.objections.raising import RaiseObjection, WithdrawObjection
from tests.world import NOW


@pytest.fixture
def objection(world):
    """An objection that nobody took up for forty days."""
    file = world.file(world.origin())
    asked = RaiseObjection(credit_file=file.id, kind=ObjectionKind.RECORD, contested=file.id, statement="Not ours.")
    raised = world.do(asked)
    world.clock.at = NOW + timedelta(days=40)
    return raised


def at_once(world, *operations):
    async def all_of_them():
        gate, actor = world.gate, world.actor("system:sweep", "system")
        return await asyncio.gather(*(gate.perform(one, actor) for one in operations))

    return world.loop(all_of_them())


def test_two_sweeps_at_once_tell_it_once(world, objection):
    ended = at_once(world, *(EscalateObjections() for _ in range(6)))
    assert sum(one.value.raised for one in ended) == 2
    told = world.current(Escalation)
    assert {(one.clock.value, one.level.value) for one in told} == {("ANNOTATE", "OVERDUE"), ("ANSWER", "OVERDUE")}
    assert len(told) == 2
    assert world.findings() == []
    assert objection.id


def test_what_is_taken_back_meanwhile_does_not_stand_open(world, objection):
    at_once(world, EscalateObjections(), WithdrawObjection(objection=objection.id), EscalateObjections())
    assert {one.state for one in world.current(Escalation)} <= {EscalationState.SETTLED}
    assert world.findings() == []
