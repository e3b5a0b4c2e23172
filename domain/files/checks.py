"""What cannot be recorded about a customer, whoever records or corrects it (Ch.4 §2, §3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from domain.errors import Code, Malformed
from domain.files.history import SanctionKind, SanctionSeverity
from domain.files.parties import CreditFile, Customer
from domain.files.sources import LawfulBasis
from domain.money import Money
from domain.ports import Unit


def not_future(day: date, today: date, name: str) -> None:
    """Refuses a day that has not come.

    Chapter: 4.2.
    Raises:  Malformed (MALFORMED_DATE).
    """
    if day > today:
        raise Malformed(
            f"The {name} lies in the future.",
            code=Code.MALFORMED_DATE,
            advice="Record what has happened.",
            path=(name,),
        )


def not_negative(amount: Money | None, name: str) -> None:
    """Refuses a negative amount where there can be none.

    Chapter: 4.2.
    Raises:  Malformed (MALFORMED_AMOUNT).
    """
    if amount is not None and amount.minor < 0:
        raise Malformed(
            f"The {name} is negative.",
            code=Code.MALFORMED_AMOUNT,
            advice="Send an amount from zero on.",
            path=(name,),
        )


def check_default(since_on: date, ended_on: date | None, today: date) -> None:
    """Refuses a default that has not begun yet, or ended before it began or after today.

    Chapter: 4.2.
    Raises:  Malformed (MALFORMED_DATE).
    """
    if since_on > today:
        raise Malformed(
            "A default began in the past.",
            code=Code.MALFORMED_DATE,
            advice="Send the day it began.",
            path=("sinceOn",),
        )
    if ended_on and not since_on <= ended_on <= today:
        raise Malformed(
            "A default ended after it began, and not in the future.",
            code=Code.MALFORMED_DATE,
            advice="Send the day it ended, or leave it out while it lasts.",
            path=("endedOn",),
        )


def check_sanction(kind: str, severity: str, published_on: date, ends: Mapping[str, date | None]) -> None:
    """Refuses a sanction without a class, a search that found nothing with one, and an end before its beginning.

    Chapter: 4.2.
    Raises:  Malformed.
    """
    nothing = SanctionKind.NONE.value
    if (kind == nothing) is not (severity == SanctionSeverity.NONE.value):
        raise Malformed(
            "A sanction has a severity, and a search that found nothing has none.",
            advice="Send NONE for both, or for neither.",
            path=("severity",),
        )
    for name, day in ends.items():
        if day is not None and (kind == nothing or day < published_on):
            raise Malformed(
                "A sanction ends after it was published, and what is none has no end.",
                code=Code.MALFORMED_DATE,
                advice="Send a day from publishedOn on, or leave it out.",
                path=(name,),
            )


def refuse_means(unit: Unit, file: CreditFile, basis: LawfulBasis) -> None:
    """Refuses what says how much a natural person earns and owns, unless it consented in writing (rule CN-C3).

    Chapter: 4.3.
    Raises:  Malformed (FORBIDDEN_CATEGORY).
    """
    if basis is not LawfulBasis.WRITTEN_CONSENT and unit.get(Customer, file.customer).kind.natural:
        raise means_refused()


def means_refused() -> Malformed:
    """Why what a natural person earns, owns or is taxed on is not kept.

    Chapter: 4.3.
    """
    return Malformed(
        "Income, tax and property of a natural person are kept on its written consent only.",
        code=Code.FORBIDDEN_CATEGORY,
        advice="Tell the person the consequences and file the written consent first.",
        path=("lawfulBasis",),
    )


NEVER_NEGATIVE = {
    "current_assets": "currentAssets",
    "current_liabilities": "currentLiabilities",
    "total_assets": "totalAssets",
    "total_liabilities": "totalLiabilities",
}
"""Figures of a statement that are no balance, each with its name in the schema."""


def check_figures(figures: Mapping[str, Money]) -> None:
    """Refuses a statement of two currencies, or with a negative total of assets or liabilities.

    Chapter: 7.1.
    Raises:  Malformed (MALFORMED_AMOUNT).
    """
    if len({money.currency for money in figures.values()}) > 1:
        raise Malformed(
            "One statement has one currency.",
            code=Code.MALFORMED_AMOUNT,
            advice="Convert it to one currency before it is recorded.",
        )
    for name, field in NEVER_NEGATIVE.items():
        not_negative(figures.get(name), field)
