from __future__ import annotations

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    OperationDefinitionNode,
    get_named_type,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from api.graphql.compiler import compile_query
from api.graphql.compiling.arguments import deciding
from api.graphql.compiling.selections import Selections
from api.graphql.documents import _fragments
from api.graphql.generation.parts import Closed, parts
from api.graphql.queries import ROOTS, Kind
from api.graphql.schema import build_schema
from domain.actors import Rights
from domain.errors import Code, Malformed
from domain.files.parties import CreditFile
from domain.reading import Purpose, Slot, Where, judge
from domain.records import PREFIXES, SHAPES, Children

GRAPH = build_schema().graph
FILE = "cf_" + "0" * 26
EVERYTHING = Rights(id=1, version="g", allowed={})


def prepared(query, variables=None):
    tree = parse(query)
    assert validate(GRAPH, tree) == [], query
    operation = next(item for item in tree.definitions if isinstance(item, OperationDefinitionNode))
    coerced = get_variable_values(GRAPH, operation.variable_definitions or (), variables or {})
    assert not isinstance(coerced, list), coerced
    return Selections(GRAPH, _fragments(tree), coerced), operation


def compiled(query, variables=None):
    return compile_query(*prepared(query, variables))


def level(query, variables=None):
    return compiled(query, variables).reading.roots[0].what


def labels(items):
    return [item.label for item in items]


# Every type, link, filter and order compiles.


def literal(type_):
    plain = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(plain, GraphQLList):
        return f"[{literal(plain.of_type)}]"
    if isinstance(plain, GraphQLEnumType):
        return next(iter(plain.values))
    if isinstance(plain, GraphQLInputObjectType):
        return "{" + ", ".join(f"{name}: {literal(field.type)}" for name, field in plain.fields.items()) + "}"
    return {
        "Int": "3",
        "Boolean": "true",
        "Date": '"2026-11-24"',
        "DateTime": '"2026-11-24T00:00:00Z"',
        "ID": f'"{FILE}"',
    }.get(plain.name, '"x"')


def selection(type_, depth):
    """Everything a type offers, links followed to a depth."""
    asked = ["__typename"]
    for name, field in type_.fields.items():
        given = "(" + ", ".join(f"{key}: {literal(item.type)}" for key, item in field.args.items()) + ")"
        inner = get_named_type(field.type)
        if not isinstance(inner, GraphQLObjectType):
            asked.append(name)
        elif depth or (inner.name not in SHAPES and not inner.name.endswith("Connection")):
            follow = depth - (inner.name in SHAPES)
            asked.append(name + (given if field.args else "") + selection(inner, follow))
    return "{ " + " ".join(asked) + " }"


@pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda shape: shape.name)
def test_every_field_link_filter_and_order_of_a_record_compiles(shape):
    everything = selection(GRAPH.type_map[shape.name], 1)
    found = compiled(f'{{ node(id: "{shape.prefix}_{"0" * 26}") {{ ... on {shape.name} {everything} }} }}')
    asked = found.reading.roots[0].what
    assert asked.shape is shape
    assert {item.what for item in asked.facts} >= {name for name, fact in shape.facts.items() if not fact.target}
    assert {item.what.by.name for item in asked.links} == {
        *shape.children,
        *(name for name, fact in shape.facts.items() if fact.target),
    }
    assert {item.what.name for item in asked.computed} == set(shape.computed)
    assert {item.what.name for item in asked.masks} == {n for n, c in shape.confidential.items() if c.mask}
    for reveal in asked.reveals:
        assert {item.what.name for item in reveal.what.fields} == set(shape.confidential)
    for way in asked.links:
        target = way.what.level
        filters = {name for name, fact in target.shape.facts.items() if fact.filter}
        if isinstance(way.what.by, Children):
            assert {condition.column for condition in target.where} == filters
            assert target.page is not None
            assert len(target.order) == 1
        else:
            assert target.page is None
    assert len(found.arguments(prepared("{ __typename }")[0].variables)) == len(found.sources)


