"""Credence with rules taken out, to see what they cost: made here of its parts; the product has no such switch.

`UNGOVERNED=unaudited`: tokens, grants and tenants as ever, no entry. `UNGOVERNED=bare`: besides, whoever asks is
somebody who may read everything, and no statement knows a tenant; its database is one company's, with the indexes
such a database would have.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

from starlette.applications import Starlette

import api.app
import api.garbage
from api.app import House, open_house
from api.http.application import build_http
from api.http.ports import Published
from api.settings import load
from domain.actors import Actor, Credentials, Rights
from domain.gate import Plan
from domain.ids import Id
from domain.operations import OPERATIONS
from domain.ports import Draft, Fetch, Readings, Rows, Scope, Steps
from domain.reading import Judged
from vault.store import engines

BARE = os.environ["UNGOVERNED"] == "bare"
_TENANT_LITE = re.compile(r"(\w+\.)?tenant = \?(\d*)")
_TENANT = re.compile(r"(\w+\.)?tenant = (\$\d+)(::\w+)?( COLLATE \"C\")?")


class Unrecorded:
    """A gate that reads and records nothing."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.perform = house.gate.perform

    async def read(self, plan: Plan, actor: Actor, arguments: Sequence[Any], *, request: str = "") -> dict[str, Any]:
        """The answer of a plan that opens nothing."""
        del request
        steps = plan.steps
        scope = Scope(tenant=actor.tenant, partner=actor.partner, subject=actor.subject)
        run = steps.run(scope, arguments, self._house.clock.now())
        draft = await self._house.store.read(actor.tenant, run, alone=steps.alone, ledger=steps.ledger)
        assert not draft.sealed
        return draft.answer


@dataclass(frozen=True, slots=True)
class TenantlessSteps:
    """Steps whose statements find the rows of whoever is there."""

    steps: Steps

    @property
    def alone(self) -> bool:
        """As the steps are."""
        return self.steps.alone

    @property
    def ledger(self) -> bool:
        """As the steps are."""
        return self.steps.ledger

    def run(self, scope: Scope, arguments: Sequence[Any], now: Any) -> Generator[Fetch, Rows, Draft]:
        """The same statements without their tenant; the parameter stays, compared with nothing."""
        run = self.steps.run(scope, arguments, now)
        fetch = next(run)
        try:
            while True:
                rows = yield Fetch(_without(fetch.sql), fetch.parameters)
                fetch = run.send(rows)
        except StopIteration as end:
            return end.value


_KNOWN: dict[str, str] = {}


def _without(sql: str) -> str:
    known = _KNOWN.get(sql)
    if known is None:
        lite = _TENANT_LITE.sub(r"?\2 IS NOT NULL", sql)
        known = _KNOWN[sql] = _TENANT.sub(r"\2::text IS NOT NULL", lite)
        assert known != sql, sql
    return known


@dataclass(frozen=True, slots=True)
class Tenantless:
    """Compiles readings whose statements know no tenant."""

    readings: Readings

    def prepare(self, judged: Judged) -> Steps:
        """The steps of a reading."""
        return TenantlessSteps(self.readings.prepare(judged))


class Everybody:
    """Whoever asks is the same reader, whatever token comes along."""

    def __init__(self) -> None:
        self._actor = Actor(tenant=Id(os.environ["UNGOVERNED_TENANT"]), person="anybody", roles=frozenset())

    async def __call__(self, given: Credentials) -> Actor:
        """The one reader."""
        del given
        return self._actor

    async def again(self, given: Credentials, actor: Actor) -> Actor:
        """The one reader, again."""
        del given
        return actor

    async def nonce(self) -> str:
        """Nobody proves anything."""
        return ""

    async def refused(self, error: Any, given: Credentials, *, request: str = "") -> Mapping[str, str]:
        """Nobody is refused."""
        del error, given, request
        return {}


class Everything:
    """The grants of somebody who may do whatever is declared."""

    def __init__(self, house: House) -> None:
        known = {action for declared in OPERATIONS.values() for action in declared.actions}
        readable = house.grants.product.rights(frozenset({"credit_analyst"})).allowed
        self._rights = Rights(id=-1, version="all", allowed=dict.fromkeys(known | set(readable), "all"))

    async def notice(self, tenant: Id) -> None:
        """They never change."""

    def rights(self, actor: Actor) -> Rights:
        """Always everything."""
        del actor
        return self._rights


class Served:
    """The application of one server process, as `api.served.Served` is."""

    def __init__(self) -> None:
        self._open = AsyncExitStack()
        self._application: Starlette | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Requests, and the life of the server."""
        if scope["type"] != "lifespan":
            assert self._application
            await self._application(scope, receive, send)
            return
        await receive()
        if BARE:
            engines.ROLE = None  # the owner of the tables is under no row security
        house = await self._open.enter_async_context(open_house(load()))
        house = replace(house, gate=Unrecorded(house))
        authenticator: Any = api.app.authenticator(house)
        if BARE:
            house = replace(
                house, readings=Tenantless(house.readings), grants=Everything(house), adjusted=Everything(house)
            )
            authenticator = Everybody()
        _ = house.schema
        self._application = build_http(
            house, authenticator, probes={}, published=Published(keys=api.app.verify_certificate)
        )
        gc.collect()
        gc.freeze()
        gc.set_threshold(*api.garbage.GARBAGE)  # as ours
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._open.aclose()
        await send({"type": "lifespan.shutdown.complete"})


app = Served()
