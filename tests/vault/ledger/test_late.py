"""A checkpoint is at most a second or 256 entries late, by a clock that the test moves."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from tests.vault.ledger.grown import entry
from tests.world import TENANT
from vault.store import sqlite
from vault.store.ledger import sequencer
from vault.store.ledger.heads import LONGEST, MOST_ENTRIES
from vault.store.tables import audit_checkpoint

WAIT_SECONDS = 10


def signed(world):
    """How many entries the newest checkpoint covers."""
    newest = sa.select(sa.func.max(audit_checkpoint.c.size)).where(audit_checkpoint.c.tenant == TENANT)
    return world.look(lambda connection: connection.scalar(newest))


def put(world, count):
    """Entries, one durable commit after the other."""
    for _ in range(count):
        world.loop(world.store.put(entry(world), placed=True))


@pytest.fixture
def busy(world, monkeypatch):
    """A store that never comes to rest, so that nothing but being late makes it sign."""
    world.loop(world.store.checkpoint(TENANT))
    monkeypatch.setattr(sqlite, "IDLE_SECONDS", 3600.0)
    monkeypatch.setattr(sqlite, "TICK_SECONDS", 3600.0)
    monkeypatch.setattr(sequencer.Sequencer, "_round", _never_idle(sequencer.Sequencer._round))
    return world


def _never_idle(own):
    async def round_(self, *, idle):
        del idle
        await own(self, idle=False)

    return round_


def test_a_checkpoint_covers_the_log_after_256_entries_though_no_time_passes(busy):
    before = signed(busy)
    put(busy, MOST_ENTRIES - 1)
    assert signed(busy) == before
    put(busy, 1)
    assert signed(busy) == before + MOST_ENTRIES


def test_a_checkpoint_covers_the_log_with_the_first_entry_after_a_second(busy):
    before = signed(busy)
    put(busy, 2)
    busy.clock.move(seconds=LONGEST.total_seconds() - 0.001)
    put(busy, 1)
    assert signed(busy) == before
    busy.clock.move(seconds=0.001)
    put(busy, 1)
    assert signed(busy) == before + 4


def test_a_store_at_rest_signs_within_its_second(world):
    before = signed(world)
    began = time.monotonic()
    put(world, 1)
    while signed(world) == before:
        assert time.monotonic() - began < WAIT_SECONDS
        time.sleep(0.02)
    # The store waits a second for company; the rest is what a machine that others use too may take.
    assert time.monotonic() - began < LONGEST.total_seconds() + 2
