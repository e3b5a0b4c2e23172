from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.assessment import gathering
from domain.assessment.evidence.trade import invoices_of, payments_of
from domain.assessment.scorecard import Origin
from domain.assessment.version_one import VERSION_ONE
from domain.errors import NotInForce
from domain.files.days import days
from domain.files.history import (
    DefaultEvent,
    DefaultKind,
    DocumentKind,
    DocumentState,
    ExternalRating,
    FinancialStatement,
    LitigationRecord,
    LitigationSeverity,
    PublicSanction,
    RatingBand,
    RecordStatus,
    TradeTransaction,
)
from domain.files.parties import Customer, PartyKind
from domain.files.sources import LawfulBasis
from tests.firms import TODAY, Bill, Desk, yuan


@pytest.fixture
def desk():
    return Desk()


def back(days):
    return TODAY - timedelta(days=days)


def snapshot(desk, file, as_of=TODAY, requested=None, previous=None):
    """The snapshot, its sealed values opened behind the Gate's back."""
    unit = desk.world.unit()
    gathered = gathering.gather(unit, desk.file(file), as_of, days(unit))
    sealed = gathering.to_open(unit, gathered)
    opened = {(one.record, one.field.tag): desk.world.vault._values[one.material] for one in sealed}
    return gathering.snapshot(unit, VERSION_ONE, gathered, opened, requested_minor=requested, previous=previous)


def values(desk, file, **more):
    return {code: datum.value for code, datum in snapshot(desk, file, **more).values.items()}


def sales(desk, file, monthly=100_000, months=12, per_month=4):
    for month in range(months):
        desk.invoice(file, DocumentKind.SALE, back(15 + 30 * month), monthly / per_month, times=per_month)


def payments(desk, file, as_of=TODAY):
    return payments_of(desk.world.unit(), file.id, as_of, "CNY")


def invoices(desk, file, as_of=TODAY):
    return invoices_of(desk.world.unit(), file.id, as_of, "CNY", natural=False)


def test_only_what_a_scorecard_a_cap_or_a_knock_out_reads_is_opened(desk):
    file = desk.example()
    unit = desk.world.unit()
    tags = {one.field.tag for one in gathering.to_open(unit, gathering.gather(unit, file, TODAY, days(unit)))}
    assert tags == {
        *("financial.current_assets", "financial.current_liabilities", "financial.total_assets"),
        *("financial.total_liabilities", "financial.tangible_net_worth", "financial.net_profit"),
        *("financial.operating_cash_flow", "rating.band", "litigation.severity"),
        *("default.kind", "default.since_on", "default.ended_on"),
        *("sanction.kind", "sanction.severity", "sanction.match"),
    }


def test_a_customer_with_a_history_of_trade_gets_the_card_of_existing_ones(desk):
    found = snapshot(desk, desk.example())
    assert (found.card, found.currency, found.as_of) == ("EXISTING", "CNY", TODAY)
    assert found.limits.monthly_billing_minor == 5_000_000
    assert found.limits.net_worth_minor == 150_000_000
    assert found.values["C2"].value == "NONE"


def test_void_receivables_are_left_out(desk):
    file = desk.open()
    desk.bill(file, Bill(back(60), 100), Bill(back(200), 900, None, state=DocumentState.VOID))
    assert payments(desk, file).worst_days == 0
    assert payments(desk, file).monthly_billing_minor == 100_00 // 6


def test_a_credit_note_nets_against_the_invoice_of_its_number(desk):
    file = desk.open()
    desk.bill(file, Bill(back(120), 100, None, number="7"), Bill(back(60), -40, None, number="7"))
    found = payments(desk, file)
    assert found.ageing.over_90 == 60_00
    assert found.monthly_billing_minor == 60_00 // 6


def test_what_a_credit_note_leaves_over_lowers_the_billing(desk):
    file = desk.open()
    desk.bill(file, Bill(back(60), 100, number="7"), Bill(back(30), -160, number="7"), Bill(back(20), 300))
    found = payments(desk, file)
    assert found.monthly_billing_minor == (300_00 - 60_00) // 6
    assert found.due_in_year == 1


