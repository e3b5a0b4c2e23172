"""Commands of an installation: migrate, companies, tokens, the schema, and the check of everything stored."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, tenant_of
from api.cli.proving import jwk_in
from domain.errors import Malformed

if TYPE_CHECKING:
    from api.app import House

SCHEMA = Path("schema.graphql")

tenants = typer.Typer(help="Companies of this installation.", no_args_is_help=True)


def join(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (migrate, token, schema, fsck):
        app.command()(command)


def migrate(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Brings the database up to date; on a first run also makes the key file and the local issuer's key."""
    from api.app import address, prepare  # noqa: PLC0415 - the whole house is behind it

    settings = loaded(data_dir)
    revision = asyncio.run(prepare(settings))
    answer({"revision": revision, "database": address(settings)}, f"At revision {revision}.", as_json=as_json)


@tenants.command("open")
def open_(
    name: Annotated[str, typer.Argument(help="The company's name.")],
    data_dir: DataDir = None,
    time_zone: Annotated[str, typer.Option(help="The zone its days are counted in.")] = "Asia/Shanghai",
    *,
    as_json: AsJson = False,
) -> None:
    """Opens a company, with keys of its own and version 1 of the credit policy in force."""
    settings = loaded(data_dir)

    async def work(house: House) -> str:
        return await house.open_tenant(name, time_zone)

    tenant = in_house(settings, work)
    answer({"tenant": tenant}, tenant, as_json=as_json)


@tenants.command("list")
def list_(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Lists the companies of this installation."""
    from api.app import INSTALLATION  # noqa: PLC0415 - the same

    async def work(house: House) -> list[str]:
        return [tenant for tenant in await house.store.tenants() if tenant != INSTALLATION]

    found = in_house(loaded(data_dir), work)
    answer({"tenants": found}, "\n".join(found), as_json=as_json)


def token(  # noqa: PLR0913, PLR0917 - the options of a command
    role: Annotated[list[str] | None, typer.Option("--role", help="A role; may be given more than once.")] = None,
    tenant: Tenant = None,
    person: Annotated[
        str, typer.Option(help="The stable name of the person; service:NAME is a program, with its account's roles.")
    ] = "",
    subject: Annotated[str | None, typer.Option(help="The customer (cu_…) that customer_self is.")] = None,
    partner: Annotated[str | None, typer.Option(help="The partner (pa_…) that partner_client speaks for.")] = None,
    key: Annotated[
        Path | None, typer.Option(help="A JWK; the token is bound to that key. A partner's always is.")
    ] = None,
    jkt: Annotated[str | None, typer.Option(help="The thumbprint (RFC 7638) of the key, instead of --key.")] = None,
    consent: Annotated[list[str] | None, typer.Option(help="A consent (co_…) a partner's token rests on.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=24 * 30, help="How long it is valid.")] = 8,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Issues a token of the local issuer, for development and the demo."""
    from api.app import (  # noqa: PLC0415 - the whole house is behind it
        CUSTOMER_ROLE,
        PARTNER_ROLE,
        STAFF_ROLES,
        thumbprint_of,
    )

    role = role or []
    if not role and not person.startswith("service:"):
        raise Malformed("A token is for a role: --role.", advice="Name one, or more than one.", path=("role",))
    _check_roles(role, (*STAFF_ROLES, PARTNER_ROLE, CUSTOMER_ROLE))
    for one, named, option in ((PARTNER_ROLE, partner, "partner"), (CUSTOMER_ROLE, subject, "subject")):
        if one in role and named is None:
            raise Malformed(
                f"The role {one} acts for one {option}.", advice=f"Name the id with --{option}.", path=(option,)
            )

    bound = jkt if key is None else thumbprint_of(jwk_in(key))
    if PARTNER_ROLE in role and bound is None:
        raise Malformed(
            "A partner's token is bound to a key of the partner.",
            advice="Name the key with --key, or its thumbprint with --jkt; `credence partner key FILE` makes one.",
            path=("key",),
        )

    async def work(house: House) -> str:
        return house.token(
            await tenant_of(house, tenant),
            person or role[0].replace("_", "-"),
            frozenset(role),
            partner=partner,
            subject=subject,
            lifetime=timedelta(hours=hours),
            key=bound,
            consents=consent or (),
        )

    issued = in_house(loaded(data_dir), work)
    answer({"token": issued}, issued, as_json=as_json)


def _check_roles(given: list[str], known: tuple[str, ...]) -> None:
    unknown = [one for one in given if one not in known]
    if unknown:
        raise Malformed(
            f"There is no role {', '.join(unknown)}.", advice=f"The roles are {', '.join(known)}.", path=("role",)
        )


def schema(
    write: Annotated[bool, typer.Option("--write", help="Writes schema.graphql.")] = False,  # noqa: FBT002 - a flag
    check: Annotated[bool, typer.Option("--check", help="Ends with 1 when schema.graphql differs.")] = False,  # noqa: FBT002 - a flag
    file: Annotated[Path, typer.Option(help="The file.")] = SCHEMA,
) -> None:
    """Prints the GraphQL schema, writes it, or compares it with the file that is checked in."""
    from api.graphql.schema import print_schema_text  # noqa: PLC0415 - building the schema takes a while

    text = print_schema_text()
    if write:
        file.write_text(text, encoding="utf-8")
    elif check:
        if file.read_text(encoding="utf-8") != text:
            typer.echo(f"{file} is not the schema that is served. `credence schema --write` makes it so.", err=True)
            raise typer.Exit(1)
    else:
        typer.echo(text, nl=False)


def fsck(tenant: Tenant = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Checks every seal, link, row and the audit tree of a company, or of all; repairs nothing."""

    async def work(house: House) -> dict[str, list[dict[str, Any]]]:
        wanted = [await tenant_of(house, tenant)] if tenant else await house.store.tenants()
        return {
            one: [{"kind": item.kind, "place": item.place, "says": item.says} for item in await house.check(one)]
            for one in wanted
        }

    found = in_house(loaded(data_dir), work)
    lines = [f"{one}: {item['kind']} {item['place']}: {item['says']}" for one, items in found.items() for item in items]
    text = "\n".join(lines) or f"Nothing is wrong with {len(found)} logs and what they tell of."
    answer({"ok": not lines, "findings": found}, text, as_json=as_json)
    if lines:
        raise typer.Exit(1)
