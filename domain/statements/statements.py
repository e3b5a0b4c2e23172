"""Credit statements as records: whom they are of, what they can show, and whether they still count (Ch.3 §3)."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from domain.ids import Id
from domain.records import Record, fact, link, record


class StatementClaim(Enum):
    """What a credit statement can show; its holder chooses again, each time, which of it is shown (Ch.3 §3)."""

    NAME = "NAME"
    """The registered name."""
    UNIFIED_SOCIAL_CREDIT_CODE = "UNIFIED_SOCIAL_CREDIT_CODE"
    """The unified social credit code."""
    GRADE = "GRADE"
    """The grade itself."""
    TIER = "TIER"
    """The tier of the grade."""
    SCORE_BAND = "SCORE_BAND"
    """The ten points the score lies in."""
    GRADE_AT_LEAST = "GRADE_AT_LEAST"
    """For each grade, whether the customer's is at least that: one can be shown without the others."""


class StatementState(Enum):
    """ISSUED → REVOKED. That it expired is told by the clock, and is no state that anybody writes."""

    ISSUED = "ISSUED"
    """It counts until it expires."""
    REVOKED = "REVOKED"
    """It counts no more; the status list says so."""


class RevokedBecause(Enum):
    """Why a statement counts no more."""

    CUSTOMER = "CUSTOMER"
    """The customer took it back."""
    INPUT_CORRECTED = "INPUT_CORRECTED"
    """Something the assessment rested on was wrong."""
    LOWER_GRADE = "LOWER_GRADE"
    """The grade fell, or there is none any more."""
    FILE_ERASED = "FILE_ERASED"
    """The file it is of was erased."""


@record("sl", table="status_list", read="credit_statement:read", unique=(("number",),), subject_reach=False)
class StatusList(Record):
    """A list with a bit for each of many statements, so that a look-up tells nobody which one is meant (Ch.3 §3)."""

    number: int = fact("The list's number, counted in the company. Ch.3 §3", order=True)
    size: int = fact("How many statements it has room for. Ch.3 §3")


@record(
    "st",
    table="credit_statement",
    read="credit_statement:read",
    unique=(("status_list", "status_index"),),
)
class CreditStatement(Record):
    """A credit statement that a customer took along: what it can show, and whether it counts; no value (Ch.3 §3)."""

    credit_file: Id = link("CreditFile", "The file it is of. Ch.3 §3")
    assessment: Id = link("Assessment", "The assessment it rests on. Ch.5")
    claims: tuple[StatementClaim, ...] = fact("What its holder can show of it. Ch.3 §3")
    holder: str = fact("The thumbprint (RFC 7638) of its holder's key. Ch.3 §3")
    issued_at: datetime = fact("When it was issued. Ch.3 §3")
    expires_at: datetime = fact("Until when it counts. Ch.3 §3")
    status_list: int = fact("The number of its status list. Ch.3 §3")
    status_index: int = fact("Its place there, drawn so that neighbours say nothing of each other. Ch.3 §3")
    state: StatementState = fact("Whether it still counts. Ch.3 §3", filter=True)
    revoked_because: RevokedBecause | None = fact("Why it counts no more. Ch.3 §3", default=None)
