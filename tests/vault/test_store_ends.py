"""What ends badly: cancelled, closed, broken off, full. Nobody waits for ever, and nothing half done remains."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from domain.audit import Entry, Outcome
from domain.errors import AuditUnavailable, KeyUnavailable, Overloaded, Unavailable
from domain.ports import Draft, Fetch
from tests.stored import StoredWorld
from tests.world import TENANT
from vault.audit.note import parse_checkpoint, parse_note
from vault.store import transaction
from vault.store.engines import sqlite_writer
from vault.store.ledger.growth import Growth
from vault.store.ledger.heads import Heads
from vault.store.ledger.logbook import last_range
from vault.store.postgres import PostgresStore
from vault.store.tables import audit_checkpoint

LONGEST = 10.0


@pytest.fixture
def alone(sqlite, loop, tmp_path):
    """A world on SQLite."""
    with StoredWorld(sqlite, loop, tmp_path) as found:
        found.open_tenant()
        yield found


@pytest.fixture
def shared(postgresql, loop, tmp_path):
    """A world on PostgreSQL."""
    with StoredWorld(postgresql, loop, tmp_path) as found:
        found.open_tenant()
        yield found


def entry(world):
    """An entry like those of refused tokens."""
    now = world.clock.now()
    own = world.ids.make("ae", int(now.timestamp() * 1000))
    outcome = Outcome.REFUSED
    return Entry(id=own, at=now, tenant=TENANT, actor="unknown", action="token:verify", outcome=outcome)


def signed(world):
    """The size of the newest checkpoint, and of the log."""

    def look(connection):
        texts = connection.scalars(sa.select(audit_checkpoint.c.text).where(audit_checkpoint.c.tenant == TENANT))
        sizes = [parse_checkpoint(parse_note(text.encode()).text).size for text in texts]
        return max(sizes, default=0), last_range(connection, TENANT).size

    return world.look(look)


def wait_until_signed(world):
    """Whether the whole log is under a checkpoint before long, with nothing more written."""
    ends = time.monotonic() + LONGEST
    while time.monotonic() < ends:
        newest, size = signed(world)
        if newest == size:
            return True
        world.loop(asyncio.sleep(0.05))
    return False


def one(*statements):
    """Steps of some statements."""
    for sql in statements:
        yield Fetch(sql, ())
    return Draft(answer={"done": True}, subjects=(), resources=())


def together(world, *runs):
    """What becomes of works that wait for the same transaction of the writing thread."""
    free = threading.Event()

    async def all_of_them():
        first = asyncio.ensure_future(world.store._submit(lambda _: (free.wait(LONGEST), None)))
        await asyncio.sleep(0.05)
        rest = [asyncio.ensure_future(world.store._submit(run)) for run in runs]
        await asyncio.sleep(0)
        free.set()
        await first
        return await asyncio.gather(*rest, return_exceptions=True)

    return world.loop(all_of_them())


def test_what_was_wrong_with_one_work_is_told_to_nobody_else(alone):
    def refused(_):
        raise sa.exc.DataError("a statement of somebody else", {}, ValueError("and its words"))

    before, own, after = together(alone, lambda _: ("well", None), refused, lambda _: ("well", None))
    assert isinstance(own, sa.exc.DataError)
    assert [type(before), type(after)] == [AuditUnavailable, AuditUnavailable]
    assert "somebody" not in f"{before}{before!r}{before.__cause__}{after}{after!r}{after.__cause__}"


def test_a_request_that_is_cancelled_before_its_turn_is_not_carried_out(alone):
    free, done = threading.Event(), []

    async def cancelled():
        first = asyncio.ensure_future(alone.store._submit(lambda _: (free.wait(LONGEST), None)))
        await asyncio.sleep(0.05)
        second = asyncio.ensure_future(alone.store._submit(lambda _: (done.append(1), None)))
        await asyncio.sleep(0)
        second.cancel()
        free.set()
        await first
        await alone.store._submit(lambda _: (None, None))

    alone.loop(cancelled())
    assert done == []


def test_a_request_that_is_cancelled_while_it_is_carried_out_is_whole_and_the_next_one_is_served(alone):
    before = len(alone.leaves())
    begun, free = threading.Event(), threading.Event()
    kept = alone.room.clock.now
    made = entry(alone)

    def slow():
        begun.set()
        free.wait(LONGEST)
        return kept()

    async def cancelled():
        task = asyncio.ensure_future(alone.store.put(made))
        alone.room.clock.now = slow
        await asyncio.sleep(0)
        await asyncio.to_thread(begun.wait, LONGEST)
        task.cancel()
        free.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await alone.store._submit(lambda _: (None, None))

    alone.loop(cancelled())
    alone.room.clock.now = kept
    assert len(alone.leaves()) == before + 1
    alone.origin()
    assert alone.findings() == []


def test_whoever_waits_when_the_store_closes_is_served_and_whoever_comes_later_is_told(alone):
    async def closing():
        works = [asyncio.ensure_future(alone.store._submit(lambda _: (n, None))) for n in range(600)]  # noqa: B023 - not read
        await asyncio.sleep(0)
        await alone.store.close()
        return await asyncio.gather(*works)

    made = entry(alone)
    assert len(alone.loop(closing())) == 600
    for late in (alone.store.read(TENANT, one("SELECT 1")), alone.store.put(made)):
        with pytest.raises(Unavailable):
            alone.loop(late)
    assert alone.store._reading is None


def test_a_reading_that_breaks_off_spoils_no_later_one(alone):
    assert alone.loop(alone.store.read(TENANT, one("SELECT 1"))).answer == {"done": True}
    alone.store._reading.execute("BEGIN")  # as a transaction that could not be ended
    with pytest.raises(sqlite3.OperationalError):
        alone.loop(alone.store.read(TENANT, one("SELECT 1")))
    assert alone.loop(alone.store.read(TENANT, one("SELECT 1"))).answer == {"done": True}


def test_a_database_that_cannot_be_read_is_an_answer_and_no_bug(alone):
    def look(_):
        raise sa.exc.OperationalError("a statement", {}, sqlite3.OperationalError("disk I/O error"))

    with pytest.raises(Overloaded):
        alone.look(look)


def test_entries_beside_a_checkpoint_in_one_transaction_are_signed_soon_too(alone):
    assert wait_until_signed(alone)
    leaf = entry(alone)

    def put(connection):
        return None, transaction.record(connection, alone.room, leaf)

    together(alone, put, lambda connection: (alone.store._heads.sign(connection, TENANT), None))
    assert wait_until_signed(alone), signed(alone)


def test_a_head_that_a_process_did_not_come_to_sign_is_signed_by_the_next(world, monkeypatch):
    def unsigned(*_):
        raise KeyUnavailable("The key is out of reach.")

    with monkeypatch.context() as patch:
        patch.setattr(Heads, "sign", unsigned)
        world.origin()
        world.close()
    world.start()
    assert wait_until_signed(world), signed(world)


def test_a_checkpoint_that_fails_leaves_no_head_unsigned(shared):
    assert wait_until_signed(shared)

    def failing(_):
        raise sa.exc.OperationalError("a commit", {}, Exception("lost"))

    engine = shared.store._engine.sync_engine
    sa.event.listen(engine, "commit", failing)
    with pytest.raises((Unavailable, sa.exc.DBAPIError)):
        shared.loop(shared.store._sequencer.sign(TENANT))
    assert shared.store._sequencer._heads._signed == set()
    sa.event.remove(engine, "commit", failing)
    shared.origin()
    assert wait_until_signed(shared)


def test_when_every_connection_is_taken_the_next_is_told_after_a_while(shared):
    async def exhausted():
        store = shared.store
        store._engine.sync_engine.pool._timeout = 0.1
        taken = [await store._engine.connect() for _ in range(10)]
        try:
            with pytest.raises(Overloaded):
                await store.put(replace(made, payload=(("note", "sealed beside the log"),)))
            with pytest.raises(Overloaded):
                await store.inspect(TENANT, lambda _: None)
        finally:
            for connection in taken:
                await connection.close()

    made = entry(shared)
    shared.loop(exhausted())


def test_a_reading_that_the_server_ends_is_an_answer_and_the_next_is_served(shared, server):
    async def ended():
        reading = asyncio.ensure_future(shared.store.read(TENANT, one("SELECT pg_sleep(30)")))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(
            server.execute,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'",
        )
        with pytest.raises(Overloaded):
            await reading
        return await shared.store.read(TENANT, one("SELECT 1"))

    assert shared.loop(ended()).answer == {"done": True}


def test_a_reading_that_takes_too_long_for_the_server_is_an_answer_and_no_bug(shared):
    slow = one("SELECT set_config('statement_timeout', '50', true)", "SELECT pg_sleep(30)")
    with pytest.raises(Overloaded):
        shared.loop(shared.store.read(TENANT, slow))
    assert shared.loop(shared.store.read(TENANT, one("SELECT 1"))).answer == {"done": True}


def test_a_round_that_is_broken_off_is_made_up_for_when_the_store_closes(shared):
    store = shared.store
    move, held = store._sequencer._move, []

    async def slow(tenant, *, idle):
        if not held:
            held.append(tenant)
            await asyncio.sleep(LONGEST)
        return await move(tenant, idle=idle)

    async def cut():
        store._sequencer._move = slow
        asyncio.ensure_future(store.put(made))  # noqa: RUF006 - its end is the point
        for _ in range(100):
            await asyncio.sleep(0.02)
            if held:
                break
        await store.close()

    made = entry(shared)
    before = len(shared.leaves())
    assert wait_until_signed(shared)
    shared.loop(cut())
    assert isinstance(store, PostgresStore)
    shared.store = PostgresStore(shared.database.url, shared.room)
    assert shared.look(lambda connection: last_range(connection, TENANT).size) == before + 1


def test_a_store_closes_in_the_moment_its_sequencer_is_woken(shared):
    store = shared.store

    async def work():
        waits = asyncio.create_task(store._sequencer.integrated(TENANT))
        await asyncio.sleep(0)
        closes = asyncio.create_task(store.close())
        done, _ = await asyncio.wait([closes], timeout=LONGEST)
        return closes in done and await waits

    assert shared.loop(work())


def test_who_waits_for_growth_ends_in_the_moment_it_is_woken(loop):
    async def work():
        with Growth().waiting(TENANT) as wait:
            waits = asyncio.create_task(wait.until_grown(LONGEST))
            await asyncio.sleep(0)
            wait.woken.set()
            waits.cancel()
            await asyncio.wait([waits])
            return waits.cancelled()

    assert loop(work())


def test_a_new_database_belongs_to_its_owner_alone(tmp_path):
    path = tmp_path / "here" / "credence.db"
    old = os.umask(0)
    try:
        engine = sqlite_writer(f"sqlite:///{path}")
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (x)")
            modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
        engine.dispose()
    finally:
        os.umask(old)
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
