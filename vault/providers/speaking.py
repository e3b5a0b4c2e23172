"""JSON over HTTP to one server: connections are kept, and an answer is bounded in time and size."""

from __future__ import annotations

import http.client
import json
import ssl
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from domain.errors import KeyUnavailable
from vault.providers.crew import WAIT_SECONDS
from vault.providers.written import malformed

FORBIDDEN: Final = HTTPStatus.FORBIDDEN
NOT_FOUND: Final = HTTPStatus.NOT_FOUND
BAD_REQUEST: Final = HTTPStatus.BAD_REQUEST
MOST_BYTES: Final = 1 << 20
"""No answer is longer: a hundred wrapped keys are a fiftieth of it."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_TOLD: Final = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT, FORBIDDEN, NOT_FOUND, BAD_REQUEST})


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and whom to trust to know it."""

    secure: bool
    host: str
    port: int
    ca: str | None

    @classmethod
    def read(cls, url: str, ca: str | None, form: str) -> tuple[Address, str]:
        """The server of a URL, and the path there.

        Raises: Malformed, for plain HTTP to another machine too: whoever listens would have the keys.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in {"http", "https"} or not host or parts.username or parts.fragment:
            raise malformed("it holds no address of a server.", form)
        secure = parts.scheme == "https"
        if not secure and host not in _LOOPBACK:
            raise malformed("keys go to another machine over https alone.", form)
        return cls(secure, host, port or (443 if secure else 80), ca), parts.path

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"

    def connection(self) -> http.client.HTTPConnection:
        """A connection that is not open yet.

        Raises: OSError for a certificate file that cannot be used.
        """
        if not self.secure:
            return http.client.HTTPConnection(self.host, self.port, timeout=WAIT_SECONDS)
        trusted = ssl.create_default_context(cafile=self.ca)
        return http.client.HTTPSConnection(self.host, self.port, timeout=WAIT_SECONDS, context=trusted)


class Line:
    """Exchanges with one server; connections are kept for the next exchange, one for each that runs at a time."""

    def __init__(self, address: Address, silent: Callable[[str], KeyUnavailable]) -> None:
        """Takes what makes the error for a server that does not serve."""
        self._address, self._silent = address, silent
        self._idle: deque[http.client.HTTPConnection] = deque()
        weakref.finalize(self, _close, self._idle)

    def exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """The status of an answer and its object, empty where there is none.

        Raises: what `silent` makes, whenever the server gives no whole answer or cannot serve now.
        """
        text = None if body is None else json.dumps(body)
        while True:
            connection, kept = self._connection()
            try:
                answer = self._answer(connection, method, path, text, headers)
            except ssl.SSLCertVerificationError:
                how = "shows no certificate that is trusted here"
            except (http.client.IncompleteRead, ValueError):
                how = "gives half an answer"
            except TimeoutError:
                how = f"gives no answer within {WAIT_SECONDS:g} seconds"
            except (OSError, http.client.HTTPException):
                connection.close()
                if kept:
                    continue  # the server may have ended it meanwhile: another one tells
                how = "cannot be reached"
            except KeyUnavailable:
                connection.close()
                raise
            else:
                self._idle.append(connection)
                return answer
            connection.close()
            raise self._silent(how)

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it was used before."""
        with suppress(IndexError):
            return self._idle.pop(), True
        try:
            return self._address.connection(), False
        except OSError:
            raise self._silent("needs a file of certificates that cannot be used") from None

    def _answer(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        text: str | None,
        headers: Mapping[str, str],
    ) -> tuple[int, dict[str, Any]]:
        connection.request(method, path, text, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        raw = answer.read(MOST_BYTES)
        if not answer.isclosed():
            if len(raw) < MOST_BYTES:
                raise http.client.IncompleteRead(b"")
            raise self._silent("answers without end")
        if answer.status not in _TOLD:
            raise self._silent(f"answers with status {answer.status}")
        told = json.loads(raw) if raw else {}
        return answer.status, told if isinstance(told, dict) else {}


def _close(connections: deque[http.client.HTTPConnection]) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.close()
