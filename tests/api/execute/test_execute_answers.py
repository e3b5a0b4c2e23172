from __future__ import annotations

import json

from domain.actors import Rights
from domain.audit import Outcome
from domain.ids import Id
from tests.api import fake

FILE = Id("cf_" + "0" * 26)
OTHER = Id("cf_" + "1" * 26)
SCORED = Id("as_" + "0" * 26)
PHONE = "+8613800138000"
TENANT = Id("te_" + "0" * 26)


def codes(response):
    return [error["extensions"]["code"] for error in response.errors]


def test_an_answer_stands_in_document_order_and_prints_every_kind_of_fact(house):
    query = f"""{{ b: __typename creditFile(id: "{FILE}") {{
        recordedAt __typename establishedOn grade id registeredCapital {{ currency amount __typename }} findings score
        confidential(purpose: CREDIT_REVIEW) {{ __typename phone email }} phoneMasked basicCompleteness
        assessment {{ points {{ points missing }} grade }} name
        registeredAddress: name }} a: me {{ person roles tenant }} }}"""
    response = house.ask(query)
    assert response.errors == []
    assert json.dumps(response.body()["data"]) == json.dumps(
        {
            "b": "Query",
            "creditFile": {
                "recordedAt": "2026-11-24T08:30:00.000000Z",
                "__typename": "CreditFile",
                "establishedOn": "2001-02-03",
                "grade": "AA",
                "id": FILE,
                "registeredCapital": {"currency": "CNY", "amount": "12345.67", "__typename": "Money"},
                "findings": ["a retired region"],
                "score": 81,
                "confidential": {"__typename": "CreditFileConfidential", "phone": PHONE, "email": None},
                "phoneMasked": "***",
                "basicCompleteness": 3333,
                "assessment": {"points": [{"points": 20, "missing": False}], "grade": "AA"},
                "name": "net one",
                "registeredAddress": "net one",
            },
            "a": {"person": "li", "roles": ["credit_officer"], "tenant": TENANT},
        }
    )


def test_a_connection_answers_in_every_form(house):
    query = """{ creditFiles(first: 1, orderBy: {field: NAME, direction: DESC}) { totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor __typename } nodes { name }
        edges { cursor node { id __typename } again: node { grade } __typename } __typename } }"""
    page = house.ask(query).data["creditFiles"]
    assert page == {
        "totalCount": 2,
        "pageInfo": {
            "hasNextPage": True,
            "hasPreviousPage": False,
            "startCursor": OTHER,
            "endCursor": OTHER,
            "__typename": "PageInfo",
        },
        "nodes": [{"name": "net two"}],
        "edges": [
            {
                "cursor": OTHER,
                "node": {"id": OTHER, "__typename": "CreditFile"},
                "again": {"grade": "AA"},
                "__typename": "CreditFileEdge",
            }
        ],
        "__typename": "CreditFileConnection",
    }
    query = "query($a: String) { creditFiles(after: $a) { nodes { id } pageInfo { hasPreviousPage endCursor } } }"
    assert house.ask(query, {"a": FILE}).data["creditFiles"]["pageInfo"] == {
        "hasPreviousPage": True,
        "endCursor": OTHER,
    }
    empty = house.ask(query.replace("(after: $a)", '(after: $a, filter: {name: {eq: "none"}})'), {"a": None})
    assert empty.data["creditFiles"] == {"nodes": [], "pageInfo": {"hasPreviousPage": False, "endCursor": None}}


def test_a_link_to_many_answers_inside_its_record(house):
    query = f'{{ creditFile(id: "{FILE}") {{ assessments {{ nodes {{ creditFile {{ name }} }} totalCount }} }} }}'
    assert house.ask(query).data == {
        "creditFile": {"assessments": {"nodes": [{"creditFile": {"name": "net one"}}], "totalCount": 1}}
    }


def test_a_node_answers_as_its_own_type_and_null_where_there_is_none(house):
    query = "query($id: ID!) { node(id: $id) { __typename id ... on CreditFile { name } ... on Assessment { score } } }"
    assert house.ask(query, {"id": FILE}).data["node"] == {"__typename": "CreditFile", "id": FILE, "name": "net one"}
    assert house.ask(query, {"id": SCORED}).data["node"] == {"__typename": "Assessment", "id": SCORED, "score": 81}
    unknown = house.ask(query, {"id": "cf_" + "7" * 26})
    assert (unknown.data, unknown.errors) == ({"node": None}, [])


