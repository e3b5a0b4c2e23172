"""One request: parse, limit, validate, compile, judge, read, shape. No step after a failed one runs."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_operation_ast,
    parse,
    validate,
)
from graphql import execute as execute_by_core
from graphql.execution.values import VariableValues, get_variable_values
from graphql.utilities import validate_input_value

from api.graphql import errors
from api.graphql.compiler import Compiled, compile_query
from api.graphql.compiling.arguments import deciding
from api.graphql.compiling.selections import Selections
from api.graphql.context import Context, Document, House, Memory, Prepared, prepare
from api.graphql.errors import Refusal
from api.graphql.limits import MAX_TOKENS, check_document, check_rows, check_text, too_large
from api.graphql.mutations import MUTATIONS
from api.graphql.operations import INTROSPECT
from api.graphql.payloads import prepare_payloads, rows_of
from api.graphql.queries import Me
from domain.actors import Actor, Rights
from domain.errors import CreditError, Malformed, NotPermitted

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


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back: data, errors, or both."""

    data: dict[str, Any] | None
    errors: list[dict[str, Any]]
    executed: bool
    """Whether anything ran; a request that was refused before has errors and no data at all."""
    cost: dict[str, int] = field(default_factory=dict)
    """How many rows each root can read at most."""

    def body(self) -> dict[str, Any]:
        """The answer as GraphQL over HTTP prints it."""
        body: dict[str, Any] = {"errors": self.errors} if self.errors else {}
        body |= {"data": self.data} if self.executed else {}
        return body | ({"extensions": {"cost": self.cost}} if self.cost else {})


def may_introspect(rights: Rights) -> bool:
    """Whether the rights open the schema to `__schema` and `__type`."""
    return rights.permits(INTROSPECT)


async def execute(
    house: House,
    actor: Actor,
    request: GraphQLRequest,
    *,
    introspect: Callable[[Rights], bool] = may_introspect,
) -> Response:
    """Carries out one request of an authenticated actor; it always answers and never raises."""
    try:
        rights = house.rights(actor)
        document = _document(house.memory, house.schema.graph, request)
        operation = _operation(document, request)
        variables = _variables(house.schema.graph, operation, request)
        key = (document.digest, request.operation_name, rights.id, rights.version, deciding(variables))
        context = Context(house, actor, rights, request.request_id, variables, key)
        if operation.operation is OperationType.QUERY:
            return await _query(context, document, operation, request, allowed=introspect(rights))
        return await _mutation(context, document, operation, request)
    except Refusal as refusal:
        return Response(None, refusal.errors, executed=False)
    except CreditError as error:
        return Response(None, [errors.told(error, request.request_id)], executed=False)
    except GraphQLError as error:
        return Response(None, [errors.unfit(error, request.request_id)], executed=False)
    except Exception as error:  # noqa: BLE001 - a bug is masked and logged; it must not reach the caller
        return Response(None, [errors.masked(error, request.request_id)], executed=False)


def _document(memory: Memory, schema: GraphQLSchema, request: GraphQLRequest) -> Document:
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


def _operation(document: Document, request: GraphQLRequest) -> OperationDefinitionNode:
    """The operation that is asked for.

    Raises: Malformed when it is not there, not the only one, or of a kind that is not served here.
    """
    operation = get_operation_ast(document.tree, request.operation_name)
    if operation is None:
        raise Malformed("The document has no such operation.", advice="Name one operation of the document.")
    if operation.operation is OperationType.SUBSCRIPTION:
        raise Malformed("Subscriptions are not served by this request.", advice="Open a stream instead.")
    return operation


def _variables(schema: GraphQLSchema, operation: OperationDefinitionNode, request: GraphQLRequest) -> VariableValues:
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


