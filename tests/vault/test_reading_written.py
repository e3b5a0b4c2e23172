"""What the database writes itself is, letter by letter, what the reader's form makes of its rows."""

from __future__ import annotations

import os
from dataclasses import replace

import orjson
import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, execute_sync, get_named_type, parse, validate
from graphql.execution.values import get_variable_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.graphql.compiler import compile_query
from api.graphql.compiling.forms import fill
from api.graphql.compiling.selections import Selections
from api.graphql.documents import _fragments
from api.graphql.generation.wording import camel
from api.graphql.queries import ROOTS, Kind
from api.graphql.schema import build_schema
from domain.actors import Rights
from domain.ports import Scope
from domain.reading import Labelled, Level, Link, Reading, Written, judge
from domain.records import SHAPES
from tests.vault.corpus import NOW, Corpus
from tests.vault.oracle import Oracle
from tests.vault.shelf import Shelf, opened
from tests.vault.wishes import Everything

GRAPH = build_schema().graph
ALL = Rights(id=1, version="v", allowed=Everything())
PATIENT = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
PAGES = tuple(name for name, root in ROOTS.items() if root.kind is Kind.PAGE)


@pytest.fixture(scope="module")
def shelf(read_database):
    return Shelf(read_database, Corpus(7))


def compiled(text):
    """A document's only operation."""
    tree = parse(text)
    assert not validate(GRAPH, tree)
    variables = get_variable_values(GRAPH, (), {})
    return compile_query(Selections(GRAPH, _fragments(tree), variables), tree.definitions[-1])


def answer(shelf, found, reading, scope):
    """The printed answer of a reading, and what it told of whose rows it met."""
    draft = shelf.read(judge(reading, ALL), scope, found.arguments(get_variable_values(GRAPH, (), {})))
    opened(draft)  # an opened value is a word that names its cell
    data = {entry.key: fill(entry.form, draft.answer[entry.label]) for entry in found.answers}
    return orjson.dumps(data), draft.subjects, draft.resources


def in_rows(reading):
    """The same reading for a store that writes nothing."""
    return Reading(tuple(replace(root, what=_bare(root.what)) for root in reading.roots))


def _bare(level: Level) -> Level:
    links = tuple(Labelled(item.label, Link(item.what.by, _bare(item.what.level))) for item in level.links)
    return replace(level, links=links, sheets=())


@st.composite
def selections(draw, name, depth):
    """Some fields of a type, under names of their own or of the reader's."""
    type_ = GRAPH.get_type(name)
    offered = [item for item in type_.fields.items() if depth or not is_object(item[1])]
    chosen = draw(st.lists(st.sampled_from([("__typename", None), *offered]), min_size=1, max_size=5))
    return " ".join([draw(field(key, item, depth, place)) for place, (key, item) in enumerate(chosen)])


@st.composite
def field(draw, key, item, depth, place):
    """One field with what it takes."""
    label = draw(st.sampled_from([f"a{place}: ", f"b{place}: "]))
    if item is None or not is_object(item):
        return f"{label}{key}"
    named = get_named_type(item.type).name
    if key == "confidential":
        texts = [
            name for name, one in GRAPH.get_type(named).fields.items() if get_named_type(one.type).name == "String"
        ]
        asked = " ".join(draw(st.lists(st.sampled_from([*texts, "__typename"]), min_size=1, max_size=3)))
        purpose = draw(st.sampled_from(["CREDIT_REVIEW", "LEGAL_CLAIM"]))
        return f"{label}{key}(purpose: {purpose}) {{ {asked} withheld {{ field reason }} }}"
    if named.endswith("Connection"):
        record = named.removesuffix("Connection")
        return f"{label}{key}(first: {draw(st.integers(1, 4))}) {draw(pages(record, depth - 1))}"
    return f"{label}{key} {{ {draw(selections(named, depth - 1))} }}"


