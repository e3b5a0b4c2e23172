"""`credence ide`: fetches what the page for exploring the API needs, once, and checks what came."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from pathlib import Path
from shutil import which
from typing import Annotated

import typer

from api.cli.console import AsJson, answer
from api.http.packages import PACKAGES, STYLE, Package, is_intact
from domain.errors import Malformed, Unavailable


def join(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(ide)


def ide(
    folder: Annotated[Path, typer.Argument(help="Where the files are kept; tell the server with CREDENCE_IDE.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Fetches GraphiQL and React with npm and keeps what the page needs of them, if it is what it should be."""
    npm = which("npm")
    if npm is None:
        raise Unavailable("npm is not there.", advice="Install Node.js with npm; it is needed for this command alone.")
    folder.mkdir(parents=True, exist_ok=True)
    kept: list[str] = []
    for package in PACKAGES:
        kept += _unpacked(_fetched(npm, package), package, folder)
    answer({"folder": str(folder), "files": kept}, f"{len(kept)} files are in {folder}.", as_json=as_json)


def _fetched(npm: str, package: Package) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        command = [npm, "pack", "--silent", package.name]
        ended = subprocess.run(command, cwd=place, capture_output=True, check=False)  # noqa: S603 - a package of our list
        archives = list(Path(place).glob("*.tgz"))
        if ended.returncode or len(archives) != 1:
            raise Unavailable(f"npm does not deliver {package.name}.", advice="Look at npm's settings and connection.")
        archive = archives[0].read_bytes()
    if not is_intact(archive, package):
        raise Malformed(f"{package.name} is not the package it should be; nothing of it is kept.")
    return archive


def _unpacked(archive: bytes, package: Package, folder: Path) -> list[str]:
    wanted, kept = {package.file, STYLE}, []
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as packed:
        for member in packed:
            content = packed.extractfile(member) if member.isfile() and member.name in wanted else None
            if content is not None:
                name = Path(member.name).name
                (folder / name).write_bytes(content.read())
                kept.append(name)
    return kept
