"""What all commands share: settings, the house they run in, and how they say what they found."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import structlog
import typer

from api import settings
from api.log import set_log
from api.settings import Settings
from domain.errors import CreditError, Malformed, NotFound
from domain.ids import Id, check

if TYPE_CHECKING:
    from api.app import House

T = TypeVar("T")

JSON = "--json"
_LOG = structlog.get_logger("credence.command")

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where database and keys lie; wins over all other settings.")
]
AsJson = Annotated[bool, typer.Option(JSON, help="One JSON object in place of text.")]
Tenant = Annotated[str | None, typer.Option("--tenant", help="The company's id; may be left out where there is one.")]


def loaded(data_dir: Path | None) -> Settings:
    """The settings of this command; logs go to standard error."""
    found = settings.load(data_dir=data_dir)
    set_log(found.log)
    return found


def in_house(found: Settings, work: Callable[[House], Coroutine[Any, Any, T]]) -> T:
    """What some work in the open house gives."""
    from api.app import open_house  # noqa: PLC0415 - commands that need no house start faster

    async def run() -> T:
        async with open_house(found) as house:
            try:
                return await work(house)
            finally:
                if house.opened.tenants():
                    await _told_of(house)

    return asyncio.run(run())


async def _told_of(house: House) -> None:
    """What a command opened is held against the log like what a server opens."""
    from api.jobs.supervising import Supervisor  # noqa: PLC0415 - most commands open nothing

    await Supervisor(house).report()


async def tenant_of(house: House, given: str | None) -> Id:
    """The company a command is about.

    Raises: Malformed; NotFound; and where none is named and there is not exactly one.
    """
    from api.app import INSTALLATION  # noqa: PLC0415 - the same

    served = [tenant for tenant in await house.store.tenants() if tenant != INSTALLATION]
    if given is not None:
        if check(given, "te") not in {*served, INSTALLATION}:
            raise NotFound("There is no such company here.", advice="`credence tenant list` shows which there are.")
        return Id(given)
    if len(served) != 1:
        raise Malformed(
            f"There are {len(served)} companies here.",
            advice="Name one with --tenant; `credence tenant open NAME` opens one.",
            path=("tenant",),
        )
    return served[0]


def answer(found: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Says what a command found."""
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else text)


def told(error: CreditError, *, as_json: bool = False) -> None:
    """Says why a command ended: a sentence and advice on standard error, or one object where objects are asked for."""
    _told(error.code.value, error.message, error.advice, error.path, as_json=as_json)


def failed_inside(bug: BaseException, *, as_json: bool) -> None:
    """Says that something failed for no reason the product knows; the log gets its type and where, never a value."""
    frames = [f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in traceback.extract_tb(bug.__traceback__)]
    _LOG.error("A command failed inside.", type=type(bug).__qualname__, frames=frames[-20:])
    advice = "Try again; if it stays, send what the log says to whoever maintains it."
    _told("INTERNAL", f"Something failed inside: {type(bug).__qualname__}.", advice, (), as_json=as_json)


def unusable(failure: OSError) -> Malformed:
    """What the machine does not let a command do, as an error of the product."""
    what = "The machine refuses this" if failure.filename is None else f"{failure.filename} cannot be used"
    return Malformed(
        f"{what}: {failure.strerror or type(failure).__name__}.",
        advice="Check that the path is the one you mean, and that you may read and write there.",
    )


def _told(code: str, message: str, advice: str, path: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        error = {"code": code, "message": message, "advice": advice, "path": list(path)}
        typer.echo(json.dumps({"error": error}, ensure_ascii=False))
        return
    place = f" ({'.'.join(path)})" if path else ""
    typer.echo(f"{code}{place}: {message}\n{advice}", err=True)


@contextmanager
def thrown_away(prefix: str) -> Iterator[Path]:
    """A directory that is gone when the command ends, also when it is told to end."""

    def end(_signal: int, _frame: object) -> NoReturn:
        sys.exit(0)

    before = signal.signal(signal.SIGTERM, end)
    try:
        with tempfile.TemporaryDirectory(prefix=prefix) as folder:
            yield Path(folder)
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def progress(what: str, *, shown: bool) -> Iterator[Callable[[float, str], None]]:
    """A bar on standard error while something long runs; it takes the share that is done and a word about it."""
    if not shown or not sys.stderr.isatty():
        yield lambda _share, _note: None
        return
    from rich.console import Console  # noqa: PLC0415 - only long commands draw
    from rich.progress import (  # noqa: PLC0415 - the same
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=1.0, note="")
        yield lambda share, note: bar.update(task, completed=share, note=note)
