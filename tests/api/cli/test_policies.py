"""An operator writes a version of the credit policy by command, as `docs/credit-policy.md` tells."""

from __future__ import annotations

import json

import pytest

from tests.journeys.commands import found, run


@pytest.fixture
def settings(database, tmp_path):
    return {"CREDENCE_DATA_DIR": str(tmp_path / "data"), "CREDENCE_DATABASE_URL": database.url}


def test_a_version_is_exported_changed_drafted_tried_and_submitted_by_command(settings, tmp_path):
    found("migrate", **settings)
    found("tenant", "open", "Yunfan", **settings)
    file = tmp_path / "draft.json"
    assert found("policy", "export", file, **settings)["number"] == 2
    document = json.loads(file.read_text(encoding="utf-8"))
    document["grade_scale"][2]["floor"] = 75
    file.write_text(json.dumps(document), encoding="utf-8")
    change = {"section": "grade_scale", "place": "A / floor", "before": "70", "after": "75"}
    assert found("policy", "diff", "product", file, **settings)["changes"] == [change]

    draft = found("policy", "draft", file, "--reason", "Stricter", **settings)
    assert (draft["number"], draft["state"], draft["changes"]) == (2, "DRAFT", [change])
    early = found("policy", "submit", "2", expected=2, **settings)["error"]
    assert (early["code"], "not simulated" in early["message"]) == ("CONFLICT", True)
    tried = found("policy", "simulate", "2", **settings)
    assert (tried["digest"], tried["files"], tried["currency"]) == (draft["digest"], 0, "CNY")
    assert found("policy", "submit", draft["id"], **settings)["state"] == "IN_REVIEW"

    listed = found("policy", "list", **settings)["versions"]
    assert [(one["number"], one["state"]) for one in listed] == [(1, "IN_FORCE"), (2, "IN_REVIEW")]
    shown = found("policy", "show", "2", **settings)
    assert (shown["changes"], shown["simulated"]["id"]) == ([change], tried["id"])
    assert found("policy", "diff", "in-force", "2", **settings)["changes"] == [change]
    assert "grade_scale: A / floor: 70 → 75" in run("policy", "show", draft["id"], **settings)


def test_a_document_that_is_unsound_is_refused_with_its_places(settings, tmp_path):
    found("migrate", **settings)
    found("tenant", "open", "Yunfan", **settings)
    file = tmp_path / "draft.json"
    found("policy", "export", file, "--version", "product", **settings)
    document = json.loads(file.read_text(encoding="utf-8"))
    document["scorecards"][1]["characteristics"][0]["inputs"] = ["marital status"]
    file.write_text(json.dumps(document), encoding="utf-8")
    error = found("policy", "draft", file, "--reason", "r", expected=2, **settings)["error"]
    assert error["code"] == "FORBIDDEN_CATEGORY"
    assert "$.scorecards[1].characteristics[0].inputs[0]" in error["message"]
    unknown = found("policy", "show", "7", expected=2, **settings)["error"]
    assert unknown["code"] == "NOT_FOUND"


def test_the_schema_of_a_document_is_printed(settings):
    printed = json.loads(run("policy", "schema", **settings))
    assert {"scorecards", "grade_scale", "limit_rules"} <= set(printed["properties"])
