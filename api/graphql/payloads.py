"""A mutation's payload: once the change is done, its record is read like any other, compiled, judged and recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    OperationDefinitionNode,
    get_named_type,
)

from api.graphql.compiler import compile_record, compile_value
from api.graphql.compiling.forms import Entry, Form, row
from api.graphql.compiling.levels import TYPENAME
from api.graphql.compiling.selections import Selections
from api.graphql.context import Context, Payload, Prepared, prepare
from api.graphql.generation.refusals import KINDS
from domain.ids import Id
from domain.records import SHAPES

ROOT = "Mutation"
AUDIT_ENTRY = "auditEntry"
ERRORS = "errors"

Values = Callable[[str], Mapping[str, Any]]
"""The type of each field of a mutation's payload that the change itself answers, by the mutation's name."""


def prepare_payloads(
    context: Context,
    fragments: Mapping[str, FragmentDefinitionNode],
    operation: OperationDefinitionNode,
    values: Values,
) -> Mapping[str, Payload]:
    """What every field of a mutation asks of its payload, by response key."""
    selections = Selections(context.house.schema.graph, fragments, context.variables)

    def make() -> dict[str, Payload]:
        mutation = selections.object(ROOT)
        asked = selections.of(mutation, [operation.selection_set])
        return {
            key: _payload(context, selections, mutation.fields[nodes[0].name.value], nodes, values)
            for key, nodes in asked.items()
            if nodes[0].name.value != TYPENAME
        }

    return context.house.memory.payloads.get(context.key, make, context.actor.tenant, context.weight)


def rows_of(payload: Payload, context: Context) -> int:
    """How many rows a payload can read at most.

    Raises: Malformed, QUERY_TOO_LARGE, where a page breaks its bounds.
    """
    compiled = [prepared.compiled for prepared in payload.records.values()]
    return sum(sum(one.rows(one.arguments(context.variables)).values()) for one in compiled)


async def read_record(context: Context, key: str, prepared: Prepared, id: Id) -> dict[str, Any] | None:  # noqa: A002 - the word of the ports
    """The record as the payload's selection asks for it; null where the caller has no reach to it.

    Raises: NotPermitted naming the fields that are not granted; Unavailable when it cannot be recorded.
    """
    if prepared.plan is None:
        raise AssertionError("a record is always read")
    arguments = prepared.compiled.arguments(context.variables)
    arguments[0] = id
    draft = await context.house.gate.read(prepared.plan, context.actor, arguments, request=context.request_id)
    # What the store has written is read again: graphql-core completes the payload from its values.
    return orjson.loads(orjson.dumps(row(prepared.compiled.answers)(draft)[key]))  # type: ignore[no-any-return] # a root is an object or null


def _payload(
    context: Context, selections: Selections, field: GraphQLField, nodes: Sequence[FieldNode], values: Values
) -> Payload:
    type_ = selections.object(get_named_type(field.type).name)
    known = values(nodes[0].name.value)
    entries: list[Entry] = []
    records: dict[str, Prepared] = {}
    errors: dict[str, dict[str, Form]] = {}
    for key, same in selections.under(type_, nodes).items():
        name = same[0].name.value
        if name == ERRORS:
            errors[key] = _errors(selections, same)
        elif name in known:
            entries.append(compile_value(selections, key, name, known[name], same))
        elif name != TYPENAME:
            shape = SHAPES[get_named_type(type_.fields[name].type).name]
            compiled = compile_record(selections, shape, key, same)
            records[key] = prepare(context.house.readings, context.rights, compiled)
    return Payload(tuple(entries), records, errors)


def _errors(selections: Selections, nodes: Sequence[FieldNode]) -> dict[str, Form]:
    return {
        kind.name: row(
            [
                Entry(key=key, label=same[0].name.value)
                for key, same in selections.under(selections.object(kind.name), nodes).items()
                if same[0].name.value != TYPENAME
            ]
        )
        for kind in KINDS
    }
