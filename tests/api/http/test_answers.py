"""The status of an answer follows from a table, one row for each way a request can end."""

from __future__ import annotations

import pytest

from api.graphql.execute import Response
from api.http.answers import GRAPHQL, JSON, STATUSES, Edition, Ended, status_of


def error(code):
    """An error of an answer."""
    return {"message": "…", "extensions": {"code": code}}


DONE = Response({"me": None}, [], executed=True)
PARTIAL = Response({"me": None}, [error("NOT_FOUND")], executed=True)
UNPARSED = Response(None, [error("MALFORMED")], executed=False, parsed=False)
UNFIT = Response(None, [error("MALFORMED")], executed=False)
FORBIDDEN = Response(None, [error("NOT_PERMITTED")], executed=False)
AWAY = Response(None, [error("AUDIT_UNAVAILABLE")], executed=False)
BUG = Response(None, [error("INTERNAL")], executed=False)


@pytest.mark.parametrize(
    ("response", "classic", "edition_2026", "plain"),
    [
        (DONE, 200, 200, 200),
        (PARTIAL, 200, 294, 200),
        (UNPARSED, 400, 400, 200),
        (UNFIT, 400, 422, 200),
        (FORBIDDEN, 403, 403, 200),
        (AWAY, 503, 503, 503),
        (BUG, 500, 500, 500),
    ],
)
def test_each_end_has_its_status_in_each_edition(response, classic, edition_2026, plain):
    assert status_of(response, GRAPHQL) == classic
    assert status_of(response, GRAPHQL, Edition.EDITION_2026) == edition_2026
    for edition in Edition:
        assert status_of(response, JSON, edition) == plain


def test_every_end_has_a_status_in_every_edition():
    assert {edition: set(row) for edition, row in STATUSES.items()} == {edition: set(Ended) for edition in Edition}
