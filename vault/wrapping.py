"""A key under another: CE 01 01 00 ‖ nonce (12) ‖ encrypted key (32) ‖ tag (16), bound to what it is for."""

from __future__ import annotations

from typing import Protocol

from domain.errors import Tampered
from vault import hazmat
from vault.seal import pae

WRAP_HEADER = bytes.fromhex("ce010100")
"""Magic, format 1, AES-256-GCM, reserved."""
_NONCE = len(WRAP_HEADER)
_KEY = _NONCE + hazmat.NONCE_BYTES
WRAPPED_BYTES = _KEY + hazmat.KEY_BYTES + hazmat.TAG_BYTES

DEK_DOMAIN = b"vault/dek/1"
ROOT_DOMAIN = b"vault/root/1"
KEK_DOMAIN = b"vault/kek/1"
"""What providers that bind by associated data put first."""


class Bound(Protocol):
    """What a wrapped key is bound to."""

    def parts(self) -> tuple[bytes, ...]:
        """Its parts as they are authenticated; ValueError or OverflowError for one that cannot exist."""


def wrap_key(
    cipher: hazmat.Aes256Gcm, key: hazmat.Secret, domain: bytes, to: Bound, *, nonce: bytes | None = None
) -> bytes:
    """A key under another, 64 bytes, bound to a domain and its parts; only tests of published bytes give the nonce."""
    nonce = hazmat.random_bytes(hazmat.NONCE_BYTES) if nonce is None else nonce
    context = pae(domain, WRAP_HEADER, *to.parts())
    return WRAP_HEADER + nonce + key.use(lambda raw: hazmat.encrypt(cipher, nonce, raw, context))


def unwrap_key(cipher: hazmat.Aes256Gcm, wrapped: bytes, domain: bytes, to: Bound) -> hazmat.Secret:
    """The key that was wrapped for exactly this.

    Raises: Tampered.
    """
    if len(wrapped) != WRAPPED_BYTES or wrapped[:_NONCE] != WRAP_HEADER:
        raise Tampered("A wrapped key is not in a known form.")
    try:
        return hazmat.decrypt_key(cipher, wrapped[_NONCE:_KEY], wrapped[_KEY:], pae(domain, WRAP_HEADER, *to.parts()))
    except (hazmat.Forged, ValueError, OverflowError):
        # What has not even parts of the right sizes is nothing a key was ever wrapped for.
        raise Tampered("A wrapped key does not verify for what it is used for.") from None
