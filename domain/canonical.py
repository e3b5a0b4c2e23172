"""Canonical JSON: one value has one spelling, byte for byte, so that a digest of it means something.

Equal to RFC 8785 for the values the product writes: objects with string keys, lists, strings, booleans, null and
integers within ±(2^53-1). Floats are refused, since neither money nor points know them. Frozen dataclasses are
written as objects of their fields (`plain`) and read back exactly (`shaped`).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from domain.errors import Malformed

T = TypeVar("T")

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
"""What `plain` makes and `json.loads` reads back."""

MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader holds exactly."""

_DECIMAL = re.compile(r"(?!-0$)-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")
_Path = tuple[str, ...]
_Entries = Mapping[object, object]
_Items = Sequence[object]
"""What a check of the container alone tells about what it holds."""


def encode(value: object) -> bytes:
    """The canonical bytes of a value.

    Chapter: 5.1, 9.
    Shape:   equal values have equal bytes; reading the bytes gives the value back.
    Raises:  Malformed when a part of it has no canonical spelling, with the path to it.
    """
    return json.dumps(_ordered(value, ()), ensure_ascii=False, separators=(",", ":")).encode()


def digest(value: object) -> str:
    """SHA-256 of the canonical bytes, as 64 hexadecimal digits.

    Chapter: 5.1, 9.
    Raises:  Malformed when a part of it has no canonical spelling.
    """
    return sha256(encode(value)).hexdigest()


def plain(value: object) -> Json:
    """JSON for a tree of frozen dataclasses, enums, decimals, dates, mappings and sequences.

    Chapter: 5.1, 9.
    Shape:   `shaped(type(value), plain(value)) == value`; equal decimals have one spelling.
    Raises:  Malformed for anything else.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(_plain_scalar(key)): plain(item) for key, item in cast("_Entries", value).items()}
    if isinstance(value, frozenset):
        return sorted((plain(item) for item in cast("frozenset[object]", value)), key=encode)
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast("_Items", value)]
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return _plain_scalar(value)


def shaped(kind: type[T], value: object, path: tuple[str, ...] = ()) -> T:
    """The value of a declared type that JSON stands for; nothing is guessed, dropped or filled in.

    Chapter: 9.
    Raises:  Malformed with the path, when a key is unknown or absent, or a value has another type.
    """
    return cast("T", _read(kind, value, path))


def _plain_scalar(value: object) -> Json:
    match value:
        case None | bool() | int() | str():
            return value
        case Enum():
            return str(value.value)
        case Decimal():
            return _decimal_text(value)
        case date():
            return value.isoformat()
        case _:
            raise _malformed("A value of this type has no canonical spelling.", ())


def _ordered(value: object, path: _Path) -> object:
    """The value with every object's keys in the order of RFC 8785: by UTF-16 code units."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _integer(value, path)
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, Mapping):
        entries = {_text(key, path): item for key, item in cast("_Entries", value).items()}
        keys = sorted(entries, key=lambda key: key.encode("utf-16-be"))
        return {key: _ordered(entries[key], (*path, key)) for key in keys}
    if isinstance(value, list | tuple):
        return [_ordered(item, (*path, str(index))) for index, item in enumerate(cast("_Items", value))]
    raise _malformed("A value of this type has no canonical spelling.", path)


def _integer(value: object, path: _Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _malformed("A whole number is expected here.", path)
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise _malformed("The integer is too large for JSON.", path)
    return int(value)


def _text(value: object, path: _Path) -> str:
    if not isinstance(value, str):
        raise _malformed("A text is expected here.", path)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _malformed("The text holds half a character.", path) from None
    return value


def _decimal_text(value: Decimal) -> str:
    """The shortest plain notation; it keeps every digit, whatever the precision of the current context."""
    if not value.is_finite():
        raise _malformed("The number is not finite.", ())
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if text.strip("-0.") else "0"


def _read(kind: Any, value: object, path: _Path) -> object:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return _read_union(arguments, value, path)
    if origin in {tuple, frozenset}:
        if not isinstance(value, list):
            raise _malformed("A list is expected here.", path)
        items = enumerate(cast("_Items", value))
        return cast("object", origin(_read(arguments[0], item, (*path, str(index))) for index, item in items))
    if origin is not None and issubclass(origin, Mapping):
        entries = _object(value, path)
        return {
            _read(arguments[0], key, (*path, key)): _read(arguments[1], item, (*path, key))
            for key, item in entries.items()
        }
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(cast("type[Any]", kind), _object(value, path), path)
    return _read_scalar(kind, value, path)


def _read_union(kinds: tuple[Any, ...], value: object, path: _Path) -> object:
    """An optional value, or one of a number and a label; labels never look like numbers."""
    if value is None and NoneType in kinds:
        return None
    if Decimal in kinds and isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    rest = [kind for kind in kinds if kind is not NoneType]
    return _read(type(value) if type(value) in rest else rest[0], value, path)


@lru_cache(maxsize=256)
def _hints(kind: type[Any]) -> Mapping[str, Any]:
    """The types of a dataclass's fields; to work them out costs far more than to read a value."""
    return get_type_hints(kind)


def _read_dataclass(kind: type[Any], entries: Mapping[str, object], path: _Path) -> object:
    hints = _hints(kind)  # type: ignore[arg-type] # every class is hashable
    names = [field.name for field in dataclasses.fields(kind)]
    for key in entries:
        if key not in names:
            raise _malformed("The key is not known here.", (*path, key))
    for name in names:
        if name not in entries:
            raise _malformed("The key is missing.", (*path, name))
    return kind(**{name: _read(hints[name], entries[name], (*path, name)) for name in names})


def _read_scalar(kind: Any, value: object, path: _Path) -> object:
    if kind is bool:
        if not isinstance(value, bool):
            raise _malformed("True or false is expected here.", path)
        return value
    if kind is int:
        return _integer(value, path)
    text = _text(value, path)
    if kind is str:
        return text
    if kind is Decimal and not _DECIMAL.fullmatch(text):
        raise _malformed("A decimal number in plain notation is expected here.", path)
    try:
        read = date.fromisoformat(text) if kind is date else kind(text)
    except ValueError:
        read = None
    if read is None or (isinstance(read, date) and read.isoformat() != text):
        raise _malformed("The value is not one of those allowed here.", path)
    return cast("object", read)


def _object(value: object, path: _Path) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _malformed("An object is expected here.", path)
    return cast("Mapping[str, object]", value)


def _malformed(sentence: str, path: _Path) -> Malformed:
    return Malformed(sentence, advice="Write text, whole numbers, true, false, null, lists and objects.", path=path)
