"""Canonical JSON: one value has one spelling, byte for byte, so that a digest of it means something.

Equal to RFC 8785 for the values the product writes: objects with string keys, lists, strings, booleans, null and
integers within ±(2^53-1). Floats are refused, since neither money nor points know them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from domain.errors import Malformed

Json = None | bool | int | str | list["Json"] | tuple["Json", ...] | Mapping[str, "Json"]
"""A value that has a canonical spelling."""

MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader holds exactly."""


def encode(value: Json) -> bytes:
    """The canonical bytes of a value.

    Chapter: 5.1, 9.
    Shape:   equal values have equal bytes; reading the bytes gives the value back.
    Raises:  Malformed when a part of it has no canonical spelling, with the path to it.
    """
    ordered = _ordered(value, ())
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode()


def digest(value: Json) -> str:
    """SHA-256 of the canonical bytes, as 64 hexadecimal digits.

    Chapter: 5.1, 9.
    Raises:  Malformed when a part of it has no canonical spelling.
    """
    return sha256(encode(value)).hexdigest()


def _ordered(value: Json, path: tuple[str, ...]) -> object:
    """The value with every object's keys in the order of RFC 8785: by UTF-16 code units."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _integer(value, path)
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, Mapping):
        for key in value:
            _text(key, path)
        keys = sorted(value, key=_utf16)
        return {str(key): _ordered(value[key], (*path, key)) for key in keys}
    if isinstance(value, list | tuple):
        return [_ordered(item, (*path, str(index))) for index, item in enumerate(value)]
    raise _malformed("A value of this type has no canonical spelling.", path)


def _integer(value: int, path: tuple[str, ...]) -> int:
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise _malformed("The integer is too large for JSON; write it as a string.", path)
    return int(value)


def _text(value: object, path: tuple[str, ...]) -> str:
    if not isinstance(value, str):
        raise _malformed("The keys of an object are strings.", path)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _malformed("The text holds half a character.", path) from None
    return str(value)


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def _malformed(sentence: str, path: tuple[str, ...]) -> Malformed:
    return Malformed(sentence, advice="Write text, whole numbers, true, false, null, lists and objects.", path=path)
