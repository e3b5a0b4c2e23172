"""Which clause of the standard has which evidence in a period, and which has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.actors import Actor
from domain.errors import Code, Malformed
from domain.operations import OPERATIONS, Decided, Operation, operation
from domain.ports import Unit
from domain.records import SHAPES
from domain.standard import CLAUSES
from domain.supervision.looking import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseEvidence:
    """What shows in a period that a clause is lived by (Ch.8 §1)."""

    clause: str
    """The clause, `4.4`. Ch.8 §1"""
    term: str
    """Its Chinese term. Ch.8 §1"""
    asks: str
    """What it asks. Ch.8 §1"""
    actions: tuple[str, ...]
    """The actions that serve it and were taken. Ch.8 §1"""
    missing: tuple[str, ...]
    """The actions that serve it and were not taken. Ch.8 §1"""
    entries: int
    """How many audit entries there are of them. Ch.8 §1"""
    first_at: datetime | None
    """When the first was made. Ch.8 §1"""
    last_at: datetime | None
    """When the last was made. Ch.8 §1"""


@operation("audit:cover", chapter="8.1")
class CoverClauses(Operation[tuple[ClauseEvidence, ...]]):
    """Tells for each clause of the standard which evidence a period has, and which clause has none (Ch.8 §1)."""

    since: datetime
    """From when on. Ch.8 §1"""
    until: datetime
    """Until when, not included. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[tuple[ClauseEvidence, ...]]:
        """Counts the entries of each action in the log.

        Chapter: 8.1.
        Shape:   every clause is told, in the order of the standard.
        """
        if self.until <= self.since:
            raise Malformed("The period ends before it begins.", code=Code.MALFORMED_DATE, path=("until",))
        tally = unit.trail.tally("action", self.since, self.until)
        return Decided(value=covered(tally), resources=(actor.tenant,))


def covered(tally: Mapping[str, Tally]) -> tuple[ClauseEvidence, ...]:
    """The evidence of every clause, from how often each action was taken.

    Chapter: 8.1.
    """
    return tuple(_evidence(number, actions, tally) for number, actions in serving().items())


def serving() -> Mapping[str, tuple[str, ...]]:
    """The actions that serve each clause: of operations as they declare it, of reads as their record says.

    Chapter: 8.1.
    """
    found: dict[str, set[str]] = {number: set() for number in CLAUSES}
    for declared in OPERATIONS.values():
        for number in declared.chapter.split(", "):
            found[number].add(declared.actions[0])
    for shape in SHAPES.values():
        for number, clause in CLAUSES.items():
            chapter = clause.cited.partition(" ")[0]
            if any(f"{cited}{end}" in shape.says for cited in {clause.cited, chapter} for end in "),"):
                found[number].add(shape.read)
    return {number: tuple(sorted(actions)) for number, actions in found.items()}


def _evidence(number: str, actions: tuple[str, ...], tally: Mapping[str, Tally]) -> ClauseEvidence:
    known = {action: tally[action] for action in actions if action in tally}
    clause = CLAUSES[number]
    return ClauseEvidence(
        clause=number,
        term=clause.term,
        asks=clause.asks,
        actions=tuple(known),
        missing=tuple(action for action in actions if action not in known),
        entries=sum(one.count for one in known.values()),
        first_at=min((one.first_at for one in known.values()), default=None),
        last_at=max((one.last_at for one in known.values()), default=None),
    )
