"""The holidays of a year as a company enters them, once their notice is published: clocks count by them (Ch.3 §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from domain.actors import Actor
from domain.errors import Code, Malformed
from domain.files.codes import required_text
from domain.objections.calendar import KNOWN, Calendar
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, record

MAX_DAYS: Final = 60
"""Holidays of a year, and days worked in their place: more is no notice, but a mistake."""
_SATURDAY: Final = 5


@record("wc", table="work_calendar", read="calendar:read", unique=(("year",),), subject_reach=False)
class WorkCalendar(Record):
    """Which days of a year are holidays, and which days of rest are worked in their place (Ch.3 §3)."""

    year: int = fact("The year. Ch.3 §3", filter=True, order=True)
    holidays: tuple[str, ...] = fact("The holidays, each as 2027-01-01. Ch.3 §3")
    worked: tuple[str, ...] = fact("Days of rest that are worked, each as 2027-01-01. Ch.3 §3")
    notice: str = fact("The notice it follows. Ch.3 §3")
    entered_by: str = fact("Who entered it. Ch.8 §1")


@operation("calendar:publish", chapter="3.3")
class PublishWorkCalendar(Operation[WorkCalendar]):
    """Enters the holidays of a year, by their published notice; deadlines that are set already stay (Ch.3 §3)."""

    year: int
    """The year. Ch.3 §3"""
    holidays: tuple[date, ...]
    """Every holiday, also those that fall on days of rest. Ch.3 §3"""
    worked: tuple[date, ...]
    """Saturdays and Sundays that are worked in their place. Ch.3 §3"""
    notice: str
    """The notice it follows, by its number or address. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[WorkCalendar]:
        """Days are of the year, and none is both; a later notice takes the place of an earlier one.

        Chapter: 3.3.
        """
        notice = required_text(self.notice, "notice")
        self._check()
        found = unit.find(WorkCalendar, lock=True, year=self.year)
        entered = WorkCalendar(
            stamp=found[0].stamp if found else unit.stamp(WorkCalendar),
            year=self.year,
            holidays=_texts(self.holidays),
            worked=_texts(self.worked),
            notice=notice,
            entered_by=actor.person,
        )
        if not found:
            unit.add([entered])
        elif replace(entered, entered_by=found[0].entered_by) != found[0]:
            entered = unit.replace(entered)
        return Decided(value=entered, resources=(entered.id,))

    def _check(self) -> None:
        for days, name in ((self.holidays, "holidays"), (self.worked, "worked")):
            if len(days) > MAX_DAYS:
                raise Malformed(f"A notice names at most {MAX_DAYS} such days.", path=(name,))
            for index, day in enumerate(days):
                if day.year != self.year:
                    raise Malformed(
                        "The day is of another year.",
                        code=Code.MALFORMED_DATE,
                        advice="Send each year by itself.",
                        path=(name, str(index)),
                    )
        if not self.holidays:
            raise Malformed(
                "A year without holidays has no notice.",
                code=Code.MISSING_VALUE,
                advice="Send the holidays of the notice.",
                path=("holidays",),
            )
        for index, day in enumerate(self.worked):
            if day in self.holidays or day.weekday() < _SATURDAY:
                raise Malformed(
                    "Only a Saturday or a Sunday that is no holiday is worked in the place of another day.",
                    code=Code.MALFORMED_DATE,
                    advice="Compare it with the notice.",
                    path=("worked", str(index)),
                )


def calendar_of(unit: Unit) -> Calendar:
    """The working days of the company: those every company begins with, and what it entered since.

    Chapter: 3.3.
    """
    calendar = KNOWN
    for entered in unit.find(WorkCalendar):
        calendar = calendar.with_year(entered.year, _days(entered.holidays), _days(entered.worked))
    return calendar


def _texts(days: Sequence[date]) -> tuple[str, ...]:
    return tuple(day.isoformat() for day in sorted(set(days)))


def _days(texts: Sequence[str]) -> list[date]:
    return [date.fromisoformat(text) for text in texts]
