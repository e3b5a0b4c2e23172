"""A partner's program as a test writes it: a key of its own, and a proof of it with every request."""

from __future__ import annotations

import json
import secrets
import time
from base64 import urlsafe_b64encode
from hashlib import sha256

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey, JWKRegistry

CHALLENGED = "use_dpop_nonce"


def new_key():
    """A private key."""
    return ECKey.generate_key("P-256", private=True)


def key_of(jwk):
    """The private key a JWK holds."""
    return JWKRegistry.import_key(jwk)


def proof_of(key, token, method, url, *, header=None, signed_by=None, **claims):
    """A proof; whatever is named differs from a good one, and what is None is left out."""
    alg = "ES256" if key.key_type == "EC" else "Ed25519"
    head = {"typ": "dpop+jwt", "alg": alg, "jwk": key.as_dict(private=False)} | (header or {})
    body = {
        "htm": method,
        "htu": str(url),
        "iat": int(time.time()),
        "jti": secrets.token_urlsafe(16),
        "ath": urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode(),
    } | claims
    body = {name: value for name, value in body.items() if value is not None}
    registry = jws.JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
    return jws.serialize_compact(head, json.dumps(body), signed_by or key, registry=registry)


class Proving(httpx2.Auth):
    """Sends a token as that of a key, with a proof for each request; a nonce that is wanted is sent along."""

    def __init__(self, key, token):
        self.key = key
        self.token = token
        self.nonce = None

    def auth_flow(self, request):
        """Two rounds at most."""
        request.headers["Authorization"] = f"DPoP {self.token}"
        self._prove(request)
        response = yield request
        if response.status_code == 401 and CHALLENGED in response.headers.get("WWW-Authenticate", ""):
            self.nonce = response.headers["DPoP-Nonce"]
            self._prove(request)
            response = yield request
        self.nonce = response.headers.get("DPoP-Nonce", self.nonce)

    def _prove(self, request):
        request.headers["DPoP"] = proof_of(self.key, self.token, request.method, request.url, nonce=self.nonce)
