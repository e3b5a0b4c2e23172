"""How the rows of a reading become an answer in document order; it runs after the Gate has opened the values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from api.graphql.generation.wording import camel

Form = Callable[[Any], Any]
"""Makes one place of the answer from what the reading has there."""

Entry = tuple[str, str | None, Form]
"""A response key, the label its value has in the reading (None for a known word), and its form."""


class Broken(ValueError):
    """A value is null where the schema promises one: a bug, or a row that no longer fits its declaration."""


def word(text: str) -> Form:
    """A word known beforehand, such as the name of a type."""
    return lambda _value: text


def optional(form: Form) -> Form:
    """Null stays null."""
    return lambda value: None if value is None else form(value)


def required(form: Form, place: str) -> Form:
    """Null is a bug here, and is told as one."""

    def shape(value: Any) -> Any:
        if value is None:
            raise Broken(f"{place} is null.")
        return form(value)

    return shape


def many(form: Form) -> Form:
    """A list, each item in its form."""
    return lambda values: [form(value) for value in values]


def row(entries: Sequence[Entry]) -> Form:
    """One record: its labelled values under their response keys."""
    fixed = tuple(entries)

    def shape(values: Mapping[str, Any]) -> dict[str, Any]:
        return {key: form(None if label is None else values[label]) for key, label, form in fixed}

    return shape


def value(entries: Sequence[Entry]) -> Form:
    """A value object such as money: its attributes under their response keys."""
    fixed = tuple(entries)

    def shape(held: Any) -> dict[str, Any]:
        return {key: form(None if label is None else getattr(held, label)) for key, label, form in fixed}

    return shape


def withheld(entries: Sequence[Entry]) -> Form:
    """What stayed closed, each field once under its name in the schema."""
    fixed = tuple(entries)

    def shape(items: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        once = {item["field"]: {**item, "field": camel(item["field"])} for item in items}
        return [
            {key: form(None if label is None else item[label]) for key, label, form in fixed} for item in once.values()
        ]

    return shape


def edges(entries: Sequence[Entry]) -> Form:
    """The rows of a page, each with its cursor."""
    fixed = tuple(entries)

    def shape(page: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {key: form(cursor if label == "cursor" else held) for key, label, form in fixed}
            for held, cursor in zip(page["rows"], page["cursors"], strict=True)
        ]

    return shape


def nodes(form: Form) -> Form:
    """The rows of a page."""
    return lambda page: [form(held) for held in page["rows"]]


def page_info(entries: Sequence[Entry]) -> Form:
    """Where a page stands."""
    fixed = tuple(entries)

    def shape(page: Mapping[str, Any]) -> dict[str, Any]:
        cursors = page["cursors"]
        known = {
            "hasNextPage": bool(page["more"]),
            "hasPreviousPage": bool(page["earlier"]),
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        }
        return {key: form(None if label is None else known[label]) for key, label, form in fixed}

    return shape


def total(page: Mapping[str, Any]) -> int:
    """How many rows there are on all pages together."""
    return int(page["total"])


def connection(entries: Sequence[tuple[str, Form]]) -> Form:
    """A page in the reader's own form."""
    fixed = tuple(entries)
    return lambda page: {key: form(page) for key, form in fixed}


def same(held: Any) -> Any:
    """The value as it is."""
    return held
