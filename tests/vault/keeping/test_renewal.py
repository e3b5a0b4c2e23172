"""Data keys get their next version while reading and writing go on; what is left undone is done by running it again."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from api.jobs.renewing import Renewing, Wanted
from domain.custody import renewing
from domain.custody.erasing import ApproveErasure, ProposeErasure
from domain.custody.erasures import ErasureReason
from domain.custody.renewing import MOST_SEALS, FindWornKeys, RenewDataKeys
from domain.errors import KeyUnavailable, Malformed, Tampered
from domain.files.opening import BasicInformation, UpdateBasicInformation
from tests.vault.keeping.asking import Asking
from tests.vault.keeping.test_rotation import world_file
from tests.world import TENANT
from vault.store.keeping import renewal
from vault.store.tables import DESTROYED, audit_payload, sealed_field, vault_dek, vault_dek_wrap


def files(world, count):
    origin = world.origin()
    basic = [BasicInformation(phone=f"+861380013{number:04}", email="a@b.example") for number in range(count)]
    return [world.file(origin, f"C-{number}", one) for number, one in enumerate(basic)]


def renew(world, **given):
    """Data keys are renewed, those that are there now if nothing else is said; what that did."""
    world.clock.move(seconds=1)
    wanted = Wanted(**{"before": world.clock.now(), "seals": MOST_SEALS} | given)
    job = Renewing(world.gate, lambda tenant: world.actor("system:operator", tenant=tenant))
    (done,) = world.loop(job.data_keys([TENANT], wanted, lambda *_: None))
    return done.minted, done.sealed, done.ended


def deks(world, data_class="contact"):
    """The versions of every subject's data keys that are not destroyed, and of those that are."""
    dek = vault_dek.c
    select = sa.select(dek.subject, dek.version, dek.kek_epoch).where(
        dek.tenant == TENANT, dek.data_class == data_class
    )
    rows = world.look(lambda connection: connection.execute(select.order_by(dek.subject, dek.version)).all())
    living = [version for _, version, epoch in rows if epoch != DESTROYED]
    return living, [version for _, version, epoch in rows if epoch == DESTROYED]


def wraps(world):
    count = sa.select(sa.func.count()).where(vault_dek_wrap.c.tenant == TENANT)
    return world.look(lambda connection: connection.scalar(count))


def shown(world):
    return [row["confidential"]["phone"] for row in Asking(world)()]


def test_values_follow_to_the_next_version_and_the_older_one_ends(world):
    files(world, 3)
    before, wrapped = shown(world), wraps(world)
    minted, sealed, ended = renew(world)
    assert (minted, sealed, ended) == (minted, 6, 3)
    assert deks(world) == ([2, 2, 2], [1, 1, 1])
    assert wraps(world) == wrapped + minted - ended
    assert shown(world) == before
    assert world.findings() == []
    assert [json.loads(leaf)["action"] for leaf in world.leaves()].count("key:rotate") == 2


def test_one_step_seals_a_bounded_number_of_values_and_the_next_goes_on(world, monkeypatch):
    monkeypatch.setattr(renewing, "AT_ONCE", 1)
    monkeypatch.setattr(renewal, "KEYS_AT_ONCE", 2)
    files(world, 3)
    before = shown(world)
    bound, actor = world.clock.now() + timedelta(seconds=1), world.actor("system:operator")
    world.clock.move(seconds=2)
    last, steps = "", []
    while True:
        done = world.do(RenewDataKeys(before=bound, data_class="contact", after=last), actor)
        steps.append(done)
        assert done.sealed <= 1
        assert shown(world) == before
        last = done.last
        if not last:
            break
    assert sum(one.sealed for one in steps) == 6
    assert sum(one.minted for one in steps) == sum(one.ended for one in steps) == 3
    assert len(steps) >= 6
    assert world.findings() == []


def test_one_that_was_broken_off_goes_on_and_nothing_is_renewed_twice(world, monkeypatch):
    files(world, 2)
    monkeypatch.setattr(renewing, "AT_ONCE", 1)
    world.clock.move(seconds=1)
    bound = world.clock.now()
    world.do(RenewDataKeys(before=bound, data_class="contact"), world.actor("system:operator"))
    assert deks(world) == ([1, 2, 1], [])
    assert renew(world, before=bound, data_class="contact") == (1, 3, 2)
    assert renew(world, before=bound, data_class="contact") == (0, 0, 0)
    assert deks(world) == ([2, 2], [1, 1])


def test_a_run_for_what_is_older_finishes_what_another_began(world, monkeypatch):
    files(world, 1)
    monkeypatch.setattr(renewing, "AT_ONCE", 1)
    world.clock.move(seconds=1)
    world.do(RenewDataKeys(before=world.clock.now(), data_class="contact"), world.actor("system:operator"))
    year_ago = world.clock.now() - timedelta(days=365)
    assert renew(world, before=year_ago) == (0, 1, 1)


def test_keys_are_chosen_by_age_subject_and_class(world):
    first, second = files(world, 2)
    assert renew(world, before=world.clock.now() - timedelta(days=1)) == (0, 0, 0)
    assert renew(world, subject=first.subject_id, data_class="contact") == (1, 2, 1)
    assert renew(world, data_class="identity") == (0, 0, 0)
    assert deks(world)[1] == [1]
    assert second.subject_id != first.subject_id


