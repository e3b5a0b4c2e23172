from __future__ import annotations

import json
from typing import Any

import pytest
import strawberry
import structlog

from api.graphql.context import Context
from api.graphql.generation.building import NAMES
from api.graphql.schema import build_schema, read_payload
from domain.errors import Conflict, Malformed
from domain.files.parties import CreditFile
from domain.ids import Id

FILE = Id("cf_" + "0" * 26)
SCORED = Id("as_" + "0" * 26)
PHONE = "+8613800138000"


def codes(response):
    return [error["extensions"]["code"] for error in response.errors]


CREDIT_FILE = NAMES["CreditFile"]


async def _change(info: strawberry.Info[Context, None], fail: str) -> Any:
    assert info.context.request_id == "req-1"
    if fail == "domain":
        raise Conflict("It exists already.", path=("reference",))
    if fail == "bug":
        raise RuntimeError("s3cret")
    return Payload()


async def _file(info: strawberry.Info[Context, None]) -> Any:
    return await read_payload(info, CreditFile.shape, FILE)


@strawberry.type
class Payload:
    """What a change answers."""

    credit_file: Any = strawberry.field(resolver=_file, graphql_type=CREDIT_FILE | None)


@strawberry.type
class Mutation:
    """A mutation root of one field."""

    change: Payload | None = strawberry.field(resolver=_change)


@pytest.fixture
def changing(house):
    house.schema = build_schema(Mutation)
    return house


def test_a_payload_is_answered_by_the_same_path_as_a_query(changing):
    query = """mutation($n: Int, $fail: String!) { one: change(fail: $fail) { creditFile { ...F __typename } }
        two: change(fail: $fail) { creditFile { id } } }
        fragment F on CreditFile { c: registeredCapital { amount } recordedAt grade ... on Node { id }
            assessments(first: $n) { edges { cursor node { score } } totalCount }
            confidential(purpose: CUSTOMER_CONTACT) { phone withheld { field } } phoneMasked }"""
    response = changing.ask(query, {"n": 1, "fail": ""})
    assert response.errors == []
    assert response.data["one"]["creditFile"] == {
        "c": {"amount": "12345.67"},
        "recordedAt": "2026-11-24T08:30:00.000000Z",
        "grade": "AA",
        "id": FILE,
        "assessments": {"edges": [{"cursor": SCORED, "node": {"score": 81}}], "totalCount": 1},
        "confidential": {"phone": PHONE, "withheld": []},
        "phoneMasked": "***",
        "__typename": "CreditFile",
    }
    assert response.data["two"] == {"creditFile": {"id": FILE}}
    assert [entry.purpose for entry in changing.entries] == ["CUSTOMER_CONTACT", ""]


def test_a_refused_mutation_has_the_code_of_the_domain_and_a_bug_is_masked(changing):
    query = "mutation($f: String!) { change(fail: $f) { creditFile { id } } }"
    refused = changing.ask(query, {"f": "domain"})
    assert (refused.data, codes(refused)) == ({"change": None}, ["CONFLICT"])
    assert refused.errors[0]["path"] == ["change"]
    assert refused.errors[0]["extensions"]["inputPath"] == ["reference"]
    with structlog.testing.capture_logs() as logs:
        masked = changing.ask(query, {"f": "bug"})
    assert codes(masked) == ["INTERNAL"]
    assert "s3cret" not in json.dumps([logs, masked.body()])
    changing.broken = Malformed("The cursor is not one of ours.")
    assert codes(changing.ask(query, {"f": ""})) == ["MALFORMED"]
