"""Random requests of every role are answered, byte for byte, as graphql-core answers them over a naive world."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.graphql.documents import GraphQLRequest
from api.graphql.operations import declared_actions
from tests.oracle.housed import Housed, agrees
from tests.oracle.writing import documents
from tests.vault.corpus import Corpus
from tests.vault.shelf import Shelf

PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck))
SHRINKING = Phase.explicit, Phase.generate, Phase.shrink
MANY = 1_000
"""What many documents find is told at once: to make it small takes longer than the rest."""
GUARDS = tuple(
    action for action in declared_actions() if action.split(":")[0] in {"reveal", "mask"} or action.endswith(":read")
)


@pytest.fixture(scope="module")
def house(read_database):
    return Housed(Shelf(read_database, Corpus(7)))


@st.composite
def requests(draw, house):
    """Somebody, and what it asks."""
    actor = draw(st.sampled_from(list(house.actors())))
    if draw(st.integers(0, 2)):
        actor = house.unbound(draw(st.lists(st.sampled_from(GUARDS), max_size=2)), actor)
    document = draw(documents(house.corpus, actor.tenant))
    return actor, GraphQLRequest(document.text, document.name, document.variables, "rq")


def compared(house, count):
    """Compares so many answers; what became of them."""
    met = Counter()

    @settings(PATIENT, max_examples=count, phases=SHRINKING if count < MANY else SHRINKING[:2])
    @given(requests(house))
    def check(asked):
        actor, request = asked
        found, wanted = house.answer(actor, request), house.wanted(actor, request)
        met["refused" if found[0] is None else "failed" if found[1] else "answered"] += 1
        assert agrees(found, wanted), (found, wanted)

    check()
    return met


def test_random_requests_of_every_role_are_answered_as_graphql_core_answers_them(house):
    met = compared(house, 500)
    assert met["answered"] > 50
    assert met["failed"] > 15


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.timeout(14_400)
def test_many_random_requests_of_every_role_are_answered_as_graphql_core_answers_them(house):
    assert compared(house, int(os.environ.get("CREDENCE_ORACLE_DOCUMENTS", "50000")))["answered"] > 100
