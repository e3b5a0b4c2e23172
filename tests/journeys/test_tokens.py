"""A token that is wrong in any way gets 401 and no detail; the cause is in the audit log."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from authz.tokens import LocalIssuer
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
