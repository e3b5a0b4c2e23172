"""Signed statements of a company as JWS (RFC 7515, Ed25519): made with the key of its log, verified by its pinned key.

The payload is canonical JSON; the header names its type and the key, as the log's own checkpoints do: `name+id`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64encode

from domain import canonical
from domain.custody.erasures import CERTIFICATE
from domain.errors import Malformed, Tampered
from vault import hazmat
from vault.audit.note import Verifier

ALGORITHM: Final = "Ed25519"
MAX_TEXT: Final = 64 * 1024
_ADVICE: Final = "Compare the key with the one that `credence audit export` told, and get the certificate again."


def signed(seed: hazmat.Secret, verifier: Verifier, kind: str, said: Mapping[str, Any]) -> str:
    """A statement with its signature, in the compact form."""
    header = {"alg": ALGORITHM, "typ": kind, "kid": _kid(verifier)}
    private = seed.use(lambda raw: urlsafe_b64encode(bytes(raw)).decode())
    key = OKPKey.import_key(_public(verifier) | {"d": private})
    return jws.serialize_compact(header, canonical.encode(dict(said)), key, algorithms=[ALGORITHM])


def verified(text: str, verifier: Verifier, kind: str = CERTIFICATE) -> Mapping[str, Any]:
    """What a statement says, when this key signed it as a statement of this type.

    Raises: Malformed for what is no statement; Tampered for one that this key did not sign just so.
    """
    if len(text) > MAX_TEXT:
        raise Malformed("A certificate is shorter than this.", path=("certificate",))
    key = OKPKey.import_key(_public(verifier))
    try:
        found = jws.deserialize_compact(text.strip(), key, algorithms=[ALGORITHM])
        said: Any = json.loads(found.payload)
    except (JoseError, ValueError):
        raise Tampered("The certificate does not verify under this key.", advice=_ADVICE) from None
    header = found.headers()
    if header.get("typ") != kind or header.get("kid") != _kid(verifier) or not isinstance(said, dict):
        raise Tampered("The certificate is of another kind, or of another key.", advice=_ADVICE)
    return said


def _kid(verifier: Verifier) -> str:
    return f"{verifier.name}+{verifier.key_id.hex()}"


def _public(verifier: Verifier) -> dict[str, str | list[str]]:
    return {"kty": "OKP", "crv": "Ed25519", "x": urlsafe_b64encode(verifier.public).decode()}
