"""The schema and the tables say the same about what may be missing."""

import pytest
from graphql import GraphQLNonNull

from api.graphql.generation.parts import Column, ToOne, parts
from api.graphql.schema import build_schema
from domain.records import SHAPES, STAMP_FIELDS
from vault.store import tables

GRAPH = build_schema().graph


@pytest.mark.parametrize("name", sorted(tables.shapes()))
def test_columns_that_are_not_null_are_fields_that_are_not_null(name):
    shape = SHAPES[name]
    columns = tables.table(shape).columns
    fields = GRAPH.type_map[name].fields
    for field, part in parts(shape).items():
        if isinstance(part, Column):
            fact = shape.facts.get(part.name)
            held = tables.columns_of(fact) if fact else (part.name,)
            nulls = {columns[column].nullable for column in held}
            assert nulls == {not isinstance(fields[field].type, GraphQLNonNull)}, f"{name}.{field}"


@pytest.mark.parametrize("name", sorted(tables.shapes()))
def test_a_link_and_a_confidential_field_can_be_null_whatever_the_column_says(name):
    shape = SHAPES[name]
    for field, part in parts(shape).items():
        if isinstance(part, ToOne):
            assert not isinstance(GRAPH.type_map[name].fields[field].type, GraphQLNonNull), f"{name}.{field}"
    if shape.confidential:
        assert not isinstance(GRAPH.type_map[name].fields["confidential"].type, GraphQLNonNull)


@pytest.mark.parametrize("name", sorted(tables.shapes()))
def test_every_fact_is_a_column_and_every_column_a_fact_or_a_stamp(name):
    shape = SHAPES[name]
    facts = {column for fact in shape.facts.values() for column in tables.columns_of(fact)}
    stamps = {"tenant", "id", "subject_id"} if shape.ledger else set(STAMP_FIELDS)
    assert set(tables.table(shape).columns.keys()) == facts | stamps