@st.composite
def pages(draw, record, depth):
    """A page in one of the forms readers use."""
    parts = [
        f"nodes {{ {draw(selections(record, depth))} }}",
        f"edges {{ __typename node {{ {draw(selections(record, depth))} }} }}",
        f"other: edges {{ cursor node {{ {draw(selections(record, depth))} }} }}",
        "totalCount",
        "__typename",
        "pageInfo { hasNextPage endCursor }",
        "more: pageInfo { hasNextPage }",
    ]
    weights = st.sampled_from([parts[0], parts[0], parts[1], *parts])
    return "{ " + " ".join(dict.fromkeys(draw(st.lists(weights, min_size=1, max_size=3)))) + " }"


def is_object(item):
    """Whether a field is followed further."""
    return isinstance(get_named_type(item.type), GraphQLObjectType)


@st.composite
def documents(draw):
    """A document over one root."""
    root = draw(st.sampled_from(PAGES))
    return f"{{ {root}(first: {draw(st.integers(1, 8))}) {draw(pages(ROOTS[root].record, 3))} }}"


def naive(shelf, found, scope):
    """The printed answer of the naive interpreter, which knows neither SQL nor sheets."""
    arguments = found.arguments(get_variable_values(GRAPH, (), {}))
    held = Oracle(shelf.corpus.records, shelf.corpus.cells, scope, arguments, NOW).answer(found.reading)
    return orjson.dumps({entry.key: fill(entry.form, held[entry.label]) for entry in found.answers})


def completed(text, printed):
    """What graphql-core makes of an answer: every value printed again by its own type, every null judged."""
    result = execute_sync(GRAPH, parse(text), root_value=orjson.loads(printed))
    assert not result.errors
    return orjson.dumps(result.data)


def scopes(shelf):
    """Staff, a partner and a customer of either company."""
    for tenant in shelf.corpus.tenants:
        yield Scope(tenant=tenant)
        yield Scope(tenant=tenant, partner=shelf.corpus.ids[tenant, "Partner"][0])
        yield Scope(tenant=tenant, subject=shelf.corpus.ids[tenant, "Customer"][0])


def compared(shelf, count):
    """Compares the answers to so many random documents; how many of them had rows."""
    rows = 0

    @settings(PATIENT, max_examples=count)
    @given(documents(), st.sampled_from(list(scopes(shelf))))
    def check(text, scope):
        nonlocal rows
        found = compiled(text)
        written = answer(shelf, found, found.reading, scope)
        assert written == answer(shelf, found, in_rows(found.reading), scope)
        assert written[0] == naive(shelf, found, scope) == completed(text, written[0])
        rows += bool(written[2])

    check()
    return rows


def test_random_documents_are_answered_as_the_naive_interpreter_and_graphql_core_answer_them(shelf):
    assert compared(shelf, 1_000) > 300


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.timeout(7_200)
def test_many_random_documents_are_answered_alike(shelf):
    assert compared(shelf, int(os.environ.get("CREDENCE_ORACLE_DOCUMENTS", "50000"))) > 300


def test_every_fact_of_every_record_is_written_as_in_rows(shelf):
    for root in PAGES:
        type_ = GRAPH.get_type(ROOTS[root].record)
        leaves = " ".join(key for key, item in type_.fields.items() if not is_object(item))
        money = " ".join(
            f"{key} {{ currency __typename amount }}"
            for key, item in type_.fields.items()
            if get_named_type(item.type).name == "Money"
        )
        found = compiled(f"{{ {root}(first: 100) {{ nodes {{ {leaves} {money} }} }} }}")
        for tenant in shelf.corpus.tenants:
            scope = Scope(tenant=tenant)
            assert answer(shelf, found, found.reading, scope) == answer(shelf, found, in_rows(found.reading), scope)


