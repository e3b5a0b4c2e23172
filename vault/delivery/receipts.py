"""Receipts that a company signs for whoever takes them along, and whether one is to be believed.

A receipt is judged from files alone: the company's published keys, and no network, database or account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from domain import canonical
from domain.audit import Warrant
from domain.errors import Malformed
from domain.ports import Attested
from vault.statements.compact import parse, sign, verifies
from vault.statements.publishing import Issuer, Trusted
from vault.statements.reasons import Reason, Untrue

TYPE: Final = "consent-receipt+jwt"
"""The `typ` of a receipt."""
LEEWAY: Final = 60
"""How many seconds the company's clock may be ahead of ours."""
RECORD: Final = "consent"
"""The claim that holds what is attested."""
_LAST: Final = 1 << 36
_TEXTS: Final = ("iss", "jti", "sub", "entry")
_ORIGINAL: Final = "Ask for the original: a receipt can be taken again at any time."
_KEYS: Final = "Fetch the keys of the company again, over a connection you trust, and compare whom they are of."
_SAYS: Final = {
    Reason.TOO_LARGE: ("It is larger than any receipt.", _ORIGINAL),
    Reason.MALFORMED: ("It is not a receipt in its one form.", "Check that the whole file arrived, unchanged."),
    Reason.WRONG_ALGORITHM: ("It is signed by another algorithm than ES256.", _ORIGINAL),
    Reason.WRONG_TYPE: ("It is signed, but it is no receipt of a consent.", _ORIGINAL),
    Reason.UNKNOWN_ISSUER: ("It is of another company than the keys.", _KEYS),
    Reason.UNKNOWN_KEY: ("It names a key that is not among the company's.", _KEYS),
    Reason.UNUSABLE_KEY: ("A key is no public P-256 key.", _KEYS),
    Reason.BAD_SIGNATURE: ("The company did not sign this: it was changed, or made by somebody else.", _ORIGINAL),
    Reason.KEY_ENDED: ("It is signed with a key that had ended before.", _ORIGINAL),
    Reason.MISSING_CLAIM: ("Something that every receipt says is missing in it.", _ORIGINAL),
    Reason.NOT_YET_VALID: ("It is of a time that has not come yet.", "Check the clock of this machine."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Whether a receipt is believed, and what it attests; where it is not, nothing of it is told."""

    reason: Reason | None = None
    issuer: str = ""
    issued_at: datetime | None = None
    """As of when it is true: what was done since, it cannot know."""
    entry: str = ""
    """The audit entry that precedes it, and holds its digest."""
    digest: str = ""
    """SHA-256 of the canonical record."""
    record: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """Whether it is believed."""
        return self.reason is None

    @property
    def words(self) -> tuple[str, str]:
        """Why it is not believed, and what to do; two empty texts where it is."""
        return ("", "") if self.reason is None else _SAYS[self.reason]


def attest(issuer: Issuer, warrant: Warrant, attested: Attested) -> str:
    """The receipt in compact form, signed with ES256; it names the entry that precedes it."""
    claims = {
        "iss": issuer.name,
        "sub": attested.about,
        "jti": attested.id,
        "iat": int(attested.issued_at.timestamp()),
        "entry": warrant.receipt.entry,
        RECORD: dict(attested.record),
    }
    return sign(issuer.key, {"typ": TYPE, "kid": issuer.kid}, claims)


def judge_receipt(text: str, keys: object, now: datetime) -> Judged:
    """The verdict on a receipt, under keys of a company that are trusted already."""
    try:
        return _judge(text.strip(), Trusted.read(keys), int(now.timestamp()))
    except Untrue as error:
        return Judged(reason=error.reason)


def _judge(text: str, trusted: Trusted, now: int) -> Judged:
    if not text.isascii():
        raise Untrue(Reason.MALFORMED)
    signed = parse(text)
    if signed.header.get("typ") != TYPE:
        raise Untrue(Reason.WRONG_TYPE)
    if signed.claims.get("iss") != trusted.issuer:
        raise Untrue(Reason.UNKNOWN_ISSUER)
    kid = str(signed.header.get("kid"))
    key = trusted.keys.get(kid)
    if key is None:
        raise Untrue(Reason.UNKNOWN_KEY)
    if not verifies(signed, key):
        raise Untrue(Reason.BAD_SIGNATURE)
    claims = signed.claims
    record, issued = claims.get(RECORD), claims.get("iat")
    if not isinstance(record, dict) or not all(isinstance(claims.get(name), str) for name in _TEXTS):
        raise Untrue(Reason.MISSING_CLAIM)
    if not isinstance(issued, int) or isinstance(issued, bool) or not 0 <= issued < _LAST:
        raise Untrue(Reason.MISSING_CLAIM)
    if not trusted.counts(kid, issued):
        raise Untrue(Reason.KEY_ENDED)
    if issued > now + LEEWAY:
        raise Untrue(Reason.NOT_YET_VALID)
    return Judged(
        issuer=trusted.issuer,
        issued_at=datetime.fromtimestamp(issued, UTC),
        entry=claims["entry"],
        digest=_digest(record),
        record=record,
    )


def _digest(record: Mapping[str, Any]) -> str:
    try:
        return canonical.digest(record)
    except Malformed:
        raise Untrue(Reason.MALFORMED) from None
