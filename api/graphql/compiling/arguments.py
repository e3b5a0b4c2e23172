"""Arguments become slots: readings that differ only in their values share a plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLField,
    GraphQLInputType,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.values import VariableValues, get_argument_values

from api.graphql.limits import DEFAULT_PAGE, MAX_CHOICES, check_page, too_large
from domain import ids
from domain.errors import Malformed
from domain.reading import Slot
from domain.records import PREFIXES

Convert = Callable[[Any], Any]

UNWRITTEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters and halves of characters: no text of a request holds them, and no store keeps them all."""


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of one field: their values now, and how to find them again under other variables."""

    field: GraphQLField
    node: FieldNode
    values: Mapping[str, Any]
    constant: bool
    """Whether they hold no variable, so that they are the same in every request."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of one slot comes from."""

    given: Given
    path: tuple[str, ...]
    convert: Convert

    def value(self, values: Mapping[str, Any]) -> Any:
        """The value, out of the arguments of its field."""
        found: Any = values
        for key in self.path:
            found = found.get(key) if found is not None else None
        return self.convert(found)


class Slots:
    """The slots of one plan, in the order they were asked for."""

    def __init__(self) -> None:
        self._sources: list[Source] = []

    def add(self, given: Given, path: tuple[str, ...], convert: Convert) -> Slot:
        """The slot of one argument, or of one value inside it."""
        self._sources.append(Source(given, path, convert))
        return Slot(len(self._sources) - 1)

    def sources(self) -> tuple[Source, ...]:
        """Where each slot's value comes from."""
        return tuple(self._sources)


def given(field: GraphQLField, node: FieldNode, variables: VariableValues) -> Given:
    """The arguments of a field."""
    constant = not any(_has_variable(argument.value) for argument in node.arguments or ())
    return Given(field, node, get_argument_values(field, node, variables, hide_suggestions=True), constant)


def fill(sources: Iterable[Source], variables: VariableValues) -> list[Any]:
    """The value of every slot under these variables.

    Raises: Malformed, QUERY_TOO_LARGE, where a value breaks a bound of its place.
    """
    found: dict[int, Mapping[str, Any]] = {}
    values: list[Any] = []
    for source in sources:
        key = id(source.given)
        if key not in found:
            held = source.given
            found[key] = held.values if held.constant else get_argument_values(held.field, held.node, variables)
        values.append(source.value(found[key]))
    return values


def page_size(value: int | None) -> int:
    """The size of a page, within its bounds."""
    return check_page(DEFAULT_PAGE if value is None else value)


def plain(value: Any) -> Any:
    """A value as the read model knows it: an enum member is its word, a list is bounded, a text is one stores keep.

    Raises: Malformed, QUERY_TOO_LARGE for a list that is too long.
    """
    if isinstance(value, str) and UNWRITTEN.search(value):
        raise Malformed("A text of a condition holds characters that are not written.", advice="Leave them out.")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        if len(value) > MAX_CHOICES:
            raise too_large(f"A condition names at most {MAX_CHOICES} values.", "Ask in several documents.")
        return tuple(plain(item) for item in value)
    return value


def prefix_of_id(value: Any) -> str:
    """The prefix of a well-formed id of a known type; an empty word for everything else."""
    try:
        prefix = ids.prefix_of(value)
        ids.raw(value)
    except (Malformed, AttributeError, TypeError):
        return ""
    return prefix if prefix in PREFIXES else ""


def deciding(variables: VariableValues) -> tuple[Any, ...]:
    """What of the variables decides the plan: presence, booleans, purposes, orders, and the type an id names.

    Everything else only fills slots.
    """
    return tuple(
        _decides(variables.coerced.get(name), source.signature.type) for name, source in variables.sources.items()
    )


def _decides(value: Any, type_: GraphQLInputType) -> Any:
    if value is None:
        return None
    inner = type_.of_type if is_non_null_type(type_) else type_
    if is_list_type(inner):
        return True
    if is_input_object_type(inner):
        return tuple(
            (name, _decides(held, inner.fields[name].type)) for name, held in value.items() if held is not None
        )
    name = get_named_type(inner).name
    if name == "ID":
        return prefix_of_id(value)
    if name == "Boolean" or (is_enum_type(inner) and _orders_or_opens(name)):
        return value
    return True


def _orders_or_opens(enum: str) -> bool:
    return enum in {"Purpose", "OrderDirection"} or enum.endswith("OrderField")


def _has_variable(node: ArgumentNode | ValueNode) -> bool:
    match node:
        case VariableNode():
            return True
        case ListValueNode():
            return any(_has_variable(item) for item in node.values)
        case ObjectValueNode():
            return any(_has_variable(item.value) for item in node.fields)
        case _:
            return False
