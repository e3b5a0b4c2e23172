"""An authority demands data: two persons approve, a third releases, and the customer sees it unless the law forbids."""

from __future__ import annotations

import pytest

from tests.journeys.test_consent import PHONE, USCC

RELEASED = "statutoryDisclosure { id state concealed } values { field text }"
LOG = """query($id: ID!) { accessLog(creditFile: $id, first: 100) { nodes { action actor purpose fields } } }"""


@pytest.fixture
def staff(installation, tenant):
    """Who has a part in it."""
    roles = {"ling": "legal", "wu": "management", "zhou": "privacy_officer", "audit": "auditor"}
    return {person: installation.client(tenant, role, person=person) for person, role in roles.items()}


@pytest.fixture
def file(installation, tenant, staff):
    """A customer's file."""
    source = staff["zhou"].done(
        "registerSource",
        {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]},
        "source { id }",
    )["source"]["id"]
    officer = installation.client(tenant, "credit_analyst")
    given = {
        "reference": "C-1",
        "name": "Yunfan Networks",
        "kind": "ENTERPRISE",
        "origin": {"source": source, "lawfulBasis": "CONTRACT"},
        "basic": {"unifiedSocialCreditCode": USCC, "phone": PHONE},
    }
    return officer.done("openCreditFile", given, "creditFile { id customer { id } }")["creditFile"]


def demanded(file, **more):
    """What is proposed."""
    return {
        "creditFile": file["id"],
        "authority": "Chaoyang Court",
        "authorityKind": "COURT",
        "legalReference": "Civil Procedure Law, article 70",
        "letter": "(2026) 0105 No. 1",
        "fields": ["contact.phone"],
        **more,
    }


def released(staff, file, mutation, **more):
    """Proposed by ling, approved by wu and zhou, released by ling."""
    proposed = staff["ling"].done("proposeStatutoryDisclosure", demanded(file, **more), "statutoryDisclosure { id }")
    named = {"disclosure": proposed["statutoryDisclosure"]["id"]}
    refused = staff["ling"].change("approveStatutoryDisclosure", named, "statutoryDisclosure { id }")
    assert [error["code"] for error in refused["errors"]] == ["SEPARATION_OF_DUTY"]
    for person in ("wu", "zhou"):
        staff[person].done("approveStatutoryDisclosure", named, "statutoryDisclosure { state }")
    return staff["ling"].done(mutation, named, RELEASED)


def test_the_customer_sees_what_an_authority_got_unless_the_law_forbids_to_tell(installation, tenant, staff, file):
    customer = installation.client(tenant, "customer_self", person="li", subject=file["customer"]["id"])

    hidden = released(
        staff, file, "releaseConcealedDisclosure", concealed=True, concealedBecause="Criminal Procedure Law"
    )
    assert hidden["values"] == [{"field": "contact.phone", "text": PHONE}]
    assert hidden["statutoryDisclosure"]["concealed"]
    seen = customer.ask(LOG, id=file["id"])["accessLog"]["nodes"]
    assert [entry for entry in seen if entry["action"].startswith("statutory")] == []
    assert "statutory" not in str(seen).lower()

    shown = released(staff, file, "releaseStatutoryDisclosure")
    assert shown["statutoryDisclosure"]["state"] == "RELEASED"
    seen = customer.ask(LOG, id=file["id"])["accessLog"]["nodes"]
    assert [entry for entry in seen if entry["action"].startswith("statutory")] == [
        {
            "action": "statutory:release",
            "actor": "ling",
            "purpose": "STATUTORY_DUTY",
            "fields": ["contact.phone"],
        }
    ]

    query = "{ statutoryDisclosures(first: 10) { nodes { state legalReference creditFile { name } } } }"
    assert len(staff["audit"].ask(query)["statutoryDisclosures"]["nodes"]) == 1 + 1
    assert customer.ask("{ statutoryDisclosures(first: 10) { nodes { state } } }") == {
        "statutoryDisclosures": {"nodes": []}
    }
    known = staff["zhou"].ask(LOG, id=file["id"])["accessLog"]["nodes"]
    assert {"statutory:conceal", "statutory:release", "statutory:propose"} <= {entry["action"] for entry in known}
    entries = staff["audit"].ask(
        '{ auditEntries(first: 10, filter: {action: {eq: "statutory:conceal"}}) { nodes { outcome fields } } }'
    )["auditEntries"]["nodes"]
    assert entries == [{"outcome": "DONE", "fields": ["contact.phone"]}]
