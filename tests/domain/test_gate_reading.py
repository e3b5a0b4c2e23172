"""A reading through the Gate: judged, read, recorded, and only then opened."""

from __future__ import annotations

import asyncio
import json

import pytest

from domain.actors import Rights
from domain.audit import Outcome
from domain.errors import AuditUnavailable, Conflict, Malformed, NotPermitted
from domain.files.parties import CreditFile
from domain.files.trail import AuditEntry
from domain.gate import Plan
from domain.ports import Draft
from domain.reading import Labelled, Level, Purpose, Reading, Reveal, Slot, Where, judge
from tests.world import PHONE, TENANT, World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def file(world):
    return world.file(world.origin())


class Prepared:
    """Steps that fetch nothing and end in a draft."""

    alone = ledger = False

    def __init__(self, draft):
        self.draft, self.scopes = draft, []

    def run(self, scope, arguments, now):
        """The draft, or the error it stands for."""
        del arguments, now
        self.scopes.append(scope)
        if isinstance(self.draft, Exception):
            raise self.draft
        return self.draft
        yield


def reading(world, *fields, facts=("name",)):
    reveal = Reveal(purpose=Purpose.CREDIT_REVIEW, fields=tuple(Labelled(one.name, one) for one in fields))
    level = Level(
        shape=CreditFile.shape,
        facts=tuple(Labelled(name, name) for name in facts),
        reveals=(Labelled("confidential", reveal),),
    )
    rights = world.grants.rights(world.actor())
    return judge(Reading((Labelled("file", level),)), rights)


@pytest.fixture
def reader(world, file, monkeypatch):
    allowed = {"credit_file:read": "r-1", "reveal:contact": "r-2"}
    monkeypatch.setattr(world.grants, "rights", lambda _: Rights(id=7, version="grants-1", allowed=allowed))

    def read(*fields, sealed=(CreditFile.phone,), subjects=None, fault=None):
        unit = world.unit()
        answer = {"file": {"name": file.name, "confidential": {}}}
        values = unit.sealed([unit.get(CreditFile, file.id)], sealed)
        names = [one.name for one in sealed]
        draft = Draft(
            answer=answer,
            subjects=(file.subject_id,) if subjects is None else subjects,
            resources=(file.id,),
            sealed=tuple(values),
            place=lambda opened: answer["file"]["confidential"].update(zip(names, opened, strict=True)),
        )
        plan = Plan(judged=reading(world, *(fields or (CreditFile.phone,))), steps=Prepared(fault or draft))
        return asyncio.run(world.gate.read(plan, world.actor(), (), request="rq-2"))

    return read


def test_a_reading_is_recorded_before_its_values_are_opened(world, file, reader):
    before, seen = len(world.entries), []
    world.vault.before = lambda: seen.extend(world.entries[before:])
    assert reader() == {"file": {"name": file.name, "confidential": {"phone": PHONE}}}
    (entry,) = seen
    assert (entry.action, entry.purpose, entry.outcome) == ("credit_file:read", "CREDIT_REVIEW", Outcome.DONE)
    assert entry.subjects == (file.subject_id,)
    assert entry.fields == ("credit_file.name", "contact.phone")


def test_a_reading_that_cannot_be_recorded_opens_nothing(world, reader):
    world.faults.on = "put"
    with pytest.raises(AuditUnavailable):
        reader()
    assert world.faults.steps[-1] == "put"
    assert world.vault.warrants == []


def test_a_reading_opens_nothing_that_its_contract_does_not_name(world, reader):
    with pytest.raises(NotPermitted):
        reader(CreditFile.phone, sealed=(CreditFile.phone, CreditFile.email))
    assert world.entries[-1].outcome is Outcome.FAILED


def test_an_entry_names_every_subject_whose_values_are_opened(world, file, reader):
    reader(subjects=())
    assert world.entries[-1].subjects == (file.subject_id,)


def test_a_reading_of_what_is_not_granted_is_refused_and_recorded(world, reader, monkeypatch):
    allowed = {"reveal:contact": "r-2"}
    monkeypatch.setattr(world.grants, "rights", lambda _: Rights(id=8, version="grants-1", allowed=allowed))
    with pytest.raises(NotPermitted, match="CreditFile"):
        reader()
    entry = world.entries[-1]
    assert (entry.action, entry.outcome, entry.rule) == ("credit_file:read", Outcome.REFUSED, "")


def test_a_plan_judged_under_other_rights_is_not_carried_out(world, file):
    plan = Plan(judged=reading(world, CreditFile.phone), steps=Prepared(AssertionError("nothing is read")))
    world.grants.rights = lambda _: Rights(id=9, version="grants-2", allowed={})
    with pytest.raises(Conflict):
        asyncio.run(world.gate.read(plan, world.actor(), ()))
    assert (world.entries[-1].outcome, world.entries[-1].grants) == (Outcome.INVALID, "grants-2")
    del file


def test_a_reading_that_fails_is_recorded(world, reader):
    with pytest.raises(Malformed):
        reader(fault=Malformed("No such cursor."))
    assert (world.entries[-1].outcome, world.entries[-1].code) == (Outcome.INVALID, "MALFORMED")


@pytest.mark.parametrize(("partner", "subject"), [("pa_1", None), (None, "cu_1"), (None, None)])
def test_a_reading_reaches_what_its_actor_may_find(world, partner, subject):
    steps = Prepared(Draft(answer={}, subjects=(), resources=()))
    world.grants.rights = lambda _: Rights(id=1, version="", allowed={"credit_file:read": "r-1"})
    plan = Plan(judged=reading(world, facts=()), steps=steps)
    actor = world.actor(partner=partner, subject=subject)
    asyncio.run(world.gate.read(plan, actor, ()))
    (scope,) = steps.scopes
    assert (scope.tenant, scope.partner, scope.subject) == (TENANT, partner, subject)
    assert world.entries[-1].behalf == (partner or subject or "")


def test_a_fact_that_is_only_asked_about_is_named_in_the_entry_too():
    level = Level(
        shape=CreditFile.shape,
        facts=(Labelled("name", "name"),),
        where=(Where("reference", "=", Slot(0)), Where("id", "=", Slot(1))),
        order=(("grade", True),),
    )
    judged = judge(Reading((Labelled("files", level),)), Rights(id=1, version="g", allowed={}))
    assert judged.contract.fields == ("credit_file.grade", "credit_file.name", "credit_file.reference")


def test_the_entry_of_several_roots_names_every_action_it_rests_on(world):
    both = Reading(
        (
            Labelled("file", Level(shape=CreditFile.shape, facts=(Labelled("name", "name"),))),
            Labelled("log", Level(shape=AuditEntry.shape, facts=(Labelled("actor", "actor"),))),
        )
    )
    rights = Rights(id=1, version="", allowed={"credit_file:read": "r-1", "audit:read": "r-2"})
    world.grants.rights = lambda _: rights
    plan = Plan(judged=judge(both, rights), steps=Prepared(Draft(answer={}, subjects=(), resources=())))
    asyncio.run(world.gate.read(plan, world.actor(), []))
    entry = world.entries[-1]
    assert entry.action == "credit_file:read"
    assert entry.actions == ("credit_file:read", "audit:read")
    assert entry.rule == "r-1,r-2"
    assert json.loads(entry.leaf(""))["actions"] == ["credit_file:read", "audit:read"]
