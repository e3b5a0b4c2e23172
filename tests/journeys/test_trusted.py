"""Partners run documents that somebody approved for a purpose and a scope, and no others."""

from __future__ import annotations

import pytest

from domain.consent.trusted import digest_of
from tests.journeys.conftest import mutation

MINE = "{ me { person partner } }"


@pytest.fixture
def partner(installation, tenant):
    """A registered partner."""
    asked = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": ["PARTNER_CREDIT_DECISION"]}
    found = installation.client(tenant, "privacy_officer").done("registerPartner", asked, "partner { id }")
    return installation.approve(tenant, found["partner"]["id"])


@pytest.fixture
def bank(installation, tenant, partner):
    return installation.client(tenant, "partner_client", person="bank-system", partner=partner)


def code(answer):
    """The code of the one error of an answer."""
    (error,) = answer.json()["errors"]
    return error["extensions"]["code"]


def test_a_partner_runs_what_was_approved_and_nothing_else(installation, tenant, partner, bank):
    assert code(bank.post(MINE)) == "NOT_PERMITTED"
    proposed = installation.trust(tenant, MINE, approve=False)
    assert code(bank.post(MINE)) == "NOT_PERMITTED"
    officer = installation.client(tenant, "privacy_officer", person="another")
    officer.done("approveTrustedDocument", {"document": proposed}, "trustedDocument { state }")
    assert bank.ask(MINE)["me"]["partner"] == partner
    assert code(bank.post(MINE + " ")) == "NOT_PERMITTED"
    officer.done("retireTrustedDocument", {"document": proposed}, "trustedDocument { state }")
    assert code(bank.post(MINE)) == "NOT_PERMITTED"

    entries = installation.client(tenant, "auditor").ask(
        """query($d: String!) { auditEntries(first: 100, filter: {document: {eq: $d}}) {
             nodes { action outcome cause document behalf } } }""",
        d=digest_of(MINE),
    )["auditEntries"]["nodes"]
    refused = [entry for entry in entries if entry["action"] == "document:run"]
    assert [entry["cause"] for entry in refused] == ["DOCUMENT_NOT_APPROVED"] * 3
    assert {(entry["outcome"], entry["behalf"]) for entry in refused} == {("REFUSED", partner)}


def test_who_proposed_a_document_does_not_approve_it(installation, tenant):
    officer = installation.client(tenant, "privacy_officer")
    asked = {"name": "mine", "text": MINE, "purpose": "PARTNER_CREDIT_DECISION"}
    id_ = officer.done("proposeTrustedDocument", asked, "trustedDocument { id }")["trustedDocument"]["id"]
    payload = officer.change("approveTrustedDocument", {"document": id_}, "trustedDocument { state }")
    assert [error["code"] for error in payload["errors"]] == ["SEPARATION_OF_DUTY"]


def test_what_is_registered_may_follow_more_than_what_is_not(installation, tenant):
    links = [
        "assessments",
        "transactions",
        "litigation",
        "consents",
        "controlActions",
        "defaults",
        "ratings",
        "statements",
        "sanctions",
    ]
    page = " ".join(f"{name} {{ nodes {{ creditFile {{ assessment {{ policy {{ id }} }} }} }} }}" for name in links)
    text = f"{{ creditFiles {{ nodes {{ {page} }} }} }}"
    staff = installation.client(tenant, "credit_manager", "credit_analyst", "privacy_officer")
    assert code(staff.post(text)) == "QUERY_TOO_LARGE"
    body = {"query": text, "documentId": f"sha256:{digest_of(text)}"}
    headers = {"Authorization": f"Bearer {staff.token}"}
    assert code(staff._http.post("/graphql", json=body, headers=headers)) == "QUERY_TOO_LARGE"
    installation.trust(tenant, text)
    assert staff._http.post("/graphql", json=body, headers=headers).json()["data"]["creditFiles"] == {"nodes": []}


def test_a_document_is_run_by_its_digest_alone(installation, tenant, bank):
    installation.trust(tenant, MINE)
    headers = {"Authorization": f"Bearer {bank.token}"}
    for body in (
        {"documentId": f"sha256:{digest_of(MINE)}"},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest_of(MINE)}}},
    ):
        answer = bank._http.post("/graphql", json=body, headers=headers)
        assert answer.json()["data"]["me"]["person"] == "bank-system"
    for body, status in (
        ({"documentId": f"sha256:{digest_of('{ x }')}"}, 200),
        ({"documentId": "sha256:short"}, 400),
        ({"documentId": f"sha256:{digest_of(MINE)}", "query": "{ me { roles } }"}, 200),
    ):
        answer = bank._http.post("/graphql", json=body, headers=headers)
        assert answer.status_code == status
        assert "data" not in answer.json()


def test_staff_may_name_the_digest_of_any_text_they_send_with_it(installation, tenant):
    staff = installation.client(tenant, "auditor")
    named = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest_of(MINE)}}}
    headers = {"Authorization": f"Bearer {staff.token}"}
    assert "data" not in staff._http.post("/graphql", json=named, headers=headers).json()
    answer = staff._http.post("/graphql", json=named | {"query": MINE}, headers=headers).json()
    assert answer["data"]["me"]["partner"] is None
    wrong = staff._http.post("/graphql", json=named | {"query": MINE + " "}, headers=headers).json()
    assert "data" not in wrong


