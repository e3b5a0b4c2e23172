"""A partner's token is good with a fresh proof of its key, for one request, once; a refusal tells nobody why."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2
import pytest
import sqlalchemy as sa

from authz import admitting
from tests.journeys.conftest import Installation
from tests.proofs import new_key, proof_of

QUERY = "{ me { person partner } }"


@pytest.fixture
def partner(installation, tenant):
    """A partner that may run the one document of these tests."""
    asked = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": ["PARTNER_CREDIT_DECISION"]}
    found = installation.client(tenant, "privacy_officer").done("registerPartner", asked, "partner { id }")
    installation.trust(tenant, QUERY)
    return installation.approve(tenant, found["partner"]["id"])


class Sender:
    """Sends what a partner might send, right or wrong."""

    def __init__(self, installation, tenant, partner):
        self.url = f"{installation.url}/graphql"
        self.key = installation.key_of(tenant, partner)
        self.token = installation.token(
            tenant, "partner_client", person="bank", partner=partner, key=self.key.thumbprint()
        )
        self.nonce = self.send(proof_of(self.key, self.token, "POST", self.url)).headers["dpop-nonce"]

    def proof(self, key=None, method="POST", url=None, token=None, **changes):
        """A proof that is good but for what is changed."""
        changes = {"nonce": self.nonce} | changes
        return proof_of(key or self.key, token or self.token, method, url or self.url, **changes)

    def send(self, *proofs, scheme="DPoP", token=None, url=None):
        """The answer to the one document."""
        headers = [("Authorization", f"{scheme} {token or self.token}"), *(("DPoP", proof) for proof in proofs)]
        return httpx2.post(url or self.url, json={"query": QUERY}, headers=headers, timeout=30)


@pytest.fixture
def bank(installation, tenant, partner):
    return Sender(installation, tenant, partner)


def told(answer):
    """What a refusal tells, but for the request's id."""
    body = answer.json()
    assert "data" not in body
    (error,) = body["errors"]
    assert error["extensions"].pop("requestId")
    return json.dumps(error, sort_keys=True)


def causes(installation, tenant):
    """The causes of refused tokens in the log of a company."""
    entries = installation.client(tenant, "auditor").ask(
        '{ auditEntries(first: 100, filter: {action: {eq: "token:verify"}}) { nodes { cause outcome } } }'
    )["auditEntries"]["nodes"]
    assert {entry["outcome"] for entry in entries} <= {"REFUSED"}
    return sorted(entry["cause"] for entry in entries)


def test_a_proof_lets_its_key_in_and_names_the_next_nonce(partner, bank):
    answer = bank.send(bank.proof())
    assert answer.json()["data"]["me"] == {"person": "bank", "partner": partner}
    assert answer.headers["dpop-nonce"]


def test_whatever_is_wrong_with_a_proof_is_told_alike_and_recorded_by_its_cause(installation, tenant, bank):
    other = new_key()
    wrong = {
        "NO_PROOF": (),
        "SEVERAL_PROOFS": (bank.proof(), bank.proof()),
        "PROOF_WRONG_METHOD": (bank.proof(method="GET"),),
        "PROOF_WRONG_URL": (bank.proof(url="https://elsewhere.example/graphql"),),
        "PROOF_WRONG_TIME": (bank.proof(iat=int(time.time()) - 90),),
        "PROOF_OF_ANOTHER_TOKEN": (bank.proof(token="another.good.token"),),
        "PROOF_WRONG_TYPE": (bank.proof(header={"typ": "jwt"}),),
        "PROOF_BAD_SIGNATURE": (bank.proof(signed_by=other),),
        "PROOF_MISSING_CLAIM": (bank.proof(jti=None),),
        "PROOF_KEY_NOT_ALLOWED": (bank.proof(header={"jwk": bank.key.as_dict(private=True)}),),
        "PROOF_MALFORMED": ("no.proof",),
    }
    answers = [bank.send(*proofs) for proofs in wrong.values()]
    assert {answer.status_code for answer in answers} == {401}
    assert len({told(answer) for answer in answers}) == 1
    for answer in answers:
        assert answer.headers["www-authenticate"] == 'DPoP error="invalid_dpop_proof", algs="ES256 Ed25519"'
        assert answer.headers["dpop-nonce"]
    assert causes(installation, tenant) == sorted(wrong)


