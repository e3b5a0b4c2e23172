"""urql against a server of ours, with its plain cache and with the one that keeps records."""

from __future__ import annotations

import pytest

from tests.judges.programs import printed, questions


@pytest.fixture(scope="module")
def seen(clients, demo):
    """What the client saw."""
    return printed(clients, "urql.mjs", questions(demo))


def test_an_answer_is_kept_by_its_document_and_asked_for_once(seen):
    plain = seen["byDocuments"]
    assert plain["name"]
    assert plain["same"]
    assert plain["requests"] == 1
    assert "text/event-stream" in plain["accept"]  # it is answered as JSON nevertheless


def test_pages_grow_into_one_list(seen):
    assert seen["byRecords"]["sizes"] == [10, 20, 24]


def test_a_mutation_reaches_what_is_shown_without_another_request(seen):
    records = seen["byRecords"]
    assert records["state"] == "IN_FORCE"
    assert records["grades"] == [None, records["waiting"]]
    assert records["sentForIt"] == ["ApproveAssessment", "ApproveAssessment"]
    assert [error["code"] for error in records["twice"]] == ["INVALID_TRANSITION"]


def test_errors_carry_their_codes(seen):
    plain = seen["byDocuments"]
    assert plain["notGranted"] == ["NOT_PERMITTED"]
    assert plain["unknown"] == ["MALFORMED"]
    assert plain["nobody"] == ["NOT_AUTHENTICATED"]


def test_its_persisted_exchange_runs_an_approved_document_by_digest_alone(seen):
    trusted = seen["trusted"]
    assert trusted == {
        "sent": [["extensions", "variables"]],
        "disclosures": [],
        "other": ["NOT_PERMITTED"],
    }
