"""Honey files: credit files that nobody has reason to read. Whoever opens one raises an alarm.

Which files these are only those know who may examine the log: the mark is a record of its own about nobody, and no
answer, count or error about the file itself depends on it. A page of files raises no alarm by showing one among others:
a file has to be fetched by itself, to have been searched for, changed, or read in its confidential values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple

from domain.actors import Actor
from domain.errors import Code, Conflict, Invalid, NotFound
from domain.files.parties import CreditFile
from domain.files.trail import AuditEntry
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import TAGS, Record, fact, link, record
from domain.supervision.findings import CLAUSES, AuditFinding, FindingKind

READS: Final = frozenset({"read", "watch", "examine"})
"""The verbs of actions that only show."""
EXAMINED: Final = "audit:"
"""What is done by those who examine is not about the file."""


class Mark(NamedTuple):
    """A mark, and since when it counts."""

    id: Id
    since: datetime


class HoneyState(Enum):
    """Whether a mark still counts."""

    PLANTED = "PLANTED"
    REMOVED = "REMOVED"


@record("hy", table="honey_file", read="audit:honey", subject_reach=False)
class HoneyFile(Record):
    """A credit file that nobody has reason to read: whoever does raises an alarm (Ch.4 §4)."""

    credit_file: Id = link("CreditFile", "The file. Ch.4 §4", same_subject=False)
    planted_by: str = fact("Who marked it. Ch.8 §1")
    state: HoneyState = fact("Whether the mark still counts. Ch.4 §4", default=HoneyState.PLANTED, filter=True)


@operation("audit:plant", chapter="4.4, 8.1")
class PlantHoneyFile(Operation[HoneyFile]):
    """Marks a credit file as one that nobody has reason to read (Ch.4 §4)."""

    credit_file: Id
    """The file. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[HoneyFile]:
        """The mark is about nobody: no access log of the file tells of it.

        Chapter: 4.4, 8.1.
        Raises:  NotFound; Conflict where it is marked already.
        """
        if not list(unit.select(CreditFile, ("id",), id=self.credit_file)):
            raise NotFound("There is no such credit file.", path=("credit_file",))
        if unit.find(HoneyFile, lock=True, credit_file=self.credit_file, state=HoneyState.PLANTED):
            raise Conflict("The file is marked already.", path=("credit_file",))
        made = HoneyFile(stamp=unit.stamp(HoneyFile), credit_file=self.credit_file, planted_by=actor.person)
        unit.add([made])
        return Decided(value=made, resources=(made.id,))


@operation("audit:uproot", chapter="4.4, 8.1")
class RemoveHoneyFile(Operation[HoneyFile]):
    """Ends the mark of a honey file; alarms that it raised stay (Ch.4 §4)."""

    honey_file: Id
    """The mark. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[HoneyFile]:
        """A mark ends once.

        Chapter: 4.4, 8.1.
        Raises:  NotFound; Invalid where it ended before.
        """
        del actor
        found = unit.get(HoneyFile, self.honey_file, lock=True)
        if found.state is not HoneyState.PLANTED:
            raise Invalid("The mark ended before.", code=Code.INVALID_TRANSITION, advice="Mark the file anew.")
        return Decided(value=unit.replace(replace(found, state=HoneyState.REMOVED)), resources=(found.id,))


@operation("audit:alarm", chapter="4.4, 8.1")
class RaiseHoneyAlarms(Operation[tuple[Id, ...]]):
    """Raises an alarm for every entry that touched a honey file, each once (Ch.4 §4)."""

    entries: tuple[Id, ...]
    """The entries. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[tuple[Id, ...]]:
        """Whether an entry touched one is judged anew, by the marks as they are now.

        Chapter: 4.4, 8.1.
        Shape:   running it twice raises no alarm twice.
        """
        del actor
        found = alarms(unit, unit.find(AuditEntry, id=self.entries))
        unit.add(found, skip_known=True)
        kept = unit.find(AuditFinding, told_once=tuple(one.told_once for one in found)) if found else []
        return Decided(
            value=tuple(one.id for one in kept),
            resources=tuple(dict.fromkeys(Id(name) for one in kept for name in (one.id, *one.entries))),
        )


def planted(unit: Unit) -> dict[Id, Mark]:
    """The marked files and the customers they are about, each with the mark.

    Chapter: 4.4.
    """
    marks = {
        one.credit_file: Mark(one.id, one.stamp.created_at) for one in unit.find(HoneyFile, state=HoneyState.PLANTED)
    }
    if not marks:
        return {}
    files = list(unit.select(CreditFile, ("id", "subject_id"), id=tuple(marks)))
    return {name: marks[own] for own, subject in files for name in (own, subject)}


def touched(marks: Mapping[Id, Mark], entries: Sequence[AuditEntry]) -> Iterator[tuple[AuditEntry, Id]]:
    """The entries that touched a marked file, with its mark.

    Chapter: 4.4.
    Shape:   total; what no person did, what is done to examine, and what was before the mark, touches nothing.
    """
    for entry in entries:
        if entry.actor.startswith("system:") or entry.action.startswith(EXAMINED):
            continue
        known = [marks[Id(one)] for one in (*entry.resources, *entry.subjects) if Id(one) in marks]
        named = [mark.id for mark in known if entry.at >= mark.since]
        shown_among_others = entry.action.partition(":")[2] in READS and len(entry.resources) > 1
        opened = any(field in TAGS for field in entry.fields)
        if named and (opened or not shown_among_others):
            yield entry, named[0]


def alarms(unit: Unit, entries: Sequence[AuditEntry]) -> list[AuditFinding]:
    """The alarms for the entries that touched a marked file.

    Chapter: 4.4, 8.1.
    """
    kind = FindingKind.HONEY_FILE_TOUCHED
    return [
        AuditFinding(
            stamp=unit.stamp(AuditFinding),
            kind=kind,
            clause=CLAUSES[kind],
            alarm=True,
            told_once=f"{kind.value}/{entry.id}",
            at=entry.at,
            actor=entry.actor,
            count=1,
            entries=(entry.id,),
            resources=(mark,),
            says=f"A honey file was touched by {entry.action}, which ended {entry.outcome.value}.",
        )
        for entry, mark in touched(planted(unit), entries)
    ]
