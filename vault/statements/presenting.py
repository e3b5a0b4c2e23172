"""What a holder does with a statement: choose what to show, and sign for whom and for which occasion (KB-JWT)."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from domain.errors import Malformed
from vault.statements import compact
from vault.statements.compact import CURVE, encode, public_key
from vault.statements.publishing import published
from vault.statements.reasons import Untrue, advice, sentence
from vault.statements.sdjwt import Compact, named

TYPE: Final = "kb+jwt"


def new_key() -> ECKey:
    """A new key of a holder."""
    return ECKey.generate_key(CURVE, private=True)


def private_key(jwk: Any) -> ECKey:
    """A holder's private key from its JWK.

    Raises: Malformed.
    """
    try:
        key = ECKey.import_key(jwk)
    except (JoseError, ValueError, TypeError, KeyError):
        key = None
    if key is None or not key.is_private or key.curve_name != CURVE:
        raise Malformed("The file holds no private P-256 key.", advice="Make one with `credence statement key FILE`.")
    return key


def private_text(key: ECKey) -> bytes:
    """A holder's key as its file holds it."""
    return compact.written(key.as_dict(private=True) | {"kid": key.thumbprint()})


def public_text(key: ECKey) -> str:
    """The public part, which a company puts into the statement."""
    return compact.written(published(key)).decode()


def present(text: str, key: ECKey, *, show: Collection[str], audience: str, nonce: str, now: int) -> str:
    """A statement that shows what is named and nothing else, signed by its holder for one audience and occasion.

    Raises: Malformed where it is no statement, was made for another key, or has no such claim.
    """
    try:
        whole = Compact.read(text.strip())
        claims = compact.parse(whole.signed).claims
        offered = dict(named(whole.disclosures))
    except Untrue as error:
        raise Malformed(sentence(error.reason), advice=advice(error.reason), path=("file",)) from None
    missing = sorted(set(show) - offered.keys())
    if missing:
        raise Malformed(
            f"The statement has no {', '.join(missing)}.",
            advice=f"It can show {', '.join(sorted(offered))}.",
            path=("show",),
        )
    if not _is_for(claims.get("cnf"), key):
        raise Malformed(
            "The statement was made for another key.",
            advice="Use the key whose public part was sent when it was issued.",
            path=("key",),
        )
    chosen = Compact(whole.signed, tuple(one for name, one in offered.items() if name in show))
    binding = {"iat": now, "aud": audience, "nonce": nonce, "sd_hash": presented_hash(chosen)}
    return chosen.presented + compact.sign(key, {"typ": TYPE}, binding)


def _is_for(confirmation: Any, key: ECKey) -> bool:
    """Whether a statement names this key as its holder's."""
    try:
        return public_key(confirmation["jwk"]).thumbprint() == key.thumbprint()
    except (TypeError, KeyError, Untrue):
        return False


def presented_hash(shown: Compact) -> str:
    """What binds the holder's signature to what is shown."""
    return encode(sha256(shown.presented.encode("ascii")).digest())