def test_a_proof_without_a_fresh_nonce_is_challenged_whatever_its_token(installation, tenant, bank):
    asked = [
        bank.send(bank.proof(nonce=None)),
        bank.send(bank.proof(nonce="AAAA")),
        bank.send(bank.proof(nonce=None, token="no.such.token"), token="no.such.token"),
    ]
    for answer in asked:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'DPoP error="use_dpop_nonce", algs="ES256 Ed25519"'
        assert answer.headers["dpop-nonce"] == bank.nonce
    assert len({told(answer) for answer in asked}) == 1
    assert causes(installation, tenant) == []


def test_a_token_that_was_stolen_is_worth_nothing_without_its_key(installation, tenant, partner, bank):
    thief = new_key()
    staff = installation.token(tenant, "auditor")
    expired = installation.token(
        tenant, "partner_client", partner=partner, key=bank.key.thumbprint(), lifetime=timedelta(seconds=1)
    )
    time.sleep(1.1)
    answers = {
        "WRONG_KEY": bank.send(bank.proof(key=thief)),
        "NOT_BOUND": bank.send(bank.proof(token=staff), token=staff),
        "EXPIRED": bank.send(bank.proof(token=expired), token=expired),
    }
    assert {answer.status_code for answer in answers.values()} == {401}
    assert len({told(answer) for answer in answers.values()}) == 1
    assert {answer.headers["www-authenticate"] for answer in answers.values()} == {
        'DPoP error="invalid_token", algs="ES256 Ed25519"'
    }
    bearer = bank.send(scheme="Bearer")
    assert (bearer.status_code, told(bearer)) == (401, told(answers["WRONG_KEY"]))
    assert bearer.headers["www-authenticate"] == 'Bearer error="invalid_token", DPoP algs="ES256 Ed25519"'
    assert causes(installation, tenant) == ["EXPIRED", "KEY_NOT_PROVEN", "NOT_BOUND", "WRONG_KEY"]


def test_a_proof_is_good_once_also_at_another_process_of_the_same_database(installation, tenant, bank, database):
    proof = bank.proof()
    assert bank.send(proof).status_code == 200
    again = bank.send(proof)
    assert (again.status_code, again.headers["www-authenticate"].split(",")[0]) == (401, 'DPoP error="invalid_token"')
    if database.dialect == "sqlite":
        # One process serves SQLite: the other one comes after it.
        installation.stop()
    other = Installation(
        installation.settings.database_url, installation.folder, prepared=True, public_url=bank.url[:-8]
    )
    other.start()
    try:
        address = f"{other.url}/graphql"
        assert bank.send(proof, url=address).status_code == 401
        assert bank.send(bank.proof(), url=address).status_code == 200
    finally:
        other.stop()
        if database.dialect == "sqlite":
            installation.start()
    assert causes(installation, tenant) == ["PROOF_REPLAYED"] * 2


def test_many_at_once_with_one_proof_are_one(bank):
    proof = bank.proof()
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(lambda _: bank.send(proof), range(8)))
    assert statuses == [200, *[401] * 7]


def test_one_key_proves_so_many_requests_in_a_minute_and_no_more(bank, monkeypatch):
    monkeypatch.setattr(admitting, "PROOFS", 2)
    statuses = [bank.send(bank.proof()).status_code for _ in range(3)]
    assert statuses == [200, 200, 503]
    assert bank.send(bank.proof()).json()["errors"][0]["extensions"]["code"] == "OVERLOADED"


def test_the_address_callers_use_is_the_one_a_proof_names(installation, bank):
    installation.stop()
    object.__setattr__(installation.settings, "public_url", "https://credit.example/api")
    installation.start()
    here = f"{installation.url}/graphql"
    assert bank.send(bank.proof(url=here), url=here).status_code == 401
    for spelled in ("https://credit.example/api/graphql", "HTTPS://Credit.Example:443/api/gr%61phql?a=b#c"):
        assert bank.send(bank.proof(url=spelled), url=here).status_code == 200


def test_no_request_of_staff_writes_down_a_proof(installation, tenant, bank):
    bank.send(bank.proof())
    before = installation.house(spent)
    installation.client(tenant, "auditor").ask("{ me { person } }")
    assert installation.house(spent) == before == 1


async def spent(house):
    """How many proofs are written down."""
    (tenant,) = [one for one in await house.store.tenants() if one != "te_" + "0" * 26]
    return await house.store.inspect(
        tenant, lambda connection: connection.scalar(sa.text("SELECT count(*) FROM spent"))
    )
