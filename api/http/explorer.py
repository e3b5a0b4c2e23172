"""An offline page to explore the API in a browser, where it is enabled: everything it loads is served from here.

GraphiQL and React are not part of the product: `credence ide FOLDER` fetches them once and checks what came. A server
that is told the folder serves them under a policy that lets nothing else run.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from api.http.answers import Declined, declined
from api.http.packages import PACKAGES, STYLE
from domain.errors import Malformed, NotFound

PATH: Final = "/graphql/ide"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self' data:; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may do: run and load what is served here, and ask this server."""
_OWN: Final = {"page.js": "text/javascript", "page.css": "text/css"}


_FETCHED: Final[Mapping[str, str]] = {
    **{Path(one.file).name: "text/javascript" for one in PACKAGES},
    Path(STYLE).name: "text/css",
}


class Explorer:
    """Serves the page and what it loads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def page(self, request: Request) -> Response:
        """The page, for who asks for one; a query is never carried out by GET."""
        if "text/html" not in request.headers.get("accept", ""):
            error = Malformed("Queries are not carried out by GET.", advice="Send documents to POST /graphql.")
            return declined(Declined(HTTPStatus.METHOD_NOT_ALLOWED, error, {"Allow": "POST"}), _id(request))
        return _file(_own("index.html"), "text/html")

    async def asset(self, request: Request) -> Response:
        """One file of the page."""
        name = request.path_params["name"]
        if name in _OWN:
            return _file(_own(name), _OWN[name])
        path = self._folder / name
        if name not in _FETCHED or not path.is_file():
            error = NotFound("There is no such file.", advice="Run: credence ide FOLDER")
            return declined(Declined(HTTPStatus.NOT_FOUND, error), _id(request))
        return _file(path.read_bytes(), _FETCHED[name])


def _own(name: str) -> bytes:
    return (files("api.http") / "page" / name).read_bytes()


def _file(content: bytes, media: str) -> Response:
    return Response(content, media_type=media, headers={"Content-Security-Policy": POLICY})


def _id(request: Request) -> str:
    return str(request.scope["state"]["request_id"])
