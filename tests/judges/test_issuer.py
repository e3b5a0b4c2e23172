"""`oidc-provider` gives a partner's program a token of its key, and we let it read what its customer agreed to."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx2
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from api.settings import Issuer
from authz import jwks
from tests.journeys.conftest import Installation, mutation
from tests.journeys.test_partners import PHONE, PURPOSE, agreed, request
from tests.judges.programs import HERE, ROOT, installed
from tests.proofs import Proving, new_key, proof_of

PACKAGES = ("oidc-provider@9.13.3",)
AUDIENCE = "urn:credence:api"
SHOWN = "values { field text } withheld { field reason }"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="session")
def provider(tmp_path_factory):
    """The folder in which the issuer is installed."""
    return installed(tmp_path_factory.mktemp("issuer"), PACKAGES)


class Other:
    """An issuer that runs in a process of its own."""

    def __init__(self, folder):
        shutil.copy(HERE / "issuer.mjs", folder / "issuer.mjs")
        self._errors = (folder / "errors").open("w")
        self.process = subprocess.Popen(
            ["node", "issuer.mjs"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line, (folder / "errors").read_text(encoding="utf-8")
        self.url = json.loads(line)["issuer"]

    def say(self, word, given=None):
        """Has it do something, and waits until that is done."""
        self.process.stdin.write(json.dumps([word, given]) + "\n")
        self.process.stdin.flush()
        assert json.loads(self.process.stdout.readline()) == {"done": word}

    def end(self):
        """Ends it."""
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self._errors.close()

    def register(self, key):
        """The id of a client that signs with a key."""
        public = key.as_dict(private=False) | {"use": "sig", "alg": "ES256"}
        asked = {
            "grant_types": ["client_credentials"],
            "response_types": [],
            "redirect_uris": [],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "id_token_signed_response_alg": "ES256",
            "jwks": {"keys": [public]},
        }
        answer = httpx2.post(f"{self.url}/reg", json=asked, timeout=30)
        assert answer.status_code == 201, answer.text
        return answer.json()["client_id"]

    def token(self, client, signing, proving=None):
        """A token for a client that says who it is with its own key, bound to the key it proves."""
        url, nonce = f"{self.url}/token", None
        for _ in range(2):
            now = int(time.time())
            said = {"iss": client, "sub": client, "aud": self.url, "iat": now, "exp": now + 60}
            said["jti"] = secrets.token_urlsafe(16)
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION,
                "client_assertion": jws.serialize_compact({"alg": "ES256"}, json.dumps(said), signing, ["ES256"]),
            }
            proof = {"DPoP": proof_of(proving, "", "POST", url, ath=None, nonce=nonce)} if proving else {}
            answer = httpx2.post(url, data=form, headers=proof, timeout=30)
            nonce = answer.headers.get("dpop-nonce")
            if answer.status_code == 200:
                told = answer.json()
                assert told["token_type"] == ("DPoP" if proving else "Bearer")
                return told["access_token"]
        raise AssertionError(answer.text)


@pytest.fixture
def other(provider):
    running = Other(provider)
    yield running
    running.end()


@pytest.fixture
def installation(database, tmp_path, other):
    """An installation that trusts the issuer by its address alone."""
    issuers = (Issuer(issuer=other.url, audience=AUDIENCE),)
    running = Installation(database.url, tmp_path / "data", issuers=issuers).start()
    yield running
    running.stop()


@pytest.fixture
def bank(installation, other):
    """A partner as its own program is: what it knows, and what the company decided about it."""
    tenant = installation.open_tenant("Yunfan Networks")
    privacy = installation.client(tenant, "privacy_officer")
    asked = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": [PURPOSE]}
    partner = privacy.done("registerPartner", asked, "partner { id }")["partner"]["id"]
    installation.approve(tenant, partner)
    signing, proving = new_key(), installation.key_of(tenant, partner)
    installation.register(tenant, partner, signing, use="CLIENT")
    installation.trust(tenant, mutation("requestDisclosure", SHOWN), "contact.phone", "contact.email")
    asked = {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]}
    source = privacy.done("registerSource", asked, "source { id }")["source"]["id"]
    opened = {"reference": "C-1", "name": "Customer", "kind": "ENTERPRISE", "basic": {"phone": PHONE}}
    opened["origin"] = {"source": source, "lawfulBasis": "CONTRACT"}
    analyst = installation.client(tenant, "credit_analyst")
    file = analyst.done("openCreditFile", opened, "creditFile { id }")["creditFile"]
    consent = agreed(privacy, file, partner, datetime.now(UTC) + timedelta(days=1))
    claims = {"tenant": tenant, "roles": ["partner_client"], "partner": partner, "consents": [consent]}
    other.say("claims", {signing.thumbprint(): claims})
    return {
        "tenant": tenant,
        "client": other.register(signing),
        "signing": signing,
        "proving": proving,
        "file": file,
        "consent": consent,
        "privacy": privacy,
    }


def asks(installation, token, key, file, name):
    """The answer to a disclosure."""
    body = {
        "query": mutation("requestDisclosure", SHOWN),
        "variables": {"input": request(file, name) | {"fields": ["contact.phone", "contact.email"]}},
    }
    return httpx2.post(f"{installation.url}/graphql", json=body, auth=Proving(key, token), timeout=30)


def test_a_client_that_signs_with_its_own_key_reads_what_its_consent_lets_and_nothing_once_it_ends(
    installation, other, bank
):
    token = other.token(bank["client"], bank["signing"], bank["proving"])
    answer = asks(installation, token, bank["proving"], bank["file"], "request-1").json()
    disclosed = answer["data"]["requestDisclosure"]
    assert disclosed["errors"] == []
    assert disclosed["values"] == [{"field": "contact.phone", "text": PHONE}]
    assert [item["field"] for item in disclosed["withheld"]] == ["contact.email"]
    assert asks(installation, token, new_key(), bank["file"], "request-2").status_code == 401
    unbound = other.token(bank["client"], bank["signing"])
    headers = {"Authorization": f"Bearer {unbound}"}
    for sent in ({"headers": headers}, {"auth": Proving(bank["proving"], unbound)}):
        body = {"query": "{ me { person } }"}
        assert httpx2.post(f"{installation.url}/graphql", json=body, timeout=30, **sent).status_code == 401
    unregistered = new_key()
    theirs = other.token(bank["client"], bank["signing"], unregistered)
    assert asks(installation, theirs, unregistered, bank["file"], "request-3").status_code == 401
    bank["privacy"].done("withdrawConsent", {"consent": bank["consent"]}, "consent { state }")
    assert asks(installation, token, bank["proving"], bank["file"], "request-4").status_code == 401
    entries = installation.client(bank["tenant"], "auditor").ask(
        '{ auditEntries(first: 100, filter: {action: {eq: "token:verify"}}) { nodes { cause } } }'
    )["auditEntries"]["nodes"]
    assert sorted(entry["cause"] for entry in entries) == [
        "CONSENT_WITHDRAWN",
        "KEY_NOT_REGISTERED",
        "NOT_BOUND",
        "NOT_BOUND",
        "WRONG_KEY",
    ]


def test_an_issuer_turns_its_keys_and_goes_away_while_we_serve(installation, other, bank, monkeypatch):
    monkeypatch.setattr(jwks, "AGAIN_SECONDS", 0)

    def status(token, name):
        return asks(installation, token, bank["proving"], bank["file"], name).status_code

    before = other.token(bank["client"], bank["signing"], bank["proving"])
    assert status(before, "before-1") == 200
    other.say("turn")  # it keeps its clients in memory: this one registers again
    after = other.token(other.register(bank["signing"]), bank["signing"], bank["proving"])
    assert status(after, "after-1") == 200
    assert status(before, "before-2") == 401
    other.say("down")
    assert status(after, "after-2") == 200
    with monkeypatch.context() as later:
        later.setattr(jwks, "KEPT_SECONDS", 0)
        refused = asks(installation, after, bank["proving"], bank["file"], "after-3")
        assert refused.status_code == 503
        assert refused.json()["errors"][0]["extensions"]["code"] == "KEY_UNAVAILABLE"
    other.say("up")
    assert status(after, "after-4") == 200


ASKED = """mutation ($id: ID!) {
  requestDisclosure(input: {
    creditFile: $id, purpose: PARTNER_CREDIT_DECISION, fields: ["contact.phone"], idempotencyKey: "of a program"
  }) {
    disclosure { id } sealed sealedTo proofs { entry leaf proof } errors { ... on UserError { code message } }
  }
}"""


@pytest.mark.parametrize("program", ["partner.py", "partner.mjs"])
def test_the_program_of_a_partner_registers_gets_a_token_asks_unseals_and_proves_offline(
    installation, other, bank, program, tmp_path
):
    def run(*words):
        line = [sys.executable if program.endswith(".py") else "node", ROOT / "docs" / "examples" / program, *words]
        ended = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout or "null")

    tenant = bank["tenant"]
    asked = {"name": "Second Bank", "contact": "dpo@second.example", "purposes": [PURPOSE]}
    partner = bank["privacy"].done("registerPartner", asked, "partner { id }")["partner"]["id"]
    installation.approve(tenant, partner)
    made = run("keys", tmp_path)
    for use in ("DPOP", "ENC"):
        proposed = {"partner": partner, "use": use, "jwk": json.dumps(made[use])}
        legal = installation.client(tenant, "legal")
        told = legal.done("proposePartnerKey", proposed, "challenge partnerKey { id }")
        answer = run("prove", tmp_path, tenant, partner, told["challenge"]) if use == "ENC" else None
        approved = {"key": told["partnerKey"]["id"], "possession": answer}
        bank["privacy"].done("approvePartnerKey", approved, "partnerKey { state }")
    installation.trust(tenant, ASKED, "contact.phone")
    consent = agreed(bank["privacy"], bank["file"], partner, datetime.now(UTC) + timedelta(days=1))
    claims = {"tenant": tenant, "roles": ["partner_client"], "partner": partner, "consents": [consent]}
    other.say("claims", {ECKey.import_key(made["CLIENT"]).thumbprint(): claims})

    run("register", tmp_path, other.url)
    document = sha256(ASKED.encode()).hexdigest()
    answer = run("ask", tmp_path, f"{installation.url}/graphql", tenant, document, bank["file"]["id"])
    assert answer["data"]["requestDisclosure"]["errors"] == []
    assert answer["verified"]["data"] == {"contact.phone": PHONE}
    assert answer["verified"]["consent"].startswith(f"{consent}/")
    other.say("down")
    installation.stop_server()
    kept = tmp_path / f"{answer['verified']['jti']}.json"
    assert run("verify", tmp_path, kept) == answer["verified"]
