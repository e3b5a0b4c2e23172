"""The audit log is examined entry by entry, each once, and what is found is kept with the entries that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from domain.actors import Actor
from domain.consent.consents import Consent
from domain.errors import Malformed
from domain.files.days import Days, days
from domain.files.parties import CreditFile
from domain.files.trail import AuditEntry
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.persons.glass import BrokenGlass, GlassState
from domain.ports import Unit
from domain.supervision.findings import CLAUSES, MOST_EVIDENCE, AuditFinding, Examination, FindingKind
from domain.supervision.honey import alarms, planted
from domain.supervision.judging import RULES, Found, Step
from domain.supervision.looking import Trail
from domain.supervision.volumes import HISTORY_DAYS, unusual

AT_ONCE: Final = 2_000
"""How many entries one transaction examines."""
BEFORE: Final = 200
"""How many examined entries are looked at again, for what leads up to a new one."""
MOST_DAYS: Final = 3
"""How many days that are over one transaction examines as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What one step of examining the log came to (Ch.8 §1)."""

    id: Id
    """How far the log is examined now. Ch.8 §1"""
    entries: int
    """How many entries were examined. Ch.8 §1"""
    findings: int
    """How many findings are new. Ch.8 §1"""
    more: bool
    """Whether there may be more: then it is run again. Ch.8 §1"""


@operation("audit:examine", chapter="8.1")
class ExamineAuditLog(Operation[Examined]):
    """Examines the next entries of the audit log and keeps what it finds, each thing once (Ch.8 §1)."""

    most: int = AT_ONCE
    """How many entries at most, 1 to 2000. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Examined]:
        """Goes on where the last examination ended.

        Chapter: 8.1.
        Shape:   running it again over entries that were examined finds nothing new.
        Raises:  Malformed.
        """
        del actor
        if not 1 <= self.most <= AT_ONCE:
            raise Malformed("That many entries are not examined at once.", advice=f"Ask for 1 to {AT_ONCE}.")
        known, calendar, trail = _known(unit), days(unit), unit.trail
        first = known.reached if known else 0
        seen = trail.entries(max(0, first - BEFORE), self.most + min(first, BEFORE))
        step = Step(entries=seen, first=first, zone=calendar.zone, consent_ends=_ends(unit, seen))
        findings = [_kept(unit, rule.kind, found) for rule in RULES for found in rule.find(step)]
        begun, until = _whole_days(known, seen, calendar)
        findings += [_kept(unit, kind, found) for kind, found in _of_days(trail, calendar, begun, until)]
        findings += [_kept(unit, FindingKind.OVERDUE_REVIEW, found) for found in _overdue(unit, calendar)]
        findings += [_kept(unit, FindingKind.OVERRIDE_WITHOUT_PROOF, found) for found in _unreviewed(unit)]
        findings += alarms(unit, list(step.new()))
        added = unit.add(_once(findings), skip_known=True)
        reached = max((entry.log_index + 1 for entry in seen), default=first)
        now = _reached(unit, known, reached, until, added)
        more = reached < trail.size() or until < calendar.begin(calendar.today)
        return Decided(
            value=Examined(id=now.id, entries=reached - first, findings=added, more=more), resources=(now.id,)
        )


def _known(unit: Unit) -> Examination | None:
    found = unit.find(Examination, lock=True)
    return found[0] if found else None


def _reached(unit: Unit, known: Examination | None, reached: int, until: datetime, found: int) -> Examination:
    if known is not None:
        return unit.replace(replace(known, reached=reached, days_until=until, found=found))
    made = Examination(stamp=unit.stamp(Examination), reached=reached, days_until=until, found=found)
    unit.add([made])
    return made


def _once(findings: Sequence[AuditFinding]) -> list[AuditFinding]:
    return list({finding.told_once: finding for finding in reversed(findings)}.values())[::-1]


def _kept(unit: Unit, kind: FindingKind, found: Found) -> AuditFinding:
    return AuditFinding(
        stamp=unit.stamp(AuditFinding),
        kind=kind,
        clause=CLAUSES[kind],
        alarm=False,
        told_once=f"{kind.value}/{found.key}",
        at=found.at,
        actor=found.actor,
        count=len(found.entries) if found.count is None else found.count,
        entries=tuple(found.entries[:MOST_EVIDENCE]),
        resources=tuple(found.resources[:MOST_EVIDENCE]),
        says=found.says,
    )


