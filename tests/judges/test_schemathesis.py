"""Schemathesis makes documents and values out of the schema; all are answered as GraphQL over HTTP says.

`CREDENCE_SCHEMATHESIS_CASES` says how many; 10,000 are run by name, with `-m whole`.
"""

from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.judges.demonstrated import GRAPHQL, JSON, running_demo

SCHEMA = Path(__file__).parents[2] / "schema.graphql"
CASES = 200
WHOLE = 10_000
STATUSES = {JSON: {200, 400, 500, 503}, GRAPHQL: {200, 400, 403, 500, 503}}
"""What the media types allow; that none is a failure of ours is asked besides."""


@pytest.fixture(scope="module")
def demo():
    with running_demo() as running:
        yield running


@pytest.fixture(scope="module")
def cases():
    """What Schemathesis makes of the schema."""
    schemathesis = pytest.importorskip("schemathesis", reason="Schemathesis is not there.")
    nodes = schemathesis.graphql.nodes
    instants = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat().replace("+00:00", "Z"))
    made = {
        "CurrencyCode": st.sampled_from(["CNY", "EUR", "XXX", "cny", ""]),
        "Date": st.dates().map(str) | st.text(max_size=12),
        "DateTime": instants | st.text(max_size=30),
        "Decimal": st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.text(max_size=12),
    }
    for name, values in made.items():
        schemathesis.graphql.scalar(name, values.map(nodes.String))
    schema = schemathesis.graphql.from_path(str(SCHEMA))
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 30
    return st.sampled_from(operations).flatmap(lambda operation: operation.as_strategy())


def judged(demo, cases, count):
    """Sends so many documents, and judges each answer."""
    seen = {"documents": 0, "executed": 0, "codes": set()}

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=count == CASES,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, role=st.sampled_from(sorted(demo.tokens)), accept=st.sampled_from([JSON, GRAPHQL]))
    def send(case, role, accept):
        response = demo.ask(case.body, role=role, accept=accept)
        assert response.headers["content-type"] == f"{accept}; charset=utf-8", case.body
        assert response.status_code in STATUSES[accept] - {500, 503}, (case.body, response.text)
        answer = response.json()
        codes = conforms(answer, response.status_code, accept)
        assert "INTERNAL" not in codes, (case.body, response.text)
        seen["documents"] += 1
        seen["executed"] += "data" in answer
        seen["codes"] |= codes

    send()
    return seen


def conforms(answer, status, accept):
    """The codes of an answer that has the form of one."""
    assert set(answer) <= {"data", "errors", "extensions"}
    assert answer.keys() & {"data", "errors"}
    if accept == GRAPHQL:
        assert (status == 200) == ("data" in answer)
    if "errors" in answer:
        assert answer["errors"]
    for error in answer.get("errors", ()):
        assert set(error) <= {"message", "path", "locations", "extensions"}
        assert error["message"]
        assert "Traceback" not in error["message"]
        for place in error.get("locations", ()):
            assert set(place) == {"line", "column"}
    return {error["extensions"]["code"] for error in answer.get("errors", ())}


def test_whatever_is_made_out_of_the_schema_is_answered_without_a_failure(demo, cases):
    count = int(os.environ.get("CREDENCE_SCHEMATHESIS_CASES", CASES))
    seen = judged(demo, cases, count)
    assert seen["documents"] >= count
    assert seen["executed"] > count // 20


@pytest.mark.whole
@pytest.mark.timeout(7_200)
def test_ten_thousand_documents_are_answered_without_a_failure(demo, cases):
    seen = judged(demo, cases, WHOLE)
    assert seen["documents"] >= WHOLE
