"""A company changes who may do what: two persons, two servers, and everybody can ask why."""

from __future__ import annotations

import base64
import hashlib
import time

import pytest

from authz.holding import LEASE
from tests.journeys.commands import found
from tests.journeys.conftest import Installation

LINE = "p, sales, objection, read, allow, sa-40, Ch.3 §3 hears what customers object to\n"
CASE = "- name: Sales hears what customers object to\n  roles: [sales]\n  may: {objection: [read]}\n"
WHY = """query($action: String!, $roles: [String!]) { explainDecision(action: $action, roles: $roles) {
  action effect rule { id role why } path nearest { id role } version sentence } }"""
SHOWN = "grantsSnapshot { id state changesDigest contentDigest untested changes { role action before after rule } }"


@pytest.fixture
def where(installation):
    """The settings of commands beside the server."""
    return {
        "CREDENCE_DATABASE_URL": installation.settings.database_url,
        "CREDENCE_DATA_DIR": str(installation.folder),
        "CREDENCE_KEYS": installation.settings.keys,
        "CREDENCE_DOCUMENTS": installation.settings.documents,
    }


def why(client, action, roles=None):
    return client.ask(WHY, action=action, roles=roles)["explainDecision"]


def changed(folder):
    """The files of the product with one rule more and its test."""
    found("grants", "export", folder)
    for name, more in (("rules.csv", LINE), ("tests.yaml", CASE)):
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8") + "\n" + more, encoding="utf-8")
    return folder / "rules.csv", folder / "tests.yaml"


def test_two_persons_change_who_may_do_what_and_two_servers_go_by_it_within_the_lease(
    installation, tenant, where, tmp_path
):
    rules, tests = changed(tmp_path / "proposed")
    assert found("grants", "test", "--rules", rules, "--tests", tests, "--require-coverage")["failures"] == []
    (gained,) = found("grants", "diff", rules)["changes"]
    assert gained == {
        "role": "sales", "action": "objection:read", "before": "NONE", "after": "ALLOW", "rule": "sa-40",
    }  # fmt: skip

    sales, chen = installation.client(tenant, "sales"), installation.client(tenant, "platform_admin")
    denied = why(sales, "objection:read")
    assert (denied["effect"], denied["rule"], denied["path"]) == ("NONE", None, [])
    assert denied["nearest"]["role"] == "credit_analyst"
    assert "No rule allows objection:read" in denied["sentence"]

    asked = {"rules": rules.read_text(encoding="utf-8"), "tests": tests.read_text(encoding="utf-8"), "reason": "asked"}
    draft = chen.done("proposeGrants", asked, SHOWN)["grantsSnapshot"]
    assert (draft["state"], draft["changes"], draft["untested"]) == ("DRAFT", [gained], [])
    decided = {"snapshot": draft["id"], "changesDigest": draft["changesDigest"]}
    both = installation.client(tenant, "platform_admin", "management", person="platform_admin")
    (error,) = both.change("approveGrants", decided, "grantsSnapshot { id }")["errors"]
    assert error["code"] == "SEPARATION_OF_DUTY"

    postgres = installation.settings.database_url.startswith("postgresql")
    other = Installation.__new__(Installation)
    if postgres:  # two servers over one database
        other.__dict__.update(vars(installation), _clients=[], _keys={})
        other.start()
    elsewhere = other.client(tenant, "sales") if postgres else sales
    try:
        assert why(elsewhere, "objection:read")["effect"] == "NONE"
        zhou = installation.client(tenant, "management")
        active = zhou.done("approveGrants", decided, SHOWN)["grantsSnapshot"]
        approved = time.monotonic()
        assert active["state"] == "ACTIVE"
        for asking in (elsewhere, sales):
            while why(asking, "objection:read")["effect"] != "ALLOW":
                assert time.monotonic() - approved < LEASE + 1, "old grants decided for longer than a lease"
                time.sleep(0.05)
        told = why(elsewhere, "objection:read")
        assert (told["rule"]["id"], told["path"], told["version"]) == ("sa-40", ["sales"], active["contentDigest"])
    finally:
        if postgres:
            other.stop()
    assert elsewhere is sales or sales.ask("{ objections(first: 1) { nodes { id } } }") == {"objections": {"nodes": []}}

    shown = found("grants", "show", "--tenant", tenant, **where)
    assert (shown["inForce"], [one["state"] for one in shown["versions"]]) == (active["contentDigest"], ["ACTIVE"])


