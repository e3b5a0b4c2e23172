"""Credit policy versions and assessments as records (Ch.5, Ch.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from domain.assessment.scale import Calibration, Grade, Tier
from domain.assessment.versions.changes import PolicyChange
from domain.ids import Id
from domain.money import Money
from domain.records import DataClass, Record, children, confidential, fact, link, record

EXAMINE = "assessment:examine"
"""Guards the points and the receipt: their bands tell what third parties report and how the company sees an industry,
which a customer is not told (Ch.3 §3); it reads its grade, its score and the reasons."""
FIRST = "The version a company begins with."
PRODUCT = "the product"
"""Who wrote that version."""


class PolicyState(Enum):
    """DRAFT → SIMULATED → IN_REVIEW → APPROVED → SCHEDULED → IN_FORCE → SUPERSEDED; or REJECTED, or WITHDRAWN."""

    DRAFT = "DRAFT"
    """It is being written; nothing rests on it."""
    SIMULATED = "SIMULATED"
    """Its present content was run over the whole book."""
    IN_REVIEW = "IN_REVIEW"
    """It waits for another person; its content is fixed."""
    APPROVED = "APPROVED"
    """Another person approved it; no time is set from which it counts."""
    SCHEDULED = "SCHEDULED"
    """From its time on it is in force."""
    IN_FORCE = "IN_FORCE"
    """It counts, unless a later one has come to its time."""
    SUPERSEDED = "SUPERSEDED"
    """A later one took its place."""
    REJECTED = "REJECTED"
    """Another person did not approve it."""
    WITHDRAWN = "WITHDRAWN"
    """It was taken back before it came into force."""


class AssessmentKind(Enum):
    """What led to an assessment."""

    NEW = "NEW"
    PERIODIC = "PERIODIC"
    EVENT = "EVENT"
    OBJECTION = "OBJECTION"
    SIMULATED = "SIMULATED"


class AssessmentState(Enum):
    """REQUESTED → COLLECTING → SCORED → AUTO_DECIDED or IN_REVIEW → APPROVED → IN_FORCE → SUPERSEDED or EXPIRED."""

    SCORED = "SCORED"
    IN_REVIEW = "IN_REVIEW"
    IN_FORCE = "IN_FORCE"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    SUPERSEDED = "SUPERSEDED"
    EXPIRED = "EXPIRED"
    INVALIDATED = "INVALIDATED"


class AssessmentOutcome(Enum):
    """Whether the data was enough for a grade."""

    GRADED = "GRADED"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalReference:
    """A rule of law that a credit policy, or a reading of it, rests on (Ch.9)."""

    law: str
    """The law, by its name. Ch.9"""
    article: str
    """The article and paragraph. Ch.9"""
    says: str
    """What follows from it here. Ch.9"""


@record("po", table="credit_policy", read="credit_policy:read", unique=(("number",),), subject_reach=False)
class CreditPolicy(Record):
    """A version of the credit rules: scorecards, grades, limits, terms and measures (Ch.9)."""

    number: int = fact("The version's number, counted in the company. Ch.9", order=True)
    content_digest: str = fact("SHA-256 of the canonical document. Ch.9")
    document: str = fact("The document itself, canonical JSON. Ch.9")
    state: PolicyState = fact("Where it stands; its time says by itself whether it is in force. Ch.9", filter=True)
    in_force_from: datetime | None = fact("From when it counts; null until that is set. Ch.9", default=None)
    reason: str = fact("Why it was drafted. Ch.9", default=FIRST)
    legal_references: tuple[LegalReference, ...] = fact("The law it rests on. Ch.9", default=())
    drafted_by: str = fact("Who drafted it. Ch.9", default=PRODUCT, filter=True)
    authors: tuple[str, ...] = fact(
        "Everybody who wrote in it, or submitted it: none of them decides on it. Ch.9", default=()
    )
    decided_by: str | None = fact("Who approved, rejected or withdrew it. Ch.9", default=None)
    simulation: Id | None = link(
        "PolicySimulation", "What its present content would change. Ch.9", default=None, same_subject=False
    )
    base: str = fact("The digest of the version it was compared with. Ch.9", default="")
    changes: tuple[PolicyChange, ...] = fact("What it changes against that version. Ch.9", default=())

    simulations = children("PolicySimulation", by="policy", says="Every simulation of it. Ch.9", same_subject=False)
    interpretations = children(
        "Interpretation", by="policy", says="How the credit department reads it. Ch.9", same_subject=False
    )


@record("ip", table="interpretation", read="credit_policy:read", subject_reach=False)
class Interpretation(Record):
    """How the credit department reads a place of a credit policy version; the version itself stays as it is (Ch.9)."""

    policy: Id = link("CreditPolicy", "The version it reads. Ch.9", same_subject=False)
    clause: str = fact("The place it reads: a JSON path of the document, or a clause of the standard. Ch.9")
    text: str = fact("What the place means. Ch.9")
    legal_references: tuple[LegalReference, ...] = fact("The law this rests on. Ch.9", default=())
    written_by: str = fact("Who wrote it. Ch.9")


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsLine:
    """The points of one characteristic (Ch.5 §1)."""

    characteristic: str
    """Its code in the scorecard."""
    band: str
    """The band the value fell in, a coarse label."""
    points: int
    """Points earned."""
    maximum: int
    """Points of the best band."""
    missing: bool
    """Whether the datum was absent or stale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for a result, the weightiest first (Ch.3 §3)."""

    code: str
    """Code of the characteristic, cap or knock-out."""
    sentence: str
    """The reason in words, without any confidential value."""
    points_lost: int
    """Points lost against the best band; 0 for caps and knock-outs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """One change on the way to the next better grade (Ch.3 §3)."""

    characteristic: str
    """Its code in the scorecard."""
    sentence: str
    """What has to be reached, without any confidential value."""
    points_gained: int
    """Points it brings."""
    effort: int
    """What it takes, in steps of the scorecard: a comparison, and no amount of anything."""
    waits: bool
    """Whether time or a third party has to do it, and not the customer."""


