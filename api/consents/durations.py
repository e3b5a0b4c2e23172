"""Durations as ISO 8601 writes them."""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta

from domain.errors import Code, Malformed

_DURATION = re.compile(r"P(?=\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?")
_MONTHS, _LAST_YEAR, _WEEK = 12, 9_999, 7
_SHORTEST_MONTH = 28


def after(begins: datetime, text: str, path: tuple[str, ...]) -> datetime:
    """The instant a duration after another; the last day of a month stays in the month it comes to.

    Raises: Malformed (MALFORMED_DATE).
    """
    years, months, weeks, days = _parts(text, path)
    total = begins.month - 1 + months + _MONTHS * years
    year, month = begins.year + total // _MONTHS, total % _MONTHS + 1
    if year > _LAST_YEAR - 1:
        raise _malformed(path)
    day = min(begins.day, calendar.monthrange(year, month)[1])
    return begins.replace(year=year, month=month, day=day) + timedelta(weeks=weeks, days=days)


def days_of(text: str, path: tuple[str, ...]) -> int:
    """The fewest days a duration can have: data is deleted rather too early than too late.

    Raises: Malformed (MALFORMED_DATE).
    """
    years, months, weeks, days = _parts(text, path)
    return years * 365 + months * _SHORTEST_MONTH + weeks * _WEEK + days


def _parts(text: str, path: tuple[str, ...]) -> tuple[int, int, int, int]:
    found = _DURATION.fullmatch(text)
    if not found:
        raise _malformed(path)
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    return years, months, weeks, days


def _malformed(path: tuple[str, ...]) -> Malformed:
    return Malformed(
        "A duration is written in years, months, weeks and days, like P1Y6M.",
        code=Code.MALFORMED_DATE,
        advice="Send a duration of ISO 8601, or an instant with dpv:UntilTimeDuration.",
        path=path,
    )
