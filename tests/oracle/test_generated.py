"""Documents that somebody else's generator makes of the schema are answered as graphql-core answers them."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.graphql.documents import GraphQLRequest
from tests.oracle.generated import generated
from tests.oracle.housed import Housed, agrees
from tests.oracle.test_answers import MANY, PATIENT, SHRINKING
from tests.oracle.test_errors import too_large
from tests.vault.corpus import Corpus
from tests.vault.shelf import Shelf


@pytest.fixture(scope="module")
def house(read_database):
    return Housed(Shelf(read_database, Corpus(9)))


@st.composite
def requests(draw, house):
    """Somebody, and what it asks; mostly somebody who may."""
    actor = draw(st.sampled_from(list(house.actors())))
    if draw(st.integers(0, 3)):
        actor = house.unbound((), actor)
    return actor, GraphQLRequest(draw(generated(house.corpus, actor.tenant)), request_id="rq")


def compared(house, count):
    """Compares so many answers; what became of them."""
    met = Counter()

    @settings(PATIENT, max_examples=count, phases=SHRINKING if count < MANY else SHRINKING[:2])
    @given(requests(house))
    def check(asked):
        actor, request = asked
        found = house.answer(actor, request)
        met["too large" if too_large(found) else "answered" if found[0] and not found[1] else "refused"] += 1
        wanted = house.wanted(actor, request)
        assert too_large(found) or agrees(found, wanted), (found, wanted)

    check()
    return met


def test_documents_of_another_generator_are_answered_as_graphql_core_answers_them(house):
    assert compared(house, 100)["answered"] > 10


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.timeout(28_800)
def test_many_documents_of_another_generator_are_answered_as_graphql_core_answers_them(house):
    assert compared(house, int(os.environ.get("CREDENCE_ORACLE_DOCUMENTS", "50000")))["answered"] > 10
