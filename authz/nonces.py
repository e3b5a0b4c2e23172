"""Nonces that make the proofs of a key fresh: nothing is stored, each says by itself when it was given."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from typing import Final

WINDOW_SECONDS: Final = 120
"""How long one nonce is given out; it is good for as long again, so that nobody is caught at a change."""
SECRET_BYTES: Final = 32
_LABEL: Final = b"dpop-nonce/1"
_COUNT_BYTES: Final = 5
_MAC_BYTES: Final = 16


class Nonces:
    """The nonces of one installation: every process that has the secret gives and knows the same ones."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES:
            raise ValueError("A secret of nonces has at least 32 bytes.")
        self._secret = secret

    def current(self, now: datetime) -> str:
        """The nonce that is given out now."""
        return self._of(_count(now))

    def is_good(self, nonce: str, now: datetime) -> bool:
        """Whether a nonce was given out here, in this window or the one before."""
        return any(self._is(nonce, _count(now) - age) for age in (0, 1))

    def _is(self, nonce: str, count: int) -> bool:
        return hmac.compare_digest(nonce.encode("utf-8", "surrogatepass"), self._of(count).encode())

    def _of(self, count: int) -> str:
        counted = count.to_bytes(_COUNT_BYTES, "big")
        mac = hmac.digest(self._secret, _LABEL + counted, sha256)[:_MAC_BYTES]
        return urlsafe_b64encode(counted + mac).decode()


def _count(now: datetime) -> int:
    return int(now.timestamp()) // WINDOW_SECONDS
