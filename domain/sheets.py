"""Sheets say how the rows of a level are written in the answer: the reader's keys, in the reader's order.

A level that has sheets may be answered as JSON text, one text for each sheet of a row, instead of rows whose values are
still to be put in form. Whether it is, is for the store to decide: the answer is the same, letter by letter.
A sheet names only what its level asks for anyway; it is judged by that, and adds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A text known beforehand, such as the name of a type."""

    text: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A fact or a stamp, written as its type is."""

    name: str


@dataclass(frozen=True, slots=True)
class Portion:
    """A fact that is a value object, such as money: some of its attributes."""

    name: str
    entries: tuple[tuple[str, Word | Leaf], ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """What the link under a label of the level leads to: a record on its sheet, null where there is none, or a page."""

    label: str


Part = Word | Leaf | Portion | Linked


@dataclass(frozen=True, slots=True)
class Sheet:
    """One object of the answer."""

    entries: tuple[tuple[str, Part], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of a page, each on one of the level's sheets."""

    sheet: int


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The rows of a page, each inside an object of its own, on one or several of the level's sheets."""

    entries: tuple[tuple[str, Word | Listed], ...]


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are on all pages together."""


Layout = tuple[tuple[str, Word | Listed | Wrapped | Total], ...]
"""A page: its keys in the reader's order. What tells where the page stands, such as a cursor, is known in rows only."""


@dataclass(frozen=True, slots=True)
class Written:
    """A place of the answer that is JSON text already: nothing puts it in form again."""

    text: str