@pytest.mark.parametrize("name", sorted(ROOTS))
def test_every_root_compiles_with_all_its_arguments(name):
    field = GRAPH.query_type.fields[name]
    shape = ROOTS[name].shape if ROOTS[name].record else None
    arguments = {key: literal(item.type) for key, item in field.args.items()}
    if "id" in arguments and shape:
        arguments["id"] = f'"{shape.prefix}_{"0" * 26}"'
    given = "(" + ", ".join(f"{key}: {value}" for key, value in arguments.items()) + ")" if arguments else ""
    inner = get_named_type(field.type)
    body = selection(inner, 0) if isinstance(inner, GraphQLObjectType) else "{ __typename id }"
    found = compiled(f"{{ {name}{given} {body} }}")
    assert found.failures == {}
    assert bool(found.reading.roots) is (ROOTS[name].kind not in {Kind.TOLD, Kind.WORKED})
    judge(found.reading, EVERYTHING) if found.reading.roots else None


@pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda shape: shape.name)
def test_every_order_of_a_record_compiles_to_its_column(shape):
    words = GRAPH.type_map.get(f"{shape.name}OrderField")
    roots = [name for name, root in ROOTS.items() if root.kind is Kind.PAGE and root.record == shape.name]
    for word in words.values if words and roots else ():
        asked = level(f"{{ {roots[0]}(orderBy: {{field: {word}, direction: DESC}}) {{ totalCount }} }}")
        assert asked.order == ((word.lower(), True),)


# Selections.


def test_fragments_inline_fragments_and_repeated_fields_merge_into_one():
    asked = level(
        f"""{{ creditFile(id: "{FILE}") {{ name ...F ... on CreditFile {{ grade }} ... on Node {{ id }}
            assessment {{ score }} assessment {{ grade }} ... {{ reference }} }} }}
        fragment F on CreditFile {{ name tier ...F2 }} fragment F2 on CreditFile {{ assessment {{ score kind }} }}"""
    )
    assert labels(asked.facts) == ["name", "tier", "grade", "id", "reference"]
    assert len(asked.links) == 1
    assert labels(asked.links[0].what.level.facts) == ["score", "kind", "grade"]


def test_aliases_keep_two_askings_apart():
    asked = level(
        f"""{{ creditFile(id: "{FILE}") {{ a: name b: name
            good: assessments(filter: {{grade: {{eq: AAA}}}}) {{ nodes {{ id }} }}
            bad: assessments(filter: {{grade: {{eq: D}}}}) {{ nodes {{ id }} }} }} }}"""
    )
    assert labels(asked.facts) == ["a", "b"]
    assert labels(asked.links) == ["good", "bad"]


def test_skip_and_include_decide_while_compiling_also_on_fragments():
    query = f"""query($yes: Boolean!) {{ creditFile(id: "{FILE}") {{ id name @skip(if: $yes) tier @include(if: $yes)
        grade @skip(if: false) @include(if: $yes) ...F @skip(if: $yes) }} }} fragment F on CreditFile {{ reference }}"""
    assert labels(level(query, {"yes": True}).facts) == ["id", "tier", "grade"]
    assert labels(level(query, {"yes": False}).facts) == ["id", "name", "reference"]


def test_a_fragment_on_another_type_asks_for_nothing():
    asked = level(
        f'{{ node(id: "{FILE}") {{ ... on Assessment {{ score }} ... on CreditFile {{ name }} __typename }} }}'
    )
    assert asked.shape is CreditFile.shape
    assert labels(asked.facts) == ["name"]


def test_the_rows_of_a_page_are_read_once_however_often_they_are_asked_for():
    asked = level("{ creditFiles { edges { node { name } cursor again: node { grade } } nodes { name tier } } }")
    assert [(item.label, item.what) for item in asked.facts] == [
        ("name", "name"),
        ("1.grade", "grade"),
        ("2.name", "name"),
        ("2.tier", "tier"),
    ]


