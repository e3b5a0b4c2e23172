"""Whether a statement is to be believed, judged from files alone: no network, no database, no key of ours but its own.

What is true is told with how fresh it is; what is not is one reason out of a closed list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from joserfc.jwk import ECKey

from vault.statements import presenting, statuslist
from vault.statements.compact import Signed, parse, public_key, verifies
from vault.statements.presenting import presented_hash
from vault.statements.publishing import Trusted
from vault.statements.reasons import Reason, Untrue
from vault.statements.sdjwt import Compact, shown

TYPE: Final = "dc+sd-jwt"
VCT: Final = "urn:credence:credit-statement:1"
LEEWAY: Final = 60
"""How many seconds another's clock may be ahead of ours. Nothing is believed after it expired."""
SIGNED_ALONE: Final = frozenset({"iss", "vct", "iat", "nbf", "exp", "cnf", "status", "sub"})
"""What only the signed part says: no disclosure puts it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """For whom and for which occasion a presentation has to be; None where that is not asked."""

    audience: str | None = None
    nonce: str | None = None

    @property
    def proof(self) -> bool:
        """Whether the holder has to prove that it is."""
        return self.audience is not None or self.nonce is not None


ANYBODY: Final = Expected()


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What the holder signed when presenting."""

    at: datetime
    audience: str
    nonce: str


@dataclass(slots=True, kw_only=True)
class Verdict:
    """Whether a statement is believed, and what it says; where it is not, nothing of it is told."""

    reason: Reason | None = None
    issuer: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What is disclosed."""
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    presented: Presented | None = None
    """None where whoever sent it did not prove to hold its key."""
    list_uri: str = ""
    status_at: datetime | None = None
    """The time of the status list that says it is not revoked; None where none was given."""

    @property
    def ok(self) -> bool:
        """Whether everything that was asked holds."""
        return self.reason is None


def verify(
    text: str, trusted: Trusted, now: datetime, *, status: str | None = None, expected: Expected = ANYBODY
) -> Verdict:
    """The verdict on a statement, under keys that are trusted already."""
    verdict = Verdict()
    try:
        _judge(verdict, text.strip(), trusted, int(now.timestamp()), status, expected)
    except Untrue as error:
        return Verdict(reason=error.reason)
    return verdict


def _judge(verdict: Verdict, text: str, trusted: Trusted, now: int, status: str | None, expected: Expected) -> None:
    if not text.isascii():
        raise Untrue(Reason.MALFORMED)
    whole = Compact.read(text)
    signed = parse(whole.signed)
    claims = signed.claims
    if signed.header.get("typ") != TYPE or claims.get("vct") != VCT:
        raise Untrue(Reason.WRONG_TYPE)
    if claims.get("iss") != trusted.issuer:
        raise Untrue(Reason.UNKNOWN_ISSUER)
    _check_signature(signed, trusted.keys)
    issued, expires = _number(claims, "iat"), _number(claims, "exp")
    if not trusted.counts(str(signed.header.get("kid")), issued):
        raise Untrue(Reason.KEY_ENDED)
    disclosed = shown(claims, whole.disclosures, SIGNED_ALONE)
    begins = _number(claims, "nbf") if "nbf" in claims else issued
    if max(issued, begins) > now + LEEWAY:
        raise Untrue(Reason.NOT_YET_VALID)
    if expires <= now:
        raise Untrue(Reason.EXPIRED)
    holder = public_key(_member(claims, "cnf", "jwk"))
    verdict.presented = _binding(whole, holder, issued, now, expected)
    entry = _member(claims, "status", "status_list")
    uri, index = _text(entry, "uri"), _number(entry, "idx")
    verdict.issuer, verdict.list_uri = trusted.issuer, uri
    verdict.issued_at, verdict.expires_at = _time(issued), _time(expires)
    verdict.claims = {name: value for name, value in disclosed.items() if name not in SIGNED_ALONE}
    if status is not None:
        value, at = statuslist.look_up(status, trusted, uri=uri, index=index, now=now, leeway=LEEWAY)
        if value != statuslist.VALID:
            raise Untrue(Reason.REVOKED)
        verdict.status_at = _time(at)


def _check_signature(signed: Signed, keys: Mapping[str, ECKey]) -> None:
    key = keys.get(str(signed.header.get("kid")))
    if key is None:
        raise Untrue(Reason.UNKNOWN_KEY)
    if not verifies(signed, key):
        raise Untrue(Reason.BAD_SIGNATURE)


def _binding(whole: Compact, holder: ECKey, issued: int, now: int, expected: Expected) -> Presented | None:
    """What the holder signed; a signature that is there has to verify, whether or not it was asked for."""
    if not whole.binding:
        if expected.proof:
            raise Untrue(Reason.HOLDER_NOT_PROVEN)
        return None
    signed = parse(whole.binding)
    if signed.header.get("typ") != presenting.TYPE or not verifies(signed, holder):
        raise Untrue(Reason.BAD_HOLDER_SIGNATURE)
    claims = signed.claims
    if _text(claims, "sd_hash") != presented_hash(whole):
        raise Untrue(Reason.OTHER_DISCLOSURES)
    audience, nonce, at = _text(claims, "aud"), _text(claims, "nonce"), _number(claims, "iat")
    if expected.audience is not None and audience != expected.audience:
        raise Untrue(Reason.WRONG_AUDIENCE)
    if expected.nonce is not None and nonce != expected.nonce:
        raise Untrue(Reason.WRONG_NONCE)
    if not issued - LEEWAY <= at <= now + LEEWAY:
        raise Untrue(Reason.WRONG_PRESENTATION_TIME)
    return Presented(at=_time(at), audience=audience, nonce=nonce)


def _member(value: Any, *names: str) -> Any:
    for name in names:
        if not isinstance(value, Mapping) or name not in value:
            raise Untrue(Reason.MISSING_CLAIM)
        value = value[name]
    return value


def _number(claims: Mapping[str, Any], name: str) -> int:
    value = _member(claims, name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 36:
        raise Untrue(Reason.MALFORMED)
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = _member(claims, name)
    if not isinstance(value, str):
        raise Untrue(Reason.MALFORMED)
    return value


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
