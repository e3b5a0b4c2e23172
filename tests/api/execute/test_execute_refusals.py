from __future__ import annotations

import json

import pytest
import structlog
from graphql import get_introspection_query

from domain.errors import AuditUnavailable
from domain.ids import Id
from domain.records import SHAPES

FILE = Id("cf_" + "0" * 26)


def codes(response):
    return [error["extensions"]["code"] for error in response.errors]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "MALFORMED"),
        ('{ creditFile(id: "s3cret" }', "MALFORMED"),
        ("{ creditFil { id } }", "MALFORMED"),
        ('{ creditFiles(first: "s3cret") { totalCount } }', "MALFORMED"),
        ("{ creditFiles(filter: {grade: {eq: s3cret}}) { totalCount } }", "MALFORMED"),
        ('{ creditFiles(filter: {name: {eq: "s3cret", lik: "s3cret"}}) { totalCount } }', "MALFORMED"),
        ("{ creditFile }", "MALFORMED"),
        ("query A { __typename } query B { __typename }", "MALFORMED"),
        ("subscription { __typename }", "MALFORMED"),
        ("mutation { openCreditFile { auditEntry } }", "MALFORMED"),
        ("{" + " a" * 1_000 + "}", "QUERY_TOO_LARGE"),
        ("{ creditFiles(first: 1000) { totalCount } }", "QUERY_TOO_LARGE"),
        ("{" + "a{" * 60 + "a" + "}" * 61, "QUERY_TOO_LARGE"),
    ],
)
def test_a_hostile_or_wrong_document_is_refused_with_a_code_and_without_suggestions(house, query, code):
    response = house.ask(query)
    assert not response.executed
    assert "data" not in response.body()
    assert set(codes(response)) == {code}
    text = json.dumps(response.body())
    assert "Did you mean" not in text
    assert "s3cret" not in text
    assert house.entries == []


@pytest.mark.parametrize(
    ("literal", "message", "code"),
    [
        ("first: true", "A literal is no Int.", "MALFORMED"),
        ("filter: {grade: {eq: S3CRET}}", "A literal is no Grade.", "MALFORMED"),
        ('filter: {grade: {eq: "s3cret"}}', "A literal is no Grade.", "MALFORMED"),
        ("filter: 5", "A literal is no CreditFileFilter.", "MALFORMED"),
        ("filter: {grade: {in: [null]}}", "A literal is no Grade!.", "MALFORMED"),
        ('lookUp: {phone: "s3cret"}', "purpose of CreditFileLookUp is missing.", "MISSING_VALUE"),
        ('filter: {reviewDueOn: {gte: "2026-13-01"}}', "This Date does not exist.", "MALFORMED_DATE"),
        ('asOf: "s3cret"', "A DateTime is RFC 3339 with an offset, such as 2026-11-24T08:30:00Z.", "MALFORMED_DATE"),
    ],
)
def test_a_literal_that_does_not_fit_is_told_by_its_type_and_its_place_and_never_by_its_value(
    house, literal, message, code
):
    response = house.ask(f"{{ creditFiles({literal}) {{ totalCount }} }}")
    (error,) = response.errors
    assert (error["message"], error["extensions"]["code"]) == (message, code)
    assert error["locations"][0]["column"] > len("{ creditFiles(")
    assert "s3cret" not in json.dumps(response.body()).lower()


def test_a_page_out_of_bounds_names_the_argument(house):
    for size in 0, 101:
        (error,) = house.ask(f"{{ creditFiles(first: {size}) {{ totalCount }} }}").errors
        assert error["extensions"]["inputPath"] == ["first"]


def test_a_document_beyond_the_limits_is_never_validated(house, monkeypatch):
    monkeypatch.setattr("api.graphql.documents.validate", lambda *_a, **_k: pytest.fail("it was validated"))
    assert codes(house.ask("{" + "a{" * 13 + "a" + "}" * 14)) == ["QUERY_TOO_LARGE"]


