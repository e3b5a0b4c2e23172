"""What auditors ask of the log is found by places, and is what a walk over every entry finds."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from domain.actors import Rights
from domain.audit import Entry, Outcome
from domain.files.trail import AuditEntry
from domain.ids import encode
from domain.ports import Scope
from domain.reading import Labelled, Level, Page, Reading, Slot, Where, judge
from tests.vault.wishes import Everything
from tests.world import TENANT
from vault.store.ledger import lookups, terms
from vault.store.reading import SqlReadings
from vault.store.reading.dialects import DIALECTS
from vault.store.reading.places import MOST, Places
from vault.store.tables import audit_stretch, audit_term

EVERYTHING = Rights(id=1, version="all", allowed=Everything())
ACTORS = ("li", "wang", "zhou", "system:sweep")
ACTIONS = ("credit_file:read", "assessment:approve", "reveal:contact", "audit:read")


@given(st.sets(st.integers(0, terms.STRETCH - 1)))
def test_places_come_back_as_they_were_packed(places):
    whole = sum(1 << place for place in places)
    packed = terms.pack(whole)
    assert len(packed) <= terms.STRETCH // 8
    assert terms.unpack(packed) == whole
    assert list(terms.each(whole)) == sorted(places)


def subject(number):
    return encode("cu", number.to_bytes(16, "big"))


def fill(world, count, seed=7):
    """A log of many entries, put into the store by its own ways."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    made = []
    for number in range(count):
        world.clock.move(seconds=chance.randint(0, 30))
        now = world.clock.now()
        made.append(
            Entry(
                id=world.ids.make("ae", int(now.timestamp() * 1000)),
                at=now,
                tenant=TENANT,
                actor=chance.choice(ACTORS),
                action=chance.choice(ACTIONS),
                purpose=chance.choice(("", "CREDIT_REVIEW", "SUPERVISION")),
                consent=f"co_{number // 100}" if number % 50 == 3 else "",
                code="NOT_PERMITTED" if number % 97 == 5 else "",
                outcome=Outcome.REFUSED if number % 97 == 5 else Outcome.DONE,
                subjects=tuple(subject(chance.randint(0, 40)) for _ in range(chance.randint(0, 3))),
            )
        )

    async def put():
        for start in range(0, count, 50):
            await asyncio.gather(*(world.store.put(one) for one in made[start : start + 50]))

    world.loop(put())
    return made


def asked(world, where, arguments, *, descending=False, size=20, total=False):
    """Every page of a list, in order: the places of its rows, and how many there are."""
    page = Page(size=Slot(0), after=Slot(1), wants_total=total)
    shift = tuple(Where(one.column, one.operator, Slot(one.value.index + 2)) for one in where)
    facts = (Labelled("index", "log_index"), Labelled("id", "id"))
    level = Level(shape=AuditEntry.shape, facts=facts, where=shift, order=(("log_index", descending),), page=page)
    steps = SqlReadings(world.database.dialect, world.ring).prepare(judge(Reading((Labelled("x", level),)), EVERYTHING))
    found, after = [], None
    while True:
        run = steps.run(Scope(tenant=TENANT), [size, after, *arguments], world.clock.now())
        answer = world.loop(world.store.read(TENANT, run, alone=steps.alone, ledger=steps.ledger)).answer["x"]
        assert len(answer["rows"]) <= size
        found += [row["id"] for row in answer["rows"]]
        if not answer["more"]:
            assert not total or answer["total"] == len(found)
            return found
        after = answer["cursors"][-1]


def in_log(world):
    """The entries by their place."""
    return [json.loads(leaf) for leaf in world.leaves()]


CONDITIONS = {
    "one actor": ([("actor", "=")], ["li"], lambda e: e["actor"] == "li"),
    "one of two actors": ([("actor", "in")], [("li", "zhou")], lambda e: e["actor"] in {"li", "zhou"}),
    "a part of an actor": ([("actor", "contains")], ["system:"], lambda e: e["actor"].startswith("system:")),
    "nobody": ([("actor", "=")], ["nobody"], lambda e: e is None),
    "an action of an actor": (
        [("actor", "="), ("action", "=")],
        ["wang", "assessment:approve"],
        lambda e: (e["actor"], e["action"]) == ("wang", "assessment:approve"),
    ),
    "a refusal": ([("outcome", "=")], ["REFUSED"], lambda e: e["outcome"] == "REFUSED"),
    "a code": (
        [("code", "="), ("actor", "=")],
        ["NOT_PERMITTED", "li"],
        lambda e: e.get("code") and e["actor"] == "li",
    ),
    "no purpose": (
        [("purpose", "="), ("action", "=")],
        ["", "reveal:contact"],
        lambda e: "purpose" not in e and e["action"] == "reveal:contact",
    ),
    "a consent": ([("consent", "=")], ["co_3"], lambda e: e.get("consent") == "co_3"),
    "a subject": ([("subjects", "has")], [subject(5)], lambda e: subject(5) in e["subjects"]),
    "two subjects": (
        [("subjects", "has"), ("subjects", "has")],
        [subject(5), subject(6)],
        lambda e: {subject(5), subject(6)} <= set(e["subjects"]),
    ),
    "a subject and an actor": (
        [("subjects", "has"), ("actor", "=")],
        [subject(5), "li"],
        lambda e: subject(5) in e["subjects"] and e["actor"] == "li",
    ),
}


