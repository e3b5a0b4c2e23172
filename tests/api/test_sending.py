"""A letter goes to the address that was judged, and nowhere else, whatever the name or the answer says."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from ipaddress import ip_network

import pytest

from api.jobs import sending
from api.jobs.sending import Ended, send
from domain.consent.handover.recalling import DeliveryFailure

NEAR = (ip_network("127.0.0.0/8"),)
LETTER = "a.b.c"


@contextmanager
def answering(*parts, pause=0.0):
    """A server that answers one request with some parts; its address, and what it was sent."""
    listening = socket.create_server(("127.0.0.1", 0))
    got = []

    def serve():
        listening.settimeout(10)
        try:
            taken, _ = listening.accept()
        except OSError:
            return
        with taken:
            taken.settimeout(10)
            text = b""
            while LETTER.encode() not in text:
                part = taken.recv(4096)
                if not part:
                    break
                text += part
            got.append(text)
            try:
                for part in parts:
                    taken.sendall(part)
                    time.sleep(pause)
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/recalls?of=us", got
    finally:
        thread.join(15)
        listening.close()


def test_what_is_taken_was_sent_once_and_whole():
    with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, got):
        assert send(url, LETTER, NEAR) == Ended(None, 204)
    (text,) = got
    head, _, body = text.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /recalls?of=us HTTP/1.1\r\n")
    assert b"Content-Type: application/jwt" in head
    assert body == LETTER.encode()


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n", Ended(DeliveryFailure.REDIRECTED, 301)),
        (b"HTTP/1.1 500 Oh\r\n\r\n", Ended(DeliveryFailure.NOT_TAKEN, 500)),
        (b"HTTP/1.1 404 No\r\n\r\n", Ended(DeliveryFailure.NOT_TAKEN, 404)),
        (b"SSH-2.0-x\r\n", Ended(DeliveryFailure.UNREACHABLE)),
        (b"HTTP/1.1 2", Ended(DeliveryFailure.UNREACHABLE)),
        (b"H" * 4_000, Ended(DeliveryFailure.UNREACHABLE)),
        (b"", Ended(DeliveryFailure.UNREACHABLE)),
    ],
)
def test_every_other_answer_is_a_failure_of_its_kind(answer, ended):
    with answering(answer) as (url, _):
        assert send(url, LETTER, NEAR) == ended


def test_an_answer_that_drips_is_broken_off(monkeypatch):
    monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.5)
    started = time.monotonic()
    with answering(*[b"H"] * 30, pause=0.1) as (url, _):
        assert send(url, LETTER, NEAR) == Ended(DeliveryFailure.TOO_LATE)
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("[::1]", "[fe80::1]", "[fc00::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[2002:7f00:1::]", "[ff02::1]"),
        *("224.0.0.1", "255.255.255.255", "[::]", "2130706433", "0x7f000001", "127.1", "0"),
    ],
)
def test_nothing_is_sent_to_private_networks_or_this_machine_however_they_are_written(host, monkeypatch):
    def connected(*_, **__):
        raise AssertionError("it connected")

    monkeypatch.setattr(socket, "create_connection", connected)
    assert send(f"https://{host}/", LETTER).failure in {DeliveryFailure.ADDRESS_REFUSED, DeliveryFailure.UNREACHABLE}
    plain = send(f"https://{host}/", LETTER, [ip_network("198.51.100.0/24")])
    assert plain.failure in {DeliveryFailure.ADDRESS_REFUSED, DeliveryFailure.UNREACHABLE}


def named(*addresses):
    """A name that has these addresses."""
    return lambda _host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]


def test_a_name_with_one_address_that_may_not_be_sent_to_is_not_sent_to(monkeypatch):
    tried = []
    monkeypatch.setattr(socket, "create_connection", lambda where, **_: tried.append(where))
    monkeypatch.setattr(socket, "getaddrinfo", named("8.8.8.8", "10.0.0.1"))
    assert send("https://bank.example/", LETTER).failure is DeliveryFailure.ADDRESS_REFUSED
    monkeypatch.setattr(socket, "getaddrinfo", named("8.8.8.8"))
    assert send("http://bank.example/", LETTER).failure is DeliveryFailure.ADDRESS_REFUSED
    assert tried == []


def test_it_goes_to_the_address_that_was_judged_and_the_name_is_not_asked_again(monkeypatch):
    asked, tried = [], []

    def looked_up(host, port, **_):
        asked.append(host)
        return named("8.8.8.8" if len(asked) == 1 else "127.0.0.1")(host, port)

    def connected(where, **_):
        tried.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket, "create_connection", connected)
    assert send("https://bank.example:8443/", LETTER).failure is DeliveryFailure.UNREACHABLE
    assert (asked, tried) == (["bank.example"], [("8.8.8.8", 8443)])
