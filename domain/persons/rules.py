"""Rules about the access of persons are data of the company: proposed by one person, put in force by another.

A rule in force is superseded by a newer one about the same thing. What a rule gives may be taken back by one person;
what a rule limits is loosened by a newer rule alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from domain.actors import Actor
from domain.errors import Code, Conflict, Malformed
from domain.files.parties import Tenant
from domain.ids import Id, prefix_of
from domain.operations import Decided, Operation, operation
from domain.persons.duties import Apart, Duty
from domain.persons.reach import Extent
from domain.ports import Unit
from domain.records import Record, fact, record


class RuleState(Enum):
    """PROPOSED → IN_FORCE or REJECTED; IN_FORCE → RETIRED, by a newer rule or by hand."""

    PROPOSED = "PROPOSED"
    """It waits for another person, and changes nothing yet."""
    IN_FORCE = "IN_FORCE"
    """It is what the company says."""
    REJECTED = "REJECTED"
    """It was not put in force."""
    RETIRED = "RETIRED"
    """It is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled(Record):
    """A rule about access, and where it stands."""

    state: RuleState = fact("Where it stands. Ch.8 §1", default=RuleState.PROPOSED, filter=True)
    proposed_by: str = fact("Who proposed it. Ch.8 §1", filter=True)
    decided_by: str | None = fact("Who decided on it, or retired it. Ch.8 §1", default=None)


@record("re", table="role_reach", read="access_rule:read", subject_reach=False)
class RoleReach(Ruled):
    """How far a role reaches: all customers, those of a department, or those one looks after (Ch.8 §1)."""

    role: str = fact("The role. Ch.8 §1", filter=True)
    extent: Extent = fact("Which customers it reaches. Ch.8 §1", filter=True)


@record("rm", table="role_claim", read="access_rule:read", subject_reach=False)
class RoleClaim(Ruled):
    """Which role a value of a claim gives, in tokens of one issuer and of this company (Ch.8 §1)."""

    issuer: str = fact("The issuer. Ch.8 §1", filter=True)
    claim: str = fact("Where the value stands in a token, such as `groups` or `realm_access.roles`. Ch.8 §1")
    value: str = fact("The value. Ch.8 §1")
    role: str = fact("The role it gives. Ch.8 §1", filter=True)


@record("sv", table="service_account", read="access_rule:read", subject_reach=False)
class ServiceAccount(Ruled):
    """A program of the company that acts by itself, with roles of its own (Ch.8 §1)."""

    issuer: str = fact("The issuer of its tokens. Ch.8 §1", filter=True)
    client: str = fact("How that issuer calls it: its client id. Ch.8 §1", filter=True)
    roles: tuple[str, ...] = fact("Its roles. Ch.8 §1")
    purpose: str = fact("What it is for, and who answers for it. Ch.8 §1")


@record("tq", table="training_requirement", read="access_rule:read", subject_reach=False)
class TrainingRequirement(Ruled):
    """Which course an action needs (Ch.8 §4); without one in force an action needs none."""

    action: str = fact("The action, such as `reveal:financial`. Ch.8 §4", filter=True)
    course: str = fact("The course. Ch.8 §4", filter=True)
    required: bool = fact("Whether it is needed; a rule that says no ends one that said yes. Ch.8 §4")


@record("gl", table="glass_rule", read="access_rule:read", subject_reach=False)
class GlassRule(Ruled):
    """What a role may give itself for a short time in an emergency, to be reviewed afterwards (Ch.8 §1)."""

    role: str = fact("The role. Ch.8 §1", filter=True)
    action: str = fact("The action. Ch.8 §1", filter=True)
    most_minutes: int = fact("For how many minutes at most. Ch.8 §1")


@dataclass(frozen=True, slots=True)
class Kind:
    """How rules of one kind follow one another."""

    record: type[Ruled]
    key: tuple[str, ...]
    """Rules that agree in these facts are about the same thing."""
    gives: bool
    """Whether it gives access: then one person may take it back."""


