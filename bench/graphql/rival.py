"""Strawberry as a good engineer would serve the same data: cached documents, loaders, orjson, the same rules per field.

Tokens, rights, the audit log and the keys are Credence's own, so that what differs is the way an answer is made.
Given to it: no ORM (asyncpg and plain SQL), strings where ours has enums, and its one entry per request need not
be durable before its values are opened, only before its answer leaves.
"""

from __future__ import annotations

import dataclasses
import enum
import gc
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import date
from typing import Any

import asyncpg
import orjson
import strawberry
from starlette.requests import Request
from starlette.responses import Response
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache
from strawberry.permission import BasePermission

from api.app import House, authenticator, open_house
from api.garbage import GARBAGE
from api.settings import load
from domain.actors import Actor, Credentials, Rights
from domain.audit import Entry, Outcome
from domain.files.parties import CreditFile as Declared
from domain.ids import Id, raw
from vault.keys import DekRow, WrappedKey
from vault.providers.port import Purpose as KeyPurpose
from vault.seal import Cell, open_envelope

KEPT = 1_000
Purpose = strawberry.enum(enum.Enum("Purpose", {"CREDIT_REVIEW": "CREDIT_REVIEW"}))


def _allowed(action: str) -> type[BasePermission]:
    """A permission class per action: a look-up in a set."""

    class Allowed(BasePermission):
        message = f"Your roles do not allow {action}."

        def has_permission(self, source: Any, info: strawberry.Info, **_: Any) -> bool:
            del source
            return action in info.context.rights.allowed

    return Allowed


def _field(action: str) -> Any:
    return strawberry.field(permission_classes=[_allowed(action)])


@strawberry.type
class Assessment:
    """An assessment."""

    id: strawberry.ID = _field("assessment:read")
    kind: str = _field("assessment:read")
    as_of: date = _field("assessment:read")
    score: int | None = _field("assessment:read")
    grade: str | None = _field("assessment:read")


@strawberry.type
class ControlAction:
    """A control action."""

    id: strawberry.ID = _field("control:read")
    kind: str = _field("control:read")
    state: str = _field("control:read")
    scope: str = _field("control:read")
    deadline_on: date = _field("control:read")


@strawberry.type
class Assessments:
    """A page of assessments."""

    nodes: list[Assessment]


@strawberry.type
class ControlActions:
    """A page of control actions."""

    nodes: list[ControlAction]


@strawberry.type
class Withheld:
    """A field that stayed closed."""

    field: str
    reason: str


@strawberry.type
class Confidential:
    """The sealed fields of a file."""

    file: strawberry.Private[str]
    subject: strawberry.Private[str]

    @strawberry.field(permission_classes=[_allowed("reveal:contact")])
    async def phone(self, info: strawberry.Info) -> str | None:
        """The phone, opened."""
        return await info.context.open(self.file, self.subject, Declared.phone)

    @strawberry.field(permission_classes=[_allowed("reveal:financial")])
    async def bank_account(self, info: strawberry.Info) -> str | None:
        """The account, opened."""
        return await info.context.open(self.file, self.subject, Declared.bank_account)

    @strawberry.field
    def withheld(self, info: strawberry.Info) -> list[Withheld]:
        """What the grants close."""
        closed = {"phone": "reveal:contact", "bankAccount": "reveal:financial"}
        return [
            Withheld(field=name, reason="NOT_GRANTED")
            for name, action in closed.items()
            if action not in info.context.rights.allowed
        ]


@strawberry.type
class CreditFile:
    """A credit file."""

    id: strawberry.ID = _field("credit_file:read")
    name: str = _field("credit_file:read")
    grade: str | None = _field("credit_file:read")
    score: int | None = _field("credit_file:read")
    credit_status: str = _field("credit_file:read")
    subject: strawberry.Private[str]

    @strawberry.field(permission_classes=[_allowed("assessment:read")])
    async def assessments(self, info: strawberry.Info, first: int = 20) -> Assessments:
        """Its assessments."""
        return Assessments(nodes=await info.context.assessments.load((self.id, first)))

    @strawberry.field(permission_classes=[_allowed("control:read")])
    async def control_actions(self, info: strawberry.Info, first: int = 20) -> ControlActions:
        """Its control actions."""
        return ControlActions(nodes=await info.context.actions.load((self.id, first)))

    @strawberry.field
    def confidential(self, info: strawberry.Info, purpose: Purpose) -> Confidential:
        """What is sealed of it."""
        info.context.purpose = purpose.value
        return Confidential(file=self.id, subject=self.subject)


@strawberry.type
class CreditFiles:
    """A page of files."""

    nodes: list[CreditFile]


FILE = "id, name, grade, score, credit_status, subject_id"


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field(permission_classes=[_allowed("credit_file:read")])
    async def credit_file(self, info: strawberry.Info, id: strawberry.ID) -> CreditFile | None:  # noqa: A002 - the schema's word
        """One file."""
        sql = f"SELECT {FILE} FROM credit_file WHERE tenant = $1 AND id = $2 AND superseded_at IS NULL"  # noqa: S608 - names of our own
        rows = await info.context.rows(sql, id)
        return info.context.files(rows)[0] if rows else None

    @strawberry.field(permission_classes=[_allowed("credit_file:read")])
    async def credit_files(self, info: strawberry.Info, first: int = 20, after: str = "") -> CreditFiles:
        """A page of files, behind an id."""
        sql = (
            f"SELECT {FILE} FROM credit_file WHERE tenant = $1 AND superseded_at IS NULL AND id > $2 "  # noqa: S608 - names of our own
            "ORDER BY id LIMIT $3"
        )
        return CreditFiles(nodes=info.context.files(await info.context.rows(sql, after, first)))


