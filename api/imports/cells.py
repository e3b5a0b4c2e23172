"""A cell of a file becomes a value of a field, exactly or not at all; what is refused is never repeated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fnmatch import fnmatchcase
from functools import lru_cache

from domain.errors import Code, Malformed
from domain.files.dates import DateFormat, parse_date
from domain.money import Money, exponent

Cell = str | int | float | bool | date | Decimal | None
"""What a file's cell may be; CSV has text alone, Parquet has types."""

MAX_CELL = 400
_CLOSE = 1e-9
_EXACT = 2**53
"""Above this a float no longer tells one minor unit from the next."""
YES_NO: Mapping[str, bool] = {"YES": True, "NO": False}

_day = lru_cache(maxsize=8192)(parse_date)


def text_of(cell: Cell) -> str | None:
    """The text of a cell without spaces around it; None where there is none.

    Raises: Malformed when it is too long or not printable.
    """
    if isinstance(cell, str):
        text = cell.strip()
        if len(text) > MAX_CELL or not text.isprintable():
            raise Malformed(
                "The text is too long or not printable.",
                advice=f"Write at most {MAX_CELL} characters without line breaks, in the encoding the map names.",
            )
        return text or None
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "YES" if cell else "NO"
    if isinstance(cell, float):
        return None if math.isnan(cell) else str(int(cell)) if cell.is_integer() else repr(cell)
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def date_of(cell: Cell, written: DateFormat) -> date | None:
    """The date of a cell: typed, or text in the declared format.

    Raises: Malformed (MALFORMED_DATE).
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = text_of(cell)
    return None if text is None else _day(text, written)


def amount_of(cell: Cell, currency: str) -> Money | None:
    """The exact amount of a cell.

    A float counts for the amount it is the nearest float of, or lies within a billionth of; anything else that is
    not a whole number of minor units is refused, never rounded.

    Raises: Malformed (MALFORMED_AMOUNT, UNKNOWN_CURRENCY).
    """
    if isinstance(cell, str):
        text = cell.strip()
        return Money.parse(text, currency) if text else None
    if cell is None:
        return None
    if isinstance(cell, float):
        return None if math.isnan(cell) else _from_float(cell, currency)
    if isinstance(cell, bool | date):
        raise _no_amount()
    return Money.parse(format(cell, "f") if isinstance(cell, Decimal) else str(cell), currency)


def _from_float(value: float, currency: str) -> Money:
    unit = 10 ** exponent(currency)
    scaled = value * unit
    if not abs(scaled) < _EXACT:
        raise _no_amount()
    minor = round(scaled)
    nearest = minor / unit
    if nearest != value and abs(nearest - value) > max(_CLOSE, math.ulp(value)):
        raise _no_amount()
    return Money(minor, currency)


def _no_amount() -> Malformed:
    return Malformed(
        "The number is no exact amount of its currency.",
        code=Code.MALFORMED_AMOUNT,
        advice="Store amounts as decimals or text with no more digits than the currency has.",
    )


def whole_of(cell: Cell) -> int | None:
    """The whole number of a cell.

    Raises: Malformed (MALFORMED_AMOUNT).
    """
    text = text_of(cell)
    if text is None:
        return None
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        raise Malformed("The number is not whole.", code=Code.MALFORMED_AMOUNT, advice="Write digits only.")
    return int(text)


def currency_of(cell: Cell) -> str | None:
    """The currency of a cell.

    Raises: Malformed (UNKNOWN_CURRENCY).
    """
    text = text_of(cell)
    if text is not None:
        exponent(text)
    return text


def choice_of(cell: Cell, choices: Mapping[str, Enum], values: Mapping[str, str]) -> Enum | None:
    """The choice a cell stands for, through the translations of the map where it has any.

    Raises: Malformed.
    """
    text = translated(text_of(cell), values)
    if text is None:
        return None
    found = choices.get(text)
    if found is None:
        raise _no_choice(choices, values)
    return found


def yes_of(cell: Cell, values: Mapping[str, str]) -> bool | None:
    """Whether a cell says yes, through the translations of the map where it has any.

    Raises: Malformed.
    """
    text = translated(text_of(cell), values)
    if text is None:
        return None
    if text not in YES_NO:
        raise _no_choice(YES_NO, values)
    return YES_NO[text]


def translated(text: str | None, values: Mapping[str, str]) -> str | None:
    """A text in the words of the product: by its own line of the map, or by the first pattern it fits.

    Raises: Malformed when the map translates, but not this.
    """
    if text is None or not values:
        return text
    found = values.get(text)
    if found is None:
        found = next((word for line, word in values.items() if "*" in line and fnmatchcase(text, line)), None)
    if found is None:
        raise _no_choice({}, values)
    return found or None


def _no_choice(choices: Mapping[str, object], values: Mapping[str, str]) -> Malformed:
    if values:
        return Malformed(
            "The map does not say what this value means.", advice="Add it to the values of the field in the map."
        )
    return Malformed(
        "The value is none of those allowed.",
        advice="Write one of " + ", ".join(choices) + ", or translate the values in the map.",
    )
