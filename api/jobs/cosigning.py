"""Has the witnesses of an installation cosign its logs, for as long as a server lives, and by command."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from api.app import Cosigning, job
from api.jobs.sending import connected
from domain.errors import CreditError
from domain.files.trail import RaiseLogAlarm
from domain.ids import Id

if TYPE_CHECKING:
    from api.app import House

POLL_SECONDS: Final = 1.0
"""How often it is looked whether a checkpoint is new."""

_LOG = structlog.get_logger("credence.witness")


def cosigning(house: House) -> Cosigning:
    """The witnesses of a house. What one of them says against a log is recorded in it."""

    async def alarm(tenant: Id, witness: Id, size: int) -> None:
        raised = RaiseLogAlarm(witness=witness, size=size)
        await house.gate.perform(raised, job(tenant, "witnesses"), request="witnesses")

    return Cosigning(
        store=house.store,
        clock=house.clock,
        places=house.witnesses,
        alarm=alarm,
        connect=partial(connected, allowed=house.settings.witness_networks),
    )


async def keep_asking(house: House, witnesses: Cosigning) -> None:
    """Asks for as long as a server lives; a log whose turn fails has the next one."""
    while witnesses.places:
        try:
            for tenant in await house.store.tenants():
                await witnesses.ask(tenant)
        except CreditError as error:
            _LOG.warning("Witnesses are late.", code=error.code.value)
        except Exception as error:  # noqa: BLE001 - a bug with one log's witnesses ends no server
            _LOG.error("Witnesses are late.", type=type(error).__qualname__)
        await asyncio.sleep(POLL_SECONDS)
