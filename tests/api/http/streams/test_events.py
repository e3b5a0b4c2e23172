"""Server-sent events: one stream for each request, its events, and what ends it."""

from __future__ import annotations

import asyncio
import re

import pytest

from api.http.streams import events
from domain.errors import Overloaded
from tests.api.http.streams.conftest import WATCH

ME = "{ me { person } }"
URQL = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"


def test_a_query_is_one_event_and_the_end(site, run):
    async def work():
        stream = site.stream(ME)
        assert await stream.head() == (200, "text/event-stream; charset=utf-8")
        assert await stream.event() == ("next", {"data": {"me": {"person": "li"}}})
        assert await stream.event() == ("complete", None)
        assert await stream.event() is None
        await stream.task

    run(work)


def test_a_watcher_is_told_of_an_entry(site, run):
    async def work():
        stream = site.stream(WATCH)
        await stream.head()
        await site.watched()
        site.log.add("manager")
        name, told = await stream.event()
        assert name == "next"
        assert [node["actor"] for node in told["data"]["auditEntries"]["nodes"]] == ["manager"]
        await stream.leave()

    run(work)


def test_a_client_that_leaves_ends_the_work(site, run):
    async def work():
        stream = site.stream(WATCH)
        await site.watched()
        await stream.leave()
        site.log.add()
        await asyncio.sleep(0.05)
        assert site.log.actions == ["audit:watch"]
        assert site.log.growth._waiting == {}

    run(work)


def test_a_server_that_ends_breaks_the_stream_off_without_saying_that_it_is_complete(site, run):
    async def work():
        ending = asyncio.Event()
        stream = site.stream(WATCH, ending=ending)
        await stream.head()
        await site.watched()
        ending.set()
        assert await stream.event() is None
        await stream.task

    run(work)


def test_a_comment_keeps_a_quiet_stream_open(site, run, monkeypatch):
    monkeypatch.setattr(events, "QUIET_SECONDS", 0.01)

    async def work():
        stream = site.stream(WATCH)
        await stream.head()
        assert await stream.event() == (":", None)
        await stream.leave()

    run(work)


def test_a_client_that_takes_nothing_is_let_go(site, run, monkeypatch):
    monkeypatch.setattr(events, "SEND_SECONDS", 0.02)

    async def work():
        stream = site.stream(WATCH)
        await site.watched()
        stream.outbox._maxsize = 1
        site.log.add()
        await asyncio.wait_for(stream.task, 20)
        assert site.log.growth._waiting == {}

    run(work)


@pytest.mark.parametrize(
    ("fault", "code"),
    [("token", "NOT_AUTHENTICATED"), ("grants", "CONFLICT"), ("store", "OVERLOADED"), ("bug", "INTERNAL")],
)
def test_whatever_ends_a_stream_is_its_last_answer(site, run, fault, code):
    async def work():
        stream = site.stream(WATCH)
        await stream.head()
        await site.watched()
        match fault:
            case "token":
                site.log.good.clear()
            case "grants":
                site.log.grant("audit:read")
            case "store":
                site.log.broken = Overloaded("The database cannot be read now.")
            case "bug":
                site.log.broken = RuntimeError("a value")
        site.log.add()
        name, told = await stream.event()
        assert (name, told["errors"][0]["extensions"]["code"]) == ("next", code)
        assert await stream.event() == ("complete", None)
        await stream.task

    run(work)


def test_a_document_that_does_not_fit_is_told_as_an_answer(site, run):
    async def work():
        stream = site.stream("subscription { nothing }")
        assert (await stream.head())[0] == 200
        name, told = await stream.event()
        assert (name, told["errors"][0]["extensions"]["code"]) == ("next", "MALFORMED")
        await stream.task

    run(work)


def test_without_a_good_token_there_is_no_stream(site, run):
    async def work():
        stream = site.stream(WATCH, token="no.good.token")
        assert await stream.head() == (401, "application/json; charset=utf-8")
        await stream.task

    run(work)


def test_a_client_that_also_takes_json_gets_it_unless_it_watches(site, run):
    async def work():
        plain = site.stream(ME, accept=URQL)
        assert (await plain.head())[1].startswith("application/graphql-response+json")
        await plain.task
        stream = site.stream(WATCH, accept=URQL)
        assert (await stream.head())[1].startswith("text/event-stream")
        await stream.leave()

    run(work)


def test_a_subscription_that_cannot_be_streamed_says_how_it_could(site, run):
    async def work():
        stream = site.stream(WATCH, accept="application/json")
        assert await stream.head() == (200, "application/json; charset=utf-8")
        body = (await asyncio.wait_for(stream.outbox.get(), 20))["body"]
        assert b"Open a stream instead: Accept: text/event-stream" in body
        await stream.task

    run(work)


def test_who_runs_trusted_documents_alone_watches_nothing(site, run):
    async def nothing(_actor, _digest):
        return None

    async def work():
        site.log.trusted_only, site.log.approved = True, nothing
        stream = site.stream(WATCH)
        await stream.head()
        name, told = await stream.event()
        assert name == "next"
        assert [error["extensions"]["code"] for error in told["errors"]] == ["NOT_PERMITTED"]
        assert await stream.event() == ("complete", None)
        assert site.log.actions == ["document:run"]

    run(work)


@pytest.mark.parametrize("accept", ["text/event-stream", "text/event-stream, application/json;q=0.5"])
def test_who_may_not_read_the_schema_cannot_tell_a_stream_that_is_not_granted_from_none(site, run, accept):
    async def told(query):
        stream = site.stream(query, accept=accept)
        head, event = await stream.head(), await asyncio.wait_for(stream.outbox.get(), 5)
        await stream.task
        answer = re.sub(r'"requestId":"[^"]*"', "", event["body"].decode())
        return head, answer

    async def work():
        site.log.grant("audit:read")
        first = await told("subscription { guess }")
        assert "NOT_PERMITTED" in first[1]
        assert await told("subscription { auditEntries { nodes { id } } }") == first

    run(work)
