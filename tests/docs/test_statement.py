"""The page on credit statements: its commands run as they stand, and its reasons are those of the product."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.journeys.commands import CODE, ROOT, environment, started
from vault.statements.reasons import Reason

TEXT = (Path(ROOT) / "docs" / "statement.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def demo():
    """A running demo, as it tells itself."""
    running = started("demo", "--port", "0", "--json", "--customers", "4")
    try:
        yield json.loads(running.stdout.readline())
    finally:
        running.terminate()
        running.communicate(timeout=30)


class Shell:
    """A folder in which the blocks of the page run, one after the other."""

    def __init__(self, demo, folder):
        self.folder = folder
        command = folder / "credence"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{CODE}" "$@"\n')
        command.chmod(0o700)
        words = {"URL": demo["url"], "TENANT": demo["tenant"], "FILE": demo["creditFiles"][0]}
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        self._environment = environment(PATH=path, TOKEN=demo["tokens"]["customer_self"], **words)

    def run(self, text, expected=0):
        """What a block prints."""
        ended = subprocess.run(
            ["sh", "-e", "-c", text],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ended.returncode == expected, f"{text}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout


def test_its_commands_run_as_they_stand(demo, tmp_path):
    if not shutil.which("curl"):
        pytest.skip("curl is not there.")
    shell = Shell(demo, tmp_path)
    *making, verifying, revoking = BLOCKS
    for block in making:
        shell.run(block)
    said = shell.run(verifying)
    assert "grade_at_least_B: " in said
    assert "Not revoked as of" in said
    assert "to https://supplier.example, occasion n-7f3a" in said
    assert "grade:" not in said
    assert json.loads(shell.run(f"{verifying.strip()} --json"))["ok"] is True
    other = json.loads(shell.run(verifying.strip().replace("n-7f3a", "n-0") + " --json", expected=1))
    assert other["reason"] == "WRONG_NONCE"
    back = json.loads(shell.run(revoking))["data"]["revokeCreditStatement"]
    assert back["creditStatement"] == {"state": "REVOKED", "revokedBecause": "CUSTOMER"}
    end = time.monotonic() + 15
    fetching = BLOCKS[3]
    while "REVOKED" not in shell.run(f"{fetching}\n{verifying.strip()} || true"):
        assert time.monotonic() < end
        time.sleep(0.5)


def test_it_tells_every_reason_there_is():
    table = TEXT.partition("## Why one is not believed")[2]
    assert set(re.findall(r"`([A-Z_]{3,})`", table)) == {reason.value for reason in Reason}
