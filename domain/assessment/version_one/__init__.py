"""The credit policy a new tenant starts with, version 1: expert judgment, not calibrated on outcomes (Ch.5, 6, 9).

All of it is data that a tenant may draft anew, simulate, approve and put in force. Amounts are CNY.
"""

from __future__ import annotations

from domain.assessment.policy import (
    Cap,
    CapKind,
    Ceiling,
    Clocks,
    Delegation,
    GradeBand,
    Haircut,
    Indicators,
    KnockOut,
    Level,
    LimitRules,
    PolicyDocument,
    ReviewRules,
    SecurityNeed,
    Terms,
    TermsRules,
)
from domain.assessment.scale import Grade, SecurityKind, Tier
from domain.assessment.scorecard import INVOICE, NEW
from domain.assessment.version_one.cards import scorecards
from domain.assessment.version_one.rules import control_rules

_YUAN = 100
"""Fen in a yuan."""

_GRADES = (
    (Grade.AAA, 90, Tier.GOOD, 15_000, 60, 0, SecurityNeed.NONE, 12, Level.MANAGER),
    (Grade.AA, 80, Tier.GOOD, 12_000, 45, 0, SecurityNeed.NONE, 12, Level.ANALYST),
    (Grade.A, 70, Tier.GOOD, 10_000, 30, 0, SecurityNeed.NONE, 12, Level.ANALYST),
    (Grade.BBB, 60, Tier.MEDIUM, 7_000, 15, 2_000, SecurityNeed.NONE, 3, Level.MANAGER),
    (Grade.BB, 50, Tier.MEDIUM, 5_000, 7, 5_000, SecurityNeed.OPTIONAL, 3, Level.MANAGER),
    (Grade.B, 40, Tier.POOR, 2_500, 0, 10_000, SecurityNeed.REQUIRED, 1, Level.COMMITTEE),
    (Grade.CCC, 0, Tier.POOR, 0, 0, 10_000, SecurityNeed.REQUIRED_FOR_TERMS, 1, Level.COMMITTEE),
    (Grade.D, None, Tier.BLOCKED, 0, 0, 10_000, SecurityNeed.NONE, None, Level.COMMITTEE_AND_LEGAL),
)
"""grade, floor, tier, k, net days, prepayment, security, review in months, approver: one line per grade."""

_CAPS = (
    Cap(
        code="UNSATISFIED_JUDGMENTS",
        kind=CapKind.UNSATISFIED_JUDGMENTS_ABOVE,
        threshold_bp=5_000,
        at_most=Grade.B,
        says="Unsatisfied judgments above half of the net worth: at most B.",
    ),
    Cap(
        code="COMPLETENESS",
        kind=CapKind.COMPLETENESS_BELOW,
        threshold_bp=6_000,
        at_most=Grade.BBB,
        says="Less than 60 % of the data is on file: at most BBB.",
    ),
    Cap(code="NEW_CUSTOMER", kind=CapKind.CARD, cards=(NEW,), at_most=Grade.A, says="A new customer: at most A."),
    Cap(
        code="INVOICES_ALONE",
        kind=CapKind.CARD,
        cards=(INVOICE,),
        at_most=Grade.A,
        says="Known by its invoices alone: at most A.",
    ),
)

_KNOCK_OUTS = (
    KnockOut(code="INSOLVENCY", says="Insolvency or deregistration."),
    KnockOut(code="DISHONEST_JUDGMENT_DEBTOR", says="Listed as a dishonest judgment debtor 失信被执行人."),
    KnockOut(code="OWN_DEBT_OVER_90_DAYS", says="Undisputed debt to the company more than 90 days past due."),
    KnockOut(code="PROVEN_FRAUD", says="Proven fraud."),
)

