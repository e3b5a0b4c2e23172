"""A day is counted where the company is: a document of this morning in Shanghai is not of the future (Ch.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.files.parties import Tenant
from domain.ports import Unit

_ZONE = re.compile(r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+){0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days of one company: which one it is, when each begins, and on which an instant falls."""

    zone: tzinfo
    today: date

    def begin(self, day: date) -> datetime:
        """The first instant of a day, UTC: what a fact of that day is effective from.

        Chapter: 2, 4.2.
        Shape:   total; `days.of(days.begin(day)) == day` but for the first day there is.
        """
        try:
            return datetime.combine(day, time(), self.zone).astimezone(UTC)
        except OverflowError:
            return datetime.combine(day, time(), UTC)

    def of(self, instant: datetime) -> date:
        """The day an instant falls on.

        Chapter: 2.
        """
        return instant.astimezone(self.zone).date()


def days(unit: Unit) -> Days:
    """The days of the company, by the time zone of its tenant: one look-up, so once per operation.

    Chapter: 2.
    """
    found = unit.find(Tenant)
    zone = (zone_of(found[0].time_zone) if found else None) or UTC
    return Days(zone=zone, today=unit.now.astimezone(zone).date())


def zone_of(name: str) -> tzinfo | None:
    """The time zone of a name such as Asia/Shanghai; None where it is not known.

    Chapter: 2.
    """
    if not _ZONE.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None
