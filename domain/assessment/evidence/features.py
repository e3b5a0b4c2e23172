"""Rows become data: statement ratios and the other characteristics of the scorecards, exact (Ch.5 §1, Ch.7 §1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction

from domain.assessment.evaluate import add_months
from domain.assessment.policy import FULL_BP, ReviewRules
from domain.assessment.receipt import Datum
from domain.assessment.scorecard import EXISTING, INVOICE, NEW, Origin

_DIGITS = Context(prec=60)
"""Sixty digits: a quotient of two 64-bit amounts never lands on the edge of a band that it does not equal."""

YEAR = 12
HALF_YEAR = 6
MINOR_BP = 100
MATERIAL_BP = 1_000


def exact(value: Fraction) -> Decimal:
    """A ratio as a decimal of sixty digits; exact wherever the decimal ends before that.

    Chapter: 5.1.
    """
    return quotient(value.numerator, value.denominator)


def quotient(part: int, whole: int) -> Decimal:
    """One amount divided by another.

    Chapter: 5.1.
    Shape:   compares with every edge of a band as the true ratio of two 64-bit amounts does.
    """
    return _DIGITS.divide(Decimal(part), Decimal(whole))


def share_bp(part: int, whole: int) -> Decimal | None:
    """A share in basis points; None where there is no whole.

    Chapter: 5.1.
    """
    return quotient(part * FULL_BP, whole) if whole > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The figures of one financial statement, minor units; None where it does not say."""

    period_end: date
    audited: bool
    current_assets: int | None = None
    current_liabilities: int | None = None
    total_assets: int | None = None
    total_liabilities: int | None = None
    tangible_net_worth: int | None = None
    net_profit: int | None = None
    operating_cash_flow: int | None = None


def statement_data(
    statement: Statement, *, as_of: date, rules: ReviewRules, requested_limit: int | None, origin: Origin = Origin.OWN
) -> Mapping[str, Datum]:
    """The data B1 to B4 and C4 of a statement; what it does not say is absent, and it goes stale.

    Chapter: 5.1, 7.1.
    Units:   B1 a ratio; B2 and B4 basis points; B3 and C4 labels.
    """
    values = {
        "B1": _current_ratio(statement),
        "B2": _liabilities_to_assets(statement),
        "B3": _profit_and_cash(statement),
        "B4": _requested_to_net_worth(statement, requested_limit),
    }
    expires = add_months(statement.period_end, rules.statement_stale_months)
    data = {
        code: Datum(value=value, observed_on=statement.period_end, origin=origin, expires_on=expires)
        for code, value in values.items()
        if value is not None
    }
    data["C4"] = Datum(value=_freshness(statement, as_of), observed_on=statement.period_end, origin=origin)
    return data


def _current_ratio(statement: Statement) -> Decimal | str | None:
    assets, liabilities = statement.current_assets, statement.current_liabilities
    if assets is None or liabilities is None:
        return None
    return quotient(assets, liabilities) if liabilities > 0 else "NO_CURRENT_LIABILITIES"


def _liabilities_to_assets(statement: Statement) -> Decimal | str | None:
    assets, liabilities = statement.total_assets, statement.total_liabilities
    if assets is None or liabilities is None:
        return None
    return share_bp(liabilities, assets) if assets > 0 else "NO_ASSETS"


def _profit_and_cash(statement: Statement) -> str | None:
    profit, cash = statement.net_profit, statement.operating_cash_flow
    if profit is None or cash is None:
        return None
    if cash > 0:
        return "BOTH_POSITIVE" if profit > 0 else "CASH_FLOW_ONLY"
    return "PROFIT_ONLY" if profit > 0 else "NEITHER"


def _requested_to_net_worth(statement: Statement, requested_limit: int | None) -> Decimal | str | None:
    worth = statement.tangible_net_worth
    if worth is None or requested_limit is None:
        return None
    return share_bp(requested_limit, worth) if worth > 0 else "NET_WORTH_NOT_POSITIVE"


def _freshness(statement: Statement, as_of: date) -> str:
    if as_of > add_months(statement.period_end, YEAR):
        return "OLD_OR_NONE"
    return "AUDITED" if statement.audited else "UNAUDITED"


def peak_utilisation_bp(exposures: Sequence[int], limit: int) -> Decimal | None:
    """A5: the largest exposure of 3 months as a share of the limit; None without a limit.

    Chapter: 5.1.
    Units:   minor units in, basis points out.
    """
    return share_bp(max(exposures), limit) if exposures else None


def years_in_operation(established_on: date, as_of: date) -> int:
    """B5: complete years since a firm was established.

    Chapter: 5.1.
    Shape:   total; never below zero.
    """
    begun = (as_of.month, as_of.day) < (established_on.month, established_on.day)
    return max(as_of.year - established_on.year - begun, 0)


def judgment_severity(unsatisfied: int, worth: int | None, *, enforced: bool) -> str:
    """C1: live unsatisfied judgments against tangible net worth, or paid-in capital where that is unknown.

    Chapter: 5.1.
    Units:   minor units.
    Shape:   total; never milder as the amount rises; without a worth to compare with, any amount is severe.
    """
    if enforced:
        return "SEVERE"
    if unsatisfied <= 0:
        return "NONE"
    if worth is None or worth <= 0 or unsatisfied * FULL_BP > worth * MATERIAL_BP:
        return "SEVERE"
    return "MATERIAL" if unsatisfied * FULL_BP > worth * MINOR_BP else "MINOR"


def judgments_bp(unsatisfied: int, worth: int | None) -> int | None:
    """Live unsatisfied judgments as a share of net worth, rounded up, for the cap; None where worth is unknown.

    Chapter: 5.2.
    """
    if unsatisfied <= 0:
        return 0
    if worth is None:
        return None
    return -(-unsatisfied * FULL_BP // max(worth, 1))


def usage_burst(months: Sequence[int]) -> Decimal | str | None:
    """D1: the largest of the last 3 months against the mean of the 3 before; months run from the oldest.

    Chapter: 5.1, 7.3.
    """
    if len(months) < HALF_YEAR:
        return None
    before, last = sum(months[-6:-3]), max(months[-3:])
    if before > 0:
        return quotient(3 * last, before)
    return "FROM_NOTHING" if last > 0 else None


def card_for(*, existing: bool, statement_or_record: bool, sales_invoices: int) -> str:
    """The scorecard that applies: trade with the company first, then what is on file, then invoices alone.

    Chapter: 5.1.
    """
    if existing:
        return EXISTING
    return INVOICE if sales_invoices and not statement_or_record else NEW
