"""What comes due by itself: documents that never came, bytes that nobody refers to, objections nobody answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.actors import Actor
from domain.assessment.versions.deciding import AdvanceCreditPolicies
from domain.documents.filing import AWAITED_FOR, AbandonUploads
from domain.grants.changing import ActivateGrants
from domain.ids import Id
from domain.objections.clocks import EscalateObjections

if TYPE_CHECKING:
    from api.app import House


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep of one company's documents did."""

    abandoned: int
    """Documents that never came."""
    strays: int
    """Kept bytes that no document has."""


async def sweep_documents(house: House, actor: Actor) -> Swept:
    """Gives up on documents that never came, through the Gate; then removes the bytes that no document has.

    Raises: Unavailable.
    """
    abandoned = (await house.gate.perform(AbandonUploads(), actor, request="command")).value
    return Swept(abandoned=abandoned, strays=await _remove_strays(house, actor.tenant))


async def escalate_objections(house: House, actor: Actor) -> int:
    """Tells what is due or late about a company's objections, through the Gate, each level once; how many there were.

    Raises: Unavailable.
    """
    raised, more = 0, True
    while more:
        told = (await house.gate.perform(EscalateObjections(), actor, request="command")).value
        raised, more = raised + told.raised, told.more
    return raised


async def activate_grants(house: House, actor: Actor) -> int:
    """Moves versions of the grants on that have come to their time, through the Gate; how many there were.

    Raises: Unavailable.
    """
    return (await house.gate.perform(ActivateGrants(), actor, request="command")).value


async def advance_policies(house: House, actor: Actor) -> int:
    """Moves the states of credit policy versions on that came to their time, through the Gate; how many there were.

    Raises: Unavailable.
    """
    return (await house.gate.perform(AdvanceCreditPolicies(), actor, request="command")).value


async def sweep_parts(house: House) -> int:
    """Removes what was begun and never kept, of all companies; how many there were. No document is awaited for longer.

    Raises: Unavailable.
    """
    return await asyncio.to_thread(house.room.blobs.sweep, house.clock.now() - AWAITED_FOR)


async def _remove_strays(house: House, tenant: Id) -> int:
    blobs = house.room.blobs
    # The names first, then the records: whatever is kept in between is not among the names.
    names = await asyncio.to_thread(lambda: list(blobs.names(tenant)))
    strays = await house.strays(tenant, names)
    for name in strays:
        await asyncio.to_thread(blobs.remove, name)
    return len(strays)
