"""What an assessment reads (a snapshot) and what it answers (a receipt): both canonical, both with a digest (Ch.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from domain import canonical
from domain.assessment.policy import Level, SecurityNeed
from domain.assessment.scale import Calibration, Grade, SecurityKind, SecurityState, Tier
from domain.assessment.scorecard import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """The value of one characteristic, with the day it was observed."""

    value: int | Decimal | str
    """A number in the characteristic's unit (money in minor units), or a label of its bands."""
    observed_on: date
    origin: Origin
    stale: bool = False
    expires_on: date | None = None
    """The first day on which it will be stale."""
    source: str | None = None
    """Who reported it, where that is a third party; named in a reason, never with its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pledged:
    """One security of the customer, as the limit counts it (Ch.6 §3)."""

    kind: SecurityKind
    minor: int
    state: SecurityState
    valid_to: date | None
    """The last day it holds; None where it has no end."""
    rated: bool = False
    """Whether its giver carries a rating; a guarantee of an unrated one does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFacts:
    """What the limit formula needs besides the grade; None is unknown, and a cap that is None does not bind."""

    monthly_billing_minor: int | None
    """M: mean monthly undisputed billing, or the verified expected amount of a new customer."""
    net_worth_minor: int | None = None
    tenant_credit_sales_minor: int | None = None
    """The company's own credit sales of 12 months."""
    insurer_cap_minor: int | None = None
    billing_cycle_days: int | None = None
    invoice_lag_days: int | None = None
    stop_days: int | None = None
    """Days until the contract or the law lets service stop."""
    securities: tuple[Pledged, ...] = ()
    granted_prepayment_bp: int | None = None
    """A share in advance the committee granted in place of the grade's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was in force before: the grade and since when, the limit and the terms."""

    grade: Grade | None
    grade_changed_on: date
    limit_minor: int
    net_days: int
    prepayment_bp: int
    restored: bool = False
    """Whether a correction in the customer's favour led to this assessment: its grade is restored at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything one assessment reads, as of one day."""

    as_of: date
    card: str
    currency: str
    values: Mapping[str, Datum]
    """By characteristic; an absent datum is missing. Codes the card does not have are not read."""
    limits: LimitFacts
    knock_outs: frozenset[str] = frozenset()
    """Codes of knock-outs that rest on a confirmed record."""
    volumes: Mapping[str, int] = field(default_factory=dict[str, int])
    """How much data there is, for the minimums of a scorecard."""
    unsatisfied_judgments_bp: int | None = None
    """Live unsatisfied judgments as a share of net worth."""
    parent_grade: Grade | None = None
    """The parent's grade, where its guarantee is in the file."""
    previous: Standing | None = None
    natural_person: bool = False
    written_consent: bool = False
    """Whether a natural person agreed in writing, after notice, to the data that needs it."""

    def to_json(self) -> canonical.Json:
        """The snapshot as JSON; a receipt replays from it.

        Chapter: 5.1.
        Shape:   `snapshot_from_json(snapshot.to_json()) == snapshot`.
        """
        return canonical.plain(self)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical snapshot.

        Chapter: 5.1.
        """
        return canonical.digest(self.to_json())


def snapshot_from_json(value: object) -> Snapshot:
    """The snapshot that JSON stands for.

    Chapter: 5.1.
    Raises:  Malformed with the path.
    """
    return canonical.shaped(Snapshot, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What one characteristic earned."""

    code: str
    band: str
    """The band's label, or NOT_ON_FILE, STALE."""
    points: int
    maximum: int
    missing: bool
    """Whether the datum was absent or stale."""
    origin: Origin

    @property
    def lost(self) -> int:
        """Points lost against the best band."""
        return self.maximum - self.points


@dataclass(frozen=True, slots=True, kw_only=True)
class CapApplied:
    """A cap that applied; the one that set the grade bound it."""

    code: str
    at_most: Grade
    bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for the result, the weightiest first (Ch.3 §3)."""

    code: str
    sentence: str
    """Without any value of the customer's."""
    shown: str | None
    """The customer's own value, for those who may read it; None for third parties' and internal data."""
    points_lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the limit formula, rounded down to minor units only to be shown."""

    code: str
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The recommended credit limit and how it came about (Ch.5 §4)."""

    minor: int
    bound_by: str
    """The step that bound it."""
    days: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer of an assessment: same policy and same snapshot, same bytes, years later."""

    policy_number: int
    policy_digest: str
    inputs_digest: str
    as_of: date
    card: str
    calibration: Calibration
    points: tuple[Points, ...]
    completeness_bp: int
    score: int | None
    """None where data did not suffice."""
    grade: Grade | None
    """None where data did not suffice: INSUFFICIENT_DATA."""
    tier: Tier | None
    knock_outs: tuple[str, ...]
    caps: tuple[CapApplied, ...]
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    """Where data did not suffice, what to supply."""
    currency: str
    limit: Limit | None
    """None where data did not suffice: prepaid service only."""
    net_days: int
    prepayment_bp: int
    security: SecurityNeed
    review_months: int | None
    valid_to: date | None
    """The last day it may be relied on; None where the next review waits for an event."""
    approver: Level
    automatic: bool
    """Whether the policy lets it be decided without a person; the subject may still refuse that."""

    def to_json(self) -> canonical.Json:
        """The receipt as JSON.

        Chapter: 5.1.
        """
        return canonical.plain(self)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical receipt.

        Chapter: 5.1.
        """
        return canonical.digest(self.to_json())
