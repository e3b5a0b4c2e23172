"""Nobody annotated or answered a customer in time: the sweep tells whoever has to act, once, until they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.clock import SystemClock
from tests.journeys.commands import found, run
from tests.journeys.test_consents_moved import settle

LATE = timedelta(days=40)
PAGE = """{ escalations(first: 10, orderBy: {field: DUE_ON, direction: ASC}) {
  nodes { clock level told state settledAt objection { id escalations(first: 5) { totalCount } } } } }"""


@pytest.fixture
def settings(installation):
    return {
        "CREDENCE_DATA_DIR": str(installation.folder),
        "CREDENCE_DATABASE_URL": installation.settings.database_url,
        "CREDENCE_KEYS": installation.settings.keys,
    }


@pytest.fixture
def objection(installation, tenant, monkeypatch):
    """An objection that was raised forty days ago, when the whole company lived forty days ago."""
    with monkeypatch.context() as earlier:
        earlier.setattr(SystemClock, "now", lambda _: datetime.now(UTC) - LATE)
        file, _ = settle(installation, tenant)
        customer = installation.client(tenant, "customer_self", person="li", subject=file["customer"]["id"])
        asked = {"creditFile": file["id"], "kind": "RECORD", "contested": file["id"], "statement": "Not our phone."}
        return customer.done("raiseObjection", asked, "objection { id }")["objection"]["id"]


def test_what_is_late_is_told_once_until_somebody_acts(installation, tenant, objection, settings):
    manager, privacy = installation.client(tenant, "management"), installation.client(tenant, "privacy_officer")
    auditor, analyst = installation.client(tenant, "auditor"), installation.client(tenant, "credit_analyst")
    assert manager.ask(PAGE)["escalations"]["nodes"] == []

    told = found("sweep", "--tenant", tenant, **settings)["companies"][tenant]
    assert told.pop("findings") in {0, 1}  # whoever runs this at night finds that somebody worked at night
    assert told == {"abandoned": 0, "strays": 0, "escalated": 2, "grants": 0, "policies": 0}
    assert "0 escalations of objections" in run("sweep", **settings)

    for reader in (manager, privacy, auditor, analyst):
        rows = reader.ask(PAGE)["escalations"]["nodes"]
        assert [(one["clock"], one["level"], one["told"], one["state"]) for one in rows] == [
            ("ANNOTATE", "OVERDUE", "PRIVACY_OFFICER", "OPEN"),
            ("ANSWER", "OVERDUE", "MANAGEMENT", "OPEN"),
        ]
        assert {(one["objection"] or {}).get("id") for one in rows} == {objection}
        assert rows[0]["objection"]["escalations"]["totalCount"] == 2

    entries = auditor.ask("{ auditEntries(first: 100) { nodes { action actor outcome resources } } }")
    told = [one for one in entries["auditEntries"]["nodes"] if one["action"] == "objection:escalate"]
    assert {(one["actor"], one["outcome"]) for one in told} == {("system:sweep", "DONE")}
    assert sum(objection in one["resources"] for one in told) == 1

    analyst.done("annotateObjection", {"objection": objection}, "objection { state }")
    states = [(one["clock"], one["state"]) for one in manager.ask(PAGE)["escalations"]["nodes"]]
    assert states == [("ANNOTATE", "SETTLED"), ("ANSWER", "OPEN")]


def test_the_holidays_of_the_next_year_are_entered_by_the_officer_alone(installation, tenant):
    notice = {
        "year": 2027,
        "holidays": ["2027-01-01", "2027-01-02", "2027-01-03"],
        "worked": ["2027-01-09"],
        "notice": "No. 7 of 2026",
    }
    shown = "workCalendar { year holidays worked notice enteredBy }"
    privacy = installation.client(tenant, "privacy_officer")
    refused = privacy.change("publishWorkCalendar", notice | {"worked": ["2027-01-11"]}, shown)
    assert [(one["code"], one["path"]) for one in refused["errors"]] == [("MALFORMED_DATE", ["worked", "0"])]
    entered = privacy.done("publishWorkCalendar", notice, shown)["workCalendar"]
    assert entered == notice | {"enteredBy": "privacy_officer"}
    analyst = installation.client(tenant, "credit_analyst")
    assert analyst.ask("{ workCalendars(first: 5) { nodes { year worked } } }") == {
        "workCalendars": {"nodes": [{"year": 2027, "worked": ["2027-01-09"]}]}
    }
    (denied,) = analyst.change("publishWorkCalendar", notice, shown)["errors"]
    assert denied["code"] == "NOT_PERMITTED"
