"""Roots that are worked out when they are asked for: each passes the Gate as an operation, and leaves its own entry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from api.granting import explained, matrix
from domain.actors import Actor
from domain.assessment.assessments import CreditPolicy
from domain.assessment.versions.changes import PolicyChange
from domain.assessment.versions.comparing import CompareCreditPolicies
from domain.grants.explaining import ExplainGrants, GrantDecision, GrantExplanation, ReadGrantsMatrix
from domain.ids import check
from domain.supervision.clauses import ClauseEvidence, CoverClauses

if TYPE_CHECKING:
    from api.graphql.context import House

_POLICY: Final = CreditPolicy.shape.prefix

Answer = Callable[["House", Actor, Mapping[str, Any], str], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument of such a root."""

    name: str
    type: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """What such a root takes and answers."""

    type: type
    many: bool = False
    says: str
    actions: tuple[str, ...]
    """The actions of its operation."""
    unless: str = ""
    """An argument without which it tells of the caller alone, and needs none of them."""
    arguments: tuple[Argument, ...] = ()
    answer: Answer
    """The answer to a caller, from the arguments by name, under the id of the request."""

    def needs(self, given: Collection[str]) -> Sequence[str]:
        """The actions it takes where these arguments are given."""
        return self.actions if not self.unless or self.unless in given else ()


async def _explained(house: House, actor: Actor, given: Mapping[str, Any], request: str) -> GrantExplanation:
    return await explained(house, actor, given["action"], given["roles"], request=request)


async def _matrix(house: House, actor: Actor, given: Mapping[str, Any], request: str) -> Sequence[GrantDecision]:
    del given
    return await matrix(house, actor, request=request)


async def _covered(house: House, actor: Actor, given: Mapping[str, Any], request: str) -> Sequence[ClauseEvidence]:
    since: datetime = given["since"]
    return (await house.gate.perform(CoverClauses(since=since, until=given["until"]), actor, request=request)).value


async def _compared(house: House, actor: Actor, given: Mapping[str, Any], request: str) -> Sequence[PolicyChange]:
    against = given["against"]
    asked = CompareCreditPolicies(
        policy=check(given["policy"], _POLICY), against=None if against is None else check(against, _POLICY)
    )
    return (await house.gate.perform(asked, actor, request=request)).value


WORKED: Final = {
    "creditPolicyChanges": Worked(
        type=PolicyChange,
        many=True,
        says="What a version of the credit policy changes against another, place by place. Ch.9",
        actions=CompareCreditPolicies.actions,
        arguments=(
            Argument(name="policy", type="ID", says="The version. Ch.9"),
            Argument(
                name="against", type="ID | None", says="The other one; the one in force where none is named. Ch.9"
            ),
        ),
        answer=_compared,
    ),
    "explainDecision": Worked(
        type=GrantExplanation,
        says="Why an action is allowed or denied to a combination of roles. Ch.8 §1 Of other roles than one's own:",
        actions=ExplainGrants.actions,
        unless="roles",
        arguments=(
            Argument(name="action", type="str", says="The action, `noun:verb`. Ch.8 §1"),
            Argument(name="roles", type="list[str] | None", says="Of these roles; one's own without them. Ch.8 §1"),
        ),
        answer=_explained,
    ),
    "grantsMatrix": Worked(
        type=GrantDecision,
        many=True,
        says="Which role may do what, as it is in force: every decision that rests on a rule. Ch.8 §1",
        actions=ReadGrantsMatrix.actions,
        answer=_matrix,
    ),
    "clauseCoverage": Worked(
        type=ClauseEvidence,
        many=True,
        says="Which clause of the standard has which evidence in a period, in the order of the standard. Ch.8 §1",
        actions=CoverClauses.actions,
        arguments=(
            Argument(name="since", type="datetime", says="From when on. Ch.8 §1"),
            Argument(name="until", type="datetime", says="Until when, not included. Ch.8 §1"),
        ),
        answer=_covered,
    ),
}
"""Every such root, by its name in the schema."""
