"""What a partner can ask to have attested: a closed list of predicates with a version, as data (Ch.4 §4).

A predicate asks whether a fact passes a threshold. Who may ask many thresholds finds the fact by halving, so that of
each predicate only so many different ones are answered about a customer in a while; asking one again tells nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from domain.assessment.scale import Grade
from domain.errors import Malformed
from domain.files.parties import CreditFile
from domain.records import TAGS, DataClass

VERSION: Final = 1
"""The version of this list: what a predicate means never changes under one number."""
PERIOD_DAYS: Final = 30
"""For so long a threshold that was answered counts."""
MAX_SCORE: Final = 100
MAX_DAYS: Final = 3_660

DISCLOSABLE = {field.tag: field for field in CreditFile.shape.confidential.values()}
"""What can be disclosed itself: the confidential fields of a file, by tag. Contacts are persons of their own."""
ATTESTABLE: Final[Mapping[str, DataClass]] = {
    "standing.grade": DataClass.RATING,
    "standing.score": DataClass.RATING,
    "transactions.overdue": DataClass.TRANSACTIONS,
}
"""What a consent can name besides: facts that are attested and never disclosed, each with its class of data."""
CONSENTABLE: Final = (*DISCLOSABLE, *ATTESTABLE)
"""Everything a consent can name."""


def class_of(tag: str) -> DataClass:
    """The class of data of what a consent names.

    Chapter: 4.4.
    """
    return ATTESTABLE[tag] if tag in ATTESTABLE else TAGS[tag].data_class


class PredicateCode(Enum):
    """What can be asked of a fact; the answer is yes or no."""

    GRADE_AT_LEAST = "GRADE_AT_LEAST"
    """Whether the grade in force is at least that of the threshold, such as A."""
    SCORE_AT_LEAST = "SCORE_AT_LEAST"
    """Whether the score in force is at least the threshold, 0 to 100 points."""
    NO_OVERDUE_BEYOND = "NO_OVERDUE_BEYOND"
    """Whether no undisputed receivable of the days looked back over was, or is, overdue for more days than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """One predicate: the fact it is about, the thresholds it takes, and how many of them are answered in a while."""

    code: PredicateCode
    tag: str
    """What the consent has to name."""
    thresholds: int
    """How many different thresholds are answered about a customer in 30 days."""
    looks_back: bool
    """Whether it is asked over some days back; the consent has to reach as far."""
    read: Callable[[str], str]
    """The threshold in its one spelling; ValueError for what is none."""
    takes: str
    """What a threshold is, in words."""


def _grade(text: str) -> str:
    return Grade(text).value


def _whole(most: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not (text.isascii() and text.isdigit()) or str(int(text)) != text or int(text) > most:
            raise ValueError(text)
        return text

    return read


PREDICATES: Final[Mapping[PredicateCode, Predicate]] = {
    one.code: one
    for one in (
        Predicate(
            code=PredicateCode.GRADE_AT_LEAST,
            tag="standing.grade",
            thresholds=2,
            looks_back=False,
            read=_grade,
            takes="a grade: " + ", ".join(grade.value for grade in Grade),
        ),
        Predicate(
            code=PredicateCode.SCORE_AT_LEAST,
            tag="standing.score",
            thresholds=3,
            looks_back=False,
            read=_whole(MAX_SCORE),
            takes=f"points, 0 to {MAX_SCORE}",
        ),
        Predicate(
            code=PredicateCode.NO_OVERDUE_BEYOND,
            tag="transactions.overdue",
            thresholds=2,
            looks_back=True,
            read=_whole(MAX_DAYS),
            takes=f"days, 0 to {MAX_DAYS}",
        ),
    )
}


def threshold_of(predicate: Predicate, text: str, days_back: int | None) -> str:
    """The threshold in its one spelling, with the days looked back over where it is asked over some.

    Chapter: 4.4.
    Raises:  Malformed; what was sent is not repeated.
    """
    if predicate.looks_back != (days_back is not None) or not 1 <= (1 if days_back is None else days_back) <= MAX_DAYS:
        raise Malformed(
            f"{predicate.code.value} is asked over 1 to {MAX_DAYS} days back."
            if predicate.looks_back
            else f"{predicate.code.value} is asked of what is in force now.",
            advice="Send daysBack." if predicate.looks_back else "Leave daysBack out.",
            path=("daysBack",),
        )
    try:
        read = predicate.read(text)
    except ValueError:
        raise Malformed(
            "This is no threshold of the predicate.", advice=f"Send {predicate.takes}.", path=("threshold",)
        ) from None
    return read if days_back is None else f"{read}/{days_back}"
