from __future__ import annotations

import asyncio
import json
import logging

import pytest
import structlog
from starlette.routing import Route

from api.http import operating
from api.http.application import build_http
from api.http.envelope import HEADERS
from api.http.ports import Published
from domain.errors import AuditUnavailable

CANARY = "C4NARY13800138000"
ME = {"query": "{ me { person } }"}


def paths():
    return [("POST", "/graphql"), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/.well-known/credence-keys.json")]


@pytest.mark.parametrize(("method", "path"), [*paths(), ("GET", "/none"), ("GET", "/graphql"), ("TRACE", "/healthz")])
def test_every_answer_carries_the_security_headers_and_its_id(site, method, path):
    response = site.send(method, path)
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert len(response.headers["x-request-id"]) >= 8
    assert response.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("given", ["request-1", "01900000-0000-7000-8000-000000000000", "a" * 64])
def test_the_id_of_a_request_is_kept_and_stands_in_the_audit_entry(site, given):
    response = site.post({"query": "{ creditFiles { totalCount } }"}, X_Request_Id=given)
    assert response.headers["x-request-id"] == given
    assert site.house.entries[-1].request == given


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "with space 1", "line\x0bbreak1", "-leading-1", "<script>1"])
def test_what_is_no_id_is_replaced(site, given):
    made = site.post(ME, X_Request_Id=given).headers["x-request-id"]
    assert made != given
    assert len(made) == 16


def test_two_ids_are_none(site):
    headers = [("X-Request-Id", "request-1"), ("X-Request-Id", "request-2")]
    assert site.send("GET", "/healthz", headers=headers).headers["x-request-id"] not in {"request-1", "request-2"}


def test_queries_over_get_and_every_other_method_are_off(site):
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"):
        response = site.send(method, "/graphql?query={me{person}}")
        assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_a_path_that_is_not_served_is_not_repeated(site):
    response = site.send("GET", f"/{CANARY}")
    assert response.status_code == 404
    assert CANARY not in response.text
    assert site.send("POST", "/graphql/").status_code == 404


def test_one_line_is_logged_for_a_request_and_it_says_nothing_of_its_content(site):
    with structlog.testing.capture_logs() as logs:
        site.post(ME, X_Request_Id="request-1")
        site.send("BREW", f"/{CANARY}")
    first, second = logs
    assert type(first["status"]) is int
    assert first.pop("ms") >= 0
    assert first == {
        "event": "Answered.",
        "log_level": "info",
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "request": "request-1",
    }
    assert (second["method"], second["path"], second["status"]) == ("OTHER", "unmatched", 404)


def test_a_bug_is_masked_logged_by_its_type_and_never_reaches_the_server(site, monkeypatch):
    async def broken(_bearer):
        raise KeyError(CANARY)

    monkeypatch.setattr(type(site.door), "__call__", lambda _self, bearer: broken(bearer))
    with structlog.testing.capture_logs() as logs:
        response = site.post(ME, X_Request_Id="request-1")
    assert response.status_code == 500
    assert response.json()["errors"][0]["extensions"] == {
        "code": "INTERNAL",
        "advice": "Try again; if it stays, give the operator the request's id.",
        "requestId": "request-1",
    }
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    assert CANARY not in json.dumps([logs, response.text])
    assert [log["event"] for log in logs] == ["A request failed inside.", "Answered."]
    assert logs[1]["status"] == 500


def test_a_bug_after_the_answer_began_ends_it_without_an_exception(site):
    async def half(scope, _receive, send):
        del scope
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError(CANARY)

    site.application.router.routes.append(Route("/half", endpoint=half_endpoint(half)))
    sent = []

    async def send(message):
        sent.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": "/half", "query_string": b"", "headers": []}
    with structlog.testing.capture_logs() as logs:
        asyncio.run(site.application(scope, None, send))
    assert sent == ["http.response.start"]
    assert CANARY not in json.dumps(logs)


def half_endpoint(half):
    class Endpoint:
        async def __call__(self, scope, receive, send):
            await half(scope, receive, send)

    return Endpoint()


# Nothing of a request stands in a log.


