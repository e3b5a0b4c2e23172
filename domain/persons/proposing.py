"""Proposing rules about access: each is checked by itself, and changes nothing before another person approves it."""

from __future__ import annotations

from typing import Final, TypeVar

from domain.actors import Actor
from domain.errors import Code, Malformed
from domain.files.codes import required_text
from domain.operations import OPERATIONS, Decided, Operation, operation
from domain.persons.actions import asked_for
from domain.persons.reach import Extent
from domain.persons.roles import STAFF
from domain.persons.rules import GlassRule, RoleClaim, RoleReach, Ruled, ServiceAccount, TrainingRequirement
from domain.ports import Unit

T = TypeVar("T", bound=Ruled)

LONGEST_GLASS: Final = 24 * 60
"""Minutes: the longest that a glass may stay broken, whatever a rule says."""
NEVER_BROKEN: Final = frozenset({"access_rule", "break_glass", "audit", "grant", "grants", "tenant", "key", "training"})
"""What no emergency gives: access itself, the log, the keys."""


@operation("access_rule:propose", chapter="8.1")
class LimitRole(Operation[RoleReach]):
    """Proposes how far a role reaches: all customers, one's department's, or one's own (Ch.8 §1)."""

    role: str
    """The role, of the company's own people. Ch.8 §1"""
    extent: Extent
    """Which customers it is to reach. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[RoleReach]:
        """Every role of staff may be limited; it changes nothing yet.

        Chapter: 8.1.
        """
        rule = RoleReach(
            stamp=unit.stamp(RoleReach), role=staff_role(self.role), extent=self.extent, proposed_by=actor.person
        )
        return _added(unit, rule)


@operation("access_rule:propose", chapter="8.1")
class MapClaim(Operation[RoleClaim]):
    """Proposes which role a value of a claim gives in tokens of one issuer (Ch.8 §1)."""

    issuer: str
    """The issuer, exactly as its tokens name it. Ch.8 §1"""
    claim: str
    """Where the value stands in a token, such as `groups` or `realm_access.roles`. Ch.8 §1"""
    value: str
    """The value. Ch.8 §1"""
    role: str
    """The role it gives; never that of scheduled work, of a partner or of a customer. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[RoleClaim]:
        """A value that no rule names gives no role.

        Chapter: 8.1.
        """
        rule = RoleClaim(
            stamp=unit.stamp(RoleClaim),
            issuer=required_text(self.issuer, "issuer"),
            claim=required_text(self.claim, "claim"),
            value=required_text(self.value, "value"),
            role=staff_role(self.role),
            proposed_by=actor.person,
        )
        return _added(unit, rule)


@operation("access_rule:propose", chapter="8.1")
class RegisterServiceAccount(Operation[ServiceAccount]):
    """Proposes a program that acts by itself, with roles of its own; it is nobody's second person (Ch.8 §1)."""

    issuer: str
    """The issuer of its tokens, exactly as they name it. Ch.8 §1"""
    client: str
    """Its client id there. Ch.8 §1"""
    roles: tuple[str, ...]
    """Its roles, of the company's own people. Ch.8 §1"""
    purpose: str
    """What it is for, and who answers for it. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ServiceAccount]:
        """It has the roles that are named here, whatever its token says.

        Chapter: 8.1.
        """
        if not self.roles:
            raise Malformed("A service account has a role.", code=Code.MISSING_VALUE, path=("roles",))
        rule = ServiceAccount(
            stamp=unit.stamp(ServiceAccount),
            issuer=required_text(self.issuer, "issuer"),
            client=required_text(self.client, "client"),
            roles=tuple(dict.fromkeys(staff_role(role, "roles") for role in self.roles)),
            purpose=required_text(self.purpose, "purpose"),
            proposed_by=actor.person,
        )
        return _added(unit, rule)


@operation("access_rule:propose", chapter="8.4")
class RequireTraining(Operation[TrainingRequirement]):
    """Proposes that an action needs a course: without it the action is withdrawn from a person at once (Ch.8 §4)."""

    action: str
    """The action, such as `reveal:financial`. Ch.8 §4"""
    course: str
    """The course, by the name under which it is recorded. Ch.8 §4"""
    required: bool = True
    """Whether it is needed from now on; no ends a rule that said yes. Ch.8 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[TrainingRequirement]:
        """Where no rule is in force, no action needs a course.

        Chapter: 8.4.
        """
        rule = TrainingRequirement(
            stamp=unit.stamp(TrainingRequirement),
            action=known_action(self.action),
            course=required_text(self.course, "course"),
            required=self.required,
            proposed_by=actor.person,
        )
        return _added(unit, rule)


@operation("access_rule:propose", chapter="8.1")
class AllowBreakGlass(Operation[GlassRule]):
    """Proposes what a role may give itself in an emergency, for how long at most (Ch.8 §1)."""

    role: str
    """The role. Ch.8 §1"""
    action: str
    """The action; never an approval, nor what concerns access, the log or the keys. Ch.8 §1"""
    most_minutes: int
    """For how many minutes at most: 1 to 1,440. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[GlassRule]:
        """What takes two persons is not given to one by an emergency.

        Chapter: 8.1.
        """
        action = known_action(self.action)
        if not breakable(action):
            raise Malformed(
                "No emergency gives this action.",
                advice="Name one that reads or records; what takes two persons, access, the log and keys stay closed.",
                path=("action",),
            )
        if not 1 <= self.most_minutes <= LONGEST_GLASS:
            raise Malformed(f"A glass is broken for 1 to {LONGEST_GLASS} minutes.", path=("mostMinutes",))
        rule = GlassRule(
            stamp=unit.stamp(GlassRule),
            role=staff_role(self.role),
            action=action,
            most_minutes=self.most_minutes,
            proposed_by=actor.person,
        )
        return _added(unit, rule)


def breakable(action: str) -> bool:
    """Whether an emergency may give an action: none that takes two persons, and none that concerns access itself.

    Chapter: 8.1.
    """
    if action.partition(":")[0] in NEVER_BROKEN:
        return False
    return not any(one.apart is not None and action in one.actions for one in OPERATIONS.values())


def staff_role(role: str, place: str = "role") -> str:
    """A role of the company's own people.

    Chapter: 8.1.
    Raises:  Malformed.
    """
    if role not in STAFF:
        raise Malformed(
            "This is no role of the company's own people.", advice=f"There are {', '.join(STAFF)}.", path=(place,)
        )
    return role


def known_action(action: str) -> str:
    """An action that an operation, a record or a field asks for.

    Chapter: 8.1.
    Raises:  Malformed.
    """
    if action not in asked_for():
        raise Malformed("No operation and no field asks for this action.", advice="See `me`.", path=("action",))
    return action


def _added(unit: Unit, rule: T) -> Decided[T]:
    unit.add([rule])
    return Decided(value=rule, resources=(rule.id,))
