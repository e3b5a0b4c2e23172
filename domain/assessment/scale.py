"""The scales of an assessment: grades, tiers, what evidence a scorecard rests on, and the measures of Ch.6."""

from __future__ import annotations

from enum import Enum


class Tier(Enum):
    """What a grade means for cooperation (Ch.6 §1-3)."""

    GOOD = "GOOD"
    """信用良好"""
    MEDIUM = "MEDIUM"
    """信用中等"""
    POOR = "POOR"
    """信用较差"""
    BLOCKED = "BLOCKED"
    """信用冻结: nothing new; existing prepaid service goes on."""


class Grade(Enum):
    """The credit grades, best first (Ch.5 §2)."""

    AAA = "AAA"
    AA = "AA"
    A = "A"
    BBB = "BBB"
    BB = "BB"
    B = "B"
    CCC = "CCC"
    D = "D"
    """By status alone: a knock-out, never a score."""

    @property
    def rank(self) -> int:
        """0 for the best grade; larger is worse."""
        return _RANK[self]

    def capped(self, ceiling: Grade) -> Grade:
        """The worse of this grade and a ceiling.

        Chapter: 5.2.
        """
        return self if self.rank >= ceiling.rank else ceiling


_RANK = {grade: rank for rank, grade in enumerate(Grade)}


class Calibration(Enum):
    """What evidence a scorecard rests on; it is computed from attached reports and cannot be typed in (Ch.5 §1)."""

    EXPERT_UNCALIBRATED = "EXPERT_UNCALIBRATED"
    """Hand-set, no outcome evidence."""
    EXPERT_BACKTESTED = "EXPERT_BACKTESTED"
    """Hand-set, ranking shown on outcomes of this tenant."""
    FITTED_UNCALIBRATED = "FITTED_UNCALIBRATED"
    """Fitted, not yet confirmed out of time."""
    FITTED_CALIBRATED = "FITTED_CALIBRATED"
    """Confirmed out of time."""


class ControlKind(Enum):
    """What a control action does (Ch.6)."""

    RAISE_LIMIT = "RAISE_LIMIT"
    EXTEND_TERMS = "EXTEND_TERMS"
    LOWER_LIMIT = "LOWER_LIMIT"
    SHORTEN_TERMS = "SHORTEN_TERMS"
    REQUIRE_PREPAYMENT = "REQUIRE_PREPAYMENT"
    REQUIRE_SECURITY = "REQUIRE_SECURITY"
    INTENSIFY_MONITORING = "INTENSIFY_MONITORING"
    FREEZE_NEW_ORDERS = "FREEZE_NEW_ORDERS"
    CAP_USAGE = "CAP_USAGE"
    RESTRICT_SERVICE = "RESTRICT_SERVICE"
    SUSPEND_SERVICE = "SUSPEND_SERVICE"
    TERMINATE_SERVICE = "TERMINATE_SERVICE"
    DEMAND_LETTER = "DEMAND_LETTER"
    LEGAL_ACTION = "LEGAL_ACTION"
    REFER_TO_INSURER = "REFER_TO_INSURER"
    WRITE_OFF = "WRITE_OFF"


class ControlBasis(Enum):
    """The ground a control action rests on (Ch.6 §4)."""

    CONTRACT_CLAUSE = "CONTRACT_CLAUSE"
    CIVIL_CODE_525 = "CIVIL_CODE_525"
    CIVIL_CODE_526 = "CIVIL_CODE_526"
    CIVIL_CODE_527 = "CIVIL_CODE_527"
    TELECOM_34 = "TELECOM_34"
    COURT_ORDER = "COURT_ORDER"
    CUSTOMER_REQUEST = "CUSTOMER_REQUEST"
    CREDIT_POLICY = "CREDIT_POLICY"


class SecurityKind(Enum):
    """What secures a customer's debt (Ch.6 §3)."""

    PREPAYMENT = "PREPAYMENT"
    """预付款"""
    SECURITY_DEPOSIT = "SECURITY_DEPOSIT"
    """保证金"""
    EARNEST_MONEY = "EARNEST_MONEY"
    """定金"""
    BANK_GUARANTEE = "BANK_GUARANTEE"
    """保函"""
    CORPORATE_GUARANTEE = "CORPORATE_GUARANTEE"
    """保证"""
    PERSONAL_GUARANTEE = "PERSONAL_GUARANTEE"
    CREDIT_INSURANCE = "CREDIT_INSURANCE"
    PLEDGE = "PLEDGE"


class SecurityState(Enum):
    """Where a security stands; it counts only while ACTIVE or EXPIRING."""

    REQUESTED = "REQUESTED"
    RECEIVED = "RECEIVED"
    VERIFIED = "VERIFIED"
    ACTIVE = "ACTIVE"
    EXPIRING = "EXPIRING"
    RELEASED = "RELEASED"
    CALLED = "CALLED"
    FORFEITED = "FORFEITED"
    LAPSED = "LAPSED"
