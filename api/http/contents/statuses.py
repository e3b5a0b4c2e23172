"""What is said over HTTP where the content of a document is not taken or not given."""

from __future__ import annotations

from http import HTTPStatus

from api.http.answers import Declined
from api.http.bodies import CLOSE
from domain.errors import Code, Conflict, CreditError, Malformed, NotFound, Refused, Unavailable

_BY_CODE = {
    Code.QUERY_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Code.INVALID_TRANSITION: HTTPStatus.CONFLICT,
}
_BY_KIND = (
    (Refused, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)
_BY_PATH: dict[tuple[str, ...], HTTPStatus] = {("contentType",): HTTPStatus.UNSUPPORTED_MEDIA_TYPE}


def no(error: CreditError) -> Declined:
    """The refusal of a request; its connection ends, so that nothing waits for the rest of a body."""
    status = _BY_CODE.get(error.code)
    for kind, own in _BY_KIND:
        status = own if status is None and isinstance(error, kind) else status
    return Declined(status or _BY_PATH.get(error.path, HTTPStatus.BAD_REQUEST), error, CLOSE)


def unfit(sentence: str, advice: str, *path: str) -> Declined:
    """The refusal of a request that does not fit."""
    return no(Malformed(sentence, advice=advice, path=path))
