"""Breaking the glass: in an emergency a person gives itself what a rule allows, for one customer and a short time.

It is told to whoever watches the log, every entry made under it names it, and another person reviews it afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from typing import ClassVar, Final

from domain.actors import Actor
from domain.errors import Code, Conflict, Malformed, NotPermitted
from domain.files.codes import required_text, short_text
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.persons.duties import Apart, Duty, refusal
from domain.persons.rules import GlassRule, RuleState
from domain.ports import Unit
from domain.records import Record, fact, link, record

REVIEW_WITHIN: Final = timedelta(days=3)
"""How long after it ends another person has to review it."""


class GlassState(Enum):
    """BROKEN → REVIEWED; it gives nothing after `endsAt`, reviewed or not."""

    BROKEN = "BROKEN"
    """It waits for its review."""
    REVIEWED = "REVIEWED"
    """Another person has said what it was worth."""


class Verdict(Enum):
    """What a review found."""

    JUSTIFIED = "JUSTIFIED"
    """The emergency was one, and what was done under it was needed."""
    UNJUSTIFIED = "UNJUSTIFIED"
    """It was not; what follows is decided elsewhere."""


@record("bg", table="broken_glass", read="break_glass:read", subject_reach=False)
class BrokenGlass(Record):
    """Actions that a person gave itself in an emergency, about one customer, for a short time (Ch.8 §1)."""

    person: str = fact("Who broke it. Ch.8 §1", filter=True)
    credit_file: Id = link("CreditFile", "The file of the one customer it is about. Ch.8 §1")
    actions: tuple[str, ...] = fact("What it gives. Ch.8 §1")
    reason: str = fact("The emergency, as that person put it. Ch.8 §1")
    ends_at: datetime = fact("From when on it gives nothing. Ch.8 §1", filter=True, order=True)
    review_due_at: datetime = fact("By when another person has to review it. Ch.8 §1", filter=True, order=True)
    state: GlassState = fact("Whether it was reviewed. Ch.8 §1", default=GlassState.BROKEN, filter=True)
    verdict: Verdict | None = fact("What the review found. Ch.8 §1", default=None, filter=True)
    remarks: str | None = fact("What the reviewer has to say. Ch.8 §1", default=None)
    reviewed_by: str | None = fact("Who reviewed it: another person. Ch.8 §1", default=None)


@operation("break_glass:open", chapter="4.4, 8.1")
class BreakGlass(Operation[BrokenGlass]):
    """Gives the caller what a rule in force lets its role take in an emergency, for one customer (Ch.8 §1).

    It acts under it by naming it in the header `Credence-Break-Glass` of its requests.
    """

    beyond_reach: ClassVar[bool] = True
    credit_file: Id
    """The customer's file. Ch.8 §1"""
    needed: tuple[str, ...]
    """The actions that are needed, such as `reveal:contact`. Ch.8 §1"""
    reason: str
    """The emergency. Whoever reviews it reads this. Ch.8 §1"""
    minutes: int
    """For how long, at most as long as the rules allow. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[BrokenGlass]:
        """Each action rests on a rule for one of the caller's roles; a program breaks no glass.

        Chapter: 4.4, 8.1.
        """
        if actor.service:
            raise refusal(Duty.SERVICE_NOT_APPROVER)
        if actor.glass:
            raise Conflict("Under a broken glass no other is broken.", advice="Leave the header out.")
        file = unit.get(CreditFile, self.credit_file)
        actions = tuple(dict.fromkeys(self.needed))
        longest = min((_longest(unit, actor, action) for action in actions), default=0)
        if not 1 <= self.minutes <= longest:
            raise Malformed(f"For this a glass is broken for 1 to {longest} minutes.", path=("minutes",))
        ends = unit.now + timedelta(minutes=self.minutes)
        broken = BrokenGlass(
            stamp=unit.stamp(BrokenGlass, subject=file.subject_id),
            person=actor.person,
            credit_file=file.id,
            actions=actions,
            reason=required_text(self.reason, "reason"),
            ends_at=ends,
            review_due_at=ends + REVIEW_WITHIN,
        )
        unit.add([broken])
        return Decided(value=broken, resources=(broken.id, file.id))


@operation("break_glass:open", chapter="8.1")
class EndBreakGlass(Operation[BrokenGlass]):
    """Ends a broken glass before its time: it gives nothing from now on (Ch.8 §1)."""

    beyond_reach: ClassVar[bool] = True
    broken_glass: Id
    """The broken glass, which is the caller's own. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[BrokenGlass]:
        """Whoever broke it ends it; its review stays due.

        Chapter: 8.1.
        """
        found = unit.get(BrokenGlass, self.broken_glass, lock=True)
        if found.person != actor.person:
            raise NotPermitted("Another person broke it.", advice="Ask that person to end it, or review it.")
        if found.ends_at <= unit.now:
            raise Conflict("It is over already.", advice="Nothing is left to do.", path=("brokenGlass",))
        return _told(unit.replace(replace(found, ends_at=unit.now)))


@operation(
    "break_glass:review",
    chapter="8.1",
    apart=Apart(record="BrokenGlass", by="broken_glass", authors=("person",)),
)
class ReviewBreakGlass(Operation[BrokenGlass]):
    """Says of a broken glass whether the emergency was one; another person than who broke it does (Ch.8 §1)."""

    broken_glass: Id
    """The broken glass. Ch.8 §1"""
    verdict: Verdict
    """What is found. Ch.8 §1"""
    remarks: str | None = None
    """What there is to say about it; needed where it was not justified. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[BrokenGlass]:
        """One that still gives something is ended by its review.

        Chapter: 8.1.
        """
        found = unit.get(BrokenGlass, self.broken_glass, lock=True)
        if found.state is not GlassState.BROKEN:
            raise Conflict("It was reviewed already.", path=("brokenGlass",))
        remarks = short_text(self.remarks, "remarks")
        if self.verdict is Verdict.UNJUSTIFIED and remarks is None:
            raise Malformed("Say what was wrong.", code=Code.MISSING_VALUE, path=("remarks",))
        reviewed = replace(
            found,
            state=GlassState.REVIEWED,
            verdict=self.verdict,
            remarks=remarks,
            reviewed_by=actor.person,
            ends_at=min(found.ends_at, unit.now),
        )
        return _told(unit.replace(reviewed))


def _longest(unit: Unit, actor: Actor, action: str) -> int:
    """For how many minutes one of the caller's roles may take an action.

    Raises: NotPermitted.
    """
    rules = unit.find(GlassRule, action=action, state=RuleState.IN_FORCE, role=tuple(sorted(actor.roles)))
    if not rules:
        raise NotPermitted(
            f"No rule lets your roles take {action} in an emergency.",
            advice="Ask a person whose role allows it, or have a rule proposed and approved before the next emergency.",
            path=("needed",),
        )
    return max(rule.most_minutes for rule in rules)


def _told(broken: BrokenGlass) -> Decided[BrokenGlass]:
    return Decided(value=broken, resources=(broken.id, broken.credit_file))
