"""What happens arrives live: through graphql-ws on a socket, and through graphql-sse as server-sent events."""

from __future__ import annotations

import pytest

from tests.judges.programs import printed, questions


@pytest.fixture(scope="module")
def seen(clients, demo):
    """What the clients saw."""
    return printed(clients, "streams.mjs", questions(demo))


@pytest.fixture(params=["sockets", "streams"])
def one(request, seen):
    """What one of the two clients saw."""
    return seen[request.param]


def test_a_watcher_is_told_what_a_mutation_of_another_person_did(one):
    came = one["came"]
    assert came["entry"]
    assert came["ids"] == [came["entry"]]
    assert came["actors"] == ["privacy-officer"]


def test_a_watcher_that_left_takes_up_the_stream_behind_its_last_cursor(one):
    assert one["came"]["done"]
    assert one["behind"] == [one["entry"]]


def test_queries_run_beside_subscriptions(one):
    assert one["me"] == "auditor"


def test_a_socket_ends_cleanly_after_its_last_stream(seen):
    assert seen["closed"]
    assert {tuple(how) for how in seen["closed"]} == {(1000, True)}


def test_a_token_that_is_none_opens_nothing(seen):
    assert seen["sockets"]["nobody"] == {"code": 4403}
    assert seen["streams"]["nobody"] == {"status": 401}


def test_what_may_not_be_watched_is_refused_with_its_code(one):
    assert one["notGranted"] == {"codes": ["NOT_PERMITTED"]}
    assert one["invalid"] == {"codes": ["MALFORMED"]}
