"""Apollo Client against a server of ours: it pages, keeps each record once, changes, and tells refusals apart."""

from __future__ import annotations

import pytest

from tests.judges.programs import printed, questions


@pytest.fixture(scope="module")
def seen(clients, demo):
    """What the client saw."""
    return printed(clients, "apollo.mjs", questions(demo))


def test_pages_grow_into_one_list_and_each_record_is_kept_once(seen):
    paged = seen["paged"]
    assert paged["sizes"] == [10, 20, 24]
    assert paged["edges"] == paged["total"] == paged["entities"] == 24
    assert paged["requestsAfterReadingAgain"] == paged["requests"] == 3
    assert paged["accept"].startswith("application/graphql-response+json")


def test_what_a_mutation_answers_reaches_every_page_that_shows_it(seen):
    decided = seen["decided"]
    assert decided["payload"]["errors"] == []
    assert decided["payload"]["assessment"]["state"] == "IN_FORCE"
    assert decided["grades"] == [None, decided["waiting"]["grade"]]
    assert decided["sentForIt"] == ["ApproveAssessment", "OpenedRecord", "ApproveAssessment"]
    assert decided["confidential"]["phone"]
    assert decided["confidential"]["withheld"] == []


def test_fragments_on_an_interface_match_what_node_answers(seen):
    node = seen["decided"]["node"]
    assert node["__typename"] == "Assessment"
    assert node["assessmentState"] == "IN_FORCE"
    assert node["creditFile"]["grade"] == seen["decided"]["waiting"]["grade"]


def test_what_a_mutation_refuses_is_a_typed_error_in_its_payload(seen):
    (error,) = seen["decided"]["twice"]
    assert (error["__typename"], error["code"], error["path"]) == (
        "ConflictError",
        "INVALID_TRANSITION",
        ["assessment"],
    )


def test_errors_are_told_apart_by_their_codes(seen):
    refused = seen["refused"]
    assert refused["notGranted"] == {"data": {"creditFile": None}, "error": "NOT_PERMITTED", "path": ["creditFile"]}
    assert refused["withheld"] == [["phone", "NOT_GRANTED"]]
    assert (refused["nobody"], refused["status"]) == (["NOT_AUTHENTICATED"], [401])
    assert refused["unknown"] == ["MALFORMED"]
    assert refused["unfit"] == ["QUERY_TOO_LARGE"]


def test_its_persisted_query_link_runs_an_approved_document_by_digest_alone(seen):
    trusted = seen["trusted"]
    assert trusted["before"] == ["NOT_PERMITTED"]
    assert trusted["sent"] == [["extensions", "operationName", "variables"]] * 2
    assert trusted["answered"] == {"__typename": "DisclosureConnection", "nodes": []}
