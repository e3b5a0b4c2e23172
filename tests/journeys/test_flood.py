"""A flood of documents that were never seen before leaves the memory of a running server as it was."""

from __future__ import annotations

import json
import os
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.journeys.commands import started

WARM, FLOOD = 200, 300
MEGABYTES = 15
"""Were all documents of the flood kept, each about 0.1 MB with what is compiled of it, it would be twice as much."""
FIELDS = "id name grade score creditStatus"


@pytest.fixture
def server():
    """A running demo, and how it tells itself."""
    running = started("demo", "--port", "0", "--customers", "2", "--json")
    try:
        yield running, json.loads(running.stdout.readline())
    finally:
        running.terminate()
        running.communicate(timeout=30)


def resident(process):
    """The megabytes a process holds."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def unique(number):
    """A document that no other is like."""
    parts = " ".join(f"a{number}_{each}: creditFiles(first: 1) {{ nodes {{ {FIELDS} }} }}" for each in range(14))
    return f"query Q{number} {{ {parts} }}"


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="The memory of a process is read from /proc.")
def test_a_flood_of_documents_never_seen_before_is_forgotten(server):
    process, told = server
    connection = HTTPConnection(urlsplit(told["url"]).netloc, timeout=60)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {told['tokens']['auditor']}"}

    def ask(number):
        connection.request("POST", "/graphql", json.dumps({"query": unique(number)}), headers)
        answer = json.loads(connection.getresponse().read())
        assert "errors" not in answer, answer["errors"]

    for number in range(WARM):
        ask(number)
    before = resident(process)
    for number in range(WARM, WARM + FLOOD):
        ask(number)
    assert resident(process) - before < MEGABYTES
    connection.close()