def test_a_malformed_id_is_null_with_its_code_and_leaves_other_roots_alone(house):
    response = house.ask(f'{{ x: creditFile(id: "nonsense") {{ id }} creditFile(id: "{FILE}") {{ id }} }}')
    assert response.data == {"x": None, "creditFile": {"id": FILE}}
    assert codes(response) == ["MALFORMED"]
    assert response.errors[0]["path"] == ["x"]
    assert response.errors[0]["extensions"]["requestId"] == "req-1"
    assert response.errors[0]["extensions"]["advice"]


def test_a_field_that_is_not_granted_refuses_the_document_and_a_confidential_one_is_withheld(house):
    query = f"""{{ creditFile(id: "{FILE}") {{ confidential(purpose: CREDIT_REVIEW) {{
        phone bankAccount n: bankAccount withheld {{ field reason unlock __typename }} }} }} }}"""
    assert house.ask(query).data["creditFile"]["confidential"] == {
        "phone": PHONE,
        "bankAccount": None,
        "n": None,
        "withheld": [
            {"field": "bankAccount", "reason": "NOT_GRANTED", "unlock": "Ask.", "__typename": "WithheldField"}
        ],
    }
    refused = house.ask("{ consents { nodes { purpose } } sources { nodes { name } } }")
    assert refused.data == {"consents": None, "sources": None}
    assert codes(refused) == ["NOT_PERMITTED", "NOT_PERMITTED"]
    assert [error["path"] for error in refused.errors] == [["consents"], ["sources"]]
    assert house.entries[-1].outcome is Outcome.REFUSED


def test_every_read_is_recorded_before_it_leaves_and_a_question_about_oneself_is_none(house):
    house.ask("{ me { person actions } __typename }")
    assert house.entries == []
    house.ask(f'{{ creditFile(id: "{FILE}") {{ confidential(purpose: LEGAL_CLAIM) {{ phone }} }} }}')
    assert (house.entries[0].purpose, house.entries[0].request) == ("LEGAL_CLAIM", "req-1")
    assert "contact.phone" in house.entries[0].fields


def test_who_looked_answers_as_the_files_own_connection(house):
    house.rows["AccessEntry"] = [
        {"id": Id("al_" + "0" * 26), "subject_id": Id("cu_" + FILE[3:]), "actor": "wang", "log_index": 1, "secret": {}}
    ]
    query = "query($f: ID!) { accessLog(creditFile: $f) { nodes { actor } totalCount } }"
    assert house.ask(query, {"f": FILE}).data == {"accessLog": {"nodes": [{"actor": "wang"}], "totalCount": 1}}
    assert house.ask(query, {"f": "cf_" + "7" * 26}).data == {"accessLog": None}


def test_one_plan_serves_every_request_that_differs_only_in_values(house):
    query = "query($id: ID!, $yes: Boolean = true) { creditFile(id: $id) { name @include(if: $yes) id } }"
    for id_ in (FILE, OTHER, FILE):
        assert house.ask(query, {"id": id_}).data["creditFile"]["id"] == id_
    assert house.prepared == 1
    house.ask(query, {"id": FILE, "yes": False})
    assert house.prepared == 2


def test_other_rights_have_another_plan(house):
    query = f'{{ creditFile(id: "{FILE}") {{ phoneMasked }} }}'
    assert house.ask(query).errors == []
    house._rights = Rights(id=2, version="g2", allowed={"credit_file:read": "rule"})
    assert codes(house.ask(query)) == ["NOT_PERMITTED"]


def test_what_no_one_person_does_alone_is_told_to_whoever_may_read_the_schema_and_to_nobody_else(house):
    query = "{ rules: separationsOfDuty { duty operation actions record authors says __typename } me { person } }"
    answer = house.ask(query).data
    assert {
        "duty": "PREPARER_NOT_APPROVER",
        "operation": "approvePartner",
        "actions": ["partner:approve"],
        "record": "Partner",
        "authors": ["registered_by"],
        "says": "Who prepared it, or had a hand in it, does not decide on it.",
        "__typename": "Separation",
    } in answer["rules"]
    response = fake.FakeHouse((), {}).ask(query)
    assert (response.data, codes(response)) == (None, ["NOT_PERMITTED"])
