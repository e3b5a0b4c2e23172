"""Documents with something wrong: a token too many or too few, another word, variables that do not fit."""

from __future__ import annotations

from dataclasses import replace

from graphql import Lexer, Source, TokenKind
from hypothesis import strategies as st

WORDS = (
    *(
        "id",
        "name",
        "nodes",
        "confidential",
        "withheld",
        "__typename",
        "CreditFile",
        "Node",
        "ASC",
        "Q",
        "null",
        "true",
    ),
    *(
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "...",
        "@",
        "=",
        "$v0",
        "$v9",
        "$",
        "0",
        "-1",
        "101",
        "1.5",
        "99999999999",
    ),
    *('""', '"cf_"', '"\\u0001"', '"\\uD83D"', '"2026-02-30T00:00:00Z"', '"2026-11-24"', "on", "skip", "if", "@skip"),
    *(
        "fragment",
        "query",
        "first",
        "after",
        "filter",
        "purpose",
        "orderBy",
        "@include(if: $v0)",
        "F0",
        "...F0",
        "é",
        "#",
    ),
)
VALUES = (
    *(None, "", "x", "CREDIT_REVIEW", "cf_" + "0" * 26, "é\x01", "\ud800", 0, -1, 101, 2**31, 1.5, True, [], [None]),
    *(["x"], {}, {"field": "NAME"}, {"field": None}, {"name": {"eq": 1}}, {"reference": {"in": [None, "a"]}}),
    *("2026-02-30T00:00:00Z", "2026-11-24T00:00:00", "2026-11-24T00:00:00.1234567Z", {"grade": {"in": ["AA", "ZZ"]}}),
)


@st.composite
def spoiled(draw, document):
    """The document with one or two things changed; some changes leave it valid."""
    for _ in range(draw(st.integers(1, 2))):
        kinds = [in_text, in_text, in_variables, in_name]
        document = draw(draw(st.sampled_from(kinds[: 4 if document.variables else 2]))(document))
    return document


@st.composite
def in_text(draw, document):
    """One token less, more or another."""
    tokens = tokens_of(document.text)
    if not tokens:
        return document
    place = draw(st.integers(0, len(tokens) - 1))
    new = draw(st.sampled_from([*WORDS, *tokens]))
    before, after = tokens[:place], tokens[place + 1 :]
    ways = ([*before, *after], [*before, tokens[place], new, *after], [*before, new, *after], [*before, new, *after])
    return replace(document, text=" ".join(draw(st.sampled_from(ways))))


@st.composite
def in_variables(draw, document):
    """A variable less, or with another value."""
    name = draw(st.sampled_from(sorted(document.variables) or ["v0"]))
    kept = {key: value for key, value in document.variables.items() if key != name}
    if draw(st.integers(0, 3)):
        kept[name] = draw(st.sampled_from(VALUES))
    return replace(document, variables=kept)


@st.composite
def in_name(draw, document):
    """Another operation is asked for."""
    return replace(document, name=draw(st.sampled_from([None, "Q", "R", ""])))


def tokens_of(text):
    """The tokens of a text, as far as they can be read."""
    lexer, found = Lexer(Source(text)), []
    try:
        while (token := lexer.advance()).kind is not TokenKind.EOF:
            found.append(text[token.start : token.end])
    except Exception:  # noqa: BLE001 - what was spoiled before may not be read to its end
        return found
    return found
