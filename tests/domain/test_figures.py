import csv
import math
import random
from collections import Counter
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Malformed
from domain.figures import (
    Interval,
    Verdict,
    auc,
    auc_interval,
    beta_cdf,
    jeffreys_interval,
    jeffreys_p,
    verdict,
)

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
Z = NormalDist().inv_cdf(0.975)
ROUNDING = 1e-11


@st.composite
def books(draw):
    good = draw(st.lists(st.integers(0, 12), min_size=1, max_size=15))
    bad = draw(st.lists(st.integers(0, 12), min_size=1, max_size=15))
    rows = draw(st.permutations([(score, False) for score in good] + [(score, True) for score in bad]))
    return [score for score, _ in rows], [default for _, default in rows]


counts = st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def placements(scores, defaults):
    """Per customer, the share of the other side that is ranked rightly against it, pair by pair."""
    good = [score for score, default in zip(scores, defaults, strict=True) if not default]
    bad = [score for score, default in zip(scores, defaults, strict=True) if default]

    def right(g, b):
        return Fraction((g > b) * 2 + (g == b), 2)

    of_good = [sum(right(g, b) for b in bad) / len(bad) for g in good]
    of_bad = [sum(right(g, b) for g in good) / len(good) for b in bad]
    return of_good, of_bad


@given(book=books())
def test_auc_is_the_share_of_pairs_ranked_rightly_with_ties_as_halves(book):
    of_good, _ = placements(*book)
    assert auc(*book) == float(sum(of_good) / len(of_good))


@given(book=books())
def test_the_delong_interval_is_what_its_definition_gives_pair_by_pair(book):
    of_good, of_bad = placements(*book)
    found = auc_interval(*book)
    if min(len(of_good), len(of_bad)) == 1:
        assert found == Interval(0.0, 1.0)
        return
    reach = Z * math.sqrt(variance(of_good) / len(of_good) + variance(of_bad) / len(of_bad))
    middle = auc(*book)
    assert found.low == pytest.approx(max(0.0, middle - reach), abs=1e-12)
    assert found.high == pytest.approx(min(1.0, middle + reach), abs=1e-12)


@given(book=books())
def test_auc_depends_on_the_order_alone(book):
    scores, defaults = book
    assert auc([score**3 / 7 - 5 for score in scores], defaults) == auc(scores, defaults)
    assert auc_interval([score * 10 for score in scores], defaults) == auc_interval(scores, defaults)


@given(book=books())
def test_turning_the_scores_round_turns_the_auc_round(book):
    scores, defaults = book
    assert auc([-score for score in scores], defaults) == pytest.approx(1 - auc(scores, defaults), abs=1e-15)


@given(book=books())
def test_the_interval_holds_the_auc_and_stays_between_0_and_1(book):
    low, high = auc_interval(*book)
    assert 0 <= low <= auc(*book) <= high <= 1


def test_rankings_known_by_hand_have_their_known_auc():
    assert auc([1, 2, 3, 4], [True, True, False, False]) == 1
    assert auc([4, 3, 2, 1], [True, True, False, False]) == 0
    assert auc([7, 7, 7, 7], [True, False, True, False]) == 0.5
    assert auc([1, 2, 2, 3], [True, True, False, False]) == 0.875


@pytest.mark.parametrize("book", [([], []), ([1], [True]), ([1, 2], [False, False]), ([1.0, math.nan], [True, False])])
def test_what_cannot_be_ranked_is_refused(book):
    for figure in (auc, auc_interval):
        with pytest.raises(Malformed):
            figure(*book)


def test_the_delong_interval_covers_the_true_auc_about_19_times_in_20():
    draw = random.Random(20_250_101)  # noqa: S311 - a seeded simulation, nothing secret
    truth = NormalDist().cdf(1 / math.sqrt(2))
    hits = 0
    for _ in range(400):
        defaults = [i % 3 == 0 for i in range(150)]
        scores = [draw.gauss(0 if default else 1) for default in defaults]
        low, high = auc_interval(scores, defaults)
        hits += low <= truth <= high
    assert 0.91 <= hits / 400 <= 0.98


@pytest.mark.parametrize(("n", "defaults", "p"), [(100, 3, "0.0393"), (200, 2, "0.4513")])
def test_the_jeffreys_test_agrees_with_its_vectors(n, defaults, p):
    assert f"{jeffreys_p(0.01, defaults, n):.4f}" == p


@given(x=st.fractions(0, 1, max_denominator=50), a=st.integers(1, 30), b=st.integers(1, 30))
def test_the_beta_function_of_whole_numbers_is_a_binomial_tail(x, a, b):
    n = a + b - 1
    exact = sum(math.comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1))
    assert beta_cdf(float(x), a, b) == pytest.approx(float(exact), rel=1e-9, abs=1e-13)


@given(x=st.floats(0, 1))
def test_the_beta_function_of_two_halves_is_the_arcsine_law(x):
    assert beta_cdf(x, 0.5, 0.5) == pytest.approx(2 / math.pi * math.asin(math.sqrt(x)), abs=1e-7, rel=1e-9)


