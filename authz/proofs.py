"""Proofs that a caller holds the key its token is bound to (DPoP, RFC 9449), as a resource server checks them.

A proof is good for one request: its method, its address, its moment, its token, and once. Nothing here looks at the
token but to digest it, so what is said of a proof tells nothing about a token.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.util import urlsafe_b64decode

from authz.keys import PROVING, public_key
from authz.nonces import Nonces
from domain.actors import Credentials
from domain.errors import Malformed, NotAuthenticated

MAX_BYTES: Final = 4 * 1024
WINDOW_SECONDS: Final = 60
"""How far the moment of a proof may lie from ours, before or behind."""
MAX_JTI: Final = 256
TYPE: Final = "dpop+jwt"
_HEADER: Final = frozenset({"typ", "alg", "jwk"})
_PORTS: Final = {"http": 80, "https": 443}
_SEGMENTS: Final = 3
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPED: Final = re.compile("%([0-9A-Fa-f]{2})")


class Flaw(Enum):
    """Why a proof was refused. The caller is told that it was the proof, or that it needs a nonce; the log has this."""

    NO_PROOF = "NO_PROOF"
    SEVERAL_PROOFS = "SEVERAL_PROOFS"
    PROOF_TOO_LARGE = "PROOF_TOO_LARGE"
    PROOF_MALFORMED = "PROOF_MALFORMED"
    PROOF_WRONG_TYPE = "PROOF_WRONG_TYPE"
    PROOF_ALG_NOT_ALLOWED = "PROOF_ALG_NOT_ALLOWED"
    PROOF_KEY_NOT_ALLOWED = "PROOF_KEY_NOT_ALLOWED"
    PROOF_BAD_SIGNATURE = "PROOF_BAD_SIGNATURE"
    PROOF_MISSING_CLAIM = "PROOF_MISSING_CLAIM"
    PROOF_WRONG_METHOD = "PROOF_WRONG_METHOD"
    PROOF_WRONG_URL = "PROOF_WRONG_URL"
    PROOF_OF_ANOTHER_TOKEN = "PROOF_OF_ANOTHER_TOKEN"  # noqa: S105 - a cause, no secret
    PROOF_WRONG_TIME = "PROOF_WRONG_TIME"
    PROOF_WITHOUT_NONCE = "PROOF_WITHOUT_NONCE"
    PROOF_WITH_OLD_NONCE = "PROOF_WITH_OLD_NONCE"


WANTS_NONCE: Final = frozenset({Flaw.PROOF_WITHOUT_NONCE.value, Flaw.PROOF_WITH_OLD_NONCE.value})
"""What a caller mends by sending the same again with the nonce it is told."""
FLAWS: Final = frozenset(flaw.value for flaw in Flaw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that is good for this request, if it was not used before."""

    key: str
    """The thumbprint (RFC 7638) of the key whose possession it proves."""
    once: str
    """What tells it from every other proof of every key, 64 hexadecimal digits."""
    until: int
    """Until when it could be used, in seconds since 1970."""


def check_proof(given: Credentials, nonces: Nonces, now: datetime) -> Proof:
    """What the one proof of a request proves.

    Raises: NotAuthenticated with the flaw as its cause.
    """
    claims, key = _signed(_only(given.proofs))
    if _text(claims, "htm") != given.method:
        raise flawed(Flaw.PROOF_WRONG_METHOD)
    if not is_same_place(_text(claims, "htu"), given.url):
        raise flawed(Flaw.PROOF_WRONG_URL)
    if not hmac.compare_digest(_text(claims, "ath").encode("utf-8", "surrogatepass"), token_hash(given.token).encode()):
        raise flawed(Flaw.PROOF_OF_ANOTHER_TOKEN)
    jti = _text(claims, "jti")
    if len(jti) > MAX_JTI:
        raise flawed(Flaw.PROOF_MALFORMED)
    if "nonce" not in claims:
        raise flawed(Flaw.PROOF_WITHOUT_NONCE)
    if not nonces.is_good(_text(claims, "nonce"), now):
        raise flawed(Flaw.PROOF_WITH_OLD_NONCE)
    moment = claims.get("iat")
    if not isinstance(moment, int) or isinstance(moment, bool):
        raise flawed(Flaw.PROOF_MISSING_CLAIM)
    if abs(int(now.timestamp()) - moment) > WINDOW_SECONDS:
        raise flawed(Flaw.PROOF_WRONG_TIME)
    thumbprint = key.thumbprint()
    once = sha256(f"{thumbprint}.{jti}".encode("utf-8", "surrogatepass")).hexdigest()
    return Proof(key=thumbprint, once=once, until=moment + WINDOW_SECONDS)


