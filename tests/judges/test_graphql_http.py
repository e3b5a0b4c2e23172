"""The published audits of GraphQL over HTTP, run by their own program against a server of ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.journeys.commands import started

PACKAGES = ("graphql-http@1.23.1", "graphql@16.15.0")
AUDITS = 61
OFF = {"5A70", "D6D5", "6A70"}
"""What a server MAY do, and ours does not: queries by GET would leave personal data in addresses and logs."""


@pytest.fixture(scope="module")
def audits(tmp_path_factory):
    """The folder in which the audits are installed."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        pytest.skip("Node.js with npm is not there.")
    folder = tmp_path_factory.mktemp("audits")
    (folder / "package.json").write_text("{}")
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", *PACKAGES]
    if subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode:
        pytest.skip("npm does not deliver the audits.")
    return folder


@pytest.fixture
def demo():
    """A running demo, as it tells itself."""
    running = started("demo", "--port", "0", "--json")
    try:
        yield json.loads(running.stdout.readline())
    finally:
        running.terminate()
        running.communicate(timeout=30)


def test_every_audit_passes_but_for_queries_by_get(audits, demo):
    words = (
        "node",
        str(Path(__file__).with_name("audits.mjs")),
        str(audits),
        demo["url"] + "/graphql",
        demo["tokens"]["auditor"],
    )
    ended = subprocess.run(words, check=True, capture_output=True, text=True)
    found = json.loads(ended.stdout)
    assert len(found) == AUDITS
    assert {one["id"] for one in found if one["status"] != "ok"} == OFF
    assert {one["status"] for one in found} == {"ok", "notice"}
