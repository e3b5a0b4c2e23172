"""Commands of keys: who keeps the root keys, which of them stand, and what lies under each."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, progress, tenant_of
from api.jobs.erasing import finish
from api.jobs.rotating import Rotated, Turning
from domain.custody.erasing import ProposeErasure
from domain.custody.erasures import Erasure, ErasureReason
from domain.ids import Id
from domain.records import DataClass

if TYPE_CHECKING:
    from api.app import House, KeyInventory

keys = typer.Typer(help="Root keys and what lies under them.", no_args_is_help=True)


@keys.callback()
def _group() -> None:
    """A group keeps its name however many commands it has."""


@keys.command()
def status(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Shows the provider, its root versions and each company's epochs. Ends with 1 while the provider is out."""
    from api.app import key_inventory  # noqa: PLC0415 - the whole house is behind it

    found = asyncio.run(key_inventory(loaded(data_dir)))
    answer(_told(found), "\n".join(_lines(found)), as_json=as_json)
    if found.health is None:
        raise typer.Exit(1)


@keys.command()
def rotate(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Begins the next epoch of all keys and brings every key under it; goes on with one that was broken off.

    Reading and writing go on meanwhile. Run it once a month.
    """
    _rotated(data_dir, fresh=True, as_json=as_json)


@keys.command()
def rewrap(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Goes on with a rotation that was broken off, and begins none: every key follows and is verified."""
    _rotated(data_dir, fresh=False, as_json=as_json)


@keys.command()
def destroy(
    epoch: Annotated[int, typer.Argument(help="The epoch, which every company has left.", min=1)],
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Destroys the root of an epoch, once no backup is needed that it opens. Nobody can undo that.

    What was erased while it stood becomes unreadable in every backup of that time, and with it all else in them.
    """

    async def work(house: House) -> None:
        await (await _turning(house)).destroy(epoch)

    in_house(loaded(data_dir), work)
    answer({"destroyed": epoch}, f"Root {epoch} is destroyed.", as_json=as_json)


@keys.command()
def shred(
    target: Annotated[
        str | None,
        typer.Argument(help="A credit file or a person in one to propose; without one, what is due is done."),
    ] = None,
    reason: Annotated[ErasureReason, typer.Option(help="Why.", case_sensitive=False)] = ErasureReason.REQUEST,
    data_class: Annotated[
        DataClass | None, typer.Option("--class", help="One class of its data.", case_sensitive=False)
    ] = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Finishes every approved erasure: storage is cleaned and a certificate signed; or proposes one.

    What is proposed here a person approves over the API (`approveErasure`): from then on its keys are destroyed.
    """
    if target is not None:
        _proposed(target, reason, data_class, tenant, data_dir, as_json=as_json)
        return

    async def work(house: House) -> list[Erasure]:
        from api.app import operator  # noqa: PLC0415 - the whole house is behind it

        companies = [await tenant_of(house, tenant)] if tenant else await house.store.tenants()
        return await finish(house.gate, house.store, companies, operator)

    done = in_house(loaded(data_dir), work)
    lines = [f"{one.id}: {one.cells} values; backups hold them until {one.effective_at:%Y-%m-%d}." for one in done]
    found = [{"erasure": one.id, "certificate": one.certificate, "values": one.cells} for one in done]
    answer({"erased": found}, "\n".join(lines) or "No erasure waits to be finished.", as_json=as_json)


def _proposed(
    target: str,
    reason: ErasureReason,
    data_class: DataClass | None,
    tenant: str | None,
    data_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    async def work(house: House) -> Erasure:
        from api.app import operator  # noqa: PLC0415 - the whole house is behind it

        proposal = ProposeErasure(target=Id(target), data_class=data_class and data_class.value, reason=reason)
        own = operator(await tenant_of(house, tenant))
        return (await house.gate.perform(proposal, own, request="command")).value

    proposed = in_house(loaded(data_dir), work)
    text = f"{proposed.id} waits for another person: approveErasure."
    answer({"erasure": proposed.id, "state": proposed.state.value}, text, as_json=as_json)


def _rotated(data_dir: Path | None, *, fresh: bool, as_json: bool) -> None:
    settings = loaded(data_dir)

    async def work(house: House) -> Rotated:
        with progress("Turning keys", shown=not as_json) as told:
            return await (await _turning(house)).rotate(told, fresh=fresh)

    done = in_house(settings, work)
    left = ", ".join(map(str, done.retired)) or "none"
    text = (
        f"All keys lie under epoch {done.epoch}: {done.moved} data keys moved, {done.verified} verified with "
        f"{done.opened} values opened.\nEpochs left: {left}."
    )
    answer(asdict(done), text, as_json=as_json)


async def _turning(house: House) -> Turning:
    """The keys of every company here, turned by whoever runs commands on this machine."""
    from api.app import INSTALLATION, operator  # noqa: PLC0415 - the whole house is behind it

    return Turning(gate=house.gate, leading=INSTALLATION, companies=await house.store.tenants(), act=operator)


def _told(found: KeyInventory) -> dict[str, Any]:
    """What is found, as one object; the newest root is what new keys are wrapped under."""
    roots = found.health.roots if found.health else {}
    failure = found.failure and {"message": found.failure.message, "advice": found.failure.advice}
    return {
        "provider": found.provider,
        "reachable": found.health is not None,
        "failure": failure,
        "roots": [{"version": version, "state": state.value} for version, state in sorted(roots.items())],
        "companies": {tenant: [one._asdict() for one in epochs] for tenant, epochs in found.companies.items()},
    }


def _lines(found: KeyInventory) -> list[str]:
    roots = sorted(found.health.roots.items()) if found.health else []
    lines = [f"Provider: {found.provider}, {'reachable' if found.health else 'out'}."]
    if found.failure:
        lines += [found.failure.message, found.failure.advice]
    lines += [f"Root {version}: {state.value}." for version, state in roots]
    for tenant, epochs in found.companies.items():
        told = [f"epoch {one.epoch}: {one.keys} keys, {one.data_keys} data keys" for one in epochs]
        lines.append(f"{tenant}: {'; '.join(told) or 'no keys'}.")
    return lines
