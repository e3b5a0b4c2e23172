"""The clocks of objections and requests: what falls due, and what is late, is told to whoever has to act (Ch.3 §3).

Each level is told once. What is told stands open until the step that was waited for is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Final

from domain.actors import Actor
from domain.files.days import days
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.objections.calendar import Calendar
from domain.objections.holidays import calendar_of
from domain.objections.objections import OPEN, Objection, ObjectionState
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, link, record

WARN_BEFORE: Final = 3
"""Working days before an answer is due; our choice."""
AT_ONCE: Final = 100
"""How many objections one transaction escalates."""


class ObjectionClock(Enum):
    """What is waited for."""

    ANNOTATE = "ANNOTATE"
    """That what is contested says so: within a working day (rule CN-R4, verified)."""
    ANSWER = "ANSWER"
    """The written answer: within 20 days (rule CN-C9, verified), or 15 working days for a request."""


class EscalationLevel(Enum):
    """How far it has come."""

    DUE = "DUE"
    """The last day to annotate; three working days before the answer is due."""
    OVERDUE = "OVERDUE"
    """The last day is over."""


class Addressee(Enum):
    """Who is told."""

    HANDLERS = "HANDLERS"
    """Whoever handles objections."""
    PRIVACY_OFFICER = "PRIVACY_OFFICER"
    MANAGEMENT = "MANAGEMENT"


class EscalationState(Enum):
    """OPEN → SETTLED."""

    OPEN = "OPEN"
    SETTLED = "SETTLED"
    """The step that was waited for is taken, or the objection was taken back."""


TOLD: Final = {
    (ObjectionClock.ANNOTATE, EscalationLevel.DUE): Addressee.HANDLERS,
    (ObjectionClock.ANNOTATE, EscalationLevel.OVERDUE): Addressee.PRIVACY_OFFICER,
    (ObjectionClock.ANSWER, EscalationLevel.DUE): Addressee.PRIVACY_OFFICER,
    (ObjectionClock.ANSWER, EscalationLevel.OVERDUE): Addressee.MANAGEMENT,
}
"""Who is told at which level."""


@record("oe", table="objection_escalation", read="escalation:read")
class Escalation(Record):
    """Something about an objection that fell due or is late, and who was told (Ch.3 §3)."""

    credit_file: Id = link("CreditFile", "The file it is about. Ch.3 §3")
    objection: Id = link("Objection", "The objection or the request. Ch.3 §3")
    clock: ObjectionClock = fact("What is waited for. Ch.3 §3", filter=True)
    level: EscalationLevel = fact("How far it has come. Ch.3 §3", filter=True)
    told: Addressee = fact("Who is told. Ch.3 §3", filter=True)
    due_on: date = fact("The last day of the clock. Ch.3 §3", order=True, filter=True)
    raised_at: datetime = fact("When it was told. Ch.3 §3", order=True)
    state: EscalationState = fact("Whether it is still waited for. Ch.3 §3", default=EscalationState.OPEN, filter=True)
    settled_at: datetime | None = fact("When the step was taken. Ch.3 §3", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """What one pass over the clocks told."""

    raised: int
    more: bool
    """Whether there may be more: then it is run again."""


@operation("objection:escalate", chapter="3.3, 8.1")
class EscalateObjections(Operation[Escalated]):
    """Tells what is due or late about objections and requests: each level once, to whoever has to act (Ch.3 §3)."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Escalated]:
        """Days are counted where the company is, and by its working days; a level that was passed is not told any more.

        Chapter: 3.3, 8.1.
        Shape:   running it twice on a day changes nothing the second time.
        """
        del actor
        today, calendar = days(unit).today, calendar_of(unit)
        told = set(unit.select(Escalation, ("objection", "clock", "level"), state=EscalationState.OPEN))
        late: list[tuple[Id, Id]] = []
        for own, file, state, annotate_by, answer_by in unit.select(
            Objection, ("id", "credit_file", "state", "annotate_by", "answer_by"), state=tuple(OPEN)
        ):
            steps = _reached(state, annotate_by, answer_by, today, calendar)
            if any((own, clock, level) not in told for clock, level, _ in steps):
                late.append((file, own))
        raised = [one for file, own in sorted(late)[:AT_ONCE] for one in _raised(unit, file, own, today, calendar)]
        unit.add(raised)
        resources = (resource for one in raised for resource in (one.id, one.objection, one.credit_file))
        return Decided(
            value=Escalated(raised=len(raised), more=len(late) > AT_ONCE), resources=tuple(dict.fromkeys(resources))
        )


def reached(
    objection: Objection, today: date, calendar: Calendar
) -> tuple[tuple[ObjectionClock, EscalationLevel, date], ...]:
    """The level that each clock of an objection has come to on a day, with the last day of that clock.

    Chapter: 3.3.
    Shape:   total; nothing once it is answered or taken back; a level never falls while a clock runs.
    """
    return tuple(_reached(objection.state, objection.annotate_by, objection.answer_by, today, calendar))


def settle(unit: Unit, objection: Objection) -> None:
    """Settles what was told of clocks that do not run any more.

    Chapter: 3.3.
    """
    running = {clock for clock, _, _ in _running(objection.state, objection.annotate_by, objection.answer_by)}
    for told in unit.find(Escalation, lock=True, objection=objection.id, state=EscalationState.OPEN):
        if told.clock not in running:
            unit.replace(replace(told, state=EscalationState.SETTLED, settled_at=unit.now))


def _raised(unit: Unit, file: Id, own: Id, today: date, calendar: Calendar) -> Iterator[Escalation]:
    """What is to be told of one objection, which is locked behind its file and may have been answered meanwhile."""
    unit.get(CreditFile, file, lock=True)
    objection = unit.get(Objection, own, lock=True)
    earlier = {(one.clock, one.level) for one in unit.find(Escalation, objection=own)}
    for clock, level, due_on in reached(objection, today, calendar):
        if (clock, level) not in earlier:
            yield Escalation(
                stamp=unit.stamp(Escalation, subject=objection.subject_id),
                credit_file=file,
                objection=own,
                clock=clock,
                level=level,
                told=TOLD[clock, level],
                due_on=due_on,
                raised_at=unit.now,
            )


def _reached(
    state: ObjectionState, annotate_by: date | None, answer_by: date, today: date, calendar: Calendar
) -> Iterator[tuple[ObjectionClock, EscalationLevel, date]]:
    for clock, due_on, warned in _running(state, annotate_by, answer_by):
        if today > due_on:
            yield clock, EscalationLevel.OVERDUE, due_on
        elif today >= (calendar.before(due_on, warned) if warned else due_on):
            yield clock, EscalationLevel.DUE, due_on


def _running(
    state: ObjectionState, annotate_by: date | None, answer_by: date
) -> Iterator[tuple[ObjectionClock, date, int]]:
    """The clocks that run, each with its last day and how many working days before that it warns."""
    if annotate_by is not None and state is ObjectionState.RECEIVED:
        yield ObjectionClock.ANNOTATE, annotate_by, 0
    if state in OPEN:
        yield ObjectionClock.ANSWER, answer_by, WARN_BEFORE
