"""Commands of the audit log: export it as plain files, have them cosigned, verify them without the database or us."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, tenant_of
from api.log import set_log
from domain.custody.pruning import Prunable, PruneAuditLog
from domain.errors import Malformed, NotFound

if TYPE_CHECKING:
    from api.app import House

KEY = "key"
"""The file beside an export that names the key it was signed with; an auditor pins that key from elsewhere."""

INSTANTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


class Shape(Enum):
    """As what a log is exported."""

    TILES = "tiles"
    JSONL = "jsonl"
    CSV = "csv"


class Algorithm(Enum):
    """What a witness cosigns with."""

    ED25519 = "ed25519"
    ML_DSA_44 = "ml-dsa-44"


audit = typer.Typer(help="The audit log.", no_args_is_help=True)


@audit.command()
def export(  # noqa: PLR0913, PLR0917 - the options of a command
    target: Annotated[
        Path,
        typer.Argument(help="A folder for the log's own files, which extend an older export; or the file to list in."),
    ],
    form: Annotated[Shape, typer.Option("--as", help="The log's own files, or a list of its entries.")] = Shape.TILES,
    since: Annotated[datetime | None, typer.Option(formats=INSTANTS, help="Lists from an instant on, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=INSTANTS, help="Lists before an instant, UTC.")] = None,
    actor: Annotated[str, typer.Option(help="Lists what one actor did.")] = "",
    action: Annotated[str, typer.Option(help="Lists one action, noun:verb.")] = "",
    subject: Annotated[str | None, typer.Option(help="Lists what is about one customer (cu_…).")] = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Writes the log: whole, as files with its newest signed checkpoint (C2SP tlog-tiles), or as a list of entries."""
    conditions = {"since": _utc(since), "until": _utc(until), "actor": actor, "action": action, "subject": subject}
    if form is Shape.TILES:
        if any(conditions.values()):
            raise Malformed(
                "The log's own files hold all of it.", advice="Choose --as jsonl or --as csv for a part.", path=("as",)
            )
        _whole(target, tenant, data_dir, as_json=as_json)
        return

    async def work(house: House) -> int:
        own = await tenant_of(house, tenant)
        return await house.list_log(own, target, form.value, conditions)

    count = in_house(loaded(data_dir), work)
    found = {"file": str(target), "entries": count}
    answer(
        found,
        f"{count} entries in {target}. They prove nothing by themselves: the log's own files do.",
        as_json=as_json,
    )


