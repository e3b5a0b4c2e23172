"""The right value of a sealed field as it is entered: as text, amount or day, whichever the field holds (Ch.3 §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from domain.errors import Code, Malformed
from domain.files.codes import required_text
from domain.files.forbidden import category_of
from domain.files.history import (
    DefaultEvent,
    DefaultKind,
    ExternalRating,
    LitigationRecord,
    LitigationSeverity,
    PublicSanction,
    RatingBand,
    SanctionKind,
    SanctionMatch,
    SanctionSeverity,
)
from domain.files.identifying.identifiers import refuse_words
from domain.money import Money
from domain.records import TAGS, Confidential

WORDS: dict[str, type[Enum]] = {
    DefaultEvent.default_kind.tag: DefaultKind,
    LitigationRecord.severity.tag: LitigationSeverity,
    PublicSanction.sanction_kind.tag: SanctionKind,
    PublicSanction.sanction_severity.tag: SanctionSeverity,
    PublicSanction.sanction_match.tag: SanctionMatch,
    ExternalRating.rating_band.tag: RatingBand,
}
"""Sealed texts that are one of a few words."""
refuse_words(TAGS, WORDS)
MAY_LACK = frozenset(
    {
        DefaultEvent.default_ended.tag,
        LitigationRecord.claim.tag,
        PublicSanction.publish_until.tag,
        PublicSanction.repaired_on.tag,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCorrection:
    """The right value of one sealed field, as text, amount or day, whichever the field holds."""

    field: str
    """The field's tag, such as litigation.court. Ch.4 §4"""
    text: str | None = None
    """The right text. Ch.4 §2"""
    amount: Money | None = None
    """The right amount. Ch.4 §2"""
    day: date | None = None
    """The right day. Ch.4 §2"""


def unknown_field(tag: str, known: Any, path: tuple[str, ...]) -> Malformed:
    """Why a tag is refused: it is not one of the record's, is named twice, or is of what is never collected.

    Chapter: 3.3, 4.3.
    """
    category = category_of(tag)
    if category:
        return Malformed(
            f"A field of the category {category.words} is not collected.",
            code=Code.FORBIDDEN_CATEGORY,
            advice="Leave it out.",
            path=path,
        )
    names = ", ".join(sorted(known)) or "none"
    return Malformed(
        "The field is not one of this record that can be corrected so, or is named twice.",
        advice=f"Name each field once, out of: {names}.",
        path=path,
    )


def right_value(field: Confidential[Any], correction: SealedCorrection, path: tuple[str, ...]) -> Any:
    """The right value, when it is of the field's kind and, where the field holds one of a few words, one of those.

    Chapter: 3.3, 4.2.
    Raises:  Malformed, with the path and never the value.
    """
    given = {"text": correction.text, "amount": correction.amount, "day": correction.day}
    wanted = {str: "text", Money: "amount", date: "day"}[field.type]
    if {name for name, value in given.items() if value is not None} != {wanted}:
        raise Malformed(
            f"The field {field.tag} holds one {wanted}.",
            advice=f"Send {wanted}, and neither of the other two.",
            path=path,
        )
    if field.type is not str:
        return given[wanted]
    try:
        text = required_text(correction.text or "", "text")
    except Malformed as error:
        error.path = (*path, "text")
        raise
    words = [word.value for word in WORDS[field.tag]] if field.tag in WORDS else []
    if words and text not in words:
        raise Malformed(
            f"The field {field.tag} holds one of its own words.",
            advice="Send one of " + ", ".join(words) + ".",
            path=(*path, "text"),
        )
    return text
