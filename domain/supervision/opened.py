"""Every opened value is held against the log: a perfect log can still miss what was never written to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from domain.actors import Actor
from domain.files.trail import AuditEntry
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import TAGS, Record, fact, record
from domain.supervision.findings import CLAUSES, AuditFinding, FindingKind

AT_ONCE: Final = 500
"""How many entries are looked up at once."""


@record("oc", table="opened_count", read="audit:read", subject_reach=False)
class OpenedCount(Record):
    """How many confidential values of a class a process opened, and how many the log accounts for (Ch.8 §1).

    More recorded than opened is a release that failed after its entry, which a second entry tells. More opened than
    recorded is an alarm. A process that was killed leaves no count of its last minute.
    """

    process: str = fact("The process that opened them. Ch.8 §1", filter=True)
    since: datetime = fact("From when on it counted. Ch.8 §1")
    until: datetime = fact("Until when. Ch.8 §1", order=True, filter=True)
    data_class: str = fact("The class of the values. Ch.4 §4", filter=True)
    opened: int = fact("How many values were opened. Ch.4 §4")
    recorded: int = fact("How many values entries of the log account for. Ch.8 §1")


@operation("audit:reconcile", chapter="4.4, 8.1")
class ReconcileOpened(Operation[tuple[Id, ...]]):
    """Holds what a process opened against the log, and raises an alarm where more was opened (Ch.8 §1)."""

    process: str
    """The process that counted. Ch.8 §1"""
    since: datetime
    """From when on. Ch.8 §1"""
    opened: Mapping[str, int]
    """How many values of each class were opened. Ch.8 §1"""
    told: Mapping[tuple[Id, str], int]
    """How many values of each class were to be opened under each entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[tuple[Id, ...]]:
        """An entry accounts for the values of a class when it is in the log and names a field of that class.

        Chapter: 4.4, 8.1.
        Shape:   total; the alarms are those classes of which more was opened than entries account for.
        """
        del actor
        recorded = self._recorded(unit)
        counts = [
            OpenedCount(
                stamp=unit.stamp(OpenedCount),
                process=self.process,
                since=self.since,
                until=unit.now,
                data_class=name,
                opened=self.opened.get(name, 0),
                recorded=recorded[name],
            )
            for name in sorted({*self.opened, *recorded})
        ]
        alarms = [_alarm(unit, one) for one in counts if one.opened > one.recorded]
        unit.add([*counts, *alarms])
        return Decided(value=tuple(one.id for one in alarms), resources=tuple(one.id for one in (*alarms, *counts)))

    def _recorded(self, unit: Unit) -> Counter[str]:
        entries = sorted({entry for entry, _ in self.told})
        classes: dict[Id, set[str]] = {}
        for start in range(0, len(entries), AT_ONCE):
            part = tuple(entries[start : start + AT_ONCE])
            for own, fields in unit.select(AuditEntry, ("id", "fields"), id=part):
                classes[own] = {TAGS[tag].data_class.value for tag in fields if tag in TAGS}
        found: Counter[str] = Counter(dict.fromkeys((name for _, name in self.told), 0))
        for (entry, name), many in self.told.items():
            if name in classes.get(entry, ()):
                found[name] += many
        return found


def _alarm(unit: Unit, counted: OpenedCount) -> AuditFinding:
    kind = FindingKind.OPENED_WITHOUT_ENTRY
    return AuditFinding(
        stamp=unit.stamp(AuditFinding),
        kind=kind,
        clause=CLAUSES[kind],
        alarm=True,
        told_once=f"{kind.value}/{counted.id}",
        at=unit.now,
        actor=counted.process,
        count=counted.opened - counted.recorded,
        entries=(),
        resources=(counted.id,),
        says=f"{counted.opened} values of class {counted.data_class} were opened; entries account for "
        f"{counted.recorded}.",
    )


@operation("audit:alarm", chapter="8.1")
class AnnounceAlarm(Operation[Id]):
    """Puts an alarm into the log under an action of its own: whoever watches the log sees it at once (Ch.8 §1)."""

    finding: Id
    """The alarm. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Id]:
        """Only what is kept as an alarm is announced.

        Chapter: 8.1.
        Raises:  NotFound.
        """
        del actor
        found = unit.get(AuditFinding, self.finding)
        return Decided(value=found.id, resources=(found.id, *(Id(one) for one in found.entries)))
