"""Supervision while a server lives: alarms are raised as the log shows them, opened values held against the log."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from api.app import INSTALLATION, job
from domain import ids
from domain.errors import CreditError
from domain.ids import Id
from domain.supervision.examining import ExamineAuditLog
from domain.supervision.honey import RaiseHoneyAlarms
from domain.supervision.opened import AnnounceAlarm, ReconcileOpened

if TYPE_CHECKING:
    from api.app import House

LOOK_SECONDS: Final = 1.0
"""How often new entries are looked at."""
REPORT_SECONDS: Final = 60.0
"""How often a process reports what it opened; at the end it does so once more."""
SUPERVISION: Final = "supervision"
COMPLETENESS: Final = "completeness"

_LOG = structlog.get_logger("credence.supervision")


def process() -> str:
    """What this process is called in its reports."""
    return f"{socket.gethostname()}/{os.getpid()}"


class Supervisor:
    """Follows the logs of the companies from one process."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._since: dict[Id, datetime] = {}
        self._begun = house.clock.now()
        self._places: dict[Id, int] = {}

    async def keep_watching(self) -> None:
        """Raises alarms, and reports what was opened, for as long as a server lives."""
        loop = asyncio.get_running_loop()
        due = loop.time() + REPORT_SECONDS
        while True:
            await self.look()
            if loop.time() >= due:
                due = loop.time() + REPORT_SECONDS
                await self.report()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Raises what alarms the newest entries show; a company whose turn fails has the next."""
        with suppress(CreditError):
            for tenant in await self._house.store.tenants():
                if tenant != INSTALLATION:
                    await _held(tenant, "Alarms are late.", partial(self._look, tenant))

    async def report(self) -> None:
        """Holds what this process opened against the log."""
        for tenant in self._house.opened.tenants():
            await _held(tenant, "A count of opened values is late.", partial(self._report, tenant))

    async def _look(self, tenant: Id) -> None:
        place, found = await self._house.store.inspect(tenant, self._house.touched(tenant, self._places.get(tenant)))
        if found:
            alarms = RaiseHoneyAlarms(entries=tuple(found))
            raised = await self._house.gate.perform(alarms, job(tenant, SUPERVISION), request=SUPERVISION)
            _LOG.error("A honey file was touched.", tenant=tenant, alarms=len(raised.value))
        self._places[tenant] = place

    async def _report(self, tenant: Id) -> None:
        house, raw = self._house, ids.raw(tenant)
        now = house.clock.now()
        taken = house.opened.take(raw)
        try:
            await house.store.bring_up(tenant)
            report = ReconcileOpened(
                process=process(), since=self._since.get(tenant, self._begun), opened=taken.opened, told=taken.told
            )
            actor = job(tenant, COMPLETENESS)
            alarms = (await house.gate.perform(report, actor, request=COMPLETENESS)).value
        except BaseException:
            house.opened.give_back(raw, taken)
            raise
        self._since[tenant] = now
        for alarm in alarms:
            _LOG.error("Values were opened without an entry.", tenant=tenant, alarm=alarm)
            await house.gate.perform(AnnounceAlarm(finding=alarm), actor, request=COMPLETENESS)


async def examine(house: House, tenant: Id) -> int:
    """Examines what is new in a company's log; how many findings are new.

    Raises: Unavailable.
    """
    await house.store.bring_up(tenant)
    findings, more = 0, True
    while more:
        done = (await house.gate.perform(ExamineAuditLog(), job(tenant, SUPERVISION), request="command")).value
        findings, more = findings + done.findings, done.more
    return findings


async def _held(tenant: Id, says: str, turn: object) -> None:
    """A turn of one company that fails holds up no other's."""
    try:
        await turn()  # type: ignore[operator] # a function without arguments
    except CreditError as error:
        _LOG.warning(says, tenant=tenant, code=error.code.value)
    except Exception as error:  # noqa: BLE001 - a bug with one company holds up no other
        _LOG.error(says, tenant=tenant, type=type(error).__qualname__)
