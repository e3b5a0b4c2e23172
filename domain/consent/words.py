"""The closed lists a consent is written in, after ISO/IEC TS 27560; each is published in the schema (Ch.4 §4)."""

from __future__ import annotations

from enum import Enum


class ConsentKind(Enum):
    """Whether it was asked for by itself."""

    SEPARATE = "SEPARATE"
    """单独同意: it was asked for by itself, naming the recipient."""
    GENERAL = "GENERAL"
    """It was given together with other things; it opens nothing that tells of a natural person (rule CN-P5)."""


class Authority(Enum):
    """By what authority a consent was given."""

    SUBJECT = "SUBJECT"
    """The customer itself."""
    LEGAL_REPRESENTATIVE = "LEGAL_REPRESENTATIVE"
    """法定代表人: with proof of it."""
    AGENT = "AGENT"
    """委托代理人: with the power of attorney."""


class EvidenceMethod(Enum):
    """How it is shown that a consent was given."""

    E_SIGN = "E_SIGN"
    """Signed electronically."""
    WET_SCAN = "WET_SCAN"
    """Signed on paper, and the paper scanned."""
    OTP = "OTP"
    """Confirmed by a one-time password."""
    COUNTER = "COUNTER"
    """Given in person at a counter."""


class DisclosureAction(Enum):
    """What a recipient may do with what it gets."""

    VIEW = "VIEW"
    """Look at it for the purpose."""
    EXPORT = "EXPORT"
    """Keep it in its own systems."""
    ATTEST = "ATTEST"
    """Have something attested about it, without getting it."""


class Redisclosure(Enum):
    """Whether a recipient may hand on what it got."""

    PROHIBITED = "PROHIBITED"
    """To nobody."""
    PROCESSORS_ONLY = "PROCESSORS_ONLY"
    """To those who process it on the recipient's behalf, each asked for by name."""
    NAMED = "NAMED"
    """To the partners that the consent names."""


class ConsentAct(Enum):
    """What was done about a consent."""

    REQUESTED = "REQUESTED"
    GIVEN = "GIVEN"
    REFUSED = "REFUSED"
    RECONFIRMED = "RECONFIRMED"
    WITHDRAWN = "WITHDRAWN"
    INVALIDATED = "INVALIDATED"


class ObligationKind(Enum):
    """What a recipient owes for what it got."""

    NO_REDISCLOSURE = "NO_REDISCLOSURE"
    """To hand it on to nobody, but to the one it was asked for where one is named."""
    DELETE_BY = "DELETE_BY"
    """To delete it, at latest at the instant named."""