@pytest.fixture
def small(monkeypatch):
    """Stretches so short that a small log has many."""
    monkeypatch.setattr(terms, "STRETCH", 64)
    monkeypatch.setattr(terms, "_WHOLE", 8)
    monkeypatch.setattr("vault.store.reading.places.STRETCH", 64)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("descending", [False, True])
def test_every_condition_finds_what_a_walk_over_all_entries_finds(world, descending):
    fill(world, 420)
    log = in_log(world)
    middle = log[len(log) // 2]["at"]
    for name, (where, arguments, holds) in CONDITIONS.items():
        wanted = [entry["id"] for entry in log if holds(entry)]
        wheres = [Where(column, operator, Slot(at)) for at, (column, operator) in enumerate(where)]
        found = asked(world, wheres, arguments, descending=descending, total=True)
        assert found == (wanted[::-1] if descending else wanted), name
        for operator, within in ((">=", lambda at: at >= middle), ("<=", lambda at: at <= middle)):
            bounded = [*wheres, Where("at", operator, Slot(len(wheres)))]
            instant = world.clock.now().fromisoformat(middle)
            found = asked(world, bounded, [*arguments, instant], descending=descending, size=7, total=True)
            wanted = [entry["id"] for entry in log if holds(entry) and within(entry["at"])]
            assert found == (wanted[::-1] if descending else wanted), (name, operator)


@pytest.mark.usefixtures("small")
def test_what_is_found_of_a_stretch_does_not_depend_on_the_steps_it_was_built_in(world, monkeypatch):
    def kept(connection):
        columns = audit_term.c
        select = sa.select(columns.fact, columns.value, columns.stretch, columns.places)
        spans = sa.select(audit_stretch.c.stretch, audit_stretch.c.earliest, audit_stretch.c.latest)
        return (
            sorted((*row[:3], bytes(row[3])) for row in connection.execute(select)),
            sorted(map(tuple, connection.execute(spans))),
        )

    fill(world, 150)
    built = world.look(kept)

    def again(connection, most):
        transaction = connection.begin_nested()
        for table in ("audit_term", "audit_stretch", "audit_found", "audit_posting"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        while lookups.bring_up(connection, TENANT, most):
            pass
        found = kept(connection)
        transaction.rollback()
        return found

    if world.database.dialect == "sqlite":
        monkeypatch.setattr(lookups, "_list", lambda *_: None)
        with world.store._engine.connect() as connection:
            connection.exec_driver_sql("DROP TRIGGER audit_posting_prune")
            assert again(connection, 1) == built
            connection.rollback()
    assert {value for fact, value, *_ in built[0] if fact == "actor"} >= set(ACTORS)


def test_a_page_of_a_common_value_reads_few_entries(world):
    fill(world, 30)
    level = Level(
        shape=AuditEntry.shape,
        where=(Where("actor", "=", Slot(0)),),
        order=(("log_index", False),),
        page=Page(size=Slot(1)),
    )
    places = Places(level, DIALECTS[world.database.dialect])
    sizes = []

    def ask(part):
        sizes.append(len(json.loads(part) if isinstance(part, str) else part))
        return "read"

    walk = places.read(["li", 20], {"tenant": TENANT, "limit": 21}, None, 20, ask)
    next(walk)
    fetch = walk.send([(stretch,) for stretch in range(4)])
    whole = (1 << terms.STRETCH) - 1
    assert fetch != "read"
    fetch = walk.send([(stretch, terms.pack(whole)) for stretch in range(4)])
    assert fetch == "read"
    assert sizes == [MOST // 4]
    with pytest.raises(StopIteration) as end:
        walk.send([("row",)] * 21)
    assert len(end.value.value) == 21


@pytest.mark.usefixtures("small")
def test_what_is_watched_under_conditions_is_found_from_its_place_on(world):
    fill(world, 200)
    log = in_log(world)
    where = [("log_index", ">=", 90), ("actor", "=", "li"), ("action", "!=", "audit:read")]
    wheres = [Where(column, operator, Slot(at)) for at, (column, operator, _) in enumerate(where)]
    wanted = [entry["id"] for entry in log[90:] if entry["actor"] == "li" and entry["action"] != "audit:read"]
    assert asked(world, wheres, [value for *_, value in where], size=5) == wanted
    assert wanted
