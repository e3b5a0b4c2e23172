"""The page about the audit log: its commands run as they stand, in their order."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.journeys import commands
from tests.journeys.conftest import Installation

TEXT = (Path(__file__).parents[2] / "docs" / "audit-log.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [line.removeprefix("$ credence ") for block in BLOCKS for line in block.splitlines()]

FILES = ("log", "kept-checkpoint", "watch", "entries.csv", "entries.jsonl")
"""What the page names in the folder where somebody works."""


@pytest.fixture
def installed(sqlite, tmp_path):
    """A company whose log is served."""
    made = Installation(sqlite.url, tmp_path / "data").start()
    yield made
    made.stop()


def test_the_commands_of_the_page_run_as_they_stand(installed, sqlite, tmp_path):
    tenant = installed.open_tenant("Yunfan Networks")
    key = installed.house(lambda house: house.verifying_key(tenant))
    words = {"COMPANY": tenant, "KEY": key, "SERVED": f"{installed.url}/audit/{tenant}", "ACTOR": "system:operator"}
    words["TOKEN"] = installed.token(tenant, "auditor")
    words["WITNESS"] = commands.found("witness", "open", tmp_path / "one", "--name", "one.example")["key"]
    words["OTHER"] = commands.found("witness", "open", tmp_path / "two", "--name", "two.example")["key"]
    own = {"CREDENCE_DATA_DIR": str(tmp_path / "data"), "CREDENCE_DATABASE_URL": sqlite.url}
    for line in COMMANDS:
        given = [words.get(word.removeprefix("$"), word) for word in shlex.split(line)]
        given = [given[0], given[1], *(str(tmp_path / word) if word in FILES else word for word in given[2:])]
        found = commands.found(*given, **own)
        assert found.get("ok", True), line
        if line.startswith("audit export log"):
            shutil.copy(tmp_path / "log" / "checkpoint", tmp_path / "kept-checkpoint")
    assert len(COMMANDS) == 12
    assert len((tmp_path / "entries.csv").read_text(encoding="utf-8").splitlines()) > 1
    assert "system:operator" in (tmp_path / "entries.jsonl").read_text(encoding="utf-8")
