"""Retention as those who answer for it meet it: the rules over the API, the end of a relation, the sweep by command."""

from __future__ import annotations

import pytest

from domain.custody.rules import RULES
from tests.journeys import commands

SOURCE = {"type": "SELF_PROVIDED", "name": "forms", "lawfulBases": ["CONTRACT"]}
RECEIVABLE = {
    "kind": "RECEIVABLE",
    "number": "INV-7",
    "issuedOn": "2020-01-02",
    "dueOn": "2020-02-01",
    "settledOn": "2020-02-01",
    "net": {"amount": "100.00", "currency": "CNY"},
    "total": {"amount": "100.00", "currency": "CNY"},
    "state": "SETTLED",
    "sourceRow": "7",
}


@pytest.fixture
def officer(installation, tenant):
    return installation.client(tenant, "privacy_officer")


@pytest.fixture
def file(installation, tenant, officer):
    """A customer's file with one invoice."""
    clerk = installation.client(tenant, "credit_analyst")
    source = officer.done("registerSource", SOURCE, "source { id }")["source"]["id"]
    origin = {"source": source, "lawfulBasis": "CONTRACT"}
    opening = {"reference": "C-1", "name": "Yunfan", "kind": "ENTERPRISE", "origin": origin}
    opened = clerk.done("openCreditFile", opening | {"basic": {"phone": "13800138000"}}, "creditFile { id }")
    finance = installation.client(tenant, "ar_finance")
    asked = {"creditFile": opened["creditFile"]["id"], "origin": origin, "documents": [RECEIVABLE]}
    finance.done("recordTransactions", asked, "creditFile { id }")
    return opened["creditFile"]["id"]


def test_whoever_answers_for_it_reads_the_rules_and_others_do_not(installation, tenant, officer):
    shown = "name kind years months atLeast ending since legalHold"
    asked = f"{{ retentionRules(first: 50) {{ totalCount nodes {{ {shown} }} }} }}"
    found = officer.ask(asked)["retentionRules"]
    assert found["totalCount"] == len(RULES)
    rules = {one["name"]: one for one in found["nodes"]}
    assert (rules["CN-P15"]["years"], rules["CN-P15"]["atLeast"], rules["CN-P15"]["ending"]) == (5, True, "ANONYMISE")
    assert rules["CN-C8"]["ending"] == "PRUNE"
    assert installation.client(tenant, "auditor").ask(asked) == {"retentionRules": found}
    answer = installation.client(tenant, "sales").post(asked).json()
    assert answer["errors"][0]["extensions"]["code"] == "NOT_PERMITTED"


def test_a_file_whose_time_is_over_is_listed_and_then_goes(installation, tenant, officer, file):
    ending = {"creditFile": file, "endedOn": "2021-01-01", "reason": "the contract ended"}
    told = officer.done("endRelation", ending, "creditFile { relationEndedOn state }")["creditFile"]
    assert told == {"relationEndedOn": "2021-01-01", "state": "OPEN"}
    refused = installation.client(tenant, "sales").change("endRelation", ending, "creditFile { id }")
    assert [error["code"] for error in refused["errors"]] == ["NOT_PERMITTED"]
    installation.stop_server()
    own = installation.settings
    settings = {
        "CREDENCE_DATABASE_URL": own.database_url,
        "CREDENCE_KEYS": own.keys,
        "CREDENCE_DOCUMENTS": own.documents,
        "CREDENCE_DATA_DIR": str(own.data_dir),
    }
    listed = commands.found("sweep", "--dry-run", **settings)
    due = {one["rule"]: one for one in listed["due"][tenant]}
    assert set(due) == {"CN-P4", "CN-P4-TRADE"}
    assert (due["CN-P4"]["record"], due["CN-P4"]["ending"], due["CN-P4"]["neededBy"]) == (file, "SHRED", [])
    assert due["CN-P4"]["because"] == "3 years after the last day of the customer relation"
    assert commands.found("sweep", "--dry-run", **settings) == listed
    assert f"{file} by CN-P4 (3 years after" in commands.run("retention", "sweep", "--dry-run", **settings)
    assert commands.found("sweep", **settings)["due"] == listed["due"]
    assert len(commands.found("keys", "shred", **settings)["erased"]) == 2
    assert commands.found("sweep", **settings)["due"] == {tenant: []}
    assert commands.found("fsck", **settings)["ok"] is True
    rules = commands.found("retention", "rules")["rules"]
    assert [one["rule"] for one in rules] == [rule.id for rule in RULES]
