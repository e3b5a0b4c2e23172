"""The README's settings are the product's, its queries are valid, and its commands run."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import httpx2
import pytest
from graphql import parse, validate

from api.graphql.schema import build_schema
from api.settings import PREFIX, Settings, load
from domain.actors import Actor
from domain.files.sources import LawfulBasis, RegisterSource, SourceType
from tests.journeys.commands import run
from tests.proofs import Proving, key_of

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(kind, role, text) for kind, role, text in BLOCK.findall(TEXT)]
ASKED = [(role, text) for kind, role, text in BLOCKS if kind == "console" and role]
COMMANDS = [line for kind, role, text in BLOCKS if kind == "console" and not role for line in text.splitlines()]
has_commands = pytest.mark.skipif(
    importlib.util.find_spec("api.cli") is None, reason="the command line is not installed here"
)


def sent(text, environment):
    """What a curl command of the README sends: address, headers and body."""
    filled = re.sub(r"\$(\w+)", lambda name: environment.get(name.group(1), name.group(0)), text.removeprefix("$ "))
    words = shlex.split(filled)
    assert words[:2] == ["curl", "-s"]
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    return words[2], headers, json.loads(words[words.index("-d") + 1])


@pytest.mark.parametrize(("role", "text"), ASKED, ids=[str(number) for number in range(1, len(ASKED) + 1)])
def test_every_query_of_the_readme_fits_the_schema(role, text):
    _, _, body = sent(text, {"FILE": "cf_1"})
    assert validate(build_schema().graph, parse(body["query"])) == []
    assert role


def test_the_readme_shows_both_commands_of_a_fresh_machine():
    shown = [text.strip() for kind, _, text in BLOCKS if kind == "sh"]
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/credence demo" in shown
    assert "python3 -m venv .venv && .venv/bin/pip install '.[dev]' && .venv/bin/pytest" in shown


def test_the_table_of_settings_is_complete_and_its_defaults_are_true():
    rows = [re.findall(r"`([^`]*)`", line) for line in TEXT.splitlines() if line.startswith(f"| `{PREFIX}")]
    told = {cells[1]: cells[2] for cells in rows}
    assert [cells[0] for cells in rows] == [PREFIX + cells[1].upper() for cells in rows]
    assert set(told) == {item.name for item in dataclasses.fields(Settings)}
    settings = load({}, None)
    for name in ("data_dir", "database_url", "keys", "issuer_key", "log"):
        assert str(getattr(settings, name)) == told[name]
    assert settings.local_issuer is (told["local_issuer"] == "on")


def _environment(folder):
    """The environment of a person who has just installed it: no setting, but where data lies."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return others | {"PYTHONPATH": str(ROOT), f"{PREFIX}DATA_DIR": str(folder / "data")}


COMMAND = [sys.executable, "-c", "from api.cli import main; main()"]


def _run(words, folder):
    return subprocess.run(
        [*COMMAND, *words],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@has_commands
def test_every_command_the_readme_names_exists():
    named = set(re.findall(r"credence ((?:audit |tenant )?[a-z]+)", TEXT))
    assert {"demo", "tour", "serve", "migrate", "token", "import", "audit verify", "audit export", "fsck"} <= named
    for words in sorted(named):
        assert "Usage" in run(*words.split(), "--help")


async def _register(folder, name):
    """Registers a source, as the README does through the API."""
    from api.app import open_house

    settings = load({f"{PREFIX}DATA_DIR": str(folder / "data")}, None)
    async with open_house(settings) as house:
        for tenant in await house.store.tenants():
            actor = Actor(tenant=tenant, person="manager", roles=frozenset({"credit_manager"}))
            source = RegisterSource(type=SourceType.SELF_PROVIDED, name=name, lawful_bases=(LawfulBasis.CONTRACT,))
            await house.gate.perform(source, actor)


@has_commands
def test_the_commands_of_the_readme_run_in_their_order(tmp_path):
    assert "$ credence migrate" in COMMANDS
    (customers,) = (text for kind, _, text in BLOCKS if kind == "csv")
    (plan,) = (text for kind, _, text in BLOCKS if kind == "toml")
    (tmp_path / "customers.csv").write_text(customers, encoding="utf-8")
    (tmp_path / "customers.toml").write_text(plan, encoding="utf-8")
    for line in COMMANDS:
        if "import" in line:
            asyncio.run(_register(tmp_path, tomllib.loads(plan)["source"]))
        told = _run(shlex.split(line.removeprefix("$ credence ")), tmp_path)
        assert told.returncode == 0, f"{line}: {told.stdout}{told.stderr}"
        if "import" in line:
            assert "1 stored" in told.stdout
            assert "1 rejected" in told.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo while it serves: what it told, as its first line."""
    folder = tmp_path_factory.mktemp("demo")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "errors").open("w") as errors:
        serving = subprocess.Popen(
            [*COMMAND, "demo", "--json", "--customers", "3", "--port", str(port)],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            line = serving.stdout.readline()
            assert line, (folder / "errors").read_text(encoding="utf-8")
            yield json.loads(line)
        finally:
            serving.send_signal(signal.SIGINT)
            try:
                serving.wait(timeout=30)
            except subprocess.TimeoutExpired:
                serving.kill()
                serving.wait()
            serving.stdout.close()


@has_commands
@pytest.mark.parametrize(("role", "text"), ASKED, ids=[str(number) for number in range(1, len(ASKED) + 1)])
def test_every_query_of_the_readme_is_answered_by_the_demo(demo, role, text):
    shown = {"API": demo["url"] + "/graphql", "TOKEN": demo["tokens"][role], "FILE": demo["creditFiles"][0]}
    address, headers, body = sent(text, shown)
    auth = Proving(key_of(demo["partner"]["key"]), demo["tokens"][role]) if role == "partner_client" else None
    for _ in range(100):
        try:
            answer = httpx2.post(address, headers=headers, json=body, timeout=30, auth=auth)
            break
        except httpx2.ConnectError:
            time.sleep(0.1)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert "errors" not in told
    for value in told["data"].values():
        assert value is not None
        assert value.get("errors", []) == []
