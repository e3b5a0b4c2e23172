"""Epochs of keys: one begins, data keys follow, the one before is left, at last its root is destroyed (Ch.4 §4).

TURNING → STANDING → RETIRED → DESTROYING → DESTROYED, forward only. Every company keeps its own record of each epoch;
the installation's own log leads, since roots belong to all companies together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from domain.actors import Actor
from domain.custody.keeping import Left, Standing, Verified
from domain.errors import Conflict, Malformed, NotFound, Tampered
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, record

AT_ONCE: Final = 500
"""How many data keys one transaction turns, verifies or frees of older wraps."""
ROTATION_DAYS: Final = 31
"""How long an epoch stands at most, where keys turn every month as they should."""


class EpochState(Enum):
    """Where an epoch of keys stands; it only moves forward."""

    TURNING = "TURNING"
    """New keys are wrapped under it; those of older epochs follow."""
    STANDING = "STANDING"
    """Every key of the company lies under it."""
    RETIRED = "RETIRED"
    """No key lies under it any more; backups still do."""
    DESTROYING = "DESTROYING"
    """Its root is about to be destroyed: from here there is no way back."""
    DESTROYED = "DESTROYED"
    """Its root is gone; no backup of its time can be read by anybody."""


@record("ke", table="key_epoch", read="key:read", unique=(("number",),), subject_reach=False)
class KeyEpoch(Record):
    """An epoch of the company's keys, from its beginning to the destruction of its root (Ch.4 §4)."""

    number: int = fact("Its number; the root of the same version wraps its keys. Ch.4 §4", order=True, filter=True)
    state: EpochState = fact("Where it stands. Ch.4 §4", filter=True)
    retired_at: datetime | None = fact("When the last key left it. Ch.4 §4", default=None)
    destroyable_at: datetime | None = fact(
        "When the last backup that needs it is gone, and its root may be destroyed. Ch.4 §4", default=None
    )
    destroyed_at: datetime | None = fact("When its root was destroyed. Ch.4 §4", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """How far the keys of a company have turned."""

    standing: Standing
    moved: int = 0
    """How many data keys this step moved."""


@operation("key:rotate", chapter="4.4")
class BeginRotation(Operation[int]):
    """Begins the installation's next epoch with a root of its own, or finds the one under way (Ch.4 §4)."""

    fresh: bool = True
    """Whether a new epoch begins where none is under way. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[int]:
        """Roots belong to the whole installation: one rotation at a time, and one that was broken off goes on.

        Chapter: 4.4.
        """
        under_way = unit.find(KeyEpoch, lock=True, state=EpochState.TURNING)
        if under_way:
            number = under_way[0].number
            unit.rotation.make_root(number)
            return Decided(value=number, resources=(under_way[0].id,))
        standing = unit.rotation.standing().epoch
        root = unit.rotation.newest_root()
        # A root without a key under it was made by a rotation that was broken off before it was recorded.
        if root == standing and not self.fresh:
            return Decided(value=standing, resources=(actor.tenant,))
        number = root if root > standing else unit.rotation.next_root()
        unit.rotation.make_root(number)
        _close_first(unit, standing)
        epoch = KeyEpoch(stamp=unit.stamp(KeyEpoch, subject=actor.tenant), number=number, state=EpochState.TURNING)
        unit.add([epoch])
        return Decided(value=number, resources=(epoch.id,))


@operation("key:rotate", chapter="4.4")
class AdvanceKeys(Operation[Turned]):
    """Makes the company's keys of a new epoch: from now on new data keys lie under them (Ch.4 §4)."""

    epoch: int
    """The epoch, whose root stands. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Turned]:
        """Done twice it changes nothing.

        Chapter: 4.4.
        """
        before = unit.rotation.standing().epoch
        if unit.rotation.advance(self.epoch):
            _close_first(unit, before)
        known = unit.find(KeyEpoch, lock=True, number=self.epoch)
        if not known and unit.rotation.standing().epoch == self.epoch:
            known = [
                KeyEpoch(stamp=unit.stamp(KeyEpoch, subject=actor.tenant), number=self.epoch, state=EpochState.TURNING)
            ]
            unit.add(known)
        told = tuple(epoch.id for epoch in known)
        return Decided(value=Turned(standing=unit.rotation.standing()), resources=told)


@operation("key:rotate", chapter="4.4")
class RewrapKeys(Operation[Turned]):
    """Wraps the next data keys of older epochs under the newest; data itself is not touched (Ch.4 §4)."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Turned]:
        """So many at a time that nobody waits for long; what is left is counted anew each time.

        Chapter: 4.4.
        """
        moved = unit.rotation.rewrap(AT_ONCE)
        return Decided(value=Turned(standing=unit.rotation.standing(), moved=moved), resources=(actor.tenant,))


@operation("key:rotate", chapter="4.4")
class VerifyKeys(Operation[Verified]):
    """Unwraps the next data keys and opens one value of each, which is dropped at once (Ch.4 §4)."""

    after: str = ""
    """The last key that was verified before; none for the first step. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Verified]:
        """A key that does not unwrap stops the rotation before anything older is left.

        Chapter: 4.4.
        Raises:  Tampered, naming how many keys failed.
        """
        try:
            found = unit.rotation.verify(self.after, AT_ONCE)
        except ValueError:
            raise _no_key() from None
        if found.failed:
            raise Tampered(f"{len(found.failed)} keys do not open what they protect: {', '.join(found.failed[:3])}.")
        return Decided(value=found, resources=(actor.tenant,))


@operation("key:rotate", chapter="4.4")
class RetireEpochs(Operation[Left]):
    """Leaves every older epoch: its wraps are removed step by step, then its keys; no data key needs them (Ch.4 §4)."""

    after: str = ""
    """The last data key whose older wraps were removed before; none for the first step. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Left]:
        """The count of data keys under older epochs is 0, or nothing is removed.

        Chapter: 4.4.
        Raises:  Conflict while a data key lies under an older epoch.
        """
        try:
            left = unit.rotation.retire(self.after, AT_ONCE)
        except ValueError:
            raise _no_key() from None
        if left.last:
            return Decided(value=left, resources=(actor.tenant,))
        newest = unit.rotation.standing().epoch
        destroyable = unit.now + timedelta(days=unit.rotation.backup_days)
        told: list[Id] = []
        for epoch in unit.find(KeyEpoch, lock=True, state=(EpochState.TURNING, EpochState.STANDING)):
            if epoch.number < newest:
                retired = replace(epoch, state=EpochState.RETIRED, retired_at=unit.now, destroyable_at=destroyable)
                told.append(unit.replace(retired).id)
            elif epoch.state is EpochState.TURNING:
                told.append(unit.replace(replace(epoch, state=EpochState.STANDING)).id)
        return Decided(value=left, resources=(*told, actor.tenant))


