"""A snapshot of the grants is immutable and named by its content; it enters Casbin as columns, never as text.

The published adapters join columns to a line and parse it again: a value with a comma then becomes other columns,
and somebody gains a role. Here identifiers are letters and underscores, a snapshot is valid as a whole or not at
all, and there is nothing to remove: new grants are a new snapshot.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casbin import Enforcer, Model
from casbin.persist import Adapter

from authz.roles import ROLES
from domain import canonical
from domain.errors import Malformed

RULES = Path(__file__).with_name("rules.csv")
MODEL = Path(__file__).with_name("model.conf")
LONGEST_PATH = 9
"""How many links Casbin follows from a role; it would silently ignore a deny behind a longer path."""

_IDENTIFIER = re.compile(r"[a-z_]+")
_RULE_ID = re.compile(r"[a-z]{2}-[0-9]{2,4}")
_EFFECTS = ("allow", "deny")
_RULE_COLUMNS = 7
_LINK_COLUMNS = 3

# Casbin logs what it denies at WARNING; its three child loggers take their level from this one.
logging.getLogger("casbin").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of grants: a role may, or must never, do one action."""

    role: str
    object: str
    verb: str
    effect: str
    """`allow` or `deny`."""
    id: str
    why: str

    @property
    def action(self) -> str:
        """The action as operations name it."""
        return f"{self.object}:{self.verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A role also has the grants of another."""

    role: str
    inherits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Grants that were checked as a whole; two snapshots with the same version say the same."""

    rules: tuple[Rule, ...]
    links: tuple[Link, ...]

    @property
    def version(self) -> str:
        """The SHA-256 of the content, in hex: what audit entries name."""
        rules = [[r.role, r.object, r.verb, r.effect, r.id, r.why] for r in self.rules]
        return canonical.digest({"rules": rules, "links": [[link.role, link.inherits] for link in self.links]})


class SnapshotAdapter(Adapter):  # type: ignore[misc]  # casbin ships no types
    """Puts a snapshot into a Casbin model, column by column, once for each domain."""

    def __init__(self, snapshot: Snapshot, domains: Iterable[str]) -> None:
        self._snapshot = snapshot
        self._domains = tuple(domains)

    def load_policy(self, model: Any) -> None:
        """Fills an empty model; the rules of a domain never match in another."""
        for domain in self._domains:
            for rule in self._snapshot.rules:
                model.add_policy("p", "p", [rule.role, domain, rule.object, rule.verb, rule.effect])
            for link in self._snapshot.links:
                model.add_policy("g", "g", [link.role, link.inherits, domain])


def enforcer(snapshot: Snapshot, domains: Iterable[str]) -> Any:
    """Casbin over a snapshot, for compiling a table and for checking one; requests never reach it.

    Raises: Malformed when there is no domain, since Casbin allows everything to everybody without rules.
    """
    names = tuple(domains)
    if not names or not all(names):
        raise Malformed("Grants are enforced in named domains.")
    model = Model()
    model.load_model(str(MODEL))
    return Enforcer(model, SnapshotAdapter(snapshot, names))


def read(text: str, *, actions: Collection[str], roles: Collection[str] = ROLES) -> Snapshot:
    """The snapshot a grants file describes.

    Raises: Malformed naming the line, when anything in it is unknown, doubled or not well formed.
    """
    rules: list[Rule] = []
    links: list[Link] = []
    for number, cells in _lines(text):
        if cells[0] == "p" and len(cells) == _RULE_COLUMNS:
            rules.append(
                Rule(role=cells[1], object=cells[2], verb=cells[3], effect=cells[4], id=cells[5], why=cells[6])
            )
        elif cells[0] == "g" and len(cells) == _LINK_COLUMNS:
            links.append(Link(role=cells[1], inherits=cells[2]))
        else:
            raise _wrong("The columns are: p, role, object, action, effect, rule id, why; or g, role, role", number)
    return check(Snapshot(rules=tuple(rules), links=tuple(links)), actions=actions, roles=roles)


def check(snapshot: Snapshot, *, actions: Collection[str], roles: Collection[str] = ROLES) -> Snapshot:
    """The snapshot, when it is valid as a whole.

    Raises: Malformed naming the first thing that is wrong.
    """
    if not snapshot.rules:
        raise Malformed("The grants are empty: Casbin would allow what it cannot compare.")
    for rule in snapshot.rules:
        _check_rule(rule, actions, roles)
    for link in snapshot.links:
        for role in (link.role, link.inherits):
            _known(role, roles, "role", f"the link of {link.role!r}")
    _once((rule.id for rule in snapshot.rules), "rule id")
    _once(((rule.role, rule.action) for rule in snapshot.rules), "rule")
    _once(((link.role, link.inherits) for link in snapshot.links), "link")
    _check_depth(snapshot.links)
    return snapshot


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, [cell.strip() for cell in line.split(",")]


def _check_rule(rule: Rule, actions: Collection[str], roles: Collection[str]) -> None:
    place = f"rule {rule.id!r}"
    if not _RULE_ID.fullmatch(rule.id):
        raise _wrong("A rule id is two letters, a hyphen and a number", place)
    if rule.effect not in _EFFECTS:
        raise _wrong("The effect is allow or deny", place)
    if not rule.why:
        raise _wrong("A rule says why", place)
    _known(rule.role, roles, "role", place)
    for name in (rule.object, rule.verb):
        if not _IDENTIFIER.fullmatch(name):
            raise _wrong(f"{name!r} is not an identifier of letters a to z and underscores", place)
    if rule.action not in actions:
        raise _wrong(f"No operation and no field asks for the action {rule.action!r}", place)


def _known(name: str, known: Collection[str], kind: str, place: str) -> None:
    if not _IDENTIFIER.fullmatch(name) or name not in known:
        raise _wrong(f"{name!r} is not a {kind}", place)


def _once(values: Iterable[object], what: str) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise Malformed(f"The grants name the {what} {value!r} twice.")
        seen.add(value)


def _check_depth(links: Iterable[Link]) -> None:
    above: dict[str, list[str]] = {}
    for link in links:
        above.setdefault(link.role, []).append(link.inherits)
    for role in above:
        reached = {role}
        for _ in range(LONGEST_PATH + 1):
            reached = {name for lower in reached for name in above.get(lower, ())}
        if reached:
            raise Malformed(f"The role {role!r} inherits in a circle, or over more than {LONGEST_PATH} links.")


def _wrong(message: str, place: object) -> Malformed:
    where = f"line {place}" if isinstance(place, int) else str(place)
    return Malformed(f"{message}: {where} of the grants.", path=("grants", where))