def requests(site):
    """Requests that carry the canary in every place a caller can write to, good and bad."""
    literal = f'{{ creditFiles(filter: {{name: {{eq: "{CANARY}"}}}}) {{ totalCount }} }}'
    source = """mutation($n: String!) { registerSource(input: {type: REGISTRY, name: $n, lawfulBases: []}) {
        errors { __typename } } }"""
    site.post({"query": literal})
    site.post({"query": f"{{ {CANARY}: me {{ person }} }}"})
    site.post({"query": f"query {CANARY} {{ me {{ person }} }}", "operationName": CANARY})
    site.post({"query": "{ me { person } }", "operationName": CANARY})
    site.post({"query": source, "variables": {"n": CANARY}})
    site.post({"query": source, "variables": {"n": CANARY}})
    site.post({"query": source, "variables": {"n": [CANARY]}})
    site.post({"query": source, "variables": {"n": CANARY + "\x00"}})
    site.post({"query": source, "variables": {CANARY: 1}, "extensions": {CANARY: CANARY}})
    site.post({"query": f"{{ {CANARY} }}"})
    site.post({"query": f'{{ creditFile(id: "{CANARY}") {{ id }} }}'})
    site.post({"query": f"{{ me {{ person }} # {CANARY}"})
    site.post(CANARY)
    site.post({"query": "{ me { person } }", "variables": CANARY})
    site.post(f'{{"query": "a", "{CANARY}": 1, "{CANARY}": 2}}')
    site.post(ME, Authorization=f"Bearer {CANARY}")
    site.post(ME, Authorization=CANARY)
    site.post(ME, X_Request_Id=CANARY + "!")
    site.post(ME, Accept=CANARY)
    site.post(ME, Content_Type=f"text/{CANARY}")
    site.send("GET", f"/graphql?query={CANARY}")
    site.send("GET", f"/{CANARY}?{CANARY}={CANARY}")
    site.send("GET", "/healthz", headers={"Cookie": CANARY, "User-Agent": CANARY, "Referer": CANARY})


def test_nothing_a_caller_writes_anywhere_reaches_a_log(site, caplog, capsys):
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logs:
        requests(site)
        site.house.faults.on, site.house.faults.error = "find", KeyError(CANARY)
        requests(site)
        site.house.faults.on, site.house.faults.error = "read", AuditUnavailable("The audit log cannot be written.")
        requests(site)
    assert len(logs) > 60
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    held = json.dumps(logs) + "".join(ours) + "".join(capsys.readouterr())
    assert CANARY not in held
    assert any(log["event"] == "A request failed inside." for log in logs)


# Around the interface.


def test_alive_is_alive_and_the_public_keys_are_public(site):
    assert site.send("GET", "/healthz", headers={}).json() == {"status": "alive"}
    response = site.send("GET", "/.well-known/credence-keys.json", headers={})
    assert (response.status_code, response.json()["checkpoints"]) == (200, ["log+1+key"])
    assert site.send("HEAD", "/healthz", headers={}).status_code == 200


def test_the_public_keys_are_those_of_the_company_that_is_named(site):
    path = "/.well-known/credence-keys.json"
    assert site.send("GET", f"{path}?company=te_1", headers={}).json()["checkpoints"] == ["logte_1+1+key"]
    response = site.send("GET", f"{path}?company=nobody", headers={})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "MALFORMED")


def test_whoever_asks_often_whether_it_is_ready_costs_the_parts_nothing(site, monkeypatch):
    monkeypatch.setattr(operating, "KEPT_SECONDS", 60)
    answers = [site.send("GET", "/readyz", headers={}).status_code for _ in range(20)]
    assert set(answers) == {200}
    assert sorted(site.probed) == sorted(site.parts)


def test_ready_names_the_part_that_is_not_and_logs_only_its_kind(site, monkeypatch):
    monkeypatch.setattr(operating, "KEPT_SECONDS", 0)
    assert site.send("GET", "/readyz", headers={}).json() == {
        "status": "ready",
        "checks": {"database": "ok", "keys": "ok", "audit": "ok"},
    }
    site.parts["keys"] = KeyError(CANARY)
    with structlog.testing.capture_logs() as logs:
        response = site.send("GET", "/readyz", headers={})
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "ok", "keys": "failed", "audit": "ok"}
    assert (logs[0]["check"], logs[0]["type"]) == ("keys", "KeyError")
    assert CANARY not in json.dumps(logs) + response.text


def test_a_part_that_does_not_answer_is_not_ready(site, monkeypatch):
    monkeypatch.setattr("api.http.operating.PROBE_SECONDS", 0.02)

    async def silent():
        await asyncio.sleep(30)

    async def none():
        return {}

    site.application = build_http(site.house, site.door, probes={"database": silent}, published=Published(keys=none))
    assert site.send("GET", "/readyz").status_code == 503
