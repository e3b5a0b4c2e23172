from __future__ import annotations

import pytest
from graphql import GraphQLSyntaxError, Lexer, Source, TokenKind
from hypothesis import given
from hypothesis import strategies as st

from api.graphql.sharing.literals import places, read, scan

KINDS = {TokenKind.STRING, TokenKind.BLOCK_STRING, TokenKind.INT, TokenKind.FLOAT}
PIECES = (
    *("{", "}", "(", ")", "[", "]", ":", ",", " ", "\n", "\r", "...", "$", "@", "!", "=", "|", "&"),
    *("a", "a1", "_9", "e5", "first", "#", '# "', "1", "0", "01", "-1", "-", "1.5", "1e3", "-1E-3", "1.", ".5", "x-1"),
    *('"', '""', '"""', '""""', '"a"', '"é"', '"\\""', '"\\u0041"', '"\\u{1F600}"', '"\\q"', '"\\', '\\"""', "\\"),
    *("\x01", "\x02", "\ud800", "\u00e9", '"""a\n "b" """'),
)


def lexed(text):
    """The literals of a text as graphql-core reads them; nothing where it cannot."""
    lexer = Lexer(Source(text))
    found = []
    try:
        while (token := lexer.advance()).kind is not TokenKind.EOF:
            if token.kind in KINDS:
                found.append((token.start, token.end, token.value))
    except GraphQLSyntaxError:
        return None
    return found


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_the_scan_finds_exactly_the_literals_that_the_lexer_finds(text):
    found = lexed(text)
    if found is None:
        return
    _, words = scan(text)
    assert words == [text[start:end] for start, end, _ in found]
    assert places(text) == [start for start, _, _ in found]
    assert [read(word).value for word in words] == [value for _, _, value in found]


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.lists(st.sampled_from(PIECES), max_size=8))
def test_two_texts_of_one_skeleton_have_the_same_tokens_where_their_literals_can_be_read(one, other):
    one, other = "".join(one), "".join(other)
    (left, words), (right, others) = scan(one), scan(other)
    if left != right or len(words) != len(others) or lexed(one) is None:
        return
    if all(read(word) is not None for word in others):
        assert lexed(other) is not None


@pytest.mark.parametrize("word", ['"', '"a', '"""', '"""a', '"""a""', '"\\q"', "01", "-01", '"\ud800"', '"\\ud800"'])
def test_what_only_looks_like_a_literal_is_none(word):
    assert read(word) is None


def test_names_keep_their_digits_and_comments_go():
    assert scan('{ a1(b2: 3, c: "x # y") # "no" 4\n}') == ("{ a1(b2: \x02, c: \x01) \n}", ["3", '"x # y"'])
    assert scan("{ a }") == ("{ a }", [])
