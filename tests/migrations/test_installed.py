"""The revisions come with the installed product, wherever it is started from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import FLOORS, ROOT, files, named
from vault.store.schema import migrations

NO_INDEX = ("Could not find a version", "No matching distribution", "Connection", "resolution")
MIGRATE = """
import asyncio, sys
from pathlib import Path
from vault.store.schema import migrations
url = f"sqlite:///{Path('credence.db').absolute()}"
asyncio.run(migrations.upgrade(url))
asyncio.run(migrations.check(url))
print(migrations.__file__, migrations.head())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that a wheel of this repository was unpacked into."""
    source, built = (tmp_path_factory.mktemp(name) for name in ("source", "built"))
    for path in files():
        name = named(path)
        if name.startswith(tuple(f"{floor}/" for floor in (*FLOORS, "alembic"))) or "/" not in name:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, source / name)
    told = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", built, source],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if told.returncode != 0 and any(word in told.stderr for word in NO_INDEX):
        pytest.skip("no package index here to build a wheel with")
    assert told.returncode == 0, told.stderr
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built / "site")
    return built / "site"


@pytest.mark.slow
def test_an_installed_product_migrates_from_anywhere(installed, tmp_path):
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", MIGRATE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    place, head = told.stdout.split()
    assert Path(place).is_relative_to(installed)
    assert head == migrations.head()


@pytest.mark.slow
def test_every_script_is_installed_and_nothing_shadows_alembic(installed):
    scripts = {
        path.relative_to(ROOT / "alembic").as_posix() for path in files() if path.is_relative_to(ROOT / "alembic")
    }
    assert "env.py" in scripts
    shipped = installed / "vault" / "store" / "scripts"
    assert {path.relative_to(shipped).as_posix() for path in shipped.rglob("*") if path.is_file()} == scripts
    assert not (installed / "alembic").exists()
