"""The application that a server process serves, and how it begins and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from api import published
from api.app import INSTALLATION, Cosigning, House, LogKeys, authenticator, job, open_house
from api.garbage import settle
from api.http.answers import Edition
from api.http.application import build_http
from api.http.ports import Published
from api.jobs.cosigning import cosigning, keep_asking
from api.jobs.recalling import keep_delivering
from api.jobs.supervising import Supervisor
from api.log import set_log
from api.settings import Settings, load
from domain import ids
from domain.actors import Actor
from domain.errors import CreditError
from domain.ids import Id


class Served:
    """The application of one server process: it opens its house when the server starts and closes it at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open = AsyncExitStack()
        self._application: Starlette | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or starts and ends with the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._application is not None:
            await self._application(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            house = await self._open.enter_async_context(open_house(self._settings))
            _ = house.schema  # built before the first request waits for it
            witnesses = cosigning(house)
            self._application = application(house, witnesses)
            supervisor = Supervisor(house)
            self._open.push_async_callback(supervisor.report)  # the last thing, once nothing is opened any more
            self._open.push_async_callback(ended, asyncio.create_task(supervisor.keep_watching()))
            self._open.push_async_callback(ended, asyncio.create_task(keep_delivering(house, recalls_of)))
            self._open.push_async_callback(ended, asyncio.create_task(keep_asking(house, witnesses)))
            settle()
        except CreditError as error:
            await send({"type": "lifespan.startup.failed", "message": f"{error.message} {error.advice}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._application = None
        await self._open.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def recalls_of(tenant: Id) -> Actor:
    """Who sends the recalls of a company."""
    return job(tenant, "recalls")


async def ended(task: asyncio.Task[None]) -> None:
    """Breaks a task off and waits until it is over; what it was sending is sent again once its lease has run out."""
    task.cancel()
    await asyncio.wait([task])


def create() -> Served:
    """The application as a server with several processes makes it, each for itself, from the environment."""
    settings = load()
    set_log(settings.log)
    return Served(settings)


def application(house: House, witnesses: Cosigning | None = None) -> Starlette:
    """What a server of this house answers."""

    async def database() -> None:
        await house.store.tenants()

    async def keys() -> None:
        await asyncio.to_thread(house.provider.health)

    async def head() -> None:
        await house.store.checkpoint(INSTALLATION)

    async def public(company: str) -> Mapping[str, Any]:
        """The keys of one company, for its log and its statements; who else is served here is nobody's business."""
        tenant = ids.check(company, "te") if company else INSTALLATION
        log = await house.log_keys(tenant) if tenant in await house.store.tenants() else LogKeys([], [])
        statements = await house.statements.metadata(tenant) if company and log.pinned else None
        issuer = house.issuer.jwks() if house.issuer else None
        return {"issuer": issuer, "logs": log.pinned, "handovers": log.handovers, "statements": statements}

    async def statuses(company: str, number: int) -> str | None:
        """A status list of one company."""
        tenant = ids.check(company, "te")
        served = tenant in await house.store.tenants()
        return await house.statements.status_list(tenant, number) if served else None

    shown = Published(
        keys=public,
        statuses=statuses,
        log=published.public(house),
        witnesses=None if witnesses is None else witnesses.worst,
    )
    kind = house.settings.keys.partition(":")[0]
    probes = {"database": database, f"keys:{kind}": keys, "audit": head}
    settings = house.settings
    return build_http(
        house,
        authenticator(house),
        probes=probes,
        published=shown,
        public_url=settings.public_url,
        origins=settings.origins,
        edition=Edition(settings.http_status),
        ide=settings.ide,
    )
