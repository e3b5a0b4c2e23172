"""What a version of the grants says, as data: it is valid as a whole or not at all, and named by its content.

Identifiers are letters and underscores, so that no value ever becomes other columns; there is nothing to remove, since
new grants are a new version.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from domain import canonical
from domain.errors import Malformed

LONGEST_PATH: Final = 9
"""How many links are followed from a role; beyond it a deny could be overlooked."""
MAX_RULES: Final = 10_000
"""Rules of one version, and links of it."""
MAX_WHY: Final = 200

_IDENTIFIER = re.compile(r"[a-z_]+")
_RULE_ID = re.compile(r"[a-z]{2}-[0-9]{2,4}")
_EFFECTS = ("allow", "deny")
_RULE_COLUMNS = 7
_LINK_COLUMNS = 3
_PLACE = ("rules",)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRule:
    """One line of grants: a role may, or must never, do one action (Ch.8 §1)."""

    role: str
    """The role. Ch.8 §1"""
    object: str
    """What is acted on. Ch.8 §1"""
    verb: str
    """What is done with it. Ch.8 §1"""
    effect: str
    """`allow` or `deny`; a deny outweighs every allow. Ch.8 §1"""
    id: str
    """The id of the rule; audit entries name it. Ch.8 §1"""
    why: str
    """Why it is granted or forbidden. Ch.8 §1"""

    @property
    def action(self) -> str:
        """The action as operations name it."""
        return f"{self.object}:{self.verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantLink:
    """A role also has the grants of another (Ch.8 §1)."""

    role: str
    """The role. Ch.8 §1"""
    inherits: str
    """The role whose grants it also has. Ch.8 §1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Grants that were checked as a whole; two snapshots with the same version say the same."""

    rules: tuple[GrantRule, ...]
    links: tuple[GrantLink, ...]

    @property
    def version(self) -> str:
        """The SHA-256 of the content, in hex: what audit entries name."""
        rules = [[r.role, r.object, r.verb, r.effect, r.id, r.why] for r in self.rules]
        return canonical.digest({"rules": rules, "links": [[link.role, link.inherits] for link in self.links]})


def read(text: str, *, actions: Collection[str], roles: Collection[str]) -> Snapshot:
    """The snapshot a grants file describes.

    Chapter: 8.1.
    Raises:  Malformed naming the line, when anything in it is unknown, doubled or not well formed.
    """
    rules: list[GrantRule] = []
    links: list[GrantLink] = []
    for number, cells in _lines(text):
        if cells[0] == "p" and len(cells) == _RULE_COLUMNS:
            rules.append(
                GrantRule(role=cells[1], object=cells[2], verb=cells[3], effect=cells[4], id=cells[5], why=cells[6])
            )
        elif cells[0] == "g" and len(cells) == _LINK_COLUMNS:
            links.append(GrantLink(role=cells[1], inherits=cells[2]))
        else:
            raise _wrong("The columns are: p, role, object, action, effect, rule id, why; or g, role, role", number)
    return check(Snapshot(rules=tuple(rules), links=tuple(links)), actions=actions, roles=roles)


def written(snapshot: Snapshot) -> str:
    """The file that describes a snapshot; to read it gives the snapshot back.

    Chapter: 8.1.
    """
    rules = (f"p, {r.role}, {r.object}, {r.verb}, {r.effect}, {r.id}, {r.why}\n" for r in snapshot.rules)
    links = (f"g, {link.role}, {link.inherits}\n" for link in snapshot.links)
    return "".join((*rules, *links))


def check(snapshot: Snapshot, *, actions: Collection[str], roles: Collection[str]) -> Snapshot:
    """The snapshot, when it is valid as a whole.

    Chapter: 8.1.
    Raises:  Malformed naming the first thing that is wrong.
    """
    known, held = frozenset(actions), frozenset(roles)
    if not snapshot.rules:
        raise Malformed("The grants are empty: without a rule nothing can be compared.", path=_PLACE)
    if len(snapshot.rules) > MAX_RULES or len(snapshot.links) > MAX_RULES:
        raise Malformed(f"A version of the grants has at most {MAX_RULES} rules, and as many links.", path=_PLACE)
    for rule in snapshot.rules:
        _check_rule(rule, known, held)
    for link in snapshot.links:
        for role in (link.role, link.inherits):
            _known(role, held, "role", f"the link of {link.role!r}")
    _once((rule.id for rule in snapshot.rules), "rule id")
    _once(((rule.role, rule.action) for rule in snapshot.rules), "rule")
    _once(((link.role, link.inherits) for link in snapshot.links), "link")
    _check_depth(snapshot.links)
    return snapshot


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, [cell.strip() for cell in line.split(",")]


def _check_rule(rule: GrantRule, actions: Collection[str], roles: Collection[str]) -> None:
    place = f"rule {rule.id!r}"
    if not _RULE_ID.fullmatch(rule.id):
        raise _wrong("A rule id is two letters, a hyphen and a number", place)
    if rule.effect not in _EFFECTS:
        raise _wrong("The effect is allow or deny", place)
    if not rule.why or len(rule.why) > MAX_WHY or not rule.why.isprintable() or "," in rule.why:
        raise _wrong(f"A rule says why, in at most {MAX_WHY} characters without a comma", place)
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
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise Malformed(f"The grants name the {what} {value!r} twice.", path=_PLACE)
        seen.add(value)


def _check_depth(links: Iterable[GrantLink]) -> None:
    above: dict[str, list[str]] = {}
    for link in links:
        above.setdefault(link.role, []).append(link.inherits)
    for role in above:
        reached = {role}
        for _ in range(LONGEST_PATH + 1):
            reached = {name for lower in reached for name in above.get(lower, ())}
        if reached:
            raise Malformed(
                f"The role {role!r} inherits in a circle, or over more than {LONGEST_PATH} links.", path=_PLACE
            )


def _wrong(message: str, place: object) -> Malformed:
    where = f"line {place}" if isinstance(place, int) else str(place)
    return Malformed(f"{message}: {where} of the grants.", path=_PLACE)
