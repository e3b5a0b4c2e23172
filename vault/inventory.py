"""Which keys there are: root versions as their provider tells them, and each company's epochs as they are stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.errors import Conflict, KeyUnavailable
from domain.ids import Id
from vault.providers import chosen
from vault.providers.port import Health, Provider
from vault.store import looks
from vault.store.schema import migrations


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What an operator sees of the keys; nothing of it is secret."""

    provider: str
    """Who keeps the root keys, and where."""
    health: Health | None
    """What the provider tells; None while it cannot serve."""
    failure: KeyUnavailable | None
    """Why it cannot."""
    companies: Mapping[Id, list[looks.EpochKeys]] = field(default_factory=dict)
    """The epochs of each company, the oldest first; none where the database was not migrated yet."""


async def inventory(provider: Provider, database_url: str) -> Inventory:
    """What stands now; a provider that is out is told, not raised.

    Raises: Unavailable for a database that does not answer.
    """
    health, failure = await asyncio.to_thread(_asked, provider)
    migrated = await migrations.revision(database_url) is not None
    companies = await asyncio.to_thread(looks.epochs, database_url) if migrated else {}
    return Inventory(provider=provider.name, health=health, failure=failure, companies=companies)


async def found_roots(keys: str, database_url: str, epoch: int) -> None:
    """Makes the first root where none ever was; never for a database that holds companies, which it would not open.

    Raises: Malformed for keys of an unknown form; Conflict where there are companies; KeyUnavailable.
    """
    place = chosen.place(keys)
    if not await asyncio.to_thread(place.bare):
        return
    if await asyncio.to_thread(looks.holds_tenants, database_url):
        raise Conflict(
            "The database holds companies, and their root keys are not there.",
            advice="Restore the root keys from their backup: new ones would open nothing.",
            path=("keys",),
        )
    await asyncio.to_thread(place.found, epoch)


def _asked(provider: Provider) -> tuple[Health | None, KeyUnavailable | None]:
    try:
        return provider.health(), None
    except KeyUnavailable as failure:
        return None, failure
