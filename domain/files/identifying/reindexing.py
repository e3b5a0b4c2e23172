"""A blind index gets its next version while people search: it is built beside the old one, and then takes its place.

    begin    the next version stands beside the one that is asked; whatever is written from now on is of the next one
    build    what was written before gets its tokens, so many at a time; both versions are asked meanwhile
    take     once nothing is missing the next version alone is asked
    drop     the tokens of the old one go, so many at a time

Every step is one operation with its entry. Broken off anywhere, it goes on when it is begun again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from domain.actors import Actor
from domain.errors import Malformed
from domain.operations import Decided, Operation, operation
from domain.ports import Unit

AT_ONCE: Final = 2_000
"""How many tokens one transaction makes or deletes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStanding:
    """Where the index of one field stands."""

    field: str
    """The field's tag."""
    version: int
    """The version that is asked; while another is built, beside that."""
    normaliser: str
    """How its values are written before tokens are made of them."""
    building: int | None
    """The version that is built, where one is."""
    leftover: bool
    """Whether tokens of an older version are still there."""


class Indexing(Protocol):
    """The blind indexes of one tenant."""

    def fields(self) -> Sequence[str]:
        """The tags of every indexed field."""
        ...

    def standing(self, field: str) -> IndexStanding:
        """Where the index of a field stands."""
        ...

    def begin(self, field: str) -> int:
        """Makes a next version stand beside the one that is asked, unless one does; its number."""
        ...

    def build(self, field: str, limit: int) -> int:
        """Makes the tokens of at most so many values that have none of the next version yet; how many it looked at.

        Raises: Conflict for a value that its normaliser does not take; Tampered; KeyUnavailable.
        """
        ...

    def take(self, field: str) -> int:
        """Makes the next version the one that is asked; its number. Raises Conflict while a token is missing."""
        ...

    def drop(self, field: str, limit: int) -> int:
        """Deletes at most so many tokens of versions that nobody asks; how many."""
        ...


class _Step:
    """What every step names."""

    __slots__ = ()
    field: str

    def indexing(self, unit: Unit) -> Indexing:
        """The indexes, once the field is known to have one."""
        indexing = unit.indexing
        if self.field not in indexing.fields():
            raise Malformed(
                "The field has no blind index.",
                advice=f"Name one of {', '.join(indexing.fields())}.",
                path=("field",),
            )
        return indexing


@operation("index:rebuild", chapter="4.4")
class BeginIndex(_Step, Operation[IndexStanding]):
    """Begins the next version of the blind index of a field, or goes on with what was broken off (Ch.4 §4)."""

    field: str
    """The field's tag, such as contact.phone. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[IndexStanding]:
        """One that was taken and left tokens behind is ended first: nothing new begins.

        Chapter: 4.4.
        """
        indexing = self.indexing(unit)
        if not indexing.standing(self.field).leftover:
            indexing.begin(self.field)
        return Decided(value=indexing.standing(self.field), resources=(actor.tenant,))


@operation("index:rebuild", chapter="4.4")
class BuildIndex(_Step, Operation[int]):
    """Makes the next tokens of the version that is built; values are opened for that and dropped at once (Ch.4 §4)."""

    field: str
    """The field's tag. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[int]:
        """So many at a time that nobody waits for long; 0 when every value was looked at.

        Chapter: 4.4.
        """
        return Decided(value=self.indexing(unit).build(self.field, AT_ONCE), resources=(actor.tenant,))


@operation("index:rebuild", chapter="4.4")
class TakeIndex(_Step, Operation[int]):
    """Makes the version that was built the one that is asked (Ch.4 §4)."""

    field: str
    """The field's tag. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[int]:
        """Nothing that is on file is without its token, or the old version stays.

        Chapter: 4.4.
        Raises:  Conflict.
        """
        return Decided(value=self.indexing(unit).take(self.field), resources=(actor.tenant,))


@operation("index:rebuild", chapter="4.4")
class DropIndex(_Step, Operation[int]):
    """Deletes the next tokens of versions that nobody asks any more (Ch.4 §4)."""

    field: str
    """The field's tag. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[int]:
        """So many at a time; 0 when none is left.

        Chapter: 4.4.
        """
        return Decided(value=self.indexing(unit).drop(self.field, AT_ONCE), resources=(actor.tenant,))
