"""A partner with a key of its own gets what it is told signed and sealed, and reads it with a program of its own."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite
from joserfc import jws
from joserfc.jwk import ECKey

from domain import ids
from domain.errors import Tampered
from tests.journeys.conftest import mutation
from vault.audit.note import Verifier
from vault.audit.proof import read_proof, verify

PHONE = "+8613800138000"
SHOWN = "disclosure { id state pseudonym } values { field text } sealed sealedTo proofs { entry leaf proof } auditEntry"
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def pae(*parts):
    """The parts in one string, as the documentation says."""
    return len(parts).to_bytes(4, "big") + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@pytest.fixture
def officer(installation, tenant):
    return installation.client(tenant, "privacy_officer")


@pytest.fixture
def file(installation, tenant, officer):
    asked = {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]}
    source = officer.done("registerSource", asked, "source { id }")["source"]["id"]
    opened = {
        "reference": "C-1",
        "name": "Yunfan Networks",
        "kind": "ENTERPRISE",
        "origin": {"source": source, "lawfulBasis": "CONTRACT"},
        "basic": {"phone": PHONE},
    }
    analyst = installation.client(tenant, "credit_analyst")
    return analyst.done("openCreditFile", opened, "creditFile { id customer { id } }")["creditFile"]


@pytest.fixture
def partner(installation, tenant, officer):
    asked = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": ["PARTNER_CREDIT_DECISION"]}
    return installation.approve(tenant, officer.done("registerPartner", asked, "partner { id }")["partner"]["id"])


@pytest.fixture
def consent(installation, tenant, file, partner):
    customer = installation.client(tenant, "customer_self", person="li", subject=file["customer"]["id"])
    given = {
        "creditFile": file["id"],
        "partner": partner,
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.phone"],
        "use": "STANDING",
        "notAfter": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        "noticeDigest": "ab" * 32,
        "givenBy": "Li, legal representative",
    }
    return customer.done("grantConsent", given, "consent { id version }")["consent"]


@pytest.fixture
def bank(installation, tenant, partner):
    installation.trust(tenant, mutation("requestDisclosure", SHOWN), "contact.phone")
    return installation.client(tenant, "partner_client", person="bank-system", partner=partner)


def keyed(installation, tenant, officer, partner, jwk=None, private=None, suite=SUITE):
    """A key of the partner that one officer proposed and another approved; its private part."""
    private = private or X25519PrivateKey.generate()
    jwk = jwk or {"kty": "OKP", "crv": "X25519", "x": b64(private.public_key().public_bytes_raw())}
    asked = {"partner": partner, "use": "ENC", "jwk": json.dumps(jwk)}
    told = officer.done("proposePartnerKey", asked, "challenge partnerKey { id jkt }")
    proposed = told["partnerKey"]
    answer = possessed(private, told["challenge"], tenant, partner, proposed["jkt"], suite=suite)
    another = installation.client(tenant, "privacy_officer", person="another")
    approved = {"key": proposed["id"], "possession": answer}
    another.done("approvePartnerKey", approved, "partnerKey { state }")
    return private, proposed


def possessed(private, challenge, tenant, partner, jkt, *, suite=SUITE):
    """What the partner's own program reads in a challenge."""
    info = pae(b"vault/possession/1", ids.raw(tenant), ids.raw(partner), jkt.encode())
    return suite.decrypt(base64.urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4)), private, info).decode()


def asked(file, key):
    return {
        "creditFile": file["id"],
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.phone"],
        "idempotencyKey": f"request-{key}",
    }


def read(private, got, tenant, partner, consent, *, version=None, suite=SUITE):
    """What the partner's own program makes of a sealed answer; nothing where it is about something else."""
    info = pae(
        b"vault/disclosure/1",
        ids.raw(tenant),
        ids.raw(partner),
        got["sealedTo"].encode(),
        ids.raw(consent["id"]),
        (version or consent["version"]).to_bytes(4, "big"),
        ids.raw(got["disclosure"]["id"]),
    )
    raw = base64.urlsafe_b64decode(got["sealed"] + "=" * (-len(got["sealed"]) % 4))
    try:
        return suite.decrypt(raw, private, info).decode()
    except InvalidTag:
        return None


