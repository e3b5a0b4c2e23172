"""A credit policy is one document of exact data: scorecards, grades, limits, terms, measures and clocks (Ch.5, 6, 9).

Nothing in it is code. Shares and factors are basis points (1.5 is 15,000), money is minor units of the policy's
currency. After approval a document never changes; its digest names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from domain import canonical
from domain.assessment.scale import ControlKind, Grade, SecurityKind, Tier
from domain.assessment.scorecard import Scorecard

FULL_BP = 10_000
"""One, in basis points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeBand:
    """The lowest score of a grade, and its tier; D has no score (Ch.5 §2)."""

    grade: Grade
    floor: int | None
    tier: Tier


class CapKind(Enum):
    """What a cap looks at."""

    CARD = "CARD"
    """The scorecard used."""
    COMPLETENESS_BELOW = "COMPLETENESS_BELOW"
    UNSATISFIED_JUDGMENTS_ABOVE = "UNSATISFIED_JUDGMENTS_ABOVE"
    """Live unsatisfied judgments as a share of net worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A ceiling on the grade, whatever the score."""

    code: str
    kind: CapKind
    at_most: Grade
    says: str
    threshold_bp: int | None = None
    cards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnockOut:
    """A status that makes the grade D; it ends when the record behind it ends."""

    code: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Haircut:
    """What a kind of security counts for."""

    kind: SecurityKind
    factor_bp: int
    stops_days_before_end: int = 0
    rated_only: bool = False
    """Whether it counts only where its giver is rated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRules:
    """The numbers of the limit formula (Ch.5 §4)."""

    factors_bp: Mapping[Grade, int]
    """k, the share of the need that is granted unsecured."""
    deposit_months: Mapping[Grade, int]
    """Grades whose factor counts only on top of a deposit of so many months."""
    billing_cycle_days: int
    invoice_lag_days: int
    stop_days: int
    """Days until service can lawfully stop."""
    net_worth_bp: int
    unknown_net_worth_months_bp: int
    """The cap in months of billing where the net worth is not known; 10,000 is one month."""
    starter_months_bp: int
    concentration_bp: int
    expected_sales_bp: int
    """What a firm may be expected to need in a month, at most, as a share of its own mean monthly sales."""
    rounding_minor: int
    haircuts: tuple[Haircut, ...]


class SecurityNeed(Enum):
    """Whether a grade asks for security (Ch.6 §3)."""

    NONE = "NONE"
    OPTIONAL = "OPTIONAL"
    REQUIRED = "REQUIRED"
    REQUIRED_FOR_TERMS = "REQUIRED_FOR_TERMS"
    """Without it, prepaid service only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a grade pays (Ch.5 §4, Ch.6 §1-3)."""

    net_days: int
    prepayment_bp: int
    security: SecurityNeed


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsRules:
    """Terms per grade, and what a deposit is."""

    grades: Mapping[Grade, Terms]
    ungraded: Terms
    deposit_months: int
    deposit_months_at_most: int
    deposit_furnish_days: int
    deposit_return_clean_months: int
    earnest_money_bp: int


class Trigger(Enum):
    """What makes a measure follow from an assessment."""

    STANDING = "STANDING"
    """The grade itself."""
    LIMIT_GRANTED = "LIMIT_GRANTED"
    """A first limit, above zero."""
    LIMIT_RAISED = "LIMIT_RAISED"
    LIMIT_LOWERED = "LIMIT_LOWERED"
    TERMS_GRANTED = "TERMS_GRANTED"
    """First terms, above zero days."""
    TERMS_EXTENDED = "TERMS_EXTENDED"
    TERMS_SHORTENED = "TERMS_SHORTENED"
    PREPAYMENT_DUE = "PREPAYMENT_DUE"
    """The terms ask for a share in advance."""
    SECURITY_REQUIRED = "SECURITY_REQUIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One line of a control plan (Ch.6 §1-3)."""

    trigger: Trigger
    kind: ControlKind
    grades: tuple[Grade, ...]
    ungraded: bool
    """Whether it also follows where data did not suffice for a grade."""
    scope: str
    deadline_days: int
    exit_condition: str


