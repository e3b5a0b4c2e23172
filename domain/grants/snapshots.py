"""Versions of a company's grants: which one is in force, and what was approved to come into force (Ch.8 §1).

A company without a version of its own holds the product's, which the release approved. What decides never changes: a
version is written once, named by its content, and only its state moves on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Final, NamedTuple

from domain.actors import Rights
from domain.files.parties import Tenant
from domain.grants.content import GrantLink, GrantRule, Snapshot
from domain.grants.effects import GrantChange
from domain.ids import Id
from domain.ports import Unit
from domain.reading import Judged, Labelled, Level, Page, Reading, Slot, Where, judge
from domain.records import Record, fact, record

MOST: Final = 20
"""How many versions may stand at once: one in force, the others approved for a later day."""
HELD: Final = "held"


class GrantsState(Enum):
    """Where a version of the grants stands."""

    DRAFT = "DRAFT"
    """It was proposed and waits for another person."""
    APPROVED = "APPROVED"
    """Another person approved it; from its time on it is in force."""
    ACTIVE = "ACTIVE"
    """It is in force, unless a later one has come to its time."""
    SUPERSEDED = "SUPERSEDED"
    """A later one took its place."""
    REJECTED = "REJECTED"
    """Another person did not approve it."""
    WITHDRAWN = "WITHDRAWN"
    """It was taken back before it came into force."""


@record("gr", table="grants_snapshot", read="grants:read", subject_reach=False)
class GrantsSnapshot(Record):
    """A version of who may do what in the company (Ch.8 §1)."""

    content_digest: str = fact("SHA-256 of its rules and links; audit entries name it. Ch.8 §1", filter=True)
    rules: tuple[GrantRule, ...] = fact("Its rules. Ch.8 §1")
    links: tuple[GrantLink, ...] = fact("Which role has the grants of which. Ch.8 §1")
    tests: str = fact("What must come out under it, as YAML; every test held when it was approved. Ch.8 §1")
    untested: tuple[str, ...] = fact("The ids of rules that no test rests on. Ch.8 §1")
    failures: tuple[str, ...] = fact(
        "What came out otherwise than its tests say: with any, nobody approves it. Ch.8 §1"
    )
    base: str = fact("The version it was compared with. Ch.8 §1")
    changes: tuple[GrantChange, ...] = fact("Who gains or loses which action against that version. Ch.8 §1")
    changes_digest: str = fact("SHA-256 of these changes: who approves them names it. Ch.8 §1")
    reason: str = fact("Why it is proposed. Ch.8 §1")
    state: GrantsState = fact("Where it stands. Ch.8 §1", default=GrantsState.DRAFT, filter=True)
    effective_at: datetime | None = fact(
        "From when it is in force; where none is set, from its approval. Ch.8 §1", default=None
    )
    proposed_by: str = fact("Who proposed it. Ch.8 §1")
    decided_by: str | None = fact("Who decided on it: another person. Ch.8 §1", default=None)

    @property
    def snapshot(self) -> Snapshot:
        """What it says."""
        return Snapshot(rules=self.rules, links=self.links)


class Standing(NamedTuple):
    """A version that is in force, or approved to be."""

    id: Id
    version: str
    active: bool
    effective_at: datetime


class Version(NamedTuple):
    """What the store keeps of a version."""

    snapshot: Snapshot
    tests: str
    digest: str
    """What names it there: it must be the digest of its content."""


def standing() -> Judged:
    """The reading of the versions that are in force or approved: slots for the size of the page, and the states.

    Chapter: 8.1.
    """
    facts = tuple(Labelled(name, name) for name in ("id", "content_digest", "state", "effective_at"))
    return _read(Level(shape=GrantsSnapshot.shape, facts=facts, where=(Where("state", "in", Slot(1)),), page=_PAGE))


def listing(*, named: bool) -> Reading:
    """Every version with what it changes: slots for the size of the page and the cursor; for its id where one is named.

    Chapter: 8.1.
    """
    shape = GrantsSnapshot.shape
    facts = tuple(
        Labelled(name, name) for name in ("id", *(one for one in shape.facts if one not in {"rules", "links"}))
    )
    where = (Where("id", "=", Slot(2)),) if named else ()
    return Reading((Labelled(HELD, Level(shape=shape, facts=facts, where=where, page=Page(Slot(0), Slot(1)))),))


STANDING_STATES: Final = (GrantsState.ACTIVE.value, GrantsState.APPROVED.value)


def content() -> Judged:
    """The reading of one version by its id: slots for the size of the page, and the id.

    Chapter: 8.1.
    """
    facts = tuple(Labelled(name, name) for name in ("rules", "links", "tests", "content_digest"))
    return _read(Level(shape=GrantsSnapshot.shape, facts=facts, where=(Where("id", "=", Slot(1)),), page=_PAGE))


def standing_of(rows: Iterable[Mapping[str, Any]]) -> list[Standing]:
    """What the reading of standing versions found.

    Chapter: 8.1.
    """
    return [
        Standing(
            id=Id(row["id"]),
            version=row["content_digest"],
            active=_word(row["state"]) == GrantsState.ACTIVE.value,
            effective_at=_instant(row["effective_at"]),
        )
        for row in rows
    ]


def in_force(found: Sequence[Standing], at: datetime) -> Standing | None:
    """The version in force at an instant; None where the company holds the product's.

    Chapter: 8.1.
    Shape:   an approved version is in force from its time on, whether or not its state was moved on.
    """
    due = [one for one in found if one.active or one.effective_at <= at]
    return max(due, key=lambda one: (one.effective_at, one.id), default=None)


def standing_in(unit: Unit) -> list[GrantsSnapshot]:
    """The versions that are in force or approved, in the order they come into force.

    Chapter: 8.1.
    """
    # Two that are approved at once come one after the other, also where none stands that both could wait for.
    unit.find(Tenant, lock=True)
    found = unit.find(GrantsSnapshot, lock=True, state=(GrantsState.ACTIVE, GrantsState.APPROVED))
    return sorted(found, key=lambda one: (one.effective_at or unit.now, one.id))


_PAGE = Page(Slot(0), wants_cursors=False)


def _read(level: Level) -> Judged:
    return judge(Reading((Labelled(HELD, level),)), Rights(id=0, version="", allowed={"grants:read": ""}))


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def _instant(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
