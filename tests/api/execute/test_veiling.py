from __future__ import annotations

import pytest

from api.graphql.operations import declared_actions
from authz.release import Release
from authz.roles import CUSTOMER, ROLES
from domain.audit import Outcome
from domain.records import SHAPES
from tests.api import fake

FILE = fake.FILE
RIGHTS = {role: Release(declared_actions()).table().rights(frozenset({role})) for role in ROLES}
CUSTOMERS = tuple(RIGHTS[CUSTOMER].allowed)
LESS = tuple(action for action in CUSTOMERS if action != "partner:read")
"""Without knowing its partners: then a list has a fact that is not granted."""
NOT_THERE = [
    "{ guess }",
    "{ consents { guess } }",
    "{ auditEntries { totalCount } }",
    "{ auditEntries @skip(if: true) { totalCount } me { person } }",
    "{ guess @skip(if: true) me { person } }",
    "query($b: Boolean = false) { sources @include(if: $b) { totalCount } me { person } }",
    'query { node(id: "cf_1") { ... on Guess { __typename } } }',
    'query { node(id: "cf_1") { ... on CreditPolicy { __typename } } }',
    'query { node(id: "cf_1") { ... on CreditPolicy @skip(if: true) { __typename } } }',
    "{ node(id: 1.5) { ...f } } fragment f on CreditPolicy { id }",
    "query($f: GuessFilter) { auditEntries(filter: $f) { totalCount } }",
    "query($f: AuditEntryFilter) { auditEntries(filter: $f) { totalCount } }",
    "query($f: AuditEntryFilter) { me { person } }",
    "query($f: DisclosureFilter) { disclosures(filter: $f) { totalCount } }",
    "{ disclosures(filter: {guess: {eq: 1}}) { totalCount } }",
    '{ disclosures(filter: {partner: {eq: "pa_1"}}) { totalCount } }',
    "{ disclosures(filter: {state: {eq: GUESS}}) { totalCount } }",
    f'{{ creditFile(id: "{FILE}") {{ confidential(purpose: GUESS) {{ withheld {{ field }} }} }} }}',
    "{ creditFile }",
    "{ me }",
    "{ me { person { guess } } }",
    "mutation { guess { auditEntry } }",
    "mutation { openCreditFile { auditEntry } }",
    "mutation($i: OpenCreditFileInput!) { openCreditFile(input: $i) { auditEntry } }",
    "subscription { guess }",
    "subscription { auditEntries { nodes { id } } }",
]


def veiled(*allowed):
    """A house whose caller may not read the schema."""
    return fake.FakeHouse(allowed, fake.reading_house().rows)


@pytest.mark.parametrize("query", NOT_THERE)
def test_what_does_not_fit_and_what_is_not_granted_are_refused_alike_and_recorded(query):
    house = veiled(*LESS)
    first, other = house.ask("{ zz }"), house.ask(query)
    assert other.body() == first.body()
    assert [error["extensions"]["code"] for error in other.errors] == ["NOT_PERMITTED"]
    assert not other.executed
    assert [entry.outcome for entry in house.entries] == [Outcome.REFUSED] * 2


@pytest.mark.parametrize("query", NOT_THERE)
def test_who_may_read_the_schema_is_never_told_the_constant_refusal(query):
    told = veiled(*CUSTOMERS, "schema:introspect").ask(query)
    assert "not there for your roles" not in told.text().decode()


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "MALFORMED"),
        ('{ creditFile(id: "nonsense") { id } }', None, "MALFORMED"),
        ("{ consents(first: 1000) { totalCount } }", None, "QUERY_TOO_LARGE"),
        ("query A { me { person } } query B { me { person } }", None, "MALFORMED"),
        ("query($n: Int) { consents(first: $n) { totalCount } }", {"n": "s3cret"}, "MALFORMED"),
    ],
)
def test_a_document_that_is_granted_keeps_its_other_errors(query, variables, code):
    response = veiled(*CUSTOMERS).ask(query, variables)
    assert [error["extensions"]["code"] for error in response.errors] == [code]
    assert "s3cret" not in response.text().decode()


def test_a_variable_that_does_not_fit_is_told_by_its_name_alone():
    query = "query($f: DisclosureFilter) { disclosures(filter: $f) { totalCount } }"
    for value in ({"guess": 1}, {"purpose": {"eq": "GUESS"}}, {"purpose": 1}, "text"):
        response = veiled(*CUSTOMERS).ask(query, {"f": value})
        (error,) = response.errors
        assert error["message"] == "The variable $f does not fit."
        assert error["extensions"]["inputPath"] == ["f"]
        assert "Purpose" not in response.text().decode()


def test_a_customer_filters_by_what_is_granted_where_the_filter_is_written_out():
    house = veiled(*CUSTOMERS)
    for query in (
        "{ disclosures(filter: {state: {eq: RELEASED}}) { totalCount } }",
        "query($s: DisclosureState) { disclosures(filter: {state: {eq: $s}}) { totalCount } }",
    ):
        assert house.ask(query).data == {"disclosures": {"totalCount": 0}}


def test_every_order_of_a_list_is_granted_with_the_list_to_those_who_may_not_read_the_schema():
    for rights in RIGHTS.values():
        if rights.permits("schema:introspect"):
            continue
        for shape in SHAPES.values():
            if rights.permits(shape.read):
                assert all(rights.permits(fact.action or shape.read) for fact in shape.facts.values() if fact.order)
