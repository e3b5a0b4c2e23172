"""The key of whoever holds a statement: a point of P-256 that the customer's own tool made (Ch.3 §3)."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from domain.errors import Code, Malformed

_COORDINATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderKey:
    """The public P-256 key of the statement's holder, as its JWK names it; the private part never leaves its tool."""

    x: str
    """The first coordinate, base64url without padding. Ch.3 §3"""
    y: str
    """The second one. Ch.3 §3"""

    @property
    def jwk(self) -> dict[str, str]:
        """The key as a JWK."""
        return {"kty": "EC", "crv": "P-256", "x": self.x, "y": self.y}

    @property
    def thumbprint(self) -> str:
        """The key's thumbprint (RFC 7638)."""
        canonical = json.dumps(self.jwk, separators=(",", ":"), sort_keys=True)
        return urlsafe_b64encode(sha256(canonical.encode()).digest()).rstrip(b"=").decode()

    def check(self) -> None:
        """Refuses what is no point of the curve: nobody could ever prove to hold it.

        Chapter: 3.3.
        Raises:  Malformed.
        """
        x, y = _number(self.x, "x"), _number(self.y, "y")
        if x >= _P or y >= _P or (y * y - (x * x * x - 3 * x + _B)) % _P:
            raise _refused("x")


def _number(text: str, name: str) -> int:
    if not _COORDINATE.fullmatch(text):
        raise _refused(name)
    raw = urlsafe_b64decode(text + "=")
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise _refused(name)
    return int.from_bytes(raw)


def _refused(name: str) -> Malformed:
    return Malformed(
        "The holder's key is no public P-256 key.",
        code=Code.MALFORMED_CODE,
        advice="Send x and y of the public part, as `credence statement key FILE` prints them.",
        path=("holderKey", name),
    )
