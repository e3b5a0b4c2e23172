from __future__ import annotations

import csv
from pathlib import Path

from api.graphql.execute import may_introspect
from api.graphql.operations import INTROSPECT, declared_actions
from authz.release import Release
from authz.roles import OUTSIDERS, ROLES
from domain.operations import OPERATIONS
from domain.records import SHAPES, DataClass

MATRIX = Path(__file__).parents[1] / "matrix" / "matrix.csv"


def agreed():
    with MATRIX.open(encoding="utf-8", newline="") as file:
        return [row[0] for row in csv.reader(file)][1:]


def test_the_grants_load_for_exactly_what_the_product_asks_for():
    Release(declared_actions()).table()
    assert sorted(agreed()) == list(declared_actions())


def test_every_operation_record_masked_field_and_class_is_asked_for():
    asked = set(declared_actions())
    assert {action for operation in OPERATIONS.values() for action in operation.actions} <= asked
    assert {shape.read for shape in SHAPES.values()} <= asked
    assert {f"reveal:{data.value}" for data in DataClass} <= asked
    assert {"mask:identity", "mask:contact", "mask:financial", INTROSPECT, "credit_file:read"} <= asked
    assert "mask:rating" not in asked


def test_the_schema_tells_itself_to_staff_and_to_nobody_from_outside():
    table = Release(declared_actions()).table()
    telling = {role for role in ROLES if may_introspect(table.rights(frozenset({role})))}
    assert telling == set(ROLES) - OUTSIDERS - {"system"}
