"""What a server endures before anybody is authenticated, on a real socket of this machine."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import uvicorn

from api.cli import serving as command
from api.http import heads, serving

WAIT = 20.0


async def echo(scope, receive, send):
    """Answers with the length of the body."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(length).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def port():
    """A server as the product runs it."""
    server = uvicorn.Server(serving.configured(echo, port=0))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ends = time.monotonic() + WAIT
    while not server.started and time.monotonic() < ends:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(WAIT)


def connected(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(WAIT)
    return connection


def answer(connection):
    """Everything until the server hangs up, or until it answered."""
    try:
        return connection.recv(65_536)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    ("begin", "line"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\n", b"X-Filler: " + b"a" * 1_000 + b"\r\n"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nX-Filler: ", b"a" * 1_000),
        (b"POST /", b"a" * 1_000),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Filler: ", b"a" * 1_000),
    ],
)
def test_a_head_without_an_end_is_cut_off(port, begin, line):
    with connected(port) as connection:
        sent = 0
        try:
            connection.sendall(begin)
            while sent < 20 * heads.MAX_HEAD:
                connection.sendall(line)
                sent += len(line)
                time.sleep(0)
        except OSError:
            return
        assert answer(connection)[:12] in {b"", b"HTTP/1.1 400"}
        assert answer(connection) == b""


def test_a_head_that_does_not_come_is_not_waited_for(port, monkeypatch):
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.2)
    for begin in (b"", b"POST / HTTP/1.1\r\nHost:"):
        with connected(port) as connection:
            connection.sendall(begin)
            begun = time.monotonic()
            assert answer(connection) == b""
            assert time.monotonic() - begun < WAIT / 2


def test_large_bodies_and_several_requests_on_a_connection_are_served(port, monkeypatch):
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.3)
    with connected(port) as connection:
        for length in (0, 3, 4 * heads.MAX_HEAD, 0, 3 * heads.MAX_HEAD):
            head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length
            connection.sendall(head + b"a" * length)
            assert answer(connection).endswith(b"\r\n\r\n%d" % length)
        chunks = b"".join(b"%x\r\n%s\r\n" % (5_000, b"a" * 5_000) for _ in range(60))
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        assert answer(connection).endswith(b"\r\n\r\n300000")
        time.sleep(0.5)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer(connection).endswith(b"\r\n\r\n0")


def test_several_processes_are_run_like_one(monkeypatch):
    given = {}
    monkeypatch.setattr(uvicorn, "run", lambda application, **options: given.update(options, application=application))
    command._serve_many("127.0.0.1", 8_000, 2, None)
    assert serving.OPTIONS.items() <= given.items()
    assert (given["workers"], given["factory"]) == (2, True)