def test_who_runs_commands_is_one_person_and_approves_nothing_that_was_proposed_by_command(
    installation, tenant, where, tmp_path
):
    rules, tests = changed(tmp_path / "proposed")
    words = ("grants", "propose", rules, "--tests", tests, "--reason", "asked", "--tenant", tenant)
    mine = found(*words, **where)
    approving = ("grants", "approve", mine["id"], "--tenant", tenant)
    shown = found(*approving, expected=1, **where)
    assert (shown["approved"], shown["digest"], len(shown["changes"])) == (False, mine["digest"], 1)
    refused = found(*approving, "--changes", mine["digest"], expected=2, **where)
    assert refused["error"]["code"] == "SEPARATION_OF_DUTY"

    asked = {"rules": rules.read_text(encoding="utf-8"), "tests": tests.read_text(encoding="utf-8"), "reason": "asked"}
    theirs = installation.client(tenant, "platform_admin").done("proposeGrants", asked, SHOWN)["grantsSnapshot"]
    words = ("grants", "approve", theirs["id"], "--changes", theirs["changesDigest"], "--tenant", tenant)
    assert found(*words, **where)["state"] == "ACTIVE"
    told = found("grants", "explain", "objection:read", "--role", "sales", "--tenant", tenant, **where)
    assert told["explanation"]["rule"]["id"] == "sa-40"
    later = {**asked, "rules": asked["rules"].replace(LINE, ""), "effectiveAt": "2099-01-01T00:00:00Z"}
    waiting = installation.client(tenant, "platform_admin").done("proposeGrants", later, SHOWN)["grantsSnapshot"]
    withdrawn = found("grants", "withdraw", waiting["id"], "--tenant", tenant, **where)
    assert withdrawn["state"] == "WITHDRAWN"
    exported = tmp_path / "exported"
    found("grants", "export", exported, "--tenant", tenant, **where)
    again = found("grants", "diff", exported / "rules.csv", "--tenant", tenant, **where)
    assert (again["changes"], again["before"]) == ([], again["after"])


def test_the_matrix_is_a_page_for_whoever_may_read_the_grants_and_reading_it_is_recorded(
    installation, tenant, where, tmp_path
):
    auditor = installation.client(tenant, "auditor")
    told = auditor._http.get("/grants/matrix", headers={"Authorization": f"Bearer {auditor.token}"})
    assert told.status_code == 200
    assert told.headers["content-type"].startswith("text/html")
    assert '<th scope="row">reveal:financial</th>' in told.text
    assert "script" not in told.text.lower().replace("description", "")
    assert told.headers["credence-audit-entry"].startswith("ae_")
    style = told.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in told.headers["content-security-policy"]
    sales = installation.client(tenant, "sales")
    refused = sales._http.get("/grants/matrix", headers={"Authorization": f"Bearer {sales.token}"})
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "NOT_PERMITTED")
    assert sales._http.get("/grants/matrix").status_code == 401
    page = tmp_path / "matrix.html"
    found("grants", "matrix", "--html", page, "--tenant", tenant, **where)
    assert page.read_text(encoding="utf-8") == told.text


def test_who_may_not_read_the_grants_is_told_of_its_own_roles_alone(installation, tenant):
    sales, auditor = installation.client(tenant, "sales"), installation.client(tenant, "auditor")
    assert why(sales, "credit_file:read")["rule"]["id"] == "sa-01"
    answer = sales.post(WHY, {"action": "credit_file:read", "roles": ["credit_manager"]}).json()
    assert (answer["data"], answer["errors"][0]["extensions"]["code"]) == ({"explainDecision": None}, "NOT_PERMITTED")
    told = why(auditor, "reveal:financial", ["credit_manager", "auditor"])
    assert (told["effect"], told["rule"]["role"]) == ("DENY", "auditor")
    assert why(auditor, "reveal:financial", ["credit_manager"])["path"] == ["credit_manager", "credit_analyst"]
    assert why(auditor, "no:such", ["credit_manager"])["nearest"] is None
    answer = auditor.post(WHY, {"action": "credit_file:read", "roles": ["sales", "seller"]}).json()
    assert answer["errors"][0]["message"] == "seller is not a role."


def test_the_matrix_is_told_as_data_to_whoever_reads_the_grants_and_that_is_an_entry(installation, tenant):
    auditor, sales = installation.client(tenant, "auditor"), installation.client(tenant, "sales")
    told = auditor.ask("{ grantsMatrix { action role effect rule } }")["grantsMatrix"]
    assert {"action": "credit_file:read", "role": "sales", "effect": "ALLOW", "rule": "sa-01"} in told
    cells = [(cell["action"], cell["role"]) for cell in told]
    assert len(set(cells)) == len(cells)
    assert {cell["effect"] for cell in told} == {"ALLOW", "DENY"}
    for cell in told[::25]:
        known = why(auditor, cell["action"], [cell["role"]])
        assert (known["effect"], known["rule"]["id"]) == (cell["effect"], cell["rule"])
    entries = '{ auditEntries(first: 100, filter: {action: {eq: "grants:read"}}) { totalCount } }'
    before = auditor.ask(entries)["auditEntries"]["totalCount"]
    auditor.ask("{ grantsMatrix { action } }")
    assert auditor.ask(entries)["auditEntries"]["totalCount"] == before + 1
    answer = sales.post(
        '{ grantsMatrix { action } clauseCoverage(since: "2026-01-01T00:00:00Z", until: '
        '"2027-01-01T00:00:00Z") { clause } }'
    ).json()
    assert answer["data"] == {"grantsMatrix": None, "clauseCoverage": None}
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"NOT_PERMITTED"}


def test_a_period_that_ends_before_it_begins_has_no_coverage(installation, tenant):
    auditor = installation.client(tenant, "auditor")
    asked = """query($since: DateTime!, $until: DateTime!) {
      clauseCoverage(since: $since, until: $until) { clause entries } }"""
    given = {"since": "2027-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
    (error,) = auditor.post(asked, given).json()["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["clauseCoverage"], "MALFORMED_DATE")
    told = auditor.ask(asked, since=given["until"], until=given["since"])["clauseCoverage"]
    assert [one["clause"] for one in told][:2] == ["1", "2"]
