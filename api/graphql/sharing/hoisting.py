"""Literals in arguments become variables, so that documents which differ only in them are one document.

A literal stays where it is, and must then be the same, where more than its type counts: in directives, in defaults, in
descriptions, beneath introspection, and wherever a response key stands more than once in the document, since fields of
one key merge only when their arguments are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from graphql import (
    DefinitionNode,
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NameNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature
from graphql.execution.values import VariableValueSource
from graphql.utilities.coerce_input_value import coerce_input_literal

from api.graphql.limits import MAX_PAGE
from api.graphql.sharing.literals import Literal, places, read

PAGE = "first"

Rename = Callable[[Literal, GraphQLInputType, str], str | None]
"""The variable that stands for a literal of an argument, if any; called in the order of the walk."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a literal stood that became a variable."""

    name: str
    """The variable's name; it starts with a digit, so no variable of a document has it."""
    type: GraphQLInputType
    page: bool
    """Whether it may be the size of a page, which is bounded before anything else is looked at."""


@dataclass(frozen=True, slots=True)
class Template:
    """A document without its literals."""

    tree: DocumentNode
    places: tuple[Place | str, ...]
    """By literal of the text: its variable, or the literal itself where it must be the same."""
    sources: Mapping[str, VariableValueSource] = field(default_factory=dict)

    def values(self, words: Sequence[str]) -> dict[str, Any] | None:
        """The literals of a text as values of variables; nothing where one does not fit."""
        if len(words) != len(self.places):
            return None
        found: dict[str, Any] = {}
        for place, word in zip(self.places, words, strict=True):
            if isinstance(place, str):
                if place != word:
                    return None
                continue
            value = _value(place, word)
            if value is Undefined:
                return None
            found[place.name] = value
        return found


def hoist(
    schema: GraphQLSchema, text: str, located: DocumentNode, bare: DocumentNode, words: Sequence[str]
) -> Template | None:
    """The template of a valid document of queries, given twice: with locations, and the same without them.

    Nothing where it has no literal that may differ, or holds more than queries.
    """
    if not is_query(located):
        return None
    order = {start: at for at, start in enumerate(places(text))}
    kept: list[Place | str] = list(words)
    names: list[str | None] = []

    def look(literal: Literal, type_: GraphQLInputType, argument: str) -> str | None:
        at = order.get(literal.loc.start) if literal.loc else None
        same = read(words[at]) if at is not None else None
        if at is None or type(same) is not type(literal) or same.value != literal.value:
            names.append(None)
            return None
        kept[at] = Place(str(at), type_, argument == PAGE)
        names.append(str(at))
        return None

    _Walk(schema, located, look).done()
    if not any(names):
        return None
    following = iter(names)
    tree = _Walk(schema, bare, lambda _literal, _type, _argument: next(following)).done()
    return Template(tree, tuple(kept), {place.name: _source(place) for place in kept if isinstance(place, Place)})


def is_query(tree: DocumentNode) -> bool:
    """Whether a document holds nothing but queries and fragments."""
    return all(
        isinstance(item, FragmentDefinitionNode)
        or (isinstance(item, OperationDefinitionNode) and item.operation is OperationType.QUERY)
        for item in tree.definitions
    )


def _source(place: Place) -> VariableValueSource:
    return VariableValueSource(GraphQLVariableSignature(name=place.name, type=place.type, default=None))


def _value(place: Place, word: str) -> Any:
    literal = read(word)
    if literal is None:
        return Undefined
    try:
        value = coerce_input_literal(literal, place.type)
    except Exception:  # noqa: BLE001 - whatever a scalar says, the whole way says it exactly
        return Undefined
    return Undefined if place.page and isinstance(value, int) and not 1 <= value <= MAX_PAGE else value


N = TypeVar("N", bound=ValueNode)


class _Walk:
    """Writes a valid document anew, with variables where literals stood."""

    def __init__(self, schema: GraphQLSchema, tree: DocumentNode, rename: Rename) -> None:
        self._schema = schema
        self._tree = tree
        self._rename = rename
        self._keys = Counter(
            (item.alias or item.name).value
            for definition in tree.definitions
            if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
            for item in _fields(definition.selection_set)
        )

    def done(self) -> DocumentNode:
        """The document."""
        return replace(self._tree, definitions=tuple(self._definition(item) for item in self._tree.definitions))

    def _definition(self, item: DefinitionNode) -> DefinitionNode:
        match item:
            case OperationDefinitionNode():
                root = self._schema.get_root_type(item.operation)
                return replace(item, selection_set=self._set(item.selection_set, root))
            case FragmentDefinitionNode():
                on = self._schema.get_type(item.type_condition.name.value)
                return replace(item, selection_set=self._set(item.selection_set, on))
            case _:
                return item

    def _set(self, selections: SelectionSetNode, on: GraphQLNamedType | None) -> SelectionSetNode:
        return replace(selections, selections=tuple(self._selection(item, on) for item in selections.selections))

    def _selection(self, item: SelectionNode, on: GraphQLNamedType | None) -> SelectionNode:
        match item:
            case FieldNode() if not item.name.value.startswith("__"):
                return self._field(item, on)
            case InlineFragmentNode():
                wider = self._schema.get_type(item.type_condition.name.value) if item.type_condition else on
                return replace(item, selection_set=self._set(item.selection_set, wider))
            case _:
                return item

    def _field(self, item: FieldNode, on: Any) -> FieldNode:
        field_ = on.fields[item.name.value]
        arguments = item.arguments
        if arguments and self._keys[(item.alias or item.name).value] == 1:
            arguments = tuple(
                replace(given, value=self._value(given.value, field_.args[given.name.value].type, given.name.value))
                for given in arguments
            )
        inner = item.selection_set
        inside = self._set(inner, get_named_type(field_.type)) if inner else None
        return replace(item, arguments=arguments, selection_set=inside)

    def _value(self, value: ValueNode, type_: GraphQLInputType, argument: str) -> ValueNode:
        match value:
            case StringValueNode() | IntValueNode() | FloatValueNode():
                name = self._rename(value, type_, argument)
                return value if name is None else VariableNode(name=NameNode(value=name))
            case ListValueNode():
                listed = get_nullable_type(type_)
                item: Any = listed.of_type if is_list_type(listed) else listed
                return replace(value, values=tuple(self._value(one, item, argument) for one in value.values))
            case ObjectValueNode():
                inner: Any = get_named_type(type_)
                if not is_input_object_type(inner):
                    return value
                return replace(
                    value,
                    fields=tuple(
                        replace(one, value=self._value(one.value, inner.fields[one.name.value].type, ""))
                        for one in value.fields
                    ),
                )
            case _:
                return value


def _fields(selections: SelectionSetNode) -> Iterator[FieldNode]:
    for item in selections.selections:
        if isinstance(item, FieldNode):
            yield item
        inner = getattr(item, "selection_set", None)
        if inner is not None:
            yield from _fields(inner)
