"""Commands of retention: what is past its time goes, or is listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, progress, tenant_of
from api.jobs.retaining import Told
from api.jobs.retaining import sweep as swept
from domain.custody.retention import Due
from domain.custody.rules import RULES, Rule
from domain.ids import Id

if TYPE_CHECKING:
    from api.app import House

retention = typer.Typer(help="How long records are kept.", no_args_is_help=True)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Lists what would go and why, and ends nothing.")]
_RULES = {rule.id: rule for rule in RULES}


@retention.callback()
def _group() -> None:
    """A group keeps its name however many commands it has."""


@retention.command()
def rules(*, as_json: AsJson = False) -> None:
    """Lists the rules: what is kept, how long, from when, on which ground, and what becomes of it."""
    found = [_shown(rule) for rule in RULES]
    lines = [f"{one['rule']}  {one['kind']}: {one['because']}; {one['ending']}; {one['reference']}" for one in found]
    answer({"rules": found}, "\n".join(lines), as_json=as_json)


@retention.command()
def sweep(
    tenant: Tenant = None,
    dry_run: DryRun = False,  # noqa: FBT002 - a flag
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ends every record past its time for good, once; legal holds are respected. Then run `credence keys shred`."""

    async def work(house: House) -> dict[Id, list[Due]]:
        with progress("Retention", shown=not as_json) as told:
            return await retained(house, tenant, dry=dry_run, told=told)

    found = in_house(loaded(data_dir), work)
    told = {"dryRun": dry_run, "due": listed(found)}
    answer(told, "\n".join(lines_of(found)) or "Nothing is past its time.", as_json=as_json)


async def retained(house: House, tenant: str | None, *, dry: bool, told: Told) -> dict[Id, list[Due]]:
    """What is past its time, by company; it ended unless it stays or this was a dry run."""
    from api.app import INSTALLATION, job  # noqa: PLC0415 - the whole house is behind it

    wanted = [await tenant_of(house, tenant)] if tenant else await house.store.tenants()
    return {
        one: await swept(house.gate, job(one, "retention"), dry=dry, told=told) for one in wanted if one != INSTALLATION
    }


def listed(found: Mapping[Id, Iterable[Due]]) -> dict[Id, list[dict[str, Any]]]:
    """The same for programs."""
    return {company: [_told(item) for item in items] for company, items in found.items()}


def lines_of(found: Mapping[Id, Iterable[Due]]) -> Iterator[str]:
    """The same for people."""
    for company, items in found.items():
        for item in items:
            stays = "; held" if item.held else f"; stays for {', '.join(item.needed_by)}" if item.needed_by else ""
            ending = item.ending.value.lower()
            yield f"{company}: {item.record} by {item.rule} ({because(_RULES[item.rule])}): {ending}{stays}"


def because(rule: Rule) -> str:
    """How long something is kept, in words."""
    spans = (f"{count} {word}" for count, word in ((rule.years, "years"), (rule.months, "months")) if count)
    term = " and ".join(spans)
    least = "at least " if rule.floor else ""
    return f"{least}{term} after {rule.since.says}" if term else f"until {rule.since.says}"


def _shown(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "kind": rule.name,
        "parties": rule.parties.value,
        "because": because(rule),
        "reference": rule.reference,
        "mark": rule.mark.value,
        "ending": rule.ending.value,
    }


def _told(item: Due) -> dict[str, Any]:
    rule = _RULES[item.rule]
    return {
        "record": item.record,
        "creditFile": item.credit_file,
        "rule": item.rule,
        "because": because(rule),
        "reference": rule.reference,
        "ending": item.ending.value,
        "held": item.held,
        "neededBy": list(item.needed_by),
    }
