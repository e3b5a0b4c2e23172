"""What auditors of GraphQL servers look for, asked of a running demo: floods, forged requests, telltale answers."""

from __future__ import annotations

import json
import re

import pytest
from graphql import get_introspection_query

from tests.judges.demonstrated import GRAPHQL, JSON, running_demo

STAFF, CUSTOMER, PARTNER = "auditor", "customer_self", "partner_client"
ASKS = "{ me { person } }"
CIRCLE = "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
FORM = "application/x-www-form-urlencoded"
FLOODS = {
    "aliases": "{ " + " ".join(f"alias{number}: me {{ person }}" for number in range(101)) + " }",
    "aliases of the type": "{ " + " ".join(f"alias{number}: __typename" for number in range(101)) + " }",
    "directives": "{ me " + "@aa" * 500 + " { person } }",
    "directives that exist": "{ me " + "@skip(if: false)" * 200 + " { person } }",
    "fields of one name": "{ " + "__typename " * 500 + "}",
    "introspection in circles": CIRCLE,
    "introspection of types in types": '{ __type(name: "Query") '
    + "{ fields { type " * 9
    + "{ name }"
    + " } }" * 9
    + " }",
    "depth": "{ creditFiles { nodes { assessment "
    + "{ creditFile { assessment " * 9
    + "{ id }"
    + " } }" * 9
    + " } } }",
}
MALFORMED = {
    "nothing": b"",
    "no JSON": b"{",
    "no text": b"\xff\xfe\x00",
    "null": b"null",
    "a number": b"1",
    "a text": b'"{ me { person } }"',
    "an empty list": b"[]",
    "no query": b"{}",
    "a query that is null": b'{"query": null}',
    "a query that is a number": b'{"query": 1}',
    "a query that is a list": b'{"query": ["{ me { person } }"]}',
    "variables that are a list": b'{"query": "{ me { person } }", "variables": []}',
    "variables that are a text": b'{"query": "{ me { person } }", "variables": "{}"}',
    "an operation's name that is a number": b'{"query": "{ me { person } }", "operationName": 1}',
    "extensions that are a text": b'{"query": "{ me { person } }", "extensions": "x"}',
    "a name twice": b'{"query": "{ me { person } }", "query": "{ me { tenant } }"}',
    "half a character": b'{"query": "{ me { person } } #\\ud800"}',
    "no number": b'{"query": "{ me { person } }", "variables": {"a": NaN}}',
    "a number without end": b'{"query": "{ me { person } }", "variables": {"a": ' + b"9" * 5_000 + b"}}",
    "deep lists": b'{"query": "{ me { person } }", "variables": {"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
    "an empty document": b'{"query": " "}',
    "no GraphQL": b'{"query": "SELECT 1"}',
    "a document that breaks off": b'{"query": "{ me { person "}',
    "a persisted query without a digest": b'{"extensions": {"persistedQuery": {"version": 1}}}',
    "a persisted query of no digest": b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "x"}}}',
    "a file": b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{}\r\n--x--',
}
TELLING = re.compile(
    r"Traceback|File \\?\"|\.py\b|site-packages|graphql-core|Strawberry|line \d+, in|Error:", re.IGNORECASE
)
"""What only a server that fails would say."""


@pytest.fixture(scope="module")
def demo():
    with running_demo() as running:
        yield running


def codes(response):
    """The codes of the errors in an answer."""
    return {error["extensions"]["code"] for error in response.json()["errors"]}


@pytest.mark.parametrize("query", FLOODS.values(), ids=FLOODS)
def test_a_flood_is_refused_with_its_reason(demo, query):
    response = demo.ask(query)
    assert response.status_code == 400
    assert codes(response) == {"QUERY_TOO_LARGE"}
    assert "data" not in response.json()


def test_several_requests_in_one_body_are_refused(demo):
    for count in (1, 10):
        response = demo.send(json=[{"query": ASKS}] * count)
        assert response.status_code == 400
        assert "data" not in response.text


@pytest.mark.parametrize("accept", [None, JSON, GRAPHQL, "text/html", "*/*"])
@pytest.mark.parametrize("query", [ASKS, 'mutation { withdrawConsent(input: {consent: "x"}) { auditEntry } }'])
def test_nothing_is_carried_out_by_get(demo, query, accept):
    headers = {} if accept is None else {"Accept": accept}
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        response = demo.send(method, params={"query": query}, headers=headers)
        assert response.status_code == 405
        assert "data" not in response.text


