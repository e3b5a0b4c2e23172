"""Commands that replace keys: those that sign, and those that data is sealed under; they stand beside those of keys."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.console import AsJson, DataDir, Tenant, answer, in_house, loaded, progress, tenant_of
from api.jobs.renewing import Ended, Renewing, Tally, Wanted
from domain.custody.keeping import SigningUse
from domain.custody.renewing import CLASSES, MOST_SEALS
from domain.custody.signing import SigningKey
from domain.errors import Malformed
from domain.ids import Id

if TYPE_CHECKING:
    from api.app import House

DUE = timedelta(days=365)
"""How old keys become, where nothing else is said."""
NOW = "now"

Before = Annotated[
    str | None,
    typer.Option(
        help="Keys made before this instant, such as 2026-11-26T12:00Z, or `now`; otherwise those older than a year. "
        "Name the same instant again to go on with a run that was broken off."
    ),
]


def join(group: typer.Typer) -> None:
    """Puts the commands among those of keys."""
    group.command()(renew)
    group.command()(replace)


def renew(
    before: Before = None,
    seals: Annotated[int, typer.Option(help="Besides, keys under which so many values were sealed.")] = MOST_SEALS,
    subject: Annotated[str | None, typer.Option(help="Only those of this customer or person.")] = None,
    data_class: Annotated[str | None, typer.Option("--class", help="Only those of this class of data.")] = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Gives data keys their next version and seals what they sealed anew; older versions are destroyed.

    Reading and writing go on meanwhile. Broken off anywhere, it goes on when it is run again. Without --tenant every
    company is seen to.
    """
    if data_class is not None and data_class not in CLASSES:
        raise Malformed("There is no such class.", advice=f"Name one of {', '.join(CLASSES)}.", path=("class",))
    moment = _instant(before, "before")
    only = None if subject is None else Id(subject)

    async def work(house: House) -> list[Tally]:
        wanted = Wanted(before=moment, seals=seals, subject=only, data_class=data_class)
        with progress("Renewing data keys", shown=not as_json) as told:
            return await _renewing(house).data_keys(await _companies(house, tenant), wanted, told)

    done = in_house(loaded(data_dir), work)
    lines = [
        f"{one.company}: {one.minted} data keys renewed, {one.sealed} values sealed anew, {one.ended} data keys ended."
        for one in done
    ]
    found = {"before": _told(moment), "companies": [asdict(one) for one in done]}
    answer(found, "\n".join([f"Made before {_told(moment)}:", *lines]), as_json=as_json)


def replace(
    use: Annotated[SigningUse, typer.Argument(help="What the keys sign.", case_sensitive=False)],
    before: Before = None,
    since: Annotated[
        str | None, typer.Option(help="Since when somebody else had the key; what it signed later does not count.")
    ] = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    *,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Somebody else may have had the key that ends.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Replaces the keys that sign: of the LOG and its certificates, or of each STATEMENT and disclosure.

    What the former keys signed in their time verifies on. Without --tenant every company's key is replaced.
    """
    moment = _instant(before or (NOW if compromised else None), "before")
    ended = Ended(before=moment, compromised=compromised, since=_instant(since, "since") if since else None)

    async def work(house: House) -> list[SigningKey]:
        return await _renewing(house).signing_keys(await _companies(house, tenant), use, ended)

    done = in_house(loaded(data_dir), work)
    lines = [f"{one.stamp.tenant}: key {one.number} signs now: {one.kid}" for one in done]
    found = [{"company": one.stamp.tenant, "number": one.number, "kid": one.kid, "public": one.public} for one in done]
    text = "\n".join(lines) or f"No key was made before {_told(moment)}."
    answer({"before": _told(moment), "use": use.value, "replaced": found}, text, as_json=as_json)


def _renewing(house: House) -> Renewing:
    from api.app import operator  # noqa: PLC0415 - the whole house is behind it

    return Renewing(house.gate, operator)


async def _companies(house: House, tenant: str | None) -> list[Id]:
    return [await tenant_of(house, tenant)] if tenant else list(await house.store.tenants())


def _instant(text: str | None, name: str) -> datetime:
    """The instant that an option names."""
    now = datetime.now(UTC)
    if text is None:
        return now - DUE
    if text == NOW:
        return now
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Malformed("That is no instant.", advice="Write it as 2026-11-26T12:00Z, or `now`.", path=(name,))
    return found.astimezone(UTC)


def _told(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
