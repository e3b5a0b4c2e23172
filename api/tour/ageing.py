"""What a book of receivables looks like on a day: ageing, days beyond terms, late share, disputed amounts apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import chain

from domain.assessment.evidence.payments import Ageing, PaymentFigures, Receivable, payment_figures

SHOWN = 5
"""How many of the customers that pay latest are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePayer:
    """A customer that pays late."""

    reference: str
    beyond_terms: float
    """Value-weighted days beyond terms, 12 months."""
    overdue_minor: int
    """Undisputed and past due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivablesSummary:
    """A book as known on a day: what was issued, settled or disputed later is not known."""

    as_of: date
    customers: int
    """Customers with an invoice issued by then."""
    invoices: int
    due: int
    """Invoices due by then."""
    late: int
    """Those of them settled after they were due, or still open."""
    beyond_terms: float | None
    """Value-weighted days beyond terms, 12 months; negative is early."""
    late_share: float | None
    """Share by value paid more than 5 days late, 6 months, 0 to 1."""
    ageing: Ageing
    """Open amounts by age, in minor units."""
    latest: tuple[LatePayer, ...]


def receivables_summary(book: Mapping[str, Sequence[Receivable]], as_of: date) -> ReceivablesSummary:
    """The book of all customers as known on a day."""
    whole = payment_figures(chain.from_iterable(book.values()), as_of)
    each = {reference: payment_figures(rows, as_of) for reference, rows in book.items()}
    issued = {reference: sum(row.issued_on <= as_of for row in rows) for reference, rows in book.items()}
    due = [row for row in chain.from_iterable(book.values()) if _is_due(row, as_of)]
    return ReceivablesSummary(
        as_of=as_of,
        customers=sum(count > 0 for count in issued.values()),
        invoices=sum(issued.values()),
        due=len(due),
        late=sum(_is_late(row, as_of) for row in due),
        beyond_terms=_float(whole.beyond_terms),
        late_share=None if whole.late_share_bp is None else float(whole.late_share_bp / 10_000),
        ageing=whole.ageing,
        latest=tuple(_latest(each.items())),
    )


def _is_due(row: Receivable, as_of: date) -> bool:
    return row.issued_on <= as_of and row.due_on is not None and row.due_on <= as_of


def _is_late(row: Receivable, as_of: date) -> bool:
    settled = row.settled_on if row.settled_on is not None and row.settled_on <= as_of else as_of
    return row.due_on is not None and settled > row.due_on


def _latest(figures: Iterable[tuple[str, PaymentFigures]]) -> Iterable[LatePayer]:
    """The customers that pay latest, by days beyond terms."""
    late = [(found.beyond_terms, reference, found) for reference, found in figures if (found.beyond_terms or 0) > 0]
    for days, reference, found in sorted(late, key=lambda item: (-(item[0] or 0), item[1]))[:SHOWN]:
        ageing = found.ageing
        overdue = ageing.days_1_30 + ageing.days_31_60 + ageing.days_61_90 + ageing.over_90
        yield LatePayer(reference=reference, beyond_terms=float(days or 0), overdue_minor=overdue)


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
