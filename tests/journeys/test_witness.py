"""An auditor's witness, a program beside an installation: it cosigns what grew, and nothing that was rewritten."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import time
from contextlib import suppress

import httpx2
import pytest

from tests.journeys import commands
from tests.journeys.commands import found

WAIT_SECONDS = 30


@pytest.fixture
def settings(tmp_path):
    """An installation with one company, on SQLite."""
    named = {"CREDENCE_DATA_DIR": str(tmp_path / "data")}
    commands.run("migrate", **named)
    commands.run("tenant", "open", "Northern Cloud", **named)
    return named


def free():
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Auditor:
    """An auditor with a witness of its own."""

    def __init__(self, folder, log):
        self.folder, self.url = folder, f"http://127.0.0.1:{free()}"
        self.key = found("witness", "open", folder, "--name", "auditor.example/w1")["key"]
        found("witness", "follow", folder, log)
        self.served = None

    def serve(self):
        """The witness, once it answers."""
        self.served = commands.started("witness", "serve", self.folder, "--port", self.url.rpartition(":")[2])
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            with suppress(httpx2.TransportError):
                assert httpx2.get(self.url).text.strip() == self.key
                return
            time.sleep(0.05)
        raise AssertionError(self.served.communicate()[1])

    def end(self, how=signal.SIGINT):
        """Ends it as Ctrl-C does, or as a machine that fails."""
        self.served.send_signal(how)
        self.served.communicate(timeout=WAIT_SECONDS)
        return self.served.returncode

    def cosign(self, log, expected=0):
        """What comes of asking it."""
        return found("audit", "cosign", log, "--witness", self.url, "--key", self.key, expected=expected)

    def standing(self):
        """How many entries it cosigned."""
        (size,) = found("witness", "show", self.folder)["logs"].values()
        return size


@pytest.fixture
def auditor(settings, tmp_path):
    log = tmp_path / "log"
    made = Auditor(tmp_path / "witness", found("audit", "export", log, **settings)["key"])
    made.serve()
    yield made
    made.end(signal.SIGKILL)


def test_an_export_is_cosigned_as_it_grows_and_verified_with_both_keys(settings, auditor, tmp_path):
    log = tmp_path / "log"
    keys = ("--key", (log / "key").read_text().strip(), "--witness", auditor.key)
    report = found("audit", "verify", log, *keys, expected=1)
    assert [problem.split()[0] for problem in report["problems"]] == ["UNWITNESSED"]
    for _ in range(2):
        size = found("audit", "export", log, **settings)["entries"]
        assert auditor.cosign(log)["entries"] == size == auditor.standing()
        assert found("audit", "verify", log, *keys)["ok"] is True
    assert auditor.end() in {0, 130}


def test_a_history_that_was_rewritten_is_not_cosigned_also_after_a_crash(settings, auditor, tmp_path):
    log, data = tmp_path / "log", tmp_path / "data"
    shutil.copytree(data, tmp_path / "before")
    found("audit", "export", log, **settings)
    size = auditor.cosign(log)["entries"]
    auditor.end(signal.SIGKILL)
    auditor.serve()
    assert auditor.standing() == size
    # Who owns the database and the keys goes back to an older state, and from there another way.
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "before", data)
    other = tmp_path / "other"
    tenant = (log / "checkpoint").read_text().splitlines()[0].rpartition("/")[2]
    assert found("audit", "export", other, "--tenant", tenant, **settings)["entries"] == size
    assert "another history" in auditor.cosign(other, expected=2)["error"]["message"]
    assert found("audit", "export", other, "--tenant", tenant, **settings)["entries"] > size
    assert "422" in auditor.cosign(other, expected=2)["error"]["message"]
    assert auditor.standing() == size


def test_a_witness_is_served_by_one_process_and_says_what_is_wrong(auditor, settings, tmp_path):
    served = commands.started("witness", "serve", auditor.folder, "--port", free())
    assert "Another process serves this witness." in served.communicate(timeout=WAIT_SECONDS)[1]
    assert served.returncode == 2
    answer = httpx2.post(f"{auditor.url}/add-checkpoint", content=b"old 0\n\nnothing")
    assert answer.status_code == 400
    assert httpx2.get(f"{auditor.url}/add-checkpoint").status_code == 405
    assert httpx2.post(f"{auditor.url}/add-checkpoint", content=bytes(40_000)).status_code == 413
    stranger = found("witness", "open", tmp_path / "stranger", "--name", "stranger.example")["key"]
    asked = ("audit", "cosign", tmp_path / "log", "--witness", auditor.url, "--key", stranger)
    error = json.loads(commands.run(*asked, "--json", expected=2))["error"]
    assert error["code"] == "TAMPERED"
    away = ("audit", "cosign", tmp_path / "log", "--witness", f"http://127.0.0.1:{free()}", "--key", auditor.key)
    assert "cannot be reached" in json.loads(commands.run(*away, "--json", expected=2))["error"]["message"]
    plain = ("audit", "cosign", tmp_path / "log", "--witness", "http://witness.example", "--key", auditor.key)
    assert json.loads(commands.run(*plain, "--json", expected=2))["error"]["path"] == ["url"]
    del settings
