"""A scorecard gives a hundred points over characteristics; each earns what its band says (Ch.5 §1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

EXISTING = "EXISTING"
"""The scorecard of customers with a history of trade with the company."""
NEW = "NEW"
"""The scorecard of new customers."""
INVOICE = "INVOICE"
"""The scorecard of firms known by their VAT invoices alone."""


class Unit(Enum):
    """What the value of a characteristic counts; it also says how a value is shown."""

    DAYS = "DAYS"
    BASIS_POINTS = "BASIS_POINTS"
    COUNT = "COUNT"
    RATIO = "RATIO"
    YEARS = "YEARS"
    MONTHS = "MONTHS"
    MINOR = "MINOR"
    """Minor units of the policy's currency."""
    LABEL = "LABEL"
    """One of the names its bands list."""


class Origin(Enum):
    """Where a datum comes from; it decides how a reason is explained (Ch.3 §3)."""

    OWN = "OWN"
    """From the customer or from trade with it: the value may be shown to it."""
    THIRD = "THIRD"
    """From a third party: the source is named, never its content."""
    INTERNAL = "INTERNAL"
    """From the company's own judgment: only the characteristic is named."""


class Effort(Enum):
    """What it takes to move a characteristic by one band."""

    ONE = "ONE"
    TWO = "TWO"
    THREE = "THREE"
    AGES_OUT = "AGES_OUT"
    """It improves by time alone."""
    ASK_SOURCE = "ASK_SOURCE"
    """Its source may correct it."""
    NONE = "NONE"
    """It is never proposed to the customer."""


