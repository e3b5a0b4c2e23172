"""What machines ask around the interface: whether it is alive, whether it can serve, and with which keys it signs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from api.http.answers import Declined, declined, printed
from api.http.ports import Probe, PublicKeys
from domain.errors import Malformed, Unavailable

PROBE_SECONDS = 3
"""A part that does not answer in this time cannot serve."""
KEPT_SECONDS = 1
"""How long an answer about the parts holds: whoever asks more often costs them nothing."""

_LOG = structlog.get_logger("credence.http")


class Operating:
    """Answers without a token: nothing here is about any customer."""

    def __init__(
        self,
        probes: Mapping[str, Probe],
        keys: PublicKeys,
        witnesses: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._probes = probes
        self._witnesses = witnesses
        self._keys = keys
        self._turn = asyncio.Lock()
        self._found: Mapping[str, bool] | None = None
        self._asked_at = 0.0

    async def alive(self, _request: Request) -> Response:
        """The process answers."""
        return printed({"status": "alive"}, HTTPStatus.OK)

    async def ready(self, request: Request) -> Response:
        """Whether every part can serve; which one cannot is named, and why is logged."""
        async with self._turn:
            if self._found is None or time.monotonic() - self._asked_at >= KEPT_SECONDS:
                self._found = await self._ask(request.state.request_id)
                self._asked_at = time.monotonic()
            found = self._found
        ready = all(found.values())
        body: dict[str, Any] = {
            "status": "ready" if ready else "not ready",
            "checks": {name: "ok" if can else "failed" for name, can in found.items()},
        }
        if self._witnesses is not None and (told := self._witnesses()):
            body["witnesses"] = dict(told)
        return printed(body, HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def keys(self, request: Request) -> Response:
        """The public keys that verify what was signed for the company that is named, as in `?company=te_…`."""
        try:
            return printed(await self._keys(request.query_params.get("company", "")), HTTPStatus.OK)
        except Malformed as error:
            return declined(Declined(HTTPStatus.BAD_REQUEST, error), request.state.request_id)
        except Unavailable as error:
            return declined(Declined(HTTPStatus.SERVICE_UNAVAILABLE, error), request.state.request_id)

    async def _ask(self, request: str) -> Mapping[str, bool]:
        asked = [self._can_serve(name, probe, request) for name, probe in self._probes.items()]
        return dict(zip(self._probes, await asyncio.gather(*asked), strict=True))

    async def _can_serve(self, name: str, probe: Probe, request: str) -> bool:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await probe()
        except Exception as error:  # noqa: BLE001 - whatever it is, the part cannot serve
            _LOG.warning("A part cannot serve.", check=name, type=type(error).__qualname__, request=request)
            return False
        return True
