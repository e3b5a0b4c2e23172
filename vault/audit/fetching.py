"""Reads a log over HTTP, file by file, as `verify` reads a folder: no file is longer than the format allows."""

from __future__ import annotations

import gzip
import http.client
import ssl
import zlib
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from domain.errors import Malformed, NotPermitted, Unavailable
from vault.audit import note, tiles
from vault.audit.tiles import CHECKPOINT

WAIT_SECONDS: Final = 30.0
"""How long one answer is waited for."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_DENIED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_FORM: Final = "Write where the log is served, as https://credit.example/audit/te_…"


class Fetched:
    """A log behind an address. Without a token it reads what everybody may: checkpoint and tiles of hashes."""

    def __init__(self, url: str, token: str = "") -> None:
        """Takes the address.

        Raises: Malformed for what is none; a token goes over plain HTTP to this machine alone.
        """
        try:
            parts = urlsplit(url.rstrip("/"))
            port = parts.port
        except ValueError:
            raise Malformed("That is no address of a log.", advice=_FORM, path=("from",)) from None
        safe = parts.scheme == "https" or (parts.scheme == "http" and (parts.hostname in _LOOPBACK or not token))
        if not safe or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise Malformed("That is no address of a log.", advice=_FORM, path=("from",))
        self._host, self._port, self.path = parts.hostname or "", port, parts.path
        self._secure = parts.scheme == "https"
        self._headers = {"Accept-Encoding": "gzip", "User-Agent": "credence"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._connection: http.client.HTTPConnection | None = None

    def __call__(self, path: str) -> bytes:
        """The bytes of a file.

        Raises: FileNotFoundError where there is none; NotPermitted where it needs a token that may; Unavailable.
        """
        return self.at(f"{self.path}/{path}", note.MAX_NOTE_BYTES if path == CHECKPOINT else tiles.MAX_BUNDLE_BYTES)

    def at(self, path: str, most: int = note.MAX_NOTE_BYTES) -> bytes:
        """What is served under a whole path, up to one byte more than it may have.

        Raises: FileNotFoundError; NotPermitted; Unavailable.
        """
        try:
            return self._got(path, most)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if isinstance(error, FileNotFoundError):
                raise
            raise Unavailable(
                f"The log cannot be reached ({type(error).__name__}).", advice="Look at the address, and try again."
            ) from None

    def close(self) -> None:
        """Lets the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _got(self, path: str, most: int) -> bytes:
        if self._connection is None:
            self._connection = (
                http.client.HTTPSConnection(
                    self._host, self._port, timeout=WAIT_SECONDS, context=ssl.create_default_context()
                )
                if self._secure
                else http.client.HTTPConnection(self._host, self._port, timeout=WAIT_SECONDS)
            )
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        data = answer.read(most + 1)
        if len(data) > most or answer.will_close:
            self.close()
        if answer.status == HTTPStatus.OK:
            return _plain(data, most) if answer.headers.get("Content-Encoding") == "gzip" else data
        if answer.status in _DENIED:
            raise NotPermitted(
                "These entries are for an auditor of the company alone.",
                advice="Bring an auditor's token with --token, or verify the tree alone with --tree-only.",
            )
        if answer.status == HTTPStatus.NOT_FOUND:
            raise FileNotFoundError(path)
        raise OSError(answer.status)


def _plain(data: bytes, most: int) -> bytes:
    """The bytes as they were before they were packed for the way; what unpacks to too much is cut off after that."""
    try:
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data, most + 1)
    except zlib.error:
        raise gzip.BadGzipFile from None
