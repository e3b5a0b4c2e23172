"""relay-compiler takes our schema, and what it makes of a desk's components is answered by a server of ours."""

from __future__ import annotations

import json
import shutil

import pytest

from api.graphql.documents import GraphQLRequest, checked_document_of
from api.graphql.schema import build_schema
from tests.judges.programs import HERE, SCHEMA, printed, questions, ran

CONFIG = {
    "src": "relay",
    "schema": "schema.graphql",
    "language": "javascript",
    "artifactDirectory": "relay/__generated__",
    "eagerEsModules": False,
    "persistConfig": {"file": "relay/persisted.json", "algorithm": "SHA256"},
}


@pytest.fixture(scope="module")
def compiled(tools):
    """The folder with what the compiler made, and every document by its digest."""
    shutil.copytree(HERE / "relay", tools / "relay")
    made = tools / "relay" / "__generated__"
    made.mkdir()
    (made / "package.json").write_text('{"type": "commonjs"}')
    shutil.copy(SCHEMA, tools / "schema.graphql")
    documents = tools / "relay" / "persisted.json"
    documents.write_text("{}")
    (tools / "relay.config.json").write_text(json.dumps(CONFIG))
    ended = ran(tools, "node_modules/.bin/relay-compiler", "relay.config.json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return tools, json.loads(documents.read_text())


@pytest.fixture(scope="module")
def seen(compiled, demo):
    """What Relay's store saw."""
    return printed(compiled[0], "relay.mjs", questions(demo))


def test_every_compiled_document_is_within_our_limits(compiled):
    graph = build_schema().graph
    documents = compiled[1].values()
    assert len(documents) == 7
    assert all(checked_document_of(graph, GraphQLRequest(query=text)).fragments is not None for text in documents)


def test_the_digest_its_compiler_gives_a_document_is_the_one_we_know_it_by(seen):
    assert len(seen["trusted"]) == 6
    assert all(given == ours for given, ours in seen["trusted"])


def test_pages_grow_into_one_connection(seen):
    assert seen["sizes"] == [10, 20, 24]
    assert seen["rows"] == 24


def test_a_mutation_changes_the_row_that_a_list_shows(seen):
    decided = seen["decided"]
    assert decided["entry"]
    assert decided["grades"] == [None, decided["grade"]]
    assert decided["sent"][:2] == ["deskApproveMutation"] * 2
    assert decided["refused"] == ["INVALID_TRANSITION"]


def test_what_is_refetched_by_its_id_is_found(seen):
    decided = seen["decided"]
    assert decided["phone"]
    assert decided["history"] == 1
    assert decided["state"] == "IN_FORCE"
