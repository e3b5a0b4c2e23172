"""What no one person does alone: declared with each operation, enforced in one place, told and counted."""

from dataclasses import fields, replace
from types import SimpleNamespace

import pytest

from api.graphql.generation import declared
from domain.audit import Outcome
from domain.consent.admitting.deciding import ApprovePartner
from domain.consent.giving import RegisterPartner
from domain.controls import ApproveControlAction, LiftControlAction
from domain.errors import Code, NotPermitted
from domain.operations import OPERATIONS
from domain.persons.duties import Duty, examines, keep_apart, separations
from domain.reading import Purpose
from domain.records import SHAPES
from tests.world import World

declared.load()
APART = sorted(name for name, one in OPERATIONS.items() if one.apart is not None)
DECISIONS = [name for name in APART if not OPERATIONS[name].apart.person]
DECIDING = {"approve", "decide"}


class Looking:
    """A unit in which each record names the same person wherever it names any."""

    def __init__(self, person):
        self.person = person

    def get(self, record, _id, **_held):
        """A record of that kind."""
        facts = dict.fromkeys(record.shape.facts) | {"subject_id": "cu_1", "contested": None, "authors": (self.person,)}
        named = {name: self.person for name in facts if name.endswith(("_by", "_approver")) or name == "person"}
        return SimpleNamespace(**facts | named)

    def find(self, _record, **_equal):
        """The customer."""
        return [SimpleNamespace(account_owner=self.person)]


def asking(name):
    """An operation with a word in every place."""
    operation = OPERATIONS[name]
    made = object.__new__(operation)
    for attribute in (one.name for one in fields(operation)):
        object.__setattr__(made, attribute, "re_1" if attribute == "rule" else "xx_1")
    return made


def test_every_operation_that_approves_or_decides_says_whom_it_keeps_apart():
    silent = [
        name
        for name, one in OPERATIONS.items()
        if one.apart is None and any(action.partition(":")[2] in DECIDING for action in one.actions)
    ]
    assert silent == []


@pytest.mark.parametrize("name", APART)
def test_what_is_declared_names_facts_that_are_there(name):
    apart = OPERATIONS[name].apart
    if apart.record:
        assert set(apart.authors) <= set(SHAPES[apart.record].facts)
        assert apart.by in OPERATIONS[name].__dataclass_fields__
    if apart.person:
        assert apart.person in OPERATIONS[name].__dataclass_fields__


@pytest.mark.parametrize("name", APART)
def test_whoever_had_a_hand_in_it_is_refused_and_anybody_else_is_not(name):
    actor = World().actor("wang")
    person = "xx_1" if OPERATIONS[name].apart.person else "wang"
    with pytest.raises(NotPermitted) as refused:
        keep_apart(asking(name), Looking("wang"), replace(actor, person=person))
    assert refused.value.code is Code.SEPARATION_OF_DUTY
    assert refused.value.cause in {duty.value for duty in OPERATIONS[name].apart.duties}
    keep_apart(asking(name), Looking("wang"), World().actor("zhou"))


@pytest.mark.parametrize("name", DECISIONS)
def test_a_program_is_nobodys_second_person(name):
    program = replace(World().actor("service:billing"), service=True)
    with pytest.raises(NotPermitted) as refused:
        keep_apart(asking(name), Looking("wang"), program)
    assert refused.value.cause == Duty.SERVICE_NOT_APPROVER.value


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_auditor_performs_what_examines_and_nothing_else(name):
    auditor = World().actor("lin", "auditor", "credit_manager")
    if examines(OPERATIONS[name].actions):
        keep_apart(asking(name), Looking("wang"), auditor)
        return
    with pytest.raises(NotPermitted) as refused:
        keep_apart(asking(name), Looking("wang"), auditor)
    assert refused.value.cause == Duty.AUDITOR_NOT_WRITER.value


def test_what_is_told_is_what_is_declared():
    told = separations(OPERATIONS)
    assert {one.operation for one in told if one.duty is Duty.SERVICE_NOT_APPROVER} == {
        name[0].lower() + name[1:] for name in DECISIONS
    }
    owners = {one.operation for one in told if one.duty is Duty.ACCOUNT_OWNER_NOT_APPROVER}
    assert {"approveControlAction", "liftControlAction", "approveAssessment", "decideObjection"} <= owners
    assert ApproveControlAction.apart.duties == (
        Duty.PREPARER_NOT_APPROVER,
        Duty.ACCOUNT_OWNER_NOT_APPROVER,
        Duty.SERVICE_NOT_APPROVER,
    )
    assert Duty.PREPARER_NOT_APPROVER not in LiftControlAction.apart.duties


def test_an_attempt_leaves_an_entry_that_names_the_duty():
    world = World()
    asked = RegisterPartner(name="First Bank", contact="dpo@bank.example", purposes=(Purpose.PARTNER_CREDIT_DECISION,))
    partner = world.do(asked)
    with pytest.raises(NotPermitted):
        world.do(ApprovePartner(partner=partner.id))
    entry = world.entries[-1]
    assert (entry.outcome, entry.code, entry.cause) == (
        Outcome.REFUSED,
        "SEPARATION_OF_DUTY",
        "PREPARER_NOT_APPROVER",
    )
