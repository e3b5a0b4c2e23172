"""What one assessment reads: the records of a credit file that score on a day, and the snapshot they make (Ch.5).

Only ACTIVE records score. Trade documents are streamed into figures; of the sealed values only those are asked for
that the scorecard, a cap or a knock-out reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from domain.assessment.evaluate import add_months
from domain.assessment.evidence import features
from domain.assessment.evidence.industry import industry_risk
from domain.assessment.evidence.invoices import InvoiceFigures, invoice_data, invoice_volumes
from domain.assessment.evidence.payments import PaymentFigures, is_existing, owes_over_90_days, payment_data
from domain.assessment.evidence.sanctions import Sanction, listed_debtor, sanction_severity
from domain.assessment.evidence.trade import in_currency, invoices_of, payments_of
from domain.assessment.policy import FULL_BP, PolicyDocument
from domain.assessment.receipt import Datum, LimitFacts, Snapshot, Standing
from domain.assessment.scorecard import EXISTING, INVOICE, Origin
from domain.files.days import Days
from domain.files.history import (
    DefaultEvent,
    DefaultKind,
    ExternalRating,
    FinancialStatement,
    LitigationRecord,
    LitigationSeverity,
    PublicSanction,
    RecordStatus,
    SanctionSeverity,
    SourcedRecord,
)
from domain.files.parties import CreditFile, Customer
from domain.files.sources import LawfulBasis, Provenanced, Source, SourceType
from domain.ids import Id
from domain.ports import SealedValue, Unit
from domain.records import Confidential

STATEMENT: tuple[Confidential[Any], ...] = (
    FinancialStatement.current_assets,
    FinancialStatement.current_liabilities,
    FinancialStatement.total_assets,
    FinancialStatement.total_liabilities,
    FinancialStatement.tangible_net_worth,
    FinancialStatement.net_profit,
    FinancialStatement.operating_cash_flow,
)
_EVENT: tuple[Confidential[Any], ...] = (
    DefaultEvent.default_kind,
    DefaultEvent.default_since,
    DefaultEvent.default_ended,
)
_CASE: tuple[Confidential[Any], ...] = (LitigationRecord.severity, LitigationRecord.claim)
_SANCTION: tuple[Confidential[Any], ...] = (
    PublicSanction.sanction_kind,
    PublicSanction.sanction_severity,
    PublicSanction.sanction_match,
    PublicSanction.publish_until,
    PublicSanction.repaired_on,
)
_RATING: tuple[Confidential[Any], ...] = (ExternalRating.rating_band,)
SCORED = frozenset(field.tag for field in (*STATEMENT, *_EVENT, *_CASE, *_SANCTION, *_RATING))
"""The sealed fields that an assessment reads."""

_OWN_SOURCES = {SourceType.SELF_PROVIDED, SourceType.INTERNAL_TRANSACTION}
_FAILURES = {DefaultKind.FAILED_PAYMENT.value, DefaultKind.BROKEN_PROMISE.value, DefaultKind.NON_PAYMENT.value}
_INCIDENTS = {DefaultKind.ABUSE.value, DefaultKind.FRAUD.value}
_KNOCK_OUTS = {DefaultKind.INSOLVENCY.value: "INSOLVENCY", DefaultKind.FRAUD.value: "PROVEN_FRAUD"}
_OWN_DEBT = "OWN_DEBT_OVER_90_DAYS"
_LISTED = "DISHONEST_JUDGMENT_DEBTOR"

Opened = Mapping[tuple[Id, str], Any]
"""Opened values by record and tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The records of one credit file that score on a day, trade documents apart."""

    file: CreditFile
    customer: Customer
    as_of: date
    calendar: Days
    statement: FinancialStatement | None
    rating: ExternalRating | None
    cases: tuple[LitigationRecord, ...]
    sanctions: tuple[PublicSanction, ...]
    events: tuple[DefaultEvent, ...]
    sources: Mapping[Id, Source]


def gather(unit: Unit, file: CreditFile, as_of: date, calendar: Days) -> Gathered:
    """The newest statement and rating, the cases, sanctions and defaults that score on a day.

    A statement of a natural person scores only where it rests on written consent.

    Chapter: 4.2, 4.3, 5.1.
    """
    customer = unit.get(Customer, file.customer)
    statements = [
        each
        for each in unit.find(FinancialStatement, credit_file=file.id, status=RecordStatus.ACTIVE)
        if each.period_end <= as_of and (not customer.kind.natural or each.lawful_basis is LawfulBasis.WRITTEN_CONSENT)
    ]
    ratings = _known(unit.find(ExternalRating, credit_file=file.id, status=RecordStatus.ACTIVE), as_of, calendar)
    cases = _known(unit.find(LitigationRecord, credit_file=file.id, status=RecordStatus.ACTIVE), as_of, calendar)
    sanctions = _known(unit.find(PublicSanction, credit_file=file.id, status=RecordStatus.ACTIVE), as_of, calendar)
    # A default says itself since when it is, under seal; what lies after the day is left out once it is open.
    events = unit.find(DefaultEvent, credit_file=file.id, status=RecordStatus.ACTIVE)
    statement = max(statements, key=lambda each: (each.period_end, each.audited, each.id), default=None)
    rating = max(ratings, key=lambda each: (each.stamp.effective_from, each.id), default=None)
    used: Iterator[Provenanced] = (each for each in (statement, rating, *cases, *sanctions) if each is not None)
    sources = tuple(dict.fromkeys(each.source for each in used))
    return Gathered(
        file=file,
        customer=customer,
        as_of=as_of,
        calendar=calendar,
        statement=statement,
        rating=rating,
        cases=tuple(cases),
        sanctions=tuple(sanctions),
        events=tuple(events),
        sources={source.id: source for source in unit.find(Source, id=sources)} if sources else {},
    )


def to_open(unit: Unit, gathered: Gathered) -> list[SealedValue[Any]]:
    """The sealed values the assessment rests on, and no others.

    Chapter: 4.4, 5.1.
    """
    wanted: list[tuple[Sequence[Provenanced], tuple[Confidential[Any], ...]]] = [
        ([gathered.statement] if gathered.statement else [], STATEMENT),
        ([gathered.rating] if gathered.rating else [], _RATING),
        (gathered.cases, _CASE),
        (gathered.sanctions, _SANCTION),
        (gathered.events, _EVENT),
    ]
    return [value for records, fields in wanted if records for value in unit.sealed(records, fields)]


def snapshot(
    unit: Unit,
    policy: PolicyDocument,
    gathered: Gathered,
    opened: Opened,
    *,
    requested_minor: int | None,
    previous: Standing | None,
) -> Snapshot:
    """Everything one assessment reads, as of one day: the scorecard that applies and its data.

    Chapter: 5.1, 5.2, 5.4.
    Units:   minor units of the policy's currency.
    Raises:  NotInForce where an amount is in another currency.
    """
    file, as_of = gathered.file, gathered.as_of
    payments = payments_of(unit, file.id, as_of, policy.currency)
    existing, natural = is_existing(payments, policy.indicators), gathered.customer.kind.natural
    invoices = None if existing else invoices_of(unit, file.id, as_of, policy.currency, natural=natural)
    statement = _statement(gathered, opened, policy.currency)
    card_code = features.card_for(
        existing=existing,
        statement_or_record=any((gathered.statement, gathered.rating, gathered.cases, gathered.sanctions)),
        sales_invoices=invoices.sales_invoices if invoices else 0,
    )
    worth = _worth(policy, statement, as_of)
    view = _View(policy=policy, gathered=gathered, opened=opened, requested=requested_minor, worth=worth)
    data = dict(view.file_data()) | dict(view.record_data(statement))
    if card_code == EXISTING:
        data |= dict(view.trade_data(payments))
    elif card_code == INVOICE and invoices:
        data = dict(invoice_data(invoices))
    card = policy.card(card_code)
    codes = {item.code for item in card.characteristics} if card else set[str]()
    return Snapshot(
        as_of=as_of,
        card=card_code,
        currency=policy.currency,
        values={code: datum for code, datum in data.items() if code in codes},
        limits=LimitFacts(
            monthly_billing_minor=_monthly(policy, card_code, payments, invoices, view), net_worth_minor=worth
        ),
        knock_outs=frozenset(view.knock_outs(payments)),
        volumes=dict(invoice_volumes(invoices)) if card_code == INVOICE and invoices else {},
        unsatisfied_judgments_bp=features.judgments_bp(view.claimed(), view.compared()),
        previous=previous,
        natural_person=natural,
        written_consent=natural and gathered.statement is not None,
    )


def _known(records: Sequence[Any], as_of: date, calendar: Days) -> list[Any]:
    return [each for each in records if calendar.of(each.stamp.effective_from) <= as_of]


def _statement(gathered: Gathered, opened: Opened, currency: str) -> features.Statement | None:
    record = gathered.statement
    if record is None:
        return None
    figures = {
        field.name: in_currency(money, currency, "a financial statement")
        for field in STATEMENT
        if (money := opened.get((record.id, field.tag))) is not None
    }
    return features.Statement(period_end=record.period_end, audited=record.audited, **figures)


def _worth(policy: PolicyDocument, statement: features.Statement | None, as_of: date) -> int | None:
    """The tangible net worth, where a statement that is not stale says it."""
    if statement is None:
        return None
    ends = add_months(statement.period_end, policy.review_rules.statement_stale_months)
    return statement.tangible_net_worth if as_of < ends else None


def _monthly(
    policy: PolicyDocument, card: str, payments: PaymentFigures, invoices: InvoiceFigures | None, view: _View
) -> int | None:
    """M: what is billed; for a new customer what it asks for, as far as its net worth or its invoices bear that out.

    A request that nothing bears out stays unverified: then only what is billed already counts, if anything is. With a
    net worth, the cap of the limit formula holds the request; without one, a share of the firm's own sales does. The
    sales themselves are never taken for the company's billing.
    """
    billed = payments.monthly_billing_minor
    if card == EXISTING or view.requested is None:
        return billed
    if view.worth is not None:
        return view.requested
    sales = invoices.mean_monthly_sales if invoices else None
    if sales is None:
        return billed
    return min(view.requested, max(int(sales * policy.limit_rules.expected_sales_bp // FULL_BP), 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """The gathered records with their opened values, as data of the characteristics."""

    policy: PolicyDocument
    gathered: Gathered
    opened: Opened
    requested: int | None
    worth: int | None

    def file_data(self) -> Iterator[tuple[str, Datum]]:
        """B5 to B7, from the basic information."""
        file, as_of = self.gathered.file, self.gathered.as_of
        seen = min(self.gathered.calendar.of(file.collected_at), as_of)
        if file.established_on:
            years = features.years_in_operation(file.established_on, as_of)
            yield "B5", Datum(value=years, observed_on=seen, origin=Origin.OWN)
        if file.size_class:
            yield "B6", Datum(value=file.size_class.value, observed_on=seen, origin=Origin.OWN)
        risk = industry_risk(self.policy, file.industry_code)
        if risk:
            yield "B7", Datum(value=risk, observed_on=seen, origin=Origin.INTERNAL)

    def record_data(self, statement: features.Statement | None) -> Iterator[tuple[str, Datum]]:
        """B1 to B4 and C1 to C4, from statements, public records and ratings; what is not on file is absent."""
        as_of, rules = self.gathered.as_of, self.policy.review_rules
        if statement and self.gathered.statement:
            found = features.statement_data(statement, as_of=as_of, rules=rules, requested_limit=self.requested)
            for code, datum in found.items():
                yield code, self._sourced(datum, self.gathered.statement)
        rating = self.gathered.rating
        band = self.opened.get((rating.id, ExternalRating.rating_band.tag)) if rating else None
        if rating and band:
            rated_on = self.gathered.calendar.of(rating.stamp.effective_from)
            ends = add_months(rated_on, rules.rating_stale_months)
            if rating.valid_until:
                ends = date.fromordinal(rating.valid_until.toordinal() + 1)
            datum = Datum(value=band, observed_on=rated_on, origin=Origin.THIRD, expires_on=ends)
            yield "C3", self._sourced(datum, rating)
        if self.gathered.cases:
            yield "C1", self._litigation()
        if self.gathered.sanctions:
            yield "C2", self._sanctions()

    def trade_data(self, payments: PaymentFigures) -> Iterator[tuple[str, Datum]]:
        """A1 to A6, D1 and D2, from trade with the company; no failure on file is none."""
        as_of, file = self.gathered.as_of, self.gathered.file
        yield from payment_data(payments).items()
        limit = in_currency(file.credit_limit, self.policy.currency, "the limit in force") if file.credit_limit else 0
        values = {
            "A5": features.peak_utilisation_bp([payments.peak_exposure or 0], limit),
            "A6": self._within_a_year(_FAILURES),
            "D1": features.usage_burst(payments.billed_months),
            "D2": self._within_a_year(_INCIDENTS),
        }
        for code, value in values.items():
            if value is not None:
                yield code, Datum(value=value, observed_on=as_of, origin=Origin.OWN)

    def knock_outs(self, payments: PaymentFigures) -> Iterator[str]:
        """The knock-outs of the policy that hold: debt to the company, open defaults, a listed debtor."""
        listed = {rule.code for rule in self.policy.knock_outs}
        if owes_over_90_days(payments) and _OWN_DEBT in listed:
            yield _OWN_DEBT
        listed_as_debtor = listed_debtor(
            (self._sanction(each) for each in self.gathered.sanctions), self.gathered.as_of
        )
        if listed_as_debtor and _LISTED in listed:
            yield _LISTED
        for event in self.gathered.events:
            kind, since, ended = self._event(event)
            begun = since is not None and since <= self.gathered.as_of
            code = _KNOCK_OUTS.get(kind)
            if code in listed and begun and (ended is None or ended > self.gathered.as_of):
                yield code

    def claimed(self) -> int:
        """What is claimed in cases that weigh at all."""
        none = LitigationSeverity.NONE.value
        amounts = (
            self.opened.get((case.id, LitigationRecord.claim.tag))
            for case in self.gathered.cases
            if self._severity(case) != none
        )
        return sum(in_currency(money, self.policy.currency, "a claim") for money in amounts if money is not None)

    def compared(self) -> int | None:
        """What claims are compared with: the tangible net worth, or the registered capital where that is unknown."""
        capital = self.gathered.file.registered_capital
        if self.worth is not None or capital is None or not self.claimed():
            return self.worth
        return in_currency(capital, self.policy.currency, "the registered capital")

    def _litigation(self) -> Datum:
        """C1: the worst severity on file, and no milder than the claims together are against the worth.

        A clean check goes stale; a case that weighs stands until its record ends.
        """
        cases, none = self.gathered.cases, LitigationSeverity.NONE.value
        labels = [self._severity(case) for case in cases]
        claimed, worth = self.claimed(), self.compared()
        if claimed and worth is not None:
            labels.append(features.judgment_severity(claimed, worth, enforced=False))
        order = [severity.value for severity in LitigationSeverity]
        worst = max(labels, key=order.index)
        return self._public(
            worst, cases, [case for case in cases if self._severity(case) == worst], clean=worst == none
        )

    def _sanctions(self) -> Datum:
        """C2: the worst sanction that is live; the newest record, of whatever kind, says when the registers were seen.

        A sanction that is over leaves by itself, so that the score follows without anybody acting.
        """
        as_of, records = self.gathered.as_of, self.gathered.sanctions
        worst = sanction_severity((self._sanction(each) for each in records), as_of)
        weighing = [each for each in records if (one := self._sanction(each)).live(as_of) and one.severity == worst]
        return self._public(worst, records, weighing, clean=worst == SanctionSeverity.NONE.value)

    def _sanction(self, record: PublicSanction) -> Sanction:
        kind, severity, match, until, repaired = (self.opened.get((record.id, field.tag)) for field in _SANCTION)
        published_on = self.gathered.calendar.of(record.stamp.effective_from)
        return Sanction(published_on, str(kind), str(severity), str(match), until, repaired)

    def _public(
        self, label: str, records: Sequence[SourcedRecord], weighing: Sequence[SourcedRecord], *, clean: bool
    ) -> Datum:
        """What public records say, as of the newest of them: a clean check goes stale, what weighs does not."""
        newest = max(records, key=lambda each: (each.collected_at, each.id))
        seen = min(self.gathered.calendar.of(newest.collected_at), self.gathered.as_of)
        stale = add_months(seen, self.policy.review_rules.public_record_stale_months)
        datum = Datum(value=label, observed_on=seen, origin=Origin.THIRD, expires_on=stale if clean else None)
        return self._sourced(datum, next(iter(weighing), newest))

    def _severity(self, case: LitigationRecord) -> str:
        return str(self.opened.get((case.id, LitigationRecord.severity.tag), LitigationSeverity.NONE.value))

    def _event(self, event: DefaultEvent) -> tuple[str, date | None, date | None]:
        kind, since, ended = (self.opened.get((event.id, field.tag)) for field in _EVENT)
        return str(kind), since, ended

    def _within_a_year(self, kinds: set[str]) -> int:
        as_of = self.gathered.as_of
        start = add_months(as_of, -features.YEAR)
        events = (self._event(event) for event in self.gathered.events)
        return sum(kind in kinds and since is not None and start < since <= as_of for kind, since, _ in events)

    def _sourced(self, datum: Datum, record: Provenanced) -> Datum:
        """The datum with who reported it, where that is a third party."""
        source = self.gathered.sources.get(record.source)
        if source is None or source.type in _OWN_SOURCES:
            return datum
        return replace(datum, origin=Origin.THIRD, source=source.name)
