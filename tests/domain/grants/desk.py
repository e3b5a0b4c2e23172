"""A company whose grants change, over a real store, with the real Gate and the product's own grants to begin with."""

from __future__ import annotations

from api.granting import KeptGrants, weighed
from api.graphql.operations import declared_actions
from authz.holding import TenantGrants
from authz.release import Release
from domain.actors import Actor
from domain.gate import Gate
from domain.grants.changing import ApproveGrants, ProposeGrants
from domain.grants.snapshots import GrantsSnapshot
from tests.world import TENANT
from vault.opening import VaultOpener
from vault.store.reading import SqlReadings

RELEASE = Release(declared_actions())
PRODUCT = RELEASE.table()
RULES, TESTS = RELEASE.rules, RELEASE.tests
FEW = "- name: Sales sees no log\n  roles: [sales]\n  may_not: {audit: [read]}\n"


class Process:
    """One process of a server: its own store, Gate and grants, over the database of others."""

    def __init__(self, world):
        self.world, self.moment = world, 0.0
        readings = SqlReadings(world.database.dialect, world.ring)
        kept = KeptGrants(world.store, readings, world.clock)
        self.grants = TenantGrants(RELEASE, kept, world.clock, monotonic=lambda: self.moment)
        self.gate = Gate(
            grants=self.grants,
            store=world.store,
            opener=VaultOpener(world.room),
            clock=world.clock,
            make=world.ids,
            signer=world.board,
        )

    def rights(self, actor):
        """The rights of an actor, as a request finds them."""
        self.world.loop(self.grants.notice(actor.tenant))
        return self.grants.rights(actor)

    def do(self, operation, actor):
        """The value of an operation, prepared as the interface prepares it."""

        async def work():
            await self.grants.notice(actor.tenant)
            asked = operation
            if isinstance(operation, ProposeGrants | ApproveGrants):
                asked = await weighed(House(self.grants), actor, operation)
            return await self.gate.perform(asked, actor, request="rq-1")

        return self.world.loop(work()).value

    def propose(self, rules, tests=FEW, person="chen", **more):
        """A version that somebody proposed."""
        return self.do(
            ProposeGrants(rules=rules, tests=tests, reason="a reason", **more), staff(person, "platform_admin")
        )

    def approve(self, draft, person="zhou"):
        """The version once another person approved it."""
        asked = ApproveGrants(snapshot=draft.id, changes_digest=draft.changes_digest)
        return self.do(asked, staff(person, "management"))

    def states(self):
        """Where each version stands, the oldest first."""
        return [one.state.value for one in self.world.current(GrantsSnapshot)]


class House:
    """What weighing needs of the house."""

    def __init__(self, grants):
        self.grants, self.rights = grants, grants.rights


def staff(person, *roles, tenant=TENANT):
    """Somebody of the company."""
    return Actor(tenant=tenant, person=person, roles=frozenset(roles))


def without(*ids, more=""):
    """The product's rules but some, and others instead."""
    lines = [line for line in RULES.splitlines() if not any(f", {one}," in line for one in ids)]
    assert len(lines) == len(RULES.splitlines()) - len(ids)
    return "\n".join(lines) + f"\n{more}\n"