def test_a_partner_with_a_key_gets_what_it_is_told_sealed_and_nothing_in_clear(
    installation, tenant, officer, partner, consent, bank, file
):
    plain = bank.done("requestDisclosure", asked(file, "plain"), SHOWN)
    assert (plain["values"], plain["sealed"], plain["sealedTo"]) == (
        [{"field": "contact.phone", "text": PHONE}],
        None,
        None,
    )
    private, key = keyed(installation, tenant, officer, partner)
    answer = bank.post(mutation("requestDisclosure", SHOWN), {"input": asked(file, "sealed")})
    assert PHONE not in answer.text
    got = answer.json()["data"]["requestDisclosure"]
    assert (got["values"], got["sealedTo"]) == ([], key["jkt"])

    signed = read(private, got, tenant, partner, consent)
    told = bank._http.get(f"/.well-known/credence-keys.json?company={tenant}").json()["statements"]
    verified = jws.deserialize_compact(signed, ECKey.import_key(told["jwks"]["keys"][0]), algorithms=["ES256"])
    claims = json.loads(verified.payload)
    assert verified.headers()["typ"] == "disclosure+jwt"
    assert claims["data"] == {"contact.phone": PHONE}
    assert (claims["iss"], claims["aud"], claims["jti"]) == (told["issuer"], partner, got["disclosure"]["id"])
    assert (claims["sub"], claims["entry"]) == (got["disclosure"]["pseudonym"], got["auditEntry"])
    assert claims["consent"] == f"{consent['id']}/{consent['version']}"
    assert "NO_REDISCLOSURE" in claims["obligations"]

    assert read(private, got, tenant, partner, consent, version=consent["version"] + 1) is None
    assert read(X25519PrivateKey.generate(), got, tenant, partner, consent) is None
    entries = installation.client(tenant, "auditor").ask(
        '{ auditEntries(filter: {action: {eq: "disclosure:request"}}, first: 10) { nodes { id resources } } }'
    )["auditEntries"]["nodes"]
    assert [key["id"] in entry["resources"] for entry in entries] == [False, True]


def test_what_was_handed_over_is_proven_offline_at_once_and_later(
    installation, tenant, officer, partner, consent, bank, file
):
    private, _ = keyed(installation, tenant, officer, partner)
    got = bank.done("requestDisclosure", asked(file, "proven"), SHOWN)
    told = bank._http.get(f"/.well-known/credence-keys.json?company={tenant}").json()
    log = Verifier.read(told["logs"][0])
    claims = json.loads(jws.extract_compact(read(private, got, tenant, partner, consent).encode()).payload)
    disclosed, handed = got["proofs"]
    assert (claims["entry"], claims["leaf"], claims["proof"]) == tuple(disclosed.values())
    for proof in (disclosed, handed):
        verify(proof["leaf"].encode(), read_proof(proof["proof"].encode()), log)
    first, second = json.loads(disclosed["leaf"]), json.loads(handed["leaf"])
    assert (first["id"], first["action"], first["behalf"]) == (got["auditEntry"], "disclosure:request", partner)
    assert got["disclosure"]["id"] in first["resources"]
    assert first["consent"] == claims["consent"]
    assert (second["action"], second["behalf"]) == ("disclosure:hand_over", partner)
    assert second["digest"] == hashlib.sha256(got["sealed"].encode()).hexdigest()
    with pytest.raises(Tampered):
        verify(handed["leaf"].replace(second["digest"], "0" * 64).encode(), read_proof(handed["proof"].encode()), log)

    shown = "proofs { entry leaf proof }"
    installation.trust(tenant, mutation("proveAuditEntry", shown))
    for proof in (disclosed, handed):
        assert bank.done("proveAuditEntry", {"entry": proof["entry"]}, shown)["proofs"] == [proof]
    foreign = officer.done("suspendPartner", {"partner": partner, "reason": "x"}, "partner { state }")["auditEntry"]
    officer.done("reinstatePartner", {"partner": partner, "reason": "x"}, "partner { state }")
    refused = bank.change("proveAuditEntry", {"entry": foreign}, shown)
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]
    assert not refused["proofs"]
    auditor = installation.client(tenant, "auditor")
    assert auditor.done("proveAuditEntry", {"entry": foreign}, shown)["proofs"][0]["entry"] == foreign


