"""A company begins: its tenant, and the credit policy it starts with (Ch.2, Ch.9)."""

from __future__ import annotations

from dataclasses import replace

from domain.actors import Actor
from domain.assessment.policies import first
from domain.assessment.version_one import VERSION_ONE
from domain.custody.rules import RULES
from domain.custody.shown import shown
from domain.errors import Conflict, Malformed
from domain.files.days import zone_of
from domain.files.parties import Tenant
from domain.operations import Decided, Operation, operation
from domain.ports import Unit

MAX_NAME = 200


@operation("tenant:administer", chapter="2, 9")
class OpenTenant(Operation[Tenant]):
    """Opens the caller's company: from now on it runs the standard, under version 1 of the credit policy (Ch.2)."""

    name: str
    """The company's name."""
    time_zone: str = "Asia/Shanghai"
    """The time zone its days are counted in, such as Asia/Shanghai."""

    def checked_name(self) -> str:
        """The name as it is kept. A company that cannot be has no log to be refused in, so this may be asked before.

        Chapter: 2.
        Raises:  Malformed for a name or a time zone that cannot be.
        """
        name = self.name.strip()
        if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
            raise Malformed(f"A company's name has 1 to {MAX_NAME} printable characters.", path=("name",))
        if zone_of(self.time_zone) is None:
            raise Malformed(
                "The time zone is not known.", advice="Use a name such as Asia/Shanghai or UTC.", path=("timeZone",)
            )
        return name

    def decide(self, unit: Unit, actor: Actor) -> Decided[Tenant]:
        """A company is opened once; its credit policy is in force from that instant.

        Chapter: 2, 9.
        """
        name = self.checked_name()
        if unit.find(Tenant):
            raise Conflict("The company is open already.", advice="Nothing is left to do: use it.")
        stamp = replace(unit.stamp(Tenant), id=actor.tenant, subject_id=actor.tenant)
        tenant = Tenant(stamp=stamp, name=name, time_zone=self.time_zone)
        unit.add([tenant])
        policy = first(unit, VERSION_ONE)
        unit.add([policy])
        unit.add([shown(unit, rule, actor.tenant) for rule in RULES])
        return Decided(value=tenant, policy=policy.content_digest, resources=(tenant.id, policy.id))
