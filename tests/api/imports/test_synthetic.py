"""The generated portfolio: the same every time, valid throughout, and labelled as what it is."""

import asyncio
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.imports.synthetic import BEHAVIOURS, furnish, portfolio
from domain.assessment.assessing import RequestAssessment
from domain.assessment.assessments import AssessmentOutcome
from domain.files.history import (
    DefaultEvent,
    ExternalRating,
    FinancialStatement,
    LitigationRecord,
    TradeTransaction,
)
from domain.files.parties import ContactPerson, CreditFile
from domain.files.sources import Source
from domain.tenancy import OpenTenant
from tests.world import NOW, World

TODAY = NOW.date()


def made(as_of=TODAY, **more):
    world = World()
    world.do(OpenTenant(name="Demo"))

    async def perform(operation):
        return (await world.gate.perform(operation, world.actor())).value

    return world, asyncio.run(furnish(perform, portfolio(as_of, **more)))


@pytest.fixture(scope="module")
def whole():
    return made()


def test_the_same_seed_gives_the_same_portfolio_and_another_another():
    first, second, other = (made(customers=6, seed=seed)[0] for seed in (1, 1, 2))
    shown = [
        [(item.number, item.total, item.settled_on, item.state) for item in world.current(TradeTransaction)]
        for world in (first, second, other)
    ]
    assert shown[0] == shown[1] != shown[2]


def test_every_behaviour_is_there_and_every_kind_of_record(whole):
    world, portfolio = whole
    assert Counter(member.behaviour for member in portfolio.members) == {
        behaviour.name: behaviour.weight for behaviour in BEHAVIOURS
    }
    for kind in (DefaultEvent, ExternalRating, FinancialStatement, LitigationRecord, ContactPerson):
        assert world.current(kind), kind


def test_everything_says_that_it_is_synthetic(whole):
    world, portfolio = whole
    assert all(source.name.startswith("Synthetic: ") for source in world.current(Source))
    assert all(member.name.startswith("合成") for member in portfolio.members)
    assert all(world.secret(file, "email").endswith(".example") for file in world.current(CreditFile))


def test_nothing_is_odd_about_its_documents(whole):
    world, _ = whole
    assert not [item for item in world.current(TradeTransaction) if item.findings]


def test_codes_accounts_and_phones_belong_to_one_customer_each(whole):
    world, portfolio = whole
    files = world.current(CreditFile)
    for name in ("unified_social_credit_code", "phone", "email"):
        assert len({world.secret(file, name) for file in files}) == len(portfolio.members)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days=st.integers(0, 800), seed=st.integers(0, 9))
def test_nothing_happens_after_the_day_it_is_made_for(days, seed):
    as_of = TODAY - timedelta(days=days)
    world, portfolio = made(as_of, customers=5, seed=seed)
    assert portfolio.as_of == as_of
    for item in world.current(TradeTransaction):
        assert item.issued_on <= as_of
        assert item.settled_on is None or item.issued_on <= item.settled_on <= as_of


def test_customers_are_told_apart_by_how_they_pay(whole):
    world, portfolio = whole
    results = {}
    for member in portfolio.members:
        assessment = world.do(RequestAssessment(credit_file=member.credit_file, as_of=TODAY))
        results.setdefault(member.behaviour, []).append(assessment)
    scores = {
        name: sum(item.score for item in found) / len(found)
        for name, found in results.items()
        if all(item.outcome is AssessmentOutcome.GRADED for item in found)
    }
    assert scores["prompt"] > scores["usual"] > scores["slow"] > scores["worsening"] > scores["defaulted"]
    assert [item.outcome for item in results["unknown"]] == [AssessmentOutcome.INSUFFICIENT_DATA]
    assert len({item.grade for found in results.values() for item in found}) >= 5


def test_a_day_long_past_or_at_the_end_of_a_month_is_fine_too():
    for as_of in (date(2024, 2, 29), date(2025, 1, 1), date(2025, 12, 31)):
        assert len(made(as_of, customers=3)[1].members) == 3
