"""What one credit policy version changes against another, place by place, as data (Ch.9)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from domain import canonical
from domain.assessment.policy import PolicyDocument

_NAMES: Final = ("code", "grade", "kind", "level", "label")
"""The keys that name an entry of a list, the first that every entry has, where no two have the same."""
_ITSELF: Final = "number"
"""What differs between any two versions and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """One place in which two credit policy versions differ (Ch.9)."""

    section: str
    """The part of the document, such as scorecards or limit_rules."""
    place: str
    """The place within it, by codes, grades and labels, such as EXISTING / characteristics / A1 / bands / ≤ 5."""
    before: str | None
    """What stood there, as JSON; null where nothing did."""
    after: str | None
    """What stands there now, as JSON; null where nothing does."""


def changes_between(before: PolicyDocument, after: PolicyDocument) -> tuple[PolicyChange, ...]:
    """Every place in which two documents differ, in the order of the document; their numbers apart.

    Chapter: 9.
    Shape:   empty exactly where the documents are equal but for their numbers.
    """
    left, right = (cast("Mapping[str, canonical.Json]", one.to_json()) for one in (before, after))
    return tuple(
        PolicyChange(section=section, place=" / ".join(place), before=_text(old), after=_text(new))
        for section in left
        if section != _ITSELF
        for place, old, new in _differ(left[section], right[section], ())
    )


_ABSENT: Final = object()
_Place = tuple[str, ...]


def _differ(old: object, new: object, place: _Place) -> Iterator[tuple[_Place, object, object]]:
    if old == new and type(old) is type(new):
        return
    if isinstance(old, list) and isinstance(new, list):
        left, right = _named(cast("list[object]", old)), _named(cast("list[object]", new))
        if left is None or right is None:
            yield place, cast("object", old), cast("object", new)
            return
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        left, right = cast("dict[str, object]", old), cast("dict[str, object]", new)
    else:
        yield place, old, new
        return
    for key in dict.fromkeys((*left, *right)):
        yield from _differ(left.get(key, _ABSENT), right.get(key, _ABSENT), (*place, key))
    kept = [key for key in left if key in right]
    moved = [key for key in right if key in left]
    if isinstance(old, list) and kept != moved:
        yield (*place, "order"), kept, moved


def _named(entries: list[object]) -> dict[str, object] | None:
    """The entries of a list by their names; None where they have none of their own."""
    if not all(isinstance(one, Mapping) for one in entries):
        return None
    objects = cast("list[Mapping[str, object]]", entries)
    for key in _NAMES:
        names = [one.get(key) for one in objects]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return {str(name): one for name, one in zip(names, objects, strict=True)}
    return None


def _text(value: object) -> str | None:
    return None if value is _ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)