class Regime(Enum):
    """Which rules of suspension bind a service."""

    TELECOM = "TELECOM"
    CONTRACT = "CONTRACT"
    """Cloud, software and other service: the contract's own terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep:
    """What is proposed once undisputed debt is so many days past due (Ch.6 §4)."""

    regime: Regime
    past_due_days: int
    kinds: tuple[ControlKind, ...]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRules:
    """The measures that follow from grades and changes, and the arrears ladder."""

    measures: tuple[Measure, ...]
    ladder: tuple[LadderStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRules:
    """When a customer is looked at again, and how far a grade may move (Ch.5 §3, Ch.7)."""

    cycle_months: Mapping[Grade, int | None]
    """None: on an event only."""
    statement_stale_months: int
    public_record_stale_months: int
    rating_stale_months: int
    agency_report_min_months: int
    extraordinary_working_days: int
    extraordinary_overdue_days: int
    extraordinary_usage_bp: int
    extraordinary_guarantee_days: int
    extraordinary_statement_months: int
    upgrade_notches: int
    upgrade_after_days: int
    parent_support_notches: int
    override_notches: int
    override_days: int
    watch_bp: int
    overdue_grace_days: int


class Level(Enum):
    """Who may approve, the lowest first (Ch.8 §1)."""

    ANALYST = "ANALYST"
    MANAGER = "MANAGER"
    COMMITTEE = "COMMITTEE"
    COMMITTEE_AND_LEGAL = "COMMITTEE_AND_LEGAL"

    @property
    def rank(self) -> int:
        """0 for the lowest level."""
        return _LEVELS[self]


_LEVELS = {level: rank for rank, level in enumerate(Level)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The largest limit a level approves."""

    level: Level
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """Who approves: the stricter of grade and amount."""

    levels: Mapping[Grade, Level]
    ungraded: Level
    ceilings: tuple[Ceiling, ...]
    above: Level
    automatic_completeness_bp: int
    """Completeness under which no decision is automatic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicators:
    """What counts as a default, when a card applies, and when figures may be judged."""

    existing_first_due_months: int
    existing_invoices_due: int
    default_past_due_days: int
    default_minor: int
    default_exposure_bp: int
    default_within_months: int
    early_default_past_due_days: int
    defaults_for_indication: int
    defaults_for_verdict: int
    drift_psi_bp: int
    drift_warn_bp: int
    drift_alarm_bp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Hours and days within which somebody acts."""

    emergency_ratify_hours: int
    case_working_days: int
    break_glass_review_working_days: int
    objection_annotate_working_days: int
    objection_answer_days: int
    security_expiring_days: int


@dataclass(frozen=True, kw_only=True)
class PolicyDocument:
    """One version of the credit policy, whole (Ch.9); without slots, so that its digest is computed once."""

    number: int
    currency: str
    scorecards: tuple[Scorecard, ...]
    grade_scale: tuple[GradeBand, ...]
    caps: tuple[Cap, ...]
    knock_outs: tuple[KnockOut, ...]
    limit_rules: LimitRules
    terms_rules: TermsRules
    control_rules: ControlRules
    review_rules: ReviewRules
    delegation: Delegation
    indicators: Indicators
    clocks: Clocks
    industry_risk: Mapping[str, str]
    """LOW, MIDDLE or HIGH by section of GB/T 4754; an industry that is not listed is not known."""

    def card(self, code: str) -> Scorecard | None:
        """The scorecard of that code.

        Chapter: 5.1, 9.
        """
        return next((card for card in self.scorecards if card.code == code), None)

    def to_json(self) -> canonical.Json:
        """The document as JSON.

        Chapter: 9.
        Shape:   `from_json(document.to_json()) == document`.
        """
        return canonical.plain(self)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical document.

        Chapter: 9.
        """
        return canonical.digest(self.to_json())


def from_json(value: object) -> PolicyDocument:
    """The document that JSON stands for; `problems` says whether it is sound.

    Chapter: 9.
    Raises:  Malformed with the path, where a key is unknown or absent or a value has another type.
    """
    return canonical.shaped(PolicyDocument, value)
