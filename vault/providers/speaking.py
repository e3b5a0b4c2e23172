"""JSON over HTTP to one server: a connection per thread, one answer in bounded time and size."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
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
    """Exchanges with one server; each thread keeps a connection of its own."""

    def __init__(self, address: Address, silent: Callable[[str], KeyUnavailable]) -> None:
        """Takes what makes the error for a server that does not serve."""
        self._address, self._silent = address, silent
        self._kept = threading.local()

    def exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """The status of an answer and its object, empty where there is none.

        Raises: what `silent` makes, whenever the server gives no whole answer or cannot serve now.
        """
        text = None if body is None else json.dumps(body)
        how = "cannot be reached"
        for kept in (True, False):
            connection = self._connection(kept=kept)
            if connection is None:
                continue
            try:
                return self._answer(connection, method, path, text, headers)
            except ssl.SSLCertVerificationError:
                how = "shows no certificate that is trusted here"
            except (http.client.IncompleteRead, json.JSONDecodeError, UnicodeDecodeError):
                how = "gives half an answer"
            except TimeoutError:
                how = f"gives no answer within {WAIT_SECONDS:g} seconds"
            except (OSError, http.client.HTTPException):
                how = "cannot be reached"
                self._drop()
                continue  # the server may have ended a kept connection meanwhile: a new one tells
            self._drop()
            break
        raise self._silent(how)

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
            self._drop()
            raise self._silent("answers without end")
        if answer.status not in _TOLD:
            raise self._silent(f"answers with status {answer.status}")
        told = json.loads(raw) if raw else {}
        return answer.status, told if isinstance(told, dict) else {}

    def _connection(self, *, kept: bool) -> http.client.HTTPConnection | None:
        """The thread's connection: the one it kept, or a new one."""
        if not kept:
            try:
                self._kept.connection = self._address.connection()
            except OSError:
                raise self._silent("needs a file of certificates that cannot be used") from None
        found: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        return found

    def _drop(self) -> None:
        connection = self._connection(kept=True)
        if connection is not None:
            with suppress(OSError):
                connection.close()
            self._kept.connection = None
