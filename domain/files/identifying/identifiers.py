"""Identifiers that are found by their exact value: how each is written one way before it is compared (Ch.4 §1).

A blind index tells of equal values that they are equal, so it is for values that hardly two records share. What occurs
often gives itself away by how often it occurs: grades, words of a list, names, days and amounts have no index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.errors import Malformed
from domain.files import codes
from domain.files.identifying.masks import Mask

_ACKNOWLEDGED: Final = re.compile(r"ADR [0-9]{4}")
DISTINCT_PERCENT: Final = 80
"""Of all values of an index so many are different, unless its declaration says otherwise."""


def _email(text: str) -> str:
    # People write one mailbox in many ways; that two mailboxes differ in the case of a letter alone is unheard of.
    return codes.email(text).lower()


def _words(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _credit_code(text: str) -> str:
    return codes.unified_social_credit_code(text).code


@dataclass(frozen=True, slots=True)
class Normaliser:
    """One way of writing an identifier; a change is a new version, since every token is made of what this makes."""

    write: Callable[[str], str]
    unique: bool = True
    """Whether what it writes is an identifier, which hardly two records share."""


NORMALISERS: Final[Mapping[str, Normaliser]] = {
    "uscc/1": Normaliser(_credit_code),
    "phone/1": Normaliser(codes.phone),
    "email/1": Normaliser(_email),
    "account/1": Normaliser(codes.bank_account),
    "words/1": Normaliser(_words, unique=False),
}
"""Every normaliser by its name and version; one that made tokens stays as it was for as long as they are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """A field's declaration that it is found by its exact value, and how different its values are."""

    normaliser: str
    """Its name and version."""
    distinct_percent: int = DISTINCT_PERCENT
    """Of all values of one company at least so many are different; the check of the store compares."""
    leakage_ack: str = ""
    """The decision that accepts what an index of no near-unique identifier gives away, such as `ADR 0021`."""

    @property
    def version(self) -> int:
        """The version of the normaliser, which is part of every token."""
        return version_of(self.normaliser)


def normalised(normaliser: str, value: str) -> str:
    """A value as tokens are made of it.

    Chapter: 4.1.
    Shape:   idempotent.
    Raises:  Malformed when it is no identifier of that kind; the sentence never shows it.
    """
    return NORMALISERS[normaliser].write(value)


def version_of(normaliser: str) -> int:
    """The version of a normaliser.

    Chapter: 4.1.
    """
    return int(normaliser.partition("/")[2])


def check_index(tag: str, type_: type[Any], mask: Mask | None, index: Exact | None) -> None:
    """Refuses, while the declarations are loaded, an index whose tokens would give its values away.

    Chapter: 4.4.
    Raises:  TypeError saying what to do.
    """
    if index is None:
        return
    if type_ is not str:
        raise TypeError(f"{tag} is no identifier: days, amounts, numbers and flags have no blind index. Leave it out.")
    normaliser = NORMALISERS.get(index.normaliser)
    if normaliser is None:
        raise TypeError(f"{tag} names no normaliser: use one of {', '.join(NORMALISERS)}.")
    if not 1 <= index.distinct_percent <= 100:  # noqa: PLR2004 - per cent
        raise TypeError(f"{tag} declares how many of 100 values are different: 1 to 100.")
    if normaliser.unique and mask is not Mask.NAME:
        return
    if not _ACKNOWLEDGED.fullmatch(index.leakage_ack):
        raise TypeError(
            f"{tag} is no near-unique identifier: how often its tokens occur would give its values away. "
            "Leave the index out, or name the decision that accepts that as leakage_ack, such as ADR 0021."
        )


def refuse_words(tags: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    """Refuses an index of a text that is one of a few words.

    Chapter: 4.4.
    Raises:  TypeError.
    """
    for tag in words:
        if tags[tag].index is not None:
            raise TypeError(f"{tag} is one of a few words: its tokens would give it away. Leave the index out.")


def sought(field: Any, value: str) -> str:
    """What somebody searches for, written as the field's tokens are.

    Chapter: 4.1.
    Raises:  Malformed; TypeError for a field without an index.
    """
    if field.index is None:
        raise TypeError(f"{field.tag} declares no blind index.")
    try:
        return normalised(field.index.normaliser, value)
    except Malformed as error:
        error.path = (field.name,)
        raise
