"""Why somebody may do something, or may not: the rule, the way to it, and what is missing (Ch.8 §1)."""

from __future__ import annotations

from dataclasses import dataclass

from domain.grants.content import GrantRule
from domain.grants.effects import Cell, Effect


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
