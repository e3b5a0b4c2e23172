"""Searches of the audit log that are kept by name: whoever examines asks the same again, and a change is recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Any, Final, cast

from domain import canonical
from domain.actors import Actor
from domain.errors import Malformed
from domain.files.trail import AuditEntry
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, record

LONGEST_NAME: Final = 80
LONGEST: Final = 4_000
MOST_VALUES: Final = 100
FACTS: Final = {one.name: one.type for one in AuditEntry.shape.facts.values() if one.filter}
"""What entries are searched by, with the type of each."""


class SearchState(Enum):
    """Whether a search is still offered."""

    KEPT = "KEPT"
    DROPPED = "DROPPED"


@record("sq", table="audit_search", read="audit:read", unique=(("name",),), subject_reach=False)
class AuditSearch(Record):
    """A search of the audit log under a name: its conditions are those of `auditEntries` (Ch.8 §1)."""

    name: str = fact("What it is called. Ch.8 §1", filter=True, order=True)
    conditions: str = fact("Its conditions as JSON, to be sent as the filter of `auditEntries`. Ch.8 §1")
    saved_by: str = fact("Who saved this version. Ch.8 §1", filter=True)
    state: SearchState = fact("Whether it is still offered. Ch.8 §1", default=SearchState.KEPT, filter=True)


@operation("audit:save", chapter="8.1")
class SaveAuditSearch(Operation[AuditSearch]):
    """Keeps a search of the audit log under a name; one of that name gets these conditions (Ch.8 §1)."""

    name: str
    """What it is called. Ch.8 §1"""
    conditions: str
    """Its conditions as JSON, as the filter of `auditEntries` takes them. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[AuditSearch]:
        """Every version stays: what was asked under a name, and when, is not lost.

        Chapter: 8.1.
        Raises:  Malformed for a name or conditions that cannot be.
        """
        if not 0 < len(self.name) <= LONGEST_NAME or self.name != self.name.strip():
            raise Malformed(f"A name has 1 to {LONGEST_NAME} characters, none of them space at an end.", path=("name",))
        conditions = checked(self.conditions)
        known = unit.find(AuditSearch, lock=True, name=self.name)
        if known:
            changed = replace(known[0], conditions=conditions, saved_by=actor.person, state=SearchState.KEPT)
            return Decided(value=unit.replace(changed), resources=(changed.id,))
        made = AuditSearch(stamp=unit.stamp(AuditSearch), name=self.name, conditions=conditions, saved_by=actor.person)
        unit.add([made])
        return Decided(value=made, resources=(made.id,))


@operation("audit:save", chapter="8.1")
class DropAuditSearch(Operation[AuditSearch]):
    """Offers a saved search no longer; its versions stay (Ch.8 §1)."""

    search: Id
    """The search. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[AuditSearch]:
        """Dropping it twice changes nothing the second time.

        Chapter: 8.1.
        Raises:  NotFound.
        """
        found = unit.get(AuditSearch, self.search, lock=True)
        if found.state is SearchState.KEPT:
            found = unit.replace(replace(found, state=SearchState.DROPPED, saved_by=actor.person))
        return Decided(value=found, resources=(found.id,))


def checked(text: str) -> str:
    """The conditions in their canonical form.

    Chapter: 8.1.
    Raises:  Malformed for what no list of entries takes.
    Shape:   checking what was checked changes nothing.
    """
    try:
        held: Any = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict) or not held:
        raise _malformed(f"Conditions are a JSON object of at most {LONGEST} characters that names one at least.")
    body = cast("dict[str, object]", held)
    for name, words in body.items():
        kind = FACTS.get(name)
        if kind is None or not isinstance(words, dict) or not words:
            raise _malformed(f"Entries are searched by {', '.join(FACTS)}.")
        _check(kind, cast("Mapping[str, object]", words))
    return canonical.encode(body).decode()


def _check(kind: Any, words: Mapping[str, object]) -> None:
    for word, value in words.items():
        known = _words(kind)
        if word not in known:
            raise _malformed(f"This condition knows {', '.join(known)}.")
        values = _values(word, value)
        if not values or len(values) > MOST_VALUES or not all(isinstance(one, str) for one in values):
            raise _malformed("A value is a text, and a list of values has 1 to 100 texts.")
        if kind is datetime:
            _check_instant(str(values[0]))


def _values(word: str, value: object) -> list[object]:
    return [*cast("list[object]", value)] if word == "in" and isinstance(value, list) else [value]


def _check_instant(value: str) -> None:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise _malformed("A time is an RFC 3339 instant with its zone.")


def _words(kind: Any) -> tuple[str, ...]:
    if kind is datetime:
        return ("gte", "lte")
    if kind is str:
        return ("eq", "in", "contains")
    return ("eq", "in") if isinstance(kind, type) and issubclass(kind, Enum) else ("has",)


def _malformed(sentence: str) -> Malformed:
    return Malformed(sentence, advice="Save conditions as you send them to `auditEntries`.", path=("conditions",))
