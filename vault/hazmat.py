"""The only door to the `cryptography` package: a few primitives, each with the sizes our formats use and no others.

Keys are 256 bits and nonces 96 bits; everything else raises ValueError, because it is a bug and never an input.
Secrets live in buffers that are overwritten after use. Copies that Python or the ciphers keep cannot be wiped.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from typing import NoReturn, Self, TypeVar

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
DIGEST_BYTES = 32
MLDSA44_PUBLIC_BYTES = 1_312
SIGNATURE_BYTES = 64
SALT_BYTES = 16
ARGON2_KIBIBYTES, ARGON2_PASSES, ARGON2_LANES = 64 * 1024, 3, 4
"""What a guess at a passphrase costs: 64 MiB and three passes over them (RFC 9106, second recommendation)."""
P256_MATERIAL_BYTES = 48
"""What a P-256 key is made of: so much more than it needs that no key is likelier than another (FIPS 186-5, A.2.1)."""
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Aes256Gcm = AESGCM
"""A cipher bound to one key. Making one costs more than using it, so it is kept per key."""

Cobblestone256Sealer = Cobblestone256Encryptor
"""Encrypts one stream in chunks (C2SP chunked-encryption, SHA-512 and AES-256-GCM)."""

Cobblestone256Opener = Cobblestone256Decryptor
"""Decrypts one such stream; whether it was cut off, only its end tells."""

P256PrivateKey = ec.EllipticCurvePrivateKey
"""A private key that signs ES256; whoever signs with it never sees its number."""

Forged = InvalidTag
"""A ciphertext, its nonce or its associated data does not verify under this key."""

X25519_BYTES = 32
MLKEM_BYTES = 1184
HYBRID_BYTES = MLKEM_BYTES + X25519_BYTES

_CLASSIC = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_HYBRID = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

T = TypeVar("T")


class Unsealable(Exception):
    """A public key of somebody else that nothing can be sealed to."""


class Secret:
    """The bytes of a key: never shown, copied or stored by accident, overwritten when nobody holds it any more."""

    __slots__ = ("_bytes",)

    def __init__(self, key: bytearray) -> None:
        """Takes the buffer over: whoever made it keeps no use of it."""
        _sized(key, KEY_BYTES, "A key")
        self._bytes = key

    def use(self, action: Callable[[bytearray], T]) -> T:
        """What the action makes of the bytes; it must not keep them."""
        if not self._bytes:
            raise ValueError("The key is wiped.")
        return action(self._bytes)

    def wipe(self) -> None:
        """Overwrites the bytes; the key cannot be used after that."""
        wipe(self._bytes)
        self._bytes = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def __del__(self) -> None:
        if hasattr(self, "_bytes"):
            # Not by `wipe`: when the interpreter ends, the names of this module may be gone before the key.
            self._bytes[:] = bytes(len(self._bytes))

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A key is not serialised.")


random_bytes = os.urandom
"""Bytes from the random generator of the operating system, so many."""


def random_secret() -> Secret:
    """A new random key."""
    return Secret(bytearray(os.urandom(KEY_BYTES)))


def wipe(buffer: bytearray) -> None:
    """Overwrites a buffer with zeros, in place."""
    buffer[:] = bytes(len(buffer))


def aes_256_gcm(key: bytes | bytearray) -> Aes256Gcm:
    """The cipher of a key; it keeps a copy of its own that dies with it."""
    _sized(key, KEY_BYTES, "A key")
    return AESGCM(key)


def encrypt(cipher: Aes256Gcm, nonce: bytes, text: bytes | bytearray, bound: bytes) -> bytes:
    """Ciphertext and tag of a text, bound to associated data."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError("A nonce is 12 bytes.")
    return cipher.encrypt(nonce, text, bound)


