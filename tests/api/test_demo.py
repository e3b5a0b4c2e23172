from __future__ import annotations

import asyncio

import pytest
from graphql import parse, validate

from api.cli.serving import _shown
from api.demo import DOCUMENTS, WAITS, invent
from api.graphql.documents import GraphQLRequest
from api.graphql.execute import execute
from api.graphql.schema import build_schema
from api.settings import load
from domain.actors import Credentials

CUSTOMERS = 2 * WAITS
STANDINGS = """{ creditFiles(first: 100) { nodes { id grade } }
    waiting: assessments(first: 1, filter: {state: {eq: IN_REVIEW}}) { totalCount } }"""


async def proven(house, made):
    """What the partner of a demo sends, with a proof of the key the demo made for it."""
    from api.app import authenticator, make_proof

    token, asked = made["tokens"]["partner_client"], {"method": "POST", "url": "http://127.0.0.1/graphql"}
    told = {"nonce": await authenticator(house).nonce(), "now": house.clock.now()}
    proof = make_proof(made["partner"]["key"], token, **asked, **told)
    return Credentials(token=token, bound=True, proofs=(proof,), **asked)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo: what it told, how its customers stand for an auditor, and what its partner's documents answer."""
    from api.app import authenticator, open_house

    settings = load({}, data_dir=tmp_path_factory.mktemp("demo"))

    async def run():
        made = await invent(settings, CUSTOMERS, lambda _share, _note: None)
        async with open_house(settings) as house:
            auditor = await authenticator(house)(Credentials(token=made["tokens"]["auditor"]))
            bank = await authenticator(house)(await proven(house, made))
            standings = (await execute(house, auditor, GraphQLRequest(STANDINGS))).body()["data"]
            answers = [
                (
                    await execute(house, bank, GraphQLRequest(text, variables={"id": made["partner"]["creditFile"]}))
                ).body()
                for text in DOCUMENTS.values()
            ]
            return made, standings, answers

    return asyncio.run(run())


def test_a_demo_has_customers_that_stand_and_assessments_that_wait_for_a_person(demo):
    made, standings, _ = demo
    nodes = standings["creditFiles"]["nodes"]
    assert {node["id"] for node in nodes} == set(made["creditFiles"])
    assert any(node["grade"] for node in nodes)
    assert standings["waiting"]["totalCount"] > 0


def test_the_queries_a_demo_shows_fit_the_schema(demo):
    text = _shown("http://127.0.0.1:1", demo[0])
    queries = [line.strip() for line in text.splitlines() if line.startswith("  {")]
    assert len(queries) == 3
    assert all(validate(build_schema().graph, parse(query)) == [] for query in queries)


def test_a_partner_may_ask_every_document_the_demo_approved_for_it(demo):
    disclosed, unsealed, listed = demo[2]
    assert [value["field"] for value in disclosed["data"]["requestDisclosure"]["values"]] == ["contact.phone"]
    assert unsealed["data"]["requestDisclosure"]["sealed"] is None  # it registered no key to seal to
    assert len(unsealed["data"]["requestDisclosure"]["proofs"]) == 1
    keys = [one["idempotencyKey"] for one in listed["data"]["disclosures"]["nodes"]]
    assert keys == ["my-first-sealed-request", "my-first-request"]
