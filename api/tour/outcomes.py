"""How grades and known outcomes compare: distribution, default rate per grade, ranking, each with its evidence.

Outcomes are read here, from their own columns, and by nothing that imports or assesses.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from domain import figures
from domain.assessment.scale import Grade
from domain.errors import Code, Malformed
from domain.figures import Interval, Verdict

YES = frozenset({"是", "yes", "y", "true", "1"})
NO = frozenset({"否", "no", "n", "false", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an assessment made of a customer; None where its data did not suffice."""

    grade: Grade | None
    score: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeCount:
    """How many customers have a grade; None stands for insufficient data."""

    grade: Grade | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeRate:
    """The default rate of a grade with its sample size and its 95 % interval."""

    grade: Grade
    count: int
    defaults: int
    rate: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Scores against known outcomes."""

    known: int
    """Customers whose outcome is known."""
    graded: int
    """Those of them that have a grade; the figures are about them."""
    defaults: int
    ungraded_defaults: int
    """Defaults among those without a grade: no figure speaks about them."""
    rates: tuple[GradeRate, ...]
    auc: float | None
    """The chance that one who pays scores higher than one who defaults; None where only one of both is there."""
    interval: Interval | None
    verdict: Verdict


def read_outcomes(path: Path, *, customer: str = "company", outcome: str = "default") -> dict[str, bool]:
    """Whether each customer of a file defaulted.

    Raises: Malformed when a column is missing or says neither yes nor no.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = {customer, outcome} - set(rows.fieldnames or ())
            if missing:
                raise Malformed(
                    "The file of outcomes has no column " + ", ".join(sorted(missing)) + ".", code=Code.MISSING_VALUE
                )
            return {row[customer]: _defaulted(row[outcome]) for row in rows}
    except (OSError, UnicodeDecodeError):
        raise Malformed("The file of outcomes cannot be read.", advice="Check its path; it is CSV in UTF-8.") from None


def _defaulted(text: str | None) -> bool:
    word = (text or "").strip().lower()
    if word not in YES | NO:
        raise Malformed("An outcome says neither yes nor no.", advice="Write 是 or 否, yes or no, 1 or 0.")
    return word in YES


def distribution(standings: Iterable[Standing]) -> tuple[GradeCount, ...]:
    """How many customers have each grade, the best first, those with insufficient data at the end."""
    counts = Counter(standing.grade for standing in standings)
    return tuple(GradeCount(grade=grade, count=counts[grade]) for grade in (*Grade, None))


def compare(standings: Mapping[str, Standing], outcomes: Mapping[str, bool]) -> Comparison:
    """What known outcomes say about the grades and scores of the same customers."""
    known = {reference: standings[reference] for reference in outcomes if reference in standings}
    graded = {reference: one for reference, one in known.items() if one.grade is not None and one.score is not None}
    counts, defaults = Counter[Grade](), Counter[Grade]()
    for reference, one in graded.items():
        if one.grade is not None:
            counts[one.grade] += 1
            defaults[one.grade] += outcomes[reference]
    scores = [one.score or 0 for one in graded.values()]
    ended = [outcomes[reference] for reference in graded]
    ranks = 0 < sum(ended) < len(ended)
    return Comparison(
        known=len(known),
        graded=len(graded),
        defaults=sum(ended),
        ungraded_defaults=sum(outcomes[reference] for reference in known) - sum(ended),
        rates=tuple(_rate(grade, defaults[grade], counts[grade]) for grade in Grade if counts[grade]),
        auc=figures.auc(scores, ended) if ranks else None,
        interval=figures.auc_interval(scores, ended) if ranks else None,
        verdict=figures.verdict(sum(ended)),
    )


def _rate(grade: Grade, defaults: int, count: int) -> GradeRate:
    return GradeRate(
        grade=grade,
        count=count,
        defaults=defaults,
        rate=defaults / count,
        interval=figures.jeffreys_interval(defaults, count),
    )