def test_what_must_stay_closed_for_decades_is_sealed_to_a_hybrid_key(
    installation, tenant, officer, partner, consent, bank, file
):
    kem, curve = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    public = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    jwk = {"kty": "AKP", "alg": "MLKEM768-X25519", "pub": b64(public), "use": "enc"}
    private, suite = MLKEM768X25519PrivateKey(kem, curve), Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    keyed(installation, tenant, officer, partner, jwk, private, suite)
    got = bank.done("requestDisclosure", asked(file, "decades"), SHOWN)
    signed = read(private, got, tenant, partner, consent, suite=suite)
    assert json.loads(jws.extract_compact(signed.encode()).payload)["data"] == {"contact.phone": PHONE}
    unfit = {"partner": partner, "use": "ENC", "jwk": json.dumps(jwk | {"pub": b64(bytes(1216))})}
    (error,) = officer.change("proposePartnerKey", unfit, "partnerKey { id }")["errors"]
    assert (error["code"], error["path"]) == ("MALFORMED", ["jwk"])


def test_a_disclosure_asked_for_again_is_sealed_to_the_newest_key(
    installation, tenant, officer, partner, consent, bank, file
):
    old, first = keyed(installation, tenant, officer, partner)
    before = bank.done("requestDisclosure", asked(file, "once"), SHOWN)
    new, second = keyed(installation, tenant, officer, partner)
    again = bank.done("requestDisclosure", asked(file, "once"), SHOWN)
    assert (before["sealedTo"], again["sealedTo"]) == (first["jkt"], second["jkt"])
    assert before["disclosure"]["id"] == again["disclosure"]["id"]
    assert read(new, again, tenant, partner, consent)
    assert read(old, again, tenant, partner, consent) is None


def test_a_partner_asks_yes_or_no_and_gets_it_signed_and_proven_and_no_value(
    installation, tenant, officer, partner, bank, file
):
    shown = "disclosure { id fields action } attestation sealedTo proofs { entry leaf proof }"
    installation.trust(tenant, mutation("requestAttestation", shown), "transactions.overdue")
    customer = installation.client(tenant, "customer_self", person="li", subject=file["customer"]["id"])
    given = {
        "creditFile": file["id"],
        "partner": partner,
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["transactions.overdue"],
        "use": "COUNTED",
        "maxUses": 3,
        "notAfter": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        "noticeDigest": "ab" * 32,
        "givenBy": "Li",
        "terms": {"actions": ["ATTEST"], "lookbackDays": 365},
    }
    customer.done("grantConsent", given, "consent { id }")
    source = officer.ask("{ sources(first: 1) { nodes { id } } }")["sources"]["nodes"][0]["id"]
    today = datetime.now(UTC).date()
    document = {
        "sourceRow": "1",
        "kind": "RECEIVABLE",
        "number": "R-1",
        "issuedOn": (today - timedelta(days=100)).isoformat(),
        "dueOn": (today - timedelta(days=70)).isoformat(),
        "net": {"amount": "100", "currency": "CNY"},
        "total": {"amount": "100", "currency": "CNY"},
    }
    recorded = {"creditFile": file["id"], "documents": [document]}
    recorded["origin"] = {"source": source, "lawfulBasis": "CONTRACT"}
    installation.client(tenant, "credit_analyst").done("recordTransactions", recorded, "transactionIds")

    def asks(threshold, days_back=365):
        said = {"creditFile": file["id"], "purpose": "PARTNER_CREDIT_DECISION", "predicate": "NO_OVERDUE_BEYOND"}
        said |= {"threshold": threshold, "daysBack": days_back, "idempotencyKey": f"attest-{threshold}-{days_back}"}
        return bank.change("requestAttestation", said, shown)

    told = bank._http.get(f"/.well-known/credence-keys.json?company={tenant}").json()
    for threshold, answer in (("90", True), ("60", False)):
        got = asks(threshold)
        assert got["errors"] == []
        key = ECKey.import_key(told["statements"]["jwks"]["keys"][0])
        signed = jws.deserialize_compact(got["attestation"], key, algorithms=["ES256"])
        claims = json.loads(signed.payload)
        assert (signed.headers()["typ"], claims["answer"], claims["threshold"]) == (
            "attestation+jwt",
            answer,
            threshold,
        )
        for proof in got["proofs"]:
            verify(proof["leaf"].encode(), read_proof(proof["proof"].encode()), Verifier.read(told["logs"][0]))
        handed = json.loads(got["proofs"][1]["leaf"])["digest"]
        assert handed == hashlib.sha256(got["attestation"].encode()).hexdigest()
    for refused in (asks("30"), asks("90", 366)):
        assert [error["code"] for error in refused["errors"]] == ["NOT_CONSENTED"]
        assert not refused["attestation"]
    private, _ = keyed(installation, tenant, officer, partner)
    again = asks("90")
    (consent,) = customer.ask("{ consents(first: 9) { nodes { id version uses } } }")["consents"]["nodes"]
    assert consent["uses"] == 2
    used = {"id": consent["id"], "version": consent["version"] - 1}
    assert '"answer": true' in json.dumps(opened(private, again, tenant, partner, used))
    kept = officer.ask("{ attestations(first: 9) { nodes { predicate threshold answer } } }")["attestations"]["nodes"]
    assert [one["answer"] for one in kept] == [True, False]


