"""Permit, decide, record, release: with the real Gate over a store in memory."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest

from domain.audit import Outcome
from domain.errors import (
    AuditUnavailable,
    Code,
    KeyUnavailable,
    Malformed,
    NotAuthenticated,
    NotPermitted,
    Stale,
    Tampered,
)
from domain.files.parties import CreditFile
from domain.files.sources import Source
from domain.gate import ATTEMPTS
from domain.operations import OPERATIONS, Collecting, Decided, Operation, operation
from tests.world import OTHER_TENANT, PHONE, TENANT, World


@operation("probe:rename", chapter="8.1")
class Rename(Operation[CreditFile]):
    """Renames a file, and opens its phone for the answer."""

    file: str
    name: str
    then: Exception | None = None

    def decide(self, unit, actor):
        """Stages the change before it may fail."""
        del actor
        file = unit.get(CreditFile, self.file, lock=True)
        file = unit.replace(replace(file, name=self.name))
        unit.seal(file, CreditFile.email, "new@yunfan.example")
        if self.then:
            raise self.then
        return Decided(value=file, reveals=tuple(unit.sealed([file], [CreditFile.phone])), purpose="CREDIT_REVIEW")


@operation("probe:weigh", chapter="8.1", collection="probe:collect", purpose="CREDIT_REVIEW")
class Weigh(Collecting[str]):
    """Decides on an opened phone, for the version of the file it was collected from."""

    file: str

    def collect(self, unit, actor):
        """The phone."""
        del actor
        file = unit.get(CreditFile, self.file)
        return unit.sealed([file], [CreditFile.phone])

    def decide_on(self, unit, actor, sealed, opened):
        """The name and the phone; Stale when the phone changed meanwhile."""
        del actor
        file = unit.get(CreditFile, self.file, lock=True)
        if [one.version for one in unit.sealed([file], [CreditFile.phone])] != [one.version for one in sealed]:
            raise Stale("The phone changed meanwhile.")
        unit.replace(replace(file, name=str(opened[0])))
        return Decided(value=opened[0], note="weighed")


PROBES = {probe.__name__: OPERATIONS.pop(probe.__name__) for probe in (Rename, Weigh)}


@pytest.fixture
def world(monkeypatch):
    for name, probe in PROBES.items():
        monkeypatch.setitem(OPERATIONS, name, probe)
    return World()


@pytest.fixture
def file(world):
    return world.file(world.origin())


def test_what_is_not_granted_is_refused_and_nothing_is_done(world, file):
    world.grants.denied.add("probe:rename")
    with pytest.raises(NotPermitted, match="probe:rename") as refusal:
        world.do(Rename(file=file.id, name="other"))
    assert refusal.value.advice
    assert world.versions(file) == (file,)
    last = world.entries[-1]
    assert (last.action, last.outcome, last.code, last.rule) == ("probe:rename", Outcome.REFUSED, "NOT_PERMITTED", "")
    assert (last.written, last.resources, last.subjects) == ((), (), ())


def test_an_operation_that_is_not_declared_does_not_exist(world):
    class Sneak(Operation[None]):
        actions = ("probe:rename",)

    before = len(world.entries)
    with pytest.raises(TypeError, match="no declared operation"):
        world.do(Sneak())
    assert len(world.entries) == before


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotPermitted("No."), Outcome.REFUSED),
        (Malformed("No.", cause="WHY"), Outcome.INVALID),
        (KeyUnavailable("Gone."), Outcome.FAILED),
    ],
)
def test_work_that_is_refused_is_undone_and_only_the_refusal_is_recorded(world, file, error, outcome):
    before = len(world.entries)
    with pytest.raises(type(error)):
        world.do(Rename(file=file.id, name="other", then=error))
    assert world.versions(file) == (file,)
    assert world.secret(file, "email") == "office@yunfan.example"
    (entry,) = world.entries[before:]
    assert (entry.outcome, entry.code, entry.cause) == (outcome, error.code.value, error.cause)
    assert entry.written == ()
    assert file.id in entry.resources
    assert entry.subjects == (file.subject_id,)


def test_a_refusal_names_no_record_that_was_never_there(world):
    origin = world.origin()
    world.file(origin)
    before = set(world.store.state.rows[TENANT, "CreditFile"])
    with pytest.raises(Malformed):
        world.file(origin, "C-2")
    assert {one for one in world.entries[-1].resources if one.startswith("cf_")} <= before


def test_a_bug_undoes_the_work_and_releases_nothing(world, file):
    with pytest.raises(ZeroDivisionError):
        world.do(Rename(file=file.id, name="other", then=ZeroDivisionError()))
    assert world.versions(file) == (file,)
    assert world.vault.warrants == []


def test_the_entry_tells_what_was_done_and_precedes_the_opening(world, file):
    seen = []
    world.vault.before = lambda: seen.extend(world.entries)
    performed = world.perform(Rename(file=file.id, name="other"))
    entry = seen[-1]
    assert performed.opened == (PHONE,)
    assert entry is world.entries[-1]
    assert entry.id == performed.receipt.entry
    assert (entry.actor, entry.action, entry.purpose) == ("wang", "probe:rename", "CREDIT_REVIEW")
    assert (entry.rule, entry.grants, entry.request) == ("rule:probe:rename", "grants-1", "rq-1")
    assert set(entry.fields) == {"contact.phone", "contact.email"}
    assert [(row.id, row.version) for row in entry.written] == [(file.id, 2)]


@pytest.mark.parametrize("step", ["put", "commit", "acknowledge"])
def test_without_an_entry_nothing_is_opened(world, file, step):
    world.faults.on = step
    with pytest.raises(AuditUnavailable):
        world.do(Rename(file=file.id, name="other"))
    assert world.faults.steps[-1] == step
    assert world.vault.warrants == []


@pytest.mark.parametrize(
    ("failure", "code", "cause"),
    [
        (Tampered("Does not verify."), "TAMPERED", ""),
        (KeyUnavailable("Gone."), "KEY_UNAVAILABLE", ""),
        (RuntimeError("a bug"), "OVERLOADED", "INTERNAL_ERROR"),
    ],
)
def test_an_opening_that_fails_leaves_a_second_entry_and_no_value(world, file, failure, code, cause):
    before = len(world.entries)
    world.vault.fails = failure
    with pytest.raises(type(failure)):
        world.perform(Rename(file=file.id, name="other"))
    done, failed = world.entries[before:]
    assert (done.outcome, failed.outcome, failed.code, failed.cause) == (Outcome.DONE, Outcome.FAILED, code, cause)
    assert (failed.subjects, failed.fields) == ((file.subject_id,), ("contact.phone",))
    assert failed.purpose == "CREDIT_REVIEW"
    assert failed.written == ()


def test_an_opener_that_gives_fewer_values_than_asked_for_gives_none(world, file, monkeypatch):
    async def none(warrant, sealed):
        del warrant, sealed
        return []

    monkeypatch.setattr(world.vault, "open", none)
    with pytest.raises(Tampered):
        world.perform(Rename(file=file.id, name="other"))
    assert world.entries[-1].outcome is Outcome.FAILED


def test_a_warrant_covers_what_its_entry_names_and_nothing_else(world, file):
    world.perform(Rename(file=file.id, name="other"))
    (warrant,) = world.vault.warrants
    assert warrant.receipt.entry == world.entries[-1].id
    assert warrant.covers(TENANT, file.subject_id, "contact.phone")
    assert not warrant.covers(OTHER_TENANT, file.subject_id, "contact.phone")
    assert not warrant.covers(TENANT, file.id, "contact.phone")
    assert not warrant.covers(TENANT, file.subject_id, "contact.email")


def test_warrants_are_minted_in_the_gate_alone():
    root = Path(__file__).parents[2]
    minting = re.compile(r"(?<!class )\bWarrant\(|\bWarrant\.__new__|replace\(\s*warrant\b")
    places = {
        path.relative_to(root).as_posix()
        for floor in ("domain", "vault", "authz", "api")
        for path in (root / floor).rglob("*.py")
        if minting.search(path.read_text(encoding="utf-8"))
    }
    assert places == {"domain/gate.py"}


def test_nobody_who_lost_every_race_is_told_it_won(world, file):
    before = len(world.entries)
    with pytest.raises(Stale) as lost:
        world.do(Rename(file=file.id, name="other", then=Stale("Somebody was faster.")))
    assert lost.value.code is Code.CONFLICT
    assert world.faults.steps.count("replace") == ATTEMPTS
    (entry,) = world.entries[before:]
    assert (entry.outcome, entry.code) == (Outcome.INVALID, "CONFLICT")
    assert lost.value.entry == entry.id
    assert world.versions(file) == (file,)


def test_changes_at_the_same_time_are_all_made_one_after_another(world, file):
    async def all_at_once():
        names = (Rename(file=file.id, name=f"name {number}") for number in range(ATTEMPTS))
        return await asyncio.gather(*(world.gate.perform(one, world.actor()) for one in names))

    done = asyncio.run(all_at_once())
    assert sorted(one.value.stamp.version for one in done) == [2, 3, 4, 5, 6]
    assert [row.stamp.version for row in world.versions(file)] == [1, 2, 3, 4, 5, 6]
    assert sum(entry.action == "probe:rename" for entry in world.entries) == ATTEMPTS


def test_what_a_decision_rests_on_is_recorded_before_it_is_opened(world, file):
    before, seen = len(world.entries), []
    world.vault.before = lambda: seen.extend(world.entries[before:])
    performed = world.perform(Weigh(file=file.id))
    assert [(entry.action, entry.purpose, entry.fields) for entry in seen] == [
        ("probe:collect", "CREDIT_REVIEW", ("contact.phone",))
    ]
    assert performed.value == PHONE
    assert performed.opened == ()
    assert [entry.action for entry in world.entries[before:]] == ["probe:collect", "probe:weigh"]
    assert dict(world.entries[-1].payload) == {"note": "weighed"}


@pytest.mark.parametrize("action", ["probe:collect", "probe:weigh"])
def test_nothing_is_collected_for_a_decision_that_is_not_granted(world, file, action):
    world.grants.denied.add(action)
    with pytest.raises(NotPermitted, match=action):
        world.do(Weigh(file=file.id))
    assert world.vault.warrants == []
    assert world.entries[-1].outcome is Outcome.REFUSED


def test_a_decision_on_values_that_changed_meanwhile_is_made_again(world, file):
    def change():
        unit = world.unit()
        unit.seal(unit.get(CreditFile, file.id), CreditFile.phone, "+8613800138001")
        world.store.state = unit.state

    world.vault.before = change
    before = len(world.entries)
    assert world.do(Weigh(file=file.id)) == "+8613800138001"
    actions = [entry.action for entry in world.entries[before:]]
    assert actions == ["probe:collect", "probe:collect", "probe:weigh"]


def test_a_note_is_in_the_side_payload_and_not_in_the_leaf(world, file):
    world.do(Weigh(file=file.id))
    entry = world.entries[-1]
    assert b"weighed" in entry.side_payload()
    assert b"weighed" not in entry.leaf("0" * 64)


def test_a_unit_has_no_way_to_open(world, file):
    unit = world.unit()
    (sealed,) = unit.sealed([unit.get(CreditFile, file.id)], [CreditFile.phone])
    assert PHONE not in repr(sealed)
    assert PHONE not in repr(sealed.material)
    assert not any("open" in name or "unseal" in name or "decrypt" in name for name in dir(unit))


@pytest.mark.parametrize("error", [AuditUnavailable("gone"), OSError("disk")], ids=["unavailable", "bug"])
@pytest.mark.parametrize("kind", ["weigh", "rename"])
def test_whatever_breaks_there_is_before_or_after_and_nothing_is_released(monkeypatch, kind, error):
    for name, probe in PROBES.items():
        monkeypatch.setitem(OPERATIONS, name, probe)

    def start():
        world = World()
        file = world.file(world.origin())
        return world, Weigh(file=file.id) if kind == "weigh" else Rename(file=file.id, name="other")

    world, work = start()
    first = len(world.faults.steps)
    world.do(work)
    steps = world.faults.steps[first:]
    for broken, step in enumerate(steps):
        world, work = start()
        file, entries = world.current(CreditFile)[0], len(world.entries)
        world.faults.at, world.faults.error = first + broken, error
        with pytest.raises(type(error)):
            world.perform(work)
        recorded = [(entry.action, entry.outcome) for entry in world.entries[entries:]]
        changed = world.versions(file) != (file,)
        assert changed == ((f"probe:{kind}", Outcome.DONE) in recorded), step
        opened = sum(one == "open" for one in world.faults.steps)
        assert opened <= sum(outcome is Outcome.DONE for _, outcome in recorded), step


def test_a_caller_that_is_nobody_is_recorded_with_the_true_cause(world):
    error = NotAuthenticated("Send a valid token.", cause="EXPIRED")
    asyncio.run(world.gate.refuse(TENANT, error, request="rq-3"))
    entry = world.entries[-1]
    assert (entry.action, entry.outcome, entry.cause, entry.actor) == (
        "token:verify",
        Outcome.REFUSED,
        "EXPIRED",
        "unknown",
    )


def test_tenants_see_nothing_of_each_other(world):
    origin = world.origin()
    file = world.file(origin)
    other = world.unit(world.actor(tenant=OTHER_TENANT))
    assert other.find(CreditFile) == other.find(Source) == []
    assert other.look_up(CreditFile.phone, PHONE) == []
    assert world.unit().pseudonym(file.subject_id, "x") != other.pseudonym(file.subject_id, "x")
