"""`graphql-transport-ws`: who is let in, what is said, and with which code a socket is closed."""

from __future__ import annotations

import asyncio

import pytest

from api.graphql.limits import MAX_BODY
from api.graphql.subscriptions import places
from api.http.streams import sessions, sockets
from domain.errors import Overloaded
from tests.api.http.streams.conftest import OTHER, TOKEN, WATCH

ME = "{ me { person } }"
INIT = {"type": "connection_init", "payload": {"Authorization": f"Bearer {TOKEN}"}}


def test_queries_run_on_a_socket(site, run):
    async def work():
        socket = await site.socket().opened()
        socket.ask("1", ME)
        assert await socket.hear() == {"id": "1", "type": "next", "payload": {"data": {"me": {"person": "li"}}}}
        assert await socket.hear() == {"id": "1", "type": "complete"}
        socket.ask("1", ME)
        assert (await socket.hear())["type"] == "next"
        await socket.leave()

    run(work)


def test_a_watcher_is_told_of_an_entry_and_each_delivery_is_recorded_once(site, run):
    async def work():
        site.log.add("before")
        socket = await site.socket().opened()
        socket.ask("w", WATCH)
        await site.watched()
        site.log.add("manager")
        told = await socket.hear()
        assert told["type"] == "next"
        assert [node["actor"] for node in told["payload"]["data"]["auditEntries"]["nodes"]] == ["manager"]
        await site.watched(2)
        await socket.leave()
        assert site.log.actions == ["audit:watch", "audit:watch"]

    run(work)


def test_two_watchers_do_not_feed_one_another(site, run):
    async def work():
        one, two = await site.socket().opened(), await site.socket().opened(OTHER)
        one.ask("w", WATCH)
        two.ask("w", WATCH)
        await site.watched(2)
        site.log.add()
        await one.hear()
        await two.hear()
        await site.watched(4)
        await asyncio.sleep(0.1)
        assert site.log.actions.count("audit:watch") == 4
        assert one.outbox.empty()
        await one.leave()
        await two.leave()

    run(work)


def test_a_delivery_holds_no_more_than_first_and_the_rest_follows_at_once(site, run):
    async def work():
        socket = await site.socket().opened()
        socket.ask("w", WATCH, first=2)
        await site.watched()
        for number in range(5):
            site.log.add(f"m{number}")
        told = []
        while len(told) < 5:
            nodes = (await socket.hear())["payload"]["data"]["auditEntries"]["nodes"]
            assert len(nodes) <= 2
            told += [node["actor"] for node in nodes]
        assert told == [f"m{number}" for number in range(5)]
        await socket.leave()

    run(work)


def test_a_watcher_goes_on_behind_the_last_cursor_it_has(site, run):
    async def work():
        for number in range(3):
            site.log.add(f"m{number}")
        socket = await site.socket().opened()
        socket.ask("w", WATCH, after=site.log.rows["AuditEntry"][0]["id"])
        nodes = (await socket.hear())["payload"]["data"]["auditEntries"]["nodes"]
        assert [node["actor"] for node in nodes] == ["m1", "m2"]
        await socket.leave()

    run(work)


def test_a_filter_says_what_is_watched(site, run):
    async def work():
        socket = await site.socket().opened()
        socket.ask("w", WATCH, filter={"actor": {"eq": "wang"}})
        await site.watched()
        site.log.add("manager")
        site.log.add("wang")
        nodes = (await socket.hear())["payload"]["data"]["auditEntries"]["nodes"]
        assert [node["actor"] for node in nodes] == ["wang"]
        await socket.leave()

    run(work)


def test_a_stream_that_is_completed_ends_and_the_socket_goes_on(site, run):
    async def work():
        socket = await site.socket().opened()
        socket.ask("w", WATCH)
        await site.watched()
        socket.say({"id": "w", "type": "complete"})
        socket.say({"id": "unknown", "type": "complete"})
        socket.ask("1", ME)
        assert (await socket.hear())["id"] == "1"
        assert (await socket.hear())["type"] == "complete"
        site.log.add()
        await asyncio.sleep(0.05)
        assert socket.outbox.empty()
        assert site.log._rights.permits("audit:watch")
        await socket.leave()

    run(work)


