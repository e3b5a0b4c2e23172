"""Whoever gave a consent takes a signed receipt along, and proves with it, without the company, what was agreed to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from tests.journeys.commands import found, run
from tests.journeys.test_consent import NOTICE
from tests.journeys.test_consents_moved import settle
from vault.audit import tiles

SHOWN = "receipt consent { id state }"


def written_log(folder):
    """Every entry of an exported log of one bundle."""
    (bundle,) = (path for path in (folder / "tile" / "entries").rglob("*") if path.is_file())
    return [json.loads(entry) for entry in tiles.read_bundle(bundle.read_bytes())[0]]


@pytest.fixture
def given(installation, tenant):
    """A customer, the terms of a consent that it gives, and the program of the officer."""
    file, partner = settle(installation, tenant)
    customer = installation.client(tenant, "customer_self", person="li", subject=file["customer"]["id"])
    terms = {
        "creditFile": file["id"],
        "partner": partner,
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.phone"],
        "use": "COUNTED",
        "maxUses": 3,
        "notAfter": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        "noticeDigest": NOTICE,
        "givenBy": "Zhao",
        "proof": {"authority": "AGENT", "authorityDigest": "cd" * 32, "evidenceMethod": "WET_SCAN"},
        "terms": {"retentionDays": 90, "withdrawalContact": "dpo@yunfan.example"},
    }
    consent = customer.done("grantConsent", terms, "consent { id }")["consent"]["id"]
    return customer, installation.client(tenant, "privacy_officer"), consent, partner


def test_a_customer_proves_offline_what_it_agreed_to_and_that_it_took_it_back(installation, tenant, given, tmp_path):
    customer, officer, consent, partner = given
    keys = tmp_path / "keys.json"
    address = f"{installation.url}/.well-known/credence-keys.json"
    keys.write_text(httpx2.get(address, params={"company": tenant}).text)

    def taken(program, name):
        answer = program.done("takeConsentReceipt", {"consent": consent}, SHOWN)
        (tmp_path / name).write_text(answer["receipt"])
        told = found("consents", "verify", tmp_path / name, "--keys", keys)
        assert (told["ok"], told["auditEntry"]) == (True, answer["auditEntry"])
        return told

    first = taken(customer, "given")
    said = first["consent"]
    assert (said["record_id"], said["state"], said["schema"]) == (consent, "GIVEN", "ISO/IEC TS 27560:2023")
    assert said["processing"]["pii_fields"] == ["contact.phone"]
    assert (said["processing"]["max_uses"], said["processing"]["retention_days"]) == (3, 90)
    assert [(party["party_role"], party["party_id"]) for party in said["parties"]] == [
        ("CONTROLLER", tenant),
        ("RECIPIENT", partner),
    ]
    assert said["given"] == {
        "by": "Zhao",
        "authority": "AGENT",
        "authority_sha256": "cd" * 32,
        "evidence_method": "WET_SCAN",
        "evidence_sha256": None,
    }
    assert said["withdrawal"] == {"method": "withdrawConsent", "contact": "dpo@yunfan.example"}
    assert [event["event_type"] for event in said["events"]] == ["GIVEN"]

    customer.done("withdrawConsent", {"consent": consent}, "consent { state }")
    back = taken(officer, "withdrawn")
    assert back["consent"]["state"] == "WITHDRAWN"
    assert [event["event_type"] for event in back["consent"]["events"]] == ["GIVEN", "WITHDRAWN"]
    assert back["sha256"] != first["sha256"]

    # The log and the receipts prove each other: the entry before a receipt holds its digest, and no word of it.
    installation.house(lambda house: house.export_log(tenant, tmp_path / "log"))
    kept = {one["id"]: one for one in written_log(tmp_path / "log") if one["action"] == "consent:receipt"}
    assert {key: one["digest"] for key, one in kept.items()} == {
        first["auditEntry"]: first["sha256"],
        back["auditEntry"]: back["sha256"],
    }
    assert "Zhao" not in str(kept)

    # One changed byte, or the keys of another company, and nothing of it is believed.
    text = (tmp_path / "given").read_text()
    (tmp_path / "altered").write_text(text[:-9] + ("A" if text[-9] != "A" else "B") + text[-8:])
    told = found("consents", "verify", tmp_path / "altered", "--keys", keys, expected=1)
    assert (told["ok"], told["reason"]) == (False, "BAD_SIGNATURE")
    other = installation.open_tenant("Other Networks")
    keys.write_text(httpx2.get(address, params={"company": other}).text)
    told = found("consents", "verify", tmp_path / "given", "--keys", keys, expected=1)
    assert told["reason"] == "UNKNOWN_ISSUER"
    keys.write_text("{")
    assert "--keys" in run("consents", "verify", tmp_path / "given", "--keys", keys, "--json", expected=2)


def test_nobody_takes_a_receipt_of_anothers_consent_or_of_an_unanswered_request(installation, tenant, given):
    customer, officer, consent, partner = given
    stranger = installation.client(tenant, "customer_self", person="qian", subject="cu_" + "0" * 25 + "7")
    for program, code in ((stranger, "NOT_FOUND"), (installation.client(tenant, "auditor"), "NOT_PERMITTED")):
        refused = program.change("takeConsentReceipt", {"consent": consent}, SHOWN)
        assert [error["code"] for error in refused["errors"]] == [code]
        assert refused["receipt"] is None
    file = customer.ask("query($id: ID!) { consent(id: $id) { creditFile { id } } }", id=consent)["consent"]
    asked = {
        "creditFile": file["creditFile"]["id"],
        "partner": partner,
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.email"],
        "use": "STANDING",
        "notAfter": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        "noticeDigest": NOTICE,
    }
    request = officer.done("requestConsent", asked, "consent { id }")["consent"]["id"]
    refused = customer.change("takeConsentReceipt", {"consent": request}, SHOWN)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("INVALID_TRANSITION", ["consent"])]
    customer.done("refuseConsent", {"consent": request}, "consent { state }")
    receipt = customer.done("takeConsentReceipt", {"consent": request}, SHOWN)
    assert (receipt["consent"]["state"], json.dumps(receipt["receipt"]).count(".")) == ("REFUSED", 2)
