"""Training: what a person completed, until when it holds, and the actions that lapse with it (Ch.8 §4).

Which action needs which course is a rule in force (`requireTraining`); without one no action needs any.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from domain.actors import Actor
from domain.errors import Code, Malformed
from domain.files.codes import required_text
from domain.files.days import days
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.persons.duties import Apart
from domain.ports import Unit
from domain.records import Record, fact, record

MOST_DAYS: Final = 3_660
"""How long a completion may hold."""


@record("tg", table="training_record", read="training:read", unique=(("person", "course"),), subject_reach=False)
class TrainingRecord(Record):
    """A course that a person completed, and until when that holds (Ch.8 §4)."""

    person: str = fact("The person, as its token names it. Ch.8 §4", filter=True, order=True)
    course: str = fact("The course. Ch.8 §4", filter=True)
    completed_on: date = fact("When it was completed. Ch.8 §4", filter=True)
    valid_until: datetime = fact("Until when it holds; then what needs it lapses. Ch.8 §4", filter=True, order=True)
    recorded_by: str = fact("Who recorded it: another person. Ch.8 §4")


@operation("training:record", chapter="8.4", apart=Apart(person="person"), settles=True)
class RecordTraining(Operation[TrainingRecord]):
    """Records that another person completed a course; what needs the course is given back at once (Ch.8 §4)."""

    person: str
    """The person, exactly as its token names it. Ch.8 §4"""
    course: str
    """The course, as the rule that requires it names it. Ch.8 §4"""
    completed_on: date
    """When it was completed; not in the future. Ch.8 §4"""
    valid_days: int
    """For how many days it holds, that day included. Ch.8 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[TrainingRecord]:
        """A course is held once by a person: a later completion takes the place of an earlier one.

        Chapter: 8.4.
        """
        person, course = required_text(self.person, "person"), required_text(self.course, "course")
        counted = days(unit)
        if self.completed_on > counted.today:
            raise Malformed("The course is not completed yet.", code=Code.MALFORMED_DATE, path=("completedOn",))
        if not 1 <= self.valid_days <= MOST_DAYS:
            raise Malformed(f"A course holds for 1 to {MOST_DAYS} days.", path=("validDays",))
        until = counted.begin(self.completed_on + timedelta(days=self.valid_days))
        known = unit.find(TrainingRecord, lock=True, person=person, course=course)
        held = TrainingRecord(
            stamp=known[0].stamp if known else unit.stamp(TrainingRecord),
            person=person,
            course=course,
            completed_on=self.completed_on,
            valid_until=until,
            recorded_by=actor.person,
        )
        if known:
            held = unit.replace(held)
        else:
            unit.add([held])
        return Decided(value=held, resources=(held.id,))


@operation("training:record", chapter="8.4", settles=True)
class EndTraining(Operation[TrainingRecord]):
    """Ends what a completed course gives before its time, such as one that was recorded wrongly (Ch.8 §4)."""

    training: Id
    """The training record. Ch.8 §4"""
    reason: str
    """Why; kept under seal beside the audit log, not in the record. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[TrainingRecord]:
        """What needs the course lapses at once.

        Chapter: 8.4.
        """
        reason = required_text(self.reason, "reason")
        held = unit.get(TrainingRecord, self.training, lock=True)
        ended = unit.replace(replace(held, valid_until=min(held.valid_until, unit.now), recorded_by=actor.person))
        return Decided(value=ended, note=reason, resources=(ended.id,))
