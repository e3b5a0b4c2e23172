"""Token Status Lists: one bit for each statement, compressed and signed; a look-up tells nobody which one is meant."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any, Final

from joserfc.jwk import ECKey

from vault.statements.compact import decode, encode, parse, sign, verifies
from vault.statements.publishing import Trusted
from vault.statements.reasons import Reason, Untrue

TYPE: Final = "statuslist+jwt"
MEDIA_TYPE: Final = "application/statuslist+jwt"
BITS: Final = 1
VALID: Final = 0
MAX_LIST_BYTES: Final = 4 * 1024 * 1024
"""No list is larger when it is unpacked: a small text does not become a large one unnoticed."""
_PER_BYTE: Final = 8
_KNOWN_BITS: Final = frozenset({1, 2, 4, 8})


def sign_list(
    key: ECKey, kid: str, *, uri: str, size: int, revoked: Iterable[int], issued: int, ttl: int, lifetime: int
) -> str:
    """A signed list of so many statements, those that are revoked marked; times in seconds."""
    bits = bytearray(-(-size // _PER_BYTE))
    for index in revoked:
        bits[index // _PER_BYTE] |= 1 << index % _PER_BYTE
    claims = {
        "sub": uri,
        "iat": issued,
        "exp": issued + lifetime,
        "ttl": ttl,
        "status_list": {"bits": BITS, "lst": encode(zlib.compress(bytes(bits), 9))},
    }
    return sign(key, {"typ": TYPE, "kid": kid}, claims)


def look_up(text: str, trusted: Trusted, *, uri: str, index: int, now: int, leeway: int) -> tuple[int, int]:
    """What a signed list says of one statement, and when it was made: 0 is valid, everything else is not.

    Raises: Untrue.
    """
    try:
        signed = parse(text.strip())
    except Untrue:
        raise Untrue(Reason.BAD_STATUS_LIST) from None
    kid = str(signed.header.get("kid"))
    key = trusted.keys.get(kid)
    if signed.header.get("typ") != TYPE or key is None or not verifies(signed, key):
        raise Untrue(Reason.BAD_STATUS_LIST)
    claims = signed.claims
    if claims.get("sub") != uri:
        raise Untrue(Reason.OTHER_STATUS_LIST)
    issued, expires = _instant(claims.get("iat")), _instant(claims.get("exp"))
    if issued > now + leeway or not trusted.counts(kid, issued):
        raise Untrue(Reason.BAD_STATUS_LIST)
    if expires <= now:
        raise Untrue(Reason.STATUS_LIST_EXPIRED)
    return _value(claims.get("status_list"), index), issued


def _value(listed: Any, index: int) -> int:
    if not isinstance(listed, dict) or listed.get("bits") not in _KNOWN_BITS or not isinstance(listed.get("lst"), str):
        raise Untrue(Reason.BAD_STATUS_LIST)
    bits = int(listed["bits"])
    try:
        unpacking = zlib.decompressobj()
        packed = unpacking.decompress(decode(listed["lst"]), MAX_LIST_BYTES)
    except (zlib.error, Untrue):
        raise Untrue(Reason.BAD_STATUS_LIST) from None
    if not unpacking.eof or unpacking.unused_data:
        raise Untrue(Reason.BAD_STATUS_LIST)
    place, shift = divmod(index * bits, _PER_BYTE)
    if index < 0 or place >= len(packed):
        raise Untrue(Reason.NOT_IN_STATUS_LIST)
    return packed[place] >> shift & (1 << bits) - 1


def _instant(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Untrue(Reason.BAD_STATUS_LIST)
    return value
