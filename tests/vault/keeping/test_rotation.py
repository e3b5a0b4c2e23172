"""Keys turn while reading and writing go on; whatever is left undone is done by running it again."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from api.jobs.rotating import Turning
from domain.custody import epochs
from domain.custody.epochs import (
    AdvanceKeys,
    BeginRotation,
    CondemnEpoch,
    DestroyEpoch,
    EpochState,
    KeyEpoch,
    RetireEpochs,
    RewrapKeys,
    VerifyKeys,
)
from domain.errors import Conflict, KeyUnavailable, Malformed, Tampered
from domain.files.opening import BasicInformation, OpenCreditFile, UpdateBasicInformation
from domain.files.parties import PartyKind
from tests.vault.keeping.asking import Asking
from tests.world import OTHER_TENANT, TENANT
from vault.keys import BACKUP_DAYS, Keyring
from vault.opening import VaultOpener
from vault.providers.file import KeyFile
from vault.store.tables import vault_dek, vault_dek_wrap, vault_key


@pytest.fixture
def turning(world):
    """The keys of two companies, the second of which leads."""
    world.open_tenant(OTHER_TENANT, "Leading")
    return Turning(
        gate=world.gate,
        leading=OTHER_TENANT,
        companies=(TENANT, OTHER_TENANT),
        act=lambda tenant: world.actor("system:operator", tenant=tenant),
    )


def files(world, count):
    origin = world.origin()
    return [
        world.file(origin, f"C-{number}", BasicInformation(phone=f"+861380013{number:04}")) for number in range(count)
    ]


def rotate(world, turning, *, fresh=True):
    return world.loop(turning.rotate(lambda *_: None, fresh=fresh))


def under(world, column, tenant=TENANT):
    """How many rows name each epoch."""
    select = sa.select(column, sa.func.count()).where(column.table.c.tenant == tenant).group_by(column)
    return world.look(lambda connection: {row[0]: row[1] for row in connection.execute(select)}, tenant)


def states(world, tenant=TENANT):
    return {epoch.number: epoch.state for epoch in world.current(KeyEpoch, tenant)}


def test_every_key_follows_and_older_epochs_are_left(world, turning):
    before = [row["confidential"]["phone"] for row in _asked(world, 3)]
    done = rotate(world, turning)
    assert (done.epoch, done.retired, done.moved) == (2, (1,), done.verified)
    for tenant in (TENANT, OTHER_TENANT):
        assert set(under(world, vault_key.c.epoch, tenant)) == {2}
        assert set(under(world, vault_dek.c.kek_epoch, tenant)) <= {2}
        assert set(under(world, vault_dek_wrap.c.kek_epoch, tenant)) <= {2}
        assert states(world, tenant) == {1: EpochState.RETIRED, 2: EpochState.STANDING}
    assert [row["confidential"]["phone"] for row in Asking(world)()] == before
    assert world.findings() == []
    assert world.findings(OTHER_TENANT) == []
    told = [json.loads(leaf)["action"] for leaf in world.leaves()]
    assert told.count("key:rotate") >= 4


def _asked(world, count):
    files(world, count)
    return Asking(world)()


def test_nothing_is_under_way_so_going_on_begins_nothing(world, turning):
    done = rotate(world, turning, fresh=False)
    assert (done.epoch, done.moved, done.retired) == (1, 0, ())
    assert states(world) == {1: EpochState.STANDING}


def test_data_keys_move_in_steps_that_are_counted(world, turning, monkeypatch):
    monkeypatch.setattr(epochs, "AT_ONCE", 2)
    files(world, 5)
    done = rotate(world, turning)
    assert done.moved == done.verified == sum(under(world, vault_dek.c.kek_epoch).values()) >= 5
    steps = [json.loads(leaf) for leaf in world.leaves()]
    assert len([step for step in steps if step["action"] == "key:rotate"]) >= 6


def test_older_wraps_are_removed_in_steps_and_the_keys_of_an_epoch_go_last(world, turning, monkeypatch):
    monkeypatch.setattr(epochs, "AT_ONCE", 2)
    files(world, 5)
    epoch = world.do(BeginRotation(), turning.act(OTHER_TENANT))
    world.do(AdvanceKeys(epoch=epoch), turning.act(TENANT))
    while world.do(RewrapKeys(), turning.act(TENANT)).moved:
        pass
    before = under(world, vault_dek_wrap.c.kek_epoch)
    assert before[1] == before[2] >= 5
    last, steps = "", 0
    while True:
        left = world.do(RetireEpochs(after=last), turning.act(TENANT))
        steps, last = steps + 1, left.last
        if not last:
            break
        assert left.epochs == ()
        assert under(world, vault_dek_wrap.c.kek_epoch)[1] == before[1] - 2 * steps
        assert set(under(world, vault_key.c.epoch)) == {1, 2}
        assert len(Asking(world)()) == 5
    assert steps == before[1] // 2 + 1
    assert left.epochs == (1,)
    assert under(world, vault_dek_wrap.c.kek_epoch) == {2: before[2]}
    assert set(under(world, vault_key.c.epoch)) == {2}
    assert world.findings() == []


def test_new_values_are_sealed_under_the_new_epoch_while_older_ones_are_not_moved_yet(world, turning):
    first, *_ = files(world, 2)
    epoch = world.do(BeginRotation(), turning.act(OTHER_TENANT))
    turned = world.do(AdvanceKeys(epoch=epoch), turning.act(TENANT))
    assert turned.standing.behind == 2
    world.do(
        UpdateBasicInformation(
            credit_file=first.id, origin=world.origin("again"), basic=BasicInformation(email="a@b.example")
        )
    )
    world.file(world.origin("third"), "C-9", BasicInformation(phone="+8613800130009"))
    assert under(world, vault_dek.c.kek_epoch) == {1: 2, 2: 1}
    assert len(Asking(world)()) == 3
    with pytest.raises(Conflict, match="2 data keys"):
        world.do(RetireEpochs(), turning.act(TENANT))
    done = rotate(world, turning, fresh=False)
    assert (done.epoch, done.moved) == (2, 2)
    assert world.findings() == []


def test_a_root_that_was_made_and_not_recorded_is_taken_up(world, turning):
    KeyFile(world.folder / "keys.json").generate(2)
    assert world.do(BeginRotation(fresh=False), turning.act(OTHER_TENANT)) == 2
    assert world.do(BeginRotation(), turning.act(OTHER_TENANT)) == 2
    assert rotate(world, turning).epoch == 2
    assert rotate(world, turning).epoch == 3


def test_advancing_twice_changes_nothing(world, turning):
    epoch = world.do(BeginRotation(), turning.act(OTHER_TENANT))
    once = world.do(AdvanceKeys(epoch=epoch), turning.act(TENANT))
    rows = under(world, vault_key.c.epoch)
    assert world.do(AdvanceKeys(epoch=epoch), turning.act(TENANT)) == once
    assert world.do(AdvanceKeys(epoch=1), turning.act(TENANT)).standing.epoch == 2
    assert under(world, vault_key.c.epoch) == rows


def test_a_wrap_that_does_not_open_stops_the_rotation_before_anything_is_left(world, turning):
    files(world, 2)
    epoch = world.do(BeginRotation(), turning.act(OTHER_TENANT))
    world.do(AdvanceKeys(epoch=epoch), turning.act(TENANT))
    world.do(RewrapKeys(), turning.act(TENANT))
    statement = "UPDATE vault_dek_wrap SET wrapped = {} WHERE kek_epoch = 2"
    nothing = "zeroblob(64)" if world.database.dialect == "sqlite" else "decode(repeat('00', 64), 'hex')"
    world.database.execute(statement.format(nothing))
    with pytest.raises(Tampered, match="2 keys do not open"):
        rotate(world, turning, fresh=False)
    assert set(under(world, vault_key.c.epoch)) == {1, 2}


def test_an_envelope_that_does_not_open_is_found_by_the_verifying_pass(world, turning):
    files(world, 1)
    world.database.execute("UPDATE sealed_field SET value_version = 9")
    with pytest.raises(Tampered, match="1 keys do not open"):
        world.do(VerifyKeys(), turning.act(TENANT))
    with pytest.raises(Malformed):
        world.do(VerifyKeys(after="no key"), turning.act(TENANT))
    with pytest.raises(Malformed):
        world.do(RetireEpochs(after="no key"), turning.act(TENANT))


def test_a_root_is_destroyed_only_when_every_company_has_left_it_and_no_backup_needs_it(world, turning):
    files(world, 1)
    rotate(world, turning)
    with pytest.raises(Conflict, match="Keys lie under"):
        world.do(CondemnEpoch(number=2), turning.act(TENANT))
    with pytest.raises(Conflict, match="Backups need this epoch"):
        world.loop(turning.destroy(1))
    with pytest.raises(Conflict, match="not condemned"):
        world.do(DestroyEpoch(number=1), turning.act(TENANT))
    world.clock.move(days=BACKUP_DAYS)
    world.loop(turning.destroy(1))
    assert states(world)[1] is EpochState.DESTROYED
    world.loop(turning.destroy(1))
    with pytest.raises(KeyUnavailable, match="destroyed"):
        KeyFile(world.folder / "keys.json").generate(1)
    assert len(Asking(world)()) == 1
    assert world.findings() == []


def test_what_was_stored_before_opens_no_more_once_its_epoch_is_destroyed(world, turning):
    files(world, 2)
    kept = {
        table.name: world.look(lambda connection, table=table: connection.execute(sa.select(table)).mappings().all())
        for table in (vault_key, vault_dek, vault_dek_wrap)
    }
    rotate(world, turning)
    world.clock.move(days=BACKUP_DAYS)
    world.loop(turning.destroy(1))
    for name in ("vault_dek_wrap", "vault_dek", "vault_key"):
        world.database.execute(f"DELETE FROM {name} WHERE tenant = '{TENANT}'")  # noqa: S608 - names of our own
        world.database.insert(name, *(dict(row) for row in kept[name] if row["tenant"] == TENANT))
    fresh = Keyring(KeyFile(world.folder / "keys.json"), world.clock.now().timestamp)
    world.gate._opener = VaultOpener(replace(world.room, ring=fresh))
    with pytest.raises(KeyUnavailable, match="Root key version 1 is destroyed"):
        Asking(world)()


def test_reading_and_writing_go_on_while_keys_turn(world, turning, monkeypatch):
    monkeypatch.setattr(epochs, "AT_ONCE", 3)
    files(world, 8)
    asking, origin = Asking(world), world.origin("meanwhile")
    wanted = [row["confidential"]["phone"] for row in asking()]
    read = []

    async def reads(turned):
        while not turned.is_set():
            rows = await asking.asked()
            read.append([row["confidential"]["phone"] for row in rows[: len(wanted)]])
            await asyncio.sleep(0)

    async def writes(turned):
        number = 0
        while not turned.is_set():
            number += 1
            opening = world_file(origin, f"N-{number}")
            await world.gate.perform(opening, world.actor())
            await asyncio.sleep(0.01)
        return number

    async def both():
        turned = asyncio.Event()
        others = asyncio.gather(reads(turned), writes(turned))
        for _ in range(3):
            await turning.rotate(lambda *_: None, fresh=True)
        turned.set()
        return (await others)[1]

    written = world.loop(both())
    assert written
    assert len(read) > 3
    assert all(one == wanted for one in read)
    assert set(under(world, vault_key.c.epoch)) == {4}
    assert sum(under(world, vault_dek.c.kek_epoch).values()) == len(wanted) + written
    rotate(world, turning, fresh=False)
    assert set(under(world, vault_dek.c.kek_epoch)) == {4}
    assert world.findings() == []


def world_file(origin, reference):
    return OpenCreditFile(
        reference=reference,
        name="Yunfan",
        kind=PartyKind.ENTERPRISE,
        origin=origin,
        basic=BasicInformation(phone="+8613900139000"),
    )


def test_keys_that_ended_elsewhere_leave_the_memory_of_this_process_with_the_next_value(world):
    files(world, 1)
    asking = Asking(world)
    asking()
    assert len(world.ring._deks) == 1
    kept = world.ring._deks._kept.copy()
    world.database.execute("UPDATE vault_key SET generation = generation + 1")
    asking()
    assert world.ring._deks._kept != kept or world.ring._deks._drops > 1
    drops = world.ring._deks._drops
    asking()
    assert world.ring._deks._drops == drops


def test_the_time_until_a_root_may_be_destroyed_is_counted_from_the_last_key_that_left(world, turning):
    files(world, 1)
    rotate(world, turning)
    (first,) = [epoch for epoch in world.current(KeyEpoch) if epoch.number == 1]
    assert first.retired_at == world.clock.now()
    assert first.destroyable_at == world.clock.now() + timedelta(days=BACKUP_DAYS)
