import copy
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import canonical
from domain.assessment.policy import PolicyDocument, from_json
from domain.assessment.scale import Grade, Tier
from domain.assessment.scorecard import Comparison, Unit, card_problems, refused_words
from domain.assessment.version_one import VERSION_ONE
from domain.assessment.versions.soundness import problems
from domain.errors import Malformed

ITEMS = [(card.code, item) for card in VERSION_ONE.scorecards for item in card.characteristics]
LINES = [pytest.param(item, id=f"{card}-{item.code}") for card, item in ITEMS if item.unit is not Unit.LABEL]


def changed_item(code, /, **change) -> PolicyDocument:
    existing, *others = VERSION_ONE.scorecards
    items = tuple(replace(item, **change) if item.code == code else item for item in existing.characteristics)
    return replace(VERSION_ONE, scorecards=(replace(existing, characteristics=items), *others))


def item_of(code):
    return next(item for _, item in ITEMS if item.code == code)


def test_version_one_can_be_approved():
    assert problems(VERSION_ONE) == ()


@pytest.mark.parametrize("card", VERSION_ONE.scorecards, ids=lambda card: card.code)
def test_the_maxima_of_each_card_add_up_to_100(card):
    assert sum(item.maximum for item in card.characteristics) == 100


def test_the_existing_card_weighs_its_blocks_as_the_policy_says():
    blocks = {}
    for item in VERSION_ONE.scorecards[0].characteristics:
        blocks[item.code[0]] = blocks.get(item.code[0], 0) + item.maximum
    assert blocks == {"A": 50, "B": 28, "C": 16, "D": 6}


def test_the_new_card_weighs_its_blocks_as_the_policy_says():
    blocks = {}
    for item in VERSION_ONE.scorecards[1].characteristics:
        blocks[item.code[0]] = blocks.get(item.code[0], 0) + item.maximum
    assert blocks == {"B": 48, "C": 32, "E": 20}


def test_a_document_is_read_back_exactly_from_its_canonical_bytes():
    again = from_json(json.loads(canonical.encode(VERSION_ONE.to_json())))
    assert again == VERSION_ONE
    assert again.digest == VERSION_ONE.digest
    assert canonical.encode(again.to_json()) == canonical.encode(VERSION_ONE.to_json())


def test_any_change_changes_the_digest():
    assert replace(VERSION_ONE, number=2).digest != VERSION_ONE.digest
    assert changed_item("A1", missing=1).digest != VERSION_ONE.digest


def at(document, path):
    for key in path[:-1]:
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document, path[-1]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("limit_rules", "net_worth_bp"), 0.1),
        (("limit_rules", "net_worth_bp"), "1000"),
        (("scorecards", "0", "characteristics", "0", "bands", "0", "edge"), 5),
        (("scorecards", "0", "characteristics", "0", "unit"), "WEEKS"),
        (("grade_scale", "0", "grade"), "AAAA"),
        (("terms_rules", "grades", "A", "net_days"), None),
        (("control_rules", "measures"), {}),
        (("clocks", "surprise"), 1),
    ],
)
def test_a_malformed_document_is_refused_with_the_path(path, value):
    document = copy.deepcopy(VERSION_ONE.to_json())
    holder, key = at(document, path)
    holder[key] = value
    with pytest.raises(Malformed) as caught:
        from_json(document)
    assert caught.value.path == path


def test_a_missing_section_is_refused_with_the_path():
    document = {key: value for key, value in VERSION_ONE.to_json().items() if key != "clocks"}
    with pytest.raises(Malformed) as caught:
        from_json(document)
    assert caught.value.path == ("clocks",)


def rejected(document, words):
    return any(words in problem.says for problem in problems(document))


def test_maxima_that_do_not_add_up_are_a_problem():
    item = item_of("B7")
    bands = (replace(item.bands[0], points=3), *item.bands[1:])
    assert rejected(changed_item("B7", maximum=3, bands=bands), "add up to 100")


def test_a_missing_datum_that_earns_more_than_half_is_a_problem():
    assert rejected(changed_item("B1", missing=3), "at most half")
    assert not rejected(changed_item("B2", missing=2), "at most half")


def test_points_that_rise_as_a_characteristic_worsens_are_a_problem():
    item = item_of("A1")
    bands = (*item.bands[:-1], replace(item.bands[-1], points=3))
    assert rejected(changed_item("A1", bands=bands), "never rise")


@pytest.mark.parametrize(
    "broken",
    [
        lambda bands: bands[:-1],
        lambda bands: (bands[1], bands[0], *bands[2:]),
        lambda bands: (*bands[:2], replace(bands[2], edge=bands[1].edge), *bands[3:]),
        lambda bands: (*bands[:2], replace(bands[2], edge=None, comparison=None), *bands[3:]),
        lambda bands: (bands[0], replace(bands[1], comparison=Comparison.AT_LEAST), *bands[2:]),
        lambda bands: (replace(bands[0], comparison=None), *bands[1:]),
        lambda _: (),
    ],
)
def test_bands_that_leave_a_gap_or_overlap_are_a_problem(broken):
    assert problems(changed_item("A1", bands=broken(item_of("A1").bands)))