def _ends(unit: Unit, entries: Sequence[AuditEntry]) -> dict[Id, datetime]:
    """Until when the consents hold that these entries name."""
    named = tuple({Id(entry.consent.partition("/")[0]) for entry in entries if entry.consent})
    if not named:
        return {}
    return dict(unit.select(Consent, ("id", "not_after"), id=named))


def _whole_days(known: Examination | None, seen: Sequence[AuditEntry], calendar: Days) -> tuple[datetime, datetime]:
    """The days that are examined as a whole now: those that are over, a few at a time."""
    if known is not None:
        begun = known.days_until
    else:
        begun = calendar.begin(calendar.of(seen[0].at)) if seen else calendar.begin(calendar.today)
    day = min(calendar.of(begun) + timedelta(days=MOST_DAYS), calendar.today)
    return begun, max(begun, calendar.begin(day))


def _of_days(trail: Trail, calendar: Days, begun: datetime, until: datetime) -> Iterator[tuple[FindingKind, Found]]:
    """Who did far more on a day than he and his role do."""
    day = calendar.of(begun)
    while calendar.begin(day) < until:
        counts = _counts(trail, calendar, day)
        if any(count for count in counts[0].values()):
            for actor in counts[0]:
                found = _volume(trail, calendar, day, actor, counts)
                if found is not None:
                    yield FindingKind.UNUSUAL_VOLUME, found
        day += timedelta(days=1)


def _counts(trail: Trail, calendar: Days, day: date) -> list[dict[str, int]]:
    """How many entries everybody has on a day and on each of the days before it; jobs do not count."""
    found: list[dict[str, int]] = []
    for back in range(HISTORY_DAYS + 1):
        then = day - timedelta(days=back)
        tally = trail.tally("actor", calendar.begin(then), calendar.begin(then + timedelta(days=1)))
        found.append({actor: one.count for actor, one in tally.items() if not actor.startswith("system:")})
    return found


def _volume(trail: Trail, calendar: Days, day: date, actor: str, counts: Sequence[dict[str, int]]) -> Found | None:
    own = [one[actor] for one in counts[1:] if actor in one]
    if not unusual(counts[0][actor], own, []) and len(own) >= HISTORY_DAYS // 4:
        return None  # his own days settle it: whose role he has is not looked up
    role = _role(trail, actor)
    peers = {other for one in counts for other in one if other != actor and _role(trail, other) == role}
    theirs = [count for one in counts[1:] for other, count in one.items() if other in peers]
    if not unusual(counts[0][actor], own, theirs):
        return None
    latest = trail.latest("actor", actor)
    return Found(
        key=f"{actor}/{day}",
        at=calendar.begin(day),
        actor=actor,
        entries=(latest.id,) if latest else (),
        count=counts[0][actor],
        says=f"{counts[0][actor]} entries on {day}; on {len(own)} days before it {sum(own)} together.",
    )


def _role(trail: Trail, actor: str) -> str:
    """The role somebody acts in: what the ids of the rules begin with that allowed the newest thing he did."""
    latest = trail.latest("actor", actor)
    return latest.rule.partition("-")[0] if latest else ""


def _unreviewed(unit: Unit) -> Iterator[Found]:
    """Broken glass that nobody reviewed in time; told once."""
    facts = ("id", "person", "review_due_at")
    for own, person, due in unit.select(BrokenGlass, facts, state=GlassState.BROKEN):
        if due < unit.now:
            yield Found(
                key=own,
                at=due,
                actor=person,
                entries=(),
                resources=(own,),
                count=1,
                says="A glass was broken, and its review was not made in time.",
            )


def _overdue(unit: Unit, calendar: Days) -> Iterator[Found]:
    """Files whose review was due before today; told once for each day it was due on."""
    honey = planted(unit)
    for own, due in unit.select(CreditFile, ("id", "review_due_on")):
        if due is not None and due < calendar.today and own not in honey:
            yield Found(
                key=f"{own}/{due}",
                at=calendar.begin(due + timedelta(days=1)),
                actor="",
                entries=(),
                resources=(own,),
                count=1,
                says=f"The review was due on {due}.",
            )
