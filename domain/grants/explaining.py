"""Why somebody may do something, or may not: the rule, the way to it, and what is missing (Ch.8 §1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from domain.actors import Actor, Rights
from domain.errors import Conflict, Malformed
from domain.grants.content import GrantRule
from domain.grants.effects import Cell, Compiled, Effect
from domain.operations import Decided, Operation, derived, operation
from domain.ports import Unit

MOST_ROLES: Final = 20
"""How many roles somebody has at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantExplanation:
    """Why an action is allowed or denied to a combination of roles (Ch.8 §1)."""

    action: str
    """The action, `noun:verb`. Ch.8 §1"""
    effect: Effect
    """What the grants say. Ch.8 §1"""
    rule: GrantRule | None
    """The rule that decides; none where no rule speaks of it. Ch.8 §1"""
    path: tuple[str, ...]
    """From a role of the person to the role the rule names; empty without a rule. Ch.8 §1"""
    nearest: GrantRule | None
    """On a denial, a rule that would allow the action: its role is the one to ask for. Ch.8 §1"""
    version: str
    """The version of the grants; audit entries name it. Ch.8 §1"""
    sentence: str
    """All of it in words. Ch.8 §1"""
    missing: str | None = None
    """The course whose training is missing, where the roles alone would allow it. Ch.8 §4"""

    @classmethod
    def of(
        cls, action: str, cell: Cell, *, path: tuple[str, ...], nearest: GrantRule | None, version: str
    ) -> GrantExplanation:
        """The explanation of a decision.

        Chapter: 8.1.
        """
        return cls(
            action=action,
            effect=cell.effect,
            rule=cell.rule,
            path=path,
            nearest=nearest,
            version=version,
            sentence=_sentence(action, cell, path, nearest),
        )


@operation("grants:read", chapter="8.1")
class ExplainGrants(Operation[GrantExplanation]):
    """Explains why a combination of roles may do something, or may not (Ch.8 §1)."""

    action: str
    """The action, `noun:verb`. Ch.8 §1"""
    roles: tuple[str, ...]
    """The roles. Ch.8 §1"""
    explanation: GrantExplanation | None = derived(default=None)
    """The explanation, out of the compiled grants."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[GrantExplanation]:
        """What roles may do is no secret of anybody's, and who asks is recorded.

        Chapter: 8.1.
        """
        del unit
        if not 1 <= len(self.roles) <= MOST_ROLES:
            raise Malformed(f"Name 1 to {MOST_ROLES} roles.", path=("roles",))
        if self.explanation is None:
            raise Conflict("Your rights changed meanwhile.", advice="Ask again.")
        return Decided(value=self.explanation, resources=(actor.tenant,))


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantDecision:
    """What the grants in force say about one action of one role, and the rule it rests on (Ch.8 §1)."""

    action: str
    """The action, `noun:verb`. Ch.8 §1"""
    role: str
    """The role. Ch.8 §1"""
    effect: Effect
    """What the grants say. Ch.8 §1"""
    rule: str
    """The rule it rests on. Ch.8 §1"""


def decisions(compiled: Compiled) -> tuple[GrantDecision, ...]:
    """Every decision that rests on a rule, action by action.

    Chapter: 8.1.
    """
    return tuple(
        GrantDecision(action=action, role=role, effect=cell.effect, rule=cell.rule.id)
        for action in sorted(compiled.actions)
        for role in compiled.roles
        if (cell := compiled.cell(role, action)).rule is not None
    )


@operation("grants:read", chapter="8.1")
class ReadGrantsMatrix(Operation[None]):
    """Lets the whole matrix of roles and actions leave, as data, as a page or as a file (Ch.8 §1)."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[None]:
        """The grants decide alone; it is made from the version in force once the entry is durable.

        Chapter: 8.1.
        """
        del unit
        return Decided(value=None, resources=(actor.tenant,))


def for_person(said: GrantExplanation, rights: Rights, *, insider: bool) -> GrantExplanation:
    """What the grants say of somebody's roles, as it is for that person: training withdraws, a broken glass adds.

    Whoever is not of the company is told nothing of other roles than its own.

    Chapter: 8.1, 8.4.
    Shape:   allowed exactly where the rights permit the action.
    """
    course = rights.lapsed.get(said.action)
    if course is not None:
        sentence = f"{said.action} is withdrawn until the training {course} is done again. {said.sentence}"
        return replace(said, effect=Effect.NONE, missing=course, sentence=sentence)
    if said.effect is not Effect.ALLOW and rights.permits(said.action):
        glass = rights.allowed[said.action]
        return replace(said, effect=Effect.ALLOW, nearest=None, sentence=f"{said.action} is allowed by {glass}.")
    if said.nearest is not None and not insider:
        return replace(said, nearest=None, sentence=f"No rule allows {said.action} to these roles.")
    return said


def _sentence(action: str, cell: Cell, path: tuple[str, ...], nearest: GrantRule | None) -> str:
    if cell.rule is not None and cell.effect is Effect.ALLOW:
        return f"{action} is allowed by rule {cell.rule.id} to {' → '.join(path)}: {cell.rule.why}."
    if cell.rule is not None:
        return (
            f"{action} is forbidden by rule {cell.rule.id} to {' → '.join(path)}, "
            f"whatever other roles allow: {cell.rule.why}."
        )
    if nearest is not None:
        return f"No rule allows {action} to these roles; rule {nearest.id} allows it to {nearest.role}."
    return f"No rule allows {action} to anybody."
