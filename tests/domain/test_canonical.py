import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from enum import Enum
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import canonical
from domain.errors import Malformed

WHOLE = st.integers(min_value=-canonical.MAX_INTEGER, max_value=canonical.MAX_INTEGER)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TREE = st.recursive(
    st.none() | st.booleans() | WHOLE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(TREE)
@settings(max_examples=200)
def test_the_bytes_equal_those_of_rfc_8785(value):
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(TREE)
@settings(max_examples=100)
def test_reading_the_bytes_gives_the_value_back(value):
    assert json.loads(canonical.encode(value)) == value


def test_keys_are_ordered_by_utf_16_code_units():
    assert canonical.encode({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


def test_a_digest_is_the_sha_256_of_the_canonical_bytes():
    assert canonical.digest({"b": 1, "a": [True, None]}) == sha256(b'{"a":[true,null],"b":1}').hexdigest()


@pytest.mark.parametrize("value", [1.0, float("nan"), Decimal(1), b"x", {1: "a"}, "\ud800", 2**53, {"a": [object()]}])
def test_what_has_no_canonical_spelling_is_refused(value):
    with pytest.raises(Malformed):
        canonical.encode(value)


def test_a_refusal_names_the_path():
    with pytest.raises(Malformed) as caught:
        canonical.encode({"limit": [1, {"factor": 0.5}]})
    assert caught.value.path == ("limit", "1", "factor")


class Colour(Enum):
    """A key."""

    RED = "RED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A part."""

    amount: Decimal | None
    value: int | Decimal | str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A whole."""

    leaves: tuple[Leaf, ...]
    by_colour: dict[Colour, int | None]
    codes: frozenset[str]
    flag: bool


DECIMAL = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6)
LEAF = st.builds(
    Leaf,
    amount=st.none() | DECIMAL,
    value=WHOLE | DECIMAL | st.sampled_from(["NONE", "SEVERE"]),
    on=st.dates(),
)
TREES = st.builds(
    Tree,
    leaves=st.lists(LEAF, max_size=3).map(tuple),
    by_colour=st.dictionaries(st.just(Colour.RED), st.none() | WHOLE),
    codes=st.frozensets(TEXT),
    flag=st.booleans(),
)


@given(TREES)
@settings(max_examples=100)
def test_a_tree_of_dataclasses_is_read_back_exactly(tree):
    assert canonical.shaped(Tree, json.loads(canonical.encode(canonical.plain(tree)))) == tree


def test_equal_decimals_have_one_spelling_whatever_the_precision_of_the_context():
    with localcontext() as context:
        context.prec = 2
        spelled = [canonical.plain(Decimal(text)) for text in ("1.50", "1.5", "15E-1", "-0.0", "1E+3", "123.456")]
    assert spelled == ["1.5", "1.5", "1.5", "0", "1000", "123.456"]


GOOD_LEAF = {"amount": "1.5", "value": 1, "on": "2020-02-29"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"amount": "1.50"}, ("amount",)),
        ({"amount": "NaN"}, ("amount",)),
        ({"amount": "-0"}, ("amount",)),
        ({"amount": 1.5}, ("amount",)),
        ({"value": 1.5}, ("value",)),
        ({"value": True}, ("value",)),
        ({"on": "2021-02-29"}, ("on",)),
        ({"on": "20200229"}, ("on",)),
        ({"more": 1}, ("more",)),
    ],
)
def test_what_is_not_exactly_the_declared_shape_is_refused_with_its_path(change, path):
    with pytest.raises(Malformed) as caught:
        canonical.shaped(Leaf, GOOD_LEAF | change)
    assert caught.value.path == path


def test_nothing_is_filled_in():
    with pytest.raises(Malformed) as caught:
        canonical.shaped(Tree, {"leaves": [{"amount": None, "value": 1}], "by_colour": {}, "codes": [], "flag": True})
    assert caught.value.path == ("leaves", "0", "on")


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"leaves": {}, "by_colour": {}, "codes": [], "flag": True},
        {"leaves": [], "by_colour": {"BLUE": 1}, "codes": [], "flag": True},
        {"leaves": [], "by_colour": {}, "codes": [], "flag": 1},
        {"leaves": [], "by_colour": {"RED": True}, "codes": [], "flag": True},
    ],
)
def test_a_wrong_type_is_refused(value):
    with pytest.raises(Malformed):
        canonical.shaped(Tree, value)


@pytest.mark.parametrize("value", [1.0, Decimal("NaN"), object(), {"a": 2.0}, [b"x"]])
def test_only_exact_values_become_json(value):
    with pytest.raises(Malformed):
        canonical.plain(value)
