"""The commands that take consents over from other systems, and write them out."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, tenant_of
from domain.errors import CreditError, Malformed
from domain.files.sources import LawfulBasis
from domain.ids import check

if TYPE_CHECKING:
    from api.app import House, Judged
    from api.consents.words import Words
    from domain.actors import Actor

MAX_BYTES = 64 * 1024 * 1024
REJECTED = "REJECTED"
consents = typer.Typer(help="Consents as JSON-LD, in the form of ISO/IEC TS 27560.", no_args_is_help=True)


@consents.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="JSON-LD: one record, a list, or one a line.", exists=True, dir_okay=False)
    ],
    source: Annotated[str, typer.Option("--source", help="The name of the registered source it comes from.")],
    tenant: Tenant = None,
    map_: Annotated[
        Path | None, typer.Option("--map", help="TOML: what words of the file mean here.", exists=True, dir_okay=False)
    ] = None,
    basis: Annotated[LawfulBasis, typer.Option(help="The lawful basis the records are kept on.")] = LawfulBasis.CONSENT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Checks every record and stores none.")] = False,  # noqa: FBT002 - a flag
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Takes consents over. Of each record all consents are stored, or nothing; ends with 1 where one was rejected."""
    from api.consents import jsonld  # noqa: PLC0415 - other commands start faster
    from api.consents.words import words  # noqa: PLC0415 - the same

    known, records = words(map_), list(jsonld.records(_text(file)))

    async def work(house: House) -> list[dict[str, Any]]:
        from api.app import job  # noqa: PLC0415 - the same

        actor = job(await tenant_of(house, tenant), "consents")
        return [
            {"record": number, **await _taken(house, actor, raw, known, (source, basis, dry_run))}
            for number, raw in enumerate(records, start=1)
        ]

    told = in_house(loaded(data_dir), work)
    counts = Counter(one["outcome"] for one in told)
    lines = [", ".join(f"{count} {outcome.lower()}" for outcome, count in counts.items()) or "No record in the file"]
    for one in told:
        if one["outcome"] == REJECTED:
            place = f" ({'.'.join(one['path'])})" if one["path"] else ""
            lines.append(f"Record {one['record']}: {one['code']}{place}: {one['message']} {one['advice']}")
    answer({"records": told}, "\n".join(lines), as_json=as_json)
    if counts[REJECTED]:
        raise typer.Exit(1)


async def _taken(
    house: House, actor: Actor, raw: Any, known: Words, given: tuple[str, LawfulBasis, bool]
) -> dict[str, Any]:
    """What became of one record."""
    from api.consents.reading import read  # noqa: PLC0415 - the same
    from domain.consent.moving import ImportConsents  # noqa: PLC0415 - the same

    source, basis, dry = given
    try:
        found = read(raw, known)
        operation = ImportConsents(
            source=source,
            lawful_basis=basis,
            reference=found.reference,
            consents=found.consents,
            original=json.dumps(raw, separators=(",", ":")),
            dry=dry,
        )
        ended = await house.gate.perform(operation, actor, request="command")
    except Malformed as error:
        return _rejected(error)
    except CreditError as error:
        if error.code.value != "CONFLICT":
            raise
        return _rejected(error)
    ids = [] if dry else [consent.id for consent in ended.value.consents]
    return {"outcome": ended.value.taken.value, "consents": ids}


def _rejected(error: CreditError) -> dict[str, Any]:
    return {
        "outcome": REJECTED,
        "code": error.code.value,
        "message": error.message,
        "advice": error.advice,
        "path": list(error.path),
    }


def _text(file: Path) -> str:
    if file.stat().st_size > MAX_BYTES:
        raise Malformed(f"The file has more than {MAX_BYTES} bytes.", advice="Split it.", path=("file",))
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("The file is not in UTF-8.", advice="Convert it first.", path=("file",)) from None


@consents.command("export")
def export(
    credit_file: Annotated[str, typer.Argument(help="The id of the credit file.")],
    consent: Annotated[str | None, typer.Option("--consent", help="The id of one consent; all otherwise.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Where it is written; to the terminal otherwise.")
    ] = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
) -> None:
    """Writes consents out as JSON-LD, one record a line; who did it is recorded first."""
    from api.consents.writing import written  # noqa: PLC0415 - other commands start faster
    from domain.consent.moving import ExportConsents  # noqa: PLC0415 - the same

    operation = ExportConsents(
        credit_file=check(credit_file, "cf"), consent=None if consent is None else check(consent, "co")
    )

    async def work(house: House) -> list[str]:
        from api.app import job  # noqa: PLC0415 - the same

        actor = job(await tenant_of(house, tenant), "consents")
        ended = await house.gate.perform(operation, actor, request="command")
        return [written(whole) for whole in ended.value.consents]

    text = "".join(line + "\n" for line in in_house(loaded(data_dir), work))
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


@consents.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The receipt, as takeConsentReceipt answers it.", exists=True)],
    keys: Annotated[
        Path, typer.Option(help="The company's keys: its /.well-known/credence-keys.json?company=te_….", exists=True)
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Says what a receipt of a consent attests; needs no network. Ends with 1 where it is not to be believed."""
    from api.app import judge_receipt  # noqa: PLC0415 - signing is loaded where it is used

    try:
        known = json.loads(_text(keys))
    except (ValueError, RecursionError):
        raise Malformed("The file is no JSON.", advice="Check what --keys names.", path=("keys",)) from None
    judged = judge_receipt(_text(file), known, datetime.now(UTC))
    answer(_judged(judged), _said(judged), as_json=as_json)
    if not judged.ok:
        raise typer.Exit(1)


def _judged(judged: Judged) -> dict[str, Any]:
    if judged.reason is not None:
        says, advice = judged.words
        return {"ok": False, "reason": judged.reason.value, "says": says, "advice": advice}
    return {
        "ok": True,
        "issuer": judged.issuer,
        "asOf": judged.issued_at and judged.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "auditEntry": judged.entry,
        "sha256": judged.digest,
        "consent": dict(judged.record),
    }


def _said(judged: Judged) -> str:
    told = _judged(judged)
    if not told["ok"]:
        return f"Not to be believed: {told['says']} ({told['reason']})\n{told['advice']}"
    consent = json.dumps(told["consent"], ensure_ascii=False, indent=2)
    return (
        f"True as of {told['asOf']}, by {told['issuer']}:\n{consent}\n"
        f"The audit entry {told['auditEntry']} holds the same digest: {told['sha256']}.\n"
        "What was done since, such as a withdrawal, this receipt cannot know: ask for a new one."
    )
