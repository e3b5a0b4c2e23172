"""Commands for what comes due by itself, for cron."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, progress, tenant_of
from api.cli.retaining import DryRun, lines_of, listed, retained
from api.jobs.recalling import deliver as delivered
from api.sweeping import activate_grants, advance_policies, escalate_objections, sweep_documents, sweep_parts

if TYPE_CHECKING:
    from api.app import House
    from domain.actors import Actor


recalls = typer.Typer(help="What was disclosed and is called back.", no_args_is_help=True)


def join(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(sweep)


def sweep(
    tenant: Tenant = None,
    dry_run: DryRun = False,  # noqa: FBT002 - a flag
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """One pass of due work: what is past its time, documents that never came, stray bytes, late objections, the log.

    Then run `credence keys shred`: it cleans storage and certifies what ended.
    """

    async def work(house: House) -> dict[str, Any]:
        with progress("Sweeping", shown=not as_json) as told:
            due = await retained(house, tenant, dry=dry_run, told=told)
        did = {} if dry_run else await _companies(house, tenant)
        parts = 0 if dry_run else await sweep_parts(house)
        return {"dryRun": dry_run, "due": due, "companies": did, "parts": parts}

    found = in_house(loaded(data_dir), work)
    lines = [*lines_of(found["due"])]
    lines += [
        f"{one}: {did['abandoned']} documents given up, {did['strays']} stray blobs removed, "
        f"{did['escalated']} escalations of objections, {did['grants']} versions of grants and {did['policies']} "
        f"of the credit policy moved on, {did['findings']} findings in the audit log."
        for one, did in found["companies"].items()
    ]
    lines += [] if dry_run else [f"{found['parts']} uploads that broke off removed."]
    found["due"] = listed(found["due"])
    answer(found, "\n".join(lines) or "Nothing is past its time.", as_json=as_json)


async def _companies(house: House, tenant: str | None) -> dict[str, Any]:
    from api.app import INSTALLATION, job  # noqa: PLC0415 - commands that need no house start faster

    wanted = [await tenant_of(house, tenant)] if tenant else await house.store.tenants()
    return {one: await _swept(house, job(one, "sweep")) for one in wanted if one != INSTALLATION}


async def _swept(house: House, actor: Actor) -> dict[str, int]:
    from api.jobs.supervising import examine  # noqa: PLC0415 - the whole house is behind it

    documents = asdict(await sweep_documents(house, actor))
    moved, policies = await activate_grants(house, actor), await advance_policies(house, actor)
    escalated = await escalate_objections(house, actor)
    findings = await examine(house, actor.tenant)
    return {**documents, "escalated": escalated, "grants": moved, "policies": policies, "findings": findings}


@recalls.callback()
def _group() -> None:
    """A group keeps its name however many commands it has."""


@recalls.command()
def deliver(tenant: Tenant = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Sends every recall that is due, once; a server does the same while it serves, and both may run at a time."""

    async def work(house: House) -> dict[str, dict[str, int]]:
        from api.app import INSTALLATION, job  # noqa: PLC0415 - the whole house is behind it

        wanted = [await tenant_of(house, tenant)] if tenant else await house.store.tenants()
        return {one: dict(await delivered(house, job(one, "recalls"))) for one in wanted if one != INSTALLATION}

    found = in_house(loaded(data_dir), work)
    lines = [f"{one}: {count} {word}" for one, ended in found.items() for word, count in sorted(ended.items())]
    answer({"attempts": found}, "\n".join(lines) or "Nothing is due.", as_json=as_json)
