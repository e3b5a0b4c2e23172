"""How a customer pays the company, as known on a day: days beyond terms, ageing, late share, trend (Ch.5 §1)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from domain.assessment.evaluate import add_months
from domain.assessment.evidence.features import exact
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
_AGES = (0, 30, 60, DEBT_DAYS)
"""The last day of each ageing bucket; what is older falls in one of its own."""


class Receivable(NamedTuple):
    """One invoice of the company to the customer; void ones are left out, reversed ones netted, by the caller."""

    issued_on: date
    due_on: date | None
    """None where no day is agreed: it is billed and owed, and never late."""
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
    peak_exposure: int | None
    """The most that was owed at the end of any day of 3 months, disputed parts too; None where nothing was issued."""
    billed_months: tuple[int, ...]
    """What was billed in each of the last 6 months, the oldest first; empty where trade began later."""


class _Item(NamedTuple):
    """An undisputed part with what was known of it: open when it settled later."""

    due_on: date
    minor: int
    days: int
    open: bool


@dataclass(slots=True)
class _Window:
    """Sums over the items that fell due in the last months."""

    start: date
    count: int = 0
    minor: int = 0
    weighted_days: int = 0
    late_minor: int = 0

    def add(self, item: _Item) -> None:
        if item.due_on > self.start:
            self.count += 1
            self.minor += item.minor
            self.weighted_days += item.minor * item.days
            self.late_minor += item.minor if item.days > LATE_DAYS else 0

    @property
    def beyond_terms(self) -> Fraction | None:
        return Fraction(self.weighted_days, self.minor) if self.minor else None

    @property
    def late_share_bp(self) -> Fraction | None:
        return Fraction(self.late_minor * FULL_BP, self.minor) if self.minor else None


class _Sums:
    """One pass over receivables: what it keeps grows with the days of its windows, not with the receivables."""

    def __init__(self, as_of: date) -> None:
        self._as_of = as_of
        self._year, self._half, self._quarter = (
            _Window(add_months(as_of, -each)) for each in (YEAR, HALF_YEAR, QUARTER)
        )
        self._months = [add_months(as_of, -each) for each in range(HALF_YEAR, -1, -1)]
        self._billed = [0] * HALF_YEAR
        self._billed_undisputed = 0
        self._buckets = [0] * (len(_AGES) + 1)
        self._disputed = 0
        self._worst: int | None = None
        self._oldest = 0
        self._first_due: date | None = None
        self._first_issued: date | None = None
        self._exposures: dict[date, int] = {}
        """What was added to or taken from the debt, by day; on the first day of the window all that was before."""

    def add(self, row: Receivable) -> None:
        """Counts one receivable; what was issued later is not known."""
        if row.issued_on > self._as_of:
            return
        if self._first_issued is None or row.issued_on < self._first_issued:
            self._first_issued = row.issued_on
        undisputed = _undisputed(row)
        self._add_billing(row, undisputed)
        settled = row.settled_on if row.settled_on is not None and row.settled_on <= self._as_of else None
        if row.minor > 0:
            self._add_exposure(row.issued_on, row.minor)
            if settled:
                self._add_exposure(max(settled, row.issued_on), -row.minor)
        if settled is None:
            self._disputed += row.minor - undisputed
        if undisputed > 0 and row.due_on is None:
            self._buckets[0] += undisputed if settled is None else 0
        elif undisputed > 0 and row.due_on is not None:
            days = ((settled or self._as_of) - row.due_on).days
            self._add_item(_Item(due_on=row.due_on, minor=undisputed, days=days, open=settled is None))

    def _add_billing(self, row: Receivable, undisputed: int) -> None:
        if row.issued_on > self._months[0]:
            self._billed_undisputed += undisputed
            self._billed[bisect_left(self._months, row.issued_on) - 1] += row.minor

    def _add_exposure(self, day: date, change: int) -> None:
        day = max(day, self._quarter.start)
        self._exposures[day] = self._exposures.get(day, 0) + change

    def _add_item(self, item: _Item) -> None:
        if item.open:
            self._buckets[bisect_left(_AGES, item.days)] += item.minor
        if item.due_on > self._as_of:
            return
        if self._first_due is None or item.due_on < self._first_due:
            self._first_due = item.due_on
        for window in (self._year, self._half, self._quarter):
            window.add(item)
        if item.open:
            self._oldest = max(self._oldest, item.days)
        if item.open or item.due_on > self._year.start:
            self._worst = max(self._worst or 0, item.days)

    def figures(self) -> PaymentFigures:
        """The figures of all that was counted."""
        average, recent = self._year.beyond_terms, self._quarter.beyond_terms
        not_due, first, second, third, over = self._buckets
        return PaymentFigures(
            as_of=self._as_of,
            beyond_terms=average,
            worst_days=self._worst,
            late_share_bp=self._half.late_share_bp,
            trend_days=None if average is None or recent is None else recent - average,
            ageing=Ageing(
                not_due=not_due,
                days_1_30=first,
                days_31_60=second,
                days_61_90=third,
                over_90=over,
                disputed=self._disputed,
            ),
            oldest_overdue_days=self._oldest,
            first_due_on=self._first_due,
            due_in_year=self._year.count,
            monthly_billing_minor=None if self._first_issued is None else self._billed_undisputed // HALF_YEAR,
            peak_exposure=None if self._first_issued is None else self._peak(),
            billed_months=tuple(self._billed) if self._began_before_the_months() else (),
        )

    def _peak(self) -> int:
        days = sorted(self._exposures)
        return max(accumulate(self._exposures[day] for day in days), default=0)

    def _began_before_the_months(self) -> bool:
        return self._first_issued is not None and self._first_issued <= self._months[0]


def payment_figures(receivables: Iterable[Receivable], as_of: date) -> PaymentFigures:
    """The payment behaviour that receivables show, as known on a day; a later settlement is not known.

    Chapter: 5.1, 7.1.
    Units:   amounts in minor units, days in calendar days; early payment is negative.
    Shape:   total; what was issued or settled after the day changes nothing but stays open; the order of the
             receivables does not matter.
    """
    sums = _Sums(as_of)
    for row in receivables:
        sums.add(row)
    return sums.figures()


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
