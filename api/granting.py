"""Versions of the grants as the store has them: what says what may be done is read before the Gate, as tokens are.

What is read here decides and leaves nothing; who reads a version as a record passes the Gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from domain.actors import Actor, Rights
from domain.errors import Invalid, NotFound, Tampered
from domain.grants.changing import ApproveGrants, ProposeGrants, Weighed
from domain.grants.content import Snapshot
from domain.grants.snapshots import HELD, MOST, STANDING_STATES, Standing, Version, content, standing, standing_of
from domain.ids import Id
from domain.ports import Clock, Readings, Scope, Steps, Store

Asked = TypeVar("Asked", ProposeGrants, ApproveGrants)


class Weighing(Protocol):
    """Compiles grants beside those that they would follow."""

    async def weigh(self, tenant: Id, rules: str, tests: str) -> Weighed:
        """Proposed texts, compiled.

        Raises: Malformed naming the place; Unavailable.
        """
        ...

    async def weigh_kept(self, tenant: Id, version: Id) -> Weighed:
        """A version that is kept, compiled.

        Raises: NotFound; Tampered; Malformed; Unavailable.
        """
        ...


class House(Protocol):
    """What is needed of the house."""

    @property
    def grants(self) -> Weighing:
        """Compiles grants."""
        ...

    def rights(self, actor: Actor) -> Rights:
        """The rights of an actor."""
        ...


async def weighed(house: House, actor: Actor, asked: Asked) -> Asked:
    """An operation on grants with the versions it is about, compiled; why they cannot be is for the operation to say.

    For who may not do it nothing is compiled.
    """
    if house.rights(actor).missing(asked.actions):
        return asked
    try:
        if isinstance(asked, ProposeGrants):
            found = await house.grants.weigh(actor.tenant, asked.rules, asked.tests)
        else:
            found = await house.grants.weigh_kept(actor.tenant, asked.snapshot)
    except (Invalid, Tampered) as problem:
        return replace(asked, problem=problem)
    return replace(asked, weighed=found)


class KeptGrants:
    """Looks versions up in the store."""

    def __init__(self, store: Store, readings: Readings, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._standing, self._content = readings.prepare(standing()), readings.prepare(content())

    async def standing(self, tenant: Id) -> Sequence[Standing]:
        """The versions that are in force or approved: one look-up."""
        return standing_of(await self._rows(tenant, self._standing, [MOST, STANDING_STATES]))

    async def content(self, tenant: Id, version: Id) -> Version:
        """What a version says.

        Raises: NotFound.
        """
        rows = await self._rows(tenant, self._content, [1, version])
        if not rows:
            raise NotFound("There is no such version of the grants.", path=("snapshot",))
        row = rows[0]
        snapshot = Snapshot(rules=row["rules"], links=row["links"])
        return Version(snapshot, row["tests"], row["content_digest"])

    async def _rows(self, tenant: Id, steps: Steps, asked: Sequence[Any]) -> Sequence[Any]:
        run = steps.run(Scope(tenant=tenant), asked, self._clock.now())
        draft = await self._store.read(tenant, run, alone=steps.alone)
        return draft.answer[HELD]["rows"]  # type: ignore[no-any-return] # rows of a page
