from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.answers import GRAPHQL, JSON
from api.http.negotiation import answer_type, is_json


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ((), JSON),
        (("",), JSON),
        (("*/*",), JSON),
        (("application/*",), JSON),
        ((JSON,), JSON),
        ((GRAPHQL,), GRAPHQL),
        ((f"{GRAPHQL}, {JSON}",), GRAPHQL),
        ((f"{JSON}, {GRAPHQL}",), GRAPHQL),
        ((JSON, GRAPHQL), GRAPHQL),
        ((f"{GRAPHQL};q=0.5, {JSON}",), JSON),
        ((f"{GRAPHQL};q=0.5, {JSON};q=0.4",), GRAPHQL),
        ((f"{GRAPHQL}, {JSON};q=0.9, */*;q=0.1",), GRAPHQL),
        ((f"*/*, {JSON};q=0",), GRAPHQL),
        ((f"{JSON};q=0.1, */*",), GRAPHQL),
        ((f"*/*;q=0.5, {GRAPHQL};q=0",), JSON),
        ((f"{JSON.upper()}; CHARSET=UTF-8",), JSON),
        ((f'{GRAPHQL};charset="utf-8"',), GRAPHQL),
        ((f"{JSON};charset=utf-16",), None),
        (("text/html",), None),
        (("text/html, */*;q=0",), None),
        ((f"{JSON};q=0",), None),
        ((f"{JSON};q=2",), None),
        ((f"{JSON};q",), None),
        (("nonsense",), None),
        ((",,;;",), None),
    ],
)
def test_the_form_that_is_accepted_most_is_chosen(accept, form):
    assert answer_type(tuple(accept)) == form


@given(st.lists(st.text(max_size=60), max_size=4))
def test_every_header_has_an_answer(accept):
    assert answer_type(tuple(accept)) in {JSON, GRAPHQL, None}
    assert is_json(tuple(accept)) in {True, False}


@pytest.mark.parametrize("given_", [[JSON], ["application/json;charset=utf-8"], ['Application/Json; charset="UTF-8"']])
def test_json_is_known_however_it_is_written(given_):
    assert is_json(tuple(given_))


@pytest.mark.parametrize("given_", [[], [JSON, JSON], ["application/json;charset=latin-1"], ["application/json;a=b"]])
def test_what_says_more_than_json_in_utf8_is_not_taken(given_):
    assert not is_json(tuple(given_))
