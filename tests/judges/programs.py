"""Programs of others, installed from npm into a folder of their own and run there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
QUIETLY = (
    *("--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--prefer-offline"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000"),
)
"""Nothing of a package runs while it is installed, and nobody waits long for a registry that is not there."""


def installed(folder: Path, packages: tuple[str, ...]) -> Path:
    """A folder with these packages; where they cannot be had, the test is skipped and says why."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("Node.js with npm is not there.")
    (folder / "package.json").write_text('{"type": "module"}')
    if subprocess.run([npm, "install", *QUIETLY, *packages], cwd=folder, check=False, capture_output=True).returncode:
        pytest.skip(f"npm does not deliver {', '.join(packages)}.")
    return folder


def printed(folder: Path, script: str, *words: str) -> dict | list:
    """What a script of this folder prints as JSON; it runs where its packages are installed."""
    shutil.copy(HERE / script, folder / script)
    told = ran(folder, "node", script, *words)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """A program that has ended, with what it wrote."""
    return subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True, timeout=120)
