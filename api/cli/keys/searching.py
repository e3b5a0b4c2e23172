"""The command that gives blind indexes their next version; it stands beside the commands of keys."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, progress, tenant_of
from api.jobs.reindexing import Reindexed, Reindexing
from domain.errors import Malformed
from domain.records import TAGS

if TYPE_CHECKING:
    from api.app import House


def join(group: typer.Typer) -> None:
    """Puts the command among those of keys."""
    group.command()(reindex)


def reindex(
    field: Annotated[list[str] | None, typer.Argument(help="Tags such as contact.phone; all where none is.")] = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Gives blind indexes their next version; goes on with one that was broken off.

    Searching and writing go on meanwhile. Run it when a normaliser has a new version, or a field a new index.
    """
    settings = loaded(data_dir)

    async def work(house: House) -> list[Reindexed]:
        from api.app import operator  # noqa: PLC0415 - the whole house is behind it

        own = await tenant_of(house, tenant)
        with progress("Rebuilding indexes", shown=not as_json) as told:
            return await Reindexing(house.gate, operator).run([own], _fields(field), told)

    done = in_house(settings, work)
    lines = [f"{one.field}: version {one.version}, {one.looked_at} values, {one.dropped} old tokens." for one in done]
    answer({"indexes": [asdict(one) for one in done]}, "\n".join(lines), as_json=as_json)


def _fields(named: list[str] | None) -> list[str]:
    known = sorted(tag for tag, field in TAGS.items() if field.index is not None)
    for tag in named or ():
        if tag not in known:
            raise Malformed(f"No index is named {tag}.", advice=f"Name one of {', '.join(known)}.", path=("field",))
    return list(dict.fromkeys(named or known))
