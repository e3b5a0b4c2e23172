"""How the rows of a reading become an answer in document order; it runs after the Gate has opened the values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import getitem
from typing import Any

from orjson import Fragment

from api.graphql.generation.wording import camel
from domain.reading import Written

Form = Callable[[Any], Any]
"""Makes one place of the answer from what the reading has there, which is never null."""


class Broken(ValueError):
    """A value is null where the schema promises one: a bug, or a row that no longer fits its declaration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One response key: a word known beforehand, or the value under a label of the reading, in its form."""

    key: str
    word: str | None = None
    label: str = ""
    form: Form | None = None
    """None where the value stands in the answer as it is."""
    place: str = ""
    """Named where the schema promises a value; null is a bug there."""


def fill(form: Form | None, held: Any) -> Any:
    """A value in its form; what the store has written already is spliced in as it is."""
    if type(held) is Written:
        return Fragment(held.text)
    return held if form is None else form(held)


def row(entries: Sequence[Entry], get: Callable[[Any, str], Any] = getitem) -> Form:
    """An object of the answer: each labelled value in its form, null where there is none."""
    template = {entry.key: entry.word for entry in entries}
    filled = tuple((entry.key, entry.label, entry.form, entry.place) for entry in entries if entry.word is None)

    def shape(values: Any) -> dict[str, Any]:
        made: dict[str, Any] = template.copy()
        for key, label, form, place in filled:
            held = get(values, label)
            if held is not None:
                made[key] = held if form is None else fill(form, held)
            elif place:
                raise Broken(f"{place} is null.")
        return made

    return shape


def value(entries: Sequence[Entry]) -> Form:
    """A value object such as money: its attributes under their response keys."""
    return row(entries, getattr)


def many(form: Form | None, place: str) -> Form:
    """A list, each item in its form; no item is null."""

    def shape(held: Sequence[Any]) -> list[Any]:
        if None in held:
            raise Broken(f"An item of {place} is null.")
        return list(held) if form is None else [form(item) for item in held]

    return shape


def withheld(entries: Sequence[Entry]) -> Form:
    """What stayed closed, each field once under its name in the schema."""
    form = row(entries)

    def shape(items: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        once = {item["field"]: {**item, "field": camel(item["field"])} for item in items}
        return [form(item) for item in once.values()]

    return shape


def edges(entries: Sequence[Entry]) -> Form:
    """The rows of a page, each with its cursor."""
    form = row(entries)

    def shape(page: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows = page["rows"]
        pairs = zip(rows, page["cursors"] or (None,) * len(rows), strict=True)
        return [form({"node": held, "cursor": cursor}) for held, cursor in pairs]

    return shape


def on_sheet(form: Form, sheet: int) -> Form:
    """A row of a page, which may stand written on several sheets."""
    return lambda held: Fragment(held[sheet]) if type(held) is tuple else form(held)


def nodes(form: Form, sheet: int) -> Form:
    """The rows of a page."""

    def shape(page: Mapping[str, Any]) -> Any:
        rows = page["rows"]
        if rows and type(rows[0]) is tuple:
            return Fragment(f"[{','.join([texts[sheet] for texts in rows])}]")
        return [form(held) for held in rows]

    return shape


def page_info(entries: Sequence[Entry]) -> Form:
    """Where a page stands."""
    form = row(entries)

    def shape(page: Mapping[str, Any]) -> dict[str, Any]:
        cursors = page["cursors"]
        known = {
            "hasNextPage": bool(page["more"]),
            "hasPreviousPage": bool(page["earlier"]),
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        }
        return form(known)  # type: ignore[no-any-return] # the form of a row makes an object

    return shape


def total(page: Mapping[str, Any]) -> int:
    """How many rows there are on all pages together."""
    return int(page["total"])


def connection(forms: Mapping[str, Form | str]) -> Form:
    """A page in the reader's own form: each response key from the whole page, or a word known beforehand."""
    fixed = tuple(forms.items())
    return lambda page: {key: form if isinstance(form, str) else form(page) for key, form in fixed}
