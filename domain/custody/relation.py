"""The end of a customer relation: the day from which the time of its file is counted (Ch.4 §4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from domain.actors import Actor
from domain.errors import Code, Conflict, Malformed
from domain.files.codes import required_text
from domain.files.days import days
from domain.files.parties import CreditFile, FileState
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit


@operation("relation:end", chapter="4.4")
class EndRelation(Operation[CreditFile]):
    """Says that the relation to a customer ended: the time its file is kept counts from that day (Ch.4 §4)."""

    credit_file: Id
    """The customer's file. Ch.4 §4"""
    ended_on: date | None = None
    """The last day of the relation; today where nothing is said. Ch.4 §4"""
    reason: str
    """Why it ended; it is kept sealed beside the audit entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditFile]:
        """It ended by today; said twice, the later word counts.

        Chapter: 4.4.
        """
        del actor
        reason = required_text(self.reason, "reason")
        file = _living(unit, self.credit_file)
        today = days(unit).today
        ended_on = self.ended_on or today
        if ended_on > today:
            raise Malformed(
                "The last day of the relation lies in the future.",
                code=Code.MALFORMED_DATE,
                advice="Say so when it has ended.",
                path=("endedOn",),
            )
        ended = unit.replace(replace(file, relation_ended_on=ended_on))
        return Decided(value=ended, note=reason, resources=(file.id,))


@operation("relation:resume", chapter="4.4")
class ResumeRelation(Operation[CreditFile]):
    """Says that the relation to a customer goes on: no time counts, and a restricted file is open again (Ch.4 §4)."""

    credit_file: Id
    """The customer's file. Ch.4 §4"""
    reason: str
    """Why it goes on; it is kept sealed beside the audit entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditFile]:
        """What was erased does not come back.

        Chapter: 4.4.
        """
        del actor
        reason = required_text(self.reason, "reason")
        file = _living(unit, self.credit_file)
        if file.relation_ended_on is None:
            raise Conflict("The relation did not end.", advice="Nothing is left to do.", path=("creditFile",))
        resumed = unit.replace(replace(file, relation_ended_on=None, state=FileState.OPEN))
        return Decided(value=resumed, note=reason, resources=(file.id,))


def _living(unit: Unit, file: Id) -> CreditFile:
    found = unit.get(CreditFile, file, lock=True)
    if found.state in {FileState.DESTROYING, FileState.ERASED}:
        raise Conflict("The credit file is erased.", advice="Open a new file.", path=("creditFile",))
    return found
