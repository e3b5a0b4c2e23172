"""Which fields a selection asks for, once fragments are written out and conditions are settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    is_abstract_type,
)
from graphql.execution.values import VariableValues, get_directive_values

Fields = dict[str, list[FieldNode]]
"""The fields asked for, by response key in document order; those of one key are one field whose selections add up."""


@dataclass(frozen=True, slots=True)
class Selections:
    """What a document's selections mean under one set of variables."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues

    def of(self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> Fields:
        """The fields that selection sets on an object of a type ask for."""
        found: Fields = {}
        visited: set[str] = set()
        for selection_set in sets:
            for field in self._walk(type_, selection_set, visited):
                found.setdefault((field.alias or field.name).value, []).append(field)
        return found

    def under(self, type_: GraphQLObjectType, nodes: Iterable[FieldNode]) -> Fields:
        """The fields asked for beneath fields of one response key."""
        return self.of(type_, [node.selection_set for node in nodes if node.selection_set])

    def object(self, name: str) -> GraphQLObjectType:
        """An object type of the schema by its name."""
        found = self.schema.get_type(name)
        if not isinstance(found, GraphQLObjectType):
            raise TypeError(f"{name} is no object type of the schema.")
        return found

    def _walk(
        self, type_: GraphQLObjectType, selection_set: SelectionSetNode, visited: set[str]
    ) -> Iterator[FieldNode]:
        for item in selection_set.selections:
            if not self._wanted(item):
                continue
            match item:
                case FieldNode():
                    yield item
                case InlineFragmentNode():
                    if item.type_condition is None or self._fits(item.type_condition.name.value, type_):
                        yield from self._walk(type_, item.selection_set, visited)
                case FragmentSpreadNode():
                    fragment = self.fragments[item.name.value]
                    if item.name.value in visited or not self._fits(fragment.type_condition.name.value, type_):
                        continue
                    visited.add(item.name.value)
                    yield from self._walk(type_, fragment.selection_set, visited)

    def _fits(self, condition: str, type_: GraphQLObjectType) -> bool:
        if condition == type_.name:
            return True
        wider = self.schema.get_type(condition)
        return is_abstract_type(wider) and self.schema.is_sub_type(wider, type_)

    def _wanted(self, item: SelectionNode) -> bool:
        if not item.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, item, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, item, self.variables)
        return not (skip and skip["if"]) and not (include and not include["if"])
