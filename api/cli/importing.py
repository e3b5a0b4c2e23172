"""The command that imports a file: mapped, streamed, resumable, with the rejected rows in a file of their own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, progress, tenant_of
from domain.errors import Malformed
from domain.operations import Operation

if TYPE_CHECKING:
    from api.app import House
    from api.imports.mapping import ImportMap

T = TypeVar("T")


def join(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("import")(import_)


def import_(
    kind: Annotated[str, typer.Argument(help="customers, invoices, records, statements or reports.")],
    file: Annotated[Path, typer.Argument(help="CSV or Parquet.", exists=True, dir_okay=False)],
    map_: Annotated[str, typer.Option("--map", help="A TOML map, or the name of a shipped one.")],
    tenant: Tenant = None,
    rejected: Annotated[Path | None, typer.Option(help="Where rejected rows go; beside the file otherwise.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Reads a finished file once more.")] = False,  # noqa: FBT002 - a flag
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Imports a file. Run again after a crash it goes on where it was: nothing is lost and nothing counted twice."""
    from api.imports.running import Progress, run_import  # noqa: PLC0415 - the reader of tables is large

    plan = _plan(kind, map_)

    async def work(house: House) -> dict[str, Any]:
        from api.app import job  # noqa: PLC0415 - the same

        actor = job(await tenant_of(house, tenant), "import")

        async def perform(operation: Operation[T]) -> T:
            return (await house.gate.perform(operation, actor, request="command")).value

        with progress(f"Importing {file.name}", shown=not as_json) as show:

            def step(now: Progress) -> None:
                show(now.share, f"{now.run.rows_read:,} rows")

            ended = await run_import(perform, file, plan, rejected=rejected, again=again, progress=step)
        run = ended.run
        return {
            "run": run.id,
            "read": run.rows_read,
            "stored": run.rows_stored,
            "updated": run.rows_updated,
            "known": run.rows_known,
            "rejected": run.rows_rejected,
            "resumedAt": ended.resumed_at,
            "already": ended.already,
            "rejectedFile": str(ended.rejected) if ended.rejected else None,
        }

    found = in_house(loaded(data_dir), work)
    said = "{read:,} rows read: {stored:,} stored, {updated:,} updated, {known:,} known already, {rejected:,} rejected."
    text = said.format(**found)
    if found["already"]:
        text = f"This file was imported before; --again reads it once more. Then it was so:\n{text}"
    if found["rejectedFile"]:
        text += f"\nRejected rows, each with its reason: {found['rejectedFile']}"
    answer(found, text, as_json=as_json)


def _plan(kind: str, name: str) -> ImportMap:
    """The map of that name.

    Raises: Malformed when it is none, or not one of this kind.
    """
    from api.imports.fields import COMMANDS  # noqa: PLC0415 - the reader of tables is large
    from api.imports.mapping import find_map  # noqa: PLC0415 - the same

    if kind not in COMMANDS:
        raise Malformed(f"Nothing is called {kind} here.", advice=f"Import {_any(COMMANDS)}.", path=("kind",))
    plan = find_map(name)
    if plan.kind not in COMMANDS[kind]:
        words = (word for word, kinds in COMMANDS.items() if plan.kind in kinds)
        raise Malformed(
            f"The map is about {plan.kind.value.lower()}, not {kind}.",
            advice=f"Name another map, or import it as {_any(words)}.",
            path=("map",),
        )
    return plan


def _any(words: Iterable[str]) -> str:
    return " or ".join(words)
