"""What a statement says of a customer's standing: the values of its claims, and ready-made answers (Ch.3 §3, Ch.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from domain.assessment.assessments import Assessment, CreditPolicy
from domain.assessment.scale import Grade
from domain.files.parties import CreditFile
from domain.statements.statements import StatementClaim

BAND: Final = 10
"""How many points a band of scores has; the last one holds 100 too."""
AT_LEAST: Final = "grade_at_least_"
ASKED: Final = tuple(grade for grade in Grade if grade is not Grade.D)
"""What can be asked of a grade; every grade is at least D."""
CODE: Final = "unified_social_credit_code"
ROOM: Final = 24
"""As many digests has every statement: how many of them stand for something tells nothing of what was chosen."""


def standing_claims(
    chosen: Sequence[StatementClaim], file: CreditFile, assessment: Assessment, policy: CreditPolicy
) -> dict[str, Any]:
    """The claims of a statement by their names, all of them to be hidden; what they rest on is always among them.

    Chapter: 3.3, 5.2, 9.
    """
    always = {
        "as_of": assessment.as_of.isoformat(),
        "valid_until": assessment.review_due_on.isoformat() if assessment.review_due_on else None,
        "credit_policy": policy.number,
        "scorecard": assessment.card,
        "calibration": assessment.calibration.value,
    }
    made = [_CLAIMS[claim](file, assessment) for claim in chosen if claim in _CLAIMS]
    return {name: value for part in (*made, always) for name, value in part.items()}


def names_of(chosen: Sequence[StatementClaim]) -> tuple[str, ...]:
    """The chosen claims as audit entries name them: what they are, never what they say.

    Chapter: 3.3, 8.1.
    """
    return tuple(f"credit_statement.{claim.value.lower()}" for claim in chosen)


def score_band(score: int) -> str:
    """The ten points a score lies in, such as `70-79`.

    Chapter: 5.1.
    Shape:   total on 0..100; never falls as the score rises.
    """
    low = min(score // BAND * BAND, 100 - BAND)
    return f"{low}-{100 if low == 100 - BAND else low + BAND - 1}"


def _grade(_: CreditFile, assessment: Assessment) -> Mapping[str, Any]:
    return {"grade": assessment.grade.value if assessment.grade else None}


def _tier(_: CreditFile, assessment: Assessment) -> Mapping[str, Any]:
    return {"tier": assessment.tier.value if assessment.tier else None}


def _band(_: CreditFile, assessment: Assessment) -> Mapping[str, Any]:
    return {"score_band": None if assessment.score is None else score_band(assessment.score)}


def _at_least(_: CreditFile, assessment: Assessment) -> Mapping[str, Any]:
    own = assessment.grade or Grade.D
    return {AT_LEAST + asked.value: own.rank <= asked.rank for asked in ASKED}


def _name(file: CreditFile, _: Assessment) -> Mapping[str, Any]:
    return {"name": file.name}


_CLAIMS: Final[Mapping[StatementClaim, Callable[[CreditFile, Assessment], Mapping[str, Any]]]] = {
    StatementClaim.NAME: _name,
    StatementClaim.GRADE: _grade,
    StatementClaim.TIER: _tier,
    StatementClaim.SCORE_BAND: _band,
    StatementClaim.GRADE_AT_LEAST: _at_least,
}
"""What is worked out from what is on file in clear; a sealed value is put in once it is opened."""
