"""A customer's trade documents, streamed from the store into figures: memory does not grow with them (Ch.4 §2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.assessment.evidence.invoices import Invoice, InvoiceFigures, invoice_figures
from domain.assessment.evidence.payments import PaymentFigures, Receivable, payment_figures
from domain.errors import NotInForce
from domain.files.history import DocumentKind, DocumentState, RecordStatus, TradeTransaction
from domain.files.sources import LawfulBasis
from domain.ids import Id
from domain.money import Money
from domain.ports import Unit

_RECEIVABLE = ("number", "issued_on", "due_on", "settled_on", "total", "disputed", "state")
_INVOICE = ("kind", "issued_on", "net", "state", "counterparty")


def in_currency(money: Money, currency: str, what: str) -> int:
    """The minor units of an amount on file, which must be in the credit policy's currency.

    Chapter: 5.1, 5.4.
    Raises:  NotInForce: amounts of two currencies never meet without a recorded rate.
    """
    if money.currency != currency:
        raise NotInForce(
            f"An amount of {what} is not in {currency}, the currency of the credit policy in force.",
            advice=f"Record it in {currency}, or put a credit policy of its currency in force.",
            path=("creditFile",),
        )
    return money.minor


def payments_of(unit: Unit, credit_file: Id, as_of: date, currency: str) -> PaymentFigures:
    """How a customer pays, from the company's own receivables that score.

    Void ones are left out. A credit note nets against the invoice of its number, and what it leaves over lowers the
    billing of its day. A document marked as reversed owes nothing, unless what reverses it was issued after the day.

    Chapter: 4.2, 5.1.
    Raises:  NotInForce for another currency.
    """
    netted = _Netting(as_of, currency)
    for row in _receivables(unit, credit_file):
        netted.learn(row)
    rows = netted.net(_receivables(unit, credit_file)) if netted.any else iter(())
    return payment_figures(rows, as_of)


def invoices_of(unit: Unit, credit_file: Id, as_of: date, currency: str, *, natural: bool) -> InvoiceFigures:
    """What a firm's own VAT invoices say about it; only those that score.

    Those of a natural person score only where it consented in writing.

    Chapter: 4.2, 5.1.
    Raises:  NotInForce for another currency.
    """
    kinds = (DocumentKind.SALE, DocumentKind.PURCHASE)
    bases: dict[str, Any] = {"lawful_basis": LawfulBasis.WRITTEN_CONSENT} if natural else {}
    rows = unit.select(
        TradeTransaction, _INVOICE, credit_file=credit_file, kind=kinds, status=RecordStatus.ACTIVE, **bases
    )
    return invoice_figures(_invoices(rows, currency), as_of)


def _invoices(rows: Iterator[tuple[Any, ...]], currency: str) -> Iterator[Invoice]:
    for kind, issued_on, net, state, counterparty in rows:
        minor = in_currency(net, currency, "an invoice")
        yield Invoice(kind, issued_on, minor, state, minor < 0, counterparty)


def _receivables(unit: Unit, credit_file: Id) -> Iterator[tuple[Any, ...]]:
    return unit.select(
        TradeTransaction,
        _RECEIVABLE,
        credit_file=credit_file,
        kind=DocumentKind.RECEIVABLE,
        status=RecordStatus.ACTIVE,
        state=(DocumentState.OPEN, DocumentState.SETTLED, DocumentState.REVERSED),
    )


@dataclass(slots=True)
class _Credits:
    """What the credit notes of one number take away; reversals come to nothing where they find no invoice."""

    issued_on: date
    plain: int = 0
    reversal: int = 0

    def take(self, minor: int) -> int:
        """What is left of an amount once these credits took theirs."""
        reversed_ = min(self.reversal, minor)
        plain = min(self.plain, minor - reversed_)
        self.reversal -= reversed_
        self.plain -= plain
        return minor - reversed_ - plain


@dataclass(slots=True)
class _Netting:
    """Two passes over receivables: the first learns the credit notes, the second nets; only credit notes are kept."""

    as_of: date
    currency: str
    credits: dict[str, _Credits] = field(default_factory=dict[str, _Credits])
    reversed_later: set[str] = field(default_factory=set[str])
    any: bool = False

    def learn(self, row: tuple[Any, ...]) -> None:
        number, issued_on, _, _, total, _, state = row
        self.any = True
        minor = in_currency(total, self.currency, "a receivable")
        if minor >= 0:
            return
        if issued_on > self.as_of:
            self.reversed_later.add(number)
            return
        credit = self.credits.setdefault(number, _Credits(issued_on))
        credit.issued_on = max(credit.issued_on, issued_on)
        if state is DocumentState.REVERSED:
            credit.reversal -= minor
        else:
            credit.plain -= minor

    def net(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[Receivable]:
        for number, issued_on, due_on, settled_on, total, disputed, state in rows:
            if total.minor < 0 or issued_on > self.as_of:
                continue
            credit = self.credits.get(number)
            left = credit.take(total.minor) if credit else total.minor
            if state is DocumentState.REVERSED and number not in self.reversed_later:
                left = 0
            if left:
                yield Receivable(issued_on, due_on, settled_on, left, disputed.minor if disputed else 0)
        for credit in self.credits.values():
            if credit.plain:
                yield Receivable(credit.issued_on, credit.issued_on, credit.issued_on, -credit.plain)