@pytest.mark.parametrize(
    "content_type", [FORM, "text/plain", "multipart/form-data; boundary=x", "application/graphql", ""]
)
def test_what_a_foreign_page_could_send_without_being_asked_is_not_read(demo, content_type):
    contents = (f"query={ASKS}", json.dumps({"query": ASKS}), ASKS)
    for content in contents:
        headers = {"Content-Type": content_type} if content_type else {}
        response = demo.send(content=content.encode(), headers=headers)
        assert response.status_code == 415
        assert "data" not in response.text


def test_a_cookie_lets_nobody_in(demo):
    response = demo.send(role="", headers={"Cookie": f"token={demo.tokens[STAFF]}"}, json={"query": ASKS})
    assert response.status_code == 401
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "path",
    [
        "/graphql",
        "/",
        "/graphiql",
        "/playground",
        "/altair",
        "/voyager",
        "/console",
        "/graphql/console",
        "/graphql/ide/page.js",
    ],
)
def test_no_page_to_explore_is_open_where_none_was_asked_for(demo, path):
    for role in ("", STAFF):
        response = demo.send("GET", path, role=role, headers={"Accept": "text/html"})
        assert response.status_code in {404, 405}
        assert not re.search("graphiql|playground|<html|<script", response.text, re.IGNORECASE)


def test_an_answer_has_no_traces_and_no_word_about_the_server(demo):
    asked = {"query": ASKS, "extensions": {"tracing": True, "debug": True}}
    tracing = {"X-Apollo-Tracing": "1", "Apollo-Federation-Include-Trace": "ftv1"}
    for query in (ASKS, "{ zz }"):
        response = demo.send(json=asked | {"query": query}, headers=tracing)
        assert set(response.json().get("extensions", {})) <= {"cost"}
        assert not re.search("tracing|ftv1|debug|exception|stacktrace", response.text, re.IGNORECASE)
        assert not {"server", "x-powered-by", "via"} & set(response.headers)


@pytest.mark.parametrize("role", [CUSTOMER, PARTNER])
@pytest.mark.parametrize(
    "query",
    [get_introspection_query(), "{ __schema { queryType { name } } }", '{ __type(name: "Query") { name } }', CIRCLE],
    ids=["the whole schema", "its root", "one type", "in circles"],
)
def test_who_may_not_read_the_schema_is_refused_it(demo, role, query):
    response = demo.ask(query, role=role)
    assert response.status_code in {400, 403}
    assert "data" not in response.json()
    assert "queryType" not in response.text


@pytest.mark.parametrize("role", [STAFF, CUSTOMER, PARTNER])
@pytest.mark.parametrize(
    "query",
    [
        "{ disclosures }",
        "{ creditFil { id } }",
        "{ creditFiles(firs: 1) { totalCount } }",
        "{ me { persn } }",
        "query($a: CreditFileFilte) { creditFiles(filter: $a) { totalCount } }",
        '{ creditFile(id: "x") { confidential(purpose: CREDIT_REVIEV) { phone } } }',
        "{ me { person @skp(if: true) } }",
        "{ me { ...Fields } } fragment Field on Me { person }",
        "{ me { ... on M { person } } }",
        "{ creditFiles(filter: {nam: {eq: 1}}) { totalCount } }",
        '{ creditFiles(filter: {name: {eq: "Secret Ltd", lik: "Secret Ltd"}}) { totalCount } }',
    ],
)
def test_nobody_is_told_what_was_meant(demo, role, query):
    response = demo.ask(query, role=role)
    assert response.json()["errors"]
    assert "did you mean" not in response.text.lower()
    assert not re.search("CREDIT_REVIEW|persons?\\b|creditFile\\b|Secret", response.text)


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_is_refused_and_nothing_of_a_failure_is_told(demo, body):
    response = demo.send(content=body, headers={"Content-Type": JSON, "Accept": GRAPHQL})
    assert response.status_code == 400
    assert "INTERNAL" not in codes(response)
    assert not TELLING.search(response.text)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Basic YTpi"},
        {"Accept": "image/png"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Encoding": "gzip"},
        {"X-Request-Id": "{{7*7}}"},
        {"Accept": ",;q=,"},
    ],
    ids=str,
)
def test_odd_headers_are_no_failure(demo, headers):
    response = demo.send(content=json.dumps({"query": ASKS}), headers={"Content-Type": JSON} | headers)
    assert response.status_code < 500
    assert not TELLING.search(response.text)
    assert "7*7" not in str(response.headers)
