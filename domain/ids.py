"""Public ids: a prefix that names the type, and a UUIDv7 inside, opaque to readers.

`cf_06ax4kz…` is 26 characters of Crockford's base 32 (lower case) behind the prefix.
Ids made later sort later.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import NewType

from domain.errors import Code, Malformed

Id = NewType("Id", str)
"""A public id such as `cf_…`; the tenant's own is `te_…`, a subject's is that of its customer or person."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUE = {character: index for index, character in enumerate(_ALPHABET)}
_LENGTH = 26
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
"""Two characters at once: an import makes an id per row."""
UUID_BYTES = 16
ENTRY = "ae"
"""The prefix of an audit entry's id."""


def encode(prefix: str, raw: bytes) -> Id:
    """The public id of a 16-byte UUID.

    Chapter: 4.2, 4.4.
    """
    number = int.from_bytes(raw, "big")
    return Id(prefix + "_" + "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)]))


def prefix_of(text: str) -> str:
    """The prefix that names the type; an empty string where there is none.

    Chapter: 4.2.
    """
    return text.partition("_")[0] if "_" in text else ""


@lru_cache(maxsize=4096)
def raw(public: str) -> bytes:
    """The 16 bytes inside an id, as seals and audit entries bind them.

    Chapter: 4.4.
    Raises:  Malformed when it is not an id.
    """
    _, _, body = public.partition("_")
    try:
        number = 0
        for character in body:
            number = number << 5 | _VALUE[character]
        if len(body) != _LENGTH:
            raise _malformed()
        return number.to_bytes(UUID_BYTES, "big")
    except (KeyError, OverflowError):
        raise _malformed() from None


def check(text: str, prefix: str) -> Id:
    """The id, when it is well formed and of the expected type.

    Chapter: 4.2.
    Raises:  Malformed.
    """
    raw(text)
    if prefix_of(text) != prefix:
        raise _malformed()
    return Id(text)


def _malformed() -> Malformed:
    return Malformed("The id is not well formed.", code=Code.MALFORMED, advice="Send ids exactly as received.")


class RandomIds:
    """Makes ids that grow within one process: UUIDv7, its random tail counting up inside a millisecond."""

    def __init__(self) -> None:
        self._last = (0, 0)

    def make(self, prefix: str, milliseconds: int) -> Id:
        """The next id of a type, at a time in milliseconds since 1970 UTC.

        Chapter: 4.2.
        """
        then, tail = self._last
        if milliseconds <= then:
            milliseconds, tail = then, tail + 1 + secrets.randbits(32)
        else:
            tail = secrets.randbits(73)
        self._last = (milliseconds, tail)
        high, low = tail >> 62 & 0xFFF, tail & (1 << 62) - 1
        number = milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low
        return encode(prefix, number.to_bytes(UUID_BYTES, "big"))
