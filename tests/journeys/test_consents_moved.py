"""Consents leave one company as JSON-LD and are taken over by another, by command; a customer takes its own along."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.commands import found, run
from tests.journeys.test_consent import NOTICE, PHONE, USCC


def settle(installation, tenant):
    """A company with a customer, a partner and a source of consents; the file of that customer."""
    privacy = installation.client(tenant, "privacy_officer")
    sources = {"the customer": ("SELF_PROVIDED", ["CONTRACT"]), "the old system": ("PARTNER", ["CONSENT"])}
    ids = {
        name: privacy.done("registerSource", {"type": kind, "name": name, "lawfulBases": bases}, "source { id }")
        for name, (kind, bases) in sources.items()
    }
    bank = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": ["PARTNER_CREDIT_DECISION"]}
    partner = privacy.done("registerPartner", bank, "partner { id }")["partner"]["id"]
    installation.approve(tenant, partner)
    opening = {
        "reference": "C-1",
        "name": "Yunfan Networks",
        "kind": "ENTERPRISE",
        "origin": {"source": ids["the customer"]["source"]["id"], "lawfulBasis": "CONTRACT"},
        "basic": {"unifiedSocialCreditCode": USCC, "phone": PHONE},
    }
    officer = installation.client(tenant, "credit_analyst")
    return officer.done("openCreditFile", opening, "creditFile { id customer { id } }")["creditFile"], partner


@pytest.fixture
def settings(installation):
    """The settings of commands beside the server."""
    return {
        "CREDENCE_DATA_DIR": str(installation.folder),
        "CREDENCE_DATABASE_URL": installation.settings.database_url,
        "CREDENCE_KEYS": installation.settings.keys,
    }


@pytest.fixture
def moved(installation, tenant):
    """The file of a customer who gave a consent, and what that customer took along."""
    file, partner = settle(installation, tenant)
    customer = installation.client(tenant, "customer_self", person="li", subject=file["customer"]["id"])
    given = {
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
        "terms": {"retentionDays": 90, "actions": ["VIEW", "EXPORT"]},
    }
    shown = "consent { id events { nodes { act person givenBy authority } } }"
    consent = customer.done("grantConsent", given, shown)["consent"]
    assert consent["events"]["nodes"] == [{"act": "GIVEN", "person": "li", "givenBy": "Zhao", "authority": "AGENT"}]
    (record,) = customer.done("exportConsents", {"creditFile": file["id"]}, "records")["records"]
    return file, consent["id"], record


def test_a_consent_leaves_one_company_and_comes_to_another(installation, tenant, moved, tmp_path, settings):
    file, consent, record = moved
    assert run("consents", "export", file["id"], "--tenant", tenant, **settings).strip() == record
    out = tmp_path / "consents.jsonl"
    run("consents", "export", file["id"], "--consent", consent, "--output", out, "--tenant", tenant, **settings)
    assert out.read_text(encoding="utf-8") == record + "\n"

    # The server, this process and commands have the database open at once, and none takes it from another.
    other = installation.open_tenant("Other Networks")
    theirs, _ = settle(installation, other)
    words = ("consents", "import", out, "--source", "the old system", "--tenant", other)
    assert [one["outcome"] for one in found(*words, "--dry-run", **settings)["records"]] == ["CHECKED"]
    reader = installation.client(other, "privacy_officer")
    query = (
        "{ consents(first: 9) { nodes { recordId state uses maxUses givenBy authority events { nodes { act } } } } }"
    )
    assert reader.ask(query)["consents"]["nodes"] == []
    assert [one["outcome"] for one in found(*words, **settings)["records"]] == ["STORED"]
    assert [one["outcome"] for one in found(*words, **settings)["records"]] == ["KNOWN"]
    assert reader.ask(query)["consents"]["nodes"] == [
        {
            "recordId": consent,
            "state": "GIVEN",
            "uses": 0,
            "maxUses": 3,
            "givenBy": "Zhao",
            "authority": "AGENT",
            "events": {"nodes": [{"act": "GIVEN"}]},
        }
    ]
    again = json.loads(run("consents", "export", theirs["id"], "--tenant", other, **settings))
    ours = json.loads(record)
    controller = ours["dpv:hasEntity"].pop("credence:controller")
    assert again["dpv:hasEntity"].pop("credence:controller")["dpv:hasName"] != controller["dpv:hasName"]
    assert again == ours


def test_each_record_is_taken_over_or_rejected_by_itself(installation, moved, tmp_path, settings):
    _, consent, record = moved
    other = installation.open_tenant("Other Networks")
    settle(installation, other)
    good, marketing, forged = (json.loads(record) for _ in range(3))
    marketing["dpv:hasProcess"][0]["dpv:hasPurpose"] = ["dpv:Marketing"]
    del forged["dpv:hasEntity"]["credence:giver"]["credence:authoritySha256"]
    file = tmp_path / "consents.json"
    file.write_text(json.dumps([marketing, forged, good, "x"]))
    words = ("consents", "import", file, "--source", "the old system", "--tenant", other)
    told = found(*words, expected=1, **settings)["records"]
    assert [(one["outcome"], one.get("code")) for one in told] == [
        ("REJECTED", "MALFORMED"),
        ("REJECTED", "NO_AUTHORITY"),
        ("STORED", None),
        ("REJECTED", "MALFORMED"),
    ]
    assert all(one["advice"] for one in told if one["outcome"] == "REJECTED")
    text = run(*words, expected=1, **settings)
    assert "Record 1: MALFORMED (dpv:hasProcess.0.dpv:hasPurpose)" in text
    stored = installation.client(other, "privacy_officer").ask("{ consents(first: 9) { nodes { recordId } } }")
    assert stored["consents"]["nodes"] == [{"recordId": consent}]
    entries = installation.client(other, "auditor").ask(
        '{ auditEntries(first: 9, filter: {action: {eq: "consent:import"}}) { nodes { outcome code actor } } }'
    )["auditEntries"]["nodes"]
    assert {"outcome": "DONE", "code": "", "actor": "system:consents"} in entries
    assert {"outcome": "INVALID", "code": "NO_AUTHORITY", "actor": "system:consents"} in entries
