"""The page for auditors: its queries run as they stand, and each leaves an entry."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from graphql import parse

from api.demo import invent
from api.graphql.documents import GraphQLRequest
from api.graphql.execute import execute
from api.settings import load
from domain.actors import Credentials
from domain.supervision.findings import FindingKind

TEXT = (Path(__file__).parents[2] / "docs" / "auditors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```graphql\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
NEWEST = "{ auditEntries(first: 50, orderBy: {field: LOG_INDEX, direction: DESC}) { nodes { action request } } }"


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What an auditor of a small company is answered, block by block, and the newest entries after that."""
    from api.app import authenticator, open_house

    settings = load({}, data_dir=tmp_path_factory.mktemp("auditors"))

    async def run():
        made = await invent(settings, 3, lambda _share, _note: None)
        async with open_house(settings) as house:
            auditor = await authenticator(house)(Credentials(token=made["tokens"]["auditor"]))
            told = []
            for number, text in enumerate(BLOCKS):
                given = {"file": made["creditFiles"][0]} if "$file" in text else {}
                request = GraphQLRequest(text, variables=given, request_id=f"block-{number}")
                told.append((await execute(house, auditor, request)).body())
            newest = (await execute(house, auditor, GraphQLRequest(NEWEST))).body()["data"]["auditEntries"]["nodes"]
            return told, newest

    return asyncio.run(run())


def test_every_query_of_the_page_is_answered(answers):
    assert len(BLOCKS) == 10
    for text, answer in zip(BLOCKS, answers[0], strict=True):
        assert "errors" not in answer, (text, answer)
        (field,) = answer["data"].values()
        assert field is not None, text
        assert isinstance(field, list) or field.get("errors", []) == [], text


def test_the_answers_are_those_of_a_company_at_work(answers):
    told = {name: field for answer in answers[0] for name, field in answer["data"].items()}
    assert told["accessLog"]["nodes"]
    assert told["examineAuditLog"]["entries"] > 0
    evidence = {one["clause"]: one["entries"] for one in told["clauseCoverage"]}
    assert evidence["3.1"] > 0
    assert told["auditSearches"]["nodes"][0]["conditions"] == '{"behalf":{"contains":"pa_"},"outcome":{"eq":"REFUSED"}}'


def test_every_question_is_an_entry_itself(answers):
    entries = {(entry["request"], entry["action"]) for entry in answers[1]}
    for number, text in enumerate(BLOCKS):
        asked = parse(text).definitions[0].selection_set.selections[0].name.value
        expected = {
            "accessLog": "credit_file:read",
            "examineAuditLog": "audit:examine",
            "clauseCoverage": "audit:cover",
            "saveAuditSearch": "audit:save",
            "plantHoneyFile": "audit:plant",
        }.get(asked, "audit:read")
        assert (f"block-{number}", expected) in entries, asked


def test_the_page_tells_of_every_kind_of_finding():
    assert set(re.findall(r"^\| `([A-Z_]+)`", TEXT, re.MULTILINE)) == {kind.value for kind in FindingKind}
