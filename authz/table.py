"""The decision table is what Casbin says about every role and action, computed once; a decision is a look-up.

Casbin's own `has_link` decides which rules a role meets, so the table equals `enforce` for every combination of
roles. The enforcer lives only while a table is compiled: no name from a request reaches it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType

from authz import adapter
from authz.roles import ROLES
from domain import canonical
from domain.actors import Rights
from domain.grants import content
from domain.grants.content import GrantRule, Snapshot
from domain.grants.effects import NOTHING, Cell, Effect
from domain.grants.explaining import GrantExplanation
from domain.grants.separation import OUTSIDE

COMBINATIONS = 1024
"""How many combinations of roles keep their rights at hand; a company uses a few dozen."""

_DOMAIN = "tenant"
"""Stands in Casbin for each tenant that holds the snapshot, so that one table serves them all."""


class Table:
    """The grants of one snapshot: role × action, and the combinations of roles in use."""

    def __init__(
        self,
        snapshot: Snapshot,
        cells: Mapping[tuple[str, str], Cell],
        *,
        actions: Collection[str],
        roles: Collection[str],
    ) -> None:
        self.snapshot = snapshot
        self.version = snapshot.version
        self.roles = tuple(roles)
        self.actions = tuple(actions)
        self._cells = cells
        self._known = frozenset(roles)
        self._rights = lru_cache(maxsize=COMBINATIONS)(self._combine)

    @classmethod
    def compile(cls, snapshot: Snapshot, *, actions: Iterable[str], roles: Collection[str] = ROLES) -> Table:
        """The table of a snapshot for every action of the product.

        Raises: Malformed when the snapshot is not valid.
        """
        wanted = tuple(dict.fromkeys(actions))
        content.check(snapshot, actions=wanted, roles=roles)
        return cls.of(snapshot, actions=wanted, roles=roles)

    @classmethod
    def of(cls, snapshot: Snapshot, *, actions: Iterable[str], roles: Collection[str] = ROLES) -> Table:
        """The table of a snapshot that was checked once, by this release or by an earlier one.

        What it says of actions that nothing asks for any more is said to nobody.
        """
        own: dict[str, list[GrantRule]] = {role: [] for role in roles}
        for rule in snapshot.rules:
            own.setdefault(rule.role, []).append(rule)
        place = {rule.id: number for number, rule in enumerate(snapshot.rules)}
        has_link = adapter.enforcer(snapshot, (_DOMAIN,)).get_role_manager().has_link
        cells: dict[tuple[str, str], Cell] = {}
        for role in roles:
            met = [rule for name in roles if has_link(role, name, _DOMAIN) for rule in own[name]]
            # A deny before every allow, and otherwise the rule that stands first.
            met.sort(key=lambda rule: (rule.effect != "deny", place[rule.id]))
            for rule in met:
                effect = Effect.DENY if rule.effect == "deny" else Effect.ALLOW
                cells.setdefault((role, rule.action), Cell(effect, rule))
        return cls(snapshot, cells, actions=tuple(dict.fromkeys(actions)), roles=roles)

    def cell(self, role: str, action: str) -> Cell:
        """The decision for one role; NONE for a role or an action that does not exist."""
        return self._cells.get((role, action), NOTHING)

    def decide(self, roles: Iterable[str], action: str) -> Cell:
        """The decision for a combination of roles: a deny of any outweighs every allow."""
        cells = [self.cell(role, action) for role in sorted(roles)]
        for effect in (Effect.DENY, Effect.ALLOW):
            for cell in cells:
                if cell.effect is effect:
                    return cell
        return NOTHING

    def rights(self, roles: frozenset[str]) -> Rights:
        """The interned rights of a combination of roles; roles that do not exist have none."""
        return self._rights(roles if roles <= self._known else roles & self._known)

    def explain(self, roles: Iterable[str], action: str) -> GrantExplanation:
        """Why a combination of roles may or may not do an action."""
        held = frozenset(roles) & self._known
        cell = self.decide(held, action)
        path = self._path(held, cell.rule.role) if cell.rule else ()
        nearest = None if cell.effect is Effect.ALLOW else self._nearest(action)
        return GrantExplanation.of(action, cell, path=path, nearest=nearest, version=self.version)

    def matrix(self) -> dict[str, dict[str, Cell]]:
        """Action → role → decision: the page an auditor reads."""
        return {action: {role: self.cell(role, action) for role in self.roles} for action in self.actions}

    def _combine(self, roles: frozenset[str]) -> Rights:
        decided = {action: self.decide(roles, action) for action in self.actions}
        allowed = {a: c.rule.id for a, c in decided.items() if c.effect is Effect.ALLOW and c.rule is not None}
        # The id is made of the content, so that equal rights have equal ids in every process.
        content = canonical.encode({"version": self.version, "allowed": allowed})
        number = int.from_bytes(sha256(content).digest()[:8], "big")
        denied = frozenset(action for action, cell in decided.items() if cell.effect is Effect.DENY)
        return Rights(id=number, version=self.version, allowed=MappingProxyType(allowed), denied=denied)

    def _nearest(self, action: str) -> GrantRule | None:
        """A rule that allows an action, of a role that people of the company have where there is one."""
        allowing = [r for r in self.snapshot.rules if r.action == action and r.effect == "allow"]
        return min(allowing, key=lambda rule: rule.role in OUTSIDE, default=None)

    def _path(self, held: Collection[str], target: str) -> tuple[str, ...]:
        """The shortest chain of links from one of the roles to the role a rule names."""
        waiting: deque[tuple[str, ...]] = deque((role,) for role in sorted(held))
        while waiting:
            path = waiting.popleft()
            if path[-1] == target:
                return path
            waiting.extend((*path, link.inherits) for link in self.snapshot.links if link.role == path[-1])
        return ()
