"""Grants change by a new version: one person proposes it, another approves what it changes (Ch.8 §1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from domain.actors import Actor
from domain.errors import Code, Conflict, CreditError, Malformed, Tampered
from domain.files.codes import required_text
from domain.grants.cases import Case, run
from domain.grants.effects import Compiled, difference, digest_of
from domain.grants.separation import check_separation
from domain.grants.snapshots import MOST, GrantsSnapshot, GrantsState, standing_in
from domain.ids import Id
from domain.operations import Decided, Operation, derived, operation
from domain.persons.duties import Apart, Duty
from domain.ports import Unit

MAX_TEXT: Final = 1024 * 1024
"""Characters of the rules, and of the tests."""
MOST_FAILURES: Final = 100
"""How many failed tests are kept with a version."""
SHOWN: Final = 5
"""How many failed tests a refusal names."""

_APART: Final = Apart(record="GrantsSnapshot", by="snapshot", authors=("proposed_by",), duty=Duty.AUTHOR_NOT_APPROVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Proposed grants and those they would follow, both compiled, with the tests that come along."""

    proposed: Compiled
    base: Compiled
    cases: tuple[Case, ...]
    product: str
    """The version of the product's own grants: what a company holds that has no other."""


@operation("grants:propose", chapter="8.1")
class ProposeGrants(Operation[GrantsSnapshot]):
    """Proposes a version of the grants, with its tests; nothing changes until another person approves (Ch.8 §1)."""

    rules: str
    """All rules and links, in the form that the product's own have. Ch.8 §1"""
    tests: str
    """What must come out under them, as YAML. Ch.8 §1"""
    reason: str
    """Why they are proposed. Ch.8 §1"""
    effective_at: datetime | None = None
    """From when they are to be in force; from their approval where nothing is said. Ch.8 §1"""
    weighed: Weighed | None = derived(default=None)
    """Both versions, compiled from the texts."""
    problem: CreditError | None = derived(default=None)
    """Why the texts could not be compiled."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[GrantsSnapshot]:
        """Grants that must never be are not even proposed; what the version changes is worked out and kept with it.

        Chapter: 8.1.
        """
        reason = required_text(self.reason, "reason")
        if self.problem is not None:
            raise self.problem
        weighed = _weighed(self.weighed)
        _check_base(weighed, standing_in(unit))
        if self.effective_at is not None and self.effective_at < unit.now:
            raise Malformed(
                "Grants are in force from an instant to come.",
                code=Code.MALFORMED_DATE,
                advice="Leave it out: they are in force from their approval then.",
                path=("effective_at",),
            )
        check_separation(weighed.proposed)
        changes = difference(weighed.base, weighed.proposed)
        if weighed.proposed.version == weighed.base.version:
            raise Conflict("These are the grants that are in force.", path=("rules",))
        snapshot, ended = weighed.proposed.snapshot, run(weighed.cases, weighed.proposed)
        draft = GrantsSnapshot(
            stamp=unit.stamp(GrantsSnapshot, subject=actor.tenant),
            content_digest=snapshot.version,
            rules=snapshot.rules,
            links=snapshot.links,
            tests=self.tests,
            untested=ended.untested,
            failures=ended.failures[:MOST_FAILURES],
            base=weighed.base.version,
            changes=changes,
            changes_digest=digest_of(changes),
            reason=reason,
            effective_at=self.effective_at,
            proposed_by=actor.person,
        )
        unit.add([draft])
        return Decided(value=draft, resources=(draft.id,))


@operation("grants:approve", chapter="8.1", apart=_APART)
class ApproveGrants(Operation[GrantsSnapshot]):
    """Approves what a proposed version changes: from its time on it decides who may do what (Ch.8 §1)."""

    snapshot: Id
    """The version, which waits for a decision. Ch.8 §1"""
    changes_digest: str
    """The digest of the changes that are approved, as the version shows it. Ch.8 §1"""
    weighed: Weighed | None = derived(default=None)
    """Both versions, compiled from what is kept."""
    problem: CreditError | None = derived(default=None)
    """Why they could not be compiled."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[GrantsSnapshot]:
        """Who proposed it does not approve it; what it changes is worked out again, and every test must hold.

        Chapter: 8.1.
        """
        found = _waiting(unit, self.snapshot)
        if self.problem is not None:
            raise self.problem
        weighed, others = _weighed(self.weighed), standing_in(unit)
        _check_base(weighed, others)
        if weighed.proposed.version != found.content_digest or found.snapshot.version != found.content_digest:
            raise Tampered("The grants are not the ones their digest names.")
        if found.base != weighed.base.version:
            raise Conflict(
                "It was compared with other grants than those it would follow now.",
                advice="Propose it again: what it changes is worked out anew.",
                path=("snapshot",),
            )
        recomputed = digest_of(difference(weighed.base, weighed.proposed))
        if recomputed != found.changes_digest or recomputed != self.changes_digest:
            raise Conflict(
                "These are not the changes that the version makes.",
                advice="Read its changes again, and approve these by their digest.",
                path=("changes_digest",),
            )
        check_separation(weighed.proposed)
        _check_tests(weighed)
        return _brought_in(unit, actor, found, others)


