"""Keeping a simulation with its draft: without one of the same content nobody submits it (Ch.9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from domain.actors import Actor
from domain.assessment.assessments import CreditPolicy, PolicyState
from domain.assessment.policies import document_of, in_force
from domain.assessment.versions.drafting import WRITTEN, in_state, with_author
from domain.assessment.versions.simulations import Migration, PolicySimulation, SegmentChange
from domain.assessment.versions.tallying import ALL, MIGRATION, NONE, Count, Tally
from domain.errors import Conflict, CreditError
from domain.ids import Id
from domain.money import Money, exponent
from domain.operations import Decided, Operation, derived, operation
from domain.ports import Unit


@operation("credit_policy:simulate", chapter="9")
class SimulateCreditPolicy(Operation[PolicySimulation]):
    """Runs a draft over every open file, and keeps what it would change; no assessment changes (Ch.9)."""

    policy: Id
    """The draft. Ch.9"""
    tally: Tally | None = derived(default=None)
    """The whole book, counted."""
    began_at: datetime | None = derived(default=None)
    """When the count began."""
    problem: CreditError | None = derived(default=None)
    """Why the book could not be counted."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[PolicySimulation]:
        """What was counted is this content, against the version that is in force still.

        Chapter: 9.
        Raises:  Conflict.
        """
        found = in_state(unit, self.policy, WRITTEN, "It is no draft any more.", "Draft another version.")
        if self.problem is not None:
            raise self.problem
        tally, began = self.tally, self.began_at
        base, _ = in_force(unit, unit.now)
        if (
            tally is None
            or began is None
            or (tally.content_digest, tally.against)
            != (
                found.content_digest,
                base.content_digest,
            )
        ):
            raise Conflict("The draft, or what is in force, changed meanwhile.", advice="Simulate it again.")
        kept = _record(unit, actor, found, tally, began)
        unit.add([kept])
        # Whoever simulates has a hand in it: the figures others decide by are his.
        simulated = replace(found, state=PolicyState.SIMULATED, simulation=kept.id, authors=with_author(found, actor))
        unit.replace(simulated)
        return Decided(value=kept, policy=found.content_digest, resources=(kept.id, found.id))


def _record(unit: Unit, actor: Actor, found: CreditPolicy, tally: Tally, began: datetime) -> PolicySimulation:
    currency, total = document_of(found).currency, tally.counts.get(ALL, Count())
    migrations = tuple(
        Migration(
            before=before,
            after=after,
            files=count.files,
            limit_before=_major(count.before_minor, currency),
            limit_after=_major(count.after_minor, currency),
        )
        for (before, after), count in _under(tally, MIGRATION)
    )
    return PolicySimulation(
        stamp=unit.stamp(PolicySimulation),
        policy=found.id,
        content_digest=tally.content_digest,
        against=tally.against,
        inputs_digest=tally.chain,
        began_at=began,
        files=tally.files,
        failed=tally.failed,
        failed_files=tally.failed_files,
        winners=total.winners,
        losers=total.losers,
        mixed=total.mixed,
        newly_blocked=total.blocked,
        newly_ungraded=total.ungraded,
        ungraded=sum(one.files for one in migrations if one.after == NONE),
        limit_before=Money(total.before_minor, currency),
        limit_after=Money(total.after_minor, currency),
        migrations=migrations,
        segments=tuple(_segments(tally, currency)),
        run_by=actor.person,
    )


def _under(tally: Tally, kind: str) -> Iterator[tuple[list[str], Count]]:
    for key, count in sorted(tally.counts.items()):
        first, *rest = key.split(" ")
        if first == kind:
            yield rest, count


def _segments(tally: Tally, currency: str) -> Iterator[SegmentChange]:
    for kind in ("KIND", "INDUSTRY", "DEPARTMENT"):
        for (name,), count in _under(tally, kind):
            yield SegmentChange(
                kind=kind,
                segment=name,
                files=count.files,
                winners=count.winners,
                losers=count.losers,
                mixed=count.mixed,
                newly_blocked=count.blocked,
                newly_ungraded=count.ungraded,
                limit_before=_major(count.before_minor, currency),
                limit_after=_major(count.after_minor, currency),
            )


def _major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent(currency))
