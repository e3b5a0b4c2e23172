"""The path to the next grade is true, exact and the cheapest there is, and promises nothing against a veto."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessment.evaluate import evaluate
from domain.assessment.improving.path import NO_PATH, changed, cheapest, path_to_next
from domain.assessment.receipt import Datum, LimitFacts, Snapshot, Standing
from domain.assessment.scale import Grade
from domain.assessment.scorecard import (
    Band,
    CardOrigin,
    Characteristic,
    Comparison,
    Effort,
    Origin,
    Scorecard,
    Unit,
)
from domain.assessment.version_one import VERSION_ONE
from tests.domain.test_evaluate import BAD, BEST, EXAMPLE, FACTS, NEARLY_WORST, TODAY, data, snapshot, without

ITEMS = VERSION_ONE.card("EXISTING").characteristics


def path(numbers=None, /, **change):
    asked = snapshot(numbers, **change)
    return path_to_next(VERSION_ONE, asked, evaluate(VERSION_ONE, asked))


def told(found):
    return [(change.code, change.gain, change.effort, change.waits) for change in found.changes]


def test_the_example_reaches_a_by_paying_earlier_and_keeping_the_peak_down():
    found = path(EXAMPLE)
    assert found.grade is Grade.A
    assert told(found) == [("A1", 4, 2, False), ("A5", 2, 1, False)]
    assert [change.sentence for change in found.changes] == [
        "Value-weighted days beyond terms, 12 months: ≤ 5 days, or better.",
        "Peak utilisation of the limit, 3 months: < 80 %, or better.",
    ]
    assert found.barred_by == ()
    assert found.not_before == TODAY + timedelta(days=90)


def test_the_best_grade_has_no_path_and_a_knock_out_no_promise():
    assert path(BEST) == path(BEST).__class__()
    for code in ("INSOLVENCY", "SOMETHING_UNKNOWN"):
        found = path(EXAMPLE, knock_outs=frozenset({code}))
        assert (found.grade, found.changes, found.barred_by) == (None, (), (code,))


def test_where_data_does_not_suffice_nothing_is_promised():
    found = path({"A2": 28})
    assert (found.grade, found.changes, found.barred_by) == (None, (), ("INSUFFICIENT_DATA",))


def test_a_cap_that_binds_is_named_and_no_change_is_proposed():
    found = path(EXAMPLE, unsatisfied_judgments_bp=5_001)
    assert (found.grade, found.changes, found.barred_by) == (Grade.BB, (), ("UNSATISFIED_JUDGMENTS",))
    new = {item.code: BEST.get(item.code) for item in VERSION_ONE.card("NEW").characteristics}
    new |= {"E1": 3, "E2": "VERIFIED_BY_PAYMENT", "E3": "BOTH_VERIFIED", "E4": "DEPOSIT_OR_YEAR"}
    found = path(new, card="NEW")
    assert (found.grade, found.changes, found.barred_by) == (Grade.AA, (), ("NEW_CUSTOMER",))


def test_what_the_company_judges_is_never_named_and_what_others_report_is_not_told():
    for numbers in (EXAMPLE, NEARLY_WORST, BAD, without("C1", "C2")):
        for change in path(numbers).changes:
            assert change.code not in {"B7", "A4", "B5", "B6"}
    values = data(BEST | {"C1": "SEVERE", "C2": "SEVERE", "B7": "HIGH"})
    found = path(values=values)
    assert {change.code for change in found.changes} <= {"C1", "C2"}
    words = " ".join(change.sentence for change in found.changes).lower()
    assert not any(secret in words for secret in ("severe", "material", "minor", "slight", "none"))


def test_a_third_partys_report_is_corrected_by_its_source():
    values = data(BEST | {"C1": "SEVERE", "A2": 40, "A6": 1})
    values["C1"] = replace(values["C1"], source="the court")
    found = path(values=values)
    assert found.grade is Grade.AAA
    (change,) = found.changes
    assert change.sentence == (
        "Live unsatisfied judgments and enforcement: ask the court for its record, or for a correction of it."
    )


def test_time_is_waited_for_only_where_nothing_else_will_do():
    found = path(BEST | {"A2": 91, "A6": 1, "D2": 1})
    assert {change.code for change in found.changes} <= {"A2", "A6", "D2"}
    assert all(change.waits and "time alone" in change.sentence for change in found.changes)
    assert all(not change.waits for change in path(EXAMPLE).changes)


def test_what_is_missing_is_supplied():
    missing = ("B1", "B2", "B3", "B4")
    found = path({code: value for code, value in BEST.items() if code not in missing})
    assert found.grade is Grade.AAA
    assert {change.code for change in found.changes} <= set(missing)
    assert sum(change.gain for change in found.changes) >= 5
    assert all(change.sentence.endswith("It is not on file, or too old: supply it.") for change in found.changes)


@pytest.mark.parametrize(
    ("since", "grade", "first"),
    [
        (30, Grade.BBB, TODAY + timedelta(days=60)),
        (90, Grade.BBB, None),
        (400, Grade.BBB, None),
        (400, Grade.BB, TODAY + timedelta(days=90)),
        (400, None, TODAY + timedelta(days=90)),
    ],
)
def test_it_says_from_when_a_review_may_raise_the_grade(since, grade, first):
    previous = Standing(
        grade=grade, grade_changed_on=TODAY - timedelta(days=since), limit_minor=0, net_days=0, prepayment_bp=0
    )
    found = path(EXAMPLE, previous=previous)
    assert found.not_before == first


def test_a_grade_that_waits_for_its_time_needs_no_change():
    previous = Standing(
        grade=Grade.BB, grade_changed_on=TODAY - timedelta(days=10), limit_minor=0, net_days=0, prepayment_bp=0
    )
    found = path(EXAMPLE, previous=previous)
    assert (found.grade, found.changes, found.barred_by) == (Grade.BBB, (), ())
    assert found.not_before == TODAY + timedelta(days=80)


def test_a_parents_support_counts_on_the_way():
    found = path(EXAMPLE, parent_grade=Grade.AAA)
    assert found.grade is Grade.AA
    assert sum(change.gain for change in found.changes) >= 70 - 64


# The oracle: every set of changes there is, over small cards.

EDGES = st.lists(st.integers(-20, 20), min_size=1, max_size=3, unique=True)
PROPOSED = {effort: weight for weight, effort in enumerate((Effort.ONE, Effort.TWO, Effort.THREE), start=1)}
PROPOSED |= {Effort.AGES_OUT: 1, Effort.ASK_SOURCE: 1}


@st.composite
def characteristics(draw, number):
    """A characteristic with two to four bands, better first."""
    comparison = draw(st.sampled_from(list(Comparison)))
    edges = sorted(draw(EDGES), reverse=not comparison.lower_is_better)
    points = sorted(draw(st.lists(st.integers(0, 40), min_size=len(edges) + 1, max_size=len(edges) + 1)), reverse=True)
    bands = [
        Band(label=f"b{place}", points=points[place], comparison=comparison, edge=Decimal(edge))
        for place, edge in enumerate(edges)
    ]
    return Characteristic(
        code=f"X{number}",
        name=f"Question {number}",
        term="",
        unit=Unit.COUNT,
        origin=draw(st.sampled_from([Origin.OWN, Origin.OWN, Origin.THIRD, Origin.INTERNAL])),
        maximum=max(points[0], 1),
        missing=points[-1] // 2,
        effort=draw(st.sampled_from(list(Effort))),
        bands=(*bands, Band(label="rest", points=points[-1])),
        inputs=(),
    )


@st.composite
def cases(draw):
    """A policy of one small card, and a snapshot; a datum may be missing."""
    items = tuple(draw(characteristics(number)) for number in range(draw(st.integers(1, 4))))
    card = Scorecard(
        code="SMALL",
        name="Small",
        origin=CardOrigin.EXPERT,
        characteristics=items,
        minimums=(),
        insufficient_below_bp=0,
        starter_limit=False,
    )
    values = {
        item.code: Datum(value=value, observed_on=TODAY, origin=item.origin)
        for item in items
        if (value := draw(st.one_of(st.none(), st.integers(-25, 25)))) is not None
    }
    asked = Snapshot(as_of=TODAY, card="SMALL", currency="CNY", limits=FACTS, values=values)
    return replace(VERSION_ONE, scorecards=(card,), caps=()), items, asked


def every_set(items, points):
    """Each way to change some characteristics into better bands, with its cost, whatever it reaches."""
    choices = []
    for place, (item, line) in enumerate(zip(items, points, strict=True)):
        better = sorted({band.points for band in item.bands if band.points > line.points})
        own = [None]
        if item.effort in PROPOSED and line.origin is not Origin.INTERNAL:
            for points_of in better:
                band = next(at for at, one in enumerate(item.bands) if one.points == points_of)
                climbed = sum(line.points < one.points <= points_of for one in item.bands)
                own.append((place, band, points_of - line.points, climbed * PROPOSED[item.effort], item.effort))
        choices.append(own)
    for picked in product(*choices):
        made = [one for one in picked if one is not None]
        waits = sum(one[4] in {Effort.AGES_OUT, Effort.ASK_SOURCE} for one in made)
        cost = (waits, sum(one[3] for one in made), len(made), tuple((one[0], one[1]) for one in made))
        yield cost, sum(one[2] for one in made)


@settings(max_examples=400, deadline=None)
@given(cases())
def test_over_small_cards_it_is_the_cheapest_of_all_sets_that_reach_the_grade(case):
    policy, items, asked = case
    receipt = evaluate(policy, asked)
    found = path_to_next(policy, asked, receipt)
    if receipt.grade is Grade.AAA:
        assert found.grade is None
        return
    floor = next(band.floor for band in policy.grade_scale if band.grade is found.grade)
    reaching = [cost for cost, gain in every_set(items, receipt.points) if receipt.score + gain >= floor]
    if not reaching:
        assert (found.changes, found.barred_by) == ((), (NO_PATH,))
        return
    places = {item.code: place for place, item in enumerate(items)}
    own = (
        sum(change.waits for change in found.changes),
        sum(change.effort for change in found.changes),
        len(found.changes),
        tuple((places[change.code], change.band) for change in found.changes),
    )
    assert own == min(reaching)


@settings(max_examples=400, deadline=None)
@given(cases())
def test_changing_exactly_this_reaches_the_grade_and_anything_smaller_does_not(case):
    policy, items, asked = case
    found = path_to_next(policy, asked, evaluate(policy, asked))
    if not found.changes:
        return
    known = {item.code: item for item in items}

    def graded(changes):
        return evaluate(policy, changed(items, asked, changes)).grade

    assert graded(found.changes).rank <= found.grade.rank
    for at, change in enumerate(found.changes):
        rest = found.changes[:at] + found.changes[at + 1 :]
        assert graded(rest).rank > found.grade.rank
        for band in range(change.band + 1, len(known[change.code].bands)):
            if known[change.code].bands[band].points < known[change.code].bands[change.band].points:
                assert graded((*rest, replace(change, band=band))).rank > found.grade.rank


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries({code: st.sampled_from([BAD[code], EXAMPLE[code], BEST[code]]) for code in BEST}))
def test_on_the_real_card_a_path_is_true(numbers):
    asked = snapshot(numbers)
    found = path_to_next(VERSION_ONE, asked, evaluate(VERSION_ONE, asked))
    if found.changes:
        after = evaluate(VERSION_ONE, changed(ITEMS, asked, found.changes))
        assert after.grade is found.grade
    elif found.grade is not None:
        assert found.barred_by


def test_nothing_needed_costs_nothing_and_too_little_is_no_way():
    assert cheapest([], 0) == ()
    assert cheapest([], -3) == ()
    assert cheapest([()], 1) is None


def test_a_day_without_a_limit_is_a_day_like_another():
    asked = snapshot(EXAMPLE, limits=LimitFacts(monthly_billing_minor=None), as_of=date(2025, 6, 30))
    assert path_to_next(VERSION_ONE, asked, evaluate(VERSION_ONE, asked)).grade is Grade.A