def test_a_reversed_receivable_owes_nothing_and_its_reversal_takes_nothing_else(desk):
    file = desk.open()
    desk.bill(
        file,
        Bill(back(200), 100, None, state=DocumentState.REVERSED),
        Bill(back(190), -100, None, state=DocumentState.REVERSED),
        Bill(back(60), 60),
    )
    found = payments(desk, file)
    assert (found.worst_days, found.oldest_overdue_days) == (0, 0)
    assert found.monthly_billing_minor == 10_00


def test_a_reversal_that_comes_later_is_not_known_yet(desk):
    file = desk.open()
    desk.bill(
        file,
        Bill(back(100), 100, None, number="7", state=DocumentState.REVERSED),
        Bill(back(5), -100, None, number="7", state=DocumentState.REVERSED),
    )
    assert payments(desk, file, back(10)).oldest_overdue_days == 75
    assert payments(desk, file).oldest_overdue_days == 0


def test_disputed_amounts_stand_apart(desk):
    file = desk.open()
    desk.bill(file, Bill(back(200), 100, None, disputed=100), Bill(back(60), 100, None, disputed=30))
    found = payments(desk, file)
    assert found.ageing.disputed == 130_00
    assert found.oldest_overdue_days == 45
    assert "OWN_DEBT_OVER_90_DAYS" not in snapshot(desk, file).knock_outs


def test_a_settlement_after_the_day_is_not_known(desk):
    file = desk.open()
    desk.bill(file, Bill(back(60), 100, 40))
    assert payments(desk, file).worst_days == 40
    assert payments(desk, file, back(20)).worst_days == 25


def test_records_that_are_disputed_or_withdrawn_do_not_score(desk):
    file = desk.example()
    for kind in (TradeTransaction, FinancialStatement, ExternalRating, LitigationRecord, PublicSanction, DefaultEvent):
        for record in desk.world.current(kind):
            desk.set(replace(record, status=RecordStatus.DISPUTED))
    found = snapshot(desk, file)
    assert set(found.values) == {"B5", "B6", "B7"}
    assert found.limits.net_worth_minor is None


def test_what_came_after_the_day_is_not_read(desk):
    file = desk.example()
    desk.statement(file, date(2026, 9, 30), current_assets=9_000_000)
    desk.rating(file, RatingBand.BAD, date(2026, 11, 1))
    desk.case(file, LitigationSeverity.SEVERE, date(2026, 11, 2))
    desk.default(file, DefaultKind.INSOLVENCY, date(2026, 11, 3))
    earlier, now = snapshot(desk, file, as_of=date(2026, 9, 29)), snapshot(desk, file)
    assert earlier.values["B1"].value == Decimal("1.1")
    assert (earlier.values["C3"].value, now.values["C3"].value) == ("MIDDLE", "BAD")
    assert "C1" not in earlier.values
    assert now.values["C1"].value == "SEVERE"
    assert (earlier.knock_outs, now.knock_outs) == (frozenset(), {"INSOLVENCY"})


def test_the_newest_statement_counts_and_an_audited_one_before_another(desk):
    file = desk.open()
    desk.statement(file, date(2026, 6, 30), current_assets=2_000_000)
    desk.statement(file, date(2026, 6, 30), audited=True)
    desk.statement(file, date(2025, 12, 31), current_assets=3_000_000)
    found = snapshot(desk, file)
    assert (found.card, found.values["B1"].value, found.values["C4"].value) == ("NEW", Decimal("1.1"), "AUDITED")


def test_a_stale_statement_tells_no_net_worth(desk):
    file = desk.open()
    desk.statement(file, date(2025, 8, 24))
    assert snapshot(desk, file).limits.net_worth_minor is None
    assert snapshot(desk, file, as_of=date(2026, 11, 23)).limits.net_worth_minor == 150_000_000


def test_a_third_partys_record_names_its_source(desk):
    found = snapshot(desk, desk.example()).values
    assert (found["C3"].source, found["C3"].origin) == ("Honest Agency", Origin.THIRD)
    assert found["C1"].source == "The court register"
    assert (found["B1"].source, found["B1"].origin) == (None, Origin.OWN)


def test_a_rating_stands_as_long_as_its_agency_says_or_a_year(desk):
    file = desk.open()
    desk.rating(file, RatingBand.GOOD, date(2026, 1, 10))
    assert snapshot(desk, file).values["C3"].expires_on == date(2027, 1, 10)
    desk.rating(file, RatingBand.GOOD, date(2026, 2, 10), date(2026, 6, 30))
    assert snapshot(desk, file).values["C3"].expires_on == date(2026, 7, 1)


