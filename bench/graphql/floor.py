"""The floor: a hand-written endpoint per query, one SQL statement each, no token, no grants, no audit.

`FLOOR_DATABASE` is the address of PostgreSQL or the path of a SQLite file. Under `/rows` the rows are grouped in
Python and printed by Starlette; under `/json` PostgreSQL prints the answer itself.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from asked import BIG, DEEP, MEDIUM, Query
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

DATABASE, TENANT = os.environ["FLOOR_DATABASE"], os.environ["FLOOR_TENANT"]
LITE = not DATABASE.startswith("postgresql")

TINY_SQL = """
SELECT id, name, grade, score, credit_status FROM credit_file
WHERE tenant = $1 AND id = $2 AND superseded_at IS NULL
"""
PAGE = """
SELECT id, name, grade, score, credit_status FROM credit_file
WHERE tenant = $1 AND superseded_at IS NULL AND id > $2 ORDER BY id LIMIT {first}
"""
_ASSESSMENT = "'a', id, kind, as_of, score, grade, NULL, NULL, NULL"
_ACTION = "'c', id, kind, NULL, NULL, NULL, state, scope, deadline_on"


def _lateral(columns: str, table: str, most: int) -> str:
    return (
        f"(SELECT {columns} FROM {table} WHERE tenant = $1 AND superseded_at IS NULL AND credit_file = f.id "  # noqa: S608 - names of our own
        f"ORDER BY id LIMIT {most})"
    )


def _numbered(columns: str, table: str, most: int) -> str:
    return (
        f"SELECT * FROM (SELECT credit_file, {columns}, row_number() OVER (PARTITION BY credit_file ORDER BY id) AS n "  # noqa: S608 - names of our own
        f"FROM {table} WHERE tenant = $1 AND superseded_at IS NULL AND credit_file IN (SELECT id FROM f)) "
        f"WHERE n <= {most}"
    )


def statement(query: Query) -> str:
    """The one statement of a page: a row per child, the file repeated in each."""
    page = PAGE.format(first=query.first)
    children = [(_ASSESSMENT, "assessment", query.assessments)]
    if query.actions:
        children.append((_ACTION, "control_action", query.actions))
    if LITE:
        parts = " UNION ALL ".join(_numbered(*child) for child in children)
        return (
            (
                f"WITH f AS ({page}) SELECT f.*, k.* FROM f LEFT JOIN ({parts}) k ON k.credit_file = f.id "  # noqa: S608 - names of our own
                "ORDER BY f.id"
            )
            .replace("$1", "?1")
            .replace("$2", "?2")
        )
    parts = " UNION ALL ".join(_lateral(*child) for child in children)
    return f"SELECT f.*, k.* FROM ({page}) f LEFT JOIN LATERAL ({parts}) k ON true ORDER BY f.id"  # noqa: S608 - names of our own


def printed(query: Query) -> str:
    """The one statement of a page whose answer PostgreSQL prints."""
    own = (
        ["f.id", "f.name", "f.grade", "f.score", 'f.credit_status AS "creditStatus"'] if query is not BIG else ["f.id"]
    )
    columns = 'id, kind, as_of AS "asOf", score, grade', 'id, kind, state, scope, deadline_on AS "deadlineOn"'
    tables = (("assessments", columns[0], "assessment", query.assessments),) + (
        (("controlActions", columns[1], "control_action", query.actions),) if query.actions else ()
    )
    for name, chosen, table, most in tables:
        own.append(
            "(SELECT json_build_object('nodes', coalesce(json_agg(k), '[]')) "  # noqa: S608 - names of our own
            f'FROM {_lateral(chosen, table, most)} k) AS "{name}"'
        )
    rows = f"SELECT {', '.join(own)} FROM ({PAGE.format(first=query.first)}) f ORDER BY f.id"  # noqa: S608 - names of our own
    return f"SELECT coalesce(json_agg(x), '[]')::text FROM ({rows}) x"  # noqa: S608 - names of our own


PRINTED_TINY = (
    'SELECT row_to_json(x)::text FROM (SELECT id, name, grade, score, credit_status AS "creditStatus" FROM credit_file '
    "WHERE tenant = $1 AND id = $2 AND superseded_at IS NULL) x"
)


def _day(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else value.isoformat()


def _file(row: Sequence[Any]) -> dict[str, Any]:
    return {"id": row[0], "name": row[1], "grade": row[2], "score": row[3], "creditStatus": row[4]}


def grouped(query: Query, rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """The files with their children, from the rows of one statement."""
    files: list[dict[str, Any]] = []
    last = None
    start = 6 if LITE else 5
    for row in rows:
        if row[0] != last:
            last = row[0]
            file = {"id": last} if query is BIG else _file(row)
            assessments: list[Any] = []
            actions: list[Any] = []
            file["assessments"] = {"nodes": assessments}
            if query.actions:
                file["controlActions"] = {"nodes": actions}
            files.append(file)
        kind, own, what, as_of, score, grade, state, scope, deadline = row[start : start + 9]
        if kind == "a":
            assessments.append({"id": own, "kind": what, "asOf": _day(as_of), "score": score, "grade": grade})
        elif kind == "c":
            actions.append({"id": own, "kind": what, "state": state, "scope": scope, "deadlineOn": _day(deadline)})
    return files


async def _fetch(request: Request, sql: str, key: str) -> Any:
    if LITE:
        return request.app.state.connection.execute(sql, (TENANT, key)).fetchall()
    return await request.app.state.pool.fetch(sql, TENANT, key)


async def tiny(request: Request) -> Response:
    """One file."""
    sql = TINY_SQL.replace("$1", "?1").replace("$2", "?2") if LITE else TINY_SQL
    rows = await _fetch(request, sql, request.query_params["id"])
    return JSONResponse({"data": {"creditFile": _file(rows[0]) if rows else None}})


async def tiny_printed(request: Request) -> Response:
    """One file, printed by the database."""
    text = await request.app.state.pool.fetchval(PRINTED_TINY, TENANT, request.query_params["id"])
    return Response(f'{{"data":{{"creditFile":{text or "null"}}}}}', media_type="application/json")


def _route(query: Query) -> Route:
    sql = statement(query)

    async def page(request: Request) -> Response:
        rows = await _fetch(request, sql, request.query_params["after"])
        return JSONResponse({"data": {"creditFiles": {"nodes": grouped(query, rows)}}})

    return Route(f"/rows/{query.name}", page)


def _printed(query: Query) -> Route:
    sql = printed(query)

    async def page(request: Request) -> Response:
        text = await request.app.state.pool.fetchval(sql, TENANT, request.query_params["after"])
        return Response(f'{{"data":{{"creditFiles":{{"nodes":{text}}}}}}}', media_type="application/json")

    return Route(f"/json/{query.name}", page)


@asynccontextmanager
async def life(application: Starlette) -> AsyncIterator[None]:
    """One connection that reads, or a pool of ten."""
    if LITE:
        application.state.connection = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True, isolation_level=None)
        yield
        return
    async with asyncpg.create_pool(DATABASE, min_size=1, max_size=10) as pool:
        application.state.pool = pool
        yield


PAGES = (MEDIUM, DEEP, BIG)
app = Starlette(
    routes=[
        Route("/rows/tiny", tiny),
        Route("/json/tiny", tiny_printed),
        *map(_route, PAGES),
        *map(_printed, PAGES),
    ],
    lifespan=life,
)
