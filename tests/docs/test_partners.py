"""The programs of partners in the documentation run against a demo, and get what the customer agreed to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.journeys.commands import found, started

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
DOCUMENT = "what the customer agreed to"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo as it tells itself, and the files a partner has."""
    folder = tmp_path_factory.mktemp("partner")
    running = started("demo", "--port", "0", "--customers", "3", "--data-dir", folder / "demo", "--json")
    try:
        told = json.loads(running.stdout.readline())
        (folder / "token.txt").write_text(told["tokens"]["partner_client"], encoding="utf-8")
        yield told, folder
    finally:
        running.terminate()
        running.communicate(timeout=30)


@pytest.mark.parametrize("program", ["partner.py", "partner.mjs"])
def test_a_program_gets_what_the_customer_agreed_to(demo, program):
    runs = sys.executable if program.endswith(".py") else shutil.which("node")
    if runs is None:
        pytest.skip("Node.js is not there.")
    told, folder = demo
    words = [f"{told['url']}/graphql", folder / "demo" / "partner-key.json", folder / "token.txt"]
    words += [told["partner"]["documents"][DOCUMENT], told["partner"]["creditFile"]]
    for _ in range(2):
        ended = subprocess.run(
            [runs, EXAMPLES / program, *words], capture_output=True, text=True, check=False, timeout=60
        )
        assert ended.returncode == 0, ended.stderr
        answer = json.loads(ended.stdout)["data"]["requestDisclosure"]
        assert [value["field"] for value in answer["values"]] == ["contact.phone"]
        assert [one["field"] for one in answer["withheld"]] == ["financial.bank_account"]


def test_a_program_with_another_key_is_told_to_get_a_token_and_no_more(demo, tmp_path):
    told, folder = demo
    found("partner", "key", tmp_path / "other.json")
    words = [f"{told['url']}/graphql", tmp_path / "other.json", folder / "token.txt"]
    words += [told["partner"]["documents"][DOCUMENT], told["partner"]["creditFile"]]
    ended = subprocess.run(
        [sys.executable, EXAMPLES / "partner.py", *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    assert 'error="invalid_token"' in ended.stderr


def test_a_proof_made_by_hand_is_good(demo):
    told, folder = demo
    url, token = f"{told['url']}/graphql", told["tokens"]["partner_client"]
    words = ("--key", folder / "demo" / "partner-key.json", "--token", token, "--url", url)
    proof = found("partner", "proof", *words)["proof"]
    body = {"documentId": told["partner"]["documents"]["what was disclosed to us"]}
    answer = httpx2.post(url, json=body, headers={"Authorization": f"DPoP {token}", "DPoP": proof}, timeout=30)
    assert answer.status_code == 200
    assert "errors" not in answer.json()