@operation("grants:approve", chapter="8.1", apart=_APART)
class RejectGrants(Operation[GrantsSnapshot]):
    """Rejects a version that another person proposed (Ch.8 §1)."""

    snapshot: Id
    """The version, which waits for a decision. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[GrantsSnapshot]:
        """Who could approve it may reject it.

        Chapter: 8.1.
        """
        found = _waiting(unit, self.snapshot)
        return _moved(unit, replace(found, state=GrantsState.REJECTED, decided_by=actor.person))


@operation("grants:withdraw", chapter="8.1")
class WithdrawGrants(Operation[GrantsSnapshot]):
    """Takes a version back that is not in force yet (Ch.8 §1)."""

    snapshot: Id
    """The version, which waits for a decision or for its time. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[GrantsSnapshot]:
        """One person is enough to stop it; what another version builds on is not taken from under it.

        Chapter: 8.1.
        """
        found = unit.get(GrantsSnapshot, self.snapshot, lock=True)
        if found.state is GrantsState.APPROVED and (found.effective_at or unit.now) > unit.now:
            if standing_in(unit)[-1].id != found.id:
                raise Conflict("Another version builds on it.", advice="Withdraw that one first.", path=("snapshot",))
        elif found.state is not GrantsState.DRAFT:
            raise Conflict(
                "It is in force, or was decided on.",
                code=Code.INVALID_TRANSITION,
                advice="Propose another version.",
                path=("snapshot",),
            )
        return _moved(unit, replace(found, state=GrantsState.WITHDRAWN, decided_by=actor.person))


@operation("grants:activate", chapter="8.1")
class ActivateGrants(Operation[int]):
    """Moves versions on that have come to their time; they are in force by then in any case (Ch.8 §1)."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[int]:
        """Done twice it changes nothing.

        Chapter: 8.1.
        """
        due = [one for one in standing_in(unit) if one.effective_at is not None and one.effective_at <= unit.now]
        moved = [
            unit.replace(replace(one, state=state))
            for one in due
            if (state := GrantsState.ACTIVE if one is due[-1] else GrantsState.SUPERSEDED) is not one.state
        ]
        return Decided(value=len(moved), resources=tuple(one.id for one in moved) or (actor.tenant,))


def _weighed(weighed: Weighed | None) -> Weighed:
    if weighed is None:
        raise Conflict("Your rights changed meanwhile.", advice="Ask again.")
    return weighed


def _check_base(weighed: Weighed, others: Sequence[GrantsSnapshot]) -> None:
    """What was compiled as the base is what stands now."""
    if len(others) >= MOST:
        raise Conflict("Too many versions wait for their time.", advice="Withdraw some of them.")
    if weighed.base.version != (others[-1].content_digest if others else weighed.product):
        raise Conflict("Other grants were approved meanwhile.", advice="Ask again.")


def _check_tests(weighed: Weighed) -> None:
    ended = run(weighed.cases, weighed.proposed)
    if not ended.green:
        told = " ".join(ended.failures[:SHOWN]) or "There is no test."
        more = f" And {len(ended.failures) - SHOWN} more." if len(ended.failures) > SHOWN else ""
        raise Conflict(
            f"The tests of these grants do not hold. {told}{more}",
            advice="Propose grants and tests that agree.",
            path=("snapshot",),
        )


def _brought_in(
    unit: Unit, actor: Actor, found: GrantsSnapshot, others: Sequence[GrantsSnapshot]
) -> Decided[GrantsSnapshot]:
    """The version approved: in force now, where its time has come, and then nothing else is."""
    effective = max(found.effective_at or unit.now, unit.now)
    if others and effective <= (others[-1].effective_at or unit.now):
        raise Conflict(
            "A version that is approved comes into force later than this one.",
            advice="Withdraw that one, or propose this one for a later time.",
            path=("snapshot",),
        )
    now = effective == unit.now
    for one in others if now else ():
        unit.replace(replace(one, state=GrantsState.SUPERSEDED))
    state = GrantsState.ACTIVE if now else GrantsState.APPROVED
    return _moved(unit, replace(found, state=state, effective_at=effective, decided_by=actor.person))


def _moved(unit: Unit, changed: GrantsSnapshot) -> Decided[GrantsSnapshot]:
    kept = unit.replace(changed)
    return Decided(value=kept, resources=(kept.id,))


def _waiting(unit: Unit, id_: Id) -> GrantsSnapshot:
    found = unit.get(GrantsSnapshot, id_, lock=True)
    if found.state is not GrantsState.DRAFT:
        raise Conflict(
            "It does not wait for a decision.",
            code=Code.INVALID_TRANSITION,
            advice="Look at its state.",
            path=("snapshot",),
        )
    return found
