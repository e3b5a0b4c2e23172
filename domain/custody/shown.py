"""The rules of retention as records: what readers are shown, with every version there was (Ch.4 §4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.actors import Actor
from domain.custody.rules import PACK, RULES, Ending, Mark, Parties, Rule
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, record

_HELD = {
    Ending.PRUNE: "While one stands on a file, entries about it are not pruned.",
    Ending.ELSEWHERE: "Whoever keeps it applies the hold.",
    Ending.SHRED: "While one stands on the file, it is restricted and nothing of it ends.",
}
_STAYS = "While one stands on the file, the record stays, and the sweep says so."


@record("rr", table="retention_rule", read="retention:read", unique=(("name",),), subject_reach=False)
class RetentionRule(Record):
    """How long a kind of record is kept, from when, on which ground, and what becomes of it then (Ch.4 §4)."""

    name: str = fact("The rule, such as CN-C5. Ch.4 §4", order=True, filter=True)
    pack: str = fact("The jurisdiction and version of the rules it is of. Ch.4 §4", filter=True)
    reference: str = fact("The law behind it. Ch.4 §4")
    mark: Mark = fact("How sure it is what the reference says. Ch.4 §4", filter=True)
    kind: str = fact("The kind of record it is about. Ch.4 §4", filter=True)
    parties: Parties = fact("Whose records it is about. Ch.4 §4")
    since: str = fact("What its time is counted from. Ch.4 §4")
    years: int = fact("How many years it is kept. Ch.4 §4")
    months: int = fact("How many months besides. Ch.4 §4")
    at_least: bool = fact("Whether the law says at least; otherwise at most. Ch.4 §4")
    ending: Ending = fact("What becomes of it then. Ch.4 §4", filter=True)
    legal_hold: str = fact("What a legal hold does to it. Ch.4 §4")


@operation("retention:adopt", chapter="4.4")
class AdoptRetentionRules(Operation[int]):
    """Brings the rules that readers are shown to those that are applied; how many changed (Ch.4 §4)."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[int]:
        """Done twice it changes nothing; what a rule said before stays readable at its time.

        Chapter: 4.4.
        """
        known = {rule.name: rule for rule in unit.find(RetentionRule)}
        changed = 0
        for rule in RULES:
            told, old = _told(rule), known.get(rule.id)
            if old is None:
                unit.add([shown(unit, rule, actor.tenant)])
            elif replace(old, **told) != old:
                unit.replace(replace(old, **told))
            else:
                continue
            changed += 1
        return Decided(value=changed, policy=PACK, resources=(actor.tenant,))


def shown(unit: Unit, rule: Rule, tenant: Id) -> RetentionRule:
    """A rule as a record.

    Chapter: 4.4.
    """
    return RetentionRule(stamp=unit.stamp(RetentionRule, subject=tenant), **_told(rule))


def _told(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.id,
        "pack": PACK,
        "reference": rule.reference,
        "mark": rule.mark,
        "kind": rule.name,
        "parties": rule.parties,
        "since": rule.since.says,
        "years": rule.years,
        "months": rule.months,
        "at_least": rule.floor,
        "ending": rule.ending,
        "legal_hold": _HELD.get(rule.ending, _STAYS),
    }
