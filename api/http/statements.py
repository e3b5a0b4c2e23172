"""What strangers get about credit statements: status lists, and a page that verifies them in the browser.

The page may run what is served here and connect to nobody, not even to us: what is verified in it stays in it. A list
is the same for everybody, so whoever fetches it does not tell which statement it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from api.http.answers import Declined, declined, printed
from api.http.ports import PublicKeys, StatusLists
from domain.errors import Malformed, NotFound, Unavailable

PATH: Final = "/statement"
ISSUER: Final = "/.well-known/jwt-vc-issuer/{company}"
LISTS: Final = "/statements/status/{company}/{number:int}"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""What the page may do: run and load what is served here. It asks nobody, and sends nothing."""
FRESH_SECONDS: Final = 60
"""How long a cache may hand out a list."""
_HIGHEST: Final = 1 << 31
_OWN: Final[Mapping[str, str]] = {
    "verify.js": "text/javascript",
    "page.js": "text/javascript",
    "page.css": "text/css",
}


class Statements:
    """Answers without a token: nothing here is about any one customer."""

    def __init__(self, keys: PublicKeys, lists: StatusLists) -> None:
        self._keys = keys
        self._lists = lists

    async def page(self, _request: Request) -> Response:
        """The page that verifies."""
        return _file("index.html", "text/html")

    async def asset(self, request: Request) -> Response:
        """One file of the page."""
        name = request.path_params["name"]
        if name not in _OWN:
            error = NotFound("There is no such file.", advice=f"The page is at {PATH}.")
            return declined(Declined(HTTPStatus.NOT_FOUND, error), _id(request))
        return _file(name, _OWN[name])

    async def issuer(self, request: Request) -> Response:
        """The keys of one company under the address that other people's wallets know (SD-JWT VC issuer metadata)."""
        try:
            found = (await self._keys(request.path_params["company"])).get("statements")
        except Malformed as error:
            return declined(Declined(HTTPStatus.BAD_REQUEST, error), _id(request))
        except Unavailable as error:
            return declined(Declined(HTTPStatus.SERVICE_UNAVAILABLE, error), _id(request))
        if found is None:
            unknown = NotFound("There is no such issuer.", advice="Ask for the company that the statement names.")
            return declined(Declined(HTTPStatus.NOT_FOUND, unknown), _id(request))
        return printed(found, HTTPStatus.OK)

    async def status(self, request: Request) -> Response:
        """A signed status list (Token Status List)."""
        company, number = request.path_params["company"], request.path_params["number"]
        try:
            found = await self._lists(company, number) if number < _HIGHEST else None
        except Malformed as error:
            return declined(Declined(HTTPStatus.BAD_REQUEST, error), _id(request))
        except Unavailable as error:
            return declined(Declined(HTTPStatus.SERVICE_UNAVAILABLE, error), _id(request))
        if found is None:
            unknown = NotFound("There is no such status list.", advice="Ask for the one that the statement names.")
            return declined(Declined(HTTPStatus.NOT_FOUND, unknown), _id(request))
        headers = {
            "Cache-Control": f"public, max-age={FRESH_SECONDS}",
            "Access-Control-Allow-Origin": "*",  # it is the same for everybody, and signed
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return Response(found, media_type="application/statuslist+jwt", headers=headers)


def _file(name: str, media: str) -> Response:
    content = (files("api.http") / "statement" / name).read_bytes()
    return Response(content, media_type=media, headers={"Content-Security-Policy": POLICY})


def _id(request: Request) -> str:
    return str(request.scope["state"]["request_id"])
