"""Documents made to cost much are refused before they are validated, or their variables before they are compared."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from tests.api import fake

FILTER = "query($f: CreditFileFilter) { creditFiles(filter: $f) { totalCount } }"
DEEP: list[object] = []
for _ in range(200):
    DEEP = [DEEP]

FRAGMENTS = " ".join(f"fragment F{number} on Me {{ person }}" for number in range(60))
REFUSED = {
    "fields of one name": "{" + " me { person }" * 100 + "}",
    "leaves of one name": "{" + " __typename" * 990 + "}",
    "inline fragments of one field": "{ me {" + "... { person } " * 150 + "} }",
    "fragments of one field": "{ me { ...A ...B } }" + "".join(
        f" fragment {name} on Me {{" + " person" * 21 + "}" for name in "AB"
    ),
    "one fragment spread again and again": "{ me {" + " ...F" * 300 + "} } fragment F on Me { person }",
    "many fragments": "{ me { " + " ".join(f"...F{number}" for number in range(60)) + " } } " + FRAGMENTS,
    "many directives": "{ me " + "@skip(if: true) " * 200 + "{ person } }",
    "many operations": " ".join(f"query Q{number} {{ me {{ person }} }}" for number in range(200)),
    "deep fields": "{ me " * 70 + "}" * 70,
    "deep lists": "{ creditFiles(filter: " + "[" * 70 + "]" * 70 + ") { totalCount } }",
    "a long text": '{ creditFile(id: "' + "a" * 250_000 + '") { id } }',
    "a long block of lines": '{ creditFile(id: """' + "\n" * 20_000 + '""") { id } }',
    "escapes": '{ creditFile(id: "' + "\\u0041" * 5_000 + '") { id } }',
    "a long number": "{ creditFile(id: " + "9" * 20_000 + ") { id } }",
    "comments": "#\n" * 20_000 + "{ me { person } }",
    "a long comment": "#" * 20_000 + "\n{ me { person } }",
    "commas": "," * 250_000 + "{ me { person } }",
}  # fmt: skip
VARIABLES = {
    "fields no input has": {"f": {str(number): 1 for number in range(1_000)}},
    "a long list": {"f": {"name": {"in": ["a"] * 2_001}}},
    "many lists": {"f": [[1] * 1_000] * 30},
    "deep lists": {"f": DEEP},
}


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED)
def test_a_hostile_document_is_refused_before_it_is_validated(query):
    with patch("api.graphql.documents.validate") as validate:
        response = fake.reading_house().ask(query)
    assert [error["extensions"]["code"] for error in response.errors] == ["QUERY_TOO_LARGE"]
    assert not response.executed
    assert validate.call_count == 0


@pytest.mark.parametrize("variables", VARIABLES.values(), ids=VARIABLES)
def test_hostile_variables_are_refused_before_they_are_compared_with_their_types(variables):
    with patch("api.graphql.sharing.variables.coerce_input_value") as compare:
        response = fake.reading_house().ask(FILTER, variables)
    assert [error["extensions"]["code"] for error in response.errors] == ["QUERY_TOO_LARGE"]
    assert compare.call_count == 0


def test_values_that_do_not_fit_are_told_up_to_a_number():
    response = fake.reading_house().ask(FILTER, {"f": {"name": {"in": [1] * 1_500}}})
    assert len(response.errors) == 20


def test_what_is_refused_is_not_remembered():
    house = fake.reading_house()
    for query in REFUSED.values():
        house.ask(query)
    assert (len(house.memory.documents), len(house.memory.plans)) == (0, 0)
