from __future__ import annotations

import asyncio
import json

import pytest

from api.graphql.limits import MAX_BODY
from api.http import bodies
from domain.audit import Outcome
from domain.errors import AuditUnavailable, NotAuthenticated

GRAPHQL, JSON = "application/graphql-response+json", "application/json"
ME = {"query": "{ me { person } }"}
TOKENS = {
    "none": {},
    "wrong": {"Authorization": "Bearer an.other.token"},
    "empty": {"Authorization": "Bearer "},
    "other scheme": {"Authorization": "Basic YTpi"},
    "no scheme": {"Authorization": "a.good.token"},
    "with a space": {"Authorization": "Bearer a.good. token"},
}


def code(response):
    return response.json()["errors"][0]["extensions"]["code"]


def test_a_document_is_answered(site):
    response = site.post(ME)
    assert (response.status_code, response.json()) == (200, {"data": {"me": {"person": "li"}}})
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["vary"] == "Accept"


def test_operation_name_variables_and_extensions_are_taken_and_may_be_null(site):
    query = "query A { __typename } query B($no: Boolean!) { me { person @skip(if: $no) tenant } }"
    body = {"query": query, "operationName": "B", "variables": {"no": True}, "extensions": {"persistedQuery": {}}}
    assert list(site.post(body).json()["data"]["me"]) == ["tenant"]
    nulls = {"operationName": None, "variables": None, "extensions": None, "unknown": 1}
    assert site.post(ME | nulls).json()["data"] == {"me": {"person": "li"}}
    assert site.post(ME | {"operationName": ""}).status_code == 200


def test_the_schema_answers_whoever_may_ask_it_by_name(site):
    body = {"query": "query Type($name: String!) { __type(name: $name) { name } }", "variables": {"name": "Money"}}
    for accept in (GRAPHQL, JSON):
        response = site.post(body, Accept=accept)
        assert (response.status_code, response.json()) == (200, {"data": {"__type": {"name": "Money"}}})


# Authentication.


@pytest.mark.parametrize("given", TOKENS.values(), ids=TOKENS)
def test_without_a_good_token_the_answer_is_one_constant_refusal_and_the_cause_is_recorded(site, given):
    response = site.send(content=json.dumps(ME), headers={"Content-Type": JSON, "X-Request-Id": "request-1", **given})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json() == {
        "errors": [
            {
                "message": "The request is not authenticated.",
                "extensions": {
                    "code": "NOT_AUTHENTICATED",
                    "advice": NotAuthenticated.advice,
                    "requestId": "request-1",
                },
            }
        ]
    }
    cause = "BAD_SIGNATURE" if given.get("Authorization") == "Bearer an.other.token" else "NO_TOKEN"
    assert [(refusal[0], refusal[2]) for refusal in site.door.refusals] == [(cause, "request-1")]
    assert (site.house.entries[-1].outcome, site.house.entries[-1].cause) == (Outcome.REFUSED, cause)


def test_two_authorization_headers_are_none(site):
    headers = [
        ("Authorization", "Bearer a.good.token"),
        ("Authorization", "Bearer a.good.token"),
        ("Content-Type", JSON),
    ]
    assert site.send(content=json.dumps(ME), headers=headers).status_code == 401


def test_the_scheme_is_written_in_any_case(site):
    assert site.post(ME, Authorization="bEARER a.good.token").status_code == 200


def test_a_stranger_is_refused_before_a_byte_of_the_body_is_read(site):
    read = []

    async def body():
        read.append(1)
        yield b"{}"

    assert site.send(content=body(), headers={"Content-Type": "text/plain", "Accept": "text/html"}).status_code == 401
    asked = []

    async def receive():
        asked.append(1)
        return {"type": "http.disconnect"}

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": [], "query_string": b""}
    asyncio.run(site.application(scope, receive, send))
    assert (asked, sent[0]["status"]) == ([], 401)


