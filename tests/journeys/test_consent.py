"""The main journey: a file, an assessment, a partner without and with consent, and an auditor who sees it all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from api.app import Asked, verify_log
from domain.errors import AuditUnavailable
from tests.journeys.conftest import mutation
from vault.audit import tiles

PHONE, USCC, ACCOUNT = "+8613800138000", "91110000600037341L", "6222021234567890128"
NOTICE = "ab" * 32


@pytest.fixture
def people(installation, tenant):
    """A program for each person of the journey."""
    roles = ("credit_analyst", "credit_manager", "privacy_officer", "auditor")
    return {role: installation.client(tenant, role) for role in roles}


@pytest.fixture
def file(people):
    """A file that the officer opened from a registered source."""
    source = people["privacy_officer"].done(
        "registerSource",
        {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]},
        "source { id }",
    )["source"]["id"]
    payload = people["credit_analyst"].done(
        "openCreditFile",
        {
            "reference": "C-1",
            "name": "Yunfan Networks",
            "kind": "ENTERPRISE",
            "origin": {"source": source, "lawfulBasis": "CONTRACT"},
            "basic": {"unifiedSocialCreditCode": USCC, "phone": PHONE, "bankAccount": ACCOUNT},
        },
        "creditFile { id customer { id } basicCompleteness }",
    )
    return payload["creditFile"]


def disclosure(file, key, fields=("contact.phone", "financial.bank_account")):
    """What the partner asks for."""
    return {
        "creditFile": file["id"],
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": list(fields),
        "idempotencyKey": f"request-{key}",
    }


SHOWN = "disclosure { id state } values { field text } withheld { field reason unlock }"


def test_a_partner_gets_what_the_customer_agreed_to_and_an_auditor_sees_every_step(
    installation, tenant, people, file, tmp_path
):
    officer, privacy, auditor = people["credit_analyst"], people["privacy_officer"], people["auditor"]

    assessed = officer.done(
        "requestAssessment",
        {"creditFile": file["id"], "kind": "NEW"},
        "assessment { id outcome calibration card points { characteristic points } reasons { code sentence } }",
    )["assessment"]
    assert assessed["outcome"] == "INSUFFICIENT_DATA"
    assert assessed["calibration"] == "EXPERT_UNCALIBRATED"

    partner = privacy.done(
        "registerPartner",
        {"name": "First Bank", "contact": "dpo@bank.example", "purposes": ["PARTNER_CREDIT_DECISION"]},
        "partner { id }",
    )["partner"]["id"]
    installation.approve(tenant, partner)
    bank = installation.client(tenant, "partner_client", person="bank-system", partner=partner)

    installation.trust(tenant, mutation("requestDisclosure", SHOWN), "contact.phone", "financial.bank_account")
    refused = bank.change("requestDisclosure", disclosure(file, "before"), SHOWN)
    assert [error["code"] for error in refused["errors"]] == ["NOT_CONSENTED"]
    assert refused["values"] is None
    assert PHONE not in str(refused)

    customer = installation.client(tenant, "customer_self", person="li", subject=file["customer"]["id"])
    consent = customer.done(
        "grantConsent",
        {
            "creditFile": file["id"],
            "partner": partner,
            "purpose": "PARTNER_CREDIT_DECISION",
            "fields": ["contact.phone"],
            "use": "STANDING",
            "notAfter": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
            "noticeDigest": NOTICE,
            "givenBy": "Li, legal representative",
        },
        "consent { id state }",
    )["consent"]
    assert consent["state"] == "GIVEN"

    got = bank.done("requestDisclosure", disclosure(file, "with"), SHOWN)
    assert got["values"] == [{"field": "contact.phone", "text": PHONE}]
    assert [(item["field"], item["reason"]) for item in got["withheld"]] == [
        ("financial.bank_account", "FIELD_NOT_COVERED")
    ]
    assert ACCOUNT not in str(got)

    customer.done("withdrawConsent", {"consent": consent["id"]}, "consent { id state }")
    after = bank.change("requestDisclosure", disclosure(file, "after"), SHOWN)
    assert [error["code"] for error in after["errors"]] == ["NOT_CONSENTED"]
    again = bank.change("requestDisclosure", disclosure(file, "with"), SHOWN)
    assert [error["code"] for error in again["errors"]] == ["NOT_CONSENTED"]

    entries = auditor.ask(
        """query { auditEntries(first: 100, orderBy: {field: LOG_INDEX, direction: ASC}) {
             nodes { action outcome cause behalf consent purpose fields actor logIndex } } }"""
    )["auditEntries"]["nodes"]
    disclosures = [entry for entry in entries if entry["action"] == "disclosure:request"]
    assert [(entry["outcome"], entry["cause"]) for entry in disclosures] == [
        ("REFUSED", "NO_CONSENT"),
        ("DONE", ""),
        ("REFUSED", "WITHDRAWN"),
        ("REFUSED", "WITHDRAWN"),
    ]
    assert {entry["behalf"] for entry in disclosures} == {partner}
    assert disclosures[1]["consent"].startswith(consent["id"])
    assert disclosures[1]["fields"] == ["contact.phone"]
    assert [entry["action"] for entry in entries if entry["action"].startswith("consent:")] == [
        "consent:record",
        "consent:read",
        "consent:withdraw",
        "consent:read",
    ]

    seen = customer.ask(
        "query($id: ID!) { accessLog(creditFile: $id, first: 100) { nodes { action behalf outcome purpose } } }",
        id=file["id"],
    )["accessLog"]["nodes"]
    assert any(entry["action"] == "disclosure:request" and entry["behalf"] == partner for entry in seen)

    folder = tmp_path / "log"
    key = installation.house(lambda house: _exported(house, tenant, folder))
    report = verify_log(folder, Asked(keys=[key]))
    assert report.ok, str(report)
    assert report.size > len(entries)
    last = json.loads(_exported_entries(folder, report.size)[-1])
    assert (last["action"], last["outcome"], last["actor"]) == ("audit:export", "DONE", "system:operator")


def _exported_entries(folder, size):
    width = tiles.WIDTH
    bundle = tiles.Tile(tiles.ENTRIES, (size - 1) // width, (size - 1) % width + 1)
    return tiles.read_bundle((folder / bundle.path).read_bytes())[0]


def test_a_log_whose_export_cannot_be_recorded_does_not_leave(installation, tenant, tmp_path, monkeypatch):
    async def failing(*_, **__):
        raise AuditUnavailable("The audit log could not be written.")

    async def work(house):
        monkeypatch.setattr(house.store, "write", failing)
        await house.export_log(tenant, tmp_path / "log")

    with pytest.raises(AuditUnavailable):
        installation.house(work)
    assert not (tmp_path / "log").exists()


async def _exported(house, tenant, folder):
    await house.export_log(tenant, folder)
    return await house.verifying_key(tenant)


def test_another_company_sees_nothing(installation, people, file):
    other = installation.open_tenant("Other Networks")
    officer = installation.client(other, "credit_analyst", "credit_manager")
    auditor = installation.client(other, "auditor")
    query = "query($id: ID!) { creditFile(id: $id) { id } node(id: $id) { id } creditFiles { totalCount } }"
    assert officer.ask(query, id=file["id"]) == {"creditFile": None, "node": None, "creditFiles": {"totalCount": 0}}
    payload = officer.change("requestAssessment", {"creditFile": file["id"]}, "assessment { id }")
    assert [error["code"] for error in payload["errors"]] == ["NOT_FOUND"]
    entries = auditor.ask("{ auditEntries(first: 100) { nodes { subjects resources } } }")["auditEntries"]["nodes"]
    assert file["id"] not in str(entries)
    assert file["customer"]["id"] not in str(entries)
    mine = people["auditor"].ask("{ auditEntries(first: 100) { nodes { actor } } }")["auditEntries"]["nodes"]
    assert mine


def test_an_officer_opens_what_its_role_opens_under_a_purpose_that_is_recorded(people, file):
    query = """query($id: ID!) { creditFile(id: $id) { phoneMasked
        confidential(purpose: CREDIT_REVIEW) { phone bankAccount withheld { field reason } } } }"""
    found = people["credit_analyst"].ask(query, id=file["id"])["creditFile"]
    assert found["confidential"] == {"phone": PHONE, "bankAccount": ACCOUNT, "withheld": []}
    assert found["phoneMasked"] != PHONE
    masked = people["auditor"].ask(query, id=file["id"])["creditFile"]
    assert masked["phoneMasked"] == found["phoneMasked"]
    assert masked["confidential"]["phone"] is None
    assert {item["reason"] for item in masked["confidential"]["withheld"]} == {"NOT_GRANTED"}
    entries = people["auditor"].ask(
        '{ auditEntries(first: 100, filter: {action: {eq: "credit_file:read"}}) { nodes { purpose fields } } }'
    )["auditEntries"]["nodes"]
    assert any(entry["purpose"] == "CREDIT_REVIEW" and "contact.phone" in entry["fields"] for entry in entries)


def test_a_check_of_everything_stored_is_recorded_before_a_seal_is_opened(installation, tenant, file):
    """The entry stands in the log that the same check reads."""

    async def checked(house):
        return await house.check(tenant)

    assert installation.house(checked) == []
    auditor = installation.client(tenant, "auditor")
    query = '{ auditEntries(first: 5, filter: {action: {eq: "tenant:administer"}}) { nodes { actor outcome } } }'
    entries = auditor.ask(query)["auditEntries"]["nodes"]
    assert entries.count({"actor": "system:operator", "outcome": "DONE"}) == 1 + 1
    assert file
