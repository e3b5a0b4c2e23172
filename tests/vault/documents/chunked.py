"""C2SP chunked-encryption, written a second time from its specification: slow, whole, and with any AEAD and hash.

Of `cryptography` it uses single AEAD calls; HKDF-Expand is written out with the standard library.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

CHUNK, TAG, SALT, COMMITMENT, NONCE = 16 * 1024, 16, 24, 32, 12
LABEL = b"c2sp.org/chunked-encryption@v1+"


class Suite(NamedTuple):
    """An AEAD by its name, its key, and the hash of the derivation."""

    name: bytes
    key_bytes: int
    cipher: type
    hash: str


AES_128 = Suite(b"AEAD_AES_128_GCM", 16, AESGCM, "sha256")
AES_256 = Suite(b"AEAD_AES_256_GCM", 32, AESGCM, "sha256")
CHACHA = Suite(b"AEAD_CHACHA20_POLY1305", 32, ChaCha20Poly1305, "sha256")
COBBLESTONE_256 = AES_256._replace(hash="sha512")


class Refused(Exception):
    """It does not verify."""


def expand(key, info, length, hash_):
    """RFC 5869, Expand."""
    found, block, number = b"", b"", 1
    while len(found) < length:
        block = hmac.digest(key, block + info + bytes([number]), hash_)
        found, number = found + block, number + 1
    return found[:length]


def derived(suite, key, salt, context):
    """The key of the chunks, the base nonce and the commitment."""
    if len(key) != suite.key_bytes:
        raise Refused
    info = LABEL + suite.name + b"\x00" + salt + context
    whole = expand(key, info, suite.key_bytes + NONCE + COMMITMENT, suite.hash)
    return whole[: suite.key_bytes], whole[suite.key_bytes : -COMMITMENT], whole[-COMMITMENT:]


def nonce(base, number):
    """The nonce of a chunk."""
    return (int.from_bytes(base, "big") ^ number).to_bytes(NONCE, "big")


def sealed(suite, key, salt, context, plain):
    """The whole ciphertext."""
    inner, base, commitment = derived(suite, key, salt, context)
    cipher, out = suite.cipher(inner), salt + commitment
    for number in range(len(plain) // CHUNK + 1):
        out += cipher.encrypt(nonce(base, number), plain[number * CHUNK : (number + 1) * CHUNK], b"")
    return out


def opened(suite, key, context, text):
    """The whole plaintext."""
    salt, commitment, rest = text[:SALT], text[SALT : SALT + COMMITMENT], text[SALT + COMMITMENT :]
    if len(commitment) != COMMITMENT:
        raise Refused
    inner, base, expected = derived(suite, key, salt, context)
    if commitment != expected:
        raise Refused
    cipher, plain, number = suite.cipher(inner), b"", 0
    while True:
        chunk, rest = rest[: CHUNK + TAG], rest[CHUNK + TAG :]
        try:
            plain += cipher.decrypt(nonce(base, number), chunk, b"")
        except (InvalidTag, ValueError):
            raise Refused from None
        if len(chunk) < CHUNK + TAG:
            if rest:
                raise Refused
            return plain
        number += 1