def test_a_ping_is_answered_with_its_payload_also_before_the_token(site, run):
    async def work():
        socket = site.socket()
        await socket.event()
        socket.say({"type": "ping", "payload": {"n": 1}})
        assert await socket.hear() == {"type": "pong", "payload": {"n": 1}}
        socket.say({"type": "pong"})
        socket.say(INIT)
        assert await socket.hear() == {"type": "connection_ack"}
        socket.say({"type": "ping"})
        assert await socket.hear() == {"type": "pong"}
        await socket.leave()

    run(work)


# What is refused, and with which code.


@pytest.mark.parametrize("payload", [None, {}, {"Authorization": "Bearer no.good.token"}, {"Authorization": 1}])
def test_a_socket_without_a_good_token_is_closed_as_forbidden_and_the_cause_is_recorded(site, run, payload):
    async def work():
        socket = site.socket()
        socket.say({"type": "connection_init", "payload": payload})
        assert await socket.closed() == 4403
        assert len(site.log.refusals) == 1

    run(work)


def test_nothing_is_looked_at_before_the_token(site, run):
    async def work():
        socket = site.socket()
        socket.ask("1", "{ this is no document")
        assert await socket.closed() == 4401
        assert len(site.log.memory.documents) == 0

    run(work)


def test_a_socket_that_does_not_say_whose_it_is_is_closed(site, run, monkeypatch):
    monkeypatch.setattr(sockets, "INIT_SECONDS", 0.01)

    async def work():
        assert await site.socket().closed() == 4408

    run(work)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (INIT, 4429),
        ("no json", 4400),
        ("[]", 4400),
        ('{"type": "ping", "type": "ping"}', 4400),
        ({"type": "start", "id": "1"}, 4400),
        ({"type": "subscribe", "payload": {"query": ME}}, 4400),
        ({"type": "subscribe", "id": "", "payload": {"query": ME}}, 4400),
        ({"type": "subscribe", "id": "x" * 65, "payload": {"query": ME}}, 4400),
        ({"type": "subscribe", "id": 1, "payload": {"query": ME}}, 4400),
        ({"type": "subscribe", "id": "1", "payload": {"query": 1}}, 4400),
        ({"type": "subscribe", "id": "1"}, 4400),
        ({"type": "complete"}, 4400),
        ({"type": "ping", "payload": "text"}, 4400),
        (f'{{"type": "ping", "x": "{"a" * MAX_BODY}"}}', 1009),
    ],
)
def test_what_is_no_message_of_the_protocol_closes_the_socket(site, run, said, code):
    async def work():
        socket = await site.socket().opened()
        socket.say(said)
        assert await socket.closed() == code

    run(work)


def test_bytes_are_no_message(site, run):
    async def work():
        socket = await site.socket().opened()
        socket.inbox.put_nowait({"type": "websocket.receive", "bytes": b"{}"})
        assert await socket.closed() == 4400

    run(work)


def test_one_id_stands_for_one_operation_at_a_time(site, run):
    async def work():
        socket = await site.socket().opened()
        socket.ask("w", WATCH)
        socket.ask("w", WATCH)
        assert await socket.closed() == 4409

    run(work)


def test_another_protocol_is_not_spoken(site, run):
    async def work():
        assert await site.socket(("graphql-ws",)).closed() == 4406

    run(work)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://credence.test.evil.example", ""])
def test_a_page_of_another_site_opens_nothing(site, run, origin):
    async def work():
        socket = site.socket(origin=origin)
        assert await socket.event() == {"type": "websocket.close"}
        await socket.task

    run(work)


@pytest.mark.parametrize("origin", ["https://desk.example", "http://credence.test", "https://credence.test"])
def test_a_page_of_our_own_site_or_of_one_that_is_named_may_open_a_socket(site, run, origin):
    async def work():
        await (await site.socket(origin=origin).opened()).leave()

    run(work)


# What ends a stream.


def test_a_token_that_is_over_ends_the_socket_at_the_next_delivery(site, run):
    async def work():
        socket = await site.socket().opened()
        socket.ask("w", WATCH)
        await site.watched()
        site.log.good.clear()
        site.log.add()
        assert await socket.closed() == 4403
        assert site.log.refusals == [("EXPIRED", TOKEN)]

    run(work)


def test_a_token_that_is_over_ends_a_socket_on_which_nothing_runs(site, run, monkeypatch):
    monkeypatch.setattr(sockets, "CHECK_SECONDS", 0.01)

    async def work():
        socket = await site.socket().opened()
        site.log.good.clear()
        assert await socket.closed() == 4403

    run(work)


