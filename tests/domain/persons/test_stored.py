"""Rules, staff, training and broken glasses on a real store: what is looked up of them, and that nothing is amiss."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from api.settling import Settler
from domain.errors import CreditError
from domain.persons.glass import BreakGlass
from domain.persons.proposing import AllowBreakGlass, LimitRole, RegisterServiceAccount, RequireTraining
from domain.persons.reach import Extent, Reach
from domain.persons.rules import ApproveAccessRule, RuleState, TrainingRequirement
from domain.persons.staff import AssignAccount, OpenDepartment, PlaceStaff
from domain.persons.training import EndTraining, RecordTraining
from tests.stored import StoredWorld
from vault.store.reading import SqlReadings


@pytest.fixture
def world(database, loop, tmp_path):
    """A company on a database of its own."""
    with StoredWorld(database, loop, tmp_path) as opened:
        opened.open_tenant()
        yield opened


def in_force(world, proposal):
    rule = world.do(proposal, world.actor("admin"))
    return world.do(ApproveAccessRule(rule=rule.id), world.actor("zhou"))


def settled(world, actor):
    settler = Settler(world.store, SqlReadings(world.database.dialect, world.ring), world.clock.now)
    return world.loop(settler.settled(actor))


def test_a_standing_is_what_the_store_says_and_the_store_is_sound(world):
    file = world.file(world.origin())
    department = world.do(OpenDepartment(name="South"))
    for placed in (None, department.id):
        world.do(PlaceStaff(person="xia", department=placed))
    world.do(AssignAccount(credit_file=file.id, owner="xia", department=department.id))
    in_force(world, LimitRole(role="sales", extent=Extent.DEPARTMENT))
    in_force(world, RequireTraining(action="reveal:contact", course="Privacy"))
    in_force(world, RegisterServiceAccount(issuer="i", client="billing", roles=("sales",), purpose="Invoices."))
    in_force(world, AllowBreakGlass(role="sales", action="reveal:contact", most_minutes=9))
    today = world.clock.now().date()
    course = RecordTraining(person="xia", course="Privacy", completed_on=today, valid_days=1)
    for days in (10, 30):
        held = world.do(replace(course, valid_days=days), world.actor("zhou"))
    xia = world.actor("xia", "sales")
    asked = BreakGlass(credit_file=file.id, needed=("reveal:contact",), reason="Cut off.", minutes=9)
    glass = world.do(asked, replace(xia, standing=replace(xia.standing, reach=Reach(owner="nobody"))))

    standing = settled(world, replace(xia, glass=glass.id)).standing
    assert standing.reach == Reach(owner="xia", department=department.id)
    assert [(one.action, one.until) for one in standing.lapses] == [("reveal:contact", held.valid_until)]
    assert (standing.glass.id, standing.glass.customer) == (glass.id, file.customer)
    assert standing.glass.ends_at == world.clock.now() + timedelta(minutes=9)
    assert settled(world, replace(world.actor("bai", "sales"), glass=glass.id)).standing.glass is None
    program = replace(world.actor("service:billing"), roles=frozenset(), service=True, issuer="i")
    assert settled(world, program).roles == {"sales"}
    assert settled(world, replace(program, issuer="another")).roles == frozenset()
    world.do(EndTraining(training=held.id, reason="Recorded wrongly."), world.actor("zhou"))
    assert settled(world, xia).standing.lapses[0].until == world.clock.now()
    assert world.findings() == []


def test_two_that_are_approved_at_once_leave_one_in_force(world):
    asked = RequireTraining(action="reveal:contact", course="Privacy")
    rules = [world.do(asked, world.actor("admin")) for _ in range(4)]

    async def at_once():
        deciding = [world.gate.perform(ApproveAccessRule(rule=one.id), world.actor("zhou")) for one in rules]
        return await asyncio.gather(*deciding, return_exceptions=True)

    ended = world.loop(at_once())
    assert not [one for one in ended if isinstance(one, Exception) and not isinstance(one, CreditError)]
    states = [one.state for one in world.current(TrainingRequirement)]
    assert states.count(RuleState.IN_FORCE) == 1
