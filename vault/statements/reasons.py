"""Why a statement is not believed: a closed list of reasons, each with its sentence and what to do about it."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Reason(Enum):
    """Why a statement, or what came with it, is not believed."""

    TOO_LARGE = "TOO_LARGE"
    MALFORMED = "MALFORMED"
    WRONG_ALGORITHM = "WRONG_ALGORITHM"
    WRONG_TYPE = "WRONG_TYPE"
    UNKNOWN_ISSUER = "UNKNOWN_ISSUER"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    UNUSABLE_KEY = "UNUSABLE_KEY"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    KEY_ENDED = "KEY_ENDED"
    MISSING_CLAIM = "MISSING_CLAIM"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    UNKNOWN_DIGEST_ALGORITHM = "UNKNOWN_DIGEST_ALGORITHM"
    MALFORMED_DISCLOSURE = "MALFORMED_DISCLOSURE"
    UNDECLARED_DISCLOSURE = "UNDECLARED_DISCLOSURE"
    DOUBLE_DIGEST = "DOUBLE_DIGEST"
    FORBIDDEN_CLAIM = "FORBIDDEN_CLAIM"
    DOUBLE_CLAIM = "DOUBLE_CLAIM"
    HOLDER_NOT_PROVEN = "HOLDER_NOT_PROVEN"
    BAD_HOLDER_SIGNATURE = "BAD_HOLDER_SIGNATURE"
    WRONG_AUDIENCE = "WRONG_AUDIENCE"
    WRONG_NONCE = "WRONG_NONCE"
    OTHER_DISCLOSURES = "OTHER_DISCLOSURES"
    WRONG_PRESENTATION_TIME = "WRONG_PRESENTATION_TIME"
    OTHER_STATUS_LIST = "OTHER_STATUS_LIST"
    BAD_STATUS_LIST = "BAD_STATUS_LIST"
    STATUS_LIST_EXPIRED = "STATUS_LIST_EXPIRED"
    NOT_IN_STATUS_LIST = "NOT_IN_STATUS_LIST"
    REVOKED = "REVOKED"


ASK_HOLDER: Final = "Ask the holder to present it again."
ASK_NEW: Final = "Ask the holder for a new one."
ASK_ISSUER: Final = "Fetch the keys of the company again, over a connection you trust, and compare whom they are of."

_SAYS: Final = {
    Reason.TOO_LARGE: ("It is larger than any statement.", ASK_HOLDER),
    Reason.MALFORMED: ("It is not a statement in its one form.", "Check that the whole file arrived, unchanged."),
    Reason.WRONG_ALGORITHM: ("It is signed by another algorithm than ES256.", ASK_HOLDER),
    Reason.WRONG_TYPE: ("It is signed, but it is no credit statement.", ASK_HOLDER),
    Reason.UNKNOWN_ISSUER: ("It is of another company than the keys.", ASK_ISSUER),
    Reason.UNKNOWN_KEY: ("It names a key that is not among the company's.", ASK_ISSUER),
    Reason.UNUSABLE_KEY: ("A key is no public P-256 key.", ASK_ISSUER),
    Reason.BAD_SIGNATURE: ("The company did not sign this: it was changed, or made by somebody else.", ASK_HOLDER),
    Reason.KEY_ENDED: ("It is signed with a key that had ended before.", ASK_NEW),
    Reason.MISSING_CLAIM: ("Something that every statement says is missing in it.", ASK_HOLDER),
    Reason.NOT_YET_VALID: ("It is not valid yet.", "Check the clock of this machine, or wait."),
    Reason.EXPIRED: ("It has expired.", ASK_NEW),
    Reason.UNKNOWN_DIGEST_ALGORITHM: ("Its digests are made by another algorithm than SHA-256.", ASK_HOLDER),
    Reason.MALFORMED_DISCLOSURE: ("What is disclosed is not in its form.", ASK_HOLDER),
    Reason.UNDECLARED_DISCLOSURE: ("Something is disclosed that the company did not sign.", ASK_HOLDER),
    Reason.DOUBLE_DIGEST: ("Something is disclosed or signed twice.", ASK_HOLDER),
    Reason.FORBIDDEN_CLAIM: ("Something is disclosed under a name that only the signed part may use.", ASK_HOLDER),
    Reason.DOUBLE_CLAIM: ("Something is disclosed under a name that is taken already.", ASK_HOLDER),
    Reason.HOLDER_NOT_PROVEN: (
        "Whoever sent it did not prove to be its holder.",
        "Ask the holder to present it to you, with the audience and the nonce that you name.",
    ),
    Reason.BAD_HOLDER_SIGNATURE: ("Whoever presented it does not hold its key.", ASK_HOLDER),
    Reason.WRONG_AUDIENCE: ("It was presented to somebody else.", ASK_HOLDER),
    Reason.WRONG_NONCE: ("It was presented for another occasion: the nonce is not yours.", ASK_HOLDER),
    Reason.OTHER_DISCLOSURES: ("The holder presented other disclosures than these.", ASK_HOLDER),
    Reason.WRONG_PRESENTATION_TIME: ("It was presented at a time that cannot be.", ASK_HOLDER),
    Reason.OTHER_STATUS_LIST: ("The status list is another one than it names.", "Fetch the list that it names."),
    Reason.BAD_STATUS_LIST: ("The status list is not in its form, or the company did not sign it.", ASK_ISSUER),
    Reason.STATUS_LIST_EXPIRED: ("The status list is too old to say anything.", "Fetch it again."),
    Reason.NOT_IN_STATUS_LIST: ("The status list has no place for it.", "Fetch the list that it names."),
    Reason.REVOKED: ("It was revoked.", ASK_NEW),
}


class Untrue(Exception):
    """A statement, or what came with it, is not believed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def sentence(reason: Reason) -> str:
    """The reason in words."""
    return _SAYS[reason][0]


def advice(reason: Reason) -> str:
    """What to do about it."""
    return _SAYS[reason][1]
