"""Grades are compared with outcomes that nothing else has read."""

from pathlib import Path

import pytest

from api.tour.outcomes import Standing, compare, distribution, read_outcomes
from domain.assessment.scale import Grade
from domain.errors import Malformed
from domain.figures import Verdict

OUTCOMES = Path(__file__).parents[4] / "shared" / "data" / "cumcm2020c" / "credit_companies.csv"


def standing(grade, score):
    return Standing(grade=grade, score=score)


BOOK = {
    "a": standing(Grade.A, 80),
    "b": standing(Grade.A, 78),
    "c": standing(Grade.BB, 60),
    "d": standing(Grade.BB, 58),
    "e": standing(Grade.CCC, 30),
    "f": standing(None, None),
    "unknown": standing(Grade.AAA, 99),
}
ENDED = {"a": False, "b": False, "c": False, "d": True, "e": True, "f": True, "stranger": True}


def test_the_distribution_has_every_grade_and_insufficient_data_apart():
    counts = {item.grade: item.count for item in distribution(BOOK.values())}
    assert list(counts) == [*Grade, None]
    assert (counts[Grade.A], counts[Grade.BB], counts[Grade.D], counts[None]) == (2, 2, 0, 1)


def test_rates_are_about_graded_customers_with_a_known_outcome():
    found = compare(BOOK, ENDED)
    assert (found.known, found.graded, found.defaults, found.ungraded_defaults) == (6, 5, 2, 1)
    assert [(rate.grade, rate.defaults, rate.count) for rate in found.rates] == [
        (Grade.A, 0, 2),
        (Grade.BB, 1, 2),
        (Grade.CCC, 1, 1),
    ]
    for rate in found.rates:
        assert rate.interval.low <= rate.rate <= rate.interval.high


def test_a_perfect_ranking_of_few_defaults_is_no_verdict():
    found = compare(BOOK, ENDED)
    assert found.auc == 1
    assert found.interval is not None
    assert found.verdict is Verdict.NOT_ENOUGH_DEFAULTS


def test_without_defaults_there_is_nothing_to_rank():
    found = compare(BOOK, dict.fromkeys(BOOK, False))
    assert found.auc is found.interval is None
    assert compare(BOOK, {}).rates == ()


def test_outcomes_are_read_from_their_own_columns(tmp_path):
    path = tmp_path / "outcomes.csv"
    path.write_text("company,name,grade,default\nE1,x,A,否\nE2,y,D,是\n", encoding="utf-8-sig")
    assert read_outcomes(path) == {"E1": False, "E2": True}


@pytest.mark.parametrize(
    "text", ["company,grade\nE1,A\n", "company,default\nE1,perhaps\n", "company,default\nE1\n", ""]
)
def test_outcomes_that_say_nothing_are_refused(tmp_path, text):
    path = tmp_path / "outcomes.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Malformed):
        read_outcomes(path)
    with pytest.raises(Malformed):
        read_outcomes(tmp_path / "none.csv")


def test_the_outcomes_of_the_80_graded_firms_are_known():
    if not OUTCOMES.exists():
        pytest.skip("the real data is not beside this checkout")
    found = read_outcomes(OUTCOMES)
    assert (len(found), sum(found.values())) == (80, 18)
