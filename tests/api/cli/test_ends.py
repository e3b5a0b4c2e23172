"""However a command ends, it says so in one sentence with advice, or in one object; nobody sees a traceback."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import sys
import time
from contextlib import closing

import pytest

from api import cli
from tests.journeys.commands import started

SECRET = "sk-7f3a"


@pytest.fixture
def ended(monkeypatch, capsys, tmp_path):
    """Runs a command in an empty directory: its exit code, what it printed, and what it said on standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CREDENCE_LOG", "off")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["credence", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return end.value.code or 0, out, err

    return run


@pytest.fixture
def refused(ended):
    """The one object of a command that is refused."""

    def run(*words, code=2):
        found, out, err = ended(*words, "--json")
        assert (found, err) == (code, "")
        (line,) = out.splitlines()
        error = json.loads(line)
        assert list(error) == ["error"]
        assert list(error["error"]) == ["code", "message", "advice", "path"]
        return error["error"]

    return run


def test_a_word_that_is_not_known_is_told_as_an_object_where_objects_are_asked_for(refused):
    assert "nosuch" in refused("nosuch")["message"]
    assert "--role" in refused("token")["message"]
    assert "none.csv" in refused("import", "customers", "none.csv", "--map", "customers")["message"]
    assert "--hours" in refused("token", "--role", "auditor", "--hours", "0")["message"]


def test_a_word_that_is_not_known_is_told_to_people_with_how_it_is_used(ended):
    code, out, err = ended("nosuch")
    assert (code, out) == (2, "")
    assert "No such command" in err


def test_a_path_that_cannot_be_used_is_named_with_the_reason(ended, refused, tmp_path):
    (tmp_path / "file").write_text("taken", encoding="utf-8")
    error = refused("migrate", "--data-dir", tmp_path / "file" / "data")
    assert error["message"].startswith(str(tmp_path / "file"))
    assert "Not a directory" in error["message"]
    code, _, err = ended("schema", "--write", "--file", tmp_path / "none" / "schema.graphql")
    assert code == 2
    assert "No such file or directory" in err


def test_a_setting_that_cannot_be_used_is_named_as_it_was_written(refused, monkeypatch, tmp_path):
    monkeypatch.setenv("CREDENCE_COLOUR", "red")
    assert "CREDENCE_COLOUR" in refused("tenant", "list")["message"]
    monkeypatch.delenv("CREDENCE_COLOUR")
    (tmp_path / "credence.toml").write_text(f'keys = "gpg:{SECRET}"\n', encoding="utf-8")
    error = refused("tenant", "list")
    assert error["path"] == ["keys"]
    assert SECRET not in str(error)


def test_a_bug_is_told_without_its_message_which_may_hold_anything(ended, monkeypatch):
    def broken():
        raise RuntimeError(SECRET)

    monkeypatch.setattr("api.graphql.schema.print_schema_text", broken)
    code, out, err = ended("schema")
    assert code == 70
    assert "RuntimeError" in err
    assert SECRET not in out + err


def test_a_role_that_does_not_exist_or_acts_for_nobody_is_told_which_there_are(refused):
    error = refused("token", "--role", "boss")
    assert "boss" in error["message"]
    assert "credit_manager" in error["advice"]
    assert "--partner" in refused("token", "--role", "partner_client")["advice"]
    assert "--subject" in refused("token", "--role", "customer_self")["advice"]


def test_an_import_says_which_words_and_maps_go_together(refused, tmp_path):
    (tmp_path / "rows.csv").write_text("a\n", encoding="utf-8")
    unknown = refused("import", "parrots", "rows.csv", "--map", "customers")
    assert (unknown["path"], "statements" in unknown["advice"]) == (["kind"], True)
    other = refused("import", "invoices", "rows.csv", "--map", "customers")
    assert (other["path"], "as customers" in other["advice"]) == (["map"], True)
    assert "invoices" in refused("import", "invoices", "rows.csv", "--map", "none")["advice"]


def test_a_schema_that_differs_ends_the_check_with_one(ended, tmp_path):
    file = tmp_path / "schema.graphql"
    assert ended("schema", "--write", "--file", file)[0] == 0
    assert ended("schema", "--check", "--file", file) == (0, "", "")
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    code, _, err = ended("schema", "--check", "--file", file)
    assert code == 1
    assert "--write" in err


def test_an_export_that_is_not_there_and_a_key_that_is_none_are_told_apart(refused, tmp_path):
    assert refused("audit", "verify", tmp_path / "none")["code"] == "NOT_FOUND"
    assert refused("audit", "verify", tmp_path)["path"] == ["key"]
    error = refused("audit", "verify", tmp_path, "--key", "abc")
    assert (error["path"], "name+id+base64" in error["advice"]) == (["key"], True)
    assert "none.txt" in refused("audit", "verify", tmp_path, "--key", "a", "--earlier", "none.txt")["message"]


@pytest.mark.parametrize("words", [("serve",), ("demo", "--customers", "1")])
def test_a_port_that_is_taken_is_told_before_anything_is_made(ended, words, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, out, err = ended(*words, "--port", taken.getsockname()[1], "--data-dir", tmp_path / "data")
    assert (code, out) == (2, "")
    assert "--port" in err
    assert not (tmp_path / "data").exists()


def test_a_demo_that_is_told_to_end_leaves_nothing_behind(tmp_path):
    command = started("demo", "--port", "0", "--customers", "1", "--json", TMPDIR=str(tmp_path))
    try:
        made = json.loads(command.stdout.readline())
        port = int(made["url"].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            assert any(tmp_path.iterdir())
    finally:
        command.send_signal(signal.SIGTERM)
        command.communicate(timeout=60)
    deadline = time.monotonic() + 5
    while any(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_kept_from_before_shows_a_log_that_was_cut_and_only_a_pinned_key_counts_as_one(ended, tmp_path):
    def found(*words, code=0):
        end, out, _ = ended(*words, "--json")
        assert end == code, out
        return json.loads(out)

    found("migrate")
    found("tenant", "open", "Yunfan")
    first = found("audit", "export", "first")
    found("audit", "export", "second")
    kept = tmp_path / "kept"
    kept.write_bytes((tmp_path / "first" / "checkpoint").read_bytes())
    whole = found("audit", "verify", "second", "--key", first["key"], "--earlier", kept)
    assert (whole["ok"], whole["pinned"], whole["entries"]) == (True, True, first["entries"] + 1)
    kept.write_bytes((tmp_path / "second" / "checkpoint").read_bytes())
    cut = found("audit", "verify", "first", "--earlier", kept, code=1)
    assert (cut["ok"], cut["pinned"], len(cut["problems"])) == (False, False, 1)
    kept.write_text("no checkpoint", encoding="utf-8")
    assert found("audit", "verify", "second", "--earlier", kept, code=1)["ok"] is False
    other = found("audit", "verify", "second", "--key", first["key"].replace("te_", "tx_"), code=2)
    assert other["error"]["path"] == ["key"]


def test_a_company_that_cannot_be_leaves_no_log_behind(ended, refused, tmp_path):
    assert ended("migrate")[0] == 0

    def entries():
        with closing(sqlite3.connect(tmp_path / "credence-data" / "credence.db")) as database:
            # The log itself: what readers find of it comes a moment behind.
            return dict(database.execute("SELECT tenant, max(size) FROM audit_batch GROUP BY tenant").fetchall())

    before = entries()
    assert refused("tenant", "open", " ")["path"] == ["name"]
    assert refused("tenant", "open", "Yunfan", "--time-zone", "Mars/Base")["path"] == ["timeZone"]
    assert entries() == before