def test_without_a_look_into_the_register_litigation_is_unknown_and_a_clean_look_goes_stale(desk):
    file = desk.open()
    assert "C1" not in values(desk, file)
    desk.case(file, LitigationSeverity.NONE, date(2026, 11, 1))
    clean = snapshot(desk, file).values["C1"]
    assert (clean.value, clean.expires_on) == ("NONE", date(2027, 5, 24))
    desk.case(file, LitigationSeverity.MINOR, date(2026, 11, 2), yuan(1_000))
    assert snapshot(desk, file).values["C1"].expires_on is None


def test_claims_together_weigh_at_least_what_they_are_of_the_net_worth(desk):
    file = desk.open()
    desk.statement(file, date(2026, 6, 30))
    for _ in range(2):
        desk.case(file, LitigationSeverity.MINOR, date(2026, 11, 2), yuan(8_000))
    desk.case(file, LitigationSeverity.NONE, date(2026, 11, 2), yuan(9_000_000))
    found = snapshot(desk, file)
    assert found.values["C1"].value == "MATERIAL"
    assert found.unsatisfied_judgments_bp == 107


def test_claims_are_compared_with_the_registered_capital_where_the_net_worth_is_unknown(desk):
    file = desk.open(registered_capital=yuan(100_000))
    desk.case(file, LitigationSeverity.MINOR, date(2026, 11, 2), yuan(60_000))
    found = snapshot(desk, file)
    assert (found.values["C1"].value, found.unsatisfied_judgments_bp) == ("SEVERE", 6_000)


@pytest.mark.parametrize("worth", [0, -5_000])
def test_any_claim_is_severe_where_nothing_is_left_to_pay_it(desk, worth):
    file = desk.open()
    desk.statement(file, date(2026, 6, 30), tangible_net_worth=worth)
    desk.case(file, LitigationSeverity.MINOR, date(2026, 11, 2), yuan(1))
    assert values(desk, file)["C1"] == "SEVERE"


def test_failures_and_incidents_count_for_twelve_months(desk):
    file = desk.example()
    desk.default(file, DefaultKind.FAILED_PAYMENT, back(10))
    desk.default(file, DefaultKind.NON_PAYMENT, back(400))
    desk.default(file, DefaultKind.LATE_PAYMENT, back(10))
    desk.default(file, DefaultKind.ABUSE, back(20), back(10))
    found = values(desk, file)
    assert (found["A6"], found["D2"]) == (2, 1)


def test_insolvency_and_fraud_knock_out_until_they_end(desk):
    file = desk.open()
    desk.default(file, DefaultKind.INSOLVENCY, back(100), back(10))
    desk.default(file, DefaultKind.FRAUD, back(50))
    assert snapshot(desk, file).knock_outs == {"PROVEN_FRAUD"}
    assert snapshot(desk, file, as_of=back(11)).knock_outs == {"INSOLVENCY", "PROVEN_FRAUD"}
    assert snapshot(desk, file, as_of=back(10)).knock_outs == {"PROVEN_FRAUD"}


def test_own_debt_knocks_out_after_ninety_days(desk):
    file = desk.open()
    desk.bill(file, Bill(back(105), 1, None))
    assert snapshot(desk, file).knock_outs == frozenset()
    desk.bill(file, Bill(back(106), 1, None))
    assert snapshot(desk, file).knock_outs == {"OWN_DEBT_OVER_90_DAYS"}


def test_a_firm_known_by_its_invoices_alone_gets_their_card(desk):
    file = desk.open()
    sales(desk, file)
    desk.invoice(file, DocumentKind.SALE, back(20), 500, DocumentState.VOID)
    desk.invoice(file, DocumentKind.SALE, back(20), -10_000)
    desk.invoice(file, DocumentKind.PURCHASE, back(20), 300_000, other="s1")
    found = snapshot(desk, file)
    assert (found.card, found.volumes) == ("INVOICE", {"active_months": 12, "sales_invoices": 48})
    assert set(found.values) == {f"V{number}" for number in range(1, 9)}
    assert invoices(desk, file).year_sales == 1_190_000_00
    assert invoices(desk, file).year_void == 1


