"""Masked forms tell a person that a value is on file and which one, without giving it away (Ch.4 §4).

The hidden part always has the same length, so a masked form says nothing about the length of its value.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

HIDDEN: Final = "****"
"""Stands for whatever is not shown, however long it is."""


def _ends(value: str, first: int, last: int) -> str:
    # Never more than half of a value is shown: a short one is hidden whole.
    if len(value) < 2 * (first + last):
        return HIDDEN
    return value[:first] + HIDDEN + value[len(value) - last :]


def _phone(value: str) -> str:
    return _ends(value, 0, 4)


def _email(value: str) -> str:
    local, at, domain = value.rpartition("@")
    if not at:
        return HIDDEN
    return _ends(local, 1, 0) + at + domain


def _account(value: str) -> str:
    return _ends(value, 0, 4)


def _name(value: str) -> str:
    return _ends(value, 1, 0)


def _code(value: str) -> str:
    return _ends(value, 2, 4)


class Mask(Enum):
    """How a confidential value is masked."""

    PHONE = "PHONE"
    """The last 4 digits."""
    EMAIL = "EMAIL"
    """The first letter, and the domain."""
    ACCOUNT = "ACCOUNT"
    """The last 4 digits of a bank account."""
    NAME = "NAME"
    """The first character: in Chinese the surname."""
    CODE = "CODE"
    """The first 2 and the last 4 characters of a unified social credit code."""

    def apply(self, value: str) -> str:
        """The masked form of a value.

        Chapter: 4.4.
        Shape:   total; shows at most half of what it masks; equal for values that share the shown part.
        """
        return _MASKS[self](value)


_MASKS: Final[dict[Mask, Callable[[str], str]]] = {
    Mask.PHONE: _phone,
    Mask.EMAIL: _email,
    Mask.ACCOUNT: _account,
    Mask.NAME: _name,
    Mask.CODE: _code,
}
