"""Blind indexes: a keyed token finds the rows of a near-unique identifier without opening one.

Only a holder of the index root can make tokens, and whoever holds it can try identifiers out. The same identifier has
other tokens under another tag, version or tenant. Names, grades, dates and amounts are never indexed: how often their
tokens occur gives them away.
"""

from __future__ import annotations

from functools import partial

from vault import hazmat
from vault.seal import pae, sized, u32

TOKEN_BYTES = 16

_KEY = b"vault/bidx-key/1"
_TOKEN = b"vault/bidx/1"
_COUNTERPARTY = b"vault/counterparty/1"
_PAIRWISE = b"vault/pseudonym/1"


def index_key(root: hazmat.Secret, tenant: bytes, tag: str, version: int) -> hazmat.Secret:
    """The key of one index: of a tenant, a field's tag and the index's version."""
    info = pae(_KEY, sized(tenant), tag.encode("ascii"), u32(version))
    return hazmat.Secret(root.use(partial(hazmat.hkdf_expand_sha256, info=info)))


def token(key: hazmat.Secret, tag: str, normaliser_version: int, value: str) -> bytes:
    """The token of an identifier that its tag's normaliser has normalised: equal identifiers, equal tokens."""
    message = pae(_TOKEN, tag.encode("ascii"), u32(normaliser_version), _bytes(value))
    return key.use(partial(hazmat.hmac_sha256, message=message))[:TOKEN_BYTES]


class Maker:
    """Makes the tokens of one tenant; the key of each index is derived once."""

    def __init__(self, root: hazmat.Secret, tenant: bytes) -> None:
        self._root = root
        self._tenant = tenant
        self._keys: dict[tuple[str, int], hazmat.Secret] = {}

    def token(self, tag: str, version: int, normaliser_version: int, value: str) -> bytes:
        """The token of an identifier that its normaliser has normalised, in one version of the index."""
        key = self._keys.get((tag, version))
        if key is None:
            key = self._keys[tag, version] = index_key(self._root, self._tenant, tag, version)
        return token(key, tag, normaliser_version, value)


def pseudonym(root: hazmat.Secret, tenant: bytes, subject: bytes, value: str) -> bytes:
    """What stands for a counterparty in one subject's data, 32 bytes: the same firm is another one elsewhere."""
    message = pae(_COUNTERPARTY, sized(tenant), sized(subject), _bytes(value))
    return root.use(partial(hazmat.hmac_sha256, message=message))


def pairwise(root: hazmat.Secret, tenant: bytes, partner: bytes, subject: bytes) -> bytes:
    """What stands for a customer towards one partner, 32 bytes: no two partners can tell that they mean the same."""
    message = pae(_PAIRWISE, sized(tenant), sized(partner), sized(subject))
    return root.use(partial(hazmat.hmac_sha256, message=message))


def _bytes(value: str) -> bytes:
    """UTF-8, for half a character too: an encoding error would hold the whole value."""
    return value.encode(errors="surrogatepass")
