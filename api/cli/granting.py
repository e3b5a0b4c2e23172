"""Commands of the grants: test them, compare them, explain them, and bring another version in with two persons."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, tenant_of
from domain.errors import Malformed

if TYPE_CHECKING:
    from api.app import House
    from domain.grants.effects import Compiled, GrantChange
    from domain.grants.snapshots import GrantsSnapshot
    from domain.ids import Id

RULES, TESTS = "rules.csv", "tests.yaml"
APPROVER = "management"
"""The role in which the operator decides on grants; to propose them takes another one, and both are one person."""

grants = typer.Typer(help="Who may do what: versions, tests and explanations.", no_args_is_help=True)

File = Annotated[
    Path | None, typer.Option("--rules", help="A file of rules, instead of the product's.", exists=True, dir_okay=False)
]
TestFiles = Annotated[
    list[Path] | None,
    typer.Option("--tests", help="A file of tests; may be given more than once.", exists=True, dir_okay=False),
]
Version = Annotated[str, typer.Argument(help="The id of the version (gr_…).")]


@grants.command("test")
def try_out(
    rules: File = None,
    tests: TestFiles = None,
    *,
    require_coverage: Annotated[
        bool, typer.Option("--require-coverage", help="Ends with 1 also where a rule is not tested.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Runs the tests of grants, the product's own or of files, and names the rules that no test rests on."""
    from api.app import product_grants  # noqa: PLC0415 - other commands start faster
    from domain.grants.cases import run  # noqa: PLC0415 - the same

    table = product_grants().table(_text(rules) if rules else None)
    ended = run(product_grants().cases([_text(one) for one in tests or ()]), table)
    count = len(table.snapshot.rules)
    told = [*ended.failures, *(f"No test rests on rule {one}." for one in ended.untested)]
    told.append(
        f"{ended.cases} cases, {ended.decisions} decisions, {len(ended.failures)} failed; "
        f"{count - len(ended.untested)} of {count} rules tested."
    )
    found = {
        "version": table.version,
        "cases": ended.cases,
        "decisions": ended.decisions,
        "failures": list(ended.failures),
        "rules": count,
        "untested": list(ended.untested),
    }
    answer(found, "\n".join(told), as_json=as_json)
    if not ended.green or (require_coverage and ended.untested):
        raise typer.Exit(1)


