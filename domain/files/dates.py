"""A date is read in the one format its column declares; nothing is guessed (Ch.4 §2)."""

from __future__ import annotations

import re
from datetime import date
from enum import Enum
from typing import Final

from domain.errors import Code, Malformed


class DateFormat(Enum):
    """The formats an import may declare for a column."""

    ISO = "YYYY-MM-DD"
    YEAR_FIRST = "YYYY/M/D"
    MONTH_FIRST = "M/D/YYYY"
    CHINESE = "YYYY年M月D日"


_YEAR: Final = r"(?P<year>[1-9][0-9]{3})"
_MONTH: Final = r"(?P<month>[0-9]{1,2})"
_DAY: Final = r"(?P<day>[0-9]{1,2})"
_SHAPES: Final = {
    DateFormat.ISO: re.compile(rf"{_YEAR}-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})"),
    DateFormat.YEAR_FIRST: re.compile(f"{_YEAR}/{_MONTH}/{_DAY}"),
    DateFormat.MONTH_FIRST: re.compile(f"{_MONTH}/{_DAY}/{_YEAR}"),
    DateFormat.CHINESE: re.compile(f"{_YEAR}年{_MONTH}月{_DAY}[日号]"),
}


def parse_date(text: str, written: DateFormat = DateFormat.ISO) -> date:
    """The date a text writes in the declared format; a year has four digits, and the day exists.

    Chapter: 4.2.
    Shape:   a text has at most one date per format; every date from the year 1000 on has a text in every format.
    Raises:  Malformed (MALFORMED_DATE).
    """
    match = _SHAPES[written].fullmatch(text.strip())
    if match is None:
        raise _malformed("The date is not in the declared format.", f"Write it as {written.value}, the year in full.")
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        raise _malformed(
            "There is no such day.", f"Check month and day, and that the column is in {written.value}."
        ) from None


def _malformed(message: str, advice: str) -> Malformed:
    return Malformed(message, code=Code.MALFORMED_DATE, advice=advice)
