"""A partner is who its registered keys say, for as long as somebody lets it be: each stop bites at once."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from joserfc.jwk import ECKey, OKPKey

from tests.journeys.conftest import mutation
from tests.proofs import new_key

MINE = "{ me { person partner } }"
PHONE = "+8613800138000"
SHOWN = "values { field text }"
PURPOSE = "PARTNER_CREDIT_DECISION"


@pytest.fixture
def privacy(installation, tenant):
    return installation.client(tenant, "privacy_officer")


@pytest.fixture
def partner(installation, tenant, privacy):
    """A registered partner that may run two documents."""
    asked = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": [PURPOSE]}
    more = {"registration": "91110000600037341L", "address": "1 First Street"}
    shows = "partner { id registration address }"
    found = privacy.done("registerPartner", asked | more, shows)["partner"]
    assert {name: found[name] for name in more} == more
    installation.approve(tenant, found["id"])
    installation.trust(tenant, MINE)
    installation.trust(tenant, mutation("requestDisclosure", SHOWN), "contact.phone")
    return found["id"]


@pytest.fixture
def bank(installation, tenant, partner):
    return installation.client(tenant, "partner_client", person="bank-system", partner=partner)


def refused(client):
    """How a request is refused: always with the same words."""
    answer = client.post(MINE)
    assert answer.status_code == 401
    (error,) = answer.json()["errors"]
    return error["message"], error["extensions"]["code"], answer.headers["www-authenticate"]


SAME = ("The request is not authenticated.", "NOT_AUTHENTICATED", 'DPoP error="invalid_token", algs="ES256 Ed25519"')


def causes(installation, tenant):
    """The causes of refused tokens in the log of a company, the oldest first."""
    entries = installation.client(tenant, "auditor").ask(
        """{ auditEntries(first: 100, filter: {action: {eq: "token:verify"}},
             orderBy: {field: LOG_INDEX, direction: ASC}) { nodes { cause } } }"""
    )["auditEntries"]["nodes"]
    return [entry["cause"] for entry in entries]


def jwk_of(key, **more):
    """The public JWK as text."""
    return json.dumps(key.as_dict(private=False) | more)


def test_a_key_speaks_for_a_partner_once_another_person_approved_it_and_until_it_is_retired(
    installation, tenant, privacy, partner
):
    key = OKPKey.generate_key("Ed25519", private=True)
    token = installation.token(tenant, "partner_client", partner=partner, key=key.thumbprint())
    bank = installation.client_of(token, key)
    assert refused(bank) == SAME
    asked = {"partner": partner, "use": "DPOP", "jwk": jwk_of(key, use="sig", alg="Ed25519", kid="any")}
    shows = "partnerKey { id jkt jwk state proposedBy }"
    proposed = privacy.done("proposePartnerKey", asked, shows)["partnerKey"]
    assert (proposed["jkt"], proposed["state"]) == (key.thumbprint(), "PROPOSED")
    assert set(json.loads(proposed["jwk"])) == {"kty", "crv", "x"}
    assert refused(bank) == SAME
    named = {"key": proposed["id"]}
    own = privacy.change("approvePartnerKey", named, "partnerKey { state }")
    assert [error["code"] for error in own["errors"]] == ["SEPARATION_OF_DUTY"]
    other = installation.client(tenant, "privacy_officer", person="another")
    other.done("approvePartnerKey", named, "partnerKey { state }")
    assert bank.ask(MINE)["me"]["partner"] == partner
    other.done("retirePartnerKey", named, "partnerKey { state }")
    assert refused(bank) == SAME
    back = privacy.change("proposePartnerKey", asked, "partnerKey { id }")
    assert [error["code"] for error in back["errors"]] == ["CONFLICT"]
    assert causes(installation, tenant) == ["KEY_NOT_REGISTERED", "KEY_PROPOSED", "KEY_RETIRED"]
    listed = privacy.ask("{ partners { nodes { name keys { nodes { use state } } } } }")["partners"]["nodes"]
    assert listed == [{"name": "First Bank", "keys": {"nodes": [{"use": "DPOP", "state": "RETIRED"}]}}]


def test_a_key_of_one_partner_or_one_use_is_no_other_ones(installation, tenant, privacy, partner, bank):
    asked = {"name": "Second Bank", "contact": "dpo@second.example", "purposes": [PURPOSE]}
    second = privacy.done("registerPartner", asked, "partner { id }")["partner"]["id"]
    installation.approve(tenant, second)
    key = installation.key_of(tenant, partner)
    theirs = installation.token(tenant, "partner_client", partner=second, key=key.thumbprint())
    assert refused(installation.client_of(theirs, key)) == SAME
    sealing = new_key()
    installation.register(tenant, partner, sealing, use="ENC")
    token = installation.token(tenant, "partner_client", partner=partner, key=sealing.thumbprint())
    assert refused(installation.client_of(token, sealing)) == SAME
    assert bank.ask(MINE)["me"]["partner"] == partner
    taken = {"partner": second, "use": "DPOP", "jwk": jwk_of(key)}
    payload = installation.client(tenant, "legal").change("proposePartnerKey", taken, "partnerKey { id }")
    assert [error["code"] for error in payload["errors"]] == ["CONFLICT"]
    assert causes(installation, tenant) == ["KEY_NOT_REGISTERED"] * 2


@pytest.mark.parametrize(
    ("use", "jwk", "says"),
    [
        ("DPOP", json.dumps(new_key().as_dict(private=True)), "private parts"),
        ("DPOP", jwk_of(ECKey.generate_key("P-384")), "no curve"),
        ("DPOP", jwk_of(ECKey.generate_key("secp256k1")), "no curve"),
        ("DPOP", jwk_of(OKPKey.generate_key("X25519")), "no curve"),
        ("ENC", jwk_of(OKPKey.generate_key("Ed25519")), "no curve"),
        ("DPOP", '{"kty": "oct", "k": "c2VjcmV0"}', "private parts"),
        ("DPOP", '{"kty": "RSA", "n": "AQAB", "e": "AQAB"}', "no curve"),
        ("DPOP", jwk_of(new_key(), use="enc"), "another use"),
        ("DPOP", json.dumps({"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}), "point"),
        ("DPOP", json.dumps({"keys": [new_key().as_dict(private=False)]}), "no curve"),
        ("DPOP", "-----BEGIN PUBLIC KEY-----", "one JWK"),
        ("DPOP", "[]", "one JWK"),
    ],
    ids=lambda value: (
        "jwk" if value.startswith("{") else None
    ),  # a name that holds a new key is another in each process
)
def test_a_key_that_cannot_serve_is_refused_with_the_reason_and_nothing_is_stored(
    installation, tenant, privacy, partner, use, jwk, says
):
    asked = {"partner": partner, "use": use, "jwk": jwk}
    payload = installation.client(tenant, "legal").change("proposePartnerKey", asked, "partnerKey { id }")
    (error,) = payload["errors"]
    assert says in error["message"]
    assert error["path"] == ["jwk"]
    assert error["advice"]
    assert privacy.ask("{ partnerKeys { totalCount } }")["partnerKeys"]["totalCount"] == 0


def test_a_suspension_stops_every_token_of_a_partner_at_once(installation, tenant, privacy, partner, bank):
    assert bank.ask(MINE)["me"]["partner"] == partner
    named = {"partner": partner, "reason": "under review"}
    privacy.done("suspendPartner", named, "partner { state }")
    assert refused(bank) == SAME
    assert refused(installation.client(tenant, "partner_client", partner=partner)) == SAME
    privacy.done("reinstatePartner", named, "partner { state }")
    assert bank.ask(MINE)["me"]["partner"] == partner
    assert causes(installation, tenant) == ["PARTNER_SUSPENDED"] * 2


@pytest.fixture
def customers(installation, tenant, privacy):
    """Two customers of the company, with a file each."""
    asked = {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]}
    source = privacy.done("registerSource", asked, "source { id }")["source"]["id"]
    analyst, files = installation.client(tenant, "credit_analyst"), []
    for number in (1, 2):
        opened = analyst.done(
            "openCreditFile",
            {
                "reference": f"C-{number}",
                "name": f"Customer {number}",
                "kind": "ENTERPRISE",
                "origin": {"source": source, "lawfulBasis": "CONTRACT"},
                "basic": {"phone": f"{PHONE[:-1]}{number}"},
            },
            "creditFile { id customer { id } }",
        )["creditFile"]
        files.append(opened)
    return files


def agreed(privacy, file, partner, ends):
    """A consent of a customer."""
    asked = {"creditFile": file["id"], "partner": partner, "purpose": PURPOSE, "fields": ["contact.phone"]}
    asked |= {"use": "STANDING", "notAfter": ends.isoformat(), "noticeDigest": "ab" * 32, "givenBy": "the board"}
    return privacy.done("grantConsent", asked, "consent { id }")["consent"]["id"]


def request(file, key):
    return {"creditFile": file["id"], "purpose": PURPOSE, "fields": ["contact.phone"], "idempotencyKey": key}


def test_a_token_of_a_consent_opens_what_that_one_lets_and_dies_with_it(
    installation, tenant, privacy, partner, customers
):
    month = datetime.now(UTC) + timedelta(days=30)
    first, second = (agreed(privacy, file, partner, month) for file in customers)
    bank = installation.client(tenant, "partner_client", partner=partner, consents=[first])
    got = bank.done("requestDisclosure", request(customers[0], "of-the-first"), SHOWN)
    assert got["values"] == [{"field": "contact.phone", "text": PHONE[:-1] + "1"}]
    other = bank.change("requestDisclosure", request(customers[1], "of-the-second"), SHOWN)
    assert [error["code"] for error in other["errors"]] == ["NOT_CONSENTED"]
    of_all = installation.client(tenant, "partner_client", partner=partner)
    of_all.done("requestDisclosure", request(customers[1], "without-a-name"), SHOWN)
    again = bank.change("requestDisclosure", request(customers[1], "without-a-name"), SHOWN)
    assert [error["code"] for error in again["errors"]] == ["NOT_CONSENTED"]
    both = installation.client(tenant, "partner_client", partner=partner, consents=[first, second])
    assert both.ask(MINE)["me"]["partner"] == partner
    privacy.done("withdrawConsent", {"consent": first}, "consent { state }")
    assert refused(bank) == refused(both) == SAME
    assert of_all.ask(MINE)["me"]["partner"] == partner
    assert causes(installation, tenant) == ["CONSENT_WITHDRAWN"] * 2


def test_a_token_of_a_consent_that_is_over_or_anothers_or_unknown_opens_nothing(
    installation, tenant, privacy, partner, customers
):
    asked = {"name": "Second Bank", "contact": "dpo@second.example", "purposes": [PURPOSE]}
    second = privacy.done("registerPartner", asked, "partner { id }")["partner"]["id"]
    installation.approve(tenant, second)
    now = datetime.now(UTC)
    short = agreed(privacy, customers[0], partner, now + timedelta(seconds=3))
    theirs = agreed(privacy, customers[1], second, now + timedelta(days=1))
    dying = installation.client(tenant, "partner_client", partner=partner, consents=[short])
    assert dying.ask(MINE)["me"]["partner"] == partner
    for named in (theirs, "co_" + "0" * 26):
        assert refused(installation.client(tenant, "partner_client", partner=partner, consents=[named])) == SAME
    time.sleep(max(0, (now + timedelta(seconds=3.1) - datetime.now(UTC)).total_seconds()))
    assert refused(dying) == SAME
    assert causes(installation, tenant) == ["NO_SUCH_CONSENT", "NO_SUCH_CONSENT", "CONSENT_EXPIRED"]
