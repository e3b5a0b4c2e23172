"""The published JSON schema says of a document's form what reading it says."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessment.policy import PolicyDocument, from_json
from domain.assessment.scale import Grade
from domain.assessment.scorecard import WHOLE
from domain.assessment.version_one import VERSION_ONE
from domain.assessment.versions.changes import changes_between
from domain.assessment.versions.form import document_schema
from domain.assessment.versions.reading import json_path, read_document
from domain.assessment.versions.soundness import known_characteristics
from domain.errors import Malformed

FILE = Path(__file__).parents[3] / "docs/credit-policy.schema.json"
JUDGE = jsonschema.Draft202012Validator(document_schema())


def places(value, way=()):
    """The way to every value in a document."""
    if way:
        yield way
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*way, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*way, index))


PLACES = list(places(VERSION_ONE.to_json()))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-200, 12_000),
    st.sampled_from(
        ["", "A1", "AAA", "AT_MOST", "LABEL", "0", "5", "-3", "1.5", "age", "NEW", "COUNT", "NONE", "GOOD"]
    ),
    st.just([]),
    st.just({}),
)


def changed(way, value):
    document = copy.deepcopy(VERSION_ONE.to_json())
    at = document
    for key in way[:-1]:
        at = at[key]
    at[way[-1]] = value
    return document


def dropped(way):
    document = copy.deepcopy(VERSION_ONE.to_json())
    at = document
    for key in way[:-1]:
        at = at[key]
    del at[way[-1]]
    return document


def test_the_schema_is_one_and_the_file_holds_it():
    jsonschema.Draft202012Validator.check_schema(document_schema())
    assert json.loads(FILE.read_text(encoding="utf-8")) == document_schema()
    JUDGE.validate(VERSION_ONE.to_json())


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), VALUES)
def test_what_the_schema_refuses_is_refused_when_it_is_drafted(way, value):
    document = changed(way, value)
    if not JUDGE.is_valid(document):
        with pytest.raises(Malformed):
            read_document(json.dumps(document))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PLACES))
def test_a_key_that_is_missing_or_unknown_is_refused_by_both(way):
    document = dropped(way)
    assert JUDGE.is_valid(document) or _refused(document)
    document = changed((*way[:-1], "surprise"), 1) if isinstance(way[-1], str) else dropped(way)
    assert JUDGE.is_valid(document) or _refused(document)


def read(text):
    """The document, or why it is none."""
    try:
        return read_document(text), None
    except Malformed as error:
        return None, error


def _refused(document):
    refused = read(json.dumps(document))[1]
    return refused is not None and refused.path[:1] == ("document",)


def holds(document: PolicyDocument):
    """The invariants of a document, written out once more by themselves."""
    for card in document.scorecards:
        assert sum(item.maximum for item in card.characteristics) == WHOLE
        known = known_characteristics()[card.code]
        for item in card.characteristics:
            points = [band.points for band in item.bands]
            assert points == sorted(points, reverse=True)
            assert points[0] == item.maximum > 0 <= points[-1]
            assert item.missing is None or 0 <= item.missing * 2 <= item.maximum
            assert set(item.inputs) <= known[item.code].inputs
            for name in known[item.code].names:
                assert item.band(name) is not None
            edges = [band.edge for band in item.bands[:-1]]
            if item.bands[-1].edge is None and None not in edges:
                for edge in edges:
                    assert item.band(edge) is not None
    floors = [band.floor for band in document.grade_scale]
    assert [band.grade for band in document.grade_scale] == list(Grade)
    assert floors[:-1] == sorted(set(floors[:-1]), reverse=True)
    assert (floors[-2], floors[-1], floors[0] <= WHOLE) == (0, None, True)
    factors = [document.limit_rules.factors_bp[grade] for grade in Grade]
    days = [document.terms_rules.grades[grade].net_days for grade in Grade]
    shares = [document.terms_rules.grades[grade].prepayment_bp for grade in Grade]
    assert factors == sorted(factors, reverse=True)
    assert days == sorted(days, reverse=True)
    assert shares == sorted(shares)
    assert shares[-1] <= 10_000


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), VALUES)
def test_a_document_changed_anywhere_is_accepted_only_if_every_invariant_holds(way, value):
    document, refused = read(json.dumps(changed(way, value)))
    if document is None:
        assert refused.path[0] == "document"
        assert "$" in refused.message
        return
    holds(document)
    differs = bool(changes_between(VERSION_ONE, document))
    assert differs == (document != VERSION_ONE) or way[0] == "number"


@pytest.mark.parametrize("card", range(3))
@pytest.mark.parametrize("spoil", ["gap", "overlap", "order", "rise", "sum", "missing"])
def test_what_is_spoilt_is_refused_at_its_exact_place(card, spoil):
    document = json.loads(json.dumps(VERSION_ONE.to_json()))
    items = document["scorecards"][card]["characteristics"]
    for index, item in enumerate(items):
        if item["unit"] == "LABEL" or len(item["bands"]) < 3:
            continue
        made = json.loads(json.dumps(document))
        at = made["scorecards"][card]["characteristics"][index]
        bands = at["bands"]
        wanted = f"characteristics[{index}]"
        if spoil == "gap":
            del bands[-1]
            wanted += f".bands[{len(bands) - 1}].edge"
        elif spoil == "overlap":
            bands[1]["edge"] = bands[0]["edge"]
            wanted += ".bands[1].edge"
        elif spoil == "order":
            bands[0]["edge"], bands[1]["edge"] = bands[1]["edge"], bands[0]["edge"]
            wanted += ".bands[1].edge"
        elif spoil == "rise":
            bands[-1]["points"] = bands[-2]["points"] + 1
            wanted += f".bands[{len(bands) - 1}].points"
        elif spoil == "sum":
            at["maximum"] += 1
            bands[0]["points"] += 1
            wanted = f"scorecards[{card}].characteristics: The maxima"
        else:
            at["missing"] = at["maximum"]
            wanted += ".missing"
        with pytest.raises(Malformed) as raised:
            read_document(json.dumps(made))
        assert wanted in raised.value.message


def test_a_place_is_told_as_a_json_path():
    assert json_path(("scorecards", "0", "bands", "≤ 5")) == '$.scorecards[0].bands["\\u2264 5"]'
    assert json_path(()) == "$"


def test_changes_name_cards_characteristics_bands_and_grades():
    document = json.loads(json.dumps(VERSION_ONE.to_json()))
    document["scorecards"][0]["characteristics"][0]["bands"][1]["points"] = 15
    document["caps"].reverse()
    del document["knock_outs"][0]
    found = changes_between(VERSION_ONE, from_json(document))
    assert [(one.section, one.place, one.before, one.after) for one in found[:1]] == [
        ("scorecards", "EXISTING / characteristics / A1 / bands / ≤ 5 days / points", "16", "15")
    ]
    assert [(one.section, one.place.split(" / ")[-1]) for one in found[1:]] == [
        ("caps", "order"),
        ("knock_outs", "INSOLVENCY"),
    ]
    assert found[-1].after is None


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), VALUES)
def test_changes_are_none_exactly_where_documents_are_equal_but_for_their_numbers(way, value):
    try:
        other = from_json(changed(way, value))
    except Malformed:
        return
    same = {**other.to_json(), "number": 1} == VERSION_ONE.to_json()
    assert (changes_between(VERSION_ONE, other) == ()) is same
    assert (changes_between(other, VERSION_ONE) == ()) is same
