"""`POST /graphql`: authenticated before the body is read, answered by GraphQL over HTTP."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.graphql.context import House
from api.graphql.execute import execute
from api.graphql.subscriptions.watching import Watchers
from api.http.admission import Admission
from api.http.answers import EVENTS, GRAPHQL, JSON, Answer, Declined, Edition, declined, status_of
from api.http.bodies import CLOSE, read_body, read_request
from api.http.negotiation import answer_type, is_json, takes_events
from api.http.streams.events import EventStream
from domain.errors import Malformed


class Documents:
    """Carries out documents for whoever a token names."""

    def __init__(self, house: House, admission: Admission, watchers: Watchers, edition: Edition) -> None:
        self._house = house
        self._watchers = watchers
        self._edition = edition
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; it is called by the router itself, since this is the way that most requests take."""
        response = await self.answer(Request(scope, receive))
        await response(scope, receive, send)

    async def answer(self, request: Request) -> ASGIApp:
        """The answer to one request."""
        id_, headers = request.scope["state"]["request_id"], request.headers
        accept = tuple(headers.getlist("accept"))
        media, events = answer_type(accept), takes_events(accept)
        try:
            actor, given = await self._admission.of(request)
            _check_forms(headers, media or (EVENTS if events else None))
            asked = read_request(await read_body(request), id_)
        except Declined as no:
            return declined(no, id_, media or JSON)
        if events and (media is None or self._watchers.opens(asked, actor)):
            return EventStream(self._watchers, self._admission.holder(given, actor, id_), asked)
        response = await execute(self._house, actor, asked)
        form = media or JSON
        return Answer(response.text(), status_of(response, form, self._edition), form)


def _check_forms(headers: Headers, media: str | None) -> None:
    """Refuses an answer in another form, and every body but JSON as it is: no form post, no text, nothing packed.

    Raises: Declined.
    """
    if media is None:
        error = Malformed("No form of the answer is accepted.", advice=f"Send Accept: {GRAPHQL}, {JSON}.")
        raise Declined(HTTPStatus.NOT_ACCEPTABLE, error, CLOSE)
    packed = headers.get("content-encoding", "identity").strip().lower() != "identity"
    if packed or not is_json(tuple(headers.getlist("content-type"))):
        error = Malformed("The body is not said to be JSON.", advice=f"Send Content-Type: {JSON}, not packed.")
        raise Declined(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error, CLOSE)
