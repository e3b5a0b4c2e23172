"""Figures say how well scores rank and whether default rates agree with what was assumed (Ch.5 §1).

Statistics, not points or money: floats are allowed here. Counts stay whole numbers until the last step, so the
same book gives the same figure on every machine up to the last rounding. Every figure stands beside its N, its
defaults and its verdict: too little evidence is an answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from statistics import NormalDist
from typing import Final, NamedTuple

from domain.errors import Malformed

INDICATIVE_FROM: Final = 10
VERDICT_FROM: Final = 50
_TAIL: Final = 0.025
_Z: Final = NormalDist().inv_cdf(1 - _TAIL)
_HALF: Final = 0.5
_TINY: Final = 1e-300
_EPSILON: Final = 2.0**-52


class Verdict(Enum):
    """How much the number of defaults lets a figure say."""

    NOT_ENOUGH_DEFAULTS = "NOT_ENOUGH_DEFAULTS"
    """Fewer than 10: no verdict."""
    INDICATIVE = "INDICATIVE"
    """10 to 49: a direction, no proof."""
    VERDICT = "VERDICT"
    """50 or more."""


class Interval(NamedTuple):
    """The bounds of a 95 % interval."""

    low: float
    high: float


def verdict(defaults: int) -> Verdict:
    """How much a figure over so many defaults may say.

    Chapter: 5.1.
    Shape:   never weaker as the defaults grow.
    """
    if defaults < INDICATIVE_FROM:
        return Verdict.NOT_ENOUGH_DEFAULTS
    return Verdict.INDICATIVE if defaults < VERDICT_FROM else Verdict.VERDICT


class _Tied(NamedTuple):
    """The customers of one score, and how many others have a lower one."""

    good: int
    bad: int
    good_below: int
    bad_below: int


def auc(scores: Sequence[float], defaults: Sequence[bool]) -> float:
    """The chance that a customer who pays has a higher score than one who defaults; ties count one half.

    Chapter: 5.1.
    Units:   0..1; Gini is 2 AUC − 1.
    Shape:   unchanged by any increasing map of the scores; 1 − AUC when the scores are turned round.
    Raises:  Malformed without both a default and a customer who pays, or when a score is not a number.
    """
    tied, good, bad = _ranked(scores, defaults)
    return float(Fraction(_twice_wins(tied), 2 * good * bad))


def auc_interval(scores: Sequence[float], defaults: Sequence[bool]) -> Interval:
    """The 95 % interval of the AUC by DeLong's method, cut to 0..1.

    With a single default or a single customer who pays nothing can be said: 0..1. A perfect ranking has no spread
    and so no width: read it with the verdict.

    Chapter: 5.1.
    Shape:   holds the AUC; the time grows with n log n.
    Raises:  Malformed, as `auc` does.
    """
    tied, good, bad = _ranked(scores, defaults)
    if min(good, bad) == 1:
        return Interval(0.0, 1.0)
    # Twice the share of the other side that each customer beats, kept whole: ties count 1 of 2.
    wins = _twice_wins(tied)
    of_good = sum(t.good * (2 * t.bad_below + t.bad) ** 2 for t in tied)
    of_bad = sum(t.bad * (2 * (good - t.good_below) - t.good) ** 2 for t in tied)
    variance = _variance_of_mean(of_good, wins, good, 2 * bad) + _variance_of_mean(of_bad, wins, bad, 2 * good)
    middle, reach = wins / (2 * good * bad), _Z * math.sqrt(variance)
    return Interval(max(0.0, middle - reach), min(1.0, middle + reach))


def jeffreys_p(pd: float, defaults: int, n: int) -> float:
    """The Jeffreys test of an assigned default probability: BetaCDF(PD; D + ½, N − D + ½).

    A small value says the assigned probability is too low.

    Chapter: 5.1.
    Units:   probabilities 0..1.
    Shape:   never falls as the PD rises, never rises as the defaults grow, up to the last rounding.
    Raises:  Malformed when the counts or the PD are impossible.
    """
    _counted(defaults, n)
    if not 0 <= pd <= 1:
        raise Malformed("A default probability lies between 0 and 1.")
    return beta_cdf(pd, defaults + _HALF, n - defaults + _HALF)


def jeffreys_interval(defaults: int, n: int) -> Interval:
    """The 95 % interval of a default rate that agrees with the Jeffreys test; 0 and 1 are bounds where D is 0 or N.

    Chapter: 5.1.
    Shape:   holds D ÷ N; both bounds rise with the defaults.
    Raises:  Malformed when the counts are impossible.
    """
    _counted(defaults, n)
    a, b = defaults + _HALF, n - defaults + _HALF
    low = _beta_quantile(_TAIL, a, b) if defaults else 0.0
    high = _beta_quantile(1 - _TAIL, a, b) if defaults < n else 1.0
    return Interval(low, high)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction.

    Chapter: 5.1.
    Shape:   0 at 0, 1 at 1, never falls as x rises; I_x(a, b) = 1 − I_{1−x}(b, a).
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x),
    )
    # The fraction converges fast on the near side of the mean; the far side is its mirror.
    if x < (a + 1) / (a + b + 2):
        return min(1.0, front * _beta_fraction(x, a, b) / a)
    return max(0.0, 1 - front * _beta_fraction(1 - x, b, a) / b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction behind I_x(a, b), by Lentz's method."""
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 200 + 4 * math.isqrt(math.ceil(a + b))):
        odd = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        even = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (odd, even):
            d = 1 / _nonzero(1 + term * d)
            c = _nonzero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) <= 2 * _EPSILON:
            return value
    raise ArithmeticError("The continued fraction of the incomplete beta function did not settle.")


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _beta_quantile(p: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = p, by halving: about 60 steps to the last bit that matters."""
    low, high = 0.0, 1.0
    while (middle := (low + high) / 2) not in (low, high) and high - low > _EPSILON * high:
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return high


def _ranked(scores: Sequence[float], defaults: Sequence[bool]) -> tuple[list[_Tied], int, int]:
    if any(math.isnan(score) for score in scores):
        raise Malformed("A score is not a number.")
    tied: list[_Tied] = []
    good_below = bad_below = 0
    pairs = sorted(zip(scores, defaults, strict=True), key=itemgetter(0))
    for _, group in groupby(pairs, key=itemgetter(0)):
        outcomes = [outcome for _, outcome in group]
        bad = sum(map(bool, outcomes))
        good = len(outcomes) - bad
        tied.append(_Tied(good, bad, good_below, bad_below))
        good_below, bad_below = good_below + good, bad_below + bad
    if not (good_below and bad_below):
        raise Malformed("Ranking needs at least one default and one customer who pays.")
    return tied, good_below, bad_below


def _twice_wins(tied: Sequence[_Tied]) -> int:
    """Twice the number of pairs in which the one who pays has the higher score, ties counting half."""
    return sum(t.good * (2 * t.bad_below + t.bad) for t in tied)


def _variance_of_mean(squares: int, total: int, n: int, unit: int) -> Fraction:
    """The variance of the mean of n whole numbers measured in units, from their squares and their sum."""
    return (squares - Fraction(total * total, n)) / (n * (n - 1) * unit * unit)


def _counted(defaults: int, n: int) -> None:
    if not 0 <= defaults <= n or n == 0:
        raise Malformed("Defaults are counted among at least one customer.")
