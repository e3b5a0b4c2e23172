"""What is due and what is late about objections is told once per level, by working days, until the step is taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given as given_
from hypothesis import strategies as st

from domain.errors import Code
from domain.files.opening import BasicInformation
from domain.files.recording.documents import RecordTransactions
from domain.objections.calendar import KNOWN
from domain.objections.clocks import (
    AT_ONCE,
    Addressee,
    EscalateObjections,
    Escalation,
    EscalationLevel,
    EscalationState,
    ObjectionClock,
    reached,
)
from domain.objections.handling import AnnotateObjection, Ruling
from domain.objections.holidays import PublishWorkCalendar, WorkCalendar
from domain.objections.objections import OPEN, ObjectionKind, ObjectionState
from domain.objections.raising import WithdrawObjection
from tests.domain.files.test_recording import given
from tests.domain.objections.test_objections import TODAY, decide, looked_into, raised, refused
from tests.world import World

ANNOTATE, ANSWER = ObjectionClock.ANNOTATE, ObjectionClock.ANSWER
DUE, OVERDUE = EscalationLevel.DUE, EscalationLevel.OVERDUE


@pytest.fixture
def world():
    return World()


@pytest.fixture
def file(world):
    return world.file(world.origin())


@pytest.fixture
def objection(world, file):
    invoice = world.do(given(RecordTransactions, file, world.origin("the books")))[0]
    return raised(world, file, ObjectionKind.RECORD, invoice)


def on(world, day):
    """It is noon of a day in Shanghai."""
    world.clock.at = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def swept(world):
    """What one pass told, as (clock, level, whom)."""
    before = {one.id for one in world.current(Escalation)}
    told = world.do(EscalateObjections(), world.actor("system:sweep", "system"))
    fresh = [one for one in world.current(Escalation) if one.id not in before]
    assert told.raised == len(fresh)
    return {(one.clock, one.level, one.told) for one in fresh}


def test_each_level_is_told_once_to_whoever_has_to_act(world, objection):
    assert (objection.annotate_by, objection.answer_by) == (date(2026, 11, 25), date(2026, 12, 14))
    assert swept(world) == set()
    told = {
        date(2026, 11, 25): {(ANNOTATE, DUE, Addressee.HANDLERS)},
        date(2026, 11, 26): {(ANNOTATE, OVERDUE, Addressee.PRIVACY_OFFICER)},
        date(2026, 12, 9): {(ANSWER, DUE, Addressee.PRIVACY_OFFICER)},
        date(2026, 12, 15): {(ANSWER, OVERDUE, Addressee.MANAGEMENT)},
    }
    for count in range(1, 40):
        on(world, TODAY + timedelta(days=count))
        assert swept(world) == told.get(TODAY + timedelta(days=count), set())
        assert swept(world) == set()
    entry = next(one for one in world.entries if one.action == "objection:escalate" and one.resources)
    assert {objection.id, objection.credit_file} <= set(entry.resources)
    assert (entry.actor, entry.outcome.value, entry.subjects) == ("system:sweep", "DONE", (objection.subject_id,))


def test_a_level_that_was_passed_while_nobody_looked_is_not_told_any_more(world, objection):
    on(world, objection.answer_by + timedelta(days=1))
    assert {(clock, level) for clock, level, _ in swept(world)} == {(ANNOTATE, OVERDUE), (ANSWER, OVERDUE)}


def test_the_step_that_was_waited_for_settles_what_was_told(world, objection):
    on(world, date(2026, 12, 15))
    swept(world)
    world.do(AnnotateObjection(objection=objection.id))

    def standing():
        return {(one.clock, one.state, one.settled_at) for one in world.current(Escalation)}

    annotated = (ANNOTATE, EscalationState.SETTLED, world.clock.at)
    assert standing() == {annotated, (ANSWER, EscalationState.OPEN, None)}
    world.clock.move(hours=2)
    world.do(WithdrawObjection(objection=objection.id))
    assert standing() == {annotated, (ANSWER, EscalationState.SETTLED, world.clock.at)}
    assert swept(world) == set()


@pytest.mark.parametrize("ruling", list(Ruling))
def test_an_answer_settles_it_whatever_it_says(world, objection, ruling):
    on(world, date(2026, 12, 15))
    swept(world)
    world.do(decide(looked_into(world, objection), ruling), world.actor("zhao"))
    assert {one.state for one in world.current(Escalation)} == {EscalationState.SETTLED}
    on(world, date(2027, 3, 1))
    assert swept(world) == set()


def test_a_request_has_the_clock_of_its_answer_alone(world, file):
    request = raised(world, file, ObjectionKind.ACCESS)
    on(world, request.answer_by + timedelta(days=1))
    assert swept(world) == {(ANSWER, OVERDUE, Addressee.MANAGEMENT)}


def test_more_than_one_transaction_holds_are_told_by_the_next(world):
    origin = world.origin()
    for number in range(AT_ONCE + 1):
        raised(world, world.file(origin, f"C-{number}", BasicInformation()), ObjectionKind.ACCESS)
    on(world, date(2027, 1, 1))
    told = [world.do(EscalateObjections()) for _ in range(3)]
    assert [(one.raised, one.more) for one in told] == [(AT_ONCE, True), (1, False), (0, False)]


# Working days.


def published(**changes):
    said = {
        "year": 2027,
        "holidays": tuple(date(2027, 1, day) for day in (1, 2, 3)),
        "worked": (date(2027, 1, 9),),
        "notice": "No. 7 of 2026",
    }
    return PublishWorkCalendar(**said | changes)


def test_the_holidays_of_a_year_are_entered_and_clocks_count_by_them(world, file):
    on(world, date(2026, 12, 31))
    early = raised(world, file, ObjectionKind.ACCESS)
    assert early.answer_by == date(2027, 1, 15)
    world.do(WithdrawObjection(objection=early.id))
    world.do(published())
    later = raised(world, file, ObjectionKind.ACCESS)
    # The Saturday in between is worked, the other days of rest are not.
    assert later.answer_by == date(2027, 1, 21)
    on(world, date(2027, 1, 15))
    assert swept(world) == set()
    on(world, date(2027, 1, 18))
    assert swept(world) == {(ANSWER, DUE, Addressee.PRIVACY_OFFICER)}


def test_a_later_notice_takes_the_place_of_an_earlier_one(world):
    first = world.do(published())
    assert world.do(published()) == first
    second = world.do(published(worked=()), world.actor("zhao"))
    assert (second.stamp.version, second.entered_by, second.worked) == (2, "zhao", ())
    assert world.current(WorkCalendar) == [second]


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"notice": " "}, Code.MISSING_VALUE, ("notice",)),
        ({"holidays": ()}, Code.MISSING_VALUE, ("holidays",)),
        ({"holidays": (date(2026, 12, 31),)}, Code.MALFORMED_DATE, ("holidays", "0")),
        ({"holidays": tuple(date(2027, 1, 1) + timedelta(days=n) for n in range(61))}, Code.MALFORMED, ("holidays",)),
        ({"worked": (date(2027, 1, 9), date(2027, 1, 11))}, Code.MALFORMED_DATE, ("worked", "1")),
        ({"worked": (date(2027, 1, 2),)}, Code.MALFORMED_DATE, ("worked", "0")),
    ],
)
def test_holidays_that_cannot_be_are_refused_with_their_place(world, changes, code, path):
    assert refused(world, published(**changes), code).path == path
    assert world.current(WorkCalendar) == []


@given_(st.dates(date(2025, 1, 1), date(2026, 12, 31)), st.integers(1, 30))
def test_so_many_working_days_back_are_so_many_ahead(day, count):
    back = KNOWN.before(day, count)
    assert back < day
    assert KNOWN.is_worked(back)
    assert KNOWN.after(back, count) <= day or not KNOWN.is_worked(day)
    worked = sum(KNOWN.is_worked(back + timedelta(days=n)) for n in range((day - back).days))
    assert worked == count


@given_(st.sampled_from(list(ObjectionState)), st.integers(0, 60), st.integers(0, 20))
def test_a_level_never_falls_while_its_clock_runs_and_nothing_is_told_of_what_is_answered(state, after, more):
    world = World()
    file = world.file(world.origin())
    objection = replace(raised(world, file, ObjectionKind.RECORD, file), state=state)
    order = [None, *EscalationLevel]
    first, later = (
        {clock: level for clock, level, _ in reached(objection, TODAY + timedelta(days=days), KNOWN)}
        for days in (after, after + more)
    )
    if state not in OPEN:
        assert first == later == {}
    assert set(first) <= ({ANNOTATE, ANSWER} if state is ObjectionState.RECEIVED else {ANSWER})
    for clock in ObjectionClock:
        assert order.index(first.get(clock)) <= order.index(later.get(clock))