async def _query(
    context: Context,
    document: Document,
    operation: OperationDefinitionNode,
    request: GraphQLRequest,
    *,
    allowed: bool,
) -> Response:
    graph = context.house.schema.graph

    def make() -> Prepared:
        compiled = compile_query(Selections(graph, document.fragments, context.variables), operation)
        return prepare(context.house.readings, context.rights, compiled)

    prepared = context.house.memory.plans.get(context.key, make)
    compiled = prepared.compiled
    if compiled.introspection and not allowed:
        raise NotPermitted("Your roles do not read the schema.", advice="Use the published schema.graphql.")
    arguments = compiled.arguments(context.variables)
    cost = compiled.rows(arguments)
    check_rows(sum(cost.values()))
    id_ = request.request_id
    found = [errors.told(error, id_, (key,)) for key, error in compiled.failures.items()]
    draft: dict[str, Any] = {key: Me.of(context.actor, context.rights) for key in compiled.mine}
    if compiled.introspection:
        draft |= _introspected(graph, document, operation, request, prepared)
    try:
        if prepared.plan is not None:
            draft |= await context.house.gate.read(prepared.plan, context.actor, arguments, request=id_)
    except CreditError as error:
        found += [errors.told(error, id_, (root.label,)) for root in compiled.reading.roots]
    except Exception as error:  # noqa: BLE001 - a bug is masked and logged; the other roots still answer
        found += [errors.masked(error, id_, (root.label,)) for root in compiled.reading.roots]
    return Response(_shaped(compiled, draft, id_, found), found, executed=True, cost=cost)


def _shaped(compiled: Compiled, draft: Mapping[str, Any], id_: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer in document order; a root that was not read, or whose rows break the schema, is null."""
    data: dict[str, Any] = {}
    for entry in compiled.answers:
        held = draft.get(entry.label) if entry.word is None else entry.word
        try:
            data[entry.key] = held if entry.form is None or held is None else entry.form(held)
        except Exception as error:  # noqa: BLE001 - a bug is masked and logged; the other roots still answer
            found.append(errors.masked(error, id_, (entry.key,)))
            data[entry.key] = None
    return data


def _introspected(
    graph: GraphQLSchema,
    document: Document,
    operation: OperationDefinitionNode,
    request: GraphQLRequest,
    prepared: Prepared,
) -> dict[str, Any]:
    """The schema as graphql-core tells it; only these fields of the document run there."""
    fields = tuple(node for nodes in prepared.compiled.introspection.values() for node in nodes)
    alone = OperationDefinitionNode(
        operation=OperationType.QUERY,
        variable_definitions=operation.variable_definitions,
        directives=(),
        selection_set=SelectionSetNode(selections=fields),
    )
    tree = DocumentNode(definitions=(alone, *document.fragments.values()))
    result = execute_by_core(graph, tree, variable_values=dict(request.variables or {}))
    if not isinstance(result, ExecutionResult) or result.errors:
        raise Refusal([errors.invalid(error, request.request_id) for error in getattr(result, "errors", None) or ()])
    return result.data or {}


async def _mutation(
    context: Context, document: Document, operation: OperationDefinitionNode, request: GraphQLRequest
) -> Response:
    """Mutations run on graphql-core, one after another; each passes the Gate by itself.

    Their payloads are compiled, judged and measured before: a document beyond the limits changes nothing.
    """
    payloads = prepare_payloads(context, document.fragments, operation, lambda name: MUTATIONS[name].values)
    cost = {key: rows_of(payload, context) for key, payload in payloads.items()}
    check_rows(sum(cost.values()))
    running = execute_by_core(
        context.house.schema.graph,
        document.tree,
        context_value=replace(context, payloads=payloads),
        variable_values=dict(request.variables or {}),
        operation_name=request.operation_name,
    )
    result = await running if isawaitable(running) else running
    if not isinstance(result, ExecutionResult):
        raise TypeError("A mutation has one result.")
    found = [errors.raised(error, request.request_id) for error in result.errors or ()]
    return Response(result.data, found, executed=True, cost={key: rows for key, rows in cost.items() if rows})
