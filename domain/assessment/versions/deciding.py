"""Deciding on a credit policy version, and how it comes into force (Ch.9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from domain.actors import Actor
from domain.assessment.assessments import CreditPolicy, PolicyState
from domain.assessment.policies import document_of, placed
from domain.assessment.versions.drafting import ended, in_state
from domain.assessment.versions.soundness import problems
from domain.errors import Code, Conflict, Malformed
from domain.files.parties import Tenant
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.persons.duties import Apart, Duty
from domain.ports import Unit

_APART: Final = Apart(record="CreditPolicy", by="policy", authors=("drafted_by",), duty=Duty.AUTHOR_NOT_APPROVER)


class _Deciding:
    """A decision of another person than those who had a hand in the version."""

    __slots__ = ()
    policy: Id

    def hands(self, unit: Unit) -> Iterator[str]:
        """Everybody who wrote in it, or submitted it.

        Chapter: 8.1, 9.
        """
        # Held from here on: nobody else puts a hand to it before it is decided on.
        yield from unit.get(CreditPolicy, self.policy, lock=True).authors


@operation("credit_policy:approve", chapter="8.1, 9", apart=_APART)
class ApproveCreditPolicy(_Deciding, Operation[CreditPolicy]):
    """Approves a version that others wrote; from its time on every assessment goes by it (Ch.9)."""

    policy: Id
    """The version, which is in review. Ch.9"""
    content_digest: str
    """The digest of the content that is approved, as the version shows it. Ch.9"""
    in_force_from: datetime | None = None
    """From when it is in force; where nothing is said, that is set later. Ch.9"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditPolicy]:
        """What is approved is the content that was read, and it is still sound.

        Chapter: 8.1, 9.
        Raises:  Conflict; Malformed; Tampered.
        """
        found = _in_review(unit, self.policy)
        if self.content_digest != found.content_digest:
            raise Conflict(
                "This is not the digest of its content.",
                advice="Read its document and its changes again, and approve these by their digest.",
                path=("contentDigest",),
            )
        if problems(document_of(found)):
            raise Conflict("Its document is not sound under the rules of today.", advice="Reject it.", path=("policy",))
        approved = replace(found, state=PolicyState.APPROVED, decided_by=actor.person)
        if self.in_force_from is not None:
            approved = _timed(unit, approved, self.in_force_from)
        return ended(unit.replace(approved))


@operation("credit_policy:approve", chapter="8.1, 9", apart=_APART)
class RejectCreditPolicy(_Deciding, Operation[CreditPolicy]):
    """Rejects a version that others wrote (Ch.9)."""

    policy: Id
    """The version, which is in review. Ch.9"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditPolicy]:
        """Who could approve it may reject it.

        Chapter: 8.1, 9.
        Raises:  Conflict (INVALID_TRANSITION).
        """
        found = _in_review(unit, self.policy)
        return ended(unit.replace(replace(found, state=PolicyState.REJECTED, decided_by=actor.person)))


@operation("credit_policy:approve", chapter="8.1, 9", apart=_APART)
class ActivateCreditPolicy(_Deciding, Operation[CreditPolicy]):
    """Sets from when an approved version is in force: now, or at a time to come (Ch.9)."""

    policy: Id
    """The version, which is approved or scheduled. Ch.9"""
    in_force_from: datetime | None = None
    """From when it is in force; now where nothing is said. Ch.9"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditPolicy]:
        """Of all versions one is in force at any instant, the last that came to its time.

        Chapter: 9.
        Raises:  Conflict; Malformed.
        """
        del actor
        advice = "Have it approved first; what is in force is followed by another version."
        states = (PolicyState.APPROVED, PolicyState.SCHEDULED)
        found = in_state(unit, self.policy, states, "It waits for no time.", advice)
        if found.state is PolicyState.SCHEDULED and (found.in_force_from or unit.now) <= unit.now:
            raise Conflict("It is in force.", code=Code.INVALID_TRANSITION, advice=advice, path=("policy",))
        return ended(unit.replace(_timed(unit, found, self.in_force_from or unit.now)))


@operation("credit_policy:advance", chapter="9")
class AdvanceCreditPolicies(Operation[int]):
    """Moves the states of versions on that have come to their time; they are in force by then in any case (Ch.9)."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[int]:
        """Done twice it changes nothing.

        Chapter: 9.
        """
        due = [one for one in placed(unit) if one.in_force_from <= unit.now]
        last = due[-1].id if due else None
        wanted = {
            one.id: state
            for one in due
            if (state := PolicyState.IN_FORCE if one.id == last else PolicyState.SUPERSEDED) is not one.state
        }
        for id_, state in wanted.items():
            unit.replace(replace(unit.get(CreditPolicy, id_, lock=True), state=state))
        return Decided(value=len(wanted), resources=tuple(wanted) or (actor.tenant,))


def _in_review(unit: Unit, id_: Id) -> CreditPolicy:
    says = "It does not wait for a decision."
    return in_state(unit, id_, (PolicyState.IN_REVIEW,), says, "Look at its state.")


def _timed(unit: Unit, found: CreditPolicy, at: datetime) -> CreditPolicy:
    """The version with its time: in force now where that has come, and then what was before it is superseded."""
    if at < unit.now:
        raise Malformed(
            "A version is in force from now, or from an instant to come.",
            code=Code.MALFORMED_DATE,
            advice="Leave it out: it is in force from now then.",
            path=("inForceFrom",),
        )
    # Two versions that get their times at once are told apart here, one after the other.
    unit.get(Tenant, found.stamp.tenant, lock=True)
    others = [one for one in placed(unit) if one.id != found.id]
    if others and (others[-1].in_force_from, others[-1].number) >= (at, found.number):
        raise Conflict(
            "A version that is scheduled comes into force no earlier than this one would.",
            advice="Withdraw that one, or choose a later time.",
            path=("inForceFrom",),
        )
    if at > unit.now:
        return replace(found, state=PolicyState.SCHEDULED, in_force_from=at)
    for one in others:
        unit.replace(replace(unit.get(CreditPolicy, one.id, lock=True), state=PolicyState.SUPERSEDED))
    return replace(found, state=PolicyState.IN_FORCE, in_force_from=at)
