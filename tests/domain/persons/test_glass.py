"""Breaking the glass, and rules about access, in the small: what is refused and what is left behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import Code, Conflict, Malformed, NotFound, NotPermitted
from domain.files.opening import OpenCreditFile, UpdateBasicInformation
from domain.files.parties import PartyKind
from domain.operations import OPERATIONS
from domain.persons.actions import asked_for
from domain.persons.glass import BreakGlass, EndBreakGlass, GlassState, ReviewBreakGlass, Verdict
from domain.persons.proposing import AllowBreakGlass, LimitRole, RequireTraining, breakable
from domain.persons.reach import Extent, Reach
from domain.persons.rules import ApproveAccessRule, RetireAccessRule, RoleReach, RuleState
from domain.persons.staff import AssignAccount
from domain.persons.standing import Standing
from tests.world import World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def file(world):
    return world.file(world.origin())


def allow(world, action="reveal:contact", minutes=60):
    rule = world.do(AllowBreakGlass(role="sales", action=action, most_minutes=minutes), world.actor("admin"))
    return world.do(ApproveAccessRule(rule=rule.id), world.actor("zhou"))


def broken(world, file, *, minutes=30, person="xia", role="sales", needed=("reveal:contact",)):
    asked = BreakGlass(credit_file=file.id, needed=needed, reason="A hospital is cut off.", minutes=minutes)
    return world.do(asked, world.actor(person, role))


def test_nothing_that_takes_two_persons_can_ever_be_broken_open():
    decided = {action for one in OPERATIONS.values() if one.apart is not None for action in one.actions}
    assert not [action for action in decided if breakable(action)]
    for noun in ("access_rule", "break_glass", "audit", "grants", "key", "tenant", "training"):
        assert not [action for action in asked_for() if action.startswith(f"{noun}:") and breakable(action)]
    assert breakable("reveal:contact")


def test_a_glass_is_broken_by_the_role_a_rule_names_for_no_longer_than_it_says(world, file):
    allow(world)
    made = broken(world, file)
    assert made.ends_at == world.clock.now() + timedelta(minutes=30)
    assert made.review_due_at > made.ends_at
    for refused in ({"role": "legal"}, {"needed": ("reveal:rating",)}, {"needed": ("reveal:contact", "reveal:rating")}):
        with pytest.raises(NotPermitted):
            broken(world, file, **refused)
    for minutes in (0, -1, 61):
        with pytest.raises(Malformed):
            broken(world, file, minutes=minutes)
    with pytest.raises(Malformed):
        broken(world, file, needed=())


def test_a_rule_that_was_taken_back_breaks_nothing(world, file):
    rule = allow(world)
    world.do(RetireAccessRule(rule=rule.id), world.actor("zhou"))
    with pytest.raises(NotPermitted):
        broken(world, file)


def test_programs_and_whoever_acts_under_one_already_break_no_glass(world, file):
    allow(world)
    asked = BreakGlass(credit_file=file.id, needed=("reveal:contact",), reason="Cut off.", minutes=5)
    with pytest.raises(NotPermitted):
        world.do(asked, replace(world.actor("service:x", "sales"), service=True))
    with pytest.raises(NotPermitted):
        world.do(asked, replace(world.actor("xia", "sales"), glass="bg_" + "1" * 26))


def test_another_person_reviews_it_once_and_it_is_over_with_that(world, file):
    allow(world)
    made = broken(world, file)
    verdict = ReviewBreakGlass(broken_glass=made.id, verdict=Verdict.UNJUSTIFIED, remarks="There was time to ask.")
    with pytest.raises(NotPermitted) as own:
        world.do(verdict, world.actor("xia"))
    assert own.value.code is Code.SEPARATION_OF_DUTY
    with pytest.raises(Malformed):
        world.do(replace(verdict, remarks=None), world.actor("wu"))
    reviewed = world.do(verdict, world.actor("wu"))
    assert (reviewed.state, reviewed.reviewed_by) == (GlassState.REVIEWED, "wu")
    assert reviewed.ends_at == world.clock.now()
    with pytest.raises(Conflict):
        world.do(verdict, world.actor("wu"))


def test_whoever_broke_it_ends_it_and_nobody_else(world, file):
    allow(world)
    made = broken(world, file)
    with pytest.raises(NotPermitted):
        world.do(EndBreakGlass(broken_glass=made.id), world.actor("li"))
    assert world.do(EndBreakGlass(broken_glass=made.id), world.actor("xia")).ends_at == world.clock.now()
    with pytest.raises(Conflict):
        world.do(EndBreakGlass(broken_glass=made.id), world.actor("xia"))


def test_of_rules_about_the_same_thing_one_is_in_force_and_a_limit_is_not_simply_taken_away(world):
    for extent in (Extent.OWN, Extent.ALL):
        rule = world.do(LimitRole(role="sales", extent=extent), world.actor("admin"))
        world.do(ApproveAccessRule(rule=rule.id), world.actor("zhou"))
    states = {one.extent: one.state for one in world.current(RoleReach)}
    assert states == {Extent.OWN: RuleState.RETIRED, Extent.ALL: RuleState.IN_FORCE}
    with pytest.raises(Malformed):
        world.do(RetireAccessRule(rule=rule.id), world.actor("zhou"))
    with pytest.raises(Conflict):
        world.do(ApproveAccessRule(rule=rule.id), world.actor("zhou"))


@pytest.mark.parametrize("action", ["reveal:nothing", "", "reveal", "credit_file:*"])
def test_a_rule_speaks_of_actions_that_something_asks_for(world, action):
    with pytest.raises(Malformed):
        world.do(RequireTraining(action=action, course="Privacy"))


def test_beyond_its_reach_a_change_finds_nothing_and_leaves_nothing(world, file):
    limited = replace(world.actor("xia"), standing=Standing(reach=Reach(owner="xia")))
    update = UpdateBasicInformation(credit_file=file.id, origin=world.origin("another"), name="Another")
    with pytest.raises(NotFound) as refused:
        world.do(update, limited)
    assert (refused.value.cause, world.entries[-1].cause) == ("OUT_OF_REACH", "OUT_OF_REACH")
    world.do(AssignAccount(credit_file=file.id, owner="xia"))
    assert world.do(update, limited).name == "Another"
    world.do(AssignAccount(credit_file=file.id, owner="bai"), limited)
    with pytest.raises(NotFound):
        world.do(update, limited)


def test_whoever_is_limited_opens_no_file_that_it_would_not_find(world):
    origin = world.origin()
    limited = replace(world.actor("xia"), standing=Standing(reach=Reach(owner="xia")))
    opening = {"name": "Yunfan", "kind": PartyKind.ENTERPRISE, "origin": origin}
    with pytest.raises(NotPermitted):
        world.do(OpenCreditFile(reference="C-7", account_owner="bai", **opening), limited)
    assert world.do(OpenCreditFile(reference="C-7", account_owner="xia", **opening), limited).reference == "C-7"