def decrypt(cipher: Aes256Gcm, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    """The text of a ciphertext with its tag.

    Raises: Forged.
    """
    if len(nonce) != NONCE_BYTES:
        raise ValueError("A nonce is 12 bytes.")
    return cipher.decrypt(nonce, sealed, bound)


def decrypt_key(cipher: Aes256Gcm, nonce: bytes, sealed: bytes, bound: bytes) -> Secret:
    """A key that was encrypted under another, straight into a buffer that can be wiped.

    Raises: Forged.
    """
    _sized(nonce, NONCE_BYTES, "A nonce")
    _sized(sealed, KEY_BYTES + TAG_BYTES, "An encrypted key")
    key = bytearray(KEY_BYTES)
    cipher.decrypt_into(nonce, sealed, bound, key)
    return Secret(key)


def cobblestone_256_sealer(key: bytes | bytearray, context: bytes) -> Cobblestone256Sealer:
    """What encrypts one stream under a key, bound to a context; what it gives begins with a random salt."""
    _sized(key, KEY_BYTES, "A key")
    return Cobblestone256Encryptor(key, context)


def cobblestone_256_opener(key: bytes | bytearray, context: bytes) -> Cobblestone256Opener:
    """What decrypts one stream; its steps and its end raise Forged for what was not sealed just so."""
    _sized(key, KEY_BYTES, "A key")
    return Cobblestone256Decryptor(key, context)


def decrypt_buffer(cipher: Aes256Gcm, nonce: bytes, sealed: bytes, bound: bytes) -> bytearray:
    """The text of a ciphertext with its tag, in a buffer that can be wiped.

    Raises: Forged.
    """
    _sized(nonce, NONCE_BYTES, "A nonce")
    if len(sealed) < TAG_BYTES:
        raise Forged
    text = bytearray(len(sealed) - TAG_BYTES)
    cipher.decrypt_into(nonce, sealed, bound, text)
    return text


def hkdf_expand_sha256(key: bytes | bytearray, info: bytes, length: int = KEY_BYTES) -> bytearray:
    """RFC 5869 Expand: as many bytes as asked for, derived from a key for one purpose."""
    _sized(key, KEY_BYTES, "A key")
    derived = bytearray(length)
    HKDFExpand(SHA256(), length, info).derive_into(key, derived)
    return derived


def hmac_sha256(key: bytes | bytearray, message: bytes) -> bytes:
    """RFC 2104 with SHA-256: 32 bytes that only a holder of the key can make."""
    _sized(key, KEY_BYTES, "A key")
    # The standard library's one-shot form: the same OpenSSL, without an object per message.
    return hmac.digest(key, message, "sha256")


def argon2id(passphrase: str, salt: bytes) -> Secret:
    """The key that a passphrase and a salt make; each guess at it costs memory and time (RFC 9106)."""
    _sized(salt, SALT_BYTES, "A salt")
    key = bytearray(KEY_BYTES)
    slow = Argon2id(
        salt=salt, length=KEY_BYTES, iterations=ARGON2_PASSES, lanes=ARGON2_LANES, memory_cost=ARGON2_KIBIBYTES
    )
    slow.derive_into(passphrase.encode(), key)
    return Secret(key)


def ed25519_public(seed: bytes | bytearray) -> bytes:
    """The public key of a private one (RFC 8032, 32 bytes each)."""
    _sized(seed, KEY_BYTES, "A key")
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def ed25519_sign(seed: bytes | bytearray, message: bytes) -> bytes:
    """The signature of a message, 64 bytes; the same message always has the same one."""
    _sized(seed, KEY_BYTES, "A key")
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def ed25519_verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the holder of the private key signed exactly this message."""
    _sized(public, KEY_BYTES, "A key")
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def mldsa44_public(seed: bytes | bytearray) -> bytes:
    """The ML-DSA-44 public key (FIPS 204, 1,312 bytes) of a seed of 32 bytes."""
    _sized(seed, KEY_BYTES, "A key")
    return MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def mldsa44_sign(seed: bytes | bytearray, message: bytes) -> bytes:
    """The signature of a message, 2,420 bytes; the same message has another one each time."""
    _sized(seed, KEY_BYTES, "A key")
    return MLDSA44PrivateKey.from_seed_bytes(seed).sign(message)


def mldsa44_verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the holder of the private key signed exactly this message."""
    _sized(public, MLDSA44_PUBLIC_BYTES, "A key")
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def p256_private(material: bytes | bytearray) -> P256PrivateKey:
    """The P-256 key of some key material; the same material always gives the same key."""
    _sized(material, P256_MATERIAL_BYTES, "The material of a key")
    return ec.derive_private_key(int.from_bytes(material) % (_P256_ORDER - 1) + 1, ec.SECP256R1())


def hpke_seal(public: bytes, text: bytes, info: bytes) -> bytes:
    """RFC 9180 in base mode: a text that only the holder of a private key reads, bound to what it is about.

    The public key is X25519 (32 bytes), or ML-KEM-768 and X25519 one after the other (1,216 bytes), of which both
    must be broken. HKDF-SHA256 and AES-256-GCM either way.

    Raises: Unsealable for a public key that is none.
    """
    try:
        if len(public) == X25519_BYTES:
            return _CLASSIC.encrypt(text, X25519PublicKey.from_public_bytes(public), info)
        _sized(public, HYBRID_BYTES, "A hybrid key")
        both = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:MLKEM_BYTES]),
            X25519PublicKey.from_public_bytes(public[MLKEM_BYTES:]),
        )
        return _HYBRID.encrypt(text, both, info)
    except ValueError:
        raise Unsealable from None


def _sized(value: bytes | bytearray, length: int, what: str) -> None:
    if len(value) != length:
        raise ValueError(f"{what} is {length} bytes.")
