"""What one credit policy version changes against any other, as a query (Ch.9)."""

from __future__ import annotations

from domain.actors import Actor
from domain.assessment.assessments import CreditPolicy
from domain.assessment.policies import document_of, in_force
from domain.assessment.versions.changes import PolicyChange, changes_between
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit


@operation("credit_policy:read", chapter="9")
class CompareCreditPolicies(Operation[tuple[PolicyChange, ...]]):
    """Tells what a version changes against another, place by place (Ch.9)."""

    policy: Id
    """The version. Ch.9"""
    against: Id | None = None
    """The other one; the version in force where none is named. Ch.9"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[tuple[PolicyChange, ...]]:
        """It compares documents, whatever states the versions are in.

        Chapter: 9.
        Raises:  NotFound; NotInForce; Tampered.
        """
        del actor
        after = unit.get(CreditPolicy, self.policy)
        before = in_force(unit, unit.now)[0] if self.against is None else unit.get(CreditPolicy, self.against)
        found = changes_between(document_of(before), document_of(after))
        return Decided(value=found, policy=after.content_digest, resources=(after.id, before.id))
