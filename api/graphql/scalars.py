"""One table says how each scalar prints and how it is read; answers of plans and graphql-core both use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from types import MappingProxyType
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from domain.money import EXPONENTS

CurrencyCode = NewType("CurrencyCode", str)
"""An ISO 4217 code the product knows."""

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,18})?", re.ASCII)


class Unreadable(ValueError):
    """A value does not have the form of its scalar; the sentence tells the form and never the value."""


def print_instant(value: datetime | str) -> str:
    """RFC 3339 in UTC with microseconds; what is printed already stays."""
    if isinstance(value, str):
        return value
    instant = value if value.tzinfo is UTC else value.astimezone(UTC)
    return instant.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def print_day(value: date | str) -> str:
    """ISO 8601, `2026-11-24`; what is printed already stays."""
    return value if isinstance(value, str) else value.isoformat()


def print_decimal(value: Decimal | str) -> str:
    """All digits, never an exponent; what is printed already stays."""
    return value if isinstance(value, str) else format(value, "f")


def print_enum(value: Enum | str) -> str:
    """The member's name, which every published enum also has as its value."""
    return value if isinstance(value, str) else value.name


def print_text(value: str) -> str:
    """Text as it is; an id or a code is text."""
    return str(value)


def print_whole(value: int) -> int:
    """A whole number that every client can hold.

    Raises: ValueError beyond 32 bits, which no fact of the domain reaches.
    """
    if not -(2**31) <= value < 2**31:
        raise ValueError("A whole number of the answer needs more than 32 bits.")
    return value


def print_truth(value: bool) -> bool:  # noqa: FBT001 - the value is the subject
    """True or false, also where a store hands out 1 or 0."""
    return bool(value)


def parse_instant(value: Any) -> datetime:
    """An RFC 3339 instant with its offset, in UTC."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise Unreadable("A DateTime is RFC 3339 with an offset, such as 2026-11-24T08:30:00Z.")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable("This DateTime does not exist.") from None


def parse_day(value: Any) -> date:
    """A day of the calendar, `2026-11-24`."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise Unreadable("A Date is year, month and day, such as 2026-11-24.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Unreadable("This Date does not exist.") from None


def parse_decimal(value: Any) -> Decimal:
    """An exact decimal, sent as text; a JSON number with a fraction is refused, since it may be rounded already."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise Unreadable("A Decimal is text with plain digits, such as 1234.50.")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Unreadable("This Decimal cannot be read.") from None


def parse_currency(value: Any) -> str:
    """A currency the product knows."""
    if not isinstance(value, str) or value not in EXPONENTS:
        raise Unreadable("A CurrencyCode is a three-letter ISO 4217 code such as CNY.")
    return value


def _scalar(
    name: str, says: str, prints: Callable[[Any], Any], reads: Callable[[Any], Any], url: str
) -> ScalarDefinition:
    return strawberry.scalar(name=name, description=says, serialize=prints, parse_value=reads, specified_by_url=url)


SCALARS: Mapping[object, ScalarDefinition] = MappingProxyType(
    {
        datetime: _scalar(
            "DateTime",
            "An instant, RFC 3339 in UTC with microseconds: `2026-11-24T08:30:00.000000Z`.",
            print_instant,
            parse_instant,
            "https://www.rfc-editor.org/rfc/rfc3339",
        ),
        date: _scalar(
            "Date",
            "A day of the calendar: `2026-11-24`.",
            print_day,
            parse_day,
            "https://www.rfc-editor.org/rfc/rfc3339",
        ),
        Decimal: _scalar(
            "Decimal",
            'An exact decimal number as text: `"1234.50"`.',
            print_decimal,
            parse_decimal,
            "https://speleotrove.com/decimal/daconvs.html",
        ),
        CurrencyCode: _scalar(
            "CurrencyCode",
            "An ISO 4217 currency code: `CNY`.",
            print_text,
            parse_currency,
            "https://www.iso.org/iso-4217-currency-codes.html",
        ),
    }
)
"""The custom scalars of the schema by the Python type they stand for."""

PRINTERS: Mapping[type, Callable[[Any], Any]] = MappingProxyType(
    {
        str: print_text,
        bool: print_truth,
        int: print_whole,
        date: print_day,
        datetime: print_instant,
        Decimal: print_decimal,
        Enum: print_enum,
    }
)
"""How each Python type of a fact prints; an id is text, an enum any subclass of Enum."""


def printer(type_: Any) -> Callable[[Any], Any]:
    """How a leaf of the schema prints, by the Python type of its fact.

    Raises: TypeError for a type that has no printed form; it is raised while the schema is built.
    """
    plain = getattr(type_, "__supertype__", type_)
    if isinstance(plain, type) and issubclass(plain, Enum):
        return PRINTERS[Enum]
    try:
        return PRINTERS[plain]
    except KeyError:
        raise TypeError(f"{type_!r} has no printed form.") from None
