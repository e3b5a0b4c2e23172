"""Every answer to one request: one to a query or a mutation; to a subscription one for each delivery, until it ends.

A delivery is read, judged and recorded like a query. Before each the token is verified again, and at least once a
second while nothing comes; a change of rights, a token that is over and a fault all end the stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import GraphQLError, OperationDefinitionNode, OperationType, get_operation_ast

from api.graphql import errors
from api.graphql.compiling.arguments import deciding
from api.graphql.compiling.forms import fill
from api.graphql.compiling.selections import Selections
from api.graphql.context import Context, Document, House, Prepared, Wait, prepare
from api.graphql.documents import GraphQLRequest, document_of, no_operation, variables_of
from api.graphql.errors import Refusal
from api.graphql.execute import Response, execute
from api.graphql.limits import check_rows
from api.graphql.operations import INTROSPECT
from api.graphql.subscriptions.places import Places
from api.graphql.subscriptions.roots import compile_stream
from api.graphql.trusting import resolved
from api.graphql.veiling import missing_of
from domain.actors import Actor, Rights
from domain.errors import CreditError, NotAuthenticated
from domain.files.watching import STREAMS, Stream, beginning, behind, places
from domain.gate import Plan
from domain.reading import judge

LOOK_SECONDS = 0.9
"""How often a watcher looks though nothing woke it: what other processes write wakes nobody here."""
GATHER_SECONDS = 0.1
"""How long a watcher waits once it is woken, so that entries of one moment come in one delivery."""


class Caller(Protocol):
    """Whoever asks, as long as the token is good."""

    @property
    def token(self) -> str:
        """What tells the token from others, and cannot be used as one."""
        ...

    async def actor(self) -> Actor:
        """The actor of the token, verified now.

        Raises: NotAuthenticated once it is over.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """One subscription, ready to be delivered."""

    stream: Stream
    prepared: Prepared
    plan: Plan
    arguments: list[Any]
    cost: dict[str, int]


class Watchers:
    """Answers requests that may go on."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._places = Places("streams")

    def goes_on(self, request: GraphQLRequest, owner: str = "") -> bool:
        """Whether the request is a subscription; one that cannot be understood is not."""
        try:
            document = document_of(self._house.memory, self._house.schema.graph, request, owner)
        except (Refusal, CreditError):
            return False
        operation = get_operation_ast(document.tree, request.operation_name)
        return operation is not None and operation.operation is OperationType.SUBSCRIPTION

    def opens(self, request: GraphQLRequest, actor: Actor) -> bool:
        """Whether a stream is opened; to who may not read the schema, one that is not granted is not there."""
        if not self.goes_on(request, actor.tenant):
            return False
        if self._house.rights(actor).permits(INTROSPECT):
            return True
        document = document_of(self._house.memory, self._house.schema.graph, request, actor.tenant)
        return not missing_of(self._house, actor, document)

    async def answers(self, caller: Caller, request: GraphQLRequest) -> AsyncGenerator[Response, None]:
        """The answers, in order; a failure is the last of them.

        Raises: NotAuthenticated once the token is over, and nothing else.
        """
        try:
            actor = await caller.actor()
            if not self.opens(request, actor):
                yield await execute(self._house, actor, request)
                return
            await resolved(self._house, actor, request)  # who runs trusted documents alone watches nothing else
            with self._places.taken(caller.token, actor.tenant):
                async with aclosing(self._deliveries(caller, actor, request)) as deliveries:
                    async for response in deliveries:
                        yield response
        except NotAuthenticated:
            raise
        except Exception as error:  # noqa: BLE001 - a bug is masked and logged; it must not reach the caller
            yield Response(None, _told(error, request.request_id), executed=False)

    async def _deliveries(
        self, caller: Caller, actor: Actor, request: GraphQLRequest
    ) -> AsyncGenerator[Response, None]:
        house, id_ = self._house, request.request_id
        asked = self._asked(actor, request)
        (entry,), page = asked.prepared.compiled.answers, asked.plan.judged.reading.roots[0].what.page
        after = page.after.index if page and page.after else 0
        with house.growth.waiting(actor.tenant) as wait:
            arguments = [*asked.arguments, *places(asked.stream, await self._begin(asked, actor, id_))]
            if arguments[after] is not None:
                arguments[len(asked.arguments)] = 0
            while True:
                found = await house.gate.watch(asked.plan, await caller.actor(), arguments, request=id_)
                if found is None:
                    await _news(wait)
                    continue
                held = found[entry.label]
                yield Response({entry.key: fill(entry.form, held)}, [], executed=True, cost=asked.cost)
                arguments[after] = held["cursors"][-1]
                if not held["more"]:
                    await _news(wait)

    async def _begin(self, asked: _Asked, actor: Actor, id_: str) -> int:
        """The place where a watcher begins that names none; that it begins is recorded."""
        judged = judge(beginning(asked.stream), self._house.rights(actor))
        plan = Plan(judged=judged, steps=self._house.readings.prepare(judged))
        return behind(asked.stream, await self._house.gate.read(plan, actor, (1,), request=id_))

    def _asked(self, actor: Actor, request: GraphQLRequest) -> _Asked:
        house = self._house
        rights = house.rights(actor)
        document = document_of(house.memory, house.schema.graph, request, actor.tenant)
        operation = get_operation_ast(document.tree, request.operation_name)
        if operation is None:
            raise no_operation(document.tree)
        prepared, context = self._prepared(actor, rights, document, operation, request)
        arguments = prepared.compiled.arguments(context.variables)
        cost = prepared.compiled.rows(arguments)
        check_rows(sum(cost.values()))
        if prepared.plan is None:
            raise TypeError("A subscription reads.")
        record = prepared.plan.judged.reading.roots[0].what.shape.name
        stream = next(stream for stream in STREAMS.values() if stream.record == record)
        return _Asked(stream, prepared, prepared.plan, arguments, cost)

    def _prepared(
        self,
        actor: Actor,
        rights: Rights,
        document: Document,
        operation: OperationDefinitionNode,
        request: GraphQLRequest,
    ) -> tuple[Prepared, Context]:
        house = self._house
        variables = variables_of(house.schema.graph, operation, request)
        key = (document.digest, request.operation_name, rights.id, rights.version, deciding(variables))
        context = Context(house, actor, rights, request.request_id, variables, key)

        def make() -> Prepared:
            selections = Selections(house.schema.graph, document.fragments, variables)
            return prepare(house.readings, rights, compile_stream(selections, operation))

        return house.memory.plans.get(key, make, actor.tenant, document.weight), context


async def _news(wait: Wait) -> None:
    """Returns when a look is worth its while."""
    await wait.until_grown(LOOK_SECONDS)
    await asyncio.sleep(GATHER_SECONDS)


def _told(error: Exception, id_: str) -> list[dict[str, Any]]:
    match error:
        case Refusal():
            return error.errors
        case CreditError():
            return [errors.told(error, id_)]
        case GraphQLError():
            return [errors.unfit(error, id_)]
        case _:
            return [errors.masked(error, id_)]
