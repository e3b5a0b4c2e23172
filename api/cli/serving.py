"""Commands that serve: one installation as it is set, or a demo that is thrown away."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api import settings
from api.cli.console import AsJson, DataDir, loaded, progress, thrown_away
from domain.errors import Malformed

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from api.settings import Settings

PARTNER_KEY = "partner-key.json"
Port = Annotated[int, typer.Option("--port", min=0, max=65_535)]


def join(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(serve)
    app.command()(demo)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one needs PostgreSQL.")] = 1,
    data_dir: DataDir = None,
) -> None:
    """Serves the API."""
    found = loaded(data_dir)
    if workers > 1 and found.database_url.startswith("sqlite"):
        raise Malformed("SQLite is for one process.", advice="Set CREDENCE_DATABASE_URL to a PostgreSQL database.")
    taken = _listening(host, port)
    told = f"Serving on {_address(taken)}. Ctrl-C ends it."
    if workers > 1:
        taken.close()
        typer.echo(told, err=True)
        _serve_many(host, port, workers, data_dir)
    else:
        _serve_one(found, taken, lambda: typer.echo(told, err=True))


def demo(
    port: Port = 8000,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="An empty directory to keep the demo in.")] = None,
    customers: Annotated[int, typer.Option(min=1, max=500, help="How many firms are invented.")] = 24,
    *,
    as_json: AsJson = False,
) -> None:
    """Invents a portfolio in a throw-away directory, prints tokens and queries, and serves until Ctrl-C."""
    if data_dir is not None:
        _demo(data_dir, port, customers, as_json=as_json)
        return
    with thrown_away("credence-demo-") as folder:
        _demo(folder, port, customers, as_json=as_json)


def _demo(folder: Path, port: int, customers: int, *, as_json: bool) -> None:
    from api.demo import invent  # noqa: PLC0415 - the whole house is behind it

    if folder.exists() and any(folder.iterdir()):
        raise Malformed("The directory is not empty.", advice="Name an empty one, or leave --data-dir out.")
    found = loaded(folder)
    taken = _listening("127.0.0.1", port)
    with progress("Inventing a portfolio", shown=not as_json) as show:
        made = asyncio.run(invent(found, customers, show))
    url = _address(taken)
    _write_key(folder / PARTNER_KEY, made["partner"]["key"])
    _serve_one(
        found, taken, lambda: typer.echo(json.dumps({"url": url, **made}) if as_json else _shown(url, made, folder))
    )


def _shown(url: str, made: dict[str, Any], folder: Path = Path()) -> str:
    """What the demo prints: where, who, and what to try."""
    tokens = "\n".join(f"  {role}\n    {token}" for role, token in made["tokens"].items())
    first = made["creditFiles"][0]
    queries = (
        "{ creditFiles(first: 3) { totalCount nodes { id name grade score creditLimit { amount currency } } } }",
        (
            f'{{ creditFile(id: "{first}") {{ name phoneMasked confidential(purpose: CREDIT_REVIEW) '
            "{ phone bankAccount withheld { field reason } } } }"
        ),
        (
            "{ auditEntries(first: 5, orderBy: {field: LOG_INDEX, direction: DESC}) "
            "{ nodes { at actor action outcome purpose fields } } }"
        ),
    )
    tries = "\n".join(f"  {query}" for query in queries)
    return (
        f"Every firm in this portfolio is invented (synthetic data).\n\n"
        f"API      {url}/graphql\nCompany  {made['tenant']}\nPartner  {made['partner']['id']}\n\n"
        f"One token per role, valid for 8 hours:\n{tokens}\n\n"
        f"Three queries to try, the first two as credit_manager, the third as auditor:\n{tries}\n\n"
        f"The partner's token is good with the partner's key alone, which lies in {folder / PARTNER_KEY}:\n"
        f"  TOKEN='…the token of partner_client…'\n"
        f'  PROOF=$(credence partner proof --key {folder / PARTNER_KEY} --url {url}/graphql --token "$TOKEN")\n'
        f'  curl -H "Authorization: DPoP $TOKEN" -H "DPoP: $PROOF" …, once and within a minute\n\n'
        f"Ctrl-C ends the demo."
    )


def _write_key(file: Path, key: dict[str, Any]) -> None:
    """The key of the demo's partner, for whoever started the demo."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as opened:
        json.dump(key, opened)


def _listening(host: str, port: int) -> socket.socket:
    """The socket a server will answer on, taken before anything is made for it.

    Raises: Malformed when nothing can listen there.
    """
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as failure:
        taken.close()
        raise Malformed(
            f"Nothing can listen on {host}, port {port}: {failure.strerror}.",
            advice="Name another with --port, or end what listens there.",
            path=("port",),
        ) from None
    return taken


def _address(taken: socket.socket) -> str:
    host, port = taken.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve_alone(application: ASGIApp, host: str, port: int, text: str) -> None:
    """Serves an application of its own, in one process, and says so."""
    taken = _listening(host, port)
    told = f"Serving on {_address(taken)}. Ctrl-C ends it.\n{text}"
    _run(application, taken, lambda: typer.echo(told, err=True))


def _serve_one(found: Settings, taken: socket.socket, told: Callable[[], None]) -> None:
    """Serves the API of an installation."""
    from api.served import Served  # noqa: PLC0415 - commands that do not serve start faster

    if not found.public_url and taken.getsockname()[0] not in {"0.0.0.0", "::"}:  # noqa: S104 - what is compared with
        found = replace(found, public_url=_address(taken))  # nobody said how others reach it
    _run(Served(found), taken, told)


def _run(application: ASGIApp, taken: socket.socket, told: Callable[[], None]) -> None:
    """Serves until it is told to end; what is told is told once it answers."""
    import uvicorn  # noqa: PLC0415 - commands that do not serve start faster

    from api.http.serving import configured  # noqa: PLC0415 - the same

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                told()

    server = Server(configured(application))
    server.run(sockets=[taken])
    if not server.started:
        raise typer.Exit(3)


def _serve_many(host: str, port: int, workers: int, data_dir: Path | None) -> None:
    import uvicorn  # noqa: PLC0415 - the same

    from api.http.serving import OPTIONS  # noqa: PLC0415 - the same

    if data_dir is not None:
        os.environ[settings.PREFIX + "DATA_DIR"] = str(data_dir)
    uvicorn.run("api.served:create", factory=True, host=host, port=port, workers=workers, **OPTIONS)