@given(x=st.floats(0.001, 0.999), d=st.integers(0, 300), more=st.integers(0, 300))
def test_half_integers_follow_the_recurrence(x, d, more):
    a, b = d + 0.5, more + 0.5
    step = math.exp(a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a + 1) - math.lgamma(b))
    assert beta_cdf(x, a + 1, b) == pytest.approx(beta_cdf(x, a, b) - step, abs=1e-11)


@given(x=st.floats(1e-6, 1 - 1e-6), a=st.floats(0.5, 1e5), b=st.floats(0.5, 1e5))
def test_the_beta_function_is_its_own_mirror_and_a_probability(x, a, b):
    value = beta_cdf(x, a, b)
    assert 0 <= value <= 1
    assert value == pytest.approx(1 - beta_cdf(1 - x, b, a), abs=1e-7)


@given(given=counts, pd=st.floats(0, 1), other=st.floats(0, 1))
def test_the_jeffreys_p_rises_with_the_assigned_probability(given, pd, other):
    defaults, n = given
    low, high = sorted((pd, other))
    assert jeffreys_p(low, defaults, n) <= jeffreys_p(high, defaults, n) + ROUNDING


@given(given=counts.filter(lambda c: c[0] < c[1]), pd=st.floats(0, 1))
def test_the_jeffreys_p_falls_as_defaults_grow(given, pd):
    defaults, n = given
    assert jeffreys_p(pd, defaults + 1, n) <= jeffreys_p(pd, defaults, n) + ROUNDING


def test_the_ends_of_the_jeffreys_p():
    assert jeffreys_p(0, 3, 100) == 0
    assert jeffreys_p(1, 3, 100) == 1


@given(given=counts)
def test_the_jeffreys_interval_agrees_with_the_test(given):
    defaults, n = given
    low, high = jeffreys_interval(defaults, n)
    assert low == 0 if defaults == 0 else jeffreys_p(low, defaults, n) == pytest.approx(0.025, abs=1e-9)
    assert high == 1 if defaults == n else jeffreys_p(high, defaults, n) == pytest.approx(0.975, abs=1e-9)


@given(given=counts)
def test_an_interval_holds_the_rate_and_rises_with_the_defaults(given):
    defaults, n = given
    low, high = jeffreys_interval(defaults, n)
    assert 0 <= low <= defaults / n <= high <= 1
    if defaults < n:
        further = jeffreys_interval(defaults + 1, n)
        assert low <= further.low
        assert high <= further.high


@pytest.mark.parametrize(("defaults", "n"), [(-1, 10), (11, 10), (0, 0)])
def test_impossible_counts_are_refused(defaults, n):
    for figure in (jeffreys_interval, lambda d, n: jeffreys_p(0.1, d, n)):
        with pytest.raises(Malformed):
            figure(defaults, n)


@pytest.mark.parametrize("pd", [-0.01, 1.01, math.nan])
def test_an_impossible_probability_is_refused(pd):
    with pytest.raises(Malformed):
        jeffreys_p(pd, 1, 10)


@pytest.mark.parametrize(
    ("defaults", "expected"),
    [
        (0, Verdict.NOT_ENOUGH_DEFAULTS),
        (9, Verdict.NOT_ENOUGH_DEFAULTS),
        (10, Verdict.INDICATIVE),
        (49, Verdict.INDICATIVE),
        (50, Verdict.VERDICT),
        (5_000, Verdict.VERDICT),
    ],
)
def test_the_number_of_defaults_decides_what_a_figure_may_say(defaults, expected):
    assert verdict(defaults) is expected


def rows(path):
    if not (SHARED / path).exists():
        pytest.skip(f"no {path} in the shared data")
    with (SHARED / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_default_rates_of_real_firms_do_not_fall_as_grades_worsen():
    firms = rows("cumcm2020c/credit_companies.csv")
    size = Counter(firm["grade"] for firm in firms)
    failed = Counter(firm["grade"] for firm in firms if firm["default"] == "是")
    rates = [failed[grade] / size[grade] for grade in "ABCD"]
    assert rates == sorted(rates)
    worst = jeffreys_interval(failed["D"], size["D"])
    assert worst.high == 1
    assert all(jeffreys_interval(failed[grade], size[grade]).high < worst.low for grade in "ABC")
    assert verdict(sum(failed.values())) is Verdict.INDICATIVE


def test_a_real_book_of_thirty_thousand_has_the_auc_of_its_ranks():
    book = rows("uci_taiwan_credit_card/UCI_Credit_Card.csv")
    scores = [int(float(row["LIMIT_BAL"])) for row in book]
    defaults = [row["default.payment.next.month"] == "1" for row in book]
    mean_rank, at = {}, 0
    for score, count in sorted(Counter(scores).items()):
        mean_rank[score], at = Fraction(2 * at + count + 1, 2), at + count
    good = [mean_rank[score] for score, default in zip(scores, defaults, strict=True) if not default]
    by_ranks = (sum(good) - Fraction(len(good) * (len(good) + 1), 2)) / (len(good) * sum(defaults))
    assert auc(scores, defaults) == float(by_ranks)
    low, high = auc_interval(scores, defaults)
    assert 0.5 < low < float(by_ranks) < high < low + 0.02
