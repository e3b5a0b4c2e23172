"""The leaf of an audit entry as a reader must find it: canonical JSON of format 1, nothing more and nothing less.

What writes a leaf is `domain.audit`; what is here trusts no writer. No message repeats a value of the entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, cast

from domain.audit import FORMAT, MAX_LISTED, MINIMUM, PRUNING, Outcome
from domain.errors import Malformed

_ID = re.compile(r"ae_[0-7][0-9a-hjkmnp-tv-z]{25}", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_DIGITS = 18
_ROW = 3
"""A written row is its id, its version and its digest."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a check of a whole log needs of an entry."""

    id: str
    tenant: str
    pruned: int = 0
    """How many entries of the log were pruned, where this is the entry of it."""


def read_leaf(data: bytes) -> Leaf:
    """The entry behind the bytes of a leaf.

    Shape:  accepts whatever `domain.audit.Entry.leaf` writes; no other spelling of the same entry.
    Raises: Malformed.
    """
    body = _canonical(data)
    if not isinstance(body, dict):
        raise Malformed("An audit entry is a JSON object.")
    body = cast("Mapping[str, object]", body)
    if absent := _REQUIRED - body.keys():
        raise Malformed(f"The audit entry lacks `{min(absent)}`.")
    for name, value in body.items():
        shape = _SHAPES.get(name)
        if shape is None:
            raise Malformed("The audit entry has a key that format 1 does not know.")
        if not shape(value):
            raise Malformed(f"`{name}` of the audit entry is not as format 1 has it.")
    return Leaf(str(body["id"]), str(body["tenant"]), _pruned(body))


def _pruned(body: Mapping[str, object]) -> int:
    """The minimum index that an entry moved, which stands among its resources."""
    resources = body["resources"]
    if body["action"] != PRUNING or body["outcome"] != Outcome.DONE.value or not isinstance(resources, list):
        return 0
    named = [str(name).removeprefix(MINIMUM) for name in cast("list[object]", resources) if MINIMUM in str(name)]
    return max((int(each) for each in named if each.isdecimal() and len(each) <= _DIGITS), default=0)


def _canonical(data: bytes) -> object:
    try:
        body: object = _decode(data.decode())
        # Every key of format 1 is ASCII, so that order by code point is the canonical order.
        spelled = _encode(body).encode()
    except (ValueError, RecursionError):
        raise Malformed("The audit entry is not JSON of text and whole numbers.") from None
    if spelled != data:
        raise Malformed("The audit entry is not spelled canonically.")
    return body


def _no_number(_: str) -> NoReturn:
    raise ValueError("neither money nor points know floats")


_decode = json.JSONDecoder(parse_float=_no_number, parse_constant=_no_number).decode
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_row(value: object) -> bool:
    if not isinstance(value, list):
        return False
    row = cast("list[object]", value)
    return len(row) == _ROW and _is_word(row[0]) and _is_count(row[1]) and _is_word(row[2])


def _listed(is_item: Callable[[object], bool]) -> Callable[[object], bool]:
    """A list that fits a leaf, or how long the list in the side payload is, with its digest."""

    def check(value: object) -> bool:
        if isinstance(value, list):
            items = cast("list[object]", value)
            return len(items) <= MAX_LISTED and all(map(is_item, items))
        if not isinstance(value, dict):
            return False
        long = cast("Mapping[str, object]", value)
        count, digest = long.get("count"), long.get("digest")
        return (
            len(long) == len(("count", "digest"))
            and isinstance(count, int)
            and count > MAX_LISTED
            and isinstance(digest, str)
            and _DIGEST.fullmatch(digest) is not None
        )

    return check


_WORDS = ("behalf", "purpose", "consent", "grants", "rule", "policy", "code", "cause", "request", "document", "key")
_SHAPES: Mapping[str, Callable[[object], bool]] = {
    "v": lambda value: type(value) is int and value == FORMAT,
    "id": _matches(_ID),
    "at": _is_time,
    "tenant": _is_word,
    "actor": _is_word,
    "action": _is_word,
    "outcome": lambda value: isinstance(value, str) and value in _OUTCOMES,
    "resources": _listed(_is_word),
    "subjects": _listed(_is_word),
    "written": _listed(_is_row),
    "actions": lambda value: isinstance(value, list) and value != [] and all(map(_is_word, value)),
    "fields": lambda value: isinstance(value, list) and value != [] and all(map(_is_word, value)),
    "commitment": _matches(_DIGEST),
    "digest": _matches(_DIGEST),
} | dict.fromkeys(_WORDS, _is_word)
_REQUIRED = frozenset(
    ("v", "id", "at", "tenant", "actor", "action", "outcome", "resources", "subjects", "written"),
)
