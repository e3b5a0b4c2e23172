"""A token that is wrong in any way gets 401 and no detail; the cause is in the audit log."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from api.app import INSTALLATION, authenticator
from authz import admitting
from authz.issuing import LocalIssuer
from domain.actors import Credentials
from domain.errors import NotAuthenticated
from domain.ids import encode

QUERY = "{ me { person } }"


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture
def wrong(installation, tenant, tmp_path):
    """Tokens, each wrong in one way, with the cause that is recorded."""
    good = installation.token(tenant, "auditor")
    header, claims, signature = good.split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    (tmp_path / "x").mkdir()
    stranger = LocalIssuer.create(tmp_path / "x" / "issuer.json")
    now = datetime.now(UTC)
    expired = {**read, "iat": read["iat"] - 90_000, "exp": read["iat"] - 10}
    return {
        "ALG_NOT_ALLOWED": ".".join([part({"alg": "none", "typ": "at+jwt"}), claims, ""]),
        "UNKNOWN_KEY": stranger.issue(tenant, "eve", ["auditor"], lifetime=timedelta(hours=1), now=now),
        "BAD_SIGNATURE": ".".join([header, part(expired), signature]),
        "EXPIRED": LocalIssuer.load(installation.settings.issuer_key).issue(
            tenant, "old", ["auditor"], lifetime=timedelta(minutes=5), now=now - timedelta(hours=1)
        ),
        "UNKNOWN_ISSUER": ".".join([header, part({**read, "iss": "https://elsewhere.example"}), signature]),
    }


def test_a_wrong_token_is_told_nothing_and_its_cause_is_recorded(installation, tenant, wrong):
    client = installation.client(tenant, "auditor")
    answers = {cause: client.post(QUERY, token=token) for cause, token in wrong.items()}
    assert {answer.status_code for answer in answers.values()} == {401}
    texts = set()
    for answer in answers.values():
        body = answer.json()
        assert "data" not in body
        (error,) = body["errors"]
        assert error["extensions"].pop("requestId")
        texts.add(json.dumps(error, sort_keys=True))
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert len(texts) == 1
    entries = client.ask(
        '{ auditEntries(first: 100, filter: {action: {eq: "token:verify"}}) { nodes { cause outcome actor } } }'
    )["auditEntries"]["nodes"]
    assert sorted(entry["cause"] for entry in entries) == sorted(wrong)
    assert {entry["outcome"] for entry in entries} == {"REFUSED"}


def test_a_token_for_a_company_that_is_not_here_is_recorded_by_the_installation(installation, tenant):
    foreign = installation.token(encode("te", bytes(15) + b"\x07"), "auditor")
    client = installation.client(tenant, "auditor")
    assert client.post(QUERY, token=foreign).status_code == 401
    assert client.post(QUERY, token="nonsense").status_code == 401
    assert client.ask("{ auditEntries { totalCount } }")
    causes = installation.house(_refusals)
    assert sorted(causes) == ["MALFORMED", "WRONG_TENANT"]


async def _refusals(house):
    from api.app import INSTALLATION
    from vault.store.ledger.logbook import batches_of

    entries = await house.store.inspect(
        INSTALLATION,
        lambda connection: [json.loads(e) for batch in batches_of(connection, INSTALLATION) for e in batch],
    )
    return [entry["cause"] for entry in entries if entry["action"] == "token:verify"]


class Counted:
    """A store that counts how often it is asked who is served."""

    def __init__(self, store):
        self._store = store
        self.asked = 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def tenants(self):
        """Who is served, counted."""
        self.asked += 1
        return await self._store.tenants()


@pytest.fixture
def authenticated(installation):
    """What an authenticator that has just begun says of tokens, one after the other, and how often it asked."""

    def ended(*bearers):
        async def work(house):
            store = Counted(house.store)
            door, found = authenticator(replace(house, store=store)), []
            for bearer in bearers:
                try:
                    found.append((await door(Credentials(token=bearer))).tenant)
                except NotAuthenticated as error:
                    found.append(error.cause)
            return found, store.asked

        return installation.house(work)

    return ended


def test_a_token_that_no_trusted_issuer_signed_costs_the_database_nothing(authenticated, tenant, tmp_path):
    (tmp_path / "x").mkdir()
    stranger = LocalIssuer.create(tmp_path / "x" / "issuer.json")
    lasting = {"lifetime": timedelta(hours=1), "now": datetime.now(UTC)}
    nowhere = [stranger.issue(encode("te", bytes([n] * 16)), "eve", ["auditor"], **lasting) for n in range(20)]
    causes, asked = authenticated(*nowhere, stranger.issue(tenant, "eve", ["auditor"], **lasting))
    assert set(causes) == {"UNKNOWN_KEY"}
    assert asked == 0


def test_a_company_opened_meanwhile_is_known_at_its_first_token_and_asked_for_once(installation, authenticated, tenant):
    token = installation.token(tenant, "auditor")
    assert authenticated(token, token, token) == ([tenant] * 3, 1)


def test_nobody_gets_in_as_the_installation_itself(installation, authenticated):
    issuer = LocalIssuer.load(installation.settings.issuer_key)
    token = issuer.issue(INSTALLATION, "eve", ["auditor"], lifetime=timedelta(hours=1), now=datetime.now(UTC))
    assert authenticated(token, token)[0] == ["WRONG_TENANT"] * 2


def test_a_stranger_gets_the_key_of_the_company_it_names_and_no_list_of_companies(installation, tenant):
    other = installation.open_tenant("Other Networks")
    url = f"{installation.url}/.well-known/credence-keys.json"
    told = httpx2.get(url).text
    assert tenant not in told
    assert other not in told
    key = installation.house(lambda house: house.verifying_key(tenant))
    assert httpx2.get(url, params={"company": tenant}).json()["logs"] == [key]
    assert httpx2.get(url, params={"company": encode("te", bytes([7] * 16))}).json()["logs"] == []
    assert httpx2.get(url, params={"company": "nobody"}).status_code == 400


def test_a_flood_fills_no_log_and_hides_nothing_of_another_company(installation, tenant, monkeypatch):
    monkeypatch.setattr(admitting, "REFUSALS", 5)
    token = installation.token(tenant, "auditor")
    forged = token[: token.rindex(".")] + "." + part("no signature")

    async def work(house):
        door = authenticator(house)
        await door(Credentials(token=token))
        for _ in range(20):
            await door.refused(NotAuthenticated("No.", cause="NO_TOKEN"), Credentials())
        await door.refused(NotAuthenticated("No.", cause="BAD_SIGNATURE"), Credentials(token=forged))
        for _ in range(20):
            await door.refused(NotAuthenticated("No.", cause="BAD_SIGNATURE"), Credentials(token=forged))

    installation.house(work)
    entries = installation.client_of(token).ask(
        '{ auditEntries(first: 100, filter: {action: {eq: "token:verify"}}) { totalCount } }'
    )
    assert entries["auditEntries"]["totalCount"] == 5
