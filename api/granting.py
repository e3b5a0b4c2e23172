"""Versions of the grants as the store has them: what says what may be done is read before the Gate, as tokens are.

What is read here decides and leaves nothing; who reads a version as a record passes the Gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from domain.actors import Actor, Rights
from domain.errors import Invalid, Malformed, NotFound, Tampered
from domain.gate import Plan
from domain.grants.changing import ApproveGrants, ProposeGrants, Weighed
from domain.grants.content import Snapshot
from domain.grants.effects import Compiled
from domain.grants.explaining import (
    ExplainGrants,
    GrantDecision,
    GrantExplanation,
    ReadGrantsMatrix,
    decisions,
    for_person,
)
from domain.grants.snapshots import (
    HELD,
    MOST,
    STANDING_STATES,
    Standing,
    Version,
    content,
    listing,
    standing,
    standing_of,
)
from domain.ids import Id
from domain.operations import Operation, Performed
from domain.ports import Clock, Readings, Scope, Steps, Store
from domain.reading import Reading, judge

T = TypeVar("T")
Asked = TypeVar("Asked", ProposeGrants, ApproveGrants)


class Granting(Protocol):
    """The grants of companies, and versions that are compiled beside those that they would follow."""

    async def notice(self, tenant: Id) -> None:
        """Takes notice of the grants in force."""
        ...

    async def table(self, tenant: Id) -> Compiled:
        """The grants in force.

        Raises: Unavailable.
        """
        ...

    async def explain(self, tenant: Id, roles: Iterable[str], action: str) -> GrantExplanation:
        """Why roles may do something, or may not, by the grants in force.

        Raises: Unavailable.
        """
        ...

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


class OneGate(Protocol):
    """The Gate, as operations and readings pass it."""

    async def perform(self, operation: Operation[T], actor: Actor, *, request: str = "") -> Performed[T]:
        """Carries out one operation as one transaction with one audit entry."""
        ...

    async def read(self, plan: Plan, actor: Actor, arguments: Sequence[Any], *, request: str = "") -> dict[str, Any]:
        """The answer of a plan, recorded before it leaves."""
        ...


class House(Protocol):
    """What is needed of the house."""

    @property
    def gate(self) -> OneGate:
        """The one gate."""
        ...

    @property
    def readings(self) -> Readings:
        """Compiles readings."""
        ...

    @property
    def grants(self) -> Granting:
        """The grants of companies."""
        ...

    def rights(self, actor: Actor) -> Rights:
        """The rights of an actor."""
        ...


async def planned(house: House, actor: Actor, reading: Reading) -> Plan:
    """A reading as an actor may carry it out now, also where nobody at a door took notice of the grants before.

    Raises: Unavailable.
    """
    await house.grants.notice(actor.tenant)
    judged = judge(reading, house.rights(actor))
    return Plan(judged=judged, steps=house.readings.prepare(judged))


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


async def explained(
    house: House, actor: Actor, action: str, roles: Sequence[str] | None, *, request: str = ""
) -> GrantExplanation:
    """Why an action is granted or not: to the caller, which its own token tells; to others, which is recorded.

    Raises: NotPermitted; Malformed; Unavailable.
    """
    rights = house.rights(actor)
    if roles is None:
        said = await house.grants.explain(actor.tenant, actor.roles, action)
        return for_person(said, rights, insider=actor.partner is None and actor.subject is None)
    asked = ExplainGrants(action=action, roles=tuple(roles))
    if not rights.missing(asked.actions):
        known = (await house.grants.table(actor.tenant)).roles
        for place, role in enumerate(roles):
            if role not in known:
                raise Malformed(f"{role} is not a role.", path=("roles", str(place)))
        asked = replace(asked, explanation=await house.grants.explain(actor.tenant, roles, action))
    return (await house.gate.perform(asked, actor, request=request)).value


async def matrix(house: House, actor: Actor, *, request: str = "") -> Sequence[GrantDecision]:
    """What the grants in force say, decision by decision, once it is recorded who reads it.

    Raises: NotPermitted; Unavailable.
    """
    await house.gate.perform(ReadGrantsMatrix(), actor, request=request)
    return decisions(await house.grants.table(actor.tenant))


async def versions(house: House, actor: Actor, version: str | None) -> list[Mapping[str, Any]]:
    """The versions of a company as a reader finds them, the oldest first; one where it is named.

    Raises: NotPermitted; Unavailable.
    """
    plan = await planned(house, actor, listing(named=version is not None))
    found: list[Mapping[str, Any]] = []
    after: str | None = None
    while True:
        asked = [MOST, after, *([version] if version is not None else [])]
        page = (await house.gate.read(plan, actor, asked, request="command"))[HELD]
        found += page["rows"]
        if not page["more"]:
            return found
        after = page["cursors"][-1]


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
