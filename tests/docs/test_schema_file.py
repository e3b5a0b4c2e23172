"""The schema that is checked in is the one that is served; what would break a client is named."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, find_breaking_changes

from api.graphql.schema import print_schema_text

FILE = Path(__file__).parents[2] / "schema.graphql"
REGENERATE = "`credence schema --write` writes it anew; say in docs/changelog.md what changed"


@pytest.fixture(scope="module")
def served():
    return print_schema_text()


def breaking(before: str, after: str) -> list[str]:
    old, new = (build_schema(text) for text in (before, after))
    assert isinstance(new, GraphQLSchema)
    return [change.description for change in find_breaking_changes(old, new)]


def test_the_checked_in_schema_breaks_no_client_of_the_one_that_is_served(served):
    assert breaking(FILE.read_text(encoding="utf-8"), served) == [], REGENERATE


def test_the_checked_in_schema_is_the_one_that_is_served(served):
    assert FILE.read_text(encoding="utf-8") == served, REGENERATE


def test_a_removed_field_is_named_as_breaking(served):
    without = served.replace("totalCount: Int!", "counted: Int!", 1)
    assert any("totalCount was removed" in change for change in breaking(served, without))
