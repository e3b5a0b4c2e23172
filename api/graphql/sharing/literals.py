"""The text of a document is told apart from its literals in one linear scan, without parsing it."""

from __future__ import annotations

import re

from graphql import FloatValueNode, GraphQLSyntaxError, IntValueNode, Lexer, Source, StringValueNode, TokenKind

Literal = StringValueNode | IntValueNode | FloatValueNode

# Every part consumes what it starts with, so that an end that is missing costs one scan. A digit inside a name starts
# no number. What only looks like a literal is sorted out by `read`, or was no GraphQL when its template was checked.
_NUMBER = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_LITERAL = re.compile(
    r'("""(?:[^"\\]|\\"""|\\|"(?!""))*+(?:"""|\Z)'
    r'|"(?:[^"\\\n\r]|\\.)*+"?'
    r"|\#[^\n\r]*+"
    rf"|-{_NUMBER}|(?<![A-Za-z0-9_]){_NUMBER})",
    re.ASCII,
)
_WRITTEN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_TEXT, _WHOLE, _BROKEN = "\x01", "\x02", "\x03"
"""The marks of literals by their kind; no document holds these characters outside texts and comments."""


def scan(text: str) -> tuple[str, list[str]]:
    """The text with a mark in place of each literal and without comments, and the literals as they are written."""
    parts = _LITERAL.split(text)
    words: list[str] = []
    for at in range(1, len(parts), 2):
        word = parts[at]
        if word[0] == "#":
            parts[at] = ""
            continue
        if word[0] == '"':
            parts[at] = _TEXT
        else:
            parts[at] = _WHOLE if word.removeprefix("-").isdigit() else _BROKEN
        words.append(word)
    return "".join(parts), words


def places(text: str) -> list[int]:
    """Where each literal of a text starts, in the order of `scan`."""
    return [found.start() for found in _LITERAL.finditer(text) if found[0][0] != "#"]


def read(word: str) -> Literal | None:
    """A literal as a document holds it; nothing where it is none."""
    if word[0] != '"':
        if not _WRITTEN.fullmatch(word):
            return None
        return IntValueNode(value=word) if word.removeprefix("-").isdigit() else FloatValueNode(value=word)
    if len(word) > 1 and word[-1] == '"' and word[:3] != '"""' and "\\" not in word and word.isascii():
        return StringValueNode(value=word[1:-1])
    lexer = Lexer(Source(word))
    try:
        token = lexer.advance()
        whole = lexer.lookahead().kind is TokenKind.EOF
    except GraphQLSyntaxError:
        return None
    return StringValueNode(value=token.value or "") if whole else None
