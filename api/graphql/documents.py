"""The document of a request: parsed, measured and validated once; its operation and variables, checked each time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
from api.graphql.limits import (
    MAX_TOKENS,
    check_aside,
    check_document,
    check_size,
    check_text,
    check_variables,
    followed,
    too_large,
)
from api.graphql.sharing.hoisting import hoist, is_query
from api.graphql.sharing.literals import scan
from api.graphql.sharing.variables import Variable, coerce, variables_of_operation
from domain.errors import Malformed

MAX_ERRORS = 20
_TOLD = 10
"""How many operations of a document an error names."""
"""After this many errors of one document, validation stops."""
LOCATED = 3
"""How much heavier a document is whose nodes know where they stand."""


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One request as the HTTP layer read it."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    """It stands in every error and in the audit entry."""
    document: str | None = None
    """SHA-256 of the trusted document that is asked for, in hex; its text may then be left out."""


def document_of(memory: Memory, schema: GraphQLSchema, request: GraphQLRequest, owner: str = "") -> Document:
    """The document, checked once and then remembered in its owner's share.

    A new one that differs only in literals from one that is remembered is that one with its own literals, and takes
    no room.

    Raises: Malformed (QUERY_TOO_LARGE); Refusal when it is no GraphQL or does not fit the schema.
    """
    text = request.query
    known = memory.documents.find(text)
    if known is not None:
        return known
    check_size(text)
    skeleton, words = scan(text)
    if words:
        known = memory.documents.find((skeleton,))
        if known is not None and known.template is not None:
            literals = known.template.values(words)
            if literals is not None:
                return _with(known, literals)
    return _new(memory, schema, request, owner, (skeleton, words))


def located_document_of(request: GraphQLRequest, known: Document) -> Document:
    """A document that is known to be valid with nothing taken out of it, so that errors name their places.

    It is not remembered.
    """
    tree = parse(request.query, max_tokens=MAX_TOKENS)
    digest = hashlib.sha256(request.query.encode("utf-8", "surrogatepass")).digest()
    return Document(digest, tree, _fragments(tree), known.variables, known.weight)


def _new(
    memory: Memory, schema: GraphQLSchema, request: GraphQLRequest, owner: str, scanned: tuple[str, list[str]]
) -> Document:
    """A document seen for the first time: checked whole, and remembered without what later ones need not have."""
    text, (skeleton, words) = request.query, scanned
    check_aside(len(text) - len(skeleton))
    whole = checked_document_of(schema, request)
    if not is_query(whole.tree):
        memory.documents.keep(text, whole, owner, whole.weight * LOCATED)
        return whole
    bare = parse(text, no_location=True)
    template = None
    if words and memory.documents.find((skeleton,)) is None:
        template = hoist(schema, text, whole.tree, bare, words)
    if template is None:
        document = replace(whole, tree=bare, fragments=_fragments(bare), exact=False)
        memory.documents.keep(text, document, owner, document.weight)
        return document
    digest = hashlib.sha256(b"literals apart" + skeleton.encode("utf-8", "surrogatepass")).digest()
    fixed = "\0".join(place for place in template.places if isinstance(place, str))
    digest = hashlib.sha256(digest + fixed.encode("utf-8", "surrogatepass")).digest() if fixed else digest
    tree = template.tree
    document = replace(whole, digest=digest, tree=tree, fragments=_fragments(tree), exact=False, template=template)
    memory.documents.keep((skeleton,), document, owner, document.weight)
    literals = template.values(words)
    return whole if literals is None else _with(document, literals)


def _with(known: Document, literals: Mapping[str, Any]) -> Document:
    return Document(
        digest=known.digest,
        tree=known.tree,
        fragments=known.fragments,
        variables=known.variables,
        weight=known.weight,
        exact=False,
        template=known.template,
        literals=literals,
    )


def checked_document_of(schema: GraphQLSchema, request: GraphQLRequest, *, registered: bool = False) -> Document:
    """The document with nothing taken out of it; it is not remembered.

    Raises: Malformed (QUERY_TOO_LARGE); Refusal when it is no GraphQL or does not fit the schema.
    """
    try:
        tokens = check_text(request.query)
        tree = parse(request.query, max_tokens=MAX_TOKENS)
        check_document(tree, tokens, followed(schema), registered=registered or request.document is not None)
        found = validate(schema, tree, max_errors=MAX_ERRORS, hide_suggestions=True)
    except GraphQLSyntaxError as error:
        raise Refusal([errors.syntax(error, request.request_id)], parsed=False) from None
    except RecursionError:
        raise too_large("The document nests too deeply.", "Nest less deeply.") from None
    if found:
        raise Refusal([errors.invalid(error, request.request_id) for error in found])
    digest = hashlib.sha256(request.query.encode("utf-8", "surrogatepass")).digest()
    return Document(digest, tree, _fragments(tree), _variables(schema, tree), tokens)


def _variables(schema: GraphQLSchema, tree: DocumentNode) -> dict[str | None, tuple[Variable, ...]]:
    found = {
        item.name.value if item.name else None: variables_of_operation(schema, item)
        for item in tree.definitions
        if isinstance(item, OperationDefinitionNode)
    }
    return {name: variables for name, variables in found.items() if variables is not None}


def _fragments(tree: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {item.name.value: item for item in tree.definitions if isinstance(item, FragmentDefinitionNode)}


def no_operation(tree: DocumentNode) -> Malformed:
    """The refusal of a request that names no operation of its document, or names none of several."""
    found = [item.name for item in tree.definitions if isinstance(item, OperationDefinitionNode)]
    named = [name.value for name in found if name]
    advice = "Leave operationName out: the operation has no name." if found else "Send a document with an operation."
    if named:
        advice = f"Set operationName to {' or '.join(named[:_TOLD])}."
    return Malformed("The document has no such operation.", advice=advice)


def operation_of(document: Document, request: GraphQLRequest) -> OperationDefinitionNode:
    """The operation that is asked for.

    Raises: Malformed when it is not there, not the only one, or of a kind that is not served here.
    """
    operation = get_operation_ast(document.tree, request.operation_name)
    if operation is None:
        raise no_operation(document.tree)
    if operation.operation is OperationType.SUBSCRIPTION:
        advice = "Open a stream instead: Accept: text/event-stream, or a WebSocket at /graphql."
        raise Malformed("Subscriptions are not served by this request.", advice=advice)
    return operation


def variables_of(
    schema: GraphQLSchema, operation: OperationDefinitionNode, request: GraphQLRequest, document: Document | None = None
) -> VariableValues:
    """The variables, coerced, and with them the literals that a document's template took out.

    Raises: Refusal naming each variable that does not fit, and never its value; Malformed (QUERY_TOO_LARGE).
    """
    given = request.variables or {}
    name = operation.name.value if operation.name else None
    known = document.variables.get(name) if document else None
    coerced = coerce(known, given, leaves=True) if known is not None else None
    if coerced is None:
        check_variables(given)
        coerced = coerce(known, given) if known is not None else None
        if coerced is None:
            coerced = _coerced(schema, operation, dict(given), request, fit=known is None)
    if document is not None and document.template is not None:
        coerced.sources.update(document.template.sources)
        coerced.coerced.update(document.literals)
    return coerced


def _coerced(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    given: dict[str, Any],
    request: GraphQLRequest,
    *,
    fit: bool,
) -> VariableValues:
    """The variables as graphql-core coerces them, where they may fit at all."""
    if fit:
        definitions = operation.variable_definitions or ()
        coerced = get_variable_values(schema, definitions, given, MAX_ERRORS, hide_suggestions=True)
        if isinstance(coerced, VariableValues):
            return coerced
    raise Refusal(_unfit(schema, operation, given, request.request_id), in_document=False)


class _Enough(Exception):
    """As many places are found as are told."""


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
            if len(places) >= MAX_ERRORS:
                raise _Enough

        if signature.name in given or (definition.default_value is None):
            value = given.get(signature.name)
            with suppress(_Enough):
                validate_input_value(value, signature.type, unfit, hide_suggestions=True)
            for place in places:
                told += errors.variable(signature.name, signature.type, value, place, request)
    return told[:MAX_ERRORS] or [errors.told(Malformed("The variables do not fit the document."), request)]
