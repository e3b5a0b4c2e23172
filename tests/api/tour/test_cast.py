"""Somebody who acts in a process that nobody signed in to."""

from __future__ import annotations

import asyncio

from api.app import open_house, prepare
from api.settings import load
from api.tour.cast import Cast
from domain.files.parties import CreditFile


def test_the_first_thing_a_process_does_may_be_a_reading(tmp_path):
    settings = load({"CREDENCE_LOG": "off"}, data_dir=tmp_path)

    async def opened():
        await prepare(settings)
        async with open_house(settings) as house:
            return await house.open_tenant("Yunfan")

    async def read(tenant):
        async with open_house(settings) as house:
            return [row async for row in Cast.of(house, tenant).analyst.rows(CreditFile, "name")]

    assert asyncio.run(read(asyncio.run(opened()))) == []
