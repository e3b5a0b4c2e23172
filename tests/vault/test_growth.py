"""Whoever waits for a log is woken by the transaction that makes it grow; on both databases."""

from __future__ import annotations

import asyncio
import threading

from domain.errors import NotAuthenticated
from tests.world import OTHER_TENANT, TENANT
from vault.store.ledger.growth import Growth

LONG = 20


def woken(growth, tenant):
    """Whether one who waits for a company hears of growth that another thread tells of."""

    async def work():
        with growth.waiting(TENANT) as wait:
            thread = threading.Thread(target=growth.told, args=(tenant,))
            thread.start()
            await asyncio.to_thread(thread.join)
            await asyncio.sleep(0)
            return wait.woken.is_set()

    return asyncio.run(work())


def test_who_waits_is_woken_from_the_thread_that_writes():
    assert woken(Growth(), TENANT)


def test_the_growth_of_another_company_wakes_nobody():
    assert not woken(Growth(), OTHER_TENANT)


def test_who_waits_looks_again_after_a_while():
    async def work():
        with Growth().waiting(TENANT) as wait:
            await wait.until_grown(0.001)

    asyncio.run(work())


def test_nobody_is_kept_who_waits_no_longer():
    growth = Growth()
    woken(growth, TENANT)
    assert growth._waiting == {}


def test_growth_told_to_a_loop_that_has_ended_harms_nobody():
    growth = Growth()

    async def work():
        wait = growth.waiting(TENANT)
        wait.__enter__()
        return wait

    held = asyncio.run(work())
    growth.told(TENANT)
    held.__exit__(None, None, None)


def test_an_entry_wakes_who_waits_for_its_log(world):
    async def work():
        with world.room.growth.waiting(TENANT) as wait:
            await world.gate.refuse(TENANT, NotAuthenticated("No.", cause="NO_TOKEN"))
            await asyncio.wait_for(wait.woken.wait(), LONG)

    world.loop(work())
