"""The variables of an operation: what is known of them before any request, and their values in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable that an operation declares."""

    signature: GraphQLVariableSignature
    leaf: bool
    required: bool
    absent: VariableValueSource


def variables_of_operation(schema: GraphQLSchema, operation: OperationDefinitionNode) -> tuple[Variable, ...] | None:
    """The variables that an operation declares; nothing where one of them has no input type."""
    found: list[Variable] = []
    for definition in operation.variable_definitions or ():
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError):
            return None
        found.append(
            Variable(
                signature=signature,
                leaf=is_leaf_type(get_nullable_type(signature.type)),
                required=is_non_null_type(signature.type),
                absent=VariableValueSource(signature),
            )
        )
    return tuple(found)


def coerce(variables: tuple[Variable, ...], given: Mapping[str, Any], *, leaves: bool = False) -> VariableValues | None:
    """The values, where all that are given fit and, where only leaves are wanted, are leaves; nothing otherwise."""
    sources: dict[str, VariableValueSource] = {}
    coerced: dict[str, Any] = {}
    for variable in variables:
        signature = variable.signature
        name = signature.name
        value = given.get(name, Undefined)
        if value is Undefined:
            if variable.required and signature.default is None:
                return None
            sources[name] = variable.absent
            held = coerce_default_value(signature)
        else:
            if leaves and not variable.leaf:
                return None
            sources[name] = VariableValueSource(signature, value)
            held = coerce_input_value(value, signature.type)
            if held is Undefined:
                return None
        if held is not Undefined:
            coerced[name] = held
    return VariableValues(sources, coerced)