def test_the_firms_own_turnover_is_never_taken_for_the_companys_billing(desk):
    file = desk.open()
    sales(desk, file)
    assert snapshot(desk, file).limits.monthly_billing_minor is None
    assert snapshot(desk, file, requested=5_000_00).limits.monthly_billing_minor == 5_000_00
    assert snapshot(desk, file, requested=90_000_00).limits.monthly_billing_minor == 10_000_00


def test_a_request_that_nothing_bears_out_counts_for_nothing(desk):
    file = desk.open()
    assert snapshot(desk, file, requested=5_000_00).limits.monthly_billing_minor is None
    desk.bill(file, Bill(back(20), 600))
    assert snapshot(desk, file, requested=5_000_00).limits.monthly_billing_minor == 100_00
    desk.statement(file, date(2026, 6, 30))
    assert snapshot(desk, file, requested=5_000_00).limits.monthly_billing_minor == 5_000_00


def test_utilisation_is_the_peak_against_the_limit_in_force(desk):
    file = desk.example()
    assert "A5" not in values(desk, file)
    desk.set(replace(desk.file(file), credit_limit=yuan(140_800)))
    assert values(desk, file)["A5"] == 10_000


def test_a_persons_statement_scores_only_with_written_consent(desk):
    file = desk.open("Wang")
    desk.statement(file, date(2026, 6, 30))
    desk.set(replace(desk.world.current(Customer)[0], kind=PartyKind.SOLE_TRADER))
    found = snapshot(desk, file)
    assert (found.natural_person, found.written_consent, "B1" in found.values) == (True, False, False)
    desk.statement(file, date(2026, 6, 30), basis=LawfulBasis.WRITTEN_CONSENT)
    found = snapshot(desk, file)
    assert (found.natural_person, found.written_consent, "B1" in found.values) == (True, True, True)


def test_a_persons_own_books_score_only_with_written_consent(desk):
    file = desk.open("Wang")
    sales(desk, file)
    assert snapshot(desk, file).card == "INVOICE"
    desk.set(replace(desk.world.current(Customer)[0], kind=PartyKind.SOLE_TRADER))
    assert snapshot(desk, file).card == "NEW"
    for record in desk.world.current(TradeTransaction):
        desk.set(replace(record, lawful_basis=LawfulBasis.WRITTEN_CONSENT))
    assert snapshot(desk, file).card == "INVOICE"


@pytest.mark.parametrize("what", ["receivable", "invoice", "statement", "claim", "capital", "limit"])
def test_an_amount_in_another_currency_is_refused_with_advice(desk, what):
    file = desk.example() if what == "limit" else desk.open(registered_capital=yuan(100, "USD"))
    if what == "receivable":
        desk.bill(file, Bill(back(20), 100), currency="USD")
    elif what == "invoice":
        desk.invoice(file, DocumentKind.SALE, back(20), 100)
        record = desk.world.current(TradeTransaction)[0]
        desk.set(replace(record, net=yuan(1, "USD")))
    elif what == "statement":
        desk.statement(file, date(2026, 6, 30), currency="USD")
    elif what == "claim":
        desk.case(file, LitigationSeverity.MINOR, back(3), yuan(100, "USD"))
    elif what == "capital":
        desk.case(file, LitigationSeverity.MINOR, back(3), yuan(100))
    else:
        desk.set(replace(desk.file(file), credit_limit=yuan(100, "USD")))
    with pytest.raises(NotInForce) as refused:
        snapshot(desk, file)
    assert "CNY" in refused.value.advice
    assert "100" not in refused.value.message


class _Row(tuple):
    """A row that is counted while it is alive."""

    __slots__ = ()
    alive = most = 0

    def __new__(cls, *facts):
        cls.alive += 1
        cls.most = max(cls.most, cls.alive)
        return super().__new__(cls, facts)

    def __del__(self):
        type(self).alive -= 1


class _Stream:
    def select(self, *_, **__):
        for number in range(100_000):
            day = back(number % 300)
            yield _Row(str(number), day, day, None, yuan(1), None, DocumentState.OPEN)


def test_trade_is_streamed_and_not_held():
    assert payments_of(_Stream(), "cf", TODAY, "CNY").due_in_year == 100_000
    assert _Row.most < 10
