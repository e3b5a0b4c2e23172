"""Sends the recalls that are due: by the server while it serves, and by command; any number of processes may."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from api.jobs.sending import Ended, send
from domain.actors import Actor
from domain.consent.handover.delivering import MOST_PARTNERS, ClaimDelivery, TellAttempt
from domain.consent.handover.recalling import DeliveryState
from domain.errors import CreditError
from domain.ids import Id
from domain.ports import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.app import House

POLL_SECONDS: Final = 5.0
"""How often a server looks whether something is due."""
AT_ONCE: Final = 8
"""To how many partners is sent at a time: one that is slow holds up nobody else."""

_LOG = structlog.get_logger("credence.recalls")


async def deliver(house: House, actor: Actor) -> Counter[str]:
    """Sends everything of one company that is due now; how many attempts ended how.

    Raises: Unavailable.
    """
    told: Counter[str] = Counter()
    while True:
        partners = await _due(house, actor.tenant)
        turn = asyncio.Semaphore(AT_ONCE)
        ended = await asyncio.gather(*(_attempt(house, actor, partner, turn) for partner in partners))
        told.update(one for one in ended if one)
        if not any(ended):
            return told


async def keep_delivering(house: House, act: Callable[[Id], Actor]) -> None:
    """Sends what comes due for as long as a server lives; a company whose turn fails has the next one."""
    while True:
        for tenant in await _tenants(house):
            try:
                await deliver(house, act(tenant))
            except CreditError as error:
                _LOG.warning("Recalls are late.", tenant=tenant, code=error.code.value)
            except Exception as error:  # noqa: BLE001 - a bug with one company's recalls holds up no other's
                _LOG.error("Recalls are late.", tenant=tenant, type=type(error).__qualname__)
        await asyncio.sleep(POLL_SECONDS)


async def _tenants(house: House) -> list[Id]:
    try:
        return await house.store.tenants()
    except CreditError as error:
        _LOG.warning("Recalls are late.", code=error.code.value)
        return []


async def _due(house: House, tenant: Id) -> list[Id]:
    """The partners of whom something is due; looked up before the Gate, so that looking leaves no entries."""
    words = [MOST_PARTNERS, DeliveryState.WAITING.value, house.clock.now()]
    run = house.recalls_due.run(Scope(tenant=tenant), words, house.clock.now())
    draft = await house.store.read(tenant, run, alone=house.recalls_due.alone)
    return list(dict.fromkeys(Id(row["partner"]) for row in draft.answer["due"]["rows"]))


async def _attempt(house: House, actor: Actor, partner: Id, turn: asyncio.Semaphore) -> str:
    """One attempt of one partner's oldest recall; how it ended, or nothing where it is not to be sent now."""
    async with turn:
        claimed = await house.gate.perform(ClaimDelivery(partner=partner), actor, request="recalls")
        if claimed.value is None:
            return ""
        sending = partial(send, claimed.value.address, claimed.signed, house.settings.recall_networks)
        ended: Ended = await asyncio.to_thread(sending)
        telling = TellAttempt(
            delivery=claimed.value.delivery,
            attempt=claimed.value.attempt,
            failure=ended.failure,
            status=ended.status,
        )
        await house.gate.perform(telling, actor, request="recalls")
        return "DELIVERED" if ended.failure is None else ended.failure.value
