"""Commands of retention: what is past its time goes, or is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, tenant_of
from api.jobs.retaining import sweep as swept

if TYPE_CHECKING:
    from api.app import House

retention = typer.Typer(help="How long records are kept.", no_args_is_help=True)


@retention.callback()
def _group() -> None:
    """A group keeps its name however many commands it has."""


@retention.command()
def sweep(
    tenant: Tenant = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Lists what would go, and deletes nothing.")] = False,  # noqa: FBT002 - a flag
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Deletes every record past its time for good, once; legal holds are respected. Then run `credence keys shred`."""

    async def work(house: House) -> dict[str, list[dict[str, Any]]]:
        from api.app import INSTALLATION, job  # noqa: PLC0415 - the whole house is behind it

        wanted = [await tenant_of(house, tenant)] if tenant else await house.store.tenants()
        return {
            one: [_told(item) for item in await swept(house.gate, job(one, "retention"), dry=dry_run)]
            for one in wanted
            if one != INSTALLATION
        }

    found = in_house(loaded(data_dir), work)
    lines = [
        f"{one}: {item['record']} by {item['rule']}{', held' if item['held'] else ''}"
        for one, items in found.items()
        for item in items
    ]
    answer({"dryRun": dry_run, "due": found}, "\n".join(lines) or "Nothing is past its time.", as_json=as_json)


def _told(item: Any) -> dict[str, Any]:
    return {
        "record": item.record,
        "creditFile": item.credit_file,
        "rule": item.rule,
        "held": item.held,
    }
