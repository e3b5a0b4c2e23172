"""Entries of the audit log past their time go, from the oldest on; the tree over them stays, and all proofs (Ch.8 §1).

The log keeps a minimum index (C2SP tlog-tiles): entries below it may be absent. Only the rule for audit entries moves
it, never past an entry about a customer on whose file a legal hold stands, and the entry of moving it says how far.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from domain.actors import Actor
from domain.audit import MINIMUM, PRUNING
from domain.custody.holds import HoldState, LegalHold
from domain.custody.retention import later
from domain.custody.rules import Rule, rules_of
from domain.files.days import days
from domain.files.parties import CreditFile
from domain.files.trail import AuditEntry
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, record

_MOST_YEARS: Final = 100


@record("lp", table="log_pruning", read="retention:read")
class LogPruning(Record):
    """That entries of the audit log went by a rule of retention; their hashes stay, and every proof (Ch.8 §1)."""

    minimum: int = fact("The minimum index from then on: entries below it may be absent. Ch.8 §1")
    rule: str = fact("The rule they went by. Ch.4 §4", filter=True)
    before: datetime = fact("They were all made before this instant. Ch.8 §1")
    entries: int = fact("How many went. Ch.8 §1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prunable:
    """Up to where the log can be pruned, and what keeps it from going further."""

    rule: str
    before: datetime
    minimum: int
    """The minimum index, as it is or is to be."""
    entries: int
    """How many entries go, or went."""
    held: bool
    """Whether a legal hold keeps entries that are past their time."""


@operation(PRUNING, chapter="8.1")
class PruneAuditLog(Operation[Prunable]):
    """Removes the entries of the audit log that are past their time; a dry run only tells how many (Ch.8 §1)."""

    dry: bool = False
    """Whether nothing is removed. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Prunable]:
        """The rule says which, holds say which not; nothing else does.

        Chapter: 8.1, 4.4.
        """
        (rule,) = rules_of(AuditEntry)
        before = _before(unit, rule)
        free = unit.destruction.prunable(before, ())
        reached = max((one.minimum for one in unit.find(LogPruning)), default=0)
        minimum = max(unit.destruction.prunable(before, _held(unit)), reached)
        told = Prunable(
            rule=rule.id, before=before, minimum=minimum, entries=minimum - reached, held=minimum < max(free, reached)
        )
        if self.dry:
            return Decided(value=told, resources=(actor.tenant,))
        if told.entries:
            stamp = unit.stamp(LogPruning)
            made = LogPruning(stamp=stamp, minimum=minimum, rule=rule.id, before=before, entries=told.entries)
            unit.add([made])
            unit.destruction.prune(minimum)
        return Decided(value=told, resources=(actor.tenant, Id(f"{MINIMUM}{minimum}")))


def _before(unit: Unit, rule: Rule) -> datetime:
    """The instant before which entries are past their time: the beginning of the first day that is not over."""
    calendar = days(unit)
    first, last = date(calendar.today.year - min(rule.years + 1, _MOST_YEARS), 1, 1), calendar.today
    # The last day on which a record is kept never falls as its own day rises: halving finds the first kept day.
    while first < last:
        middle = first + (last - first) // 2
        first, last = (first, middle) if later(middle, rule) >= calendar.today else (middle + timedelta(days=1), last)
    return calendar.begin(first)


def _held(unit: Unit) -> tuple[Id, ...]:
    """The customers whose files a legal hold stands on today."""
    today = days(unit).today
    holds = unit.find(LegalHold, state=HoldState.HELD)
    files = {hold.credit_file for hold in holds if hold.until is None or today <= hold.until}
    return tuple(sorted({unit.get(CreditFile, file).stamp.subject_id for file in files}))