def opened(private, got, tenant, partner, consent):
    """What is inside of a sealed attestation."""
    signed = read(private, got | {"sealed": got["attestation"]}, tenant, partner, consent)
    return json.loads(jws.extract_compact(signed.encode()).payload)


def test_nothing_is_sealed_to_a_key_whose_partner_does_not_show_that_it_holds_it(
    installation, tenant, officer, partner, consent, bank, file
):
    private = X25519PrivateKey.generate()
    jwk = {"kty": "OKP", "crv": "X25519", "x": b64(private.public_key().public_bytes_raw())}
    given = {"partner": partner, "use": "ENC", "jwk": json.dumps(jwk)}
    told = officer.done("proposePartnerKey", given, "challenge partnerKey { id jkt }")
    key, another = told["partnerKey"], installation.client(tenant, "privacy_officer", person="another")
    for answer, code in ((None, "MISSING_VALUE"), ("", "MALFORMED"), ("0" * 32, "MALFORMED"), ("é", "MALFORMED")):
        (error,) = another.change(
            "approvePartnerKey", {"key": key["id"], "possession": answer}, "partnerKey { state }"
        )["errors"]
        assert (error["code"], error["path"]) == (code, ["possession"])
    # Somebody else's key does not read it, nor does the right one as if it were for another partner.
    for reader, whose in ((X25519PrivateKey.generate(), partner), (private, "pa_" + "0" * 26)):
        with pytest.raises(InvalidTag):
            possessed(reader, told["challenge"], tenant, whose, key["jkt"])
    assert bank.done("requestDisclosure", asked(file, "early"), SHOWN)["sealed"] is None

    answer = possessed(private, told["challenge"], tenant, partner, key["jkt"])
    approved = {"key": key["id"], "possession": answer}
    (error,) = officer.change("approvePartnerKey", approved, "partnerKey { state }")["errors"]
    assert error["code"] in {"SEPARATION_OF_DUTY", "NOT_PERMITTED"}
    done = another.done("approvePartnerKey", approved, "partnerKey { state }")
    assert done["partnerKey"]["state"] == "APPROVED"
    assert bank.done("requestDisclosure", asked(file, "late"), SHOWN)["sealedTo"] == key["jkt"]
    entries = installation.client(tenant, "auditor").ask(
        '{ auditEntries(first: 50, filter: {action: {eq: "partner_key:approve"}}) { nodes { outcome code } } }'
    )["auditEntries"]["nodes"]
    assert [one["code"] for one in entries].count("MALFORMED") == 3
    assert consent["id"]