def test_a_change_of_grants_ends_the_stream_and_says_so(site, run):
    async def work():
        socket = await site.socket().opened()
        socket.ask("w", WATCH)
        await site.watched()
        site.log.grant("audit:read", "audit:watch", "audit:export")
        site.log.add()
        told = await socket.hear()
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "CONFLICT")
        await socket.leave()

    run(work)


@pytest.mark.parametrize("allowed", [("audit:read",), ("audit:read", "schema:introspect")])
def test_who_may_not_watch_is_refused_and_that_is_recorded(site, run, allowed):
    async def work():
        site.log.grant(*allowed)
        socket = await site.socket().opened()
        socket.ask("w", WATCH)
        told = await socket.hear()
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "NOT_PERMITTED")
        assert site.log.entries[-1].outcome.value == "REFUSED"
        await socket.leave()

    run(work)


def test_a_store_that_is_away_ends_the_stream_with_its_code(site, run):
    async def work():
        socket = await site.socket().opened()
        socket.ask("w", WATCH)
        await site.watched()
        site.log.broken = Overloaded("The database cannot be read now.")
        site.log.add()
        told = await socket.hear()
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "OVERLOADED")
        await socket.leave()

    run(work)


def test_a_bug_is_masked(site, run):
    async def work():
        socket = await site.socket().opened()
        socket.ask("w", WATCH)
        await site.watched()
        site.log.broken = RuntimeError("a value")
        site.log.add()
        told = await socket.hear()
        assert told["payload"][0]["extensions"]["code"] == "INTERNAL"
        assert "a value" not in str(told)
        await socket.leave()

    run(work)


def test_a_document_that_does_not_fit_is_an_error_of_its_operation_alone(site, run):
    async def work():
        socket = await site.socket().opened()
        for query in (
            "{ nothing }",
            "{",
            "subscription { auditEntries { nodes { id } } a: auditEntries { __typename } }",
        ):
            socket.ask("1", query)
            assert (await socket.hear())["type"] == "error"
        socket.ask("1", "subscription { auditEntries @skip(if: true) { __typename } }")
        assert (await socket.hear())["type"] == "error"
        await socket.leave()

    run(work)


# Bounds.


def test_a_token_has_so_many_streams_and_no_more(site, run, monkeypatch):
    monkeypatch.setattr(sessions, "MAX_RUNNING", 1_000)

    async def work():
        socket = await site.socket().opened()
        for number in range(places.PER_TOKEN):
            socket.ask(str(number), WATCH)
        await site.watched(places.PER_TOKEN)
        socket.ask("more", WATCH)
        told = await socket.hear()
        assert (told["id"], told["type"], told["payload"][0]["extensions"]["code"]) == ("more", "error", "OVERLOADED")
        socket.say({"id": "0", "type": "complete"})
        await asyncio.sleep(0.05)
        socket.ask("again", WATCH)
        await site.watched(places.PER_TOKEN + 1)
        await socket.leave()

    run(work)


def test_a_socket_runs_so_many_operations_and_no_more(site, run, monkeypatch):
    monkeypatch.setattr(sessions, "MAX_RUNNING", 1)

    async def work():
        socket = await site.socket().opened()
        socket.ask("w", WATCH)
        socket.ask("1", ME)
        told = await socket.hear()
        assert (told["id"], told["payload"][0]["extensions"]["code"]) == ("1", "OVERLOADED")
        await socket.leave()

    run(work)


def test_a_token_has_so_many_sockets_and_no_more(site, run):
    async def work():
        held = [await site.socket().opened() for _ in range(places.PER_TOKEN)]
        socket = site.socket()
        socket.say(INIT)
        assert await socket.closed() == 1013
        for one in held:
            await one.leave()
        await (await site.socket().opened()).leave()

    run(work)


def test_a_client_that_takes_nothing_is_let_go(site, run, monkeypatch):
    monkeypatch.setattr(sessions, "SEND_SECONDS", 0.05)

    async def work():
        socket = await site.socket().opened()
        socket.outbox._maxsize = 1
        socket.ask("1", ME)
        socket.ask("2", ME)
        await asyncio.wait_for(socket.task, 20)

    run(work)
