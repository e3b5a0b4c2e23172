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
from tests.journeys.conftest import mutation

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
DOCUMENT = "what the customer agreed to"
PROGRAMS = ("partner.py", "partner.mjs")


def run(program, *words):
    """A program of the documentation, once it has ended."""
    runs = sys.executable if program.endswith(".py") else shutil.which("node")
    if runs is None:
        pytest.skip("Node.js is not there.")
    line = [runs, EXAMPLES / program, *words]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)


def printed(program, *words):
    """What it prints as JSON."""
    ended = run(program, *words)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo as it tells itself, and where its files lie."""
    folder = tmp_path_factory.mktemp("partner")
    running = started("demo", "--port", "0", "--customers", "3", "--data-dir", folder / "demo", "--json")
    try:
        yield json.loads(running.stdout.readline()), folder
    finally:
        running.terminate()
        running.communicate(timeout=30)


@pytest.fixture
def own(demo, tmp_path):
    """The folder of a partner's program: its key, and a token bound to it."""
    told, folder = demo
    shutil.copy(folder / "demo" / "partner-key.json", tmp_path)
    (tmp_path / "token.txt").write_text(told["tokens"]["partner_client"], encoding="utf-8")
    return tmp_path


def asked(told, document=DOCUMENT):
    """What the program is told to ask."""
    partner = told["partner"]
    return f"{told['url']}/graphql", told["tenant"], partner["documents"][document], partner["creditFile"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_gets_what_the_customer_agreed_to(demo, own, program):
    told, _ = demo
    for _ in range(2):
        answer = printed(program, "ask", own, *asked(told))["data"]["requestDisclosure"]
        assert [value["field"] for value in answer["values"]] == ["contact.phone"]
        assert [one["field"] for one in answer["withheld"]] == ["financial.bank_account"]


def registered(told, program, own):
    """Registers the key that a program unseals with, once it shows that it holds it, as two persons do."""

    def done(role, field, given, shows):
        body = {"query": mutation(field, shows), "variables": {"input": given}}
        headers = {"Authorization": f"Bearer {told['tokens'][role]}"}
        payload = httpx2.post(f"{told['url']}/graphql", json=body, headers=headers, timeout=30).json()["data"][field]
        assert payload["errors"] == []
        return payload

    partner, jwk = told["partner"]["id"], printed(program, "keys", own)["ENC"]
    given = {"partner": partner, "use": "ENC", "jwk": json.dumps(jwk)}
    proposed = done("legal", "proposePartnerKey", given, "challenge partnerKey { id }")
    read = printed(program, "prove", own, told["tenant"], partner, proposed["challenge"])
    approved = {"key": proposed["partnerKey"]["id"], "possession": read}
    done("privacy_officer", "approvePartnerKey", approved, "partnerKey { state }")
    return proposed["partnerKey"]["id"]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("other", PROGRAMS)
def test_what_a_program_unseals_it_proves_offline_and_so_does_the_other_and_nothing_that_was_changed(
    demo, own, program, other
):
    told, _ = demo
    registered(told, program, own)
    answer = printed(program, "ask", own, *asked(told, "what the customer agreed to, sealed"))
    got = answer["data"]["requestDisclosure"]
    assert list(answer["verified"]["data"]) == ["contact.phone"]
    assert answer["verified"]["jti"] == got["disclosure"]["id"]
    assert answer["verified"]["data"]["contact.phone"] not in json.dumps(got)
    kept = own / f"{got['disclosure']['id']}.json"
    assert printed(other, "verify", own, kept) == answer["verified"]
    for spoilt in spoiled(json.loads(kept.read_text(encoding="utf-8"))):
        (own / "spoilt.json").write_text(json.dumps(spoilt), encoding="utf-8")
        ended = run(other, "verify", own, own / "spoilt.json")
        assert ended.returncode == 1, spoilt
        assert not ended.stdout


def spoiled(receipt):
    """Receipts in which one thing is another."""
    first, second = receipt["proofs"]
    yield receipt | {"proofs": [second, first]}
    yield receipt | {"proofs": [first, first]}
    for name, old, new in (
        ("leaf", '"outcome":"DONE"', '"outcome":"FAIL"'),
        ("proof", "index ", "index 1"),
        ("proof", "\n\u2014 ", "\n\u2014 x"),
        ("entry", "ae_", "ae_0"),
    ):
        for at in (0, 1):
            changed = [dict(first), dict(second)]
            assert old in changed[at][name]
            changed[at][name] = changed[at][name].replace(old, new, 1)
            yield receipt | {"proofs": changed}
    end = receipt["sealed"][-8:]
    yield receipt | {"sealed": receipt["sealed"][:-8] + end[::-1]}


def test_a_program_with_another_key_is_told_to_get_a_token_and_no_more(demo, own):
    told, _ = demo
    (own / "partner-key.json").unlink()
    found("partner", "key", own / "partner-key.json")
    ended = run("partner.py", "ask", own, *asked(told))
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
