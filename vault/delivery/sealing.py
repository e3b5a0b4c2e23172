"""What leaves for a partner: a signed text, sealed to a key that the partner alone holds.

    OKP X25519                  HPKE base mode, DHKEM(X25519), HKDF-SHA256, AES-256-GCM
    AKP MLKEM768-X25519         the same with the hybrid KEM, for what must stay closed for decades
    EC P-256                    JWE ECDH-ES+A256KW, A256GCM, for partners without HPKE

HPKE binds the sealing to what it is about; a JWE derives its key from the digest of that (`apv`), and both hold a
signed text that names it again. The signature is inside: who only sees the sealed form learns nothing of it (RFC 9180).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from domain.errors import Malformed
from vault import hazmat
from vault.seal import pae, sized, u32

DOMAIN: Final = b"vault/disclosure/1"
POSSESSION: Final = b"vault/possession/1"
MAX_JWK: Final = 4_096
"""Characters of a JWK; longer texts are not even read."""
HYBRID: Final = "MLKEM768-X25519"
"""The `alg` of a hybrid key: ML-KEM-768 and X25519 one after the other in `pub`."""
_JWE: Final = ("ECDH-ES+A256KW", "A256GCM")
_PRIVATE: Final = frozenset({"d", "priv", "k", "p", "q", "dp", "dq", "qi", "oth"})


class Form(StrEnum):
    """How a text is sealed; the partner's key decides."""

    HPKE = "HPKE-X25519-SHA256-A256GCM"
    HPKE_HYBRID = "HPKE-MLKEM768X25519-SHA256-A256GCM"
    JWE = "JWE-ECDH-ES-A256KW-A256GCM"


@dataclass(frozen=True, slots=True)
class RecipientKey:
    """A public key that something can be sealed to."""

    id: str
    """Its RFC 7638 thumbprint."""
    form: Form
    public: bytes
    """The raw key; of P-256 the JWK, as canonical JSON."""


@dataclass(frozen=True, slots=True)
class About:
    """What a sealing is bound to; ids are 16 bytes each."""

    tenant: bytes
    partner: bytes
    consent: bytes
    consent_version: int
    disclosure: bytes

    def info(self, key: RecipientKey) -> bytes:
        """The same bytes for sealing and opening, and no others."""
        ids = sized(self.tenant), sized(self.partner), key.id.encode("ascii"), sized(self.consent)
        return pae(DOMAIN, *ids, u32(self.consent_version), sized(self.disclosure))


@dataclass(frozen=True, slots=True)
class Possession:
    """What a challenge is bound to: the company that asks, and the partner that is to answer; ids are 16 bytes each."""

    tenant: bytes
    partner: bytes

    def info(self, key: RecipientKey) -> bytes:
        """The same bytes for sealing and opening, and no others."""
        return pae(POSSESSION, sized(self.tenant), sized(self.partner), key.id.encode("ascii"))


def recipient_key(jwk: Mapping[str, object]) -> RecipientKey:
    """The key of a JWK, checked: of a kind that is served, public, whole, and one that something can be sealed to.

    Raises: Malformed; the key is not repeated.
    """
    if _PRIVATE & jwk.keys():
        raise _unfit(
            "The key holds its private part.", "Send the public part alone, and make a new key: this one is known."
        )
    match jwk.get("kty"), jwk.get("crv", jwk.get("alg")):
        case "OKP", "X25519":
            key = _raw(jwk, ("crv", "kty", "x"), "x", hazmat.X25519_BYTES, Form.HPKE)
        case "AKP", kind if kind == HYBRID:
            key = _raw(jwk, ("alg", "kty", "pub"), "pub", hazmat.HYBRID_BYTES, Form.HPKE_HYBRID)
        case "EC", "P-256":
            named = {name: jwk.get(name) for name in ("crv", "kty", "x", "y")}
            key = RecipientKey(_thumbprint(named), Form.JWE, _json(named))
        case _:
            raise _unfit("The key is of a kind that is not served.", f"Send OKP X25519, AKP {HYBRID} or EC P-256.")
    try:
        seal(key, "probe", About(bytes(16), bytes(16), bytes(16), 0, bytes(16)))
    except (hazmat.Unsealable, JoseError, ValueError, TypeError, binascii.Error):
        raise _unfit(
            "The key is no point that something can be sealed to.", "Send the public key as it was made."
        ) from None
    return key


def hybrid_of(text: str) -> tuple[str, str] | None:
    """The hybrid key in the text of a JWK, bare and in one spelling, and its thumbprint; nothing for another kind.

    Raises: Malformed for one that nothing can be sealed to.
    """
    try:
        jwk = json.loads(text) if len(text) <= MAX_JWK else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(jwk, Mapping) or jwk.get("kty") != "AKP":
        return None
    if jwk.get("use", "enc") != "enc":
        raise _unfit("The JWK says it is for another use.", 'Make a key of its own for this use, "use": "enc".')
    key = recipient_key(jwk)
    return _json({"alg": HYBRID, "kty": "AKP", "pub": _b64(key.public)}).decode(), key.id


def seal(key: RecipientKey, signed: str, about: About | Possession) -> str:
    """The signed text, sealed; base64url of the bytes of HPKE, or a compact JWE."""
    info = about.info(key)
    if key.form is not Form.JWE:
        return _b64(hazmat.hpke_seal(key.public, signed.encode(), info))
    alg, enc = _JWE
    header = {"alg": alg, "enc": enc, "cty": "JWT", "kid": key.id, "apv": _b64(hashlib.sha256(info).digest())}
    return jwe.encrypt_compact(header, signed, ECKey.import_key(json.loads(key.public)), algorithms=[alg, enc])


def _raw(jwk: Mapping[str, object], names: tuple[str, ...], holds: str, length: int, form: Form) -> RecipientKey:
    named = {name: jwk.get(name) for name in names}
    text = named[holds]
    try:
        public = base64.b64decode(_padded(text), altchars=b"-_", validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        public = b""
    if len(public) != length or _b64(public) != text:
        raise _unfit(f"{holds} is not {length} bytes in base64url.", "Send the public key as it was made.")
    return RecipientKey(_thumbprint(named), form, public)


def _thumbprint(named: Mapping[str, object]) -> str:
    return _b64(hashlib.sha256(_json(named)).digest())


def _json(named: Mapping[str, object]) -> bytes:
    return json.dumps(named, sort_keys=True, separators=(",", ":")).encode()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


def _unfit(sentence: str, advice: str) -> Malformed:
    return Malformed(sentence, advice=advice, path=("jwk",))
