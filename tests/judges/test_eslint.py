"""graphql-eslint over our schema, with the rules of Relay, and over the documents of a front end."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.judges.programs import DOCUMENTS, HERE, SCHEMA, ran


@pytest.fixture
def site(tools):
    """The folder with what is judged."""
    shutil.copy(HERE / "eslint.config.mjs", tools / "eslint.config.mjs")
    shutil.copytree(DOCUMENTS, tools / "documents", dirs_exist_ok=True)
    shutil.copy(SCHEMA, tools / "schema.graphql")
    (tools / "graphql.json").write_text(json.dumps({"schema": "schema.graphql", "documents": "documents/*.graphql"}))
    return tools


def findings(site, *what):
    """Every finding: where, which rule, and what it says."""
    ended = ran(site, "node_modules/.bin/eslint", "--format", "json", *what)
    assert ended.returncode in {0, 1}, ended.stderr
    files = json.loads(ended.stdout)
    assert files
    return [f"{one['line']} {one['ruleId']} {one['message']}" for file in files for one in file["messages"]]


def test_the_schema_follows_the_recommended_rules_and_those_of_relay(site):
    assert findings(site, "schema.graphql") == []


def test_the_documents_follow_the_recommended_rules(site):
    assert findings(site, "documents") == []


def test_a_schema_that_breaks_the_rules_is_found(site):
    text = (site / "schema.graphql").read_text()
    (site / "schema.graphql").write_text(text + "\ntype lonely { first_name: String }\n")
    rules = " ".join(findings(site, "schema.graphql"))
    assert "naming-convention" in rules
    assert "no-unreachable-types" in rules
    assert "require-description" in rules
    assert "strict-id-in-types" in rules
