"""How a customer pays the company, as known on a day: days beyond terms, ageing, late share, trend (Ch.5 §1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from domain.assessment.evaluate import add_months
from domain.assessment.features import exact
from domain.assessment.policy import FULL_BP, Indicators
from domain.assessment.receipt import Datum
from domain.assessment.scorecard import Origin

YEAR = 12
HALF_YEAR = 6
QUARTER = 3
LATE_DAYS = 5
"""Paid later than this counts as late."""
DEBT_DAYS = 90
"""Undisputed debt older than this is a knock-out."""


class Receivable(NamedTuple):
    """One invoice of the company to the customer; void ones are left out, reversed ones netted, by the caller."""

    issued_on: date
    due_on: date
    settled_on: date | None
    minor: int
    disputed_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """Open amounts by age, disputed ones apart: they neither age nor trigger."""

    not_due: int
    days_1_30: int
    days_31_60: int
    days_61_90: int
    over_90: int
    disputed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFigures:
    """The payment behaviour as known on a day; None where nothing fell due in the window."""

    as_of: date
    beyond_terms: Fraction | None
    """A1: value-weighted days beyond terms, 12 months."""
    worst_days: int | None
    """A2: the worst ageing in days; 0 where nothing was late."""
    late_share_bp: Fraction | None
    """A3: share by value paid more than 5 days late, 6 months."""
    trend_days: Fraction | None
    """A4: A1 over 3 months minus A1 over 12 months."""
    ageing: Ageing
    oldest_overdue_days: int
    """Days past due of the oldest undisputed open item; 0 where none is."""
    first_due_on: date | None
    due_in_year: int
    monthly_billing_minor: int | None
    """M: mean monthly undisputed billing of 6 months."""


class _Item(NamedTuple):
    """An undisputed part with what was known of it: open when it settled later."""

    due_on: date
    minor: int
    days: int
    open: bool


def payment_figures(receivables: Iterable[Receivable], as_of: date) -> PaymentFigures:
    """The payment behaviour that receivables show, as known on a day; a later settlement is not known.

    Chapter: 5.1, 7.1.
    Units:   amounts in minor units, days in calendar days; early payment is negative.
    Shape:   total; what was issued or settled after the day changes nothing but stays open.
    """
    known = [row for row in receivables if row.issued_on <= as_of]
    items = [_item(row, as_of) for row in known if _undisputed(row) > 0]
    due = [item for item in items if item.due_on <= as_of]
    year = _window(due, as_of, YEAR)
    average = _beyond_terms(year)
    recent = _beyond_terms(_window(due, as_of, QUARTER))
    half = _window(due, as_of, HALF_YEAR)
    billed = [_undisputed(row) for row in known if row.issued_on > add_months(as_of, -HALF_YEAR)]
    still_open = [item for item in due if item.open]
    return PaymentFigures(
        as_of=as_of,
        beyond_terms=average,
        worst_days=max((max(item.days, 0) for item in (*year, *still_open)), default=None),
        late_share_bp=_late_share_bp(half),
        trend_days=None if average is None or recent is None else recent - average,
        ageing=_ageing(known, items, as_of),
        oldest_overdue_days=max((item.days for item in still_open), default=0),
        first_due_on=min((item.due_on for item in due), default=None),
        due_in_year=len(year),
        monthly_billing_minor=sum(billed) // HALF_YEAR if known else None,
    )


def payment_data(figures: PaymentFigures) -> Mapping[str, Datum]:
    """The data A1 to A4 of the EXISTING scorecard; what cannot be computed is absent.

    Chapter: 5.1.
    """
    values = {
        "A1": figures.beyond_terms,
        "A2": None if figures.worst_days is None else Fraction(figures.worst_days),
        "A3": figures.late_share_bp,
        "A4": figures.trend_days,
    }
    return {
        code: Datum(value=exact(value), observed_on=figures.as_of, origin=Origin.OWN)
        for code, value in values.items()
        if value is not None
    }


def is_existing(figures: PaymentFigures, indicators: Indicators) -> bool:
    """Whether there is history enough for the scorecard of existing customers.

    Chapter: 5.1.
    """
    first = figures.first_due_on
    if first is None or figures.due_in_year < indicators.existing_invoices_due:
        return False
    return first <= add_months(figures.as_of, -indicators.existing_first_due_months)


def owes_over_90_days(figures: PaymentFigures) -> bool:
    """Whether undisputed debt is more than 90 days past due: a knock-out.

    Chapter: 5.2.
    """
    return figures.oldest_overdue_days > DEBT_DAYS


def _undisputed(row: Receivable) -> int:
    return row.minor - min(max(row.disputed_minor, 0), max(row.minor, 0))


def _item(row: Receivable, as_of: date) -> _Item:
    settled = row.settled_on if row.settled_on is not None and row.settled_on <= as_of else None
    days = ((settled or as_of) - row.due_on).days
    return _Item(due_on=row.due_on, minor=_undisputed(row), days=days, open=settled is None)


def _window(items: Sequence[_Item], as_of: date, months: int) -> list[_Item]:
    start = add_months(as_of, -months)
    return [item for item in items if item.due_on > start]


def _beyond_terms(items: Sequence[_Item]) -> Fraction | None:
    whole = sum(item.minor for item in items)
    return Fraction(sum(item.minor * item.days for item in items), whole) if whole else None


def _late_share_bp(items: Sequence[_Item]) -> Fraction | None:
    whole = sum(item.minor for item in items)
    late = sum(item.minor for item in items if item.days > LATE_DAYS)
    return Fraction(late * FULL_BP, whole) if whole else None


def _ageing(known: Sequence[Receivable], items: Sequence[_Item], as_of: date) -> Ageing:
    bounds = (0, 30, 60, DEBT_DAYS)
    sums = [0] * (len(bounds) + 1)
    for item in items:
        if item.open:
            sums[sum(item.days > bound for bound in bounds)] += item.minor
    disputed = sum(row.minor - _undisputed(row) for row in known if row.settled_on is None or row.settled_on > as_of)
    not_due, first, second, third, over = sums
    return Ageing(
        not_due=not_due, days_1_30=first, days_31_60=second, days_61_90=third, over_90=over, disputed=disputed
    )
