"""A customer takes its standing to a supplier that has no account here, over HTTP and on both databases."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import httpx2
import pytest

from api.app import holder_key, new_holder_key, present_statement, private_text, public_text, verify_statement
from api.imports.synthetic import furnish, portfolio
from api.tour.cast import Cast
from domain.assessment.assessing import RequestAssessment
from domain.assessment.assessments import AssessmentKind, AssessmentState
from tests.canary.test_canary import database_bytes

AUDIENCE, NONCE = "https://supplier.example", "n-7f3a"
SHOWN = "sdJwt creditStatement { id state claims expiresAt revokedBecause creditFile { id } }"


@pytest.fixture
def graded(installation, tenant):
    """A customer with a grade in force: its file, itself, and its code."""

    async def work(house):
        cast = Cast.of(house, tenant)
        made = await furnish(cast.manager.do, portfolio(house.clock.now().date(), customers=6))
        for member in made.members:
            asked = RequestAssessment(credit_file=member.credit_file, kind=AssessmentKind.NEW)
            found = await cast.analyst.do(asked)
            if found.state is AssessmentState.IN_FORCE and found.grade is not None:
                return member.credit_file, member.customer
        raise AssertionError("nobody is graded at once")

    return installation.house(work)


@pytest.fixture
def customer(installation, tenant, graded):
    """The customer, with a token of its own."""
    return installation.client(tenant, "customer_self", person="li", subject=graded[1])


def taken(customer, file, key, *claims):
    """A statement, as the customer's own tool asks for it."""
    public = json.loads(public_text(key))
    asked = {"creditFile": file, "claims": list(claims), "holderKey": {"x": public["x"], "y": public["y"]}}
    return customer.done("issueCreditStatement", asked, SHOWN)


def test_a_customer_shows_a_supplier_one_answer_and_takes_it_back(installation, database, tenant, graded, customer):
    file, _ = graded
    manager, auditor = installation.client(tenant, "credit_manager"), installation.client(tenant, "auditor")
    ask = "query($id: ID!) { creditFile(id: $id) { grade confidential(purpose: CREDIT_REVIEW)"
    ask += " { unifiedSocialCreditCode } } }"
    known = manager.ask(ask, id=file)["creditFile"]
    code = known["confidential"]["unifiedSocialCreditCode"]

    key = holder_key(json.loads(private_text(new_holder_key())))
    issued = taken(customer, file, key, "UNIFIED_SOCIAL_CREDIT_CODE", "GRADE", "GRADE_AT_LEAST")
    assert issued["creditStatement"]["state"] == "ISSUED"
    assert issued["creditStatement"]["creditFile"] == {"id": file}
    text, id_ = issued["sdJwt"], issued["creditStatement"]["id"]

    # The supplier has no account. What it fetches is the same for everybody.
    keys = httpx2.get(f"{installation.url}/.well-known/credence-keys.json", params={"company": tenant}).json()
    address = f"{installation.url}/statements/status/{tenant}/1"
    listed = httpx2.get(address)
    assert listed.headers["content-type"] == "application/statuslist+jwt"
    assert listed.headers["cache-control"] == "public, max-age=60"
    seconds = int(time.time())
    shown = present_statement(
        text, key, show=["grade_at_least_CCC", "as_of"], audience=AUDIENCE, nonce=NONCE, now=seconds
    )
    verdict = verify_statement(shown, keys, listed.text, now=datetime.now(UTC), audience=AUDIENCE, nonce=NONCE)
    assert verdict.ok
    assert set(verdict.claims) == {"grade_at_least_CCC", "as_of"}
    whole = verify_statement(text, keys, now=datetime.now(UTC)).claims
    assert (whole["unified_social_credit_code"], whole["grade"]) == (code, known["grade"])

    # Nobody else learns what was taken along; staff sees that something was.
    page = "{ creditStatements(first: 10) { totalCount nodes { id claims holder state } } }"
    for reader in (customer, manager, auditor):
        (row,) = reader.ask(page)["creditStatements"]["nodes"]
        assert row["id"] == id_
        assert code not in str(row)
    refused = manager.change(
        "issueCreditStatement",
        {"creditFile": file, "claims": ["GRADE"], "holderKey": {"x": "A" * 43, "y": "A" * 43}},
        SHOWN,
    )
    assert [error["code"] for error in refused["errors"]] == ["NOT_PERMITTED"]
    entries = auditor.ask("{ auditEntries(first: 100) { nodes { action fields purpose outcome } } }")
    (entry,) = [
        each
        for each in entries["auditEntries"]["nodes"]
        if (each["action"], each["outcome"]) == ("credit_statement:issue", "DONE")
    ]
    assert set(entry["fields"]) >= {"identity.uscc", "credit_statement.grade", "credit_statement.grade_at_least"}
    secrets = [code, *(part for part in text.split(".")[-1].split("~") if part)]
    for place, data in database_bytes(database, installation):
        raw = data.encode() if isinstance(data, str) else data
        assert [one for one in secrets if one.encode() in raw] == [], place

    back = customer.done("revokeCreditStatement", {"statement": id_}, "creditStatement { state revokedBecause }")
    assert back["creditStatement"] == {"state": "REVOKED", "revokedBecause": "CUSTOMER"}
    end = time.monotonic() + 15
    while verify_statement(shown, keys, httpx2.get(address).text, now=datetime.now(UTC)).ok:
        assert time.monotonic() < end
        time.sleep(0.2)


def test_what_strangers_may_fetch_and_what_not(installation, tenant):
    def get(path, **words):
        return httpx2.get(f"{installation.url}{path}", **words)

    other = "te_00000000000000000000000009"
    for path in (
        f"/statements/status/{other}/1",
        f"/statements/status/{tenant}/1",
        f"/statements/status/{tenant}/999999999999",
    ):
        answer = get(path)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")
    assert get("/statements/status/nonsense/1").status_code == 400
    assert get(f"/statements/status/{tenant}/-1").status_code == 404
    keys = "/.well-known/credence-keys.json"
    assert get(keys, params={"company": other}).json()["statements"] is None
    assert get(keys).json()["statements"] is None
    assert get(keys, params={"company": tenant}).json()["statements"]["jwks"]["keys"][0]["crv"] == "P-256"
    issuer = get(f"/.well-known/jwt-vc-issuer/{tenant}").json()
    assert issuer == get(keys, params={"company": tenant}).json()["statements"]
    assert issuer["issuer"].endswith(tenant)
    assert get(f"/.well-known/jwt-vc-issuer/{other}").status_code == 404
    assert get("/.well-known/jwt-vc-issuer/nonsense").status_code == 400

    page = get("/statement")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    for word in ("default-src 'none'", "connect-src 'none'", "script-src 'self'", "form-action 'none'"):
        assert word in policy
    assert "unsafe" not in policy
    for name, media in (("verify.js", "text/javascript"), ("page.js", "text/javascript"), ("page.css", "text/css")):
        assert f'"/statement/{name}"' in page.text or name == "verify.js"
        assert get(f"/statement/{name}").headers["content-type"].startswith(media)
    for name in ("index.html", "..%2Fpage%2Fpage.js", "x.js"):
        assert get(f"/statement/{name}").status_code == 404
