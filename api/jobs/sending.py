"""Sends one letter over HTTP to an address that somebody else chose, and is not led anywhere else by it.

The name is looked up once, every address it has is judged, and the connection goes to an address that was judged: what
the name says a moment later does not count. No redirect is followed, no proxy is asked, and of the answer only the
status is read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from domain.consent.handover.recalling import DeliveryFailure

Connection = http.client.HTTPConnection
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

STEP_SECONDS: Final = 10.0
"""How long one step, such as connecting, may take."""
WHOLE_SECONDS: Final = 30.0
"""How long all of it may take; what drips is broken off. It is well below the lease of an attempt."""
TYPE: Final = "application/jwt"


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended: taken where there is no failure."""

    failure: DeliveryFailure | None = None
    status: int | None = None


class _Refused(Exception):
    """The address is of a network that nothing is sent to."""


def send(url: str, letter: str, allowed: Sequence[Network] = (), trusted: ssl.SSLContext | None = None) -> Ended:
    """Posts a letter; besides public networks only those that are allowed are sent to, and only there without TLS."""
    parts = urlsplit(url)
    secure, host = parts.scheme == "https", parts.hostname or ""
    ends = time.monotonic() + WHOLE_SECONDS
    try:
        where = _judged(host, parts.port or (443 if secure else 80), allowed, secure=secure)
        connection = _connection(where, host, trusted or ssl.create_default_context() if secure else None)
        try:
            connection.request(
                "POST",
                (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                body=letter.encode(),
                headers={"Content-Type": TYPE, "Host": parts.netloc, "User-Agent": "credence", "Connection": "close"},
            )
            status = _status(connection, ends)
        finally:
            connection.close()
    except _Refused:
        return Ended(DeliveryFailure.ADDRESS_REFUSED)
    except TimeoutError:
        return Ended(DeliveryFailure.TOO_LATE)
    except (OSError, http.client.HTTPException, ValueError):
        return Ended(DeliveryFailure.UNREACHABLE)
    if 200 <= status < 300:  # noqa: PLR2004 - the class of statuses that take it
        return Ended(None, status)
    redirected = 300 <= status < 400  # noqa: PLR2004 - the class of statuses that lead elsewhere
    return Ended(DeliveryFailure.REDIRECTED if redirected else DeliveryFailure.NOT_TAKEN, status)


def connected(url: str, allowed: Sequence[Network] = (), trusted: ssl.SSLContext | None = None) -> Connection:
    """A connection to an address that was judged, for whoever reads the answer itself.

    Raises: OSError, also for an address of a network that nothing is sent to.
    """
    parts = urlsplit(url)
    secure, host = parts.scheme == "https", parts.hostname or ""
    try:
        where = _judged(host, parts.port or (443 if secure else 80), allowed, secure=secure)
    except _Refused:
        raise PermissionError(host) from None
    return _connection(where, host, trusted or ssl.create_default_context() if secure else None)


def _judged(host: str, port: int, allowed: Sequence[Network], *, secure: bool) -> tuple[str, int]:
    """An address of a host that may be sent to; where one of its addresses may not, none may."""
    found = [info[4] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    addresses = [_bare(ipaddress.ip_address(str(place[0]).partition("%")[0])) for place in found]
    for address in addresses:
        let = any(address in network for network in allowed)
        if not let and (not secure or not _public(address)):
            raise _Refused
    if not addresses:
        raise OSError(host)
    return str(addresses[0]), port


def _bare(address: Address) -> Address:
    """An IPv4 address that is written as IPv6, as what it is."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return inner if inner is not None else address


def _public(address: Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _connection(where: tuple[str, int], host: str, secure: ssl.SSLContext | None) -> http.client.HTTPConnection:
    """A connection to exactly this address, under the name of the host."""
    made = socket.create_connection(where, timeout=STEP_SECONDS)
    try:
        made = made if secure is None else secure.wrap_socket(made, server_hostname=host)
    except BaseException:
        made.close()
        raise
    connection = http.client.HTTPConnection(host, timeout=STEP_SECONDS)
    connection.sock = made
    return connection


def _status(connection: http.client.HTTPConnection, ends: float) -> int:
    """The status of the answer, read byte by byte up to its line: what drips does not hold us."""
    line = b""
    while not line.endswith(b"\n") and len(line) < 1_024:  # noqa: PLR2004 - no status line is longer
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.sock.settimeout(min(left, STEP_SECONDS))
        got = connection.sock.recv(1)
        if not got:
            raise OSError("it ended")
        line += got
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise ValueError(version)
    return int(rest[:3])
