"""Opened values are held against the log, and honey files raise alarms: over real stores, with the jobs of a server."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest

from api.jobs import supervising
from api.jobs.supervising import Supervisor
from domain.actors import Rights
from domain.audit import Receipt, Warrant
from domain.errors import AuditUnavailable
from domain.files.parties import CreditFile
from domain.gate import Plan
from domain.ids import encode, raw
from domain.operations import OPERATIONS
from domain.reading import Labelled, Level, Page, Purpose, Reading, Reveal, Slot, Where, judge
from domain.supervision.examining import ExamineAuditLog
from domain.supervision.findings import AuditFinding, FindingKind
from domain.supervision.honey import HoneyFile, HoneyState, PlantHoneyFile, RemoveHoneyFile
from domain.supervision.opened import OpenedCount
from tests.house.tree import modules, named
from tests.vault.wishes import Everything
from tests.world import BASIC, TENANT, USCC
from vault.opened import OPENED
from vault.opening import VaultOpener
from vault.store.ledger import alarming
from vault.store.reading import SqlReadings
from vault.store.unit import SqlUnit

EVERYTHING = Rights(id=1, version="all", allowed=Everything())


class House(SimpleNamespace):
    """As much of a house as supervision needs."""

    opened = OPENED
    touched = staticmethod(alarming.touched)


@pytest.fixture
def house(world):
    OPENED.take(raw(TENANT))
    world.grants.rights = lambda _: EVERYTHING
    yield House(store=world.store, gate=world.gate, clock=world.clock)
    OPENED.take(raw(TENANT))


@pytest.fixture
def file(world):
    return world.file(world.origin())


def read(world, file, *, opens=False, size=None, actor=None):
    """Reads a file by itself, or a page of files; its phone or nothing confidential."""
    phone = CreditFile.shape.confidential["phone"]
    reveal = Labelled("c", Reveal(purpose=Purpose.CREDIT_REVIEW, fields=(Labelled("p", phone),)))
    level = Level(
        shape=CreditFile.shape,
        facts=(Labelled("n", "name"),),
        reveals=(reveal,) if opens else (),
        where=() if size else (Where("id", "=", Slot(0)),),
        page=Page(size=Slot(0)) if size else None,
    )
    judged = judge(Reading((Labelled("x", level),)), EVERYTHING)
    plan = Plan(judged=judged, steps=SqlReadings(world.database.dialect, world.ring).prepare(judged))
    return world.loop(world.gate.read(plan, actor or world.actor("li"), [size or file.id]))


def alarms(world):
    """The alarms that were raised."""
    return [one for one in world.current(AuditFinding) if one.alarm]


def actions(world):
    """The actions of the log, in order."""
    return [json.loads(leaf)["action"] for leaf in world.leaves()]


def test_what_is_opened_by_the_gate_is_accounted_for_by_its_entries(world, house, file):
    read(world, file, opens=True)
    read(world, file, opens=True)
    supervisor = Supervisor(house)
    world.loop(supervisor.report())
    counts = {one.data_class: (one.opened, one.recorded) for one in world.current(OpenedCount)}
    assert counts["contact"] == (2, 2)
    assert alarms(world) == []
    before = len(world.current(OpenedCount))
    world.loop(supervisor.report())
    assert len(world.current(OpenedCount)) == before


def test_a_value_that_is_opened_without_an_entry_is_caught(world, house, file):
    """Somebody with the process in his hands mints his own warrant: the vault opens, and the count tells."""
    sealed = sealed_phone(world, file)
    forged = Warrant(
        receipt=Receipt(entry=encode("ae", bytes(15) + b"\x09"), tenant=TENANT),
        tenant=TENANT,
        subjects=frozenset({file.subject_id}),
        tags=frozenset({"contact.phone"}),
    )
    assert world.loop(VaultOpener(world.room).open(forged, sealed)) == [BASIC.phone]
    read(world, file, opens=True)
    world.loop(Supervisor(house).report())
    (count,) = [one for one in world.current(OpenedCount) if one.data_class == "contact"]
    assert (count.opened, count.recorded) == (2, 1)
    (alarm,) = alarms(world)
    assert (alarm.kind, alarm.count, alarm.resources) == (FindingKind.OPENED_WITHOUT_ENTRY, 1, (count.id,))
    assert actions(world)[-2:] == ["audit:reconcile", "audit:alarm"]
    assert USCC not in alarm.says


def sealed_phone(world, file):
    """The sealed phone of a file, as an operation loads it."""

    def look(connection):
        hand = world.room.hand(TENANT, "nobody")
        unit = SqlUnit(connection, world.room.keys(connection, hand), hand)
        return unit.sealed([file], [CreditFile.shape.confidential["phone"]])

    return world.look(look)


def test_a_report_that_fails_is_made_with_the_next_one(world, house, file, monkeypatch):
    read(world, file, opens=True)
    supervisor = Supervisor(house)

    async def fails(*_, **__):
        raise AuditUnavailable("The log is away.")

    with monkeypatch.context() as patch:
        patch.setattr(house, "gate", SimpleNamespace(perform=fails))
        world.loop(supervisor.report())
    assert world.current(OpenedCount) == []
    world.loop(supervisor.report())
    (count,) = [one for one in world.current(OpenedCount) if one.data_class == "contact"]
    assert (count.opened, count.recorded) == (1, 1)


def test_values_leave_the_vault_by_one_way_and_that_way_counts():
    calls = {
        named(path): set(re.findall(r"\b(open_many|open_envelope)\(", path.read_text(encoding="utf-8")))
        for path in modules()
    }
    assert {place for place, names in calls.items() if "open_many" in names} == {"vault/seal.py", "vault/opening.py"}
    # The others check, index and wrap anew inside the vault, and hand no value out.
    assert {place for place, names in calls.items() if "open_envelope" in names} == {
        "vault/seal.py",
        "vault/store/cells.py",
        "vault/store/fsck.py",
        "vault/store/keeping/rotation.py",
        "vault/store/search/building.py",
    }


def test_who_touches_a_honey_file_raises_an_alarm_once_and_who_only_lists_it_none(world, house, file):
    world.clock.move(seconds=1)
    mark = world.do(PlantHoneyFile(credit_file=file.id), world.actor("zhao"))
    other = world.file(world.origin("another"), reference="C-2", basic=type(BASIC)())
    supervisor = Supervisor(house)
    world.loop(supervisor.look())
    assert alarms(world) == []
    read(world, file, size=10)
    read(world, other)
    world.loop(supervisor.look())
    assert alarms(world) == []
    read(world, file)
    world.loop(supervisor.look())
    (alarm,) = alarms(world)
    assert (alarm.kind, alarm.actor, alarm.resources) == (FindingKind.HONEY_FILE_TOUCHED, "li", (mark.id,))
    assert actions(world)[-1] == "audit:alarm"
    read(world, file, size=10, opens=True)
    world.loop(supervisor.look())
    world.loop(supervisor.look())
    assert len(alarms(world)) == 2
    world.loop(world.store.bring_up(TENANT))
    world.do(ExamineAuditLog(), world.actor("zhao"))
    assert len(alarms(world)) == 2
    world.loop(Supervisor(house).look())
    assert actions(world)[-1] == "audit:examine"


def test_a_mark_that_ended_raises_nothing(world, house, file):
    mark = world.do(PlantHoneyFile(credit_file=file.id))
    ended = world.do(RemoveHoneyFile(honey_file=mark.id))
    assert ended.state is HoneyState.REMOVED
    read(world, file)
    world.loop(Supervisor(house).look())
    assert alarms(world) == []
    assert [one.state for one in world.current(HoneyFile)] == [HoneyState.REMOVED]


def test_no_entry_about_a_mark_names_the_customer_or_the_file(world, house, file):
    world.do(PlantHoneyFile(credit_file=file.id))
    read(world, file)
    world.loop(Supervisor(house).look())
    said = [json.loads(leaf) for leaf in world.leaves()]
    told = [entry for entry in said if entry["action"] in {"audit:plant", "audit:alarm"}]
    assert len(told) == 2
    for entry in told:
        assert not {file.id, file.subject_id} & {*entry["subjects"], *entry["resources"]}


def test_jobs_of_supervision_name_themselves_and_their_actions_exist():
    assert {supervising.SUPERVISION, supervising.COMPLETENESS} == {"supervision", "completeness"}
    assert {"audit:alarm", "audit:reconcile"} <= {action for one in OPERATIONS.values() for action in one.actions}
