"""graphql-core, completing the answer of a plan, must find nothing to change in it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, get_args, get_origin

import pytest
from graphql import GraphQLEnumType, GraphQLNonNull, GraphQLObjectType, execute, get_named_type, parse
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from api.graphql.generation.parts import Column, is_value, parts, values
from domain.actors import Rights
from domain.ids import Id
from domain.money import Money
from domain.records import SHAPES

ROOTS = ("creditFile", "creditFiles", "assessment", "disclosures", "partners", "auditEntries", "controlActions")


class Everything(dict):
    """Rights to everything."""

    def __contains__(self, _action):
        return True


def sample(type_: Any) -> Any:
    """A value of a fact's type."""
    if get_origin(type_) is tuple:
        return (sample(get_args(type_)[0]),) * 2
    if isinstance(type_, type) and issubclass(type_, Enum):
        return list(type_)[-1]
    if type_ is Money:
        return Money(-1205, "CNY")
    if is_value(type_):
        return type_(**{column.name: sample(column.type) for column in values(type_).values()})
    plain = {str: "网络", int: 7, bool: True, date: date(2026, 1, 2), datetime: datetime(2026, 1, 2, tzinfo=UTC)}
    return {**plain, Decimal: Decimal("1.50"), Id: "xx_1"}[type_]


def row(shape: Any) -> dict[str, Any]:
    """One row of a record, linked to the one row of every other."""
    own = Id(f"{shape.prefix}_{'0' * 26}")
    made = {part.name: sample(part.type) for part in parts(shape).values() if isinstance(part, Column)}
    made |= {name: f"{SHAPES[fact.target].prefix}_{'0' * 26}" for name, fact in shape.facts.items() if fact.target}
    made |= {"id": own, "subject_id": Id("cu_" + "0" * 26)}
    return made | {"secret": {name: sample(sealed.type) for name, sealed in shape.confidential.items()}}


@pytest.fixture
def full(house):
    house.rows.clear()
    house.rows.update({shape.name: [row(shape)] for shape in SHAPES.values()})
    house._rights = Rights(id=9, version="g9", allowed=Everything())
    return house


@st.composite
def selections(draw, type_, depth):
    """A selection on an object type: some fields in any order, some twice, some in fragments, some under an alias."""
    names = [name for name, field in type_.fields.items() if depth or not follows(field)]
    asked = []
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=5)):
        field = type_.fields[name]
        text = draw(st.sampled_from(["", "", "", f"a{len(asked)}: "])) + name + draw(arguments(field))
        inner = get_named_type(field.type)
        if isinstance(inner, GraphQLObjectType):
            text += draw(selections(inner, depth - 1))
        wrap = draw(
            st.sampled_from(["{}", "{}", "... {{ {} }}", f"... on {type_.name} {{{{ {{}} }}}}", "{} __typename"])
        )
        asked.append(wrap.format(text) if wrap != "{}" else text)
    return " { " + " ".join(asked) + " }"


def follows(field):
    """Whether a field leads to further records."""
    name = get_named_type(field.type).name
    return name in SHAPES or name.endswith(("Connection", "Edge"))


@st.composite
def arguments(draw, field):
    """The required arguments, and sometimes a page size."""
    given_ = []
    for name, item in field.args.items():
        if isinstance(item.type, GraphQLNonNull):
            kind = get_named_type(item.type)
            given_.append(
                f"{name}: {draw(st.sampled_from(list(kind.values)))}" if isinstance(kind, GraphQLEnumType) else ""
            )
        elif name == "first" and draw(st.booleans()):
            given_.append("first: 3")
    return f"({', '.join(given_)})" if given_ else ""


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_an_answer_is_byte_for_byte_what_graphql_core_would_complete(full, data):
    graph = full.schema.graph
    roots = []
    for name in data.draw(st.lists(st.sampled_from(ROOTS), min_size=1, max_size=2, unique=True)):
        field = graph.query_type.fields[name]
        prefix = {"creditFile": "cf", "assessment": "as"}.get(name)
        given_ = f'(id: "{prefix}_{"0" * 26}")' if prefix else ""
        roots.append(name + given_ + data.draw(selections(get_named_type(field.type), 4)))
    query = "{ " + " ".join(roots) + " }"
    response = full.ask(query)
    # Two different pages or purposes under one key do not merge, and too much is refused: neither is the subject here.
    assume(response.executed)
    assert response.errors == []
    completed = execute(graph, parse(query), root_value=response.data)
    assert completed.errors is None
    assert json.dumps(completed.data) == json.dumps(response.data)
