"""The commands of the page about documents run, in their order, against a server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from graphql import parse, validate

from api.graphql.schema import build_schema
from domain.documents import media
from tests.journeys.test_documents import Desk, paper

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/documents.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(TEXT)
COMMANDS = [line.removeprefix("$ ") for kind, _, text in BLOCKS if kind == "console" for line in text.splitlines()]


def shell(command, folder, **variables):
    """What a command of the page prints."""
    told = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 0, f"{command}\n{told.stdout}{told.stderr}"
    return told.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_of_the_page_file_a_document_and_read_it(installation, tenant, tmp_path):
    assert len(COMMANDS) == 3
    desk = Desk(installation, tenant)
    known = {
        "API": desk.url,
        "CLERK": desk.clerk.token,
        "LAWYER": desk.lawyer.token,
        "FILE": desk.file["id"],
        "SOURCE": desk.source,
    }
    content = paper(3_000_000)
    (tmp_path / "judgment.pdf").write_bytes(content)
    registered = json.loads(shell(COMMANDS[0], tmp_path, **known))["data"]["registerDocument"]
    assert registered["errors"] == []
    known["DOCUMENT"] = registered["document"]["id"]
    stored = json.loads(shell(COMMANDS[1], tmp_path, **known))
    assert (stored["document"], stored["size"]) == (known["DOCUMENT"], len(content))
    shell(COMMANDS[2], tmp_path, **known)
    assert (tmp_path / "copy.pdf").read_bytes() == content


def test_the_queries_of_the_page_fit_the_schema():
    queries = [text for kind, _, text in BLOCKS if kind == "graphql"]
    assert queries
    assert [validate(build_schema().graph, parse(text)) for text in queries] == [[]] * len(queries)


def test_the_page_names_every_form_that_is_taken():
    names = ("PDF", "PNG", "JPEG", "TIFF", "DOCX", "XLSX", "PPTX", "OFD", "text", "CSV")
    assert len(names) == len(media.TAKEN)
    assert [name for name in names if name not in TEXT] == []
