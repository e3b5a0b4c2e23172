"""Data keys get their next version, and what the older ones sealed is sealed anew, a bounded step at a time (Ch.4 §4).

A data key is renewed for its age, for the number of values it sealed, or because somebody may have had it. Nothing is
kept of how far that came: what is left is what is not sealed under the newest version yet.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain.actors import Actor
from domain.custody.keeping import Choice, Renewed
from domain.errors import Malformed
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import AUDIT_CLASS, DataClass

AT_ONCE: Final = 500
"""How many values one transaction seals anew."""
MOST_SEALS: Final = 2**28
"""How many values a data key seals at most. Nonces are random: 2^32 is where a key has to end."""
CLASSES: Final = (*(data.value for data in DataClass), AUDIT_CLASS)
"""What data keys are for."""


@operation("key:rotate", chapter="4.4")
class FindWornKeys(Operation[tuple[str, ...]]):
    """Counts the values that each data key sealed, and names the data keys that sealed too many (Ch.4 §4)."""

    seals: int = MOST_SEALS
    """How many are too many. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[tuple[str, ...]]:
        """Every version of a value counts, also of those that are gone: too many is never counted as few.

        Chapter: 4.4.
        """
        if self.seals < 1:
            raise Malformed("At least one value is too many.", path=("seals",))
        return Decided(value=unit.renewal.worn(self.seals), resources=(actor.tenant,))


@operation("key:rotate", chapter="4.4")
class RenewDataKeys(Operation[Renewed]):
    """Gives the next data keys that are due their next version, or goes on with those that have one (Ch.4 §4)."""

    before: datetime
    """Those made before this instant are due. Ch.4 §4"""
    worn: tuple[str, ...] = ()
    """Besides, these: their ids in hexadecimal digits. Ch.4 §4"""
    subject: Id | None = None
    """Only those of a customer, or of a person. Ch.4 §4"""
    data_class: str | None = None
    """Only those of a class of data. Ch.4 §4"""
    after: str = ""
    """The data key that the step before came to; none for the first. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Renewed]:
        """So much at a time that nobody waits for long. Run again, it does what is left.

        Chapter: 4.4.
        Raises:  Tampered for a value that does not open.
        """
        if self.data_class is not None and self.data_class not in CLASSES:
            raise Malformed("There is no such class.", advice=f"Name one of {', '.join(CLASSES)}.", path=("class",))
        choice = Choice(before=self.before, worn=self.worn, subject=self.subject, data_class=self.data_class)
        try:
            done = unit.renewal.step(choice, self.after, AT_ONCE)
        except ValueError:
            raise Malformed("A data key is named by hexadecimal digits.", path=("after",)) from None
        return Decided(value=done, resources=(actor.tenant,))