@operation("key:destroy", chapter="4.4")
class CondemnEpoch(Operation[KeyEpoch]):
    """Says that the root of an epoch is about to be destroyed; from here there is no way back (Ch.4 §4)."""

    number: int
    """The epoch, which is retired everywhere. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[KeyEpoch]:
        """No key lies under it, and the last backup that needs it is gone.

        Chapter: 4.4.
        Raises:  Conflict before that; NotFound for an epoch that never was.
        """
        del actor
        epoch = _epoch(unit, self.number)
        if epoch.state in {EpochState.DESTROYING, EpochState.DESTROYED}:
            return Decided(value=epoch, resources=(epoch.id,))
        if epoch.state is not EpochState.RETIRED or self.number in unit.rotation.standing().epochs:
            raise Conflict("Keys lie under this epoch still.", advice="Run `credence keys rotate` first.")
        if epoch.destroyable_at is None or unit.now < epoch.destroyable_at:
            raise Conflict(
                f"Backups need this epoch until {epoch.destroyable_at:%Y-%m-%d %H:%M} UTC.",
                advice="Wait: after that day no backup of its time is to be restored.",
            )
        condemned = unit.replace(replace(epoch, state=EpochState.DESTROYING))
        return Decided(value=condemned, resources=(condemned.id,))


@operation("key:destroy", chapter="4.4")
class DestroyEpoch(Operation[KeyEpoch]):
    """Destroys the root of a condemned epoch: no backup of its time can be read any more, by anybody (Ch.4 §4)."""

    number: int
    """The epoch, which is condemned. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[KeyEpoch]:
        """That it is about to happen is durable before; doing it again changes nothing.

        Chapter: 4.4.
        """
        del actor
        epoch = _epoch(unit, self.number)
        if epoch.state is EpochState.DESTROYED:
            return Decided(value=epoch, resources=(epoch.id,))
        if epoch.state is not EpochState.DESTROYING:
            raise Conflict("The epoch is not condemned.", advice="Condemn it first.")
        unit.rotation.destroy_root(self.number)
        gone = unit.replace(replace(epoch, state=EpochState.DESTROYED, destroyed_at=unit.now))
        return Decided(value=gone, resources=(gone.id,))


def readable_until(unit: Unit) -> datetime:
    """When the backups of today become unreadable at the latest, where keys turn as often as they should.

    Chapter: 4.4.
    """
    standing = unit.rotation.standing().epoch
    known: Sequence[KeyEpoch] = unit.find(KeyEpoch, number=standing)
    began = known[0].stamp.created_at if known else unit.now
    return max(unit.now, began + timedelta(days=ROTATION_DAYS)) + timedelta(days=unit.rotation.backup_days)


def _no_key() -> Malformed:
    return Malformed("A key is named by hexadecimal digits.", path=("after",))


def _epoch(unit: Unit, number: int) -> KeyEpoch:
    found = unit.find(KeyEpoch, lock=True, number=number)
    if not found:
        raise NotFound("There is no such epoch.", advice="`credence keys status` shows which there are.")
    return found[0]


def _close_first(unit: Unit, number: int) -> None:
    """The epoch a company began with gets its record when the next one begins."""
    if not unit.find(KeyEpoch, number=number):
        stamp = unit.stamp(KeyEpoch)
        unit.add([KeyEpoch(stamp=replace(stamp, subject_id=stamp.tenant), number=number, state=EpochState.STANDING)])
