"""Pages of other sites ask where they are named, and nowhere else."""

from __future__ import annotations

import pytest

from tests.api.http.conftest import Site

DESK = "https://desk.example"
ME = {"query": "{ me { person } }"}
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture
def shared():
    """A site that names another."""
    return Site(origins=(DESK,))


def allowed(response):
    """What a browser is told of who may read an answer."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


def test_a_page_of_a_named_site_asks_and_reads_the_answer(shared):
    before = shared.send("OPTIONS", headers={"Origin": DESK} | ASKED)
    told = allowed(before)
    assert (before.status_code, told["access-control-allow-origin"]) == (200, DESK)
    assert told["access-control-allow-methods"] == "POST, PUT, GET"
    assert {"authorization", "content-type", "x-request-id"} <= set(
        told["access-control-allow-headers"].lower().split(", ")
    )
    answer = shared.post(ME, Origin=DESK)
    assert answer.json()["data"]["me"]["person"] == "li"
    read = {
        "x-request-id",
        "dpop-nonce",
        "www-authenticate",
        "content-disposition",
        "repr-digest",
        "credence-audit-entry",
    }
    assert set(allowed(answer).pop("access-control-expose-headers").lower().split(", ")) == read
    assert allowed(answer)["access-control-allow-origin"] == DESK
    assert "Origin" in answer.headers["vary"]
    assert "Accept" in answer.headers["vary"]


def test_a_page_of_a_named_site_reads_that_a_request_failed_inside(shared, monkeypatch):
    async def broken(*_):
        raise KeyError

    monkeypatch.setattr(type(shared.door), "__call__", broken)
    answer = shared.post(ME, Origin=DESK)
    assert answer.status_code == 500
    assert allowed(answer)["access-control-allow-origin"] == DESK


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://desk.example", DESK + ".evil.example"])
def test_a_page_of_another_site_is_told_nothing(shared, origin):
    before = shared.send("OPTIONS", headers={"Origin": origin} | ASKED)
    assert before.status_code == 400
    assert "access-control-allow-origin" not in before.headers
    assert "access-control-allow-origin" not in shared.post(ME, Origin=origin).headers


def test_no_page_may_send_another_method_or_header_or_cookies(shared):
    for other in ({"Access-Control-Request-Method": "DELETE"}, {"Access-Control-Request-Headers": "cookie"}):
        assert shared.send("OPTIONS", headers={"Origin": DESK} | ASKED | other).status_code == 400
    assert "access-control-allow-credentials" not in allowed(shared.post(ME, Origin=DESK))


def test_where_no_site_is_named_no_page_of_another_site_asks(site):
    assert site.send("OPTIONS", headers={"Origin": DESK} | ASKED).status_code == 405
    assert allowed(site.post(ME, Origin=DESK)) == {}


def test_a_refusal_is_read_by_the_page_that_asked(shared):
    refused = shared.post(ME, Origin=DESK, Authorization="Bearer none")
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, DESK)
    assert refused.headers["x-request-id"]