def test_without_a_record_of_the_refusal_there_is_no_refusal_either(site):
    site.house.faults.on = "put"
    response = site.send(content=json.dumps(ME), headers={"Content-Type": JSON})
    assert (response.status_code, code(response)) == (503, "AUDIT_UNAVAILABLE")
    site.door.broken = AuditUnavailable("The tenants cannot be read.")
    assert site.post(ME).status_code == 503


# Media types.


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql", "",
     "application/json; charset=utf-16", "application/json, text/plain", "application/jsonp", "application/json;x",
     None],
)  # fmt: skip
def test_a_body_that_is_not_said_to_be_json_is_refused_unread(site, content_type):
    response = site.post(ME, Content_Type=content_type)
    assert (response.status_code, code(response)) == (415, "MALFORMED")
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", 'Application/JSON ; charset="utf-8"'])
def test_json_in_utf8_is_taken_however_it_is_written(site, content_type):
    assert site.post(ME, Content_Type=content_type).status_code == 200


def test_a_packed_body_is_refused(site):
    assert site.post(ME, Content_Encoding="gzip").status_code == 415
    assert site.post(ME, Content_Encoding="identity").status_code == 200


def test_a_form_that_is_not_accepted_is_not_sent(site):
    for accept in ("text/html", "application/xml, application/json;q=0"):
        response = site.post(ME, Accept=accept)
        assert (response.status_code, code(response)) == (406, "MALFORMED")


# Statuses.


@pytest.mark.parametrize(
    ("body", "newer", "older"),
    [
        (ME, 200, 200),
        ({"query": "{"}, 400, 200),
        ({"query": "{ nothing }"}, 403, 200),
        ({"query": "query($n: Int) { creditFiles(first: $n) { totalCount } }", "variables": {"n": "x"}}, 400, 200),
        ({"query": "query A { __typename }", "operationName": "B"}, 400, 200),
        ({"query": "{ __schema { description } }"}, 403, 200),
        ({"query": '{ creditFile(id: "x") { id } }'}, 200, 200),
    ],
)
def test_the_newer_form_tells_by_its_status_what_the_older_one_tells_in_its_body(site, body, newer, older):
    site.house.withdrawn = {"schema:introspect"}
    told, plain = site.post(body, Accept=GRAPHQL), site.post(body, Accept=JSON)
    assert told.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert (told.status_code, plain.status_code) == (newer, older)
    if newer >= 400:
        assert "data" not in told.json()
        assert "data" not in plain.json()


def test_a_mutation_that_is_refused_by_the_domain_is_an_answer(site):
    query = 'mutation { registerPartner(input: {name: " ", contact: "", purposes: []}) { errors { __typename } } }'
    response = site.post({"query": query}, Accept=GRAPHQL)
    assert response.status_code == 200
    assert response.json()["data"] == {"registerPartner": {"errors": [{"__typename": "MalformedError"}]}}


def test_a_bug_before_anything_ran_is_500_in_both_forms(site, monkeypatch):
    monkeypatch.setattr(site.house, "rights", lambda _actor: {}["s3cret"])
    for accept in (GRAPHQL, JSON):
        response = site.post(ME, Accept=accept)
        assert (response.status_code, code(response)) == (500, "INTERNAL")
        assert "s3cret" not in response.text


# Bodies.


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nonsense", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"query": NaN}', b"[" * 100_000,
        b'{"query": "\\ud800"}',
        b'{"query": "{ me { person } }", "variables": {"a": "\\uDFFF"}}', b"1" * 5_000,
        b'{"query": "a", "query": "b"}', b'{"query": "a", "variables": {"x": {"y": 1, "y": 2}}}',
        b'{"query": "a"} {"query": "b"}', b"null", b"7", b'"query"', b"[]", b'[{"query": "{ me { person } }"}]',
        b"{}", b'{"query": null}', b'{"query": 1}', b'{"query": {}}', b'{"query": []}', b'{"query": ""}',
        b'{"query": "{ me { person } }", "operationName": 1}', b'{"query": "{ me { person } }", "variables": []}',
        b'{"query": "{ me { person } }", "variables": "{}"}', b'{"query": "{ me { person } }", "extensions": 0}',
        b'{"query": "{ me { person } }", "extensions": "x"}',
    ],
)  # fmt: skip
def test_a_body_that_is_not_one_request_in_json_is_refused(site, body):
    for accept in (GRAPHQL, JSON):
        response = site.post(body, Accept=accept)
        assert (response.status_code, code(response)) == (400, "MALFORMED"), body[:60]
        assert "data" not in response.json()
    assert site.house.entries == []


