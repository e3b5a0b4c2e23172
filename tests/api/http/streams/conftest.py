"""The application over an audit log in memory that grows, and clients of it in the same loop."""

from __future__ import annotations

import asyncio
import json
from collections import deque

import pytest

from api.graphql.subscriptions import watching
from api.http.application import build_http
from api.http.ports import Published
from domain.actors import Actor, Rights
from domain.audit import Outcome
from domain.errors import NotAuthenticated
from domain.ids import encode
from tests.api.fake import NOW, FakeHouse
from tests.world import TENANT
from vault.store.ledger.growth import Growth

TOKEN, OTHER = "a.good.token", "another.good.token"
PATIENCE = 20
WATCH = "subscription($first: Int, $after: String, $filter: AuditEntryFilter) { auditEntries(first: $first, after: $after, filter: $filter) { nodes { logIndex actor } pageInfo { endCursor } } }"  # fmt: skip # noqa: E501 - one document


class Log(FakeHouse):
    """A house whose audit log can be read, watched, and made to grow."""

    def __init__(self):
        super().__init__(("audit:read", "audit:watch", "schema:introspect"), {"AuditEntry": []})
        self.growth = Growth()
        self.recorded = asyncio.Event()
        self.good = {TOKEN, OTHER}
        self.refusals = []

    def add(self, actor="manager", action="credit_file:read"):
        """One more entry."""
        rows = self.rows["AuditEntry"]
        place = len(rows)
        rows.append(
            {
                "id": encode("ae", place.to_bytes(16, "big")),
                "subject_id": TENANT,
                "log_index": place,
                "actor": actor,
                "action": action,
                "at": NOW,
                "outcome": Outcome.DONE,
                "secret": {},
            }
        )
        self.growth.told(TENANT)

    async def put(self, entry, **more):
        """Records an entry where its readers find it."""
        receipt = await super().put(entry, **more)
        self.add(entry.actor, entry.action)
        self.recorded.set()
        return receipt

    def grant(self, *allowed):
        """Other grants from now on."""
        self._rights = Rights(id=self._rights.id + 1, version="g2", allowed=dict.fromkeys(allowed, "rule"))

    async def __call__(self, given):
        """The actor of a good token."""
        if given.token not in self.good:
            raise NotAuthenticated("The bearer token is not valid.", cause="EXPIRED")
        return Actor(tenant=TENANT, person="li", roles=frozenset({"auditor"}))

    async def again(self, given, actor):
        """The actor, verified again."""
        del actor
        return await self(given)

    async def refused(self, error, given, *, request=""):
        """Keeps the refusal."""
        del request
        self.refusals.append((error.cause, given.token))
        return {"WWW-Authenticate": "Bearer"}

    @property
    def actions(self):
        """What was recorded."""
        return [entry.action for entry in self.entries]


class Socket:
    """A client of the socket, as the server would pass it on."""

    def __init__(self, application, subprotocols=("graphql-transport-ws",), **headers):
        self.inbox, self.outbox = asyncio.Queue(), asyncio.Queue()
        raw = [(b"host", b"credence.test"), *((name.encode(), value.encode()) for name, value in headers.items())]
        scope = {
            "type": "websocket", "path": "/graphql", "headers": raw, "subprotocols": list(subprotocols),
            "scheme": "ws", "query_string": b"", "root_path": "", "http_version": "1.1",
        }  # fmt: skip
        self.inbox.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(application(scope, self.inbox.get, self.outbox.put))

    async def event(self):
        """What the server sends next."""
        return await asyncio.wait_for(self.outbox.get(), PATIENCE)

    def say(self, message):
        """Sends a message, or a text as it is."""
        text = message if isinstance(message, str) else json.dumps(message)
        self.inbox.put_nowait({"type": "websocket.receive", "text": text})

    async def hear(self):
        """The next message."""
        event = await self.event()
        assert event["type"] == "websocket.send", event
        return json.loads(event["text"])

    async def closed(self):
        """The code the server closes with, once nothing of the socket runs any more."""
        while (event := await self.event())["type"] != "websocket.close":
            pass
        await asyncio.wait_for(self.task, PATIENCE)
        return event.get("code")

    async def opened(self, token=TOKEN):
        """The socket, let in."""
        assert (await self.event())["type"] == "websocket.accept"
        self.say({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
        assert await self.hear() == {"type": "connection_ack"}
        return self

    def ask(self, id_, query, **variables):
        """Asks for an operation."""
        self.say({"id": id_, "type": "subscribe", "payload": {"query": query, "variables": variables}})

    async def leave(self):
        """Leaves without a word."""
        self.inbox.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(self.task, PATIENCE)


class Stream:
    """A client of the event stream."""

    def __init__(self, application, query, *, token=TOKEN, accept="text/event-stream", ending=None, **variables):
        body = json.dumps({"query": query, "variables": variables}).encode()
        given = {"authorization": f"Bearer {token}", "accept": accept, "content-type": "application/json"}
        scope = {
            "type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()], "http_version": "1.1",
            "extensions": {"credence.ending": ending} if ending else {},
        }  # fmt: skip
        self.inbox, self.outbox, self.events = asyncio.Queue(), asyncio.Queue(), deque()
        self.inbox.put_nowait({"type": "http.request", "body": body, "more_body": False})
        self.task = asyncio.create_task(application(scope, self.inbox.get, self.outbox.put))

    async def head(self):
        """Status and media type."""
        event = await asyncio.wait_for(self.outbox.get(), PATIENCE)
        return event["status"], dict(event["headers"])[b"content-type"].decode()

    async def event(self):
        """The next event's name and data; None at the end."""
        event = await asyncio.wait_for(self.outbox.get(), PATIENCE)
        if not event.get("more_body"):
            return None
        lines = event["body"].decode().split("\n")
        assert lines[-2:] == ["", ""]
        if lines[0] == ":":
            return ":", None
        data = lines[1].removeprefix("data:")
        return lines[0].removeprefix("event: "), json.loads(data) if data else None

    async def leave(self):
        """Leaves."""
        self.inbox.put_nowait({"type": "http.disconnect"})
        await asyncio.wait_for(self.task, PATIENCE)


class Site:
    """The application, and how to reach it."""

    def __init__(self):
        self.log = Log()
        self.application = build_http(
            self.log, self.log, probes={}, published=Published(keys=None), origins=("https://desk.example",)
        )

    def socket(self, *arguments, **headers):
        """A client of the socket."""
        return Socket(self.application, *arguments, **headers)

    def stream(self, query, **more):
        """A client of the event stream."""
        return Stream(self.application, query, **more)

    async def watched(self, times=1):
        """Returns once so many watchers have begun."""
        async with asyncio.timeout(PATIENCE):
            while self.log.actions.count("audit:watch") < times:
                self.log.recorded.clear()
                await self.log.recorded.wait()


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setattr(watching, "GATHER_SECONDS", 0.01)
    return Site()


@pytest.fixture
def run():
    """Runs a test's own work in a loop; nothing of the site may still run at its end."""

    def running(work):
        async def whole():
            await asyncio.wait_for(work(), 3 * PATIENCE)
            await asyncio.sleep(0)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            assert [task.get_coro().__qualname__ for task in others] == []

        asyncio.run(whole())

    return running
