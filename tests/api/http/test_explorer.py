"""The page for exploring the API is served whole from here, and nothing else is."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode

import pytest
from starlette.requests import Request

from api.http.explorer import POLICY, Explorer
from api.http.packages import PACKAGES, Package, is_intact


def asked(name="", accept="text/html"):
    """A request for the page, or for one of its files."""
    scope = {"type": "http", "headers": [(b"accept", accept.encode())], "path_params": {"name": name}}
    return Request(scope | {"state": {"request_id": "req-1"}})


@pytest.fixture
def explorer(tmp_path):
    (tmp_path / "graphiql.min.js").write_text("fetched")
    (tmp_path / "secret.txt").write_text("secret")
    return Explorer(tmp_path)


def test_the_page_loads_nothing_from_elsewhere_and_has_no_code_of_its_own(explorer):
    page = asyncio.run(explorer.page(asked()))
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == POLICY
    assert b"//" not in page.body.replace(b"<!doctype", b"")
    assert b"<script>" not in page.body
    assert b"style=" not in page.body
    assert "unsafe" not in POLICY


def test_a_query_is_never_carried_out_by_get(explorer):
    assert asyncio.run(explorer.page(asked(accept="application/json"))).status_code == 405


@pytest.mark.parametrize(
    ("name", "status"),
    [("graphiql.min.js", 200), ("page.js", 200), ("page.css", 200), ("react.production.min.js", 404)]
    + [(name, 404) for name in ("secret.txt", "../secret.txt", "index.html", "")],
)
def test_only_the_files_of_the_page_are_served(explorer, name, status):
    assert asyncio.run(explorer.asset(asked(name))).status_code == status


def test_an_archive_that_is_another_is_not_taken():
    good = b64encode(hashlib.sha512(b"archive").digest()).decode()
    assert is_intact(b"archive", Package(name="a@1", sha512=good, file="package/a.js"))
    assert not any(is_intact(b"archive", package) for package in PACKAGES)
