"""Commands of recalls: what is due is sent to its partners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, tenant_of
from api.jobs.recalling import deliver as delivered

if TYPE_CHECKING:
    from api.app import House

recalls = typer.Typer(help="What was disclosed and is called back.", no_args_is_help=True)


@recalls.callback()
def _group() -> None:
    """A group keeps its name however many commands it has."""


@recalls.command()
def deliver(tenant: Tenant = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Sends every recall that is due, once; a server does the same while it serves, and both may run at a time."""

    async def work(house: House) -> dict[str, dict[str, int]]:
        from api.app import INSTALLATION, job  # noqa: PLC0415 - the whole house is behind it

        wanted = [await tenant_of(house, tenant)] if tenant else await house.store.tenants()
        return {one: dict(await delivered(house, job(one, "recalls"))) for one in wanted if one != INSTALLATION}

    found = in_house(loaded(data_dir), work)
    lines = [f"{one}: {count} {word}" for one, ended in found.items() for word, count in sorted(ended.items())]
    answer({"attempts": found}, "\n".join(lines) or "Nothing is due.", as_json=as_json)
