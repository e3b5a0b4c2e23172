"""Rights of one person: less what training withdraws, more what a broken glass adds; nobody else is slowed."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.actors import Rights
from domain.errors import Code, NotPermitted
from domain.ids import Id
from domain.persons.adjusting import Adjusting
from domain.persons.permitting import GLASS_OVER, permit
from domain.persons.reach import Reach
from domain.persons.standing import PLAIN, Glass, Lapse, Standing
from tests.world import NOW, Clock, World

ALLOWED = {"reveal:contact": "r1", "credit_file:read": "r2", "assessment:approve": "r3"}
CUSTOMER, FILE = Id("cu_" + "1" * 26), Id("bg_" + "1" * 26)
ENDS = NOW + timedelta(minutes=30)
GLASS = Glass(id=FILE, person="wang", customer=CUSTOMER, actions=("reveal:rating", "control:approve"), ends_at=ENDS)


class Roles:
    """What everybody's roles give."""

    denied = frozenset({"control:approve"})

    def rights(self, _actor):
        """The rights of everybody."""
        return Rights(id=7, version="g", allowed=ALLOWED, denied=self.denied)

    async def notice(self, _tenant):
        """There is nothing new."""


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def adjusting(clock):
    return Adjusting(Roles(), clock)


def actor(**standing):
    return replace(World().actor("wang"), standing=Standing(**standing))


def test_whoever_has_nothing_set_about_it_has_the_rights_of_its_roles(adjusting):
    assert adjusting.rights(World().actor("wang")).id == 7
    assert adjusting.rights(actor(reach=Reach(owner="wang"))).id == 7


def test_an_action_lapses_at_the_instant_its_course_ends_and_not_before(adjusting, clock):
    held = actor(lapses=(Lapse(action="reveal:contact", course="Privacy", until=NOW + timedelta(days=1)),))
    assert adjusting.rights(held).permits("reveal:contact")
    clock.move(days=1)
    rights = adjusting.rights(held)
    assert not rights.permits("reveal:contact")
    assert dict(rights.lapsed) == {"reveal:contact": "Privacy"}
    assert rights is adjusting.rights(held)
    with pytest.raises(NotPermitted) as refused:
        permit(held, ("reveal:contact",), rights, NOW)
    assert refused.value.code is Code.TRAINING_LAPSED
    with pytest.raises(NotPermitted) as refused:
        permit(held, ("reveal:contact", "key:rotate"), rights, NOW)
    assert refused.value.code is Code.NOT_PERMITTED


def test_what_roles_do_not_allow_does_not_lapse(adjusting):
    assert adjusting.rights(actor(lapses=(Lapse(action="key:rotate", course="Keys", until=None),))).id == 7


def test_a_glass_adds_its_actions_under_its_own_name_but_none_that_is_denied(adjusting, clock):
    under = replace(actor(glass=GLASS), glass=GLASS.id)
    rights = adjusting.rights(under)
    assert rights.allowed["reveal:rating"] == GLASS.id
    assert rights.allowed["reveal:contact"] == "r1"
    assert not rights.permits("control:approve")
    assert under.standing.limit == Reach(only=CUSTOMER)
    permit(under, ("reveal:rating",), rights, NOW)
    clock.move(minutes=30)
    assert adjusting.rights(under).id == 7
    with pytest.raises(NotPermitted) as refused:
        permit(under, ("reveal:contact",), adjusting.rights(under), ENDS)
    assert refused.value.cause == GLASS_OVER


def test_a_glass_gives_back_for_its_minutes_what_training_withdrew(adjusting):
    glass = replace(GLASS, actions=("reveal:contact",))
    lapse = Lapse(action="reveal:contact", course="Privacy", until=None)
    rights = adjusting.rights(replace(actor(glass=glass, lapses=(lapse,)), glass=glass.id))
    assert rights.allowed["reveal:contact"] == glass.id
    assert rights.lapsed == {}


def test_a_glass_of_another_person_gives_nothing(adjusting):
    claims = replace(World().actor("li"), glass=GLASS.id)
    with pytest.raises(NotPermitted) as refused:
        permit(claims, ("credit_file:read",), adjusting.rights(claims), NOW)
    assert refused.value.cause == GLASS_OVER


def test_without_anything_set_a_decision_costs_less_than_a_microsecond_more():
    plain, roles, turns = World().actor("wang"), Roles(), 20_000
    rights = roles.rights(plain)
    roles.rights = lambda _actor: rights
    alone = Adjusting(roles, Clock())
    assert plain.standing is PLAIN

    def cost(decide):
        best = 1.0
        for _ in range(7):
            begun = time.perf_counter()
            for _ in range(turns):
                decide(plain)
            best = min(best, (time.perf_counter() - begun) / turns)
        return best

    assert cost(alone.rights) - cost(roles.rights) < 1e-6
