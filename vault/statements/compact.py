"""Compact ES256 signatures (RFC 7515): one algorithm, one spelling, and nothing in a header that brings a key along.

Base64url and JSON are accepted in one form each: without padding or spare bits, without a name that stands twice. So no
byte of a signed text can change unnoticed, and no two readers understand it differently.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from vault.statements.reasons import Reason, Untrue

ALGORITHM: Final = "ES256"
CURVE: Final = "P-256"
MAX_BYTES: Final = 256 * 1024
"""Longer texts are not even read."""
_SEGMENTS: Final = 3
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")
_HEADER: Final = frozenset({"alg", "typ", "kid"})
"""Members a header may have."""
_COORDINATES: Final = ("x", "y")


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed text that is well formed; whether its signature verifies is another question."""

    text: str = field(repr=False)
    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)


def encode(raw: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of base64url in its one canonical spelling.

    Raises: Untrue (MALFORMED).
    """
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise Untrue(Reason.MALFORMED)
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(raw) != text:
        raise Untrue(Reason.MALFORMED)
    return raw


def read(text: bytes) -> Any:
    """What JSON text says; no name stands twice in an object, and every number is one.

    Raises: Untrue (MALFORMED).
    """
    try:
        return json.loads(text.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Untrue(Reason.MALFORMED) from None


def written(value: Any) -> bytes:
    """JSON without spaces, as it is signed."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sign(key: ECKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A signed text in compact form."""
    return jws.serialize_compact({"alg": ALGORITHM, **header}, written(claims), key, [ALGORITHM])


def parse(text: str) -> Signed:
    """A signed text taken apart, unverified.

    Raises: Untrue (TOO_LARGE, MALFORMED, WRONG_ALGORITHM).
    """
    if len(text) > MAX_BYTES:
        raise Untrue(Reason.TOO_LARGE)
    segments = text.split(".")
    if len(segments) != _SEGMENTS:
        raise Untrue(Reason.MALFORMED)
    header, claims, _ = read(decode(segments[0])), read(decode(segments[1])), decode(segments[2])
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Untrue(Reason.MALFORMED)
    if header.get("alg") != ALGORITHM:
        raise Untrue(Reason.WRONG_ALGORITHM)
    if not header.keys() <= _HEADER:
        raise Untrue(Reason.MALFORMED)
    return Signed(text, header, claims)


def verifies(signed: Signed, key: ECKey) -> bool:
    """Whether the holder of the private key signed exactly this."""
    try:
        jws.deserialize_compact(signed.text, key, [ALGORITHM])
    except (JoseError, ValueError):
        return False
    return True


def public_key(jwk: Any) -> ECKey:
    """A public P-256 key from its JWK.

    Raises: Untrue (UNUSABLE_KEY) for any other, and for one that brings its private part along.
    """
    try:
        if jwk["kty"] != "EC" or jwk["crv"] != CURVE or "d" in jwk:
            raise Untrue(Reason.UNUSABLE_KEY)
        bare = {"kty": "EC", "crv": CURVE} | {name: jwk[name] for name in _COORDINATES}
        key = ECKey.import_key(bare)
        _ = key.public_key
    except (JoseError, ValueError, TypeError, KeyError):
        raise Untrue(Reason.UNUSABLE_KEY) from None
    return key


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice")
    return made


def _no_number(_: str) -> Any:
    raise ValueError("no number of JSON")
