"""One request: parse, limit, validate, compile, judge, read, shape. No step after a failed one runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import isawaitable
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)
from graphql import execute as execute_by_core

from api.graphql import errors
from api.graphql.compiler import Compiled, compile_query
from api.graphql.compiling.arguments import deciding
from api.graphql.compiling.forms import fill
from api.graphql.compiling.selections import Selections
from api.graphql.compiling.worked import WORKED
from api.graphql.context import Context, Document, House, Prepared, prepare
from api.graphql.documents import GraphQLRequest, document_of, located_document_of, operation_of, variables_of
from api.graphql.errors import Refusal
from api.graphql.limits import check_rows
from api.graphql.mutations import MUTATIONS
from api.graphql.operations import INTROSPECT
from api.graphql.payloads import prepare_payloads, rows_of
from api.graphql.queries import TOLD
from api.graphql.trusting import resolved
from api.graphql.veiling import not_there, variables_told, visible_document_of
from domain.actors import Actor, Rights
from domain.errors import CreditError, NotPermitted


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back: data, errors, or both."""

    data: dict[str, Any] | None
    errors: list[dict[str, Any]]
    executed: bool
    """Whether anything ran; a request that was refused before has errors and no data at all."""
    parsed: bool = True
    """Whether the document is GraphQL at all."""
    cost: dict[str, int] = field(default_factory=dict)
    """How many rows each root can read at most."""

    def text(self) -> bytes:
        """The answer as GraphQL over HTTP prints it, in UTF-8; what is JSON already is spliced in."""
        body: dict[str, Any] = {"errors": self.errors} if self.errors else {}
        if self.executed:
            body["data"] = self.data
        if self.cost:
            body["extensions"] = {"cost": self.cost}
        return orjson.dumps(body)

    def body(self) -> dict[str, Any]:
        """The answer as a client reads it."""
        return orjson.loads(self.text())  # type: ignore[no-any-return] # an answer is an object


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
    veiled = False
    try:
        actor, request = await resolved(house, actor, request)
        veiled = not actor.document and not introspect(house.rights(actor))
        if veiled:
            document = await visible_document_of(house, actor, request)
        else:
            document = document_of(house.memory, house.schema.graph, request, actor.tenant)
        try:
            return await _answer(house, actor, request, document, introspect)
        except (Refusal, GraphQLError) as error:
            if document.exact or not errors.located(error):
                raise
            # Nothing was read yet. The whole document answers the same, and knows where its errors stand.
            whole = located_document_of(request, document)
            return await _answer(house, actor, request, whole, introspect)
    except Refusal as refusal:
        if veiled and not refusal.in_document:
            return Response(None, variables_told(refusal, request.request_id), executed=False)
        return Response(None, refusal.errors, executed=False, parsed=refusal.parsed)
    except CreditError as error:
        return Response(None, [errors.told(error, request.request_id)], executed=False)
    except GraphQLError as error:
        return Response(None, [errors.unfit(error, request.request_id)], executed=False)
    except Exception as error:  # noqa: BLE001 - a bug is masked and logged; it must not reach the caller
        return Response(None, [errors.masked(error, request.request_id)], executed=False)


async def _answer(
    house: House, actor: Actor, request: GraphQLRequest, document: Document, introspect: Callable[[Rights], bool]
) -> Response:
    rights = house.rights(actor)
    operation = operation_of(document, request)
    variables = variables_of(house.schema.graph, operation, request, document)
    key = (document.digest, document.exact, request.operation_name, rights.id, rights.version, deciding(variables))
    context = Context(house, actor, rights, request.request_id, variables, key, weight=document.weight)
    if operation.operation is OperationType.QUERY:
        return await _query(context, document, operation, request, allowed=introspect(rights))
    return await _mutation(context, document, operation, request)


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

    prepared = context.house.memory.plans.get(context.key, make, context.actor.tenant, context.weight)
    compiled = prepared.compiled
    if compiled.introspection and not allowed:
        raise NotPermitted("Your roles do not read the schema.", advice="Use the published schema.graphql.")
    arguments = compiled.arguments(context.variables)
    cost = compiled.rows(arguments)
    check_rows(sum(cost.values()))
    id_ = request.request_id
    found = [errors.told(error, id_, (key,)) for key, error in compiled.failures.items()]
    # Who may not read the schema never comes here with what is told of it, unless somebody approved the document.
    draft = {key: TOLD[name].of(context.actor, context.rights) for key, name in compiled.told.items()}
    draft |= await _worked(context, compiled, arguments, found)
    if compiled.introspection:
        draft |= _introspected(graph, document, operation, request, prepared)
    try:
        if prepared.plan is not None:
            draft |= await context.house.gate.read(prepared.plan, context.actor, arguments, request=id_)
    except CreditError as error:
        # An id names a type as well: one that is not granted is not there either.
        veiled = isinstance(error, NotPermitted) and not allowed and not context.actor.document
        refusal = not_there(error.cause) if veiled else error
        found += [errors.told(refusal, id_, (root.label,)) for root in compiled.reading.roots]
    except Exception as error:  # noqa: BLE001 - a bug is masked and logged; the other roots still answer
        found += [errors.masked(error, id_, (root.label,)) for root in compiled.reading.roots]
    return Response(_shaped(compiled, draft, id_, found), found, executed=True, cost=cost)


async def _worked(
    context: Context, compiled: Compiled, arguments: Sequence[Any], found: list[dict[str, Any]]
) -> dict[str, Any]:
    """What operations work out, one after the other; each leaves its own entry."""
    draft: dict[str, Any] = {}
    for key, (name, slots) in compiled.worked.items():
        values = {argument: arguments[slot.index] for argument, slot in slots.items()}
        try:
            draft[key] = await WORKED[name].answer(context.house, context.actor, values, context.request_id)
        except CreditError as error:
            found.append(errors.told(error, context.request_id, (key,)))
    return draft


def _shaped(compiled: Compiled, draft: Mapping[str, Any], id_: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer in document order; a root that was not read, or whose rows break the schema, is null."""
    data: dict[str, Any] = {}
    for entry in compiled.answers:
        held = draft.get(entry.label) if entry.word is None else entry.word
        try:
            data[entry.key] = held if held is None else fill(entry.form, held)
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
