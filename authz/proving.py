"""A partner's side of a proof: a key of its own, and a proof with it. The demo and the command line use it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry

from authz.keys import CURVES, algorithm_of, public_key
from authz.proofs import TYPE, token_hash
from domain.errors import Malformed

_PRIVATE = "d"


def new_key() -> dict[str, Any]:
    """A new private key, as a JWK."""
    return ECKey.generate_key("P-256", private=True).as_dict(private=True)


def thumbprint_of(jwk: Mapping[str, Any]) -> str:
    """The thumbprint of a key that proves, whether its private part is there or not.

    Raises: Malformed.
    """
    return public_key(_public(jwk), CURVES["DPOP"]).thumbprint


def make_proof(jwk: Mapping[str, Any], token: str, *, method: str, url: str, nonce: str, now: datetime) -> str:
    """A proof (RFC 9449) for one request with a token.

    Raises: Malformed where the key is none, or has no private part.
    """
    public = public_key(_public(jwk), CURVES["DPOP"])
    try:
        key = JWKRegistry.import_key({**public.members, _PRIVATE: str(jwk.get(_PRIVATE))})
        algorithm = str(algorithm_of(key))
        claims = {"htm": method, "htu": url, "iat": int(now.timestamp()), "jti": secrets.token_urlsafe(16)}
        claims |= {"ath": token_hash(token)} | ({"nonce": nonce} if nonce else {})
        header = {"typ": TYPE, "alg": algorithm, "jwk": dict(public.members)}
        return jws.serialize_compact(header, json.dumps(claims), key, [algorithm])
    except (JoseError, ValueError, TypeError):
        problem = Malformed("The file holds no private key.", advice="Name the JWK with its private part.")
    raise problem


def _public(jwk: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name != _PRIVATE}