@pytest.mark.parametrize(
    ("declared", "value"),
    [("$n: Int", "s3cret"), ("$n: Int", {"s3cret": 1}), ("$n: Int!", None), ("$n: Int = 3", 2**40)],
)
def test_a_variable_that_does_not_fit_is_named_and_its_value_is_not_repeated(house, declared, value):
    response = house.ask(f"query({declared}) {{ creditFiles(first: $n) {{ totalCount }} }}", {"n": value})
    assert codes(response) == ["MISSING_VALUE" if value is None else "MALFORMED"]
    assert "$n" in response.errors[0]["message"]
    assert "s3cret" not in json.dumps(response.body())


def test_a_variable_inside_an_input_is_named_by_its_path(house):
    query = "query($f: CreditFileFilter) { creditFiles(filter: $f) { totalCount } }"
    response = house.ask(query, {"f": {"reviewDueOn": {"lte": "s3cret"}, "x": 1}})
    assert "$f.reviewDueOn.lte" in response.errors[0]["message"]
    assert "s3cret" not in json.dumps(response.body())


def test_each_value_of_an_input_that_does_not_fit_is_told_with_its_code_its_place_and_what_to_send(house):
    given = {
        "reference": None,
        "name": "Yunfan",
        "kind": "s3cret",
        "s3cret": 1,
        "basic": {
            "establishedOn": "s3cret",
            "registeredCapital": {"amount": 1.5, "currency": "s3cret"},
            "staffCount": "s3cret",
        },
        "contacts": [{"duty": "buyer", "name": "Li"}, {"duty": "finance"}, "s3cret"],
    }
    response = house.ask(
        "mutation($i: OpenCreditFileInput!) { openCreditFile(input: $i) { auditEntry } }", {"i": given}
    )
    told = {".".join(e["extensions"]["inputPath"]): (e["extensions"]["code"], e) for e in response.errors}
    assert {place: code for place, (code, _) in told.items()} == {
        "i.reference": "MISSING_VALUE",
        "i.origin": "MISSING_VALUE",
        "i.kind": "MALFORMED",
        "i": "MALFORMED",
        "i.basic.establishedOn": "MALFORMED_DATE",
        "i.basic.registeredCapital.amount": "MALFORMED_AMOUNT",
        "i.basic.registeredCapital.currency": "UNKNOWN_CURRENCY",
        "i.basic.staffCount": "MALFORMED",
        "i.contacts.1.name": "MISSING_VALUE",
        "i.contacts.2": "MALFORMED",
    }
    assert "ENTERPRISE" in told["i.kind"][1]["extensions"]["advice"]
    assert "2026-11-24" in told["i.basic.establishedOn"][1]["extensions"]["advice"]
    assert all(error["extensions"]["advice"] for error in response.errors)
    assert "s3cret" not in json.dumps(response.body())


@pytest.mark.parametrize(
    ("value", "place"),
    [("s3cret", "c"), ({"duty": "buyer"}, "c.name"), ({"duty": 1, "name": "Li"}, "c.duty"), ([["s3cret"]], "c.0")],
)
def test_a_value_that_stands_for_a_list_of_itself_is_told_like_one_of_a_list(house, value, place):
    query = """mutation($c: [ContactInput!], $o: OriginInput!) {
        openCreditFile(input: {reference: "R", name: "N", kind: ENTERPRISE, origin: $o, contacts: $c})
        { auditEntry } }"""
    response = house.ask(query, {"c": value, "o": {"source": "so", "lawfulBasis": "CONTRACT"}})
    assert [".".join(error["extensions"]["inputPath"]) for error in response.errors] == [place]
    assert "s3cret" not in json.dumps(response.body())


def test_null_from_a_variable_with_a_default_is_refused_where_a_value_must_be(house):
    purpose = f"""query($p: Purpose = CREDIT_REVIEW) {{ creditFile(id: "{FILE}") {{
        confidential(purpose: $p) {{ phone }} }} }}"""
    for query, name in ((purpose, "p"), ("query($b: Boolean = true) { me { person @skip(if: $b) tenant } }", "b")):
        assert house.ask(query).errors == []
        response = house.ask(query, {name: None})
        assert (codes(response), response.executed) == (["MALFORMED"], False)