_LIMIT_RULES = LimitRules(
    factors_bp={line[0]: line[3] for line in _GRADES},
    deposit_months={Grade.B: 2},
    billing_cycle_days=30,
    invoice_lag_days=5,
    stop_days=30,
    net_worth_bp=1_000,
    unknown_net_worth_months_bp=10_000,
    starter_months_bp=10_000,
    concentration_bp=1_000,
    expected_sales_bp=1_000,
    rounding_minor=1_000 * _YUAN,
    haircuts=(
        Haircut(kind=SecurityKind.SECURITY_DEPOSIT, factor_bp=10_000),
        Haircut(kind=SecurityKind.BANK_GUARANTEE, factor_bp=10_000, stops_days_before_end=30),
        Haircut(kind=SecurityKind.CREDIT_INSURANCE, factor_bp=9_000),
        Haircut(kind=SecurityKind.CORPORATE_GUARANTEE, factor_bp=5_000, rated_only=True),
        Haircut(kind=SecurityKind.PERSONAL_GUARANTEE, factor_bp=2_000),
        Haircut(kind=SecurityKind.EARNEST_MONEY, factor_bp=0),
        Haircut(kind=SecurityKind.PLEDGE, factor_bp=0),
        Haircut(kind=SecurityKind.PREPAYMENT, factor_bp=0),
    ),
)

_TERMS_RULES = TermsRules(
    grades={line[0]: Terms(net_days=line[4], prepayment_bp=line[5], security=line[6]) for line in _GRADES},
    ungraded=Terms(net_days=0, prepayment_bp=10_000, security=SecurityNeed.NONE),
    deposit_months=2,
    deposit_months_at_most=3,
    deposit_furnish_days=15,
    deposit_return_clean_months=12,
    earnest_money_bp=2_000,
)

_REVIEW_RULES = ReviewRules(
    cycle_months={line[0]: line[7] for line in _GRADES},
    statement_stale_months=15,
    public_record_stale_months=6,
    rating_stale_months=12,
    agency_report_min_months=6,
    extraordinary_working_days=2,
    extraordinary_overdue_days=30,
    extraordinary_usage_bp=30_000,
    extraordinary_guarantee_days=60,
    extraordinary_statement_months=15,
    upgrade_notches=1,
    upgrade_after_days=90,
    parent_support_notches=1,
    override_notches=2,
    override_days=90,
    watch_bp=9_000,
    overdue_grace_days=30,
)

VERSION_ONE = PolicyDocument(
    number=1,
    currency="CNY",
    scorecards=scorecards(),
    grade_scale=tuple(GradeBand(grade=line[0], floor=line[1], tier=line[2]) for line in _GRADES),
    caps=_CAPS,
    knock_outs=_KNOCK_OUTS,
    limit_rules=_LIMIT_RULES,
    terms_rules=_TERMS_RULES,
    control_rules=control_rules(),
    review_rules=_REVIEW_RULES,
    delegation=Delegation(
        levels={line[0]: line[8] for line in _GRADES},
        ungraded=Level.ANALYST,
        ceilings=(
            Ceiling(level=Level.ANALYST, minor=200_000 * _YUAN),
            Ceiling(level=Level.MANAGER, minor=1_000_000 * _YUAN),
        ),
        above=Level.COMMITTEE,
        automatic_completeness_bp=6_000,
    ),
    indicators=Indicators(
        existing_first_due_months=6,
        existing_invoices_due=3,
        default_past_due_days=90,
        default_minor=1_000 * _YUAN,
        default_exposure_bp=100,
        default_within_months=12,
        early_default_past_due_days=60,
        defaults_for_indication=10,
        defaults_for_verdict=50,
        drift_psi_bp=1_000,
        drift_warn_bp=500,
        drift_alarm_bp=100,
    ),
    clocks=Clocks(
        emergency_ratify_hours=24,
        case_working_days=1,
        break_glass_review_working_days=2,
        objection_annotate_working_days=1,
        objection_answer_days=20,
        security_expiring_days=60,
    ),
    industry_risk=dict(
        [
            *((section, "LOW") for section in "DJNPQS"),
            *((section, "MIDDLE") for section in "ABCFGILMO"),
            *((section, "HIGH") for section in "EHKR"),
        ]
    ),
)
"""The default credit policy, version 1."""