KINDS: Final = {
    one.record.shape.prefix: one
    for one in (
        Kind(RoleReach, ("role",), gives=False),
        Kind(RoleClaim, ("issuer", "claim", "value", "role"), gives=True),
        Kind(ServiceAccount, ("issuer", "client"), gives=True),
        Kind(TrainingRequirement, ("action", "course"), gives=False),
        Kind(GlassRule, ("role", "action"), gives=True),
    )
}
"""Every kind of rule, by the prefix of its ids."""

_APART: Final = Apart(by="rule", duty=Duty.AUTHOR_NOT_APPROVER)


class _Deciding:
    """A decision of another person than the one who proposed the rule."""

    __slots__ = ()
    rule: Id

    def hands(self, unit: Unit) -> Iterator[str]:
        """Who proposed it.

        Chapter: 8.1.
        """
        yield unit.get(kind_of(self.rule).record, self.rule).proposed_by


@operation("access_rule:approve", chapter="8.1", apart=_APART, settles=True)
class ApproveAccessRule(_Deciding, Operation[Ruled]):
    """Puts a rule about access in force that another person proposed; it supersedes the one before (Ch.8 §1)."""

    rule: Id
    """The rule, which waits for a decision. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Ruled]:
        """Of rules about the same thing one is in force.

        Chapter: 8.1.
        """
        unit.find(Tenant, lock=True)  # two that are approved at once follow one another
        kind, found = kind_of(self.rule), _waiting(unit, self.rule)
        same = {name: getattr(found, name) for name in kind.key}
        for older in unit.find(kind.record, lock=True, state=RuleState.IN_FORCE, **same):
            unit.replace(replace(older, state=RuleState.RETIRED, decided_by=actor.person))
        return told(unit.replace(replace(found, state=RuleState.IN_FORCE, decided_by=actor.person)))


@operation("access_rule:approve", chapter="8.1", apart=_APART)
class RejectAccessRule(_Deciding, Operation[Ruled]):
    """Rejects a rule about access that another person proposed (Ch.8 §1)."""

    rule: Id
    """The rule, which waits for a decision. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Ruled]:
        """Who could approve it may reject it.

        Chapter: 8.1.
        """
        found = _waiting(unit, self.rule)
        return told(unit.replace(replace(found, state=RuleState.REJECTED, decided_by=actor.person)))


@operation("access_rule:retire", chapter="8.1", settles=True)
class RetireAccessRule(Operation[Ruled]):
    """Takes back at once what a rule gives, such as the role of a claim or a service account (Ch.8 §1)."""

    rule: Id
    """The rule, which is in force. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Ruled]:
        """One person is enough to take access away; a limit is loosened by a newer rule, which takes two.

        Chapter: 8.1.
        """
        kind = kind_of(self.rule)
        if not kind.gives:
            raise Malformed(
                "This rule limits access, and is not simply taken away.",
                code=Code.INVALID_TRANSITION,
                advice="Propose a newer rule about the same thing, and have another person approve it.",
                path=("rule",),
            )
        found = unit.get(kind.record, self.rule, lock=True)
        if found.state is not RuleState.IN_FORCE:
            raise Conflict("The rule is not in force.", advice="Nothing is left to do.", path=("rule",))
        return told(unit.replace(replace(found, state=RuleState.RETIRED, decided_by=actor.person)))


def kind_of(rule: Id) -> Kind:
    """The kind of a rule, by its id.

    Chapter: 8.1.
    Raises:  Malformed.
    """
    kind = KINDS.get(prefix_of(rule))
    if kind is None:
        raise Malformed("This is no rule about access.", advice="Send the id of one.", path=("rule",))
    return kind


def told(rule: Ruled) -> Decided[Ruled]:
    """A rule as the end of an operation.

    Chapter: 8.1.
    """
    return Decided(value=rule, resources=(rule.id,))


def _waiting(unit: Unit, rule: Id) -> Ruled:
    found = unit.get(kind_of(rule).record, rule, lock=True)
    if found.state is not RuleState.PROPOSED:
        raise Conflict("The rule does not wait for a decision.", path=("rule",))
    return found