def test_a_total_is_counted_only_where_it_is_asked_for():
    assert level("{ creditFiles { totalCount } }").page.wants_total
    assert not level("{ creditFiles { nodes { id } } }").page.wants_total


def test_several_purposes_stand_side_by_side():
    asked = level(
        f"""query($p: Purpose!) {{ creditFile(id: "{FILE}") {{
            a: confidential(purpose: $p) {{ phone p: phone }}
            b: confidential(purpose: LEGAL_CLAIM) {{ email withheld {{ field }} w: withheld {{ reason }} }} }} }}""",
        {"p": "CREDIT_REVIEW"},
    )
    first, second = (item.what for item in asked.reveals)
    assert (first.purpose, second.purpose) == (Purpose.CREDIT_REVIEW, Purpose.LEGAL_CLAIM)
    assert labels(first.fields) == ["phone", "p"]
    assert second.withheld == ("withheld", "w")


def test_who_looked_is_read_through_the_file_whose_subject_it_is_about():
    asked = level(f'{{ accessLog(creditFile: "{FILE}", first: 2) {{ nodes {{ actor }} }} }}')
    assert asked.shape is CreditFile.shape
    assert asked.links[0].what.by is CreditFile.shape.children["access_log"]
    assert asked.links[0].what.level.page is not None


def test_times_hold_for_every_level_but_not_for_the_audit_log():
    asked = level(
        f"""{{ creditFile(id: "{FILE}", asOf: "2026-01-01T00:00:00Z") {{
            assessments {{ nodes {{ id }} }} accessLog {{ nodes {{ id }} }} }} }}"""
    )
    assert asked.times.as_of is not None
    inside = {item.label: item.what.level.times for item in asked.links}
    assert inside["assessments"] == asked.times
    assert inside["accessLog"].as_of is None
    both = compiled(
        f'{{ a: creditFile(id: "{FILE}", asOf: "2026-01-01T00:00:00Z") {{ id }} sources {{ nodes {{ id }} }} }}'
    )
    assert both.reading.roots[1].what.times.as_of is None


# Arguments.


def test_values_become_slots_so_that_readings_that_differ_in_them_are_equal():
    query = """query($grades: [Grade!], $size: Int, $after: String) {
        creditFiles(first: $size, after: $after, filter: {grade: {in: $grades}, name: {contains: "net"}}) {
        nodes { id } } }"""
    one = {"grades": ["AAA"], "size": 5, "after": "x"}
    two = {"grades": ["B", "D"], "size": 7, "after": "y"}
    assert compiled(query, one).reading == compiled(query, two).reading
    found, other = compiled(query, one), prepared(query, two)[0].variables
    values = found.arguments(other)
    asked = found.reading.roots[0].what
    assert values[asked.page.size.index] == 7
    assert values[asked.page.after.index] == "y"
    assert {condition.column: values[condition.value.index] for condition in asked.where} == {
        "grade": ("B", "D"),
        "name": "net",
    }


def test_a_whole_filter_in_one_variable_has_a_slot_per_condition():
    query = "query($f: CreditFileFilter) { creditFiles(filter: $f) { nodes { id } } }"
    found = compiled(query, {"f": {"reviewDueOn": {"lte": "2026-11-24"}, "grade": None, "tier": {"eq": None}}})
    asked = found.reading.roots[0].what
    assert asked.where == (Where("review_due_on", "<=", Slot(asked.where[0].value.index)),)
    later = prepared(query, {"f": {"reviewDueOn": {"lte": "2027-01-01"}}})[0].variables
    assert found.arguments(later)[asked.where[0].value.index].isoformat() == "2027-01-01"


