"""What is set about persons is looked up once, remembered for a second, and forgotten when it changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from api import settling
from api.settling import Settler
from domain.persons import looking
from domain.persons.reach import Reach
from domain.persons.standing import PLAIN
from domain.ports import Draft
from tests.world import NOW, TENANT, World

LISTS = (looking.REACHES, looking.CLAIMS, looking.SERVICES, looking.REQUIRED)


class Steps:
    """What is asked for, as a list of labels."""

    alone = False

    def __init__(self, judged):
        self.labels = tuple(root.label for root in judged.reading.roots)

    def run(self, _scope, words, _now):
        """The labels and what they are asked."""
        return self.labels, tuple(words)


class Kept:
    """Rows in memory; it counts what is looked up."""

    def __init__(self):
        self.rows, self.asked, self.between = {}, [], None

    def prepare(self, judged):
        """The steps of a reading."""
        return Steps(judged)

    async def read(self, _tenant, run, *, alone):
        """The rows under each label; something may happen before they are answered."""
        del alone
        labels, words = run
        self.asked.append(labels)
        found = {label: {"rows": list(self.rows.get(label, ()))} for label in labels}
        await asyncio.sleep(0)
        if self.between is not None:
            self.between()
        if looking.MEMBERS in labels:
            found = {
                label: {"rows": [row for row in page["rows"] if row["person"] == words[1]]}
                for label, page in found.items()
            }
        return Draft(answer=found, subjects=(), resources=())


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def settler(kept):
    return Settler(kept, kept, lambda: NOW)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved."""
    at = [0.0]
    monkeypatch.setattr(settling.time, "monotonic", lambda: at[0])
    return at


def settled(settler, person="xia", *roles, **more):
    return asyncio.run(settler.settled(replace(World().actor(person, *(roles or ("sales",))), **more)))


def test_without_a_rule_nobody_is_looked_up_and_the_actor_stays_as_it_is(settler, kept, clock):
    actor = World().actor("xia", "sales")
    for _ in range(3):
        assert asyncio.run(settler.settled(actor)) is actor
    assert kept.asked == [LISTS]
    clock[0] = settling.GOOD_SECONDS
    settled(settler)
    assert kept.asked == [LISTS, LISTS]


def test_what_changes_is_looked_up_at_once(settler, kept, clock):
    assert settled(settler).standing is PLAIN
    kept.rows[looking.REACHES] = [{"role": "sales", "extent": "OWN"}]
    assert settled(settler).standing is PLAIN
    settler.forget(TENANT)
    assert settled(settler).standing.reach == Reach(owner="xia")
    assert clock == [0.0]


def test_what_changes_while_it_is_looked_up_is_looked_up_again(settler, kept, clock):
    kept.between = lambda: settler.forget(TENANT)
    settled(settler)
    kept.between = None
    settled(settler)
    assert (kept.asked, clock) == ([LISTS, LISTS], [0.0])


def test_many_at_once_look_up_once(settler, kept, clock):
    async def all_of_them():
        await asyncio.gather(*(settler.settled(World().actor(f"p{one}", "sales")) for one in range(20)))

    asyncio.run(all_of_them())
    assert (len(kept.asked), clock) == (1, [0.0])


def test_persons_are_looked_up_where_a_rule_makes_it_matter_and_each_once(settler, kept, clock):
    kept.rows[looking.REQUIRED] = [{"action": "reveal:contact", "course": "Privacy", "required": True}]
    until = NOW + timedelta(days=9)
    kept.rows[looking.TRAININGS] = [{"person": "xia", "course": "Privacy", "valid_until": until}]
    kept.rows[looking.MEMBERS] = []
    for _ in range(2):
        assert settled(settler, "xia").standing.lapses[0].until == until
        assert settled(settler, "bai").standing.lapses[0].until is None
    assert (len(kept.asked), clock) == (3, [0.0])


def test_partners_and_customers_have_no_standing(settler, kept):
    kept.rows[looking.REACHES] = [{"role": "sales", "extent": "OWN"}]
    for actor in (World().actor("p", "sales", partner="pa_1"), World().actor("c", "sales", subject="cu_1")):
        assert asyncio.run(settler.settled(actor)) is actor
    assert kept.asked == []
