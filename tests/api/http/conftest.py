from __future__ import annotations

import asyncio
import json

import httpx2
import pytest

from api.http.application import build_http
from api.http.ports import Published
from domain.errors import Malformed, NotAuthenticated
from tests.api.fake import WorkingHouse

TOKEN = "a.good.token"
MASTER = {"Authorization": f"Bearer {TOKEN}"}


class Doorkeeper:
    """An authenticator that knows one token, and what it did with the others."""

    def __init__(self, house):
        self.house = house
        self.refusals = []
        self.broken = None

    async def __call__(self, given):
        """The actor of the one token."""
        if self.broken:
            raise self.broken
        if given.token != TOKEN:
            raise NotAuthenticated("The bearer token is not valid.", cause="BAD_SIGNATURE")
        return self.house.actor("li", "credit_analyst")

    async def again(self, given, actor):
        """The actor, verified again."""
        del actor
        return await self(given)

    async def nonce(self):
        """The nonce of proofs."""
        return "a-nonce"

    async def refused(self, error, given, *, request=""):
        """Keeps the refusal."""
        self.refusals.append((error.cause, given.token, request))
        await self.house.gate.refuse(self.house.actor().tenant, error, request=request)
        return {"WWW-Authenticate": "Bearer"}


class Site:
    """The application over a house in memory, and a client of it."""

    def __init__(self, origins=()):
        self.house = WorkingHouse()
        self.door = Doorkeeper(self.house)
        self.probed = []
        self.parts = dict.fromkeys(("database", "keys", "audit"))
        self.application = build_http(
            self.house,
            self.door,
            probes={name: self._probe(name) for name in self.parts},
            published=Published(keys=self._keys),
            origins=origins,
        )

    def _probe(self, name):
        async def probe():
            self.probed.append(name)
            if self.parts[name]:
                raise self.parts[name]

        return probe

    async def _keys(self, company):
        if company == "nobody":
            raise Malformed("That is no id.", path=("company",))
        return {"keys": [{"kty": "OKP"}], "checkpoints": [f"log{company}+1+key"]}

    def send(self, method="POST", path="/graphql", *, content=None, headers=MASTER, **more):
        """The response to one request."""

        async def sent():
            transport = httpx2.ASGITransport(app=self.application, raise_app_exceptions=True)
            async with httpx2.AsyncClient(transport=transport, base_url="http://credence.test") as client:
                client.headers.pop("accept", None)
                return await client.request(method, path, content=content, headers=headers, **more)

        return asyncio.run(sent())

    def post(self, body, **headers):
        """The response to one JSON body, sent by whoever holds the token."""
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        given = MASTER | {"Content-Type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(content=content, headers={name: value for name, value in given.items() if value is not None})


@pytest.fixture
def site():
    return Site()
