"""Random requests with something wrong are refused as graphql-core refuses them: which errors, where, in which order.

By design the product differs in this, and it is compared as far as it can be:

- One plan is one read: what hinders it (a field that is not granted, a cursor of another list) is told once for each
  root that is read, and no root of it has data. Graphql-core would tell it where it stands, and answer the others.
- Arguments out of bounds, and null for an argument that needs a value, refuse the whole request before anything is
  read, and of several such arguments one is told.
- Errors of a plan carry no locations: documents that differ only in literals share it.
- What does not fit about variables is told for each place of a value, in the interface's own words; the variables that
  are named, and their order, are graphql-core's.
- Who may not read the schema is told one thing of a document that does not fit the schema and of one that names what
  is not granted; never is such a caller told which field that is.
- Measured before anything else is how large a document is; such a refusal is counted here, and tested by itself.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.graphql.documents import GraphQLRequest
from tests.oracle.housed import Housed, agrees
from tests.oracle.spoiling import spoiled
from tests.oracle.test_answers import MANY, PATIENT, SHRINKING
from tests.oracle.writing import documents
from tests.vault.corpus import Corpus
from tests.vault.shelf import Shelf


@pytest.fixture(scope="module")
def house(read_database):
    return Housed(Shelf(read_database, Corpus(8)))


@st.composite
def spoiled_requests(draw, house):
    """Somebody, and what it asks wrongly."""
    actor = draw(st.sampled_from(list(house.actors())))
    if draw(st.integers(0, 2)):
        actor = house.unbound((), actor)
    document = draw(spoiled(draw(documents(house.corpus, actor.tenant))))
    return actor, GraphQLRequest(document.text, document.name, document.variables, "rq")


def too_large(found):
    """Whether a request is refused for its size."""
    return found[0] is None and [error["extensions"]["code"] for error in found[1]] == ["QUERY_TOO_LARGE"]


def compared(house, count):
    """Compares so many answers; which errors were met."""
    met = Counter()

    @settings(PATIENT, max_examples=count, phases=SHRINKING if count < MANY else SHRINKING[:2])
    @given(spoiled_requests(house))
    def check(asked):
        actor, request = asked
        found = house.answer(actor, request)
        met["documents"] += 1
        met["too large"] += too_large(found)
        met.update(error["message"] for error in found[1])
        wanted = house.wanted(actor, request)
        assert too_large(found) or agrees(found, wanted), (found, wanted)

    check()
    return met


def test_random_requests_with_something_wrong_are_refused_as_graphql_core_refuses_them(house):
    met = compared(house, 500)
    assert met["too large"] < met["documents"] / 10
    assert len(met) > 15


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.timeout(14_400)
def test_many_random_requests_with_something_wrong_are_refused_as_graphql_core_refuses_them(house):
    assert len(compared(house, int(os.environ.get("CREDENCE_ORACLE_DOCUMENTS", "50000")))) > 15
