"""Commands of keys: who keeps the root keys, which of them stand, and what lies under each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import typer

from api.cli.console import AsJson, DataDir, answer, loaded

if TYPE_CHECKING:
    from api.app import KeyInventory

keys = typer.Typer(help="Root keys and what lies under them.", no_args_is_help=True)


@keys.callback()
def _group() -> None:
    """A group keeps its name however many commands it has."""


@keys.command()
def status(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Shows the provider, its root versions and each company's epochs. Ends with 1 while the provider is out."""
    from api.app import key_inventory  # noqa: PLC0415 - the whole house is behind it

    found = asyncio.run(key_inventory(loaded(data_dir)))
    answer(_told(found), "\n".join(_lines(found)), as_json=as_json)
    if found.health is None:
        raise typer.Exit(1)


def _told(found: KeyInventory) -> dict[str, Any]:
    """What is found, as one object; the newest root is what new keys are wrapped under."""
    roots = found.health.roots if found.health else {}
    failure = found.failure and {"message": found.failure.message, "advice": found.failure.advice}
    return {
        "provider": found.provider,
        "reachable": found.health is not None,
        "failure": failure,
        "roots": [{"version": version, "state": state.value} for version, state in sorted(roots.items())],
        "companies": {tenant: [one._asdict() for one in epochs] for tenant, epochs in found.companies.items()},
    }


def _lines(found: KeyInventory) -> list[str]:
    roots = sorted(found.health.roots.items()) if found.health else []
    lines = [f"Provider: {found.provider}, {'reachable' if found.health else 'out'}."]
    if found.failure:
        lines += [found.failure.message, found.failure.advice]
    lines += [f"Root {version}: {state.value}." for version, state in roots]
    for tenant, epochs in found.companies.items():
        told = [f"epoch {one.epoch}: {one.keys} keys, {one.data_keys} data keys" for one in epochs]
        lines.append(f"{tenant}: {'; '.join(told) or 'no keys'}.")
    return lines
