"""Programs of others, installed from npm into a folder of their own and run there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DOCUMENTS = HERE / "documents"
"""What a front end, a partner's program and an auditor ask."""
SCHEMA = ROOT / "schema.graphql"
QUIETLY = (
    *("--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--prefer-offline"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000"),
)
"""Nothing of a package runs while it is installed, and nobody waits long for a registry that is not there."""


def installed(folder, packages):
    """A folder with these packages; where they cannot be had, the test is skipped and says why."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("Node.js with npm is not there.")
    (folder / "package.json").write_text('{"type": "module"}')
    if subprocess.run([npm, "install", *QUIETLY, *packages], cwd=folder, check=False, capture_output=True).returncode:
        pytest.skip(f"npm does not deliver {', '.join(packages)}.")
    return folder


def questions(demo):
    """What a client is told: the demo it asks, our schema, and the documents to ask."""
    return {"demo": demo, "schema": str(SCHEMA), "documents": str(DOCUMENTS)}


def printed(folder, script, told):
    """What a script of this folder prints as JSON; it reads what it is told, and runs where its packages are."""
    for each in HERE.glob("*.mjs"):
        shutil.copy(each, folder / each.name)
    ended = ran(folder, "node", script, told=told)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def ran(folder, *words, told=None):
    """A program that has ended, with what it wrote."""
    return subprocess.run(
        words, cwd=folder, check=False, capture_output=True, text=True, timeout=120, input=json.dumps(told)
    )
