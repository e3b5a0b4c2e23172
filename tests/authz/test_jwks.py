import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from joserfc.jwk import ECKey

from authz import jwks
from authz.jwks import AGAIN_SECONDS, FRESH_SECONDS, KEPT_SECONDS, RemoteKeys, fetched, is_safe
from domain.errors import KeyUnavailable

ISSUER = "https://id.example"
ADDRESS = "https://id.example/keys"


def key_set(kid="one", *, private=False):
    return {"keys": [{**ECKey.generate_key("P-256", private=True).as_dict(private=private), "kid": kid}]}


class World:
    """A clock, and what stands under each address; every fetch is counted."""

    def __init__(self):
        self.now = 1_000.0
        self.under = {}
        self.asked = []

    def fetch(self, address):
        """What stands there."""
        self.asked.append(address)
        if address not in self.under:
            raise OSError("nobody there")
        return self.under[address]


@pytest.fixture
def world(monkeypatch):
    made = World()
    monkeypatch.setattr(jwks, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


async def beside():
    """Lets what runs beside come to its end."""
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


def test_keys_are_fetched_once_and_again_beside_the_requests_when_they_are_no_longer_fresh(world):
    async def work():
        keys = RemoteKeys(ISSUER, ADDRESS, world.fetch)
        first = world.under[ADDRESS] = key_set()
        assert [await keys.current() for _ in range(3)] == [first] * 3
        second = world.under[ADDRESS] = key_set("two")
        world.now += FRESH_SECONDS
        assert await keys.current() == first
        await beside()
        assert await keys.current() == second
        assert world.asked == [ADDRESS] * 2

    asyncio.run(work())


def test_an_issuer_that_is_out_of_reach_is_served_by_its_last_keys_for_a_while_and_then_by_none(world):
    async def work():
        keys = RemoteKeys(ISSUER, ADDRESS, world.fetch)
        first = world.under[ADDRESS] = key_set()
        await keys.current()
        del world.under[ADDRESS]
        world.now += KEPT_SECONDS - 1
        assert await keys.current() == first
        await beside()
        world.now += AGAIN_SECONDS
        with pytest.raises(KeyUnavailable) as caught:
            await keys.current()
        assert "operator" in caught.value.advice
        world.under[ADDRESS] = key_set("two")
        world.now += AGAIN_SECONDS
        assert await keys.current() == world.under[ADDRESS]

    asyncio.run(work())


def test_names_of_keys_that_somebody_invents_fetch_nothing_again_and_again(world):
    async def work():
        keys = RemoteKeys(ISSUER, ADDRESS, world.fetch)
        world.under[ADDRESS] = key_set()
        await keys.current()
        assert [await keys.renewed() for _ in range(50)] == [None] * 50
        world.now += AGAIN_SECONDS
        found = await asyncio.gather(*(keys.renewed() for _ in range(50)))
        assert sum(one is not None for one in found) >= 1
        assert len(world.asked) == 2

    asyncio.run(work())


@pytest.mark.parametrize(
    ("told", "keys"),
    [
        ({"issuer": "https://other.example", "jwks_uri": ADDRESS}, key_set()),
        ({"issuer": ISSUER, "jwks_uri": "http://id.example/keys"}, key_set()),
        ({"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"}, key_set()),
        ({"issuer": ISSUER}, key_set()),
        ([], key_set()),
        ({"issuer": ISSUER, "jwks_uri": ADDRESS}, key_set(private=True)),
        ({"issuer": ISSUER, "jwks_uri": ADDRESS}, {"keys": []}),
        ({"issuer": ISSUER, "jwks_uri": ADDRESS}, {"keys": "none"}),
        ({"issuer": ISSUER, "jwks_uri": ADDRESS}, []),
    ],
)
def test_what_an_issuer_publishes_is_not_believed_where_it_cannot_be_its_public_keys(world, told, keys):
    async def work():
        world.under = {ISSUER + jwks.DISCOVERY: told, ADDRESS: keys, "http://id.example/keys": keys}
        with pytest.raises(KeyUnavailable):
            await RemoteKeys(ISSUER, "", world.fetch).current()

    asyncio.run(work())


def test_an_issuer_says_itself_where_its_keys_are(world):
    world.under = {ISSUER + jwks.DISCOVERY: {"issuer": ISSUER, "jwks_uri": ADDRESS}, ADDRESS: key_set()}
    assert asyncio.run(RemoteKeys(ISSUER, "", world.fetch).current()) == world.under[ADDRESS]


@pytest.mark.parametrize("address", ["http://id.example/", "ftp://id.example/", "http://127.0.0.1.id.example/", ""])
def test_keys_come_over_tls_or_from_this_machine(address):
    assert not is_safe(address)
    assert is_safe("https://id.example/keys")
    assert is_safe("http://127.0.0.1:9000/keys")


@pytest.fixture
def server():
    """A server of this machine: a redirect, an answer without end, and one that is right."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            """One of three."""
            moved = self.path == "/moved"
            text = b" " * (jwks.MAX_ANSWER + 1) if self.path == "/large" else json.dumps({"keys": []}).encode()
            self.send_response(302 if moved else 200)
            if moved:
                self.send_header("Location", "/right")
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            """Says nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


def test_an_answer_is_bounded_and_nobody_is_followed_elsewhere(server):
    assert fetched(f"{server}/right") == {"keys": []}
    with pytest.raises(OSError, match="302"):
        fetched(f"{server}/moved")
    with pytest.raises(ValueError, match="too large"):
        fetched(f"{server}/large")
