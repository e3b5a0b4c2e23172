"""What a firm's own VAT invoices say about it: turnover, trend, void and red shares, concentration (Ch.5 §1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from domain.assessment.evaluate import add_months
from domain.assessment.evidence.features import quotient, share_bp
from domain.assessment.receipt import Datum
from domain.assessment.scorecard import Origin
from domain.files.history import DocumentKind, DocumentState

YEAR = 12
HALF_YEAR = 6
ACTIVE_WINDOW = 24
"""Months over which a firm's activity is counted."""


class Invoice(NamedTuple):
    """One VAT invoice of the firm's books; its counterparty is a pseudonym."""

    kind: DocumentKind
    issued_on: date
    net_minor: int
    """Before tax; a red invoice takes away, whatever the sign it is written with."""
    state: DocumentState
    is_red: bool
    counterparty: str | None


@dataclass(slots=True, kw_only=True)
class InvoiceFigures:
    """Sums over the windows that end at the as-of date; memory grows with months and counterparties alone."""

    as_of: date
    year_start: date
    half_start: date
    active_start: date
    first_on: date | None = None
    last_on: date | None = None
    active_months: set[int] = field(default_factory=set[int])
    sales_invoices: int = 0
    """Valid sales invoices of the last 24 months, red ones apart."""
    year_count: int = 0
    year_void: int = 0
    year_gross: int = 0
    year_red: int = 0
    half_sales: int = 0
    year_purchases: int = 0
    buyers: dict[str | None, int] = field(default_factory=dict[str | None, int])
    suppliers: dict[str | None, int] = field(default_factory=dict[str | None, int])

    @property
    def year_sales(self) -> int:
        """Net sales of 12 months: gross less red."""
        return self.year_gross - self.year_red

    @property
    def mean_monthly_sales(self) -> Fraction | None:
        """Net sales a month, over the last 12 months or those since the first invoice; none without any sale."""
        if self.first_on is None:
            return None
        begun = (self.as_of.year - self.first_on.year) * YEAR + self.as_of.month - self.first_on.month + 1
        return Fraction(self.year_sales, max(min(begun, YEAR), 1))


def invoice_figures(invoices: Iterable[Invoice], as_of: date) -> InvoiceFigures:
    """One pass over a firm's invoices, in any order, as known on a day.

    Void invoices count only in the void share. Red ones are subtracted from what they correct; a reversed invoice
    stays in, since its red one takes it away.

    Chapter: 5.1.
    Shape:   total; the order of the invoices does not matter; what was issued after the day changes nothing.
    """
    figures = InvoiceFigures(
        as_of=as_of,
        year_start=add_months(as_of, -YEAR),
        half_start=add_months(as_of, -HALF_YEAR),
        active_start=add_months(as_of, -ACTIVE_WINDOW),
    )
    for invoice in invoices:
        if invoice.issued_on > as_of:
            continue
        if invoice.kind is DocumentKind.SALE:
            _add_sale(figures, invoice)
        elif invoice.kind is DocumentKind.PURCHASE:
            _add_purchase(figures, invoice)
    return figures


def _add_sale(figures: InvoiceFigures, invoice: Invoice) -> None:
    issued_on, amount = invoice.issued_on, abs(invoice.net_minor)
    in_year = issued_on > figures.year_start
    if invoice.state is DocumentState.VOID:
        figures.year_count += in_year
        figures.year_void += in_year
        return
    red = invoice.is_red or invoice.net_minor < 0
    if not red:
        _add_activity(figures, issued_on)
    if not in_year:
        return
    figures.year_count += 1
    if red:
        figures.year_red += amount
        amount = -amount
    else:
        figures.year_gross += amount
    if issued_on > figures.half_start:
        figures.half_sales += amount
    figures.buyers[invoice.counterparty] = figures.buyers.get(invoice.counterparty, 0) + amount


def _add_activity(figures: InvoiceFigures, issued_on: date) -> None:
    if figures.first_on is None or issued_on < figures.first_on:
        figures.first_on = issued_on
    if figures.last_on is None or issued_on > figures.last_on:
        figures.last_on = issued_on
    if issued_on > figures.active_start:
        figures.sales_invoices += 1
        figures.active_months.add(issued_on.year * YEAR + issued_on.month)


def _add_purchase(figures: InvoiceFigures, invoice: Invoice) -> None:
    if invoice.state is DocumentState.VOID or invoice.issued_on <= figures.year_start:
        return
    red = invoice.is_red or invoice.net_minor < 0
    amount = -abs(invoice.net_minor) if red else invoice.net_minor
    figures.year_purchases += amount
    figures.suppliers[invoice.counterparty] = figures.suppliers.get(invoice.counterparty, 0) + amount


def invoice_volumes(figures: InvoiceFigures) -> Mapping[str, int]:
    """How much there is, for the minimums of a scorecard.

    Chapter: 5.1.
    """
    return {"active_months": len(figures.active_months), "sales_invoices": figures.sales_invoices}


def invoice_data(figures: InvoiceFigures) -> Mapping[str, Datum]:
    """The data of the INVOICE scorecard; what cannot be computed is absent.

    Chapter: 5.1.
    Units:   V1 minor units, V3 months, V8 a ratio, the others basis points.
    """
    earlier = figures.year_sales - figures.half_sales
    mean = figures.mean_monthly_sales
    values = {
        "V1": None if mean is None else quotient(mean.numerator, mean.denominator),
        "V2": share_bp(figures.half_sales, earlier),
        "V3": len(figures.active_months),
        "V4": share_bp(figures.year_void, figures.year_count),
        "V5": share_bp(figures.year_red, figures.year_gross),
        "V6": _largest_share(figures.buyers),
        "V7": _largest_share(figures.suppliers),
        "V8": _sales_to_purchases(figures),
    }
    seen = figures.last_on or figures.as_of
    return {
        code: Datum(value=value, observed_on=seen, origin=Origin.OWN)
        for code, value in values.items()
        if value is not None
    }


def _largest_share(totals: Mapping[str | None, int]) -> Decimal | None:
    """The largest named counterparty's share of all that counterparties bought or sold, net."""
    whole = sum(total for total in totals.values() if total > 0)
    named = [total for counterparty, total in totals.items() if counterparty is not None]
    return share_bp(max(named), whole) if named and max(named) > 0 else None


def _sales_to_purchases(figures: InvoiceFigures) -> Decimal | str | None:
    if figures.year_purchases > 0:
        return quotient(figures.year_sales, figures.year_purchases)
    return "NO_PURCHASES" if figures.year_sales > 0 else None
