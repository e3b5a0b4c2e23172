"""The credit limit a grade earns: need, factor, caps and security, exact until one floor (Ch.5 §4, Ch.6 §1-3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction

from domain.assessment.policy import FULL_BP, Haircut, LimitRules, PolicyDocument
from domain.assessment.receipt import Limit, LimitFacts, Pledged, Step
from domain.assessment.scale import Grade, SecurityKind, SecurityState, Tier
from domain.assessment.scorecard import Scorecard

MONTH_DAYS = 30
"""A month of the formula."""


def recommended_limit(policy: PolicyDocument, card: Scorecard, grade: Grade, facts: LimitFacts, as_of: date) -> Limit:
    """The limit a grade earns under a policy, with every step and the one that bound it.

    Chapter: 5.4, 6.1, 6.2, 6.3.
    Units:   minor units of the policy's currency.
    Shape:   total; never below zero; with equal facts it never falls as the grade improves.
    """
    rules = policy.limit_rules
    terms = policy.terms_rules.grades[grade]
    days = _days(rules, facts, terms.net_days)
    if tier_of(policy, grade) is Tier.BLOCKED:
        return Limit(minor=0, bound_by="BLOCKED", days=days, steps=())
    billing = max(facts.monthly_billing_minor or 0, 0)
    prepayment = _prepayment_bp(rules, grade, facts, as_of, default=terms.prepayment_bp)
    need = Fraction(billing * (FULL_BP - prepayment) * days, FULL_BP * MONTH_DAYS)
    granted = need * Fraction(rules.factors_bp[grade], FULL_BP)
    known = "NEED" if facts.monthly_billing_minor is not None else "NEED_UNKNOWN"
    caps = [(known, granted), *_caps(rules, facts, billing)]
    bound_by, unsecured = min(caps, key=lambda cap: cap[1])
    security = eligible_security(rules.haircuts, facts.securities, as_of)
    total = unsecured + security
    steps = [("FULL_NEED", need), *caps, ("UNSECURED", unsecured), ("SECURITY", security)]
    if card.starter_limit and facts.monthly_billing_minor is not None:
        starter = Fraction(billing * rules.starter_months_bp, FULL_BP)
        steps.append(("STARTER", starter))
        if starter < total:
            bound_by, total = "STARTER", starter
    limit = int(total // rules.rounding_minor) * rules.rounding_minor
    shown = tuple(Step(code=code, minor=int(amount // 1)) for code, amount in steps)
    return Limit(minor=limit, bound_by=bound_by, days=days, steps=shown)


def eligible_security(haircuts: Sequence[Haircut], securities: Sequence[Pledged], as_of: date) -> Fraction:
    """What securities count for: amount times factor, of those that hold on a day.

    Chapter: 6.3.
    Units:   minor units, exact.
    Shape:   total; never below zero; a further security never lowers it.
    """
    rules = {haircut.kind: haircut for haircut in haircuts}
    counted = (
        Fraction(max(pledged.minor, 0) * rule.factor_bp, FULL_BP)
        for pledged in securities
        if (rule := rules.get(pledged.kind)) and counts(rule, pledged, as_of)
    )
    return sum(counted, start=Fraction(0))


def counts(rule: Haircut, pledged: Pledged, as_of: date) -> bool:
    """Whether a security counts on a day.

    Chapter: 6.3.
    """
    if pledged.state not in {SecurityState.ACTIVE, SecurityState.EXPIRING}:
        return False
    until = last_day(rule, pledged)
    return (pledged.rated or not rule.rated_only) and (until is None or as_of <= until)


def last_day(rule: Haircut, pledged: Pledged) -> date | None:
    """The last day a security counts; None where it has no end.

    Chapter: 6.3.
    """
    if pledged.valid_to is None:
        return None
    return pledged.valid_to - timedelta(days=rule.stops_days_before_end)


def tier_of(policy: PolicyDocument, grade: Grade) -> Tier:
    """The tier of a grade.

    Chapter: 5.2.
    """
    return next(band.tier for band in policy.grade_scale if band.grade is grade)


def _days(rules: LimitRules, facts: LimitFacts, net_days: int) -> int:
    cycle = rules.billing_cycle_days if facts.billing_cycle_days is None else facts.billing_cycle_days
    lag = rules.invoice_lag_days if facts.invoice_lag_days is None else facts.invoice_lag_days
    stop = rules.stop_days if facts.stop_days is None else facts.stop_days
    return max(cycle + lag + net_days + stop, 0)


def _prepayment_bp(rules: LimitRules, grade: Grade, facts: LimitFacts, as_of: date, *, default: int) -> int:
    """The share in advance: the grade's, or a granted one where the deposit it stands on is there."""
    if facts.granted_prepayment_bp is None:
        return default
    months = rules.deposit_months.get(grade, 0)
    deposits = [item for item in facts.securities if item.kind is SecurityKind.SECURITY_DEPOSIT]
    deposit = eligible_security(rules.haircuts, deposits, as_of)
    if months and deposit < months * (facts.monthly_billing_minor or 0):
        return default
    return min(max(facts.granted_prepayment_bp, 0), FULL_BP)


def _caps(rules: LimitRules, facts: LimitFacts, billing: int) -> Iterator[tuple[str, Fraction]]:
    """The caps that exist; one that does not exist does not bind."""
    if facts.net_worth_minor is None:
        yield "NET_WORTH_UNKNOWN", Fraction(billing * rules.unknown_net_worth_months_bp, FULL_BP)
    else:
        yield "NET_WORTH", Fraction(max(facts.net_worth_minor, 0) * rules.net_worth_bp, FULL_BP)
    if facts.tenant_credit_sales_minor is not None:
        yield "CONCENTRATION", Fraction(max(facts.tenant_credit_sales_minor, 0) * rules.concentration_bp, FULL_BP)
    if facts.insurer_cap_minor is not None:
        yield "INSURER", Fraction(max(facts.insurer_cap_minor, 0))