def test_a_key_that_sealed_too_much_is_renewed_however_young_it_is(world):
    first, _ = files(world, 2)
    actor, old = world.actor("system:operator"), world.clock.now() - timedelta(days=1)
    for number in range(3):
        origin = world.origin(f"again {number}")
        basic = BasicInformation(email=f"n{number}@b.example")
        world.do(UpdateBasicInformation(credit_file=first.id, origin=origin, basic=basic))
    assert world.do(FindWornKeys(), actor) == ()
    (worn,) = world.do(FindWornKeys(seals=5), actor)
    assert renew(world, before=old, seals=5) == (1, 2, 1)
    assert worn not in world.do(FindWornKeys(seals=2), actor)
    with pytest.raises(Malformed):
        world.do(FindWornKeys(seals=0), actor)


def test_fsck_tells_of_a_key_that_sealed_too_much(world, monkeypatch):
    files(world, 1)
    monkeypatch.setattr("vault.store.fsck.MOST_SEALS", 2)
    (finding,) = world.findings()
    assert (finding.kind, "credence keys renew" in finding.says) == ("KEY_WORN", True)
    monkeypatch.undo()
    assert world.findings() == []


def test_what_the_log_sealed_stays_under_its_key_and_new_payloads_take_the_next(world, monkeypatch):
    monkeypatch.setattr("domain.audit.MAX_LISTED", 4)
    files(world, 1)
    origin = world.origin("many")
    for number in range(5):
        world.file(origin, f"N-{number}", BasicInformation(phone=f"+861390013{number:04}"))
    renew(world)  # one step writes more cells than a leaf takes: they go into a payload
    before = deks(world, "audit")[0]
    assert before
    kept = world.look(lambda connection: len(connection.execute(sa.select(audit_payload)).all()))
    assert kept
    renew(world, data_class="audit")
    after, ended = deks(world, "audit")
    assert (len(after), ended) == (2 * len(before), [])
    assert world.findings() == []


def test_what_was_erased_is_not_renewed(world):
    first, _ = files(world, 2)
    proposed = world.do(ProposeErasure(target=first.id, reason=ErasureReason.REQUEST), world.actor("first"))
    world.do(ApproveErasure(erasure=proposed.id), world.actor("second"))
    assert renew(world, data_class="contact") == (1, 2, 1)
    living, ended = deks(world)
    assert (living, sorted(ended)) == ([2], [1, 1])


def test_a_value_that_does_not_open_stops_the_renewal_and_keeps_its_key(world):
    files(world, 1)
    world.database.execute("UPDATE sealed_field SET value_version = 9 WHERE field_tag = 'contact.phone'")
    with pytest.raises(Tampered):
        renew(world)
    assert deks(world) == ([1], [])


def test_a_wrap_that_is_missing_stops_the_renewal(world):
    files(world, 1)
    world.database.execute("DELETE FROM vault_dek_wrap")
    with pytest.raises(KeyUnavailable):
        renew(world, data_class="contact")


def test_wrong_words_are_refused(world):
    actor, now = world.actor("system:operator"), world.clock.now()
    for wrong in ({"data_class": "nothing"}, {"after": "no key"}, {"worn": ("no key",)}):
        with pytest.raises(Malformed):
            world.do(RenewDataKeys(before=now, **wrong), actor)


def test_readers_and_writers_of_the_same_values_go_on_and_lose_nothing(world, monkeypatch):
    monkeypatch.setattr(renewing, "AT_ONCE", 2)
    owned = files(world, 4)
    asking, origins = Asking(world), [world.origin(f"meanwhile {number}") for number in range(2)]
    job = Renewing(world.gate, lambda tenant: world.actor("system:operator", tenant=tenant))
    counted, read = {}, []

    async def writes(ended, own, origin):
        number = 0
        while not ended.is_set():
            number += 1
            basic = BasicInformation(email=f"n{number}@b.example")
            await world.gate.perform(
                UpdateBasicInformation(credit_file=own.id, origin=origin, basic=basic), world.actor()
            )
            counted[own.id] = f"n{number}@b.example"
            await world.gate.perform(world_file(origin, f"{own.id}-{number}"), world.actor())

    async def reads(ended):
        while not ended.is_set():
            rows = await asking.asked()
            read.append([row["confidential"]["phone"] for row in rows[:4]])
            assert not any(row["confidential"]["withheld"] for row in rows[:4] if not row["confidential"]["phone"])
            await asyncio.sleep(0)

    async def both():
        ended = asyncio.Event()
        others = asyncio.gather(reads(ended), *map(writes, [ended] * 2, owned, origins))
        for _ in range(3):
            world.clock.move(seconds=1)
            await job.data_keys([TENANT], Wanted(before=world.clock.now(), seals=MOST_SEALS), lambda *_: None)
        ended.set()
        await others

    world.loop(both())
    assert len(read) > 3
    assert all(one == read[0] for one in read)
    found = {row["id"]: row["confidential"]["email"] for row in asking()}
    assert counted
    assert {own: found[own] for own in counted} == counted
    assert world.findings() == []
    assert set(cells_under_ended_keys(world)) == set()


def cells_under_ended_keys(world):
    cell, dek = sealed_field.c, vault_dek.c
    ended = sa.select(dek.dek_id).where(dek.tenant == TENANT, dek.kek_epoch == DESTROYED)
    select = sa.select(cell.record_id).where(cell.tenant == TENANT, cell.dek_id.in_(ended), cell.envelope != b"")
    return world.look(lambda connection: connection.scalars(select).all())
