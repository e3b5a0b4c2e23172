"""Commands of credit statements say what is true, and otherwise what to do."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.commands import found, run
from tests.vault.statements.conftest import AUDIENCE, NONCE, Scene


@pytest.fixture(scope="module")
def scene():
    return Scene()


@pytest.fixture
def folder(scene, tmp_path):
    """A statement of now with its holder's key, the keys of its company and a list."""
    now = datetime.now(UTC)
    text = scene.issued(issued_at=now, expires_at=now + timedelta(days=1))
    (tmp_path / "statement").write_text(text + "\n")
    (tmp_path / "keys").write_text(json.dumps({"issuer": None, "logs": [], "statements": scene.issuer.metadata()}))
    (tmp_path / "holder").write_text(json.dumps(scene.holder.as_dict(private=True)))
    (tmp_path / "list").write_text(scene.listed(5, issued=int(now.timestamp())))
    (tmp_path / "revoked").write_text(scene.listed(77, issued=int(now.timestamp())))
    return tmp_path


def test_a_holder_shows_a_part_and_a_supplier_reads_what_is_true(scene, folder):
    words = ("--key", folder / "holder", "--aud", AUDIENCE, "--nonce", NONCE, "--show", "grade_at_least_B, as_of")
    out = folder / "shown"
    assert "grade_at_least_B, as_of" in run("statement", "present", folder / "statement", *words, "--out", out)
    asked = ("--keys", folder / "keys", "--aud", AUDIENCE, "--nonce", NONCE)
    told = found("statement", "verify", out, *asked, "--status", folder / "list")
    assert (told["ok"], told["issuer"]) == (True, scene.issuer.name)
    assert told["claims"] == {"grade_at_least_B": True, "as_of": "2026-11-20"}
    assert told["presented"]["audience"] == AUDIENCE
    said = run("statement", "verify", out, *asked)
    assert "grade_at_least_B: true" in said
    assert f"not known: fetch {scene.issuer.list_uri(1)}" in said
    assert "no credit report" in said
    revoked = run("statement", "verify", out, *asked, "--status", folder / "revoked", expected=1)
    assert revoked.startswith("Not to be believed: It was revoked. (REVOKED)")
    copied = run("statement", "verify", folder / "statement", "--keys", folder / "keys")
    assert "did not prove to be its holder" in copied


def test_what_cannot_be_shown_or_read_is_told_with_advice(folder):
    words = ("--key", folder / "holder", "--aud", AUDIENCE, "--nonce", NONCE)
    refused = found("statement", "present", folder / "statement", *words, "--show", "limit", expected=2)["error"]
    assert refused["path"] == ["show"]
    assert "grade_at_least_B" in refused["advice"]
    (folder / "other").write_text(run("statement", "key", folder / "mine"))
    stranger = ("--key", folder / "mine", "--aud", AUDIENCE, "--nonce", NONCE)
    assert found("statement", "present", folder / "statement", *stranger, expected=2)["error"]["path"] == ["key"]
    for name in ("other", "keys"):
        wrong = ("--key", folder / name, "--aud", AUDIENCE, "--nonce", NONCE)
        refused = found("statement", "present", folder / "statement", *wrong, expected=2)["error"]
        assert "credence statement key" in refused["advice"]
    assert found("statement", "present", folder / "keys", *words, expected=2)["error"]["path"] == ["file"]
    no_json = found("statement", "verify", folder / "statement", "--keys", folder / "statement", expected=2)["error"]
    assert no_json["path"] == ["keys"]
    absent = found("statement", "verify", folder / "nothing", "--keys", folder / "keys", expected=2)["error"]
    assert "nothing" in absent["message"]
    told = found("statement", "verify", folder / "statement", "--keys", folder / "holder", expected=1)
    assert (told["ok"], told["reason"]) == (False, "UNUSABLE_KEY")


def test_a_holder_s_key_is_for_its_owner_alone_and_never_replaced(folder):
    told = json.loads(run("statement", "key", folder / "mine"))
    assert set(told) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert stat.S_IMODE((folder / "mine").stat().st_mode) == 0o600
    kept = (folder / "mine").read_bytes()
    again = found("statement", "key", folder / "mine", expected=2)["error"]
    assert "exists" in again["message"].lower()
    assert (folder / "mine").read_bytes() == kept
