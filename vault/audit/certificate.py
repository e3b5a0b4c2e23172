"""Signed statements of a company as JWS (RFC 7515, Ed25519): made with the key of its log, verified by pinned keys.

The payload is canonical JSON; the header names its type and the key, as the log's own checkpoints do: `name+id`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64encode

from domain import canonical
from domain.custody.erasures import CERTIFICATE
from domain.errors import Malformed, Tampered
from vault import hazmat
from vault.audit.handover import Keyholders, Known
from vault.audit.note import Verifier

ALGORITHM: Final = "Ed25519"
SIGNED_AT: Final = "certifiedAt"
"""Which member says when it was signed."""
CLOCKS: Final = timedelta(minutes=1)
MAX_TEXT: Final = 64 * 1024
_ADVICE: Final = "Compare the key with the one that `credence audit export` told, and get the certificate again."


def signed(seed: hazmat.Secret, verifier: Verifier, kind: str, said: Mapping[str, Any]) -> str:
    """A statement with its signature, in the compact form."""
    header = {"alg": ALGORITHM, "typ": kind, "kid": _kid(verifier)}
    private = seed.use(lambda raw: urlsafe_b64encode(bytes(raw)).decode())
    key = OKPKey.import_key(_public(verifier) | {"d": private})
    return jws.serialize_compact(header, canonical.encode(dict(said)), key, algorithms=[ALGORITHM])


def verified(text: str, keys: Keyholders, kind: str = CERTIFICATE) -> Mapping[str, Any]:
    """What a statement says, when a believed key signed it as a statement of this type, in its own time.

    Raises: Malformed for what is no statement; Tampered for one that no such key signed just so.
    """
    if len(text) > MAX_TEXT:
        raise Malformed("A certificate is shorter than this.", path=("certificate",))
    known = next((one for one in keys if _verifies(text.strip(), one.key)), None)
    if known is None:
        raise Tampered("The certificate does not verify under this key.", advice=_ADVICE)
    found = jws.deserialize_compact(text.strip(), OKPKey.import_key(_public(known.key)), algorithms=[ALGORITHM])
    header, said = found.headers(), _read(found.payload)
    if header.get("typ") != kind or header.get("kid") != _kid(known.key) or not isinstance(said, dict):
        raise Tampered("The certificate is of another kind, or of another key.", advice=_ADVICE)
    if known.ended is not None and not _in_time(said.get(SIGNED_AT), known):
        raise Tampered("The certificate is signed with a key that had ended before.", advice=_ADVICE)
    return said


def _verifies(text: str, verifier: Verifier) -> bool:
    try:
        jws.deserialize_compact(text, OKPKey.import_key(_public(verifier)), algorithms=[ALGORITHM])
    except (JoseError, ValueError):
        return False
    return True


def _read(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return None


def _in_time(said: Any, known: Known) -> bool:
    """Whether a statement says that it was signed before its key ended; clocks of several machines differ."""
    try:
        at = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return False
    leeway = timedelta() if known.compromised else CLOCKS
    return known.ended is not None and at.tzinfo is not None and at <= known.ended + leeway


def _kid(verifier: Verifier) -> str:
    return f"{verifier.name}+{verifier.key_id.hex()}"


def _public(verifier: Verifier) -> dict[str, str | list[str]]:
    return {"kty": "OKP", "crv": "Ed25519", "x": urlsafe_b64encode(verifier.public).decode()}
