"""What machines ask around the interface: whether it is alive, whether it can serve, and with which keys it signs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import Response

from api.http.answers import printed
from api.http.ports import Probe, PublicKeys

PROBE_SECONDS = 3
"""A part that does not answer in this time cannot serve."""

_LOG = structlog.get_logger("credence.http")


class Operating:
    """Answers without a token: nothing here is about any customer."""

    def __init__(self, probes: Mapping[str, Probe], keys: PublicKeys) -> None:
        self._probes = probes
        self._keys = keys

    async def alive(self, _request: Request) -> Response:
        """The process answers."""
        return printed({"status": "alive"}, HTTPStatus.OK)

    async def ready(self, request: Request) -> Response:
        """Whether every part can serve; which one cannot is named, and why is logged."""
        asked = [self._can_serve(name, probe, request.state.request_id) for name, probe in self._probes.items()]
        found = dict(zip(self._probes, await asyncio.gather(*asked), strict=True))
        ready = all(found.values())
        body = {
            "status": "ready" if ready else "not ready",
            "checks": {name: "ok" if can else "failed" for name, can in found.items()},
        }
        return printed(body, HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def keys(self, _request: Request) -> Response:
        """The public keys that verify what this house signed."""
        return printed(await self._keys(), HTTPStatus.OK)

    async def _can_serve(self, name: str, probe: Probe, request: str) -> bool:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await probe()
        except Exception as error:  # noqa: BLE001 - whatever it is, the part cannot serve
            _LOG.warning("A part cannot serve.", check=name, type=type(error).__qualname__, request=request)
            return False
        return True
