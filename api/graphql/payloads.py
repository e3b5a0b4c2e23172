"""A record in a mutation's payload is read like any other: compiled, judged, recorded, opened, shaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLResolveInfo

from api.graphql.compiler import compile_record
from api.graphql.compiling.forms import row
from api.graphql.compiling.selections import Selections
from api.graphql.context import Context, Prepared, prepare
from api.graphql.limits import check_rows
from domain.ids import Id
from domain.records import Shape

if TYPE_CHECKING:
    from strawberry.types import Info


async def read_payload(info: Info[Context, Any], shape: Shape, id: Id) -> dict[str, Any] | None:  # noqa: A002 - the word of the ports
    """The record as the payload's selection asks for it; null where the caller has no reach to it.

    Raises: NotPermitted naming the fields that are not granted; Unavailable when it cannot be recorded.
    """
    raw: GraphQLResolveInfo[Context] = info._raw_info  # noqa: SLF001 - the selection's own nodes stand nowhere else
    context: Context = info.context
    key = str(raw.path.key)

    def make() -> Prepared:
        selections = Selections(raw.schema, raw.fragments, context.variables)
        return prepare(context.house.readings, context.rights, compile_record(selections, shape, key, raw.field_nodes))

    prepared = context.house.memory.plans.get((context.key, shape.name, tuple(raw.path.as_list())), make)
    if prepared.plan is None:
        raise AssertionError("a record is always read")
    arguments = prepared.compiled.arguments(context.variables)
    arguments[0] = id
    check_rows(sum(prepared.compiled.rows(arguments).values()))
    draft = await context.house.gate.read(prepared.plan, context.actor, arguments, request=context.request_id)
    return row(prepared.compiled.answers)(draft)[key]  # type: ignore[no-any-return] # a root is an object or null
