"""Commands of credit statements: what a holder does with one, and whether somebody who receives it believes it.

None of them needs a server, a database or the network: a statement, the keys of the company and, where one was fetched,
a status list are files.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import AsJson, answer
from domain.errors import Malformed

if TYPE_CHECKING:
    from api.app import Verdict

NOT_A_REPORT = "A company's statement about its own customer; it is no credit report (征信)."

statement = typer.Typer(help="Credit statements: for holders and for whoever receives one.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The statement.")]


@statement.command()
def key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; never over another file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Makes the key of a holder, and prints its public part: what a statement is asked for with."""
    from api.app import (  # noqa: PLC0415 - signing is loaded where it is used
        new_holder_key,
        private_text,
        public_text,
        write_private_key,
    )

    made = new_holder_key()
    write_private_key(file, private_text(made))
    found = json.loads(public_text(made))
    answer(found, json.dumps(found), as_json=as_json)


@statement.command()
def present(
    file: File,
    key: Annotated[Path, typer.Option(help="The holder's private key.")],
    aud: Annotated[str, typer.Option("--aud", help="Whom it is shown to, as they told it.")],
    nonce: Annotated[str, typer.Option(help="The occasion, as they told it.")],
    show: Annotated[
        str, typer.Option(help="What is shown, with commas: grade_at_least_B,as_of. Nothing else is.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Where it goes; otherwise it is printed.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Shows a part of a statement to somebody, signed by its holder for them and for this occasion alone."""
    from api.app import holder_key, present_statement  # noqa: PLC0415 - the same

    names = [name.strip() for name in show.split(",") if name.strip()]
    own, now = holder_key(_json(key, "key")), int(datetime.now(UTC).timestamp())
    shown = present_statement(_text(file), own, show=names, audience=aud, nonce=nonce, now=now)
    if out is not None:
        out.write_text(shown + "\n", encoding="ascii")
    text = shown if out is None else f"{out} shows {', '.join(names) or 'nothing but that it counts'}."
    answer({"presentation": shown, "shows": names}, text, as_json=as_json)


@statement.command()
def verify(
    file: File,
    keys: Annotated[Path, typer.Option(help="The company's keys: its /.well-known/credence-keys.json?company=te_….")],
    status: Annotated[Path | None, typer.Option(help="The status list that the statement names.")] = None,
    nonce: Annotated[str | None, typer.Option(help="The occasion it has to be presented for.")] = None,
    aud: Annotated[str | None, typer.Option("--aud", help="Whom it has to be presented to: you.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Says what of a statement is true and how fresh that is. Ends with 1 where it is not to be believed."""
    from api.app import verify_statement  # noqa: PLC0415 - the same

    listed = _text(status) if status is not None else None
    verdict = verify_statement(
        _text(file), _json(keys, "keys"), listed, now=datetime.now(UTC), audience=aud, nonce=nonce
    )
    answer(_told(verdict), _said(verdict), as_json=as_json)
    if not verdict.ok:
        raise typer.Exit(1)


def _told(verdict: Verdict) -> dict[str, Any]:
    from api.app import reason_words  # noqa: PLC0415 - the same

    if verdict.reason is not None:
        says, advice = reason_words(verdict)
        return {"ok": False, "reason": verdict.reason.value, "says": says, "advice": advice}
    shown = verdict.presented
    return {
        "ok": True,
        "issuer": verdict.issuer,
        "claims": dict(verdict.claims),
        "issuedAt": _time(verdict.issued_at),
        "expiresAt": _time(verdict.expires_at),
        "presented": None
        if shown is None
        else {"at": _time(shown.at), "audience": shown.audience, "nonce": shown.nonce},
        "statusList": verdict.list_uri,
        "statusAt": _time(verdict.status_at),
    }


def _said(verdict: Verdict) -> str:
    told = _told(verdict)
    if not told["ok"]:
        return f"Not to be believed: {told['says']} ({told['reason']})\n{told['advice']}"
    lines = [f"True, by {told['issuer']}:"]
    lines += [f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in told["claims"].items()]
    lines += [f"Issued {told['issuedAt']}, counts until {told['expiresAt']}."]
    shown = told["presented"]
    lines.append(
        "Whoever sent it did not prove to be its holder: ask for a presentation with --aud and --nonce."
        if shown is None
        else f"Presented by its holder {shown['at']} to {shown['audience']}, occasion {shown['nonce']}."
    )
    lines.append(
        f"Whether it was revoked is not known: fetch {told['statusList']} and name it with --status."
        if told["statusAt"] is None
        else f"Not revoked as of {told['statusAt']}."
    )
    return "\n".join([*lines, NOT_A_REPORT])


def _time(instant: datetime | None) -> str | None:
    return None if instant is None else instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _json(path: Path, name: str) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError):
        raise Malformed("The file is no JSON.", advice=f"Check what --{name} names.", path=(name,)) from None
