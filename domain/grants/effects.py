"""What grants come to once they are compiled: the decision for every role and action, and how two versions differ.

Compiled grants come from outside: who compiles them asks the language of grants, and nothing here repeats it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from domain import canonical
from domain.grants.content import GrantRule, Snapshot


class Effect(Enum):
    """What the grants say about one action."""

    ALLOW = "ALLOW"
    """A rule allows it, and none forbids it."""
    DENY = "DENY"
    """A rule forbids it, whatever else allows it."""
    NONE = "NONE"
    """No rule speaks of it, so it is denied."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The decision for a role and an action, and the rule it rests on; None where no rule speaks."""

    effect: Effect
    rule: GrantRule | None = None


NOTHING = Cell(Effect.NONE)


class Compiled(Protocol):
    """The decision table of one version of the grants."""

    @property
    def snapshot(self) -> Snapshot:
        """The version it was compiled from."""
        ...

    @property
    def version(self) -> str:
        """What names that version."""
        ...

    @property
    def roles(self) -> Collection[str]:
        """Every role, in the order of the matrix."""
        ...

    @property
    def actions(self) -> Collection[str]:
        """Every action that anything asks for."""
        ...

    def cell(self, role: str, action: str) -> Cell:
        """The decision for one role."""
        ...

    def decide(self, roles: Iterable[str], action: str) -> Cell:
        """The decision for a combination of roles: a deny of any outweighs every allow."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantChange:
    """What becomes of one action for one role (Ch.8 §1)."""

    role: str
    """The role. Ch.8 §1"""
    action: str
    """The action, `noun:verb`. Ch.8 §1"""
    before: Effect
    """What the grants in force say. Ch.8 §1"""
    after: Effect
    """What the proposed grants say. Ch.8 §1"""
    rule: str | None
    """The rule it rests on then; none where no rule speaks of it any more. Ch.8 §1"""


def difference(before: Compiled, after: Compiled) -> tuple[GrantChange, ...]:
    """Who gains or loses which action, worked out from two compiled versions and not from their texts.

    Chapter: 8.1.
    Shape:   where no cell changes, no combination of roles is decided otherwise.
    """
    changes: list[GrantChange] = []
    for action in dict.fromkeys((*before.actions, *after.actions)):
        for role in dict.fromkeys((*before.roles, *after.roles)):
            old, new = before.cell(role, action), after.cell(role, action)
            if old.effect is not new.effect:
                rule = new.rule.id if new.rule else None
                changes.append(GrantChange(role=role, action=action, before=old.effect, after=new.effect, rule=rule))
    return tuple(changes)


def digest_of(changes: Iterable[GrantChange]) -> str:
    """What names a difference: the SHA-256 of its canonical form, in hex.

    Chapter: 8.1.
    """
    return canonical.digest(canonical.plain(tuple(changes)))