def test_a_label_in_two_bands_or_one_that_looks_like_a_number_is_a_problem():
    bands = item_of("C1").bands
    assert rejected(changed_item("C1", bands=(replace(bands[0], names=("NONE", "MINOR")), *bands[1:])), "one band")
    assert rejected(changed_item("C1", bands=(replace(bands[0], names=("7",)), *bands[1:])), "begins with a letter")
    assert rejected(changed_item("C1", bands=(replace(bands[0], names=()), *bands[1:])), "lists labels")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Sex of the owner"},
        {"inputs": ("personal_status_sex",)},
        {"inputs": ("foreignWorker",)},
        {"term": "法定代表人年龄"},
        {"code": "age"},
        {"inputs": ("marital-status",)},
        {"name": "Blood type"},
        {"term": "宗教"},
    ],
)
def test_a_card_that_names_a_refused_category_cannot_be_approved(change):
    assert rejected(changed_item("B5", **change), "never uses this category")


def test_ageing_is_not_age():
    assert refused_words("Worst ageing, average usage, manage, sextant") == ()


def test_income_is_used_only_with_written_consent():
    assert rejected(changed_item("B5", inputs=("income",)), "written consent")
    assert not rejected(changed_item("B5", inputs=("income",), written_consent=True), "written consent")


def test_grades_out_of_order_are_a_problem():
    scale = VERSION_ONE.grade_scale
    assert rejected(replace(VERSION_ONE, grade_scale=scale[::-1]), "best first")
    swapped = (replace(scale[0], floor=80), replace(scale[1], floor=90), *scale[2:])
    assert rejected(replace(VERSION_ONE, grade_scale=swapped), "Floors fall")
    floating = (*scale[:-2], replace(scale[-2], floor=10), scale[-1])
    assert rejected(replace(VERSION_ONE, grade_scale=floating), "down to 0")
    better = (*scale[:-1], replace(scale[-1], tier=Tier.GOOD))
    assert rejected(replace(VERSION_ONE, grade_scale=better), "better tier")


def test_a_better_grade_with_worse_terms_is_a_problem():
    limits, terms = VERSION_ONE.limit_rules, VERSION_ONE.terms_rules
    factors = replace(limits, factors_bp={**limits.factors_bp, Grade.B: 6_000})
    assert rejected(replace(VERSION_ONE, limit_rules=factors), "larger factor")
    longer = replace(terms, grades={**terms.grades, Grade.B: replace(terms.grades[Grade.B], net_days=8)})
    assert rejected(replace(VERSION_ONE, terms_rules=longer), "longer terms")
    less = replace(terms, grades={**terms.grades, Grade.B: replace(terms.grades[Grade.B], prepayment_bp=0)})
    assert rejected(replace(VERSION_ONE, terms_rules=less), "smaller share")
    above = replace(terms, grades={**terms.grades, Grade.D: replace(terms.grades[Grade.D], prepayment_bp=10_001)})
    assert rejected(replace(VERSION_ONE, terms_rules=above), "between 0 and")


def test_a_grade_without_a_line_is_a_problem():
    limits = VERSION_ONE.limit_rules
    factors = {grade: factor for grade, factor in limits.factors_bp.items() if grade is not Grade.BB}
    assert rejected(replace(VERSION_ONE, limit_rules=replace(limits, factors_bp=factors)), "its line")


def test_caps_ceilings_and_rounding_are_checked():
    caps = VERSION_ONE.caps
    assert rejected(replace(VERSION_ONE, caps=(replace(caps[2], cards=("OTHER",)),)), "names scorecards")
    assert rejected(replace(VERSION_ONE, caps=(replace(caps[1], threshold_bp=None),)), "has a threshold")
    rules = VERSION_ONE.delegation
    assert rejected(replace(VERSION_ONE, delegation=replace(rules, ceilings=rules.ceilings[::-1])), "Ceilings rise")
    step = replace(VERSION_ONE.limit_rules, rounding_minor=0)
    assert rejected(replace(VERSION_ONE, limit_rules=step), "above zero")
    assert rejected(replace(VERSION_ONE, scorecards=VERSION_ONE.scorecards * 2), "code of its own")


def test_a_characteristic_stands_once():
    card = VERSION_ONE.scorecards[0]
    twice = replace(card, characteristics=(card.characteristics[0], *card.characteristics))
    assert any("stands once" in problem.says for problem in card_problems(twice, ()))


@pytest.mark.parametrize("item", LINES)
def test_each_edge_belongs_to_the_band_that_names_it(item):
    tiny = Decimal("0.0000000001")
    for index, band in enumerate(item.bands[:-1]):
        after = item.bands[index + 1]
        inside = band.comparison in {Comparison.AT_MOST, Comparison.AT_LEAST}
        worse = tiny if band.comparison.lower_is_better else -tiny
        assert item.band(band.edge) is (band if inside else after)
        assert item.band(band.edge + worse) is after
        assert item.band(band.edge - worse) is band


@pytest.mark.parametrize("item", LINES)
@given(data=st.data())
@settings(max_examples=30)
def test_points_never_rise_as_a_number_worsens(item, data):
    numbers = st.decimals(min_value=-(10**10), max_value=10**10, places=4)
    left, right = sorted((data.draw(numbers), data.draw(numbers)))
    low, high = item.band(left).points, item.band(right).points
    assert low >= high if item.bands[0].comparison.lower_is_better else low <= high


def test_a_number_is_no_label_and_an_unknown_label_has_no_band():
    assert item_of("C1").band(Decimal(1)) is None
    assert item_of("C1").band("UNHEARD_OF") is None
    assert item_of("A1").band("LATE") is None
    assert item_of("B4").band("NET_WORTH_NOT_POSITIVE").points == 0
