"""A customer objects over the interface, another person than who recorded it answers, and recipients are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.conftest import mutation

STATEMENT, ANSWER = (
    "This phone was never ours: STATEMENT-CANARY.",
    "You are right; it is another firm's: ANSWER-CANARY.",
)
SHOWN = "objection { id kind state contested answerBy annotateBy }"
DISCLOSED = "disclosure { id state contested } values { field text }"


@pytest.fixture
def people(installation, tenant):
    """A program for each person of the journey."""
    roles = ("credit_analyst", "credit_manager", "privacy_officer", "auditor")
    return {role: installation.client(tenant, role) for role in roles}


@pytest.fixture
def source(people):
    asked = {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]}
    return people["privacy_officer"].done("registerSource", asked, "source { id }")["source"]["id"]


@pytest.fixture
def file(people, source):
    asked = {
        "reference": "C-1",
        "name": "Yunfan Networks",
        "kind": "ENTERPRISE",
        "origin": {"source": source, "lawfulBasis": "CONTRACT"},
        "basic": {"phone": "+8613800138000"},
    }
    return people["credit_analyst"].done("openCreditFile", asked, "creditFile { id customer { id } }")["creditFile"]


@pytest.fixture
def customer(installation, tenant, file):
    return installation.client(tenant, "customer_self", person="li", subject=file["customer"]["id"])


@pytest.fixture
def bank(installation, tenant, people, customer, file):
    """A partner that got the phone with consent."""
    asked = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": ["PARTNER_CREDIT_DECISION"]}
    partner = people["privacy_officer"].done("registerPartner", asked, "partner { id }")["partner"]["id"]
    installation.approve(tenant, partner)
    consent = {
        "creditFile": file["id"],
        "partner": partner,
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.phone"],
        "use": "STANDING",
        "notAfter": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        "noticeDigest": "ab" * 32,
        "givenBy": "Li, legal representative",
    }
    customer.done("grantConsent", consent, "consent { id }")
    for document in (
        mutation("requestDisclosure", DISCLOSED),
        mutation("acknowledgeRecall", "recall { state compliance }"),
        RECALLS,
    ):
        installation.trust(tenant, document, "contact.phone")
    return installation.client(tenant, "partner_client", person="bank-system", partner=partner)


RECALLS = "{ recalls { nodes { id cause state fields answerBy disclosure { id } } } }"


def asked(file, key):
    return {
        "creditFile": file["id"],
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.phone"],
        "idempotencyKey": f"request-{key}",
    }


def test_a_customer_objects_and_everybody_who_got_what_was_wrong_is_told(people, customer, bank, file, source):
    analyst, manager, auditor = people["credit_analyst"], people["credit_manager"], people["auditor"]
    first = bank.done("requestDisclosure", asked(file, "1"), DISCLOSED)
    assert first["disclosure"]["contested"] is False

    objection = {"creditFile": file["id"], "kind": "RECORD", "contested": file["id"], "statement": STATEMENT}
    raised = customer.done("raiseObjection", objection, SHOWN)["objection"]
    assert raised["state"] == "RECEIVED"
    step = {"objection": raised["id"]}
    analyst.done("annotateObjection", step, SHOWN)
    assert bank.done("requestDisclosure", asked(file, "2"), DISCLOSED)["disclosure"]["contested"] is True

    analyst.done("investigateObjection", step, SHOWN)
    ruling = step | {"ruling": "UPHELD", "answer": ANSWER}
    (denied,) = analyst.change("decideObjection", ruling, SHOWN)["errors"]
    assert denied["code"] == "NOT_PERMITTED"
    manager.done("decideObjection", ruling, SHOWN)
    read = customer.ask(
        """query($id: ID!) { objection(id: $id) { state decidedBy answeredAt
             confidential(purpose: CUSTOMER_REQUEST) { statement answer } } }""",
        id=raised["id"],
    )["objection"]
    assert read["confidential"] == {"statement": STATEMENT, "answer": ANSWER}

    right = {
        "creditFile": file["id"],
        "origin": {"source": source, "lawfulBasis": "CONTRACT"},
        "basic": {"phone": "+8613900139000"},
    }
    analyst.done("updateBasicInformation", right, "creditFile { id objections { nodes { state } } }")
    told = analyst.done("notifyRecipients", step, SHOWN)["objection"]
    assert told["state"] == "RECIPIENTS_NOTIFIED"

    recalls = bank.ask(RECALLS)["recalls"]["nodes"]
    assert [(one["cause"], one["state"], one["fields"]) for one in recalls] == [
        ("CORRECTION", "SENT", ["contact.phone"])
    ] * 2
    answer = {"recall": recalls[0]["id"], "compliance": "DELETED"}
    assert bank.done("acknowledgeRecall", answer, "recall { state compliance }")["recall"]["state"] == "ACKNOWLEDGED"

    entries = auditor.ask("{ auditEntries(first: 100) { nodes { action outcome resources } } }")["auditEntries"][
        "nodes"
    ]
    about = [entry["action"] for entry in entries if raised["id"] in entry["resources"]]
    assert about.count("objection:handle") == 3
    assert {"objection:raise", "objection:decide"} <= set(about)
    assert "CANARY" not in str(entries)


def test_a_customer_sees_its_own_objections_alone(people, customer, installation, tenant, file):
    request = {"creditFile": file["id"], "kind": "ACCESS", "statement": "Show me what you keep."}
    own = customer.done("raiseObjection", request, SHOWN)["objection"]
    stranger = installation.client(tenant, "customer_self", person="zhou", subject="cu_00000000000000000000000001")
    assert stranger.ask("{ objections { totalCount } }")["objections"]["totalCount"] == 0
    (error,) = stranger.change("withdrawObjection", {"objection": own["id"]}, SHOWN)["errors"]
    assert error["code"] == "NOT_FOUND"
    listed = people["privacy_officer"].ask(
        "{ objections(filter: {state: {eq: RECEIVED}}, orderBy: {field: ANSWER_BY, direction: ASC}) { nodes { id } } }"
    )
    assert [one["id"] for one in listed["objections"]["nodes"]] == [own["id"]]