@pytest.mark.parametrize("text", ["\x00", "a\x1b", "\ud800"])
def test_a_condition_holds_only_text_that_is_written(house, text):
    query = "query($s: String) { creditFiles(filter: {name: {contains: $s}}) { totalCount } }"
    assert codes(house.ask(query, {"s": text})) == ["MALFORMED"]
    assert house.entries == []


def test_introspection_is_for_those_who_may_and_answers_beside_data(house):
    query = '{ me { person } t: __type(name: "Money") { name fields { name } } }'
    refused = house.ask(query, introspect=lambda _rights: False)
    assert (codes(refused), refused.executed) == (["NOT_PERMITTED"], False)
    allowed = house.ask(query)
    assert allowed.data == {
        "me": {"person": "li"},
        "t": {"name": "Money", "fields": [{"name": "amount"}, {"name": "currency"}]},
    }
    whole = house.ask(get_introspection_query(), introspect=lambda _rights: True)
    assert whole.errors == []
    assert len(whole.data["__schema"]["types"]) > len(SHAPES)
    named = "query($n: String!) { __type(name: $n) { kind } }"
    assert house.ask(named, {"n": "Node"}, introspect=lambda _r: True).data == {"__type": {"kind": "INTERFACE"}}


def test_the_named_operation_runs(house):
    query = "query A { me { person } } query B { __typename }"
    assert house.ask(query, operation_name="B").data == {"__typename": "Query"}
    assert codes(house.ask(query, operation_name="C")) == ["MALFORMED"]


def test_an_unavailable_house_says_so_with_its_code_and_gives_no_data(house):
    house.broken = AuditUnavailable("The audit log cannot be written.")
    response = house.ask(f'{{ me {{ person }} creditFile(id: "{FILE}") {{ id }} }}')
    assert response.data == {"me": {"person": "li"}, "creditFile": None}
    assert codes(response) == ["AUDIT_UNAVAILABLE"]


def test_a_bug_is_masked_and_logged_without_query_text_or_values(house):
    house.broken = KeyError("s3cret")
    with structlog.testing.capture_logs() as logs:
        response = house.ask(f'{{ creditFile(id: "{FILE}") {{ notable: name }} }}')
    assert codes(response) == ["INTERNAL"]
    assert response.data == {"creditFile": None}
    assert response.errors[0]["extensions"]["requestId"] == "req-1"
    text = json.dumps([logs, response.body()])
    assert "s3cret" not in text
    assert "notable" not in text
    assert logs[0]["type"] == "KeyError"
    assert any("fake" in frame for frame in logs[0]["frames"])


def test_null_where_the_schema_promises_a_value_empties_its_root_and_is_told_as_a_bug(house):
    house.rows["CreditFile"][0]["name"] = None
    with structlog.testing.capture_logs() as logs:
        response = house.ask(f'{{ creditFile(id: "{FILE}") {{ name }} other: creditFile(id: "{FILE}") {{ id }} }}')
    assert response.data == {"creditFile": None, "other": {"id": FILE}}
    assert codes(response) == ["INTERNAL"]
    assert response.errors[0]["path"] == ["creditFile"]
    assert logs[0]["type"] == "Broken"


def test_pages_that_multiply_are_refused_by_the_rows_they_can_hold(house):
    query = """query($n: Int!) { creditFiles(first: $n) { nodes { assessments(first: $n) { nodes { creditFile {
        assessments(first: $n) { totalCount } } } } } } }"""
    response = house.ask(query, {"n": 2})
    assert response.body()["extensions"] == {"cost": {"creditFiles": 2 * (1 + 2 * (1 + 1 * (1 + 2)))}}
    assert codes(house.ask(query, {"n": 100})) == ["QUERY_TOO_LARGE"]


def test_what_is_not_even_a_document_is_answered(house):
    for query in ("", "\ud800", "\x00", "# only a comment"):
        assert codes(house.ask(query)) == ["MALFORMED"]