def test_a_disclosure_stays_within_the_purpose_and_scope_of_its_document(installation, tenant, bank):
    shown = "values { field text }"
    installation.trust(tenant, mutation("requestDisclosure", shown), "contact.phone")
    asked = {"creditFile": "cf_" + "0" * 26, "purpose": "PARTNER_CREDIT_DECISION", "idempotencyKey": "request-1"}
    beyond = bank.change("requestDisclosure", {**asked, "fields": ["contact.phone", "contact.email"]}, shown)
    assert [error["code"] for error in beyond["errors"]] == ["NOT_PERMITTED"]
    other = {**asked, "purpose": "SUPERVISION", "fields": ["contact.phone"]}
    assert [error["code"] for error in bank.change("requestDisclosure", other, shown)["errors"]] == ["NOT_PERMITTED"]
    within = bank.change("requestDisclosure", {**asked, "fields": ["contact.phone"]}, shown)
    assert [error["code"] for error in within["errors"]] == ["NOT_CONSENTED"]


def test_a_document_for_one_partner_is_no_other_partners(installation, tenant, bank):
    asked = {"name": "Second Bank", "contact": "dpo@second.example", "purposes": ["PARTNER_CREDIT_DECISION"]}
    privacy = installation.client(tenant, "privacy_officer")
    other = privacy.done("registerPartner", asked, "partner { id }")["partner"]["id"]
    installation.approve(tenant, other)
    named = {"name": "theirs", "text": MINE, "purpose": "PARTNER_CREDIT_DECISION", "partner": other}
    legal = installation.client(tenant, "legal")
    id_ = legal.done("proposeTrustedDocument", named, "trustedDocument { id }")["trustedDocument"]["id"]
    privacy.done("approveTrustedDocument", {"document": id_}, "trustedDocument { state }")
    assert code(bank.post(MINE)) == "NOT_PERMITTED"
    theirs = installation.client(tenant, "partner_client", partner=other)
    assert theirs.ask(MINE)["me"]["partner"] == other


def test_a_scope_names_every_confidential_field_of_every_record(installation, tenant):
    text = "query($id: ID!) { creditFile(id: $id) { contacts { nodes { personNameMasked } } } }"
    asked = {"name": "desk", "text": text, "purpose": "CREDIT_REVIEW"}
    legal = installation.client(tenant, "legal")
    closed = legal.change("proposeTrustedDocument", asked, "trustedDocument { id }")
    assert [error["path"] for error in closed["errors"]] == [["scope"]]
    asked["scope"] = ["contact.person_name"]
    found = legal.done("proposeTrustedDocument", asked, "trustedDocument { scope reads }")["trustedDocument"]
    assert found["scope"] == ["contact.person_name"]
    assert "contact.person_name" in found["reads"]


def test_what_a_document_can_ever_disclose_is_listed_before_anybody_runs_it(installation, tenant):
    text = """query($id: ID!, $deep: Boolean!, $f: DisclosureFilter) {
        creditFile(id: $id) { name ...more confidential(purpose: PARTNER_CREDIT_DECISION) { phone } }
        disclosures(filter: $f) { totalCount } }
        fragment more on CreditFile { grade @include(if: $deep) emailMasked
          assessments(filter: {state: {eq: IN_FORCE}}) { nodes { score } } }"""
    id_ = installation.trust(tenant, text, "contact.phone", "contact.email")
    found = installation.client(tenant, "auditor").ask(
        "query($id: ID!) { trustedDocument(id: $id) { state scope reads changes actions proposedBy decidedBy } }",
        id=id_,
    )["trustedDocument"]
    assert found["state"] == "APPROVED"
    assert {"credit_file.name", "credit_file.grade", "assessment.score", "assessment.state"} <= set(found["reads"])
    assert {"contact.phone", "contact.email", "disclosure.state"} <= set(found["reads"])
    assert "assessment.grade" not in found["reads"]
    assert {"credit_file:read", "assessment:read", "reveal:contact", "mask:contact"} <= set(found["actions"])
    assert found["changes"] == []
    assert (found["proposedBy"], found["decidedBy"]) == ("legal", "privacy_officer")


@pytest.mark.parametrize(
    ("text", "scope", "path"),
    [
        ("{ me { nothing } }", [], ["text"]),
        ("{", [], ["text"]),
        ("subscription { auditEntries { nodes { id } } }", [], ["text"]),
        ("{ me { person } }", ["nothing.known"], ["scope", "0"]),
        (
            '{ creditFile(id: "cf_0") { confidential(purpose: CREDIT_REVIEW) { phone } } }',
            ["financial.bank_account"],
            ["scope"],
        ),
    ],
)
def test_what_cannot_be_trusted_is_not_even_proposed(installation, tenant, text, scope, path):
    asked = {"name": "bad", "text": text, "purpose": "PARTNER_CREDIT_DECISION", "scope": scope}
    payload = installation.client(tenant, "legal").change("proposeTrustedDocument", asked, "trustedDocument { id }")
    assert [error["path"] for error in payload["errors"]] == [path]
    assert payload["trustedDocument"] is None
