"""A coerced input object becomes an operation; a value that no operation takes is refused with its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from api.graphql.compiling.arguments import UNWRITTEN, prefix_of_id
from api.graphql.generation.entered import attributes
from api.graphql.generation.parts import is_value, item_of
from api.graphql.generation.wording import camel
from api.graphql.limits import MAX_ITEMS, too_large
from domain.errors import Malformed
from domain.ids import Id
from domain.money import Money

E = TypeVar("E")

Place = tuple[str, ...]


def enter(cls: type[E], given: Mapping[str, Any], place: Place = ()) -> E:
    """An operation, or a value object of one, from what was entered.

    Raises: Malformed, its path naming the value in the input.
    """
    found: dict[str, Any] = {}
    for key, item in attributes(cast("type", cls)).items():
        held = given.get(key)
        if held is not None:
            found[item.name] = _value(item.type, held, (*place, key))
        elif item.default is dataclasses.MISSING:
            found[item.name] = None
    return cls(**found)


def placed(cls: type, path: Sequence[str]) -> list[str]:
    """Where the value an error names stands in the input, outermost name first.

    An operation names a value by its own name alone; the value object that holds it stands before it. A value in a
    list is named with its index, so of a list and an object that both know a name, the object is meant. Within a text
    that is a document of its own, keys are told as they stand there.
    """
    names = [camel(name) for name in path]
    own = attributes(cls)
    if not names:
        return names
    if names[0] in own:
        return [names[0], *path[1:]] if own[names[0]].type is str else names
    objects = [key for key, item in own.items() if names[0] in _inner(item.type)]
    lists = [key for key, item in own.items() if names[0] in _inner(item_of(item.type))]
    holders = objects or lists
    return [*holders, *names] if len(holders) == 1 else names


def _inner(type_: Any) -> Mapping[str, Any]:
    return attributes(type_) if is_value(type_) and type_ is not Money else {}


def _value(type_: Any, held: Any, place: Place) -> Any:
    item = item_of(type_)
    if item is not None:
        if len(held) > MAX_ITEMS:
            raise too_large(f"A list holds at most {MAX_ITEMS} items.", "Send several requests.", place)
        return tuple(_value(item, one, (*place, str(index))) for index, one in enumerate(held))
    if type_ is Money:
        return _money(held, place)
    if is_value(type_):
        return enter(type_, held, place)
    if type_ is Id:
        return _id(held, place)
    return _text(held, place) if type_ is str else held


def _money(held: Mapping[str, Any], place: Place) -> Money:
    try:
        return Money.parse(format(held["amount"], "f"), held["currency"])
    except Malformed as error:
        raise Malformed(error.message, code=error.code, advice=error.advice, path=place) from None


def _id(held: str, place: Place) -> Id:
    if not prefix_of_id(held):
        raise Malformed("The id is not well formed.", advice="Send ids exactly as received.", path=place)
    return Id(held)


def _text(held: str, place: Place) -> str:
    if UNWRITTEN.search(held):
        raise Malformed("The text holds characters that are not written.", advice="Leave them out.", path=place)
    return held