@grants.command()
def diff(
    rules: Annotated[Path, typer.Argument(help="A file of rules.", exists=True, dir_okay=False)],
    against: Annotated[
        Path | None, typer.Option(help="Another file; otherwise the product's rules.", exists=True, dir_okay=False)
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Against what is in force in this company.")] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Shows who would gain or lose which action, worked out from the compiled grants."""
    from api.app import product_grants  # noqa: PLC0415 - the same
    from domain.grants.effects import difference, digest_of  # noqa: PLC0415 - the same
    from domain.grants.separation import breaches  # noqa: PLC0415 - the same

    after = product_grants().table(_text(rules))
    before: Compiled = product_grants().table(_text(against) if against else None)
    if tenant is not None:
        before = in_house(loaded(data_dir), lambda house: _in_force(house, tenant))
    changes, broken = difference(before, after), list(breaches(after))
    told = [*_changes(changes), *broken] or ["Nobody gains or loses anything."]
    found = {"before": before.version, "after": after.version, "changes": _plain(changes), "refused": broken}
    answer(found | {"digest": digest_of(changes)}, "\n".join(told), as_json=as_json)
    if broken:
        raise typer.Exit(1)


@grants.command()
def explain(
    action: Annotated[str, typer.Argument(help="The action, noun:verb.")],
    role: Annotated[list[str], typer.Option("--role", help="A role; may be given more than once.")],
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tells why somebody with these roles may do something in a company, or may not; that it was asked is recorded."""
    from api.app import operator  # noqa: PLC0415 - the same
    from api.granting import explained  # noqa: PLC0415 - the same
    from domain.canonical import plain  # noqa: PLC0415 - the same

    async def work(house: House) -> Any:
        actor = operator(await tenant_of(house, tenant))
        await house.grants.notice(actor.tenant)
        return await explained(house, actor, action, role, request="command")

    found = in_house(loaded(data_dir), work)
    lines = [found.sentence, f"Grants version {found.version}."]
    answer({"explanation": plain(found)}, "\n".join(lines), as_json=as_json)


@grants.command()
def matrix(
    tenant: Annotated[str | None, typer.Option("--tenant", help="Of this company; otherwise the product's.")] = None,
    rules: File = None,
    html: Annotated[Path | None, typer.Option(help="Where to write it as a page to read and to print.")] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Shows which role may do what, or writes it as a page."""
    from api import matrix as pages  # noqa: PLC0415 - the same
    from api.app import product_grants  # noqa: PLC0415 - the same

    table: Compiled = product_grants().table(_text(rules) if rules else None)
    whose = f"Rules of {rules.name}" if rules else "Grants of the product"
    if tenant is not None:
        table, whose = in_house(loaded(data_dir), lambda house: _in_force(house, tenant)), f"Grants of {tenant}"
    if html is not None:
        html.write_text(pages.page(table, whose), encoding="utf-8")
    cells = {a: {r: table.cell(r, a).effect.value for r in table.roles} for a in sorted(table.actions)}
    found = {"version": table.version, "matrix": cells, "file": None if html is None else str(html)}
    answer(found, f"Written to {html}." if html else "\n".join(pages.lines(table)), as_json=as_json)


@grants.command()
def show(
    version: Annotated[str | None, typer.Argument(help="One version (gr_…); otherwise all.")] = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Shows the versions of a company's grants, or one with everything it changes."""

    async def work(house: House) -> tuple[str, list[dict[str, Any]]]:
        own = await tenant_of(house, tenant)
        rows = await _versions(house, own, version)
        return (await house.grants.table(own)).version, rows

    held, found = in_house(loaded(data_dir), work)
    lines = [f"In force: {held}."]
    for one in found:
        lines.append(
            f"{one['id']} {one['state']} {one['version'][:12]}, proposed by {one['proposedBy']}, "
            f"in force from {one['effectiveAt'] or 'its approval'}: {one['reason']}"
        )
        lines += [f"  {line}" for line in one["told"]] if version else []
    answer({"inForce": held, "versions": found}, "\n".join(lines), as_json=as_json)


@grants.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    tenant: Annotated[str | None, typer.Option("--tenant", help="Of this company; otherwise the product's.")] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Writes the rules and the tests in force as files, to be changed and proposed."""
    from api.app import product_grants  # noqa: PLC0415 - the same

    texts = (product_grants().rules, product_grants().tests)
    if tenant is not None:

        async def work(house: House) -> tuple[str, str]:
            from api.app import operator  # noqa: PLC0415 - the same
            from domain.grants.explaining import ReadGrantsMatrix  # noqa: PLC0415 - the same

            own = await tenant_of(house, tenant)
            await house.gate.perform(ReadGrantsMatrix(), operator(own), request="command")
            return await house.grants.texts(own)

        texts = in_house(loaded(data_dir), work)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip((RULES, TESTS), texts, strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    answer({"folder": str(folder), "files": [RULES, TESTS]}, f"{RULES} and {TESTS} in {folder}.", as_json=as_json)


@grants.command()
def propose(
    rules: Annotated[Path, typer.Argument(help="All the rules.", exists=True, dir_okay=False)],
    tests: Annotated[Path, typer.Option(help="What must come out under them.", exists=True, dir_okay=False)],
    reason: Annotated[str, typer.Option(help="Why they are proposed.")],
    effective_at: Annotated[str | None, typer.Option(help="From when, such as 2027-01-01T00:00:00+08:00.")] = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Proposes a version; another person than whoever runs this command approves it."""
    from api.app import operator  # noqa: PLC0415 - the same
    from api.granting import weighed  # noqa: PLC0415 - the same
    from domain.grants.changing import ProposeGrants  # noqa: PLC0415 - the same

    asked = ProposeGrants(rules=_text(rules), tests=_text(tests), reason=reason, effective_at=_instant(effective_at))

    async def work(house: House) -> GrantsSnapshot:
        actor = operator(await tenant_of(house, tenant))
        await house.grants.notice(actor.tenant)
        ready = await weighed(house, actor, asked)
        return (await house.gate.perform(ready, actor, request="command")).value

    draft = in_house(loaded(data_dir), work)
    lines = [f"Proposed: {draft.id}", *_changes(draft.changes), *draft.failures]
    lines.append(f"Another person approves these changes by their digest: {draft.changes_digest}")
    found = {"id": draft.id, "version": draft.content_digest, "changes": _plain(draft.changes)}
    found |= {"digest": draft.changes_digest, "failures": list(draft.failures), "untested": list(draft.untested)}
    answer(found, "\n".join(lines), as_json=as_json)


@grants.command()
def approve(
    version: Version,
    changes: Annotated[
        str | None, typer.Option(help="The digest of the changes; without it they are shown and nothing is approved.")
    ] = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Approves what a version changes; what was proposed by command on this machine is approved by somebody else."""
    from api.app import operator  # noqa: PLC0415 - the same
    from api.granting import weighed  # noqa: PLC0415 - the same
    from domain.grants.changing import ApproveGrants  # noqa: PLC0415 - the same
    from domain.ids import check  # noqa: PLC0415 - the same

    asked = ApproveGrants(snapshot=check(version, "gr"), changes_digest=changes or "")

    async def work(house: House) -> GrantsSnapshot | dict[str, Any]:
        own = await tenant_of(house, tenant)
        if changes is None:
            return next(iter(await _versions(house, own, version)), {})
        actor = operator(own, APPROVER)
        await house.grants.notice(own)
        ready = await weighed(house, actor, asked)
        return (await house.gate.perform(ready, actor, request="command")).value

    found = in_house(loaded(data_dir), work)
    if isinstance(found, dict):
        lines = [*found["told"], f"To approve exactly this: --changes {found['digest']}"]
        answer(found | {"approved": False}, "\n".join(lines), as_json=as_json)
        raise typer.Exit(1)
    told = f"{found.id} is {found.state.value}, in force from {found.effective_at}."
    kept = {"id": found.id, "state": found.state.value, "version": found.content_digest, "approved": True}
    answer(kept, told, as_json=as_json)


@grants.command()
def withdraw(version: Version, tenant: Tenant = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Takes a version back that is not in force yet: one person is enough to stop it."""
    from api.app import operator  # noqa: PLC0415 - the same
    from domain.grants.changing import WithdrawGrants  # noqa: PLC0415 - the same
    from domain.ids import check  # noqa: PLC0415 - the same

    asked = WithdrawGrants(snapshot=check(version, "gr"))

    async def work(house: House) -> GrantsSnapshot:
        return (await house.gate.perform(asked, operator(await tenant_of(house, tenant)), request="command")).value

    found = in_house(loaded(data_dir), work)
    answer({"id": found.id, "state": found.state.value}, f"{found.id} is {found.state.value}.", as_json=as_json)


async def _in_force(house: House, tenant: str) -> Compiled:
    """The grants in force in a company, once it is recorded who reads them."""
    from api.app import operator  # noqa: PLC0415 - the same
    from domain.grants.explaining import ReadGrantsMatrix  # noqa: PLC0415 - the same

    own = await tenant_of(house, tenant)
    await house.gate.perform(ReadGrantsMatrix(), operator(own), request="command")
    return await house.grants.table(own)


async def _versions(house: House, tenant: Id, version: str | None) -> list[dict[str, Any]]:
    """The versions of a company, read through the Gate, the newest last."""
    from api.app import operator  # noqa: PLC0415 - the same
    from api.granting import versions  # noqa: PLC0415 - the same

    rows = await versions(house, operator(tenant), version)
    return [
        {
            "id": row["id"],
            "state": getattr(row["state"], "value", row["state"]),
            "version": row["content_digest"],
            "base": row["base"],
            "reason": row["reason"],
            "proposedBy": row["proposed_by"],
            "decidedBy": row["decided_by"],
            "effectiveAt": row["effective_at"] and str(row["effective_at"]),
            "digest": row["changes_digest"],
            "failures": list(row["failures"]),
            "untested": list(row["untested"]),
            "changes": _plain(row["changes"]),
            "told": [*_changes(row["changes"]), *row["failures"]],
        }
        for row in rows
    ]


def _changes(changes: tuple[GrantChange, ...]) -> list[str]:
    return [
        f"{one.role}: {one.action} {one.before.value} → {one.after.value}" + (f" ({one.rule})" if one.rule else "")
        for one in changes
    ]


def _plain(changes: tuple[GrantChange, ...]) -> Any:
    from domain.canonical import plain  # noqa: PLC0415 - the same

    return plain(changes)


def _instant(text: str | None) -> datetime | None:
    try:
        found = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - it has no zone, and is refused for that
    if found is not None and found.tzinfo is None:
        raise Malformed(
            "The instant is not well formed, or has no zone.",
            advice="Write it as 2027-01-01T00:00:00+08:00.",
            path=("effective_at",),
        )
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Malformed(f"{file} is no UTF-8.", path=("file",)) from None