def test_what_is_wrong_with_a_request_is_named_and_a_batch_is_told_apart(site):
    told = site.post({"query": "{ __typename }", "variables": 1}).json()["errors"][0]
    assert told["extensions"]["inputPath"] == ["variables"]
    assert "Several requests" in site.post([ME, ME]).json()["errors"][0]["message"]


def test_characters_beyond_ascii_pass_both_ways(site):
    query = """mutation($n: String!) { registerSource(input: {type: REGISTRY, name: $n, lawfulBases: []}) {
        source { name } } }"""
    for escaped in (True, False):
        body = json.dumps({"query": query, "variables": {"n": f"国家 😀 {escaped}"}}, ensure_ascii=escaped)
        name = site.post(body.encode()).json()["data"]["registerSource"]["source"]["name"]
        assert name == f"国家 😀 {escaped}"


def test_the_largest_body_is_read_and_one_byte_more_is_not(site):
    body = json.dumps(ME).encode()
    assert site.post(body + b" " * (MAX_BODY - len(body))).status_code == 200
    response = site.post(body + b" " * (MAX_BODY - len(body) + 1))
    assert (response.status_code, code(response)) == (413, "QUERY_TOO_LARGE")
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 5_000, "-1", "x", "1_0"])
def test_a_length_that_is_too_much_or_none_is_refused_unread(site, length):
    assert site.post(ME, Content_Length=length).status_code == 413


def test_a_stream_that_says_no_length_is_read_only_up_to_the_bound(site):
    sent = []

    async def endless():
        while len(sent) < 1_000:
            sent.append(1)
            yield b" " * 10_000

    headers = {"Authorization": "Bearer a.good.token", "Content-Type": JSON}
    read = []

    async def run():
        pieces = endless()

        async def receive():
            read.append(1)
            return {"type": "http.request", "body": await anext(pieces), "more_body": True}

        answers = []

        async def send(message):
            answers.append(message)

        scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b""}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await site.application(scope | {"headers": raw}, receive, send)
        return answers[0]["status"]

    assert asyncio.run(run()) == 413
    assert len(read) == MAX_BODY // 10_000 + 1


def test_a_body_that_does_not_arrive_in_time_is_not_waited_for(site, monkeypatch):
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.05)
    headers = [(b"authorization", b"Bearer a.good.token"), (b"content-type", b"application/json")]
    answers = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        answers.append(message)

    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    asyncio.run(site.application(scope, receive, send))
    assert answers[0]["status"] == 408


def test_a_body_that_breaks_off_is_no_bug(site):
    headers = [(b"authorization", b"Bearer a.good.token"), (b"content-type", b"application/json")]
    answers = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        answers.append(message)

    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    asyncio.run(site.application(scope, receive, send))
    assert answers[0]["status"] == 400


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        ({"query": "query A { me { person } } query B { me { person } }"}, "Set operationName to A or B."),
        ({"query": "query A { me { person } }", "operationName": "C"}, "Set operationName to A."),
        (ME | {"operationName": "A"}, "Leave operationName out: the operation has no name."),
    ],
)
def test_who_names_no_operation_is_told_which_there_are(site, body, advice):
    (error,) = site.post(body).json()["errors"]
    assert error["extensions"]["advice"] == advice
