"""What is looked up about a person before the Gate is passed, and what follows from it.

The rules of a company are looked up together; what is set about one person only where a rule makes it matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.actors import Actor, Rights
from domain.ids import Id
from domain.persons.glass import BrokenGlass
from domain.persons.reach import Extent, extent_of, reach_of
from domain.persons.rules import RoleClaim, RoleReach, RuleState, ServiceAccount, TrainingRequirement
from domain.persons.staff import StaffMember
from domain.persons.standing import PLAIN, Glass, Lapse, Standing
from domain.persons.training import TrainingRecord
from domain.reading import Judged, Labelled, Level, Page, Reading, Slot, Where, judge
from domain.records import Record

MOST: Final = 10_000
"""How many rules, or courses of a person, are looked up at most."""
REACHES, CLAIMS, SERVICES, REQUIRED = "reaches", "claims", "services", "required"
MEMBERS, TRAININGS = "members", "trainings"
GLASSES: Final = "glasses"

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules about access that a company has in force."""

    extents: Mapping[str, Extent]
    claims: Mapping[tuple[str, str, str], frozenset[str]]
    """Issuer, claim and value → the roles they give."""
    services: Mapping[tuple[str, str], frozenset[str]]
    """Issuer and client → the roles of the program."""
    required: tuple[tuple[str, str], ...]
    """Actions, each with a course it needs."""

    def limits(self, roles: Iterable[str]) -> Extent:
        """How far some roles reach.

        Chapter: 8.1.
        """
        return extent_of(roles, self.extents) if self.extents else Extent.ALL

    def given(self, issuer: str, claimed: Iterable[tuple[str, str]]) -> frozenset[str]:
        """The roles that what a token claims gives; a value that no rule names gives none.

        Chapter: 8.1.
        """
        return frozenset(
            role for claim, value in claimed for role in self.claims.get((issuer, claim, value), frozenset())
        )


def ruling() -> Judged:
    """The reading of a company's rules about access.

    Chapter: 8.1.
    """
    return _reading(
        (REACHES, RoleReach, ("role", "extent"), _in_force()),
        (CLAIMS, RoleClaim, ("issuer", "claim", "value", "role"), _in_force()),
        (SERVICES, ServiceAccount, ("issuer", "client", "roles"), _in_force()),
        (REQUIRED, TrainingRequirement, ("action", "course", "required"), _in_force()),
    )


def asked_of_rules() -> Sequence[object]:
    """What that reading is asked.

    Chapter: 8.1.
    """
    return (MOST, RuleState.IN_FORCE.value)


def persons() -> Judged:
    """The reading of what is set about one person: slots for the size of a page and the name.

    Chapter: 8.1, 8.4.
    """
    person = (Where("person", "=", Slot(1)),)
    return _reading(
        (MEMBERS, StaffMember, ("department",), person),
        (TRAININGS, TrainingRecord, ("course", "valid_until"), person),
    )


def glasses() -> Judged:
    """The reading of one broken glass by its id, with the file it is about.

    Chapter: 8.1.
    """
    facts = ("id", "person", "subject_id", "actions", "ends_at")
    return _reading((GLASSES, BrokenGlass, facts, (Where("id", "=", Slot(1)),)))


def rules_of(rows: Rows) -> Rules:
    """The rules that were found.

    Chapter: 8.1.
    """
    claims: dict[tuple[str, str, str], frozenset[str]] = {}
    for row in rows[CLAIMS]:
        key = (row["issuer"], row["claim"], row["value"])
        claims[key] = claims.get(key, frozenset()) | {row["role"]}
    return Rules(
        extents={row["role"]: Extent(_word(row["extent"])) for row in rows[REACHES]},
        claims=claims,
        services={(row["issuer"], row["client"]): frozenset(row["roles"]) for row in rows[SERVICES]},
        required=tuple((row["action"], row["course"]) for row in rows[REQUIRED] if row["required"]),
    )


def standing_of(actor: Actor, rules: Rules, rows: Rows | None, glass: Glass | None) -> Standing:
    """The standing of an actor under the rules of its company, by what was found about it where that matters.

    Chapter: 8.1, 8.4.
    """
    extent, held = rules.limits(actor.roles), rows or {MEMBERS: (), TRAININGS: ()}
    department = next((row["department"] for row in held[MEMBERS]), None)
    until = {row["course"]: _instant(row["valid_until"]) for row in held[TRAININGS]}
    lapses = tuple(Lapse(action=action, course=course, until=until.get(course)) for action, course in rules.required)
    reach = reach_of(extent, actor.person, department)
    if reach is None and not lapses and glass is None:
        return PLAIN
    return Standing(reach=reach, lapses=lapses, glass=glass)


def matters(actor: Actor, rules: Rules) -> bool:
    """Whether what is set about one person makes a difference under the rules of its company.

    Chapter: 8.1, 8.4.
    """
    return bool(rules.required) or rules.limits(actor.roles) is Extent.DEPARTMENT


def glass_of(actor: Actor, rows: Rows) -> Glass | None:
    """The broken glass that an actor names, where it is its own.

    Chapter: 8.1.
    """
    for row in rows[GLASSES]:
        if row["person"] == actor.person:
            return Glass(
                id=Id(row["id"]),
                person=row["person"],
                customer=Id(row["subject_id"]),
                actions=tuple(row["actions"]),
                ends_at=_instant(row["ends_at"]),
            )
    return None


def _in_force() -> tuple[Where, ...]:
    return (Where("state", "=", Slot(1)),)


def _reading(*parts: tuple[str, type[Record], tuple[str, ...], tuple[Where, ...]]) -> Judged:
    """Lists of some records, read under no more than the actions that guard them."""
    levels = [
        Labelled(
            label,
            Level(
                shape=record.shape,
                facts=tuple(Labelled(name, name) for name in facts),
                where=where,
                page=Page(Slot(0), wants_cursors=False, maximum=MOST),
            ),
        )
        for label, record, facts, where in parts
    ]
    allowed = dict.fromkeys((record.shape.read for _, record, _, _ in parts), "")
    return judge(Reading(tuple(levels)), Rights(id=0, version="", allowed=allowed))


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def _instant(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
