"""The keys that a company signs with: each has its time, and what it signed in that time counts on (Ch.4 §4).

SIGNING → RETIRED, or COMPROMISED where somebody else may have had it. A company that never replaced a key has no
record of it: what it signs with now stands in the vault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum

from domain.actors import Actor
from domain.custody.keeping import SigningUse, Signs
from domain.errors import Malformed
from domain.files.parties import Tenant
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, record


class SigningState(Enum):
    """Where a key that signs stands; it only moves forward."""

    SIGNING = "SIGNING"
    """It signs now."""
    RETIRED = "RETIRED"
    """It signs no more; what it signed counts on."""
    COMPROMISED = "COMPROMISED"
    """Somebody else may have had it: what it signed after its end counts for nothing."""


@record("sk", table="signing_key", read="key:read", unique=(("use", "number"),), subject_reach=False)
class SigningKey(Record):
    """The public half of a key that the company signs or signed with, and the time of it (Ch.4 §4)."""

    use: SigningUse = fact("What it signs. Ch.4 §4", filter=True)
    number: int = fact("Its number among the keys of its use, from 1. Ch.4 §4", order=True)
    kid: str = fact("How signatures name it. Ch.4 §4", filter=True)
    public: str = fact("For the log `name+id+base64`, as an auditor pins it; otherwise a JWK. Ch.4 §4")
    state: SigningState = fact("Where it stands. Ch.4 §4", filter=True)
    began_at: datetime = fact("Since when it may have signed. Ch.4 §4")
    ended_at: datetime | None = fact(
        "Until when what it signed counts; for one that became known, since when. Ch.4 §4", default=None
    )
    handover: str | None = fact(
        "For the log: the checkpoint by which it handed over to the next one, for whoever pinned it. Ch.4 §4",
        default=None,
    )


@operation("key:replace", chapter="4.4")
class ReplaceSigningKey(Operation[SigningKey | None]):
    """Ends a key that the company signs with and makes the next one (Ch.4 §4)."""

    use: SigningUse
    """What it signs. Ch.4 §4"""
    before: datetime
    """A key that was made at this instant or later stays. Ch.4 §4"""
    compromised: bool = False
    """Whether somebody else may have had the key that ends. Ch.4 §4"""
    since: datetime | None = None
    """Since when, where that is known. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[SigningKey | None]:
        """All of it happens in one transaction, or nothing: broken off, it is done when it is run again.

        Chapter: 4.4.
        Raises:  Malformed for an end that is not in the time of the key.
        """
        if self.since is not None and not self.compromised:
            raise Malformed("A key ends now, unless it is compromised.", path=("since",))
        known = unit.find(SigningKey, lock=True, use=self.use)
        began = _began(unit, known)
        if began >= self.before:
            return Decided(value=None, resources=(actor.tenant,))
        ended = self.since or unit.now
        if not began <= ended <= unit.now:
            raise Malformed(
                "A key ends in its own time.",
                advice=f"Name an instant from {began:%Y-%m-%dT%H:%M:%SZ} on, and none in the future.",
                path=("since",),
            )
        done = unit.signing.replace(self.use, ended, compromised=self.compromised)
        if done is None:
            return Decided(value=None, resources=(actor.tenant,))
        state = SigningState.COMPROMISED if self.compromised else SigningState.RETIRED
        former = _current(known) or _key(unit, self.use, len(known) + 1, done.former, began)
        over = replace(former, state=state, ended_at=ended, handover=done.handover)
        new = _key(unit, self.use, former.number + 1, done.following, unit.now)
        if _current(known):
            over = unit.replace(over)
            unit.add([new])
        else:
            unit.add([over, new])
        return Decided(value=new, resources=(over.id, new.id))


def _key(unit: Unit, use: SigningUse, number: int, signs: Signs, began: datetime) -> SigningKey:
    stamp = unit.stamp(SigningKey)
    return SigningKey(
        stamp=replace(stamp, subject_id=stamp.tenant),
        use=use,
        number=number,
        kid=signs.kid,
        public=signs.public,
        state=SigningState.SIGNING,
        began_at=began,
    )


def _current(known: Sequence[SigningKey]) -> SigningKey | None:
    return next((one for one in known if one.state is SigningState.SIGNING), None)


def _began(unit: Unit, known: Sequence[SigningKey]) -> datetime:
    """When the key that signs now was made; a first one is as old as the company."""
    current = _current(known)
    return current.began_at if current else unit.find(Tenant)[0].stamp.created_at