class Comparison(Enum):
    """On which side of its edge a band lies; ≤ and ≥ include the edge."""

    AT_MOST = "AT_MOST"
    BELOW = "BELOW"
    AT_LEAST = "AT_LEAST"
    ABOVE = "ABOVE"

    def holds(self, value: Decimal, edge: Decimal) -> bool:
        """Whether a value lies on this side of the edge.

        Chapter: 5.1.
        """
        match self:
            case Comparison.AT_MOST:
                return value <= edge
            case Comparison.BELOW:
                return value < edge
            case Comparison.AT_LEAST:
                return value >= edge
            case Comparison.ABOVE:
                return value > edge

    @property
    def lower_is_better(self) -> bool:
        """Whether bands that use it, best first, run upward."""
        return self in {Comparison.AT_MOST, Comparison.BELOW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What a part of a characteristic's line, and the labels that belong with it, earn."""

    label: str
    points: int
    comparison: Comparison | None = None
    edge: Decimal | None = None
    """None in the last band of a line, which takes all that is left, and in bands of labels alone."""
    names: tuple[str, ...] = ()
    """Labels that fall in this band, such as NET_WORTH_NOT_POSITIVE."""

    def holds(self, value: Decimal | str) -> bool:
        """Whether a value falls in this band, when no better band took it.

        Chapter: 5.1.
        """
        if isinstance(value, str):
            return value in self.names
        if self.edge is None or self.comparison is None:
            return True
        return self.comparison.holds(value, self.edge)


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristic:
    """One question of a scorecard: its bands, best first, and the points of a missing datum."""

    code: str
    name: str
    term: str
    """The Chinese term of art."""
    unit: Unit
    origin: Origin
    maximum: int
    missing: int | None
    """Points when the datum is absent or stale; None when it cannot be absent."""
    effort: Effort
    bands: tuple[Band, ...]
    inputs: tuple[str, ...]
    """The data it is computed from, by name; refused categories are looked for here too."""
    written_consent: bool = False
    """Whether, about a natural person, it scores only with notice and written consent."""

    def band(self, value: Decimal | str) -> Band | None:
        """The band a value falls in; None for a label it does not know.

        Chapter: 5.1.
        Shape:   total on numbers; points never rise as a number worsens.
        """
        if isinstance(value, str) or self.unit is not Unit.LABEL:
            return next((band for band in self.bands if band.holds(value)), None)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """How much of a datum a scorecard needs before it says anything."""

    code: str
    at_least: int
    says: str


class CardOrigin(Enum):
    """How the points of a scorecard were found."""

    EXPERT = "EXPERT"
    FITTED = "FITTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """A hundred points over characteristics (Ch.5 §1)."""

    code: str
    name: str
    origin: CardOrigin
    characteristics: tuple[Characteristic, ...]
    minimums: tuple[Minimum, ...]
    insufficient_below_bp: int
    """Completeness under which there is no grade."""
    starter_limit: bool
    """Whether the limit is at most one month's billing."""


class Problem(NamedTuple):
    """Why a document cannot be approved: where, by keys and indexes from its root, and what is wrong."""

    path: tuple[str, ...]
    says: str
    forbidden: bool = False
    """Whether it names a category of data that must not be used."""


WHOLE = 100
"""The maxima of a scorecard add up to it."""

# fmt: off
REFUSED = (
    "religion", "religious", "gene", "genes", "genetic", "fingerprint", "fingerprints", "blood", "illness", "disease",
    "diseases", "health", "sex", "gender", "marital", "married", "age", "nationality", "ethnicity", "foreign worker",
    "worker status", "宗教", "基因", "指纹", "血型", "疾病", "病史", "性别", "婚姻", "年龄", "国籍", "民族",
)
"""Words of categories that no scorecard may use, about anybody (Ch.4 §3)."""

CONSENT_ONLY = (
    "income", "deposits", "securities", "insurance", "property", "tax", "taxes",
    "收入", "存款", "证券", "保险", "不动产", "纳税",
)
"""Words of categories that score a natural person only with notice and written consent."""
# fmt: on

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[a-z]+")


def card_problems(card: Scorecard, path: tuple[str, ...]) -> Iterator[Problem]:
    """Every reason why a scorecard cannot be approved.

    Chapter: 4.3, 5.1.
    Shape:   none exactly when the maxima add up to 100, every line is covered once, points never rise as a
             characteristic worsens, a missing datum earns at most half, and no refused category is named.
    """
    items = (*path, "characteristics")
    if sum(item.maximum for item in card.characteristics) != WHOLE:
        yield Problem(items, "The maxima of a scorecard add up to 100.")
    seen = set[str]()
    for index, item in enumerate(card.characteristics):
        where = (*items, str(index))
        if item.code in seen:
            yield Problem((*where, "code"), "Each characteristic stands once in a scorecard.")
        seen.add(item.code)
        yield from _points_problems(item, where)
        yield from _line_problems(item, where)
        yield from _category_problems(item, where)


def refused_words(text: str) -> tuple[str, ...]:
    """The words of a text that name a category no scorecard may use.

    Chapter: 4.3.
    """
    return _named(text, REFUSED)


def _points_problems(item: Characteristic, path: tuple[str, ...]) -> Iterator[Problem]:
    if not item.bands:
        yield Problem((*path, "bands"), "A characteristic has bands.")
        return
    points = [band.points for band in item.bands]
    if points[0] != item.maximum or item.maximum <= 0:
        yield Problem((*path, "bands", "0", "points"), "The best band earns the maximum, which is above zero.")
    for index, (earlier, later) in enumerate(pairwise(points), start=1):
        if later > earlier:
            yield Problem((*path, "bands", str(index), "points"), "Points never rise as a characteristic worsens.")
    for index, earned in enumerate(points):
        if earned < 0:
            yield Problem((*path, "bands", str(index), "points"), "Points are never below zero.")
    if item.missing is not None and not 0 <= 2 * item.missing <= item.maximum:
        yield Problem((*path, "missing"), "A missing datum earns at most half the maximum.")


def _line_problems(item: Characteristic, path: tuple[str, ...]) -> Iterator[Problem]:
    seen = set[str]()
    for index, band in enumerate(item.bands):
        where = (*path, "bands", str(index))
        for place, name in enumerate(band.names):
            if name in seen or not name[:1].isalpha():
                says = "Each label belongs to one band, and begins with a letter."
                yield Problem((*where, "names", str(place)), says)
            seen.add(name)
        if (band.edge is None) is not (band.comparison is None):
            yield Problem((*where, "edge"), "A band has an edge and a side of it, or neither.")
        elif item.unit is Unit.LABEL and (band.edge is not None or not band.names):
            yield Problem(where, "Each band of a labelled characteristic lists labels and has no edge.")
    if item.unit is not Unit.LABEL:
        yield from _gaps(item.bands, path)


def _gaps(bands: tuple[Band, ...], path: tuple[str, ...]) -> Iterator[Problem]:
    """Where the bands leave a gap, overlap or run the other way."""
    for index, band in enumerate(bands):
        where, last = (*path, "bands", str(index)), index == len(bands) - 1
        if last and band.edge is not None:
            yield Problem((*where, "edge"), "The last band takes all that is left, and has no edge.")
        if last:
            return
        if band.edge is None or band.comparison is None:
            yield Problem((*where, "edge"), "Only the last band has no edge.")
            continue
        before = bands[index - 1] if index else None
        if before is None or before.edge is None or before.comparison is None:
            continue
        if band.comparison.lower_is_better is not before.comparison.lower_is_better:
            yield Problem((*where, "comparison"), "Bands run one way, from the best.")
        elif (before.edge < band.edge) is not band.comparison.lower_is_better or before.edge == band.edge:
            yield Problem((*where, "edge"), "Bands run one way, from the best, and none lies inside another.")


def _category_problems(item: Characteristic, path: tuple[str, ...]) -> Iterator[Problem]:
    places = (("code", item.code), ("name", item.name), ("term", item.term))
    inputs = ((f"inputs/{index}", text) for index, text in enumerate(item.inputs))
    for place, text in (*places, *inputs):
        where = (*path, *place.split("/"))
        if refused := refused_words(text):
            says = "A scorecard never uses this category: " + ", ".join(refused) + "."
            yield Problem(where, says, forbidden=True)
        if not item.written_consent and (guarded := _named(text, CONSENT_ONLY)):
            yield Problem(where, "This category needs written consent: " + ", ".join(guarded) + ".", forbidden=True)


def _named(text: str, category: tuple[str, ...]) -> tuple[str, ...]:
    """Latin words match whole, so that ageing is not age; Chinese ones match anywhere."""
    words = f" {' '.join(_WORD.findall(_CAMEL.sub(' ', text).lower()))} "
    return tuple(word for word in category if (f" {word} " in words if word.isascii() else word in text))
