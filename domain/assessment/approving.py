"""Deciding on an assessment that waits for a person: another one than who prepared it (Ch.5 §4, Ch.8 §1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from domain.actors import Actor
from domain.assessment.assessments import Assessment, AssessmentState
from domain.assessment.policies import in_force
from domain.assessment.policy import Level
from domain.assessment.standing import come_into_force, refuse_outdated, standing_of
from domain.controls import cancel_proposals, reason_of
from domain.errors import Code, Malformed, NotInForce, NotPermitted
from domain.files.opening import usable
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.persons.duties import Apart
from domain.ports import Unit

_APART: Final = Apart(record="Assessment", by="assessment", authors=("prepared_by",), owner=True)

ROLES_OF_LEVEL: Final = (
    (Level.COMMITTEE_AND_LEGAL, frozenset({"credit_committee", "legal"})),
    (Level.COMMITTEE, frozenset({"credit_committee"})),
    (Level.MANAGER, frozenset({"credit_manager"})),
    (Level.ANALYST, frozenset({"credit_analyst"})),
)
"""The roles a level stands on, the highest first: what needs committee and legal is for a member of both."""


def level_of(actor: Actor) -> Level | None:
    """The highest level a person's roles stand on.

    Chapter: 8.1.
    """
    return next((level for level, roles in ROLES_OF_LEVEL if roles <= actor.roles), None)


@operation("assessment:approve", chapter="5.4, 8.1", apart=_APART)
class ApproveAssessment(Operation[Assessment]):
    """Approves an assessment another person prepared: limit, terms and measures change with it (Ch.5 §4)."""

    assessment: Id
    """The assessment, which waits for a decision. Ch.5 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Assessment]:
        """The approver covers grade and amount; the assessment rests on the policy in force and is the newest.

        Chapter: 5.4, 8.1.
        """
        file, assessment = _open_for(unit, actor, self.assessment)
        policy, document = in_force(unit, unit.now)
        if policy.id != assessment.policy:
            raise NotInForce(
                "The credit policy it was assessed under is not in force any more.",
                advice="Request a new assessment of the file.",
                path=("assessment",),
            )
        refuse_outdated(unit, file, assessment)
        approved = unit.replace(replace(assessment, state=AssessmentState.IN_FORCE, approved_by=actor.person))
        come_into_force(unit, file, approved, document, standing_of(unit, file, document.currency))
        return Decided(value=approved, policy=approved.policy_digest, resources=(approved.id, file.id))


@operation("assessment:approve", chapter="5.4, 8.1", apart=_APART)
class RejectAssessment(Operation[Assessment]):
    """Rejects an assessment another person prepared; what is in force stays (Ch.5 §4)."""

    assessment: Id
    """The assessment, which waits for a decision. Ch.5 §4"""
    reason: str
    """Why; kept under seal beside the audit log, not in the record. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Assessment]:
        """Who could approve it may reject it; what it proposed at once is cancelled.

        Chapter: 5.4, 8.1.
        """
        reason = reason_of(self.reason)
        file, assessment = _open_for(unit, actor, self.assessment)
        rejected = unit.replace(replace(assessment, state=AssessmentState.REJECTED))
        cancel_proposals(unit, rejected.id)
        return Decided(value=rejected, policy=rejected.policy_digest, note=reason, resources=(rejected.id, file.id))


def _open_for(unit: Unit, actor: Actor, id_: Id) -> tuple[CreditFile, Assessment]:
    """The file, locked first as everywhere, and the assessment, when this person may decide on it."""
    file = unit.get(CreditFile, unit.get(Assessment, id_).credit_file, lock=True)
    assessment = unit.get(Assessment, id_, lock=True)
    usable(file)
    if assessment.state is not AssessmentState.IN_REVIEW:
        raise Malformed(
            "Only an assessment in review can be decided on.",
            code=Code.INVALID_TRANSITION,
            advice="Read it again: its state says where it stands.",
            path=("assessment",),
        )
    needed, own = Level(assessment.approver_level), level_of(actor)
    if own is None or own.rank < needed.rank:
        raise NotPermitted(
            "The decision needs a higher level of approval.",
            advice=f"Ask for a decision at the level {needed.value}.",
            path=("assessment",),
        )
    return file, assessment
