from __future__ import annotations

import logging
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    is_introspection_type,
    is_specified_scalar_type,
)
from graphql import (
    build_schema as parse_schema,
)
from strawberry.types import ExecutionContext

from api.graphql.generation.building import answered, enum_type
from api.graphql.generation.parts import Closed, Column, parts
from api.graphql.generation.wording import camel, remark
from api.graphql.queries import ROOTS
from api.graphql.schema import build_schema, print_schema_text
from domain.assessment.assessments import PointsLine
from domain.assessment.scale import Tier
from domain.records import SHAPES, DataClass

SCHEMA = build_schema()
GRAPH = SCHEMA.graph


def _named():
    return [
        type_
        for type_ in GRAPH.type_map.values()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    ]


def test_everything_in_the_schema_is_described():
    missing = []
    for type_ in _named():
        missing += [] if type_.description else [type_.name]
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                missing += [] if field.description else [f"{type_.name}.{name}"]
                missing += [f"{type_.name}.{name}({key})" for key, item in field.args.items() if not item.description]
        if isinstance(type_, GraphQLInputObjectType | GraphQLEnumType):
            held = type_.fields if isinstance(type_, GraphQLInputObjectType) else type_.values
            missing += [f"{type_.name}.{name}" for name, item in held.items() if not item.description]
    assert missing == []


def test_a_root_of_either_kind_names_its_clause_and_the_action_that_guards_it():
    for root in (GRAPH.query_type, GRAPH.mutation_type):
        for name, field in root.fields.items():
            assert "Ch." in field.description, f"{root.name}.{name}"
            assert name == "me" or field.description.rpartition("(")[2], f"{root.name}.{name}"
            assert name in {"me", "node"} or ":" in field.description.rpartition("(")[2], f"{root.name}.{name}"


def test_every_field_of_a_record_names_the_action_that_guards_it():
    for shape in SHAPES.values():
        for name, field in GRAPH.type_map[shape.name].fields.items():
            assert field.description.endswith(")"), f"{shape.name}.{name}"
            assert ":" in field.description.rpartition("(")[2], f"{shape.name}.{name}"


def test_a_description_is_the_sentence_at_the_declaration_with_its_action():
    fields = GRAPH.type_map["CreditFile"].fields
    assert fields["grade"].description == "The grade in force. Ch.5 §2 (credit_file:read)"
    assert fields["phoneMasked"].description == "Masked: The main phone, E.164. Ch.4 §1 (mask:contact)"
    assert fields["assessments"].description == "Its assessments. Ch.5 (assessment:read)"
    phone = GRAPH.type_map["CreditFileConfidential"].fields["phone"]
    assert phone.description == "The main phone, E.164. Ch.4 §1 Tag: contact.phone. (reveal:contact)"


def test_every_record_is_a_node_and_offers_every_declared_fact_link_and_computed_field():
    for shape in SHAPES.values():
        type_ = GRAPH.type_map[shape.name]
        assert [item.name for item in type_.interfaces] == ["Node"]
        declared = {camel(name) for name in (*shape.facts, *shape.children, *shape.computed)}
        assert declared <= set(type_.fields)


def test_no_field_of_an_object_type_shows_a_confidential_value_outside_confidential():
    for shape in SHAPES.values():
        assert not {camel(name) for name in shape.confidential} & set(GRAPH.type_map[shape.name].fields)


def test_a_confidential_field_and_confidential_itself_can_always_be_null():
    for shape in SHAPES.values():
        if not shape.confidential:
            assert "confidential" not in GRAPH.type_map[shape.name].fields
            continue
        confidential = GRAPH.type_map[shape.name].fields["confidential"]
        assert not isinstance(confidential.type, GraphQLNonNull)
        assert str(confidential.args["purpose"].type) == "Purpose!"
        held = dict(GRAPH.type_map[f"{shape.name}Confidential"].fields)
        assert set(held) == {camel(name) for name in shape.confidential} | {"withheld"}
        assert str(held.pop("withheld").type) == "[WithheldField!]!"
        assert not any(isinstance(field.type, GraphQLNonNull) for field in held.values())


def test_an_ordinary_fact_is_null_in_the_schema_exactly_where_it_is_optional():
    for shape in SHAPES.values():
        for name, part in parts(shape).items():
            if isinstance(part, Column):
                type_ = GRAPH.type_map[shape.name].fields[name].type
                assert isinstance(type_, GraphQLNonNull) is not part.optional, f"{shape.name}.{name}"


def test_every_root_can_be_null_so_that_one_fault_leaves_the_others():
    assert set(GRAPH.query_type.fields) == set(ROOTS)
    assert not any(isinstance(field.type, GraphQLNonNull) for field in GRAPH.query_type.fields.values())


def test_filters_and_orders_are_exactly_the_declared_ones():
    for shape in SHAPES.values():
        filters = {camel(fact.name) for fact in shape.facts.values() if fact.filter}
        held = GRAPH.type_map.get(f"{shape.name}Filter")
        if held is not None:
            assert set(held.fields) == filters
        orders = {fact.name.upper() for fact in shape.facts.values() if fact.order}
        words = GRAPH.type_map.get(f"{shape.name}OrderField")
        if words is not None:
            assert set(words.values) == orders | (set() if shape.ledger else {"RECORDED_AT"})


def test_an_entry_of_the_audit_log_has_no_stamp_fields():
    assert "version" not in GRAPH.type_map["AuditEntry"].fields
    assert "version" in GRAPH.type_map["CreditFile"].fields


def test_enums_are_written_in_capitals_and_tell_what_their_source_says():
    tier = GRAPH.type_map["Tier"]
    assert tier.values["BLOCKED"].description.startswith("信用冻结")
    assert remark(Tier, "GOOD") == "信用良好"
    assert remark(PointsLine, "points") == "Points earned."
    for type_ in _named():
        if isinstance(type_, GraphQLEnumType):
            assert all(name == name.upper() for name in type_.values)


def test_a_published_enum_has_one_spelling():
    with pytest.raises(TypeError, match="value is its name"):
        enum_type(DataClass)


def test_every_generated_field_has_the_one_resolver():
    for type_ in _named():
        if isinstance(type_, GraphQLObjectType) and type_ is not GRAPH.mutation_type:
            assert all(field.resolve is answered for field in type_.fields.values()), type_.name


def test_the_schema_text_is_stable_and_parses():
    text = print_schema_text(SCHEMA)
    assert text == print_schema_text()
    assert parse_schema(text).query_type.name == "Query"
    assert text.endswith("}\n")


def test_the_schema_file_is_the_schema_that_is_built():
    written = Path(__file__).parents[2].joinpath("schema.graphql").read_text(encoding="utf-8")
    assert written == print_schema_text(SCHEMA), "write it anew: credence schema --write"


def test_confidential_knows_its_fields_by_their_schema_names():
    closed = parts(SHAPES["CreditFile"])["confidential"]
    assert isinstance(closed, Closed)
    assert closed.fields["unifiedSocialCreditCode"].tag == "identity.uscc"


def test_strawberry_logs_nothing(caplog):
    with caplog.at_level(logging.DEBUG):
        SCHEMA.execute_sync("{ creditFile(id: 1.5) { name } }")
        SCHEMA.process_errors([ValueError("secret")], ExecutionContext)
    assert caplog.records == []
