"""Commands of the credit policy: write a version, see what it changes, try it on the whole book, submit it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, progress, tenant_of
from domain.errors import Malformed, NotFound

if TYPE_CHECKING:
    from api.app import House
    from domain.assessment.versions.simulations import PolicySimulation
    from domain.ids import Id
    from domain.operations import Operation
    from domain.reading import Reading

AUTHOR = "credit_policy_author"
"""The role in which the operator writes; whoever decides is another person, over the interface."""
IN_FORCE = "in-force"
PRODUCT = "product"

policy = typer.Typer(help="The credit policy: versions, what they change, and simulations.", no_args_is_help=True)

Version = Annotated[str, typer.Argument(help=f"Its id (po_…), its number, or `{IN_FORCE}`.")]


@policy.command("list")
def list_versions(tenant: Tenant = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Lists the versions of a company's credit policy."""

    async def work(house: House) -> list[dict[str, Any]]:
        return [_told(row) for row in await _rows(house, await tenant_of(house, tenant))]

    found = in_house(loaded(data_dir), work)
    answer({"versions": found}, "\n".join(map(_line, found)) or "There is none.", as_json=as_json)


@policy.command()
def show(version: Version, tenant: Tenant = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Shows one version: where it stands, what it changes, and what its simulation found."""

    async def work(house: House) -> dict[str, Any]:
        own = await tenant_of(house, tenant)
        row = await _version(house, own, version)
        return _told(row) | {"changes": _plain(row["changes"]), "simulated": await _simulation(house, own, row)}

    found = in_house(loaded(data_dir), work)
    lines = [_line(found), f"Digest: {found['digest']}", f"Why: {found['reason']}", *_changed(found["changes"])]
    answer(found, "\n".join([*lines, *_outcome(found["simulated"])]), as_json=as_json)


@policy.command()
def draft(
    document: Annotated[Path, typer.Argument(help="The whole document, as JSON.", exists=True, dir_okay=False)],
    reason: Annotated[str, typer.Option(help="Why it is drafted.")],
    revise: Annotated[str | None, typer.Option(help="The draft (po_…) that gets this content.")] = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Drafts a version, or gives a draft another content; every problem is told with its place in the document."""
    from domain.assessment.versions.drafting import DraftCreditPolicy, ReviseCreditPolicy  # noqa: PLC0415 - the same
    from domain.ids import check  # noqa: PLC0415 - other commands start faster

    text = _text(document)
    asked: Operation[Any] = DraftCreditPolicy(document=text, reason=reason)
    if revise is not None:
        asked = ReviseCreditPolicy(policy=check(revise, "po"), document=text, reason=reason)
    found = in_house(loaded(data_dir), lambda house: _performed(house, tenant, asked))
    kept = {"id": found.id, "number": found.number, "state": found.state.value, "digest": found.content_digest}
    kept["changes"] = _plain(found.changes)
    lines = [f"Version {found.number} is drafted: {found.id}", *_changed(kept["changes"])]
    lines.append(f"Next: credence policy simulate {found.id}")
    answer(kept, "\n".join(lines), as_json=as_json)


@policy.command()
def diff(
    before: Annotated[str, typer.Argument(help=f"A version, `{IN_FORCE}`, `{PRODUCT}`, or a file.")],
    after: Annotated[str, typer.Argument(help=f"A version, `{IN_FORCE}`, `{PRODUCT}`, or a file.")],
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Shows what one version changes against another, place by place."""
    from domain.assessment.versions.changes import changes_between  # noqa: PLC0415 - the same
    from domain.assessment.versions.reading import read_document  # noqa: PLC0415 - the same

    async def work(house: House) -> tuple[str, str]:
        own = await tenant_of(house, tenant)
        return (await _document(house, own, before), await _document(house, own, after))

    alone = [_offline(one) for one in (before, after)]
    texts = alone if None not in alone else in_house(loaded(data_dir), work)
    left, right = (read_document(text or "") for text in texts)
    found = _plain(changes_between(left, right))
    told = "\n".join(_changed(found)) or "They say the same."
    answer({"before": left.digest, "after": right.digest, "changes": found}, told, as_json=as_json)


@policy.command()
def simulate(version: Version, tenant: Tenant = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Tries a draft on every open file, beside the version in force, and keeps what it would change."""
    from domain.assessment.versions.simulating import SimulateCreditPolicy  # noqa: PLC0415 - the same

    async def work(house: House) -> PolicySimulation:
        from api.app import operator  # noqa: PLC0415 - the same
        from api.simulating import counted_for  # noqa: PLC0415 - the same

        own = await tenant_of(house, tenant)
        actor, row = operator(own, AUTHOR), await _version(house, own, version)
        with progress("Simulating", shown=not as_json) as told:
            asked = SimulateCreditPolicy(policy=row["id"])
            ready = await counted_for(house, actor, asked, told=told, request="command")
        return (await house.gate.perform(ready, actor, request="command")).value

    run = in_house(loaded(data_dir), work)
    found = _figures({name: getattr(run, name) for name in ("id", *run.shape.facts)})
    answer(found, "\n".join(_outcome(found)), as_json=as_json)


@policy.command()
def submit(version: Version, tenant: Tenant = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Submits a simulated draft for review; another person approves it by its digest, over the interface."""
    from domain.assessment.versions.drafting import SubmitCreditPolicy  # noqa: PLC0415 - the same

    async def work(house: House) -> Any:
        row = await _version(house, await tenant_of(house, tenant), version)
        return await _performed(house, tenant, SubmitCreditPolicy(policy=row["id"]))

    found = in_house(loaded(data_dir), work)
    told = f"{found.id} is {found.state.value}. Another person approves its content: {found.content_digest}"
    answer({"id": found.id, "state": found.state.value, "digest": found.content_digest}, told, as_json=as_json)


@policy.command()
def schema() -> None:
    """Prints the JSON schema of a document."""
    from domain.assessment.versions.form import document_schema  # noqa: PLC0415 - the same

    typer.echo(json.dumps(document_schema(), ensure_ascii=False, indent=2))


@policy.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where the document goes.")],
    version: Annotated[str, typer.Option(help=f"Which version; `{PRODUCT}` is the product's own.")] = IN_FORCE,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Writes the document of a version under the number the next draft has, to be changed and drafted."""

    async def work(house: House) -> tuple[str, int]:
        own = await tenant_of(house, tenant)
        numbers = [row["number"] for row in await _rows(house, own)]
        return await _document(house, own, version), max(numbers, default=0) + 1

    text, number = in_house(loaded(data_dir), work)
    document = json.loads(text) | {"number": number}
    file.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    answer({"file": str(file), "number": number}, f"Written to {file}, as version {number}.", as_json=as_json)


async def _performed(house: House, tenant: str | None, asked: Operation[Any]) -> Any:
    from api.app import operator  # noqa: PLC0415 - the same

    actor = operator(await tenant_of(house, tenant), AUTHOR)
    return (await house.gate.perform(asked, actor, request="command")).value


async def _read(house: House, tenant: Id, reading: Reading, *asked: Any) -> dict[str, Any]:
    """A page of a reading that passed the Gate."""
    from api.app import operator  # noqa: PLC0415 - the same
    from api.granting import planned  # noqa: PLC0415 - the same
    from domain.assessment.versions.listing import HELD  # noqa: PLC0415 - the same

    actor = operator(tenant, AUTHOR)
    plan = await planned(house, actor, reading)
    page: dict[str, Any] = (await house.gate.read(plan, actor, asked, request="command"))[HELD]
    return page


async def _rows(house: House, tenant: Id) -> list[dict[str, Any]]:
    from domain.assessment.versions.listing import listing  # noqa: PLC0415 - the same

    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = await _read(house, tenant, listing(), 100, after)
        found += page["rows"]
        if not page["more"]:
            return sorted(found, key=lambda row: row["number"])
        after = page["cursors"][-1]


async def _version(house: House, tenant: Id, named: str) -> dict[str, Any]:
    from domain.assessment.versions.listing import one  # noqa: PLC0415 - the same

    if named == IN_FORCE:
        now = house.clock.now()
        timed = [(at, row["number"], row["id"]) for row in await _rows(house, tenant) if (at := _counts_from(row))]
        named = max((one for one in timed if one[0] <= now), default=(now, 0, ""))[2]
    asked: Any = int(named) if named.isdecimal() and len(named) < len(str(2**31)) else named
    page = await _read(house, tenant, one(number=isinstance(asked, int)), 1, asked)
    if not page["rows"]:
        raise NotFound("There is no such version.", advice="See `credence policy list`.", path=("version",))
    row: dict[str, Any] = page["rows"][0]
    return row


def _counts_from(row: dict[str, Any]) -> datetime | None:
    """From when a version counts that is in force or scheduled."""
    at, stands = row["in_force_from"], _word(row["state"]) in {"IN_FORCE", "SCHEDULED"}
    if at is None or not stands:
        return None
    return datetime.fromisoformat(at) if isinstance(at, str) else at


async def _simulation(house: House, tenant: Id, row: dict[str, Any]) -> dict[str, Any] | None:
    from domain.assessment.versions.listing import simulation  # noqa: PLC0415 - the same

    if row["simulation"] is None:
        return None
    return _figures((await _read(house, tenant, simulation(), 1, row["simulation"]))["rows"][0])


def _offline(named: str) -> str | None:
    """The document that needs no house: the product's own, or a file."""
    if named == PRODUCT:
        from domain.assessment.policies import text_of  # noqa: PLC0415 - the same
        from domain.assessment.version_one import VERSION_ONE  # noqa: PLC0415 - the same

        return text_of(VERSION_ONE)
    path = Path(named)
    return _text(path) if path.is_file() else None


async def _document(house: House, tenant: Id, named: str) -> str:
    alone = _offline(named)
    return alone if alone is not None else str((await _version(house, tenant, named))["document"])


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "number": row["number"],
        "state": _word(row["state"]),
        "digest": row["content_digest"],
        "inForceFrom": row["in_force_from"] and _instant(row["in_force_from"]),
        "reason": row["reason"],
        "draftedBy": row["drafted_by"],
        "authors": list(row["authors"]),
        "decidedBy": row["decided_by"],
        "simulation": row["simulation"],
    }


def _line(one: dict[str, Any]) -> str:
    since = f", in force from {one['inForceFrom']}" if one["inForceFrom"] else ""
    return f"{one['number']} {one['id']} {one['state']} {one['digest'][:12]}, drafted by {one['draftedBy']}{since}"


def _changed(changes: list[dict[str, Any]]) -> list[str]:
    return [
        f"{one['section']}: {one['place'] or 'all of it'}: {one['before'] or 'nothing'} → {one['after'] or 'nothing'}"
        for one in changes
    ]


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    """A simulation as plain JSON."""
    whole = {name: row[name] for name in ("files", "failed", "winners", "losers", "mixed", "ungraded")}
    return {
        "id": row["id"],
        "policy": row["policy"],
        "digest": row["content_digest"],
        "against": row["against"],
        "inputs": row["inputs_digest"],
        **whole,
        "newlyBlocked": row["newly_blocked"],
        "newlyUngraded": row["newly_ungraded"],
        "currency": row["limit_before"].currency,
        "limitBefore": str(row["limit_before"].amount),
        "limitAfter": str(row["limit_after"].amount),
        "migrations": _plain(row["migrations"]),
        "segments": _plain(row["segments"]),
    }


def _outcome(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return ["It was not simulated."]
    return [
        f"{found['files']} files: {found['winners']} win, {found['losers']} lose, {found['mixed']} both.",
        f"Newly blocked: {found['newlyBlocked']}; newly without a grade: {found['newlyUngraded']}.",
        f"Not to be assessed: {found['failed']}.",
        f"Limits: {found['limitBefore']} → {found['limitAfter']} {found['currency']}",
        *(
            f"  {one['before']} → {one['after']}: {one['files']} files, {one['limit_before']} → {one['limit_after']}"
            for one in found["migrations"]
        ),
        *(
            f"  {one['kind']} {one['segment']}: {one['files']} files, {one['winners']} win, {one['losers']} lose, "
            f"{one['limit_before']} → {one['limit_after']}"
            for one in found["segments"]
        ),
    ]


def _plain(values: Any) -> Any:
    from domain.canonical import plain  # noqa: PLC0415 - the same

    return plain(list(values))


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def _instant(value: Any) -> str:
    return value if isinstance(value, str) else str(value.isoformat())


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Malformed(f"{file} is no UTF-8.", path=("file",)) from None
