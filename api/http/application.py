"""The HTTP application, put together from the house and what the composition root offers beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from api.graphql.context import House
from api.graphql.subscriptions.watching import Watchers
from api.http.admission import NONCE, Admission
from api.http.answers import Declined, Edition, declined
from api.http.audit.tiles import CHECKPOINT, OWN_CHECKPOINT, OWN_TILE, TILE, Tiles
from api.http.contents.handing import ENTRY, REASON, Handing
from api.http.contents.receiving import Receiving
from api.http.documents import Documents
from api.http.envelope import REQUEST_ID, Envelope
from api.http.explorer import PATH as EXPLORER_PATH
from api.http.explorer import Explorer
from api.http.matrix import PATH as MATRIX_PATH
from api.http.matrix import Matrix
from api.http.operating import Operating
from api.http.ports import Authenticator, Probe, Published
from api.http.statements import ISSUER, LISTS, Statements
from api.http.statements import PATH as STATEMENT_PATH
from api.http.streams.sockets import Sockets
from domain.errors import CreditError, Malformed, NotFound

GRAPHQL_PATH = "/graphql"
KEYS_PATH = "/.well-known/credence-keys.json"
CONTENT_PATH = "/documents/{document}"


def build_http(
    house: House,
    authenticator: Authenticator,
    *,
    probes: Mapping[str, Probe],
    published: Published,
    origins: Collection[str] = (),
    public_url: str = "",
    edition: Edition = Edition.CLASSIC,
    ide: Path | None = None,
) -> Starlette:
    """The application that a server runs."""
    watchers, operating = Watchers(house), Operating(probes, published.keys, published.witnesses)
    admission = Admission(authenticator, public_url)
    documents = Documents(house, admission, watchers, edition)
    sockets = Sockets(watchers, admission, origins)
    statements = [] if published.statuses is None else _believed(Statements(published.keys, published.statuses))
    explorer = [] if ide is None else _explored(ide)
    log = [] if published.log is None else _verified(Tiles(house, admission, published.log))
    application = Starlette(
        routes=[
            *explorer,
            Route(GRAPHQL_PATH, documents, methods=["POST"]),
            WebSocketRoute(GRAPHQL_PATH, sockets),
            Route(CONTENT_PATH, Receiving(house, admission).take, methods=["PUT"]),
            Route(CONTENT_PATH, Handing(house, admission), methods=["GET"]),
            Route(MATRIX_PATH, Matrix(house, admission).page, methods=["GET"]),
            Route("/healthz", operating.alive, methods=["GET"]),
            Route("/readyz", operating.ready, methods=["GET"]),
            Route(KEYS_PATH, operating.keys, methods=["GET"]),
            *statements,
            *log,
        ],
        middleware=[*_shared_with(origins), Middleware(Envelope)],
        exception_handlers={HTTPException: _no_such_thing},
    )
    # A redirect would repeat the Host header of the caller.
    application.router.redirect_slashes = False
    return application


def _shared_with(origins: Collection[str]) -> list[Middleware]:
    """Lets pages of these sites ask, by name and without cookies; who else asks gets no header and no change."""
    if not origins:
        return []
    asked = ("Authorization", "DPoP", "Content-Type", "Content-Digest", "Last-Event-ID", REASON, REQUEST_ID)
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=tuple(origins),
            allow_methods=("POST", "PUT", "GET"),
            allow_headers=asked,
            expose_headers=(REQUEST_ID, NONCE, "WWW-Authenticate", "Content-Disposition", "Repr-Digest", ENTRY),
        )
    ]


def _explored(folder: Path) -> list[Route]:
    explorer = Explorer(folder)
    return [
        Route(GRAPHQL_PATH, explorer.page, methods=["GET"]),
        Route(f"{EXPLORER_PATH}/{{name}}", explorer.asset, methods=["GET"]),
    ]


def _believed(statements: Statements) -> list[Route]:
    return [
        Route(ISSUER, statements.issuer, methods=["GET"]),
        Route(LISTS, statements.status, methods=["GET"]),
        Route(STATEMENT_PATH, statements.page, methods=["GET"]),
        Route(f"{STATEMENT_PATH}/{{name}}", statements.asset, methods=["GET"]),
    ]


def _verified(tiles: Tiles) -> list[Route]:
    return [
        Route(OWN_CHECKPOINT, tiles.checkpoint, methods=["GET"]),
        Route(OWN_TILE, tiles.file, methods=["GET"]),
        Route(CHECKPOINT, tiles.checkpoint, methods=["GET"]),
        Route(TILE, tiles.file, methods=["GET"]),
    ]


async def _no_such_thing(request: Request, error: Exception) -> Response:
    """The answer to a path or method that is not served; the path is not repeated."""
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    told: CreditError = (
        NotFound("There is nothing under this path.", advice=f"Send documents to POST {GRAPHQL_PATH}.")
        if status is HTTPStatus.NOT_FOUND
        else Malformed("This method is not served here.", advice=f"Send documents to POST {GRAPHQL_PATH}.")
    )
    return declined(Declined(status, told, headers), request.state.request_id)
