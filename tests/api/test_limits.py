from __future__ import annotations

import time

import pytest
from graphql import Lexer, Source, TokenKind, get_introspection_query, parse

from api.graphql.limits import (
    FOLLOWED,
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_LIST_DEPTH,
    MAX_TOKENS,
    check_document,
    check_page,
    check_text,
    followed,
)
from api.graphql.schema import build_schema
from domain.errors import Code, Malformed

LINKS = ["assessments", "contacts", "consents", "controlActions", "defaults", "ratings"]


def refused(query: str) -> Malformed:
    with pytest.raises(Malformed) as caught:
        check_document(parse(query))
    assert caught.value.advice
    return caught.value


def test_a_document_at_the_token_limit_passes_and_one_beyond_it_does_not():
    check_text("{" + " a" * (MAX_TOKENS - 2) + "}")
    with pytest.raises(Malformed) as caught:
        check_text("{" + " a" * (MAX_TOKENS - 1) + "}")
    assert caught.value.code is Code.QUERY_TOO_LARGE


def test_a_very_long_document_is_refused_after_its_first_tokens():
    start = time.perf_counter()
    with pytest.raises(Malformed):
        check_text("{" + " a" * 120_000 + "}")
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("opening", ["{", "[", "(", "{a(b:["])
def test_open_brackets_are_counted_before_the_parser_recurses(opening):
    with pytest.raises(Malformed) as caught:
        check_text(opening * 300)
    assert caught.value.code is Code.QUERY_TOO_LARGE


def test_text_that_holds_no_tokens_is_left_to_the_parser():
    assert check_text("{ a ? }") == 4


@pytest.mark.parametrize(
    "text",
    [
        get_introspection_query(),
        'query Q($a: [Int!]! = [1, -2.5e3], $b: T) @d(x: "a {[( \\" b") { a: b(c: $a, d: {e: null}) { ...F } } #{{',
        'fragment F on T { ... on U @include(if: true) { x, y,,z } ...G ... { w(a: """ {{ "" # { """) } }',
        '\ufeff{ a_1 __b2(c: 12, d: -0, e: 1.5E+2, f: "", g: """block { """) }',
    ],
)
def test_tokens_are_counted_as_the_lexer_counts_them(text):
    lexer, count = Lexer(Source(text)), 0
    while lexer.advance().kind is not TokenKind.EOF:
        count += 1
    assert check_text(text) == count


def nested(depth: int) -> str:
    return "{" + "a{" * (depth - 1) + "a" + "}" * depth


def test_depth_is_bounded_also_through_fragments():
    check_document(parse(nested(MAX_DEPTH)))
    assert refused(nested(MAX_DEPTH + 1)).code is Code.QUERY_TOO_LARGE
    deep = "fragment F on T {" + "a{" * 8 + "a" + "}" * 8 + "}"
    assert refused("{" + "a{" * 5 + "...F" + "}" * 6 + deep).code is Code.QUERY_TOO_LARGE


def test_lists_inside_lists_are_bounded():
    inside = "{ nodes" * (MAX_LIST_DEPTH + 1)
    check_document(parse("{ nodes { nodes { nodes { id } } } }"))
    assert "lists" in refused(inside + "{ id }" + "}" * (MAX_LIST_DEPTH + 1)).message


def test_aliases_are_counted_with_fragments_written_out():
    names = " ".join(f"a{index}: x" for index in range(MAX_ALIASES))
    check_document(parse("{" + names + "}"))
    refused("{" + names + " more: x }")
    refused("{ y { ...F } z { ...F } } fragment F on T {" + names + "}")


def test_fragments_that_double_at_every_step_are_measured_in_linear_time_and_refused():
    steps = "".join(f"fragment F{n} on T {{ a{n} {{ ...F{n + 1} }} b{n} {{ ...F{n + 1} }} }}" for n in range(40))
    start = time.perf_counter()
    refused("{ ...F0 }" + steps + "fragment F40 on T { a }")
    assert time.perf_counter() - start < 1


def test_a_fragment_inside_itself_ends():
    check_document(parse("{ ...F } fragment F on T { a { ...F } }"))


def test_records_that_are_followed_weigh_as_the_statements_they_become():
    graph = build_schema().graph
    chain = "{ creditFiles { nodes { " + " ".join(f"{name} {{ totalCount }}" for name in LINKS) + " } } }"
    following = 1 + len(LINKS)
    most = MAX_TOKENS - FOLLOWED * following
    check_document(parse(chain), most, followed(graph))
    with pytest.raises(Malformed) as caught:
        check_document(parse(chain), most + 1, followed(graph))
    assert caught.value.code is Code.QUERY_TOO_LARGE
    check_document(parse(chain), MAX_TOKENS, followed(graph), registered=True)
    parts = "{ creditFiles { edges { node { limit { amount } confidential(purpose: X) { phone } } } pageInfo { a } } }"
    check_document(parse(parts), MAX_TOKENS - FOLLOWED, followed(graph))
    spread = "{ a: creditFiles { ...F } b: creditFiles { ...F } } fragment F on C { nodes { contacts { totalCount } } }"
    check_document(parse(spread), MAX_TOKENS - 4 * FOLLOWED, followed(graph))
    with pytest.raises(Malformed):
        check_document(parse(spread), MAX_TOKENS - 4 * FOLLOWED + 1, followed(graph))


def test_fields_that_repeat_without_end_are_refused_before_they_are_compared():
    refused("{" + " a" * 200 + "}")


def test_a_page_size_in_the_text_is_checked_before_validation():
    assert refused("{ creditFiles(first: 101) { totalCount } }").code is Code.QUERY_TOO_LARGE
    assert refused("{ creditFiles(first: 99999999999999999999) { totalCount } }").code is Code.QUERY_TOO_LARGE
    assert refused("{ creditFiles(first: -1) { totalCount } }").code is Code.MALFORMED


@pytest.mark.parametrize("size", [0, -1, 101])
def test_a_page_has_one_to_a_hundred_rows(size):
    with pytest.raises(Malformed):
        check_page(size)
    assert check_page(1) == 1
    assert check_page(100) == 100


def test_the_usual_introspection_query_is_within_the_limits():
    query = get_introspection_query(input_value_deprecation=True, specified_by_url=True)
    check_text(query)
    check_document(parse(query))


def test_introspection_that_circles_through_types_is_refused():
    circle = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    refused(circle)
