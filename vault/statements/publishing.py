"""The keys a company signs statements with: derived from its root, published by their thumbprints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from joserfc.jwk import ECKey

from vault import hazmat
from vault.seal import pae, sized, u32
from vault.statements.compact import ALGORITHM, public_key
from vault.statements.reasons import Reason, Untrue

FIRST: Final = 1
"""The number of a company's signing key; another one is another number under the same root."""
CLOCKS_SECONDS: Final = 60
"""How much longer a key counts that ended as it should: the clocks of several machines differ."""
_DOMAIN: Final = b"vault/statement-key/1"
_LISTS: Final = "/statements/status"


@dataclass(frozen=True, slots=True)
class Issuer:
    """A company that signs: its name in statements, its private key, and what that key is called."""

    name: str
    key: ECKey = field(repr=False)
    kid: str
    former: tuple[Mapping[str, Any], ...] = ()
    """The public keys it signed with before, as JWKs that say until when."""
    compromised: tuple[Mapping[str, Any], ...] = ()
    """The same, of keys that somebody else may have had."""

    def metadata(self) -> dict[str, Any]:
        """What others verify its statements with (SD-JWT VC, issuer metadata).

        Compromised keys stand apart: who does not know what `exp` of a key means must not find them among the others.
        """
        told = {"issuer": self.name, "jwks": {"keys": [published(self.key), *self.former]}}
        return told | ({"compromised": {"keys": [*self.compromised]}} if self.compromised else {})

    def list_uri(self, number: int) -> str:
        """Where one of its status lists is."""
        return list_uri(self.name, number)


def issuer_of(root: hazmat.Secret, tenant: bytes, name: str) -> Issuer:
    """A company with the key that its root gives: the same root, the same key."""
    info = pae(_DOMAIN, sized(tenant), u32(FIRST))
    expand = partial(hazmat.hkdf_expand_sha256, info=info, length=hazmat.P256_MATERIAL_BYTES)
    material = root.use(expand)
    native = hazmat.p256_private(material)
    hazmat.wipe(material)
    key = ECKey(native, native)
    return Issuer(name, key, key.thumbprint())


def issuer_name(public_url: str, tenant: str) -> str:
    """How a company is called in its statements: an address, so that its keys can be found from it."""
    return f"{public_url}/{tenant}"


def list_uri(issuer: str, number: int) -> str:
    """Where a status list of a company is."""
    base, _, tenant = issuer.rpartition("/")
    return f"{base}{_LISTS}/{tenant}/{number}"


def published(key: ECKey) -> dict[str, Any]:
    """The public part of a signing key, as others are given it."""
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": ALGORITHM}


def former_key(public: str, ended: datetime, *, compromised: bool) -> Mapping[str, Any]:
    """A key that signs no more, as others are given it: `exp` says until when what it signed counts."""
    moment = int(ended.timestamp())
    if not compromised:
        return {**json.loads(public), "exp": moment + CLOCKS_SECONDS}
    return {**json.loads(public), "exp": moment, "revoked": {"revoked_at": moment, "reason": "compromised"}}


@dataclass(frozen=True, slots=True)
class Trusted:
    """A company whose statements are believed, and its keys by their names."""

    issuer: str
    keys: Mapping[str, ECKey] = field(repr=False)
    ends: Mapping[str, int] = field(default_factory=dict, repr=False)
    """Until when what a key signed counts, in seconds since 1970; of the keys that ended."""

    def counts(self, kid: str, signed_at: int) -> bool:
        """Whether a key may have signed at an instant."""
        return kid not in self.ends or signed_at <= self.ends[kid]

    @classmethod
    def read(cls, told: Any) -> Trusted:
        """The company of a key file: what `/.well-known/credence-keys.json` says under `statements`, or that alone.

        Raises: Untrue (UNUSABLE_KEY).
        """
        try:
            found = told.get("statements", told)
            issuer, listed = found["issuer"], found["jwks"]["keys"]
            apart = found["compromised"]["keys"] if "compromised" in found else []
            keys = {_name(jwk): public_key(jwk) for jwk in (*listed, *apart)}
            ends = {jwk["kid"]: _end(jwk) for jwk in (*listed, *apart) if "exp" in jwk or jwk in apart}
        except (AttributeError, TypeError, KeyError):
            raise Untrue(Reason.UNUSABLE_KEY) from None
        if not isinstance(issuer, str) or not keys or len(keys) != len(listed) + len(apart):
            raise Untrue(Reason.UNUSABLE_KEY)
        return cls(issuer, keys, ends)


def _name(jwk: Any) -> str:
    kid = jwk["kid"]
    if not isinstance(kid, str) or not kid or jwk.get("alg", ALGORITHM) != ALGORITHM or jwk.get("use", "sig") != "sig":
        raise Untrue(Reason.UNUSABLE_KEY)
    return kid


def _end(jwk: Any) -> int:
    """Until when a key counts; one that is compromised has to say it."""
    end = jwk["exp"]
    if not isinstance(end, int) or isinstance(end, bool):
        raise Untrue(Reason.UNUSABLE_KEY)
    return end
