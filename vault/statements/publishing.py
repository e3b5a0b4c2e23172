"""The keys a company signs statements with: derived from its root, published by their thumbprints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from joserfc.jwk import ECKey

from vault import hazmat
from vault.seal import pae, sized, u32
from vault.statements.compact import ALGORITHM, public_key
from vault.statements.reasons import Reason, Untrue

FIRST: Final = 1
"""The number of a company's signing key; another one is another number under the same root."""
_DOMAIN: Final = b"vault/statement-key/1"
_LISTS: Final = "/statements/status"


@dataclass(frozen=True, slots=True)
class Issuer:
    """A company that signs: its name in statements, its private key, and what that key is called."""

    name: str
    key: ECKey = field(repr=False)
    kid: str

    def metadata(self) -> dict[str, Any]:
        """What others verify its statements with (SD-JWT VC, issuer metadata)."""
        return {"issuer": self.name, "jwks": {"keys": [published(self.key)]}}

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


@dataclass(frozen=True, slots=True)
class Trusted:
    """A company whose statements are believed, and its keys by their names."""

    issuer: str
    keys: Mapping[str, ECKey] = field(repr=False)

    @classmethod
    def read(cls, told: Any) -> Trusted:
        """The company of a key file: what `/.well-known/credence-keys.json` says under `statements`, or that alone.

        Raises: Untrue (UNUSABLE_KEY).
        """
        try:
            found = told.get("statements", told)
            issuer, listed = found["issuer"], found["jwks"]["keys"]
            keys = {_name(jwk): public_key(jwk) for jwk in listed}
        except (AttributeError, TypeError, KeyError):
            raise Untrue(Reason.UNUSABLE_KEY) from None
        if not isinstance(issuer, str) or not keys or len(keys) != len(listed):
            raise Untrue(Reason.UNUSABLE_KEY)
        return cls(issuer, keys)


def _name(jwk: Any) -> str:
    kid = jwk["kid"]
    if not isinstance(kid, str) or not kid or jwk.get("alg", ALGORITHM) != ALGORITHM or jwk.get("use", "sig") != "sig":
        raise Untrue(Reason.UNUSABLE_KEY)
    return kid