@record("as", table="assessment", read="assessment:read")
class Assessment(Record):
    """One assessment of a customer's credit standing (Ch.5)."""

    credit_file: Id = link("CreditFile", "The file that was assessed. Ch.5")
    kind: AssessmentKind = fact("What led to it. Ch.5 §3", filter=True)
    state: AssessmentState = fact("Where it stands. Ch.5", filter=True)
    as_of: date = fact("The day the data was read for. Ch.5 §3", order=True)
    policy: Id = link("CreditPolicy", "The credit policy version it used. Ch.9", same_subject=False)
    policy_digest: str = fact("Digest of that version. Ch.9")
    card: str = fact("The scorecard used: EXISTING, NEW or INVOICE. Ch.5 §1", filter=True)
    outcome: AssessmentOutcome = fact("Whether the data was enough for a grade. Ch.5 §2", filter=True)
    score: int | None = fact("The score, 0 to 100 points. Ch.5 §1", default=None, order=True)
    grade: Grade | None = fact("The grade. Ch.5 §2", default=None, filter=True)
    tier: Tier | None = fact("The tier of the grade. Ch.6", default=None)
    calibration: Calibration = fact("What evidence the scorecard rests on. Ch.5 §1")
    completeness_bp: int = fact("Share of the card's points whose datum is present and fresh, basis points. Ch.3 §1")
    points: tuple[PointsLine, ...] = fact("Points per characteristic. Ch.5 §1", action=EXAMINE)
    reasons: tuple[Reason, ...] = fact("At most four reasons, the weightiest first. Ch.3 §3")
    next_grade: Grade | None = fact(
        "The next better grade; null for the best, and where no path can be told. Ch.3 §3", default=None
    )
    path: tuple[PathStep, ...] = fact(
        "The least that has to change for the next grade under the same rules; no promise. Ch.3 §3", default=()
    )
    path_barred_by: tuple[str, ...] = fact(
        "Codes of knock-outs and caps that bind whatever is changed: then the path is empty. Ch.3 §3", default=()
    )
    path_from: date | None = fact("The first day on which a review may raise the grade. Ch.5 §3", default=None)
    missing: tuple[str, ...] = fact("What to supply, where data was not enough. Ch.3 §1", default=())
    credit_limit: Money | None = fact("The recommended credit limit. Ch.5 §4", default=None)
    limit_bound_by: str | None = fact("Which cap bound the limit. Ch.5 §4", default=None)
    net_days: int | None = fact("Recommended terms: days net. Ch.5 §4", default=None)
    prepayment_bp: int | None = fact("Recommended share in advance, basis points. Ch.5 §4", default=None)
    security_required: bool = fact("Whether security is required first. Ch.6 §3", default=False)
    approver_level: str = fact("Who must approve: analyst, manager or committee. Ch.8 §1")
    review_due_on: date | None = fact("When the next review is due. Ch.5 §3", default=None)
    prepared_by: str = fact("Who prepared it. Ch.8 §1")
    approved_by: str | None = fact("Who approved it: another person. Ch.8 §1", default=None)
    inputs_digest: str = fact("Digest of the inputs; equal inputs give an equal receipt. Ch.5 §1")
    receipt_digest: str = fact("Digest of the decision receipt. Ch.5 §1")

    receipt = confidential(
        "financial.assessment_receipt",
        DataClass.FINANCIAL,
        str,
        "The decision receipt: inputs, points, limit steps; canonical JSON that replays to the byte. Ch.5 §1",
        bucket=64,
        action=EXAMINE,
    )
