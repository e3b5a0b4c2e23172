"""The decision table is what Casbin says about every role and action, computed once; a decision is a look-up.

Casbin's own `has_link` decides which rules a role meets, so the table equals `enforce` for every combination of
roles. The enforcer lives only while a table is compiled: no name from a request reaches it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType

from authz import adapter
from authz.adapter import Rule, Snapshot
from authz.roles import ROLES
from domain import canonical
from domain.actors import Actor, Rights

COMBINATIONS = 1024
"""How many combinations of roles keep their rights at hand; a company uses a few dozen."""

_DOMAIN = "tenant"
"""Stands in Casbin for each tenant that holds the snapshot, so that one table serves them all."""


class Effect(Enum):
    """What the grants say about one action."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    """A rule forbids it, whatever else allows it."""
    NONE = "NONE"
    """No rule speaks of it, so it is denied."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The decision for a role and an action, and the rule it rests on; None where no rule speaks."""

    effect: Effect
    rule: Rule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why an action is allowed or denied to a combination of roles."""

    effect: Effect
    rule: Rule | None
    """The rule that decides; None where none speaks."""
    path: tuple[str, ...]
    """From a role of the person to the role the rule names; empty without a rule."""
    nearest: Rule | None
    """On a denial, a rule that would allow the action: its role is the one to ask for."""
    version: str


_NOTHING = Cell(Effect.NONE)


class Table:
    """The grants of one snapshot: role × action, and the combinations of roles in use."""

    def __init__(self, snapshot: Snapshot, cells: Mapping[tuple[str, str], Cell], roles: Collection[str]) -> None:
        self.version = snapshot.version
        self.roles = tuple(roles)
        self.actions = tuple(dict.fromkeys(action for _, action in cells))
        self._snapshot = snapshot
        self._cells = cells
        self._known = frozenset(roles)
        self._rights = lru_cache(maxsize=COMBINATIONS)(self._combine)

    @classmethod
    def compile(cls, snapshot: Snapshot, *, actions: Iterable[str], roles: Collection[str] = ROLES) -> Table:
        """The table of a snapshot for every action of the product.

        Raises: Malformed when the snapshot is not valid.
        """
        wanted = tuple(dict.fromkeys(actions))
        adapter.check(snapshot, actions=wanted, roles=roles)
        has_link = adapter.enforcer(snapshot, (_DOMAIN,)).get_role_manager().has_link
        cells = {}
        for role in roles:
            held = {name for name in roles if has_link(role, name, _DOMAIN)}
            rules = [rule for rule in snapshot.rules if rule.role in held]
            cells.update({(role, action): _cell(rules, action) for action in wanted})
        return cls(snapshot, cells, roles)

    def cell(self, role: str, action: str) -> Cell:
        """The decision for one role; NONE for a role or an action that does not exist."""
        return self._cells.get((role, action), _NOTHING)

    def decide(self, roles: Iterable[str], action: str) -> Cell:
        """The decision for a combination of roles: a deny of any outweighs every allow."""
        cells = [self.cell(role, action) for role in sorted(roles)]
        for effect in (Effect.DENY, Effect.ALLOW):
            for cell in cells:
                if cell.effect is effect:
                    return cell
        return _NOTHING

    def rights(self, roles: frozenset[str]) -> Rights:
        """The interned rights of a combination of roles; roles that do not exist have none."""
        return self._rights(roles if roles <= self._known else roles & self._known)

    def explain(self, roles: Iterable[str], action: str) -> Explanation:
        """Why a combination of roles may or may not do an action."""
        held = frozenset(roles) & self._known
        cell = self.decide(held, action)
        path = self._path(held, cell.rule.role) if cell.rule else ()
        nearest = None if cell.effect is Effect.ALLOW else self._nearest(action)
        return Explanation(effect=cell.effect, rule=cell.rule, path=path, nearest=nearest, version=self.version)

    def matrix(self) -> dict[str, dict[str, Cell]]:
        """Action → role → decision: the page an auditor reads."""
        return {action: {role: self.cell(role, action) for role in self.roles} for action in self.actions}

    def _combine(self, roles: frozenset[str]) -> Rights:
        decided = {action: self.decide(roles, action) for action in self.actions}
        allowed = {a: c.rule.id for a, c in decided.items() if c.effect is Effect.ALLOW and c.rule is not None}
        # The id is made of the content, so that equal rights have equal ids in every process.
        content = canonical.encode({"version": self.version, "allowed": allowed})
        number = int.from_bytes(sha256(content).digest()[:8], "big")
        return Rights(id=number, version=self.version, allowed=MappingProxyType(allowed))

    def _nearest(self, action: str) -> Rule | None:
        return next((r for r in self._snapshot.rules if r.action == action and r.effect == "allow"), None)

    def _path(self, held: Collection[str], target: str) -> tuple[str, ...]:
        """The shortest chain of links from one of the roles to the role a rule names."""
        waiting: deque[tuple[str, ...]] = deque((role,) for role in sorted(held))
        while waiting:
            path = waiting.popleft()
            if path[-1] == target:
                return path
            waiting.extend((*path, link.inherits) for link in self._snapshot.links if link.role == path[-1])
        return ()


class CasbinGrants:
    """Who may do what in each tenant: all tenants hold the product's own snapshot."""

    def __init__(self, table: Table) -> None:
        self.table = table

    @classmethod
    def load(cls, actions: Iterable[str]) -> CasbinGrants:
        """The grants of the product's own file, compiled for the actions its operations and fields ask for.

        Raises: Malformed naming the line that is wrong.
        """
        wanted = tuple(actions)
        snapshot = adapter.read(adapter.RULES.read_text(encoding="utf-8"), actions=wanted)
        return cls(Table.compile(snapshot, actions=wanted))

    def rights(self, actor: Actor) -> Rights:
        """The rights of an actor's roles; interned, a look-up."""
        return self.table.rights(actor.roles)


def _cell(rules: Iterable[Rule], action: str) -> Cell:
    """What the rules a role meets say about an action, deny first."""
    speaking = [rule for rule in rules if rule.action == action]
    for effect, word in ((Effect.DENY, "deny"), (Effect.ALLOW, "allow")):
        for rule in speaking:
            if rule.effect == word:
                return Cell(effect, rule)
    return _NOTHING
