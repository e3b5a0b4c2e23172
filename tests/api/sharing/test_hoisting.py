from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.graphql import documents
from tests.api import fake
from tests.api.fake import FILE, OTHER

WORDS = st.sampled_from(
    (
        *(
            f'"{FILE}"',
            f'"{OTHER}"',
            '"as_00000000000000000000000000"',
            '"nothing"',
            '""',
            '"net one"',
            '"""net one"""',
        ),
        *('"net\\u0020two"', '"é"', '"\\u0000"', '"2026-11-24T08:30:00Z"', '"2026-11-24"', '"12.50"', '"x'),
        *("0", "1", "2", "-1", "01", "100", "101", "99999999999", "1.0", "1e2", "2147483648", "null", "$v", "AA", "{}"),
        *("[]", '["net one"]', '["net one", "net two"]', "true"),
    )
)
DOCUMENTS = st.sampled_from(
    (
        "{{ creditFile(id: {0}) {{ id name grade }} }}",
        "query($v: ID!) {{ a: creditFile(id: {0}) {{ name }} b: creditFile(id: $v) {{ grade }} }}",
        "{{ a: creditFile(id: {0}) {{ id }} b: node(id: {1}) {{ id __typename }} }}",
        "{{ a: creditFile(id: {0}) {{ id }} a: creditFile(id: {1}) {{ name }} }}",
        "{{ creditFile(id: {0}, asOf: {1}) {{ name }} }}",
        "{{ creditFiles(first: {0}) {{ nodes {{ id }} pageInfo {{ hasNextPage }} }} }}",
        "{{ creditFiles(first: {0}, after: {1}) {{ totalCount nodes {{ name }} }} }}",
        "{{ creditFiles(filter: {{ name: {{ eq: {0} }} }}) {{ nodes {{ name }} }} }}",
        "{{ creditFiles(filter: {{ name: {{ in: [{0}, {1}] }} }}) {{ nodes {{ name }} }} }}",
        "{{ creditFiles(filter: {{ name: {{ in: {0} }}, score: {{ gte: {1} }} }}) {{ nodes {{ name score }} }} }}",
        "query($f: Int = {0}) {{ creditFiles(first: $f) {{ nodes {{ id }} }} n: creditFile(id: {1}) {{ id }} }}",
        "{{ __type(name: {0}) {{ name }} me {{ person }} }}",
        "{{ ...F ...F }} fragment F on Query {{ creditFile(id: {0}) {{ name }} }}",
        "{{ creditFile(id: {0}) {{ ...F }} }} fragment F on CreditFile {{ name @skip(if: {1}) grade }}",
        "{{ x(id: {0}) }}",
        "{{\n\n  creditFile(id: {0}, nothing: {1}) {{ id }}\n}} # {0}",
    )
)


def everything(response):
    return response.body(), response.executed, response.cost


def alone(query, variables, **more):
    """The answer of a house that takes nothing out of documents and remembers nothing."""

    def whole(_memory, graph, request, _owner):
        return documents.checked_document_of(graph, request)

    with patch("api.graphql.execute.document_of", whole):
        return everything(fake.reading_house().ask(query, variables, **more))


@given(DOCUMENTS, st.lists(st.tuples(WORDS, WORDS), min_size=2, max_size=4), st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_document_of_shared_literals_answers_as_it_does_alone(document, pairs, introspects):
    house = fake.reading_house()
    variables = {"v": OTHER}
    for words in pairs:
        query = document.format(*words)
        found = house.ask(query, variables, introspect=lambda _rights: introspects)
        assert everything(found) == alone(query, variables, introspect=lambda _rights: introspects)


def test_documents_that_differ_in_literals_share_one_plan_and_one_place_in_memory():
    house = fake.reading_house()
    for name in ("net one", "net two", "é", "none"):
        query = f'{{ creditFiles(first: 2, filter: {{name: {{in: ["{name}"]}}}}) {{ nodes {{ name }} }} }}'
        found = [node["name"] for node in house.ask(query).body()["data"]["creditFiles"]["nodes"]]
        assert found == ([name] if name.startswith("net") else [])
    assert house.prepared == 1
    assert len(house.memory.documents) == 1


@pytest.mark.parametrize(
    "query",
    [
        "query($f: Int = {}) {{ creditFiles(first: $f) {{ nodes {{ id }} }} }}",
        "{{ a: creditFiles(first: {0}) {{ totalCount }} a: creditFiles(first: {0}) {{ nodes {{ id }} }} }}",
    ],
)
def test_literals_that_decide_more_than_their_type_are_part_of_the_document(query):
    house = fake.reading_house()
    for number in (1, 2, 1, 2):
        response = house.ask(query.format(number))
        assert len(next(iter(response.body()["data"].values()))["nodes"]) == number
    assert len(house.memory.documents) == 2


def test_an_error_of_a_shared_document_names_its_own_place():
    house = fake.reading_house()
    query = (
        "query($first: Int = 1) {{ a: creditFile(id: {}) {{ id }}\n\n {} creditFiles(first: $first) {{ totalCount }} }}"
    )
    house.ask(query.format(f'"{FILE}"', ""))
    wrong = query.format('"""\n\nlong\n"""', "b: creditFile(id: 1.5) { id }")
    assert house.ask(wrong).body() == alone(wrong, None)[0]


def test_a_flood_of_one_tenant_leaves_what_others_are_remembered_with():
    house = fake.reading_house()
    memory = house.memory
    house.ask("{ creditFiles { totalCount } }")
    documents, plans = len(memory.documents), len(memory.plans)
    flooding = fake.Actor(tenant=fake.Id("te_" + "2" * 26), person="wu", roles=frozenset({"credit_officer"}))
    with patch("tests.api.fake.OFFICER", flooding):
        for number in range(300):
            names = " ".join(f"a{number}_{index}: name" for index in range(14))
            house.ask(f"{{ creditFiles {{ nodes {{ {names} }} }} }}")
    assert (documents, plans) == (1, 1)
    assert memory.documents.weight < 100_000
    prepared = house.prepared
    house.ask("{ creditFiles { totalCount } }")
    assert house.prepared == prepared