CHILDREN = """
SELECT k.* FROM unnest($2::text[]) AS f(id) CROSS JOIN LATERAL (
  SELECT credit_file, {columns} FROM {table}
  WHERE tenant = $1 AND superseded_at IS NULL AND credit_file = f.id ORDER BY id LIMIT $3) k
"""
CELLS = """
SELECT s.record_id, s.field_tag, s.value_version, s.schema_version, s.envelope, s.dek_id, d.version, d.kek_epoch,
       w.wrapped, k.wrapped
FROM sealed_field s JOIN vault_dek d USING (tenant, dek_id) JOIN vault_dek_wrap w USING (tenant, dek_id, kek_epoch)
JOIN vault_key k ON k.tenant = s.tenant AND k.epoch = d.kek_epoch AND k.purpose = 'kek'
WHERE s.tenant = $1 AND s.record_id = ANY($2::text[]) AND s.field_tag = ANY($3::text[])
"""


class Context:
    """One request: who asks, its loaders, and what its entry will name."""

    def __init__(self, server: Server, actor: Actor, rights: Rights, response: Response | None = None) -> None:
        self.server, self.actor, self.rights, self.response = server, actor, rights, response
        self.purpose = ""
        self.subjects: dict[Id, None] = {}
        self.resources: dict[Id, None] = {}
        self.tags: dict[str, None] = {}
        self.assessments = DataLoader(self._children("assessment", "id, kind, as_of, score, grade", Assessment))
        self.actions = DataLoader(
            self._children("control_action", "id, kind, state, scope, deadline_on", ControlAction)
        )
        self._cells = DataLoader(self._sealed)

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """The rows of a statement of the caller's tenant."""
        return await self.server.pool.fetch(sql, self.actor.tenant, *arguments)

    def files(self, rows: Sequence[Any]) -> list[CreditFile]:
        """Files, remembered for the entry."""
        self.subjects.update((row[5], None) for row in rows)
        self.resources.update((row[0], None) for row in rows)
        return [
            CreditFile(id=row[0], name=row[1], grade=row[2], score=row[3], credit_status=row[4], subject=row[5])
            for row in rows
        ]

    def _children(self, table: str, columns: str, kind: type) -> Callable[[list[tuple[str, int]]], Any]:
        sql = CHILDREN.format(columns=columns, table=table)
        names = [item.name for item in dataclasses.fields(kind)]

        async def load(keys: list[tuple[str, int]]) -> list[list[Any]]:
            found: dict[str, list[Any]] = {file: [] for file, _ in keys}
            for file, *row in await self.rows(sql, [file for file, _ in keys], keys[0][1]):
                found[file].append(kind(**dict(zip(names, row, strict=True))))
            return [found[file] for file, _ in keys]

        return load

    async def _sealed(self, keys: list[tuple[str, str]]) -> list[Any]:
        files, tags = list({file for file, _ in keys}), list({tag for _, tag in keys})
        found = {(row[0], row[1]): row for row in await self.rows(CELLS, files, tags)}
        return [found.get(key) for key in keys]

    async def open(self, file: str, subject: str, field: Any) -> Any:
        """A sealed value, opened."""
        self.tags[field.tag] = None
        row = await self._cells.load((file, field.tag))
        if row is None:
            return None
        tenant, kind = raw(self.actor.tenant), field.data_class.value
        dek = DekRow(row[5], tenant, raw(subject), kind, row[6], row[7], row[8])
        key = self.server.house.room.ring.dek(dek, WrappedKey(tenant, KeyPurpose.KEK, row[7], row[9]))
        return open_envelope(
            key, Cell(tenant, raw(subject), kind, "credit_file", raw(file), row[2], field.tag, row[3]), row[4]
        )

    async def record(self) -> None:
        """One entry, durable when this returns."""
        house, now = self.server.house, self.server.house.clock.now()
        await house.store.put(
            Entry(
                id=house.make.make("ae", int(now.timestamp() * 1000)),
                at=now,
                tenant=self.actor.tenant,
                actor=self.actor.person,
                action="credit_file:read",
                resources=tuple(self.resources),
                subjects=tuple(self.subjects),
                fields=tuple(self.tags),
                purpose=self.purpose,
                grants=self.rights.version,
                rule=self.rights.allowed["credit_file:read"],
                outcome=Outcome.DONE,
            )
        )


class Recorded(SchemaExtension):
    """The entry is durable before the answer leaves."""

    async def on_operation(self) -> AsyncIterator[None]:
        """Around the whole request."""
        yield
        await self.execution_context.context.record()


class Server(GraphQL):
    """Strawberry's own ASGI application, orjson in it."""

    house: House
    pool: asyncpg.Pool

    async def get_context(self, request: Request, response: Response) -> Context:
        """The caller, by its token."""
        actor = await self.authenticator(Credentials(token=request.headers["authorization"].removeprefix("Bearer ")))
        return Context(self, actor, self.house.rights(actor), response)

    def encode_json(self, data: object) -> bytes:
        """By orjson."""
        return orjson.dumps(data)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Requests, and the life of the server."""
        if scope["type"] != "lifespan":
            await super().__call__(scope, receive, send)
            return
        await receive()
        async with AsyncExitStack() as stack:
            settings = load()
            self.house = await stack.enter_async_context(open_house(settings))
            self.authenticator = authenticator(self.house)
            self.pool = await stack.enter_async_context(
                asyncpg.create_pool(os.environ["RIVAL_DATABASE"], min_size=1, max_size=10)
            )
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GARBAGE)  # as ours
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


schema = strawberry.Schema(Query, extensions=[lambda: ParserCache(KEPT), lambda: ValidationCache(KEPT), Recorded])
app = Server(schema, graphql_ide=None)
