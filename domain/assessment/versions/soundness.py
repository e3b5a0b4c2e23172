"""What makes the document of a credit policy sound: no gap, no overlap, no wrong order, nothing unknown (Ch.9).

Every problem names its exact place, by keys and indexes from the root of the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple, cast

from domain.assessment.policy import FULL_BP, CapKind, PolicyDocument
from domain.assessment.scale import Grade, Tier
from domain.assessment.scorecard import EXISTING, INVOICE, NEW, WHOLE, Problem, Unit, card_problems
from domain.assessment.version_one import VERSION_ONE
from domain.money import EXPONENTS

MAX_WORDS: Final = 500
"""Characters of one text in a document."""
_AT_MOST: Final = (("_months", 1_200), ("_days", 36_500), ("_hours", 8_760), ("_notches", 7), ("_bp", 1_000_000))
"""The largest number under a key with this ending: no date runs over, and no share means more than a hundredfold."""
_RISKS: Final = ("LOW", "MIDDLE", "HIGH")

Path = tuple[str, ...]


class Known(NamedTuple):
    """A characteristic the product works out from the data on file."""

    unit: Unit
    names: frozenset[str]
    """The labels its value can have."""
    inputs: frozenset[str]
    """The data it is computed from."""


@cache
def known_characteristics() -> Mapping[str, Mapping[str, Known]]:
    """What each scorecard can ask for, by the card's code and the characteristic's.

    Chapter: 5.1.
    """
    return {
        card.code: {
            item.code: Known(
                item.unit, frozenset(name for band in item.bands for name in band.names), frozenset(item.inputs)
            )
            for item in card.characteristics
        }
        for card in VERSION_ONE.scorecards
    }


def problems(policy: PolicyDocument) -> tuple[Problem, ...]:
    """Every reason why a policy cannot be approved, in its order.

    Chapter: 5.1, 5.2, 5.4, 9.
    Shape:   with none, a better grade never gets a lower limit, shorter terms or more prepayment than a worse one.
    """
    return (
        *_values(cast("Mapping[str, object]", policy.to_json()), ()),
        *(found for index, card in enumerate(policy.scorecards) for found in card_problems(card, _card(index))),
        *_unknown(policy),
        *_scale(policy),
        *_lines(policy),
        *_cards(policy),
        *_caps(policy),
        *_codes(policy),
        *_orders(policy),
    )


def _card(index: int) -> Path:
    return ("scorecards", str(index))


def _values(value: object, path: Path) -> Iterator[Problem]:
    """Numbers below zero or beyond all use, and texts that say nothing; the edges of bands are texts of their own."""
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[str, object]", value).items():
            yield from _values(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from _values(item, (*path, str(index)))
    elif isinstance(value, bool):
        return
    elif isinstance(value, int):
        most = next((most for key in reversed(path) for ending, most in _AT_MOST if key.endswith(ending)), None)
        if value < 0:
            yield Problem(path, "No number here is below zero.")
        elif most is not None and value > most:
            yield Problem(path, f"At most {most:,}.")
    elif isinstance(value, str) and (not value.strip() or len(value) > MAX_WORDS or not value.isprintable()):
        yield Problem(path, f"A text has 1 to {MAX_WORDS} printable characters.")


def _unknown(policy: PolicyDocument) -> Iterator[Problem]:
    """What the product does not work out, or works out otherwise: it would never be on file, or find no band."""
    for index, card in enumerate(policy.scorecards):
        known = known_characteristics().get(card.code)
        if known is None:
            yield Problem((*_card(index), "code"), f"There are the scorecards {EXISTING}, {NEW} and {INVOICE}.")
            continue
        for place, item in enumerate(card.characteristics):
            where, one = (*_card(index), "characteristics", str(place)), known.get(item.code)
            if one is None:
                yield Problem((*where, "code"), "The product knows no such characteristic for this scorecard.")
                continue
            if item.unit is not one.unit:
                yield Problem((*where, "unit"), f"This characteristic is counted in {one.unit.value}.")
            names = {name for band in item.bands for name in band.names}
            for name in sorted(one.names - names):
                yield Problem((*where, "bands"), f"No band holds {name}, which the value can be.")
            for row, band in enumerate(item.bands):
                for column, name in enumerate(band.names):
                    if name not in one.names:
                        says = "The value of this characteristic is never this label."
                        yield Problem((*where, "bands", str(row), "names", str(column)), says)
            for row, name in enumerate(item.inputs):
                if name not in one.inputs:
                    yield Problem((*where, "inputs", str(row)), "This characteristic is not computed from that.")


def _scale(policy: PolicyDocument) -> Iterator[Problem]:
    scale = policy.grade_scale
    if [band.grade for band in scale] != list(Grade):
        wrong = next(
            (i for i, (band, grade) in enumerate(zip(scale, Grade, strict=False)) if band.grade != grade), None
        )
        place = ("grade_scale",) if wrong is None else ("grade_scale", str(wrong), "grade")
        yield Problem(place, "Each grade stands once, the best first.")
    if not scale:
        return
    says = "Floors fall from grade to grade down to 0; the last grade has none."
    for index, band in enumerate(scale):
        before, place = scale[index - 1].floor if index else WHOLE + 1, ("grade_scale", str(index), "floor")
        if index == len(scale) - 1:
            if band.floor is not None:
                yield Problem(place, says)
        elif (
            band.floor is None
            or (before is not None and band.floor >= before)
            or (index == len(scale) - 2 and band.floor != 0)
        ):
            yield Problem(place, says)
    for index, (left, right) in enumerate(pairwise(scale), start=1):
        if list(Tier).index(left.tier) > list(Tier).index(right.tier):
            yield Problem(("grade_scale", str(index), "tier"), "A worse grade is never in a better tier.")


def _lines(policy: PolicyDocument) -> Iterator[Problem]:
    tables: Mapping[str, Mapping[Grade, object]] = {
        "limit_rules.factors_bp": policy.limit_rules.factors_bp,
        "terms_rules.grades": policy.terms_rules.grades,
        "review_rules.cycle_months": policy.review_rules.cycle_months,
        "delegation.levels": policy.delegation.levels,
    }
    for name, table in tables.items():
        for grade in Grade:
            if grade not in table:
                yield Problem((*name.split("."), grade.value), "Each grade has its line.")
    for grade, months in policy.review_rules.cycle_months.items():
        if months == 0:
            yield Problem(("review_rules", "cycle_months", grade.value), "A review is due after a month or more.")


def _cards(policy: PolicyDocument) -> Iterator[Problem]:
    codes = [card.code for card in policy.scorecards]
    for index in _twice(codes):
        yield Problem((*_card(index), "code"), "Each scorecard has a code of its own.")
    for code in (EXISTING, NEW, INVOICE):
        if code not in codes:
            yield Problem(("scorecards",), f"The scorecard {code} is missing.")
    for index, card in enumerate(policy.scorecards):
        if card.insufficient_below_bp > FULL_BP:
            yield Problem((*_card(index), "insufficient_below_bp"), "A completeness is at most 10,000 basis points.")


def _caps(policy: PolicyDocument) -> Iterator[Problem]:
    known = {card.code for card in policy.scorecards}
    for index, cap in enumerate(policy.caps):
        where = ("caps", str(index))
        if (cap.kind is CapKind.CARD) is not bool(cap.cards) or not set(cap.cards) <= known:
            yield Problem((*where, "cards"), "A cap names scorecards of the policy where it looks at them.")
        if (cap.kind is CapKind.CARD) is not (cap.threshold_bp is None):
            yield Problem((*where, "threshold_bp"), "A cap on a share has a threshold.")


def _codes(policy: PolicyDocument) -> Iterator[Problem]:
    """What stands twice, and knock-outs and industries that are not known."""
    lists: Mapping[tuple[str, str], Sequence[object]] = {
        ("caps", "code"): [cap.code for cap in policy.caps],
        ("knock_outs", "code"): [rule.code for rule in policy.knock_outs],
        ("limit_rules.haircuts", "kind"): [rule.kind for rule in policy.limit_rules.haircuts],
    }
    for (name, key), values in lists.items():
        for index in _twice(values):
            yield Problem((*name.split("."), str(index), key), "It stands here for the second time.")
    known = {rule.code for rule in VERSION_ONE.knock_outs}
    for index, rule in enumerate(policy.knock_outs):
        if rule.code not in known:
            yield Problem(("knock_outs", str(index), "code"), f"There are the knock-outs {', '.join(sorted(known))}.")
    for index, haircut in enumerate(policy.limit_rules.haircuts):
        if haircut.factor_bp > FULL_BP:
            yield Problem(
                ("limit_rules", "haircuts", str(index), "factor_bp"), "A security counts for no more than it is worth."
            )
    for section, risk in policy.industry_risk.items():
        if risk not in _RISKS:
            yield Problem(("industry_risk", section), "The risk of an industry is LOW, MIDDLE or HIGH.")


def _orders(policy: PolicyDocument) -> Iterator[Problem]:
    """What has to rise or fall from grade to grade, and from level to level."""
    factors, terms = policy.limit_rules.factors_bp, policy.terms_rules.grades
    for left, right in pairwise(Grade):
        if factors.get(left, 0) < factors.get(right, 0):
            yield Problem(("limit_rules", "factors_bp", right.value), "A worse grade never has a larger factor.")
        if left not in terms or right not in terms:
            continue
        where, better, worse = ("terms_rules", "grades", right.value), terms[left], terms[right]
        if better.net_days < worse.net_days:
            yield Problem((*where, "net_days"), "A worse grade never has longer terms.")
        if better.prepayment_bp > worse.prepayment_bp:
            yield Problem((*where, "prepayment_bp"), "A worse grade never pays a smaller share in advance.")
    shares: dict[Path, int] = {
        ("terms_rules", "grades", grade.value): line.prepayment_bp for grade, line in terms.items()
    }
    shares["terms_rules", "ungraded"] = policy.terms_rules.ungraded.prepayment_bp
    for place, share in shares.items():
        if not 0 <= share <= FULL_BP:
            says = "A share in advance lies between 0 and 10,000 basis points."
            yield Problem((*place, "prepayment_bp"), says)
    for index, (lower, higher) in enumerate(pairwise(policy.delegation.ceilings), start=1):
        if lower.level.rank >= higher.level.rank or lower.minor >= higher.minor:
            yield Problem(("delegation", "ceilings", str(index)), "Ceilings rise with the level.")
    if policy.currency not in EXPONENTS:
        yield Problem(("currency",), "The currency is not known.")
    if policy.limit_rules.rounding_minor <= 0:
        yield Problem(("limit_rules", "rounding_minor"), "Limits are rounded down to a step above zero.")


def _twice(values: Sequence[object]) -> list[int]:
    """The places of values that stood before."""
    return [index for index, value in enumerate(values) if value in values[:index]]