def flawed(flaw: Flaw) -> NotAuthenticated:
    """The refusal of a proof."""
    return NotAuthenticated("The proof of the key is not valid.", cause=flaw.value)


def is_same_place(named: str, asked: str) -> bool:
    """Whether two addresses are one, whatever their spelling, query and fragment (RFC 9449, section 4.3, check 9)."""
    place = _place(named)
    return place is not None and place == _place(asked)


def _place(url: str) -> tuple[str, str, int, str] | None:
    """Scheme, host, port and path in the one spelling of RFC 3986, sections 6.2.2 and 6.2.3."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or not url.isprintable():
        return None
    return parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme], _ESCAPED.sub(_plain, parts.path) or "/"


def _plain(escape: re.Match[str]) -> str:
    """What is escaped without need stands for itself; what needs it is escaped in upper case."""
    character = chr(int(escape[1], 16))
    return character if character in _PLAIN else f"%{escape[1].upper()}"


def token_hash(token: str) -> str:
    """The digest by which a proof names its token (`ath`)."""
    return urlsafe_b64encode(sha256(token.encode("utf-8", "surrogatepass")).digest()).rstrip(b"=").decode()


def _only(proofs: tuple[str, ...]) -> str:
    if not proofs:
        raise flawed(Flaw.NO_PROOF)
    if len(proofs) > 1:
        raise flawed(Flaw.SEVERAL_PROOFS)
    if len(proofs[0]) > MAX_BYTES:
        raise flawed(Flaw.PROOF_TOO_LARGE)
    return proofs[0]


def _signed(proof: str) -> tuple[Mapping[str, Any], Key]:
    """Claims and key of a proof that is signed by the key it brings along."""
    segments = proof.split(".")
    if len(segments) != _SEGMENTS:
        raise flawed(Flaw.PROOF_MALFORMED)
    header, claims = _object(segments[0]), _object(segments[1])
    if header is None or claims is None or not header.keys() <= _HEADER:
        raise flawed(Flaw.PROOF_MALFORMED)
    if not isinstance(header.get("typ"), str) or header["typ"].lower() not in {TYPE, f"application/{TYPE}"}:
        raise flawed(Flaw.PROOF_WRONG_TYPE)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in PROVING:
        raise flawed(Flaw.PROOF_ALG_NOT_ALLOWED)
    key = _key(header.get("jwk"), algorithm)
    if not _is_signed(proof, key, algorithm):
        raise flawed(Flaw.PROOF_BAD_SIGNATURE)
    return claims, key


def _key(jwk: Any, algorithm: str) -> Key:
    try:
        return public_key(jwk, (PROVING[algorithm],)).key
    except Malformed:
        pass
    # Raised outside the handler, so that the log is told of the proof and not of what was wrong with a key.
    raise flawed(Flaw.PROOF_KEY_NOT_ALLOWED)


def _is_signed(proof: str, key: Key, algorithm: str) -> bool:
    try:
        jws.deserialize_compact(proof, key, [algorithm])
    except (JoseError, ValueError):
        return False
    return True


def _object(segment: str) -> dict[str, Any] | None:
    try:
        value = json.loads(urlsafe_b64decode(segment.encode()))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise flawed(Flaw.PROOF_MISSING_CLAIM)
    return value
