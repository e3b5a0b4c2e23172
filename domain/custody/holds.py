"""Legal holds: while one stands on a credit file, nothing of it is erased, whoever asks (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from enum import Enum

from domain.actors import Actor
from domain.errors import Code, Conflict, Malformed
from domain.files.codes import required_text
from domain.files.days import days
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, link, record


class HoldState(Enum):
    """HELD → LIFTED; one whose last day has passed holds nothing, and is lifted by nobody."""

    HELD = "HELD"
    LIFTED = "LIFTED"


@record("lh", table="legal_hold", read="hold:read")
class LegalHold(Record):
    """A legal hold on a credit file: it stops every erasure of it, and says why, for whom and until when (Ch.4 §4)."""

    credit_file: Id = link("CreditFile", "The file that is held, with everything in it. Ch.4 §4")
    reason: str = fact("Why it is held. Ch.4 §4")
    owner: str = fact("Who answers for the hold. Ch.4 §4", filter=True)
    until: date | None = fact("The last day it holds; without one it holds until it is lifted. Ch.4 §4", default=None)
    state: HoldState = fact("Whether it was lifted. Ch.4 §4", default=HoldState.HELD, filter=True)
    placed_by: str = fact("Who placed it. Ch.8 §1")
    lifted_by: str | None = fact("Who lifted it. Ch.8 §1", default=None)
    lifted_because: str | None = fact("Why it was lifted. Ch.4 §4", default=None)
    bars_disclosure: bool = fact(
        "Whether nothing of the file is disclosed to partners meanwhile. Ch.4 §4", default=False
    )


@operation("hold:place", chapter="4.4")
class PlaceLegalHold(Operation[LegalHold]):
    """Places a legal hold on a credit file: from now on nothing of it is erased (Ch.4 §4)."""

    credit_file: Id
    """The file. Ch.4 §4"""
    reason: str
    """Why it is held. Ch.4 §4"""
    owner: str
    """Who answers for the hold. Ch.4 §4"""
    until: date | None = None
    """The last day it holds; without one it holds until it is lifted. Ch.4 §4"""
    bars_disclosure: bool = False
    """Whether nothing of the file is disclosed to partners meanwhile, as where a court sealed it. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[LegalHold]:
        """The file's row is locked: an erasure comes before the hold or is stopped by it, never between.

        Chapter: 4.4.
        """
        file = unit.get(CreditFile, self.credit_file, lock=True)
        if self.until is not None and self.until < days(unit).today:
            raise Malformed(
                "The last day of a hold lies in the past.",
                code=Code.MALFORMED_DATE,
                advice="Send today, a later day, or none.",
                path=("until",),
            )
        hold = LegalHold(
            stamp=unit.stamp(LegalHold, subject=file.subject_id),
            credit_file=file.id,
            reason=required_text(self.reason, "reason"),
            owner=required_text(self.owner, "owner"),
            until=self.until,
            placed_by=actor.person,
            bars_disclosure=self.bars_disclosure,
        )
        unit.add([hold])
        return Decided(value=hold, resources=(hold.id, file.id))


@operation("hold:lift", chapter="4.4")
class LiftLegalHold(Operation[LegalHold]):
    """Lifts a legal hold, with the reason; other holds on the same file stand (Ch.4 §4)."""

    hold: Id
    """The hold. Ch.4 §4"""
    reason: str
    """Why it is lifted. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[LegalHold]:
        """A hold is lifted once.

        Chapter: 4.4.
        """
        hold = unit.get(LegalHold, self.hold, lock=True)
        if hold.state is not HoldState.HELD:
            raise Conflict("The hold was lifted already.", advice="Nothing is left to do.", path=("hold",))
        because = required_text(self.reason, "reason")
        lifted = unit.replace(replace(hold, state=HoldState.LIFTED, lifted_by=actor.person, lifted_because=because))
        return Decided(value=lifted, resources=(lifted.id, lifted.credit_file))


def holding(unit: Unit, credit_file: Id) -> Sequence[LegalHold]:
    """The holds that stand on a file today.

    Chapter: 4.4.
    """
    held = unit.find(LegalHold, credit_file=credit_file, state=HoldState.HELD)
    today = days(unit).today if held else date.min
    return [hold for hold in held if hold.until is None or today <= hold.until]


def bars_disclosure(unit: Unit, credit_file: Id) -> bool:
    """Whether a hold that stands on a file today lets nothing of it go to partners.

    Chapter: 4.4.
    """
    return any(hold.bars_disclosure for hold in holding(unit, credit_file))


def refuse_held(unit: Unit, credit_file: Id) -> None:
    """Refuses to erase what a legal hold stands on.

    Chapter: 4.4.
    Raises:  Conflict, naming who answers for the hold.
    """
    holds = holding(unit, credit_file)
    if holds:
        until = "" if holds[0].until is None else f" until {holds[0].until:%Y-%m-%d}"
        raise Conflict(
            f"A legal hold of {holds[0].owner} stands on the file{until}.",
            advice="Ask whoever answers for it to have it lifted.",
            path=("creditFile",),
        )
