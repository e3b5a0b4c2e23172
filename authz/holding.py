"""Which grants decide in which company, as this process knows it: swapped by one reference, never older than a lease.

An operation keeps the rights it began with. Whoever asks first after a lease is over looks the version in force up and
waits; others that come meanwhile wait with it. Without an answer nobody is decided on.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from authz.release import Release
from authz.table import Table
from domain.actors import Actor, Rights
from domain.errors import CreditError, Tampered
from domain.grants import content
from domain.grants.changing import Weighed
from domain.grants.content import Snapshot
from domain.grants.explaining import GrantExplanation
from domain.grants.snapshots import Standing, Version, in_force
from domain.ids import Id
from domain.ports import Clock

LEASE: Final = 1.0
"""For how many seconds a process goes by what it looked up: no request that begins rests on older grants."""
COMPILED: Final = 64
"""How many versions are kept compiled besides those that companies hold."""


class Kept(Protocol):
    """The versions of companies, as the store has them now."""

    async def standing(self, tenant: Id) -> Sequence[Standing]:
        """The versions that are in force or approved."""
        ...

    async def content(self, tenant: Id, version: Id) -> Version:
        """What a version says.

        Raises: NotFound.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    table: Table
    until: float
    """Until when this process goes by it."""


class TenantGrants:
    """Who may do what in each company: its own version, or the product's where it has none."""

    def __init__(
        self,
        release: Release,
        kept: Kept,
        clock: Clock,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        lease: float = LEASE,
    ) -> None:
        self.release, self.product = release, release.table()
        self._kept, self._clock = kept, clock
        self._monotonic, self._lease = monotonic, lease
        self._held: dict[Id, _Held] = {}
        self._looking: dict[Id, asyncio.Lock] = {}
        self._compiled: OrderedDict[str, Table] = OrderedDict()

    @classmethod
    def load(cls, actions: Iterable[str], kept: Kept, clock: Clock) -> TenantGrants:
        """The grants of companies over the product's own file.

        Raises: Malformed naming the line that is wrong.
        """
        return cls(Release(actions), kept, clock)

    async def notice(self, tenant: Id) -> None:
        """Takes notice of the version in force, where what is known is older than the lease.

        Raises: Unavailable where it cannot be looked up; Tampered where it is not what its digest names.
        """
        held = self._held.get(tenant)
        if held is None or self._monotonic() >= held.until:
            await self._look_up(tenant)

    def rights(self, actor: Actor) -> Rights:
        """The rights of an actor's roles in its company, which was taken notice of before; interned, a look-up."""
        return self._held[actor.tenant].table.rights(actor.roles)

    async def table(self, tenant: Id) -> Table:
        """The decision table of a company, as it is in force.

        Raises: Unavailable; Tampered.
        """
        await self.notice(tenant)
        return self._held[tenant].table

    async def texts(self, tenant: Id) -> tuple[str, str]:
        """The rules and the tests that are in force in a company, as somebody changes them to propose others.

        Raises: Unavailable; Tampered.
        """
        found = in_force(await self._kept.standing(tenant), self._clock.now())
        if found is None:
            return self.release.rules, self.release.tests
        kept = await self._content(tenant, found.id)
        return content.written(kept.snapshot), kept.tests

    async def explain(self, tenant: Id, roles: Iterable[str], action: str) -> GrantExplanation:
        """Why roles may do something in a company, or may not, by the grants in force.

        Raises: Unavailable; Tampered.
        """
        return (await self.table(tenant)).explain(roles, action)

    async def weigh(self, tenant: Id, rules: str, tests: str) -> Weighed:
        """Proposed texts, compiled beside the grants that they would follow.

        Raises: Malformed naming the place; Unavailable.
        """
        return await self._beside(tenant, await asyncio.to_thread(self.release.table, rules), tests)

    async def weigh_kept(self, tenant: Id, version: Id) -> Weighed:
        """A version that is kept, compiled beside the grants that it would follow.

        Raises: NotFound; Tampered; Malformed where this release does not know what it names; Unavailable.
        """
        kept = await self._content(tenant, version)
        checked = content.check(kept.snapshot, actions=self.product.actions, roles=self.product.roles)
        return await self._beside(tenant, await asyncio.to_thread(self._compile, checked), kept.tests)

    async def _beside(self, tenant: Id, proposed: Table, tests: str) -> Weighed:
        standing = await self._kept.standing(tenant)
        last = max(standing, key=lambda one: (one.effective_at, one.id), default=None)
        base = self.product if last is None else await self._table(tenant, last)
        read = await asyncio.to_thread(self.release.cases, [tests])
        return Weighed(proposed=proposed, base=base, cases=read, product=self.product.version)

    async def _look_up(self, tenant: Id) -> None:
        async with self._looking.setdefault(tenant, asyncio.Lock()):
            held, now = self._held.get(tenant), self._monotonic()
            if held is not None and now < held.until:
                return
            found = in_force(await self._kept.standing(tenant), self._clock.now())
            table = self.product if found is None else await self._table(tenant, found)
            # The lease is counted from before the look-up: what is in force later is not overlooked for longer.
            self._held[tenant] = _Held(table, now + self._lease)

    async def _table(self, tenant: Id, standing: Standing) -> Table:
        known = self._compiled.get(standing.version)
        if known is not None:
            self._compiled.move_to_end(standing.version)
            return known
        kept = await self._content(tenant, standing.id)
        if kept.digest != standing.version:
            raise _not_its_own()
        table = await asyncio.to_thread(self._compile, kept.snapshot)
        self._compiled[table.version] = table
        while len(self._compiled) > COMPILED:
            self._compiled.popitem(last=False)
        return table

    async def _content(self, tenant: Id, version: Id) -> Version:
        kept = await self._kept.content(tenant, version)
        if kept.snapshot.version != kept.digest:
            raise _not_its_own()
        return kept

    def _compile(self, snapshot: Snapshot) -> Table:
        return Table.of(snapshot, actions=self.product.actions, roles=self.product.roles)


def _not_its_own() -> CreditError:
    return Tampered("The grants in the store are not the ones their digest names.")