def test_a_subtree_with_nothing_to_open_or_compute_is_one_statement(shelf):
    found = compiled(
        "{ creditFiles(first: 3) { nodes { id name assessments(first: 2) { nodes { grade } totalCount }"
        " assessment { score creditFile { reference } } } } }"
    )
    steps = shelf.readings.prepare(judge(found.reading, ALL))
    run = steps.run(Scope(tenant=shelf.corpus.tenants[0]), found.arguments(get_variable_values(GRAPH, (), {})), NOW)
    rows = shelf.fetch(next(run))
    assert rows
    with pytest.raises(StopIteration) as end:
        run.send(rows)
    assert all(type(row) is tuple for row in end.value.value.answer["creditFiles"]["rows"])


def test_the_links_of_a_row_with_something_to_open_are_written(shelf):
    found = compiled("{ creditFiles(first: 3) { nodes { phoneMasked assessments(first: 2) { nodes { grade } } } } }")
    draft = shelf.read(
        judge(found.reading, ALL),
        Scope(tenant=shelf.corpus.tenants[0]),
        found.arguments(get_variable_values(GRAPH, (), {})),
    )
    rows = draft.answer["creditFiles"]["rows"]
    assert rows
    assert all(type(row["assessments"]) is Written for row in rows)


def lists():
    """Every list that follows from a record of a page, one document each."""
    for root in PAGES:
        for key, item in GRAPH.get_type(ROOTS[root].record).fields.items():
            if get_named_type(item.type).name.endswith("Connection"):
                yield f"{{ {root}(first: 3) {{ nodes {{ id {key}(first: 2) {{ nodes {{ id }} }} }} }} }}"


def test_every_list_that_is_written_is_found_by_an_index_of_its_parent(shelf):
    if shelf.database.dialect != "sqlite":
        pytest.skip("PostgreSQL plans by how many rows there are, SQLite by the text alone")
    for text in lists():
        found = compiled(text)
        steps = shelf.readings.prepare(judge(found.reading, ALL))
        run = steps.run(Scope(tenant=shelf.corpus.tenants[0]), found.arguments(get_variable_values(GRAPH, (), {})), NOW)
        fetch = next(run)
        plan = [row[3] for row in shelf.database.fetch(f"EXPLAIN QUERY PLAN {fetch.sql}", fetch.parameters)]
        for line in plan:
            if line.startswith(("SEARCH n1 ", "SCAN n1 ")) and "accessLog" not in text:  # it is a view elsewhere
                assert " AND " in line, (text, line)


def orders_of(root):
    """Every order of a list, down and up, but those of words, which are places in a list."""
    for name in GRAPH.get_type(f"{ROOTS[root].record}OrderField").values:
        kind = GRAPH.get_type(ROOTS[root].record).fields.get(camel(name.lower()))
        if kind is None or not isinstance(get_named_type(kind.type), GraphQLEnumType):
            yield from ((name, way) for way in ("ASC", "DESC"))


def test_every_declared_order_follows_an_index(shelf):
    if shelf.database.dialect != "sqlite":
        pytest.skip("PostgreSQL plans by how many rows there are, SQLite by the text alone")
    seen = 0
    for root in PAGES:
        if SHAPES[ROOTS[root].record].ledger:
            continue
        for field, way in orders_of(root):
            found = compiled(
                f"{{ {root}(first: 3, orderBy: {{field: {field}, direction: {way}}}) {{ nodes {{ id }} }} }}"
            )
            steps = shelf.readings.prepare(judge(found.reading, ALL))
            arguments = found.arguments(get_variable_values(GRAPH, (), {}))
            fetch = next(steps.run(Scope(tenant=shelf.corpus.tenants[0]), arguments, NOW))
            plan = [row[3] for row in shelf.database.fetch(f"EXPLAIN QUERY PLAN {fetch.sql}", fetch.parameters)]
            assert not any("TEMP B-TREE" in line for line in plan), (root, field, way, plan)
            seen += 1
    assert seen > 50