def test_what_decides_a_plan_is_presence_and_never_the_value_of_a_slot():
    query = """query($id: ID!, $n: Int, $f: CreditFileFilter, $p: Purpose!, $b: Boolean!, $o: CreditFileOrder) {
        creditFile(id: $id) { id @include(if: $b) confidential(purpose: $p) { phone } }
        creditFiles(first: $n, filter: $f, orderBy: $o) { nodes { id } } }"""

    def key(**changed):
        base = {"id": FILE, "p": "LEGAL_CLAIM", "b": True}
        return deciding(prepared(query, base | changed)[0].variables)

    assert key() == key(id="cf_" + "1" * 26)
    assert key(n=3) == key(n=4)
    assert key() != key(n=3)
    assert key(f={"name": {"eq": "a"}}) == key(f={"name": {"eq": "b"}})
    assert key(f={"name": {"eq": "a"}}) != key(f={"name": {"contains": "a"}})
    assert key() != key(b=False)
    assert key() != key(p="SUPERVISION")
    assert key(o={"field": "NAME"}) != key(o={"field": "GRADE"})
    assert key(id="as_" + "0" * 26) != key(id="not an id")


def test_a_page_size_in_a_variable_is_checked_with_every_request():
    query = "query($n: Int) { creditFiles(first: $n) { nodes { id } } }"
    found = compiled(query, {"n": 5})
    with pytest.raises(Malformed) as caught:
        found.arguments(prepared(query, {"n": 5000})[0].variables)
    assert caught.value.code is Code.QUERY_TOO_LARGE
    assert found.arguments(prepared(query, {"n": None})[0].variables)[0] == 20


def test_a_condition_names_a_bounded_number_of_values():
    query = "query($ids: [ID!]) { assessments(filter: {creditFile: {in: $ids}}) { nodes { id } } }"
    found = compiled(query, {"ids": [FILE]})
    with pytest.raises(Malformed):
        found.arguments(prepared(query, {"ids": [FILE] * 101})[0].variables)


@pytest.mark.parametrize("bad", ["", "cf_", "cf_short", "as_" + "0" * 26, "zz_" + "0" * 26, "cf_" + "U" * 26])
def test_a_malformed_id_is_no_reading_but_a_failure_of_its_root(bad):
    found = compiled(f'{{ creditFile(id: "{bad}") {{ id }} sources {{ nodes {{ id }} }} }}')
    assert list(found.failures) == ["creditFile"]
    assert [root.label for root in found.reading.roots] == ["sources"]


def test_an_id_of_every_type_is_dispatched_on_its_prefix():
    for prefix, shape in PREFIXES.items():
        assert level(f'{{ node(id: "{prefix}_{"0" * 26}") {{ id }} }}').shape is shape


def test_a_condition_on_a_fact_needs_the_right_to_read_it():
    rights = Rights(id=2, version="g", allowed={"disclosure:read": "r"})
    query = f'{{ disclosures(filter: {{partner: {{eq: "{FILE}"}}}}) {{ nodes {{ id }} }} }}'
    assert judge(compiled(query).reading, rights).refused == ("Disclosure.partner",)


def test_what_is_not_granted_is_told_as_the_schema_spells_it_and_a_whole_record_once():
    rights = Rights(id=2, version="g", allowed={"disclosure:read": "r"})
    query = "{ disclosures { nodes { id creditFile { id creditLimit { amount } phoneMasked } } } }"
    assert judge(compiled(query).reading, rights).unread == ("Disclosure.creditFile", "CreditFile")
    rights = Rights(id=2, version="g", allowed={"disclosure:read": "r", "credit_file:read": "r"})
    assert judge(compiled(query).reading, rights).unread == ("CreditFile.phoneMasked",)


def test_the_confidential_fields_of_a_record_are_known_by_name():
    for shape in SHAPES.values():
        closed = parts(shape).get("confidential")
        assert (closed is None) is not bool(shape.confidential)
        assert closed is None or isinstance(closed, Closed)
