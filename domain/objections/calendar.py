"""Working days, by which some clocks run: the published holidays of a year and the days worked in their place.

Sources: the yearly notices of the General Office of the State Council on the arrangement of holidays (secondary). In a
year whose notice is not here, and was not entered by the company, every day counts as worked: a clock then ends too
early for the company, never too late for the customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class _Year:
    """What a notice arranges: spans of holidays, both ends included, and days of rest that are worked."""

    holidays: tuple[tuple[date, date], ...]
    worked: frozenset[date]

    def works(self, day: date) -> bool:
        if any(first <= day <= last for first, last in self.holidays):
            return False
        return day in self.worked or day.weekday() < _SATURDAY


_YEARS: Final = {
    2025: _Year(
        (
            (date(2025, 1, 1), date(2025, 1, 1)),
            (date(2025, 1, 28), date(2025, 2, 4)),
            (date(2025, 4, 4), date(2025, 4, 6)),
            (date(2025, 5, 1), date(2025, 5, 5)),
            (date(2025, 5, 31), date(2025, 6, 2)),
            (date(2025, 10, 1), date(2025, 10, 8)),
        ),
        frozenset({date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11)}),
    ),
    2026: _Year(
        (
            (date(2026, 1, 1), date(2026, 1, 3)),
            (date(2026, 2, 15), date(2026, 2, 23)),
            (date(2026, 4, 4), date(2026, 4, 6)),
            (date(2026, 5, 1), date(2026, 5, 5)),
            (date(2026, 6, 19), date(2026, 6, 21)),
            (date(2026, 9, 25), date(2026, 9, 27)),
            (date(2026, 10, 1), date(2026, 10, 7)),
        ),
        frozenset(
            {
                date(2026, 1, 4),
                date(2026, 2, 14),
                date(2026, 2, 28),
                date(2026, 5, 9),
                date(2026, 9, 20),
                date(2026, 10, 10),
            }
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of a company, by the notices it knows."""

    years: Mapping[int, _Year]

    def is_worked(self, day: date) -> bool:
        """Whether a day is a working day.

        Chapter: 3.3.
        """
        year = self.years.get(day.year)
        return year is None or year.works(day)

    def after(self, day: date, count: int) -> date:
        """The day on which so many working days after a day are over.

        Chapter: 3.3.
        Units:   working days, at least one.
        Shape:   a working day behind `day`; never earlier for a later day or a larger count.
        """
        return self._walk(day, count, timedelta(days=1))

    def before(self, day: date, count: int) -> date:
        """The working day with so many working days from its end to the end of a day.

        Chapter: 3.3.
        Units:   working days, at least one.
        Shape:   a working day ahead of `day`; `after(before(day, count), count) <= day` where `day` is worked.
        """
        return self._walk(day, count, -timedelta(days=1))

    def with_year(self, year: int, holidays: Iterable[date], worked: Iterable[date]) -> Calendar:
        """The calendar with the notice of a year, in place of what was known of it.

        Chapter: 3.3.
        """
        noticed = _Year(tuple((day, day) for day in sorted(holidays)), frozenset(worked))
        return Calendar({**self.years, year: noticed})

    def _walk(self, day: date, count: int, step: timedelta) -> date:
        left = count
        while left > 0:
            day += step
            left -= self.is_worked(day)
        return day


KNOWN: Final = Calendar(_YEARS)
"""The calendar that every company begins with."""
