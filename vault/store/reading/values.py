"""Values from outside: arguments and cursors are checked against the type of the column before SQL sees them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from domain.errors import Malformed
from domain.ids import prefix_of

MAX_INTEGER = 2**63 - 1
"""The largest integer both databases hold."""


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value.isoformat()


_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode
"""Canonical for a list of scalars: it has no keys to order."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The type of a column as its declaration says."""

    type: Any
    optional: bool = False

    def fit(self, value: Any) -> Any:
        """The value, when it is of this type and both databases can hold it; an enum member may be its word.

        Raises: Malformed.
        """
        if value is None:
            return None
        if issubclass(self.type, Enum):
            return _member(self.type, value)
        if not _is_a(self.type, value):
            raise _malformed("The value does not fit its place.")
        return _text(value) if isinstance(value, str) else value

    def parse(self, value: Any) -> Any:
        """The value a cursor holds in JSON for this type.

        Raises: Malformed.
        """
        if value is None and not self.optional:
            raise _garbage()
        if isinstance(value, str) and issubclass(self.type, date):
            value = _instant_or_day(self.type, value)
        return self.fit(value)


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one order: the values of a row's order columns and its id, opaque to readers."""

    columns: tuple[Typed, ...]
    prefix: str
    """Of the ids in its list: the last value of every cursor is one."""

    def write(self, values: Sequence[Any]) -> str:
        """The cursor of a row."""
        # The id alone is the common order, and needs no escaping.
        text = f'["{values[0]}"]' if len(values) == 1 else _write(values)
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    def read(self, text: Any) -> tuple[Any, ...]:
        """The values in a cursor.

        Raises: Malformed when it is none of this order.
        """
        try:
            padded = str(text).encode() + b"=" * (-len(str(text)) % 4)
            values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
        except (ValueError, RecursionError):
            raise _garbage() from None
        if not isinstance(values, list) or len(values) != len(self.columns):
            raise _garbage()
        if not isinstance(values[-1], str) or prefix_of(values[-1]) != self.prefix:
            raise _garbage()
        return tuple(typed.parse(value) for typed, value in zip(self.columns, values, strict=True))


def page_size(value: Any, maximum: int) -> int:
    """The size of a page within its bounds: what is not between 1 and the maximum never reaches SQL.

    Raises: Malformed.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= maximum:
        raise Malformed("The size of the page is out of bounds.", advice=f"Ask for 1 to {maximum} at a time.")
    return value


def _is_a(type_: Any, value: Any) -> bool:
    if type_ is datetime:
        return isinstance(value, datetime) and value.tzinfo is not None
    if type_ is date:
        return isinstance(value, date) and not isinstance(value, datetime)
    if type_ is bool or isinstance(value, bool):
        return type_ is bool and isinstance(value, bool)
    if isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER:
        return False
    # An Id is a text of its own name; at run time it is a str like any other.
    return isinstance(value, type_)


def _member(enum: type[Enum], value: Any) -> Enum:
    try:
        return enum(value)
    except ValueError:
        raise _malformed("The word is not one of its list.") from None


def _text(value: str) -> str:
    """PostgreSQL keeps no NUL, and half a surrogate pair is no text in either database."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _malformed("The text holds half a character.") from None
    if "\0" in value:
        raise _malformed("The text holds a NUL character.")
    return value


def _instant_or_day(type_: type[date], value: str) -> date:
    try:
        return type_.fromisoformat(value)
    except ValueError:
        raise _garbage() from None


def _garbage() -> Malformed:
    return Malformed("The cursor is not one of this list.", advice="Send cursors exactly as received, same order.")


def _malformed(sentence: str) -> Malformed:
    return Malformed(sentence, advice="Send a value of the type the schema names.")
