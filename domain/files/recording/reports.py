"""Recording what others say of a customer and what it reports itself: ratings and statements (Ch.4 §2, Ch.7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from domain.actors import Actor
from domain.errors import Code, Malformed
from domain.files.checks import check_figures, not_future, refuse_means
from domain.files.codes import required_text
from domain.files.days import Days, days
from domain.files.history import (
    ExternalRating,
    FinancialStatement,
    RatingBand,
)
from domain.files.recording.events import opened_for, origin_facts
from domain.files.sources import Origin
from domain.ids import Id
from domain.money import Money
from domain.operations import Decided, Operation, operation
from domain.ports import Unit


@operation("rating:record", chapter="4.2, 7.2")
class RecordRating(Operation[ExternalRating]):
    """Records an external rating of the customer (Ch.4 §2, Ch.7 §2)."""

    credit_file: Id
    """The file of the customer; it must be open. Ch.4 §2"""
    origin: Origin
    """Where the rating comes from. Ch.4 §3"""
    agency: str
    """The agency that gave it; sealed. Ch.4 §2"""
    rating: str
    """The rating on the agency's own scale; sealed. Ch.4 §2"""
    band: RatingBand
    """The rating mapped to one of four bands; sealed. Ch.5 §1"""
    rated_on: date
    """The day it was given, not in the future. Ch.7 §2"""
    valid_until: date | None = None
    """Until when the agency lets it stand. Ch.7 §2"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ExternalRating]:
        """The agency and its rating are sealed; how long it stands is not.

        Chapter: 4.2, 7.2.
        """
        return self.record(unit, actor, days(unit))

    def record(self, unit: Unit, actor: Actor, calendar: Days) -> Decided[ExternalRating]:
        """The same by days that are known already: an import looks them up once.

        Chapter: 4.2, 7.2.
        """
        file = opened_for(unit, ExternalRating, self.credit_file, self.origin)
        not_future(self.rated_on, calendar.today, "ratedOn")
        if self.valid_until and self.valid_until < self.rated_on:
            raise Malformed(
                "A rating stands from the day it was given on.",
                code=Code.MALFORMED_DATE,
                advice="Send a day from ratedOn on, or leave it out.",
                path=("validUntil",),
            )
        agency, given = required_text(self.agency, "agency"), required_text(self.rating, "rating")
        rating = ExternalRating(
            stamp=unit.stamp(ExternalRating, subject=file.subject_id, effective_from=calendar.begin(self.rated_on)),
            credit_file=file.id,
            valid_until=self.valid_until,
            **origin_facts(unit, actor, self.origin),
        )
        unit.add([rating])
        unit.seal(rating, ExternalRating.agency, agency)
        unit.seal(rating, ExternalRating.rating, given)
        unit.seal(rating, ExternalRating.rating_band, self.band.value)
        return Decided(value=rating, resources=(file.id,))


@operation("statement:record", chapter="7.1")
class RecordStatement(Operation[FinancialStatement]):
    """Records a financial statement of the customer (Ch.7 §1)."""

    credit_file: Id
    """The file of the customer; it must be open. Ch.7 §1"""
    origin: Origin
    """Where the statement comes from. Ch.4 §3"""
    period_end: date
    """The last day of its period, not in the future. Ch.7 §1"""
    audited: bool
    """Whether an auditor signed it. Ch.5 §1"""
    current_assets: Money
    """Current assets, in the statement's one currency; sealed. Ch.7 §1"""
    current_liabilities: Money
    """Current liabilities; sealed. Ch.7 §1"""
    total_assets: Money
    """Total assets; sealed. Ch.7 §1"""
    total_liabilities: Money
    """Total liabilities; sealed. Ch.7 §1"""
    tangible_net_worth: Money
    """Tangible net worth; sealed. Ch.5 §4"""
    net_profit: Money
    """Net profit of the period; sealed. Ch.7 §1"""
    operating_cash_flow: Money
    """Operating cash flow of the period; sealed. Ch.7 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[FinancialStatement]:
        """The figures are sealed; the period and whether it was audited are not.

        Chapter: 7.1.
        """
        return self.record(unit, actor, days(unit))

    def record(self, unit: Unit, actor: Actor, calendar: Days) -> Decided[FinancialStatement]:
        """The same by days that are known already: an import looks them up once.

        Chapter: 7.1.
        """
        file = opened_for(unit, FinancialStatement, self.credit_file, self.origin)
        refuse_means(unit, file, self.origin.lawful_basis)
        figures: Sequence[tuple[Any, Money]] = (
            (FinancialStatement.current_assets, self.current_assets),
            (FinancialStatement.current_liabilities, self.current_liabilities),
            (FinancialStatement.total_assets, self.total_assets),
            (FinancialStatement.total_liabilities, self.total_liabilities),
            (FinancialStatement.tangible_net_worth, self.tangible_net_worth),
            (FinancialStatement.net_profit, self.net_profit),
            (FinancialStatement.operating_cash_flow, self.operating_cash_flow),
        )
        check_figures({field.name: money for field, money in figures})
        not_future(self.period_end, calendar.today, "periodEnd")
        statement = FinancialStatement(
            stamp=unit.stamp(
                FinancialStatement, subject=file.subject_id, effective_from=calendar.begin(self.period_end)
            ),
            credit_file=file.id,
            period_end=self.period_end,
            audited=self.audited,
            **origin_facts(unit, actor, self.origin),
        )
        unit.add([statement])
        for field, money in figures:
            unit.seal(statement, field, money)
        return Decided(value=statement, resources=(file.id,))