@audit.command()
def witnesses(
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    ask: Annotated[bool, typer.Option("--ask", help="Asks every one of them now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Shows how far each witness that is set has come with a log. Ends with 1 where one of them is not up to it."""
    from api.jobs.cosigning import cosigning  # noqa: PLC0415 - the whole house is behind it

    async def work(house: House) -> list[dict[str, Any]]:
        own, asked = await tenant_of(house, tenant), cosigning(house)
        if ask:
            await asked.ask(own, now=True)
        return [
            {"witness": one.witness, "url": one.url, "state": one.state.value, "entries": one.size}
            | {"behind": one.behind, "at": one.at and one.at.isoformat(), "said": one.said}
            for one in await asked.told(own)
        ]

    found = in_house(loaded(data_dir), work)
    lines = [
        f"{one['witness']} at {one['url']}: {one['entries']} entries cosigned, {one['behind']} behind"
        + (f", {one['state']}: {one['said']}" if one["said"] else "")
        for one in found
    ]
    answer({"witnesses": found}, "\n".join(lines) or "No witnesses are set (CREDENCE_WITNESSES).", as_json=as_json)
    if any(one["behind"] for one in found):
        raise typer.Exit(1)


@audit.command()
def prune(
    tenant: Tenant = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tells how many would go, and removes nothing.")] = False,  # noqa: FBT002 - a flag
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Removes the entries that are past their time by the rule for them. Hashes stay, and every proof; holds count."""
    from api.app import job  # noqa: PLC0415 - the whole house is behind it

    async def work(house: House) -> Prunable:
        own = await tenant_of(house, tenant)
        await house.store.bring_up(own)  # what nobody finds yet is not looked at
        performed = await house.gate.perform(PruneAuditLog(dry=dry_run), job(own, "retention"), request="command")
        return performed.value

    found = in_house(loaded(data_dir), work)
    told = {"rule": found.rule, "before": found.before.isoformat(), "minimum": found.minimum}
    told |= {"entries": found.entries, "held": found.held, "dryRun": dry_run}
    verb = "would go" if dry_run else "went"
    text = f"{found.entries} entries {verb} by {found.rule}; the minimum index is {found.minimum}."
    text += " A legal hold keeps others that are past their time." if found.held else ""
    answer(told, text, as_json=as_json)


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.replace(tzinfo=UTC)


def _whole(folder: Path, tenant: str | None, data_dir: Path | None, *, as_json: bool) -> None:
    from api.jobs.cosigning import cosigning  # noqa: PLC0415 - the whole house is behind it

    async def work(house: House) -> dict[str, Any]:
        own = await tenant_of(house, tenant)
        witnesses = cosigning(house)
        checkpoint = await house.export_log(own, folder, partial(witnesses.ask, now=True))
        key = await house.verifying_key(own)
        (folder / KEY).write_text(key + "\n", encoding="ascii")
        return {"folder": str(folder), "entries": int(checkpoint.splitlines()[1]), "key": key}

    found = in_house(loaded(data_dir), work)
    text = f"{found['entries']} entries in {folder}.\nKey to pin: {found['key']}"
    answer(found, text, as_json=as_json)


@audit.command()
def verify(  # noqa: PLR0913 - the options of a command
    folder: Annotated[Path | None, typer.Argument(help="The exported log; or name where it is served.")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="A pinned key, name+id+base64; may be given more than once. Otherwise the file `key`."),
    ] = None,
    earlier: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint kept from before; may be given more than once.")
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(help="The key of a witness that must have cosigned; may be given more than once."),
    ] = None,
    quorum: Annotated[
        int | None, typer.Option(min=0, help="How many of the witnesses must have cosigned; otherwise all of them.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Where the log is served, such as https://credit.example/audit/te_….")
    ] = None,
    token: Annotated[str, typer.Option(help="An auditor's token, for the entries of a log that is served.")] = "",
    *,
    tree_only: Annotated[
        bool, typer.Option("--tree-only", help="Leaves the entries out, which only an auditor may fetch.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Checks a log: nothing altered, removed, reordered or cut off. Ends with 1 where something is wrong."""
    from api.app import Asked, verify_log, verify_served  # noqa: PLC0415 - verifying needs no house, only a reader

    if (folder is None) == (from_ is None):
        raise Malformed("Name a folder, or with --from where the log is served.", path=("folder",))
    if folder is not None and not folder.is_dir():
        raise NotFound("There is no such folder.", advice="Name the folder that `credence audit export` wrote.")
    asked = Asked(
        keys=key or [_key_beside(folder)],
        earlier=[path.read_text(encoding="utf-8", errors="replace") for path in earlier or ()],
        witnesses=witness or (),
        quorum=quorum,
        tree_only=tree_only,
    )
    report = verify_log(folder, asked) if folder is not None else verify_served(from_ or "", token, asked)
    lines = [str(problem) for problem in report.problems]
    said = str(report)
    if report.ok and key is None:
        said += "\nThe key came with the files: pin it from elsewhere with --key."
    elif report.ok and report.key not in asked.keys:
        said += f"\nThe key you pinned handed over to the one that signs now. Pin it beside: {report.key}"
    found = {"ok": report.ok, "entries": report.size, "root": report.root.hex(), "problems": lines}
    more = {"key": report.key, "pinned": key is not None, "pruned": report.pruned}
    answer(found | more, said, as_json=as_json)
    if not report.ok:
        raise typer.Exit(1)


@audit.command()
def cosign(
    folder: Annotated[Path, typer.Argument(help="The exported log.")],
    witness: Annotated[str, typer.Option(help="Where the witness answers, such as https://witness.example.")],
    key: Annotated[str, typer.Option(help="The key of the witness, name+id+base64.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Has a witness cosign an exported log; its signature goes into the checkpoint there."""
    from api import witness as program  # noqa: PLC0415 - a program of its own

    origin, size = asyncio.run(program.cosign(folder, witness, key))
    answer({"origin": origin, "entries": size}, f"{size} entries of {origin} are cosigned.", as_json=as_json)


@audit.command()
def certificate(
    file: Annotated[Path, typer.Argument(help="The certificate of an erasure, as it was given out.")],
    key: Annotated[
        list[str], typer.Option(help="A pinned key of the log, name+id+base64; may be given more than once.")
    ],
    log: Annotated[
        Path | None, typer.Option(help="An exported log, whose keys tell which came before and after the pinned ones.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Verifies a certificate of erasure, offline, and shows what it says."""
    from api.app import handovers_in, verify_certificate  # noqa: PLC0415 - verifying needs no house, only the vault's own reader

    text = file.read_text(encoding="utf-8", errors="replace")
    said = verify_certificate(text, *key, handovers=handovers_in(log) if log else ())
    lines = [f"{name}: {value}" for name, value in said.items()]
    answer({"ok": True, "certificate": dict(said)}, "\n".join(["The signature holds.", *lines]), as_json=as_json)


witness_ = typer.Typer(
    help="A witness: an auditor runs it elsewhere, and it cosigns what only grew.", no_args_is_help=True
)
Place = Annotated[Path, typer.Argument(help="The folder of the witness.")]


@witness_.command(name="open")
def open_(
    folder: Annotated[Path, typer.Argument(help="A new folder for its key, its logs and its state.")],
    name: Annotated[str, typer.Option(help="What its key is called, such as auditor.example/w1.")],
    algorithm: Annotated[
        Algorithm, typer.Option(help="What it cosigns with; ml-dsa-44 withstands quantum computers (C2SP).")
    ] = Algorithm.ED25519,
    *,
    as_json: AsJson = False,
) -> None:
    """Makes a new witness, and tells the key to pin."""
    from api import witness as program  # noqa: PLC0415 - a program of its own

    key = program.open_witness(folder, name, algorithm.value)
    answer({"key": key}, f"Key to pin: {key}", as_json=as_json)


@witness_.command()
def follow(
    folder: Place,
    key: Annotated[list[str], typer.Argument(help="The key of a log, name+id+base64; a log that changes it has two.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Follows a log from now on; a witness that serves has to be started again."""
    from api import witness as program  # noqa: PLC0415 - a program of its own

    keys = program.follow(folder, key)
    answer({"logs": list(keys)}, "\n".join(["Followed:", *keys]), as_json=as_json)


@witness_.command()
def show(folder: Place, *, as_json: AsJson = False) -> None:
    """Shows its key, and how many entries of each log it cosigned."""
    from api import witness as program  # noqa: PLC0415 - a program of its own

    key, logs = program.show(folder)
    lines = [f"{origin}: {size} entries cosigned." for origin, size in logs.items()]
    answer({"key": key, "logs": dict(logs)}, "\n".join([f"Key to pin: {key}", *lines]), as_json=as_json)


@witness_.command()
def serve(
    folder: Place,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535)] = 8100,
) -> None:
    """Serves the witness (C2SP tlog-witness), for one process at a time."""
    from api.cli.serving import serve_alone  # noqa: PLC0415 - a server is behind it
    from api.witness import Serving  # noqa: PLC0415 - the same

    set_log("text")
    serving = Serving(folder)
    try:
        serve_alone(serving.application, host, port, f"Key to pin: {serving.key.verifier()}")
    finally:
        serving.close()


def _key_beside(folder: Path | None) -> str:
    try:
        if folder is None:
            raise FileNotFoundError
        return (folder / KEY).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise Malformed(
            "No key is named, and there is none beside the log.",
            advice="Name the key you pinned with --key.",
            path=("key",),
        ) from None
