"""The command that seals a key file with a passphrase."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.console import AsJson, DataDir, answer, loaded


def seal(
    former: Annotated[
        str | None, typer.Option(help="Where the former passphrase is: file:PATH, env:NAME or credential:NAME.")
    ] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Seals the key file with the passphrase that CREDENCE_KEYS names; run it again to change the passphrase."""
    from api.app import seal_key_file  # noqa: PLC0415 - the whole house is behind it

    seal_key_file(loaded(data_dir).keys, former)
    answer({"sealed": True}, "The key file is sealed. Copies of before are not.", as_json=as_json)
