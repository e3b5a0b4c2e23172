"""The document of a request: parsed, measured and validated once; its operation and variables, checked each time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.utilities import validate_input_value

from api.graphql import errors
from api.graphql.context import Document, Memory
from api.graphql.errors import Refusal
from api.graphql.limits import MAX_TOKENS, check_document, check_text, too_large
from domain.errors import Malformed

MAX_ERRORS = 20
"""After this many errors of one document, validation stops."""


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One request as the HTTP layer read it."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    """It stands in every error and in the audit entry."""


def document_of(memory: Memory, schema: GraphQLSchema, request: GraphQLRequest) -> Document:
    """The document, checked once and then remembered.

    Raises: Malformed (QUERY_TOO_LARGE); Refusal when it is no GraphQL or does not fit the schema.
    """
    digest = hashlib.sha256(request.query.encode("utf-8", "surrogatepass")).digest()
    return memory.documents.get(digest, lambda: _checked(digest, schema, request))


def _checked(digest: bytes, schema: GraphQLSchema, request: GraphQLRequest) -> Document:
    try:
        check_text(request.query)
        tree = parse(request.query, max_tokens=MAX_TOKENS)
        check_document(tree)
        found = validate(schema, tree, max_errors=MAX_ERRORS, hide_suggestions=True)
    except GraphQLSyntaxError as error:
        raise Refusal([errors.syntax(error, request.request_id)]) from None
    except RecursionError:
        raise too_large("The document nests too deeply.", "Nest less deeply.") from None
    if found:
        raise Refusal([errors.invalid(error, request.request_id) for error in found])
    return Document(digest, tree, _fragments(tree))


def _fragments(tree: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {item.name.value: item for item in tree.definitions if isinstance(item, FragmentDefinitionNode)}


def operation_of(document: Document, request: GraphQLRequest) -> OperationDefinitionNode:
    """The operation that is asked for.

    Raises: Malformed when it is not there, not the only one, or of a kind that is not served here.
    """
    operation = get_operation_ast(document.tree, request.operation_name)
    if operation is None:
        raise Malformed("The document has no such operation.", advice="Name one operation of the document.")
    if operation.operation is OperationType.SUBSCRIPTION:
        raise Malformed("Subscriptions are not served by this request.", advice="Open a stream instead.")
    return operation


def variables_of(schema: GraphQLSchema, operation: OperationDefinitionNode, request: GraphQLRequest) -> VariableValues:
    """The variables, coerced.

    Raises: Refusal naming each variable that does not fit, and never its value.
    """
    given = dict(request.variables or {})
    coerced = get_variable_values(
        schema, operation.variable_definitions or (), given, MAX_ERRORS, hide_suggestions=True
    )
    if isinstance(coerced, VariableValues):
        return coerced
    raise Refusal(_unfit(schema, operation, given, request.request_id))


def _unfit(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any], request: str
) -> list[dict[str, Any]]:
    """What does not fit about the variables, told without their values."""
    from graphql.execution.get_variable_signature import get_variable_signature  # noqa: PLC0415 - only where variables do not fit

    told: list[dict[str, Any]] = []
    for definition in operation.variable_definitions or ():
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError):
            told.append(errors.invalid(signature, request))
            continue
        places: dict[tuple[str | int, ...], None] = {}

        def unfit(_error: GraphQLError, path: list[str | int], places: dict[Any, None] = places) -> None:
            places[tuple(path)] = None

        if signature.name in given or (definition.default_value is None):
            value = given.get(signature.name)
            validate_input_value(value, signature.type, unfit, hide_suggestions=True)
            for place in places:
                told += errors.variable(signature.name, signature.type, value, place, request)
    return told[:MAX_ERRORS] or [errors.told(Malformed("The variables do not fit the document."), request)]
