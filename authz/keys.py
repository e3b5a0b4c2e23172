"""Which keys are accepted, and the one algorithm each of them verifies: nothing signed chooses its own check."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

from domain.errors import Malformed

_RSA_BITS = 2048

PROVING: Final = {"ES256": "P-256", "Ed25519": "Ed25519"}
"""The signatures of proofs, and the one curve of each."""
_CURVES: Final = {"P-256": ("EC", ("x", "y")), "Ed25519": ("OKP", ("x",)), "X25519": ("OKP", ("x",))}
"""The curves that are accepted from outside, with their kind and the members of a public key on them."""
_PRIVATE: Final = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth", "priv"})
_BYTES: Final = 32
MAX_JWK: Final = 4 * 1024
"""Characters of a JWK from outside."""
CURVES: Final = {"DPOP": ("P-256", "Ed25519"), "CLIENT": ("P-256", "Ed25519"), "ENC": ("P-256", "X25519")}
"""The curves of keys by what they are for."""
_USES: Final = {"DPOP": "sig", "CLIENT": "sig", "ENC": "enc"}
"""What a JWK calls that, where it says it at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key on an accepted curve, bare of everything that is not the key."""

    curve: str
    members: Mapping[str, str]
    """Its members as RFC 7638 orders them."""
    key: Key

    @property
    def thumbprint(self) -> str:
        """What names the key (RFC 7638, SHA-256)."""
        return self.key.thumbprint()


def public_keys(jwks: Mapping[str, Any]) -> Iterable[tuple[str, Key]]:
    """The keys of a set that sign in a way accepted here; sets also list keys for other uses."""
    seen = set()
    for jwk in jwks.get("keys", ()):
        key = imported(jwk)
        if key is None or jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm_of(key)) != algorithm_of(key):
            continue
        if key.is_private:
            raise Malformed("An issuer is trusted with its public keys alone.")
        kid = jwk.get("kid")
        if not isinstance(kid, str) or not kid or kid in seen:
            raise Malformed("Each key of an issuer has a kid of its own.")
        seen.add(kid)
        yield kid, key
    if not seen:
        raise Malformed("An issuer has no public signing key: P-256, Ed25519, or RSA of at least 2048 bits.")


def imported(jwk: Mapping[str, Any]) -> Key | None:
    """The key, where it is one that is accepted."""
    try:
        key = JWKRegistry.import_key(dict(jwk))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if algorithm_of(key) else None


def algorithm_of(key: Key) -> str | None:
    """The one algorithm a key verifies; None for keys that are not accepted, above all symmetric ones."""
    if isinstance(key, ECKey) and key.curve_name == "P-256":
        return "ES256"
    if isinstance(key, OKPKey) and key.curve_name == "Ed25519":
        return "Ed25519"
    if isinstance(key, RSAKey) and key.public_key.key_size >= _RSA_BITS:
        return "RS256"
    return None


def registered(text: str, use: str) -> tuple[str, str]:
    """The public key in the text of a JWK, bare and in one spelling, and its thumbprint.

    Raises: Malformed where it holds none that is accepted for a use.
    """
    try:
        jwk = json.loads(text) if len(text) <= MAX_JWK else None
    except (ValueError, RecursionError):
        jwk = None
    found = public_key(jwk, CURVES[use])
    said = jwk.get("use", _USES[use]) if isinstance(jwk, Mapping) else None
    if said != _USES[use]:
        raise _unfit(
            "The JWK says it is for another use.", f'Make a key of its own for this use, "use": "{_USES[use]}".'
        )
    return json.dumps(found.members, separators=(",", ":"), sort_keys=True), found.thumbprint


def public_key(jwk: Any, curves: Iterable[str]) -> PublicKey:
    """The public key that a JWK from outside holds.

    Raises: Malformed saying what is wrong with it; no part of the key is repeated.
    """
    if not isinstance(jwk, Mapping):
        raise _unfit("A key is one JWK, an object.", "Send the object itself, not a set of keys and no PEM.")
    if _PRIVATE & jwk.keys():
        raise _unfit(
            "The JWK holds private parts: whoever has seen it could act as its owner.",
            "Make a new key, keep its private part, and send the public members alone.",
        )
    curve, accepted = jwk.get("crv"), tuple(curves)
    if curve not in accepted or _CURVES[curve][0] != jwk.get("kty"):
        raise _unfit("The key is on no curve that is accepted for this.", f"Make one on {' or '.join(accepted)}.")
    kind, names = _CURVES[curve]
    members = {"crv": curve, "kty": kind} | {name: jwk.get(name) for name in names}
    key = _on_curve(members) if all(_is_coordinate(members[name]) for name in names) else None
    if key is None:
        raise _unfit("The JWK does not hold a point of its curve.", "Export the public key again, unchanged.")
    return PublicKey(curve=curve, members=members, key=key)


def _on_curve(members: Mapping[str, Any]) -> Key | None:
    try:
        return JWKRegistry.import_key(dict(members))
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _is_coordinate(value: Any) -> bool:
    """Whether it is 32 bytes in base64url, in the one spelling they have: a thumbprint is taken over the spelling."""
    if not isinstance(value, str) or not value.isascii():
        return False
    try:
        raw = urlsafe_b64decode(value.encode())
    except (ValueError, binascii.Error):
        return False
    return len(raw) == _BYTES and urlsafe_b64encode(raw).rstrip(b"=").decode() == value


def _unfit(sentence: str, advice: str) -> Malformed:
    return Malformed(sentence, advice=advice, path=("jwk",))
