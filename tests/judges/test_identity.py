"""People of `oidc-provider` get the roles our company gives their groups; its programs have accounts of ours."""

from __future__ import annotations

import base64
import secrets
from hashlib import sha256
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pytest

from api.settings import Issuer
from tests.journeys.conftest import Installation
from tests.judges.test_issuer import AUDIENCE, other, provider  # noqa: F401 - fixtures
from tests.proofs import new_key

DONE = "http://127.0.0.1:1/done"


@pytest.fixture
def installation(database, tmp_path, other):  # noqa: F811 - the fixture
    """An installation that lets the company's own rules say what the issuer's claims give."""
    issuers = (Issuer(issuer=other.url, audience=AUDIENCE, tenant_claim="company", mapped=True),)
    running = Installation(database.url, tmp_path / "data", issuers=issuers).start()
    yield running
    running.stop()


def signed_in(issuer, person):
    """The access token of a person who signed in with a browser: code and PKCE."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": "desk",
        "response_type": "code",
        "redirect_uri": DONE,
        "scope": "openid disclosures",
        "resource": AUDIENCE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "login_hint": person,
    }
    with httpx2.Client(timeout=30) as browser:
        answer = browser.get(f"{issuer.url}/auth", params=asked)
        while not answer.headers.get("location", "").startswith(DONE):
            assert answer.has_redirect_location, answer.text
            answer = browser.get(urljoin(str(answer.url), answer.headers["location"]))
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": DONE, "client_id": "desk"}
        form |= {"code_verifier": verifier, "resource": AUDIENCE}
        told = browser.post(f"{issuer.url}/token", data=form)
    assert told.status_code == 200, told.text
    return told.json()["access_token"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_groups_give_roles_and_programs_have_accounts(installation, other):  # noqa: F811 - the fixture
    tenant = installation.open_tenant("Yunfan Networks")
    admin = installation.client(tenant, "platform_admin", person="admin")
    zhou = installation.client(tenant, "privacy_officer", person="zhou")

    def in_force(field, given, shows):
        rule = admin.done(field, {"issuer": other.url} | given, f"{shows} {{ id }}")[shows]["id"]
        zhou.done("approveAccessRule", {"rule": rule}, f"{shows} {{ state }}")
        return rule

    def me(token):
        headers = {"Authorization": f"Bearer {token}"}
        asked = {"query": "{ me { person roles } }"}
        answer = httpx2.post(f"{installation.url}/graphql", json=asked, headers=headers, timeout=30)
        return answer.json()["data"]["me"] if answer.status_code == 200 else answer.status_code

    other.say("claims", {"chen": {"company": tenant, "groups": ["analysts", "football"]}})
    chen = signed_in(other, "chen")
    assert me(chen) == 401
    rule = in_force("mapClaim", {"claim": "groups", "value": "analysts", "role": "credit_analyst"}, "roleClaim")
    assert me(chen) == {"person": "chen", "roles": ["credit_analyst"]}
    zhou.done("retireAccessRule", {"rule": rule}, "roleClaim { state }")
    assert me(chen) == 401

    signing = new_key()
    other.say("claims", {signing.thumbprint(): {"company": tenant, "groups": ["analysts"]}})
    client = other.register(signing)
    program = other.token(client, signing)
    assert me(program) == 401
    given = {"client": client, "roles": ["ar_finance"], "purpose": "Posts invoices; ask finance."}
    account = in_force("registerServiceAccount", given, "serviceAccount")
    assert me(program) == {"person": f"service:{client}", "roles": ["ar_finance"]}
    admin.done("retireAccessRule", {"rule": account}, "serviceAccount { state }")
    assert me(program) == 401
