"""A front end finds a customer by a phone or an account number that somebody names, over HTTP."""

from __future__ import annotations

import pytest

PHONE, ACCOUNT = "+8613800138000", "6222021234567890128"
FIND = """query($by: CreditFileLookUp!) {
    creditFiles(lookUp: $by) { totalCount nodes { reference phoneMasked } }
}"""


@pytest.fixture
def desk(installation, tenant):
    """Somebody at the credit desk, with two files."""
    person = installation.client(tenant, "credit_manager")
    source = person.done(
        "registerSource",
        {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]},
        "source { id }",
    )["source"]["id"]
    for reference, basic in (("C-1", {"phone": PHONE}), ("C-2", {"phone": "010-55550100", "bankAccount": ACCOUNT})):
        asked = {"reference": reference, "name": reference, "kind": "ENTERPRISE", "basic": basic}
        asked["origin"] = {"source": source, "lawfulBasis": "CONTRACT"}
        person.done("openCreditFile", asked, "creditFile { id }")
    return person


def found(client, **by):
    """The references of what is found, and what is shown of the phone."""
    nodes = client.ask(FIND, by={"purpose": "CUSTOMER_CONTACT", **by})["creditFiles"]["nodes"]
    return [(node["reference"], node["phoneMasked"]) for node in nodes]


def test_a_customer_is_found_by_what_it_calls_from_however_it_is_written(installation, tenant, desk):
    assert found(desk, phone="138 0013 8000") == [("C-1", "****8000")]
    assert found(desk, bankAccount="6222 0212 3456 7890 128") == [("C-2", "****0100")]
    assert found(desk, phone=PHONE, bankAccount=ACCOUNT) == []
    literal = (
        '{ creditFiles(lookUp: {purpose: CREDIT_REVIEW, phone: "０１０５５５５０１００"}) { nodes { reference } } }'
    )
    assert desk.ask(literal)["creditFiles"]["nodes"] == [{"reference": "C-2"}]
    entries = installation.client(tenant, "auditor").ask(
        '{ auditEntries(filter: {purpose: {eq: "CUSTOMER_CONTACT"}}) { nodes { actor fields actions subjects } } }'
    )["auditEntries"]["nodes"]
    assert len(entries) == 3
    assert all("reveal:contact" in entry["actions"] or "reveal:financial" in entry["actions"] for entry in entries)
    assert {len(entry["subjects"]) for entry in entries} == {0, 1}


def test_a_customer_is_found_by_the_phone_of_a_person_in_its_file(installation, tenant, desk):
    source = desk.ask("{ sources(first: 1) { nodes { id } } }")["sources"]["nodes"][0]["id"]
    asked = {"reference": "C-9", "name": "C-9", "kind": "ENTERPRISE", "origin": {"source": source}}
    asked["origin"]["lawfulBasis"] = "CONTRACT"
    asked["contacts"] = [{"duty": "CFO", "name": "Li", "phone": "13700137000", "email": "li@yunfan.example"}]
    desk.done("openCreditFile", asked, "creditFile { id }")
    assert found(desk, personPhone="137 0013 7000") == [("C-9", None)]
    assert found(desk, personEmail="LI@yunfan.example") == [("C-9", None)]
    assert found(desk, phone="13700137000") == []
    entry = installation.client(tenant, "auditor").ask(
        "{ auditEntries(first: 1, orderBy: {field: LOG_INDEX, direction: DESC}, filter: {purpose: {eq: "
        '"CUSTOMER_CONTACT"}}) { nodes { fields actions } } }'
    )["auditEntries"]["nodes"][0]
    assert "contact.phone" in entry["fields"]


def test_what_is_no_number_and_a_purpose_alone_are_refused_with_advice(desk):
    error = desk.post(FIND, {"by": {"purpose": "CREDIT_REVIEW", "phone": "1380013"}}).json()["errors"][0]
    assert error["extensions"]["code"] == "MALFORMED_CODE"
    assert "1380013" not in str(error)
    error = desk.post(FIND, {"by": {"purpose": "CREDIT_REVIEW"}}).json()["errors"][0]
    assert "phone, email, bankAccount" in error["extensions"]["advice"]


def test_whoever_sees_masked_forms_alone_does_not_search(installation, tenant, desk):
    sales = installation.client(tenant, "sales")
    error = sales.post(FIND, {"by": {"purpose": "CUSTOMER_CONTACT", "phone": PHONE}}).json()["errors"][0]
    assert error["extensions"]["code"] == "NOT_PERMITTED"
    assert desk


def test_a_partner_does_not_probe_even_with_an_approved_document(installation, tenant, desk):
    asked = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": ["PARTNER_CREDIT_DECISION"]}
    officer = installation.client(tenant, "privacy_officer")
    partner = officer.done("registerPartner", asked, "partner { id }")["partner"]["id"]
    installation.approve(tenant, partner)
    bank = installation.client(tenant, "partner_client", person="bank-system", partner=partner)
    text = '{ creditFiles(lookUp: {purpose: PARTNER_CREDIT_DECISION, phone: "13800138000"}) { totalCount } }'
    proposal = {"name": "probe", "text": text, "purpose": "PARTNER_CREDIT_DECISION", "scope": ["contact.phone"]}
    shows = "trustedDocument { id reads actions }"
    proposed = installation.client(tenant, "legal").done("proposeTrustedDocument", proposal, shows)["trustedDocument"]
    assert "contact.phone" in proposed["reads"]
    assert "reveal:contact" in proposed["actions"]
    officer.done("approveTrustedDocument", {"document": proposed["id"]}, "trustedDocument { state }")
    error = bank.post(text).json()["errors"][0]
    assert error["extensions"]["code"] == "NOT_PERMITTED"
    assert desk
