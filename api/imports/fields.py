"""What a map may fill per kind of import: the fields, what they hold, and which a row cannot do without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from domain.files.history import (
    DefaultKind,
    DocumentKind,
    DocumentState,
    LitigationSeverity,
    RatingBand,
    SanctionKind,
    SanctionMatch,
    SanctionSeverity,
)
from domain.files.importing import ImportKind
from domain.files.parties import PartyKind, SizeClass


class Holds(Enum):
    """What a field holds."""

    TEXT = "text"
    DATE = "a date"
    AMOUNT = "an amount"
    CURRENCY = "a currency"
    WHOLE = "a whole number"
    YES_NO = "YES or NO"
    CHOICE = "one of a list"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row."""

    holds: Holds
    needed: bool = False
    """Whether every row must have it."""
    choices: type[Enum] | None = None


_TEXT, _DATE, _AMOUNT = Field(Holds.TEXT), Field(Holds.DATE), Field(Holds.AMOUNT)
_YES_NO, _WHOLE, _CURRENCY = Field(Holds.YES_NO), Field(Holds.WHOLE), Field(Holds.CURRENCY)
_NEEDED_TEXT, _NEEDED_DATE = Field(Holds.TEXT, needed=True), Field(Holds.DATE, needed=True)
_NEEDED_AMOUNT, _NEEDED_CURRENCY = Field(Holds.AMOUNT, needed=True), Field(Holds.CURRENCY, needed=True)


def _choice(choices: type[Enum], *, needed: bool = False) -> Field:
    return Field(Holds.CHOICE, needed, choices)


FIGURES = (
    "current_assets",
    "current_liabilities",
    "total_assets",
    "total_liabilities",
    "tangible_net_worth",
    "net_profit",
    "operating_cash_flow",
)
"""The amounts of a financial statement."""

FIELDS: Mapping[ImportKind, Mapping[str, Field]] = MappingProxyType(
    {
        ImportKind.CUSTOMERS: {
            "reference": _NEEDED_TEXT,
            "name": _NEEDED_TEXT,
            "kind": _choice(PartyKind, needed=True),
            "account_owner": _TEXT,
            "registered_address": _TEXT,
            "registered_capital": _AMOUNT,
            "currency": _CURRENCY,
            "established_on": _DATE,
            "industry_code": _TEXT,
            "size_class": _choice(SizeClass),
            "staff_count": _WHOLE,
            "unified_social_credit_code": _TEXT,
            "legal_representative": _TEXT,
            "phone": _TEXT,
            "email": _TEXT,
            "bank_account": _TEXT,
            "contact_duty": _TEXT,
            "contact_name": _TEXT,
            "contact_phone": _TEXT,
            "contact_email": _TEXT,
        },
        ImportKind.INVOICES: {
            "reference": _NEEDED_TEXT,
            "kind": _choice(DocumentKind, needed=True),
            "number": _NEEDED_TEXT,
            "issued_on": _NEEDED_DATE,
            "due_on": _DATE,
            "settled_on": _DATE,
            "net": _AMOUNT,
            "tax": _AMOUNT,
            "total": _AMOUNT,
            "disputed": _AMOUNT,
            "is_disputed": _YES_NO,
            "is_red": _YES_NO,
            "state": _choice(DocumentState),
            "counterparty": _TEXT,
            "currency": _NEEDED_CURRENCY,
        },
        ImportKind.DEFAULTS: {
            "reference": _NEEDED_TEXT,
            "kind": _choice(DefaultKind, needed=True),
            "amount": _NEEDED_AMOUNT,
            "currency": _NEEDED_CURRENCY,
            "since_on": _NEEDED_DATE,
            "ended_on": _DATE,
        },
        ImportKind.LITIGATION: {
            "reference": _NEEDED_TEXT,
            "court": _NEEDED_TEXT,
            "case_number": _NEEDED_TEXT,
            "role": _NEEDED_TEXT,
            "severity": _choice(LitigationSeverity, needed=True),
            "claim": _AMOUNT,
            "currency": _CURRENCY,
            "filed_on": _NEEDED_DATE,
        },
        ImportKind.SANCTIONS: {
            "reference": _NEEDED_TEXT,
            "authority": _NEEDED_TEXT,
            "kind": _choice(SanctionKind, needed=True),
            "severity": _choice(SanctionSeverity, needed=True),
            "match": _choice(SanctionMatch, needed=True),
            "published_on": _NEEDED_DATE,
            "publish_until": _DATE,
            "repaired_on": _DATE,
        },
        ImportKind.RATINGS: {
            "reference": _NEEDED_TEXT,
            "agency": _NEEDED_TEXT,
            "rating": _NEEDED_TEXT,
            "band": _choice(RatingBand, needed=True),
            "rated_on": _NEEDED_DATE,
            "valid_until": _DATE,
        },
        ImportKind.STATEMENTS: {
            "reference": _NEEDED_TEXT,
            "period_end": _NEEDED_DATE,
            "audited": Field(Holds.YES_NO, needed=True),
            "currency": _NEEDED_CURRENCY,
            **dict.fromkeys(FIGURES, _NEEDED_AMOUNT),
        },
    }
)
"""The fields of each kind of row."""

COMMANDS: Mapping[str, tuple[ImportKind, ...]] = MappingProxyType(
    {
        "customers": (ImportKind.CUSTOMERS,),
        "invoices": (ImportKind.INVOICES,),
        "records": (ImportKind.DEFAULTS, ImportKind.LITIGATION, ImportKind.SANCTIONS, ImportKind.RATINGS),
        "statements": (ImportKind.STATEMENTS,),
        "reports": (ImportKind.RATINGS,),
    }
)
"""The words of `credence import` and the kinds of map each takes."""
