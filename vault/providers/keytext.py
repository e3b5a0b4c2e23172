"""The text of a key file: root keys as they are, or sealed with what a passphrase makes.

    {"format": "credence-keys/1", "roots": {"1": "…64 hex digits…", "2": null}, "sign": "…", "hmac": "…"}
    {"format": "credence-keys-sealed/1", "salt": "…32 hex digits…", "sealed": "… nonce, the text above, tag …"}

A guess at a passphrase costs Argon2id over 64 MiB in three passes. What the passphrase makes is kept while the process
lives, for each call would cost as much; the roots themselves are not.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any

from domain.errors import KeyUnavailable
from vault import hazmat
from vault.providers.written import SecretPlace
from vault.seal import pae

FORMAT = "credence-keys/1"
SEALED = "credence-keys-sealed/1"


@dataclass(slots=True)
class Keys:
    """What a key file holds; None marks a destroyed root."""

    roots: dict[int, hazmat.Secret | None]
    sign: hazmat.Secret
    hmac: hazmat.Secret

    def cipher(self, epoch: int) -> hazmat.Aes256Gcm:
        """The cipher of a root.

        Raises: KeyUnavailable.
        """
        root = self.roots.get(epoch)
        if root is None:
            gone = "is destroyed" if epoch in self.roots else "is not in the key file"
            raise KeyUnavailable(
                f"Root key version {epoch} {gone}.",
                advice="What a destroyed version protects is lost on purpose; for any other, restore the key file.",
            )
        return root.use(hazmat.aes_256_gcm)


class Passphrase:
    """What a file is sealed with; the key it makes with a salt is made once."""

    def __init__(self, place: SecretPlace) -> None:
        self._place = place
        self._made: tuple[bytes, hazmat.Aes256Gcm] | None = None
        self._making = threading.Lock()

    def __repr__(self) -> str:
        return f"Passphrase({self._place.kind})"

    def sealed(self, text: bytearray) -> bytearray:
        """A text, sealed."""
        with self._making:
            salt, cipher = self._made or self._make(hazmat.random_bytes(hazmat.SALT_BYTES))
        nonce = hazmat.random_bytes(hazmat.NONCE_BYTES)
        sealed = nonce + hazmat.encrypt(cipher, nonce, text, _bound(salt))
        return _printed({"format": SEALED, "salt": salt.hex(), "sealed": sealed.hex()})

    def opened(self, salt: bytes, sealed: bytes) -> bytearray:
        """The text of a sealed one; a passphrase that was replaced since is read anew.

        Raises: KeyUnavailable.
        """
        with self._making:
            for kept in (True, False):
                if kept and (self._made is None or self._made[0] != salt):
                    continue
                _, cipher = self._made if kept and self._made else self._make(salt)
                nonce, rest = sealed[: hazmat.NONCE_BYTES], sealed[hazmat.NONCE_BYTES :]
                try:
                    return hazmat.decrypt_buffer(cipher, nonce, rest, _bound(salt))
                except hazmat.Forged:
                    self._made = None
        raise KeyUnavailable(
            "The passphrase does not open the key file.",
            advice="Check the passphrase; if it is right, restore the file.",
        )

    def _make(self, salt: bytes) -> tuple[bytes, hazmat.Aes256Gcm]:
        with hazmat.argon2id(self._place.secret(), salt) as key:
            self._made = salt, key.use(hazmat.aes_256_gcm)
        return self._made


def parsed(text: bytearray, passphrase: Passphrase | None) -> Keys:
    """The keys of a file's text; no error holds any of it.

    Raises: KeyUnavailable for another form, and where the passphrase is missing, wrong or one too many.
    """
    sealed = _sealed(text)
    if sealed is not None and passphrase is None:
        raise KeyUnavailable(
            "The key file is sealed with a passphrase.", advice="Say where it is: file:PATH?passphrase=file:PATH."
        )
    if sealed is None and passphrase is not None and _keys(text) is not None:
        raise KeyUnavailable(
            "The key file is not sealed with a passphrase.",
            advice="Take `?passphrase=…` out of CREDENCE_KEYS, or run `credence keys seal`.",
        )
    plain = text if sealed is None or passphrase is None else passphrase.opened(*sealed)
    keys = _keys(plain)
    hazmat.wipe(plain)
    if keys is None:
        raise KeyUnavailable("The key file is damaged.", advice="Restore it from its backup.")
    return keys


def written(keys: Keys, passphrase: Passphrase | None) -> bytearray:
    """The text of a file."""
    roots = {str(epoch): None if key is None else key.use(bytearray.hex) for epoch, key in sorted(keys.roots.items())}
    rest = {"sign": keys.sign.use(bytearray.hex), "hmac": keys.hmac.use(bytearray.hex)}
    text = _printed({"format": FORMAT, "roots": roots, **rest})
    return text if passphrase is None else passphrase.sealed(text)


def _printed(entries: dict[str, Any]) -> bytearray:
    return bytearray(json.dumps(entries, indent=1).encode() + b"\n")


def _sealed(text: bytearray) -> tuple[bytes, bytes] | None:
    """The salt and what is sealed; None for a text of another form."""
    try:
        entries: Any = json.loads(text)
        if entries.pop("format") != SEALED or set(entries) != {"salt", "sealed"}:
            return None
        salt, sealed = bytes.fromhex(entries["salt"]), bytes.fromhex(entries["sealed"])
    except (ValueError, TypeError, AttributeError, LookupError):
        return None
    return (salt, sealed) if len(salt) == hazmat.SALT_BYTES and len(sealed) > hazmat.NONCE_BYTES else None


def _keys(text: bytearray) -> Keys | None:
    """The keys of a plain text; None, and no error that would hold the text, when it has another form."""
    try:
        entries: Any = json.loads(text)
        if entries.pop("format") != FORMAT or set(entries) != {"roots", "sign", "hmac"}:
            return None
        roots = {int(epoch): None if key is None else _secret(key) for epoch, key in entries["roots"].items()}
        return Keys(roots, _secret(entries["sign"]), _secret(entries["hmac"]))
    except (ValueError, TypeError, AttributeError, LookupError):
        return None


def _secret(digits: str) -> hazmat.Secret:
    return hazmat.Secret(bytearray.fromhex(digits))


def _bound(salt: bytes) -> bytes:
    return pae(SEALED.encode("ascii"), salt)
