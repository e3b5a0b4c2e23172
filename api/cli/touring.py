"""The command that walks the whole loop, narrated, on invented data or on files of your own."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.console import AsJson, answer, loaded, progress, thrown_away


def join(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(tour)


def tour(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="A folder of CSV or Parquet files; each has a map NAME.toml beside it."),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day to assess; the newest in the data."),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="An empty directory that keeps what the tour made.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Walks the loop: import, assess, control, consent, disclosure, audit. Ends with 0 only if every step held."""
    if data_dir is not None:
        figures = _walk(data_dir, data, as_of, as_json=as_json)
    else:
        with thrown_away("credence-tour-") as folder:
            figures = _walk(folder, data, as_of, as_json=as_json)
    if as_json:
        answer(figures, "", as_json=True)
    if not figures["ok"]:
        raise typer.Exit(1)


def _walk(folder: Path, data: Path | None, as_of: datetime | None, *, as_json: bool) -> dict[str, Any]:
    from api.app import Asked, open_house, prepare, verify_log  # noqa: PLC0415 - the whole house is behind it
    from api.tour.loop import Tour  # noqa: PLC0415 - the same
    from api.tour.material import material  # noqa: PLC0415 - the same

    settings = loaded(folder)
    found = None if data is None else material(data)

    def verify(log: Path, key: str) -> tuple[bool, int]:
        report = verify_log(log, Asked(keys=[key]))
        return report.ok, report.size

    async def run() -> dict[str, Any]:
        await prepare(settings)
        async with open_house(settings) as house:
            tenant = await house.open_tenant("Tour Networks")
            with progress("The tour", shown=not as_json) as show:
                walk = Tour(
                    house=house,
                    tenant=tenant,
                    folder=folder,
                    verify=verify,
                    say=(lambda _text: None) if as_json else typer.echo,
                    show=show,
                    today=house.clock.now().date(),
                )
                await walk.walk(found, None if as_of is None else as_of.date())
            return walk.figures

    return asyncio.run(run())
