"""Keys that sign are replaced: what they signed in their time verifies on, and nothing after it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from api.jobs.erasing import finish
from api.jobs.renewing import Ended, Renewing
from api.jobs.rotating import Turning
from domain.custody.erasing import ApproveErasure, ProposeErasure
from domain.custody.erasures import ErasureReason
from domain.custody.keeping import SigningUse
from domain.custody.signing import ReplaceSigningKey, SigningKey, SigningState
from domain.errors import KeyUnavailable, Malformed, Tampered
from domain.files.opening import BasicInformation
from tests.vault.keeping.test_rotation import world_file
from tests.world import TENANT
from vault.audit import certificate
from vault.audit.handover import Keyholders
from vault.audit.note import Verifier
from vault.audit.verify import handovers_in, verify_folder
from vault.store import looks
from vault.store.tables import vault_key

LATER = timedelta(days=1)


def replace(world, **given):
    """The key of the log is replaced, a day later; the next one."""
    world.clock.move(days=1)
    asked = {"use": SigningUse.LOG, "before": world.clock.now()} | given
    return world.do(ReplaceSigningKey(**asked), world.actor("system:operator"))


def keys(world):
    return world.look(looks.log_keys(world.room, TENANT, "auditor"))


def pinned(world):
    return Verifier.read(keys(world).pinned[0])


def exported(world, folder):
    """The log as files, with the handovers of its keys."""
    world.leaves()
    checkpoint = world.loop(world.store.checkpoint(TENANT))
    world.look(looks.exported(TENANT, checkpoint, folder))
    (folder / "handover").mkdir(exist_ok=True)
    for number, text in enumerate(keys(world).handovers, 1):
        (folder / "handover" / str(number)).write_text(text, encoding="utf-8")
    return checkpoint


def certified(world):
    """The certificate of an erasure, signed now."""
    file = world.file(world.origin(), "C-E", BasicInformation(phone="+8613800130001"))
    proposed = world.do(ProposeErasure(target=file.id, reason=ErasureReason.REQUEST), world.actor("first"))
    world.do(ApproveErasure(erasure=proposed.id), world.actor("second"))
    (done,) = world.loop(finish(world.gate, world.store, [TENANT], lambda _: world.actor("system:operator")))
    return done.certificate


def test_a_company_that_never_replaced_a_key_publishes_the_one_it_has(world):
    assert keys(world).pinned == [world.look(looks.verifying_key(world.room, TENANT, "auditor"))]
    assert keys(world).handovers == []


def test_old_checkpoints_and_new_ones_verify_by_whichever_key_was_pinned(world, tmp_path):
    first, before = pinned(world), exported(world, tmp_path / "before")
    began = world.clock.now()
    new = replace(world)
    second, after = pinned(world), exported(world, tmp_path / "after")
    assert (new.number, new.public, new.state) == (2, str(second), SigningState.SIGNING)
    former, current = world.current(SigningKey)
    assert (former.public, former.state, former.began_at) == (str(first), SigningState.RETIRED, began)
    assert former.ended_at == current.began_at == world.clock.now()
    assert keys(world).pinned == [str(second), str(first)]
    assert before != after
    for key in (first, second):
        report = verify_folder(tmp_path / "after", key, earlier=[before])
        assert (report.ok, report.key) == (True, str(second))
    assert verify_folder(tmp_path / "before", first).ok
    assert world.findings() == []


def test_the_change_is_an_entry_of_its_own_and_the_former_private_key_is_gone(world):
    def stored():
        own = vault_key.c
        select = sa.select(own.wrapped).where(own.tenant == TENANT, own.purpose == "sign")
        return [bytes(wrapped) for wrapped in world.look(lambda connection: connection.scalars(select).all())]

    (before,) = stored()
    new = replace(world)
    (after,) = stored()
    assert before != after
    said = json.loads(world.leaves()[-1])
    assert said["action"] == "key:replace"
    assert {own for own, _, _ in said["written"]} >= {new.id}


def test_keys_hand_over_again_and_again_also_across_epochs(world, tmp_path):
    first = pinned(world)
    replace(world)
    turning = Turning(
        gate=world.gate,
        leading=TENANT,
        companies=(TENANT,),
        act=lambda tenant: world.actor("system:operator", tenant=tenant),
    )
    world.loop(turning.rotate(lambda *_: None, fresh=True))
    second = pinned(world)
    assert replace(world).number == 3
    exported(world, tmp_path / "log")
    for key in (first, second, pinned(world)):
        assert verify_folder(tmp_path / "log", key).ok
    assert [one.state.value for one in world.current(SigningKey)] == ["RETIRED", "RETIRED", "SIGNING"]


def test_a_key_that_is_young_enough_stays(world):
    before = world.clock.now()
    assert replace(world, before=before) is None
    assert replace(world) is not None
    instant = world.clock.now()
    assert replace(world, before=instant) is None
    assert len(world.current(SigningKey)) == 2


def test_a_compromised_key_counts_until_its_end_and_hands_nothing_over(world, tmp_path):
    first, kept = pinned(world), exported(world, tmp_path / "before")
    replace(world, compromised=True)
    exported(world, tmp_path / "after")
    assert keys(world).pinned == [str(pinned(world))]
    assert not verify_folder(tmp_path / "after", first).ok
    assert verify_folder(tmp_path / "after", pinned(world), earlier=[kept]).ok
    assert world.current(SigningKey)[0].state is SigningState.COMPROMISED


def test_a_key_ends_in_its_own_time(world):
    now = world.clock.now()
    with pytest.raises(Malformed, match="ends now"):
        replace(world, since=now)
    with pytest.raises(Malformed, match="own time"):
        replace(world, since=now - LATER, compromised=True)
    with pytest.raises(Malformed, match="own time"):
        replace(world, since=now + 9 * LATER, compromised=True)
    assert world.current(SigningKey) == []
    replace(world, since=now, compromised=True)
    assert world.current(SigningKey)[0].ended_at == now


def test_certificates_verify_by_the_key_of_their_time_and_by_any_that_is_pinned(world, tmp_path):
    old, first = certified(world), pinned(world)
    replace(world)
    new = certificate_signed(world)
    exported(world, tmp_path / "log")
    handovers = handovers_in(tmp_path / "log")
    assert len(handovers) == 1
    for key in (first, pinned(world)):
        for text in (old, new):
            assert certificate.verified(text, Keyholders([key], handovers))
    with pytest.raises(Tampered, match="does not verify"):
        certificate.verified(new, Keyholders([first]))


def certificate_signed(world, at=None):
    """A statement that says when it was certified, signed by the key of now."""
    said = {"certifiedAt": (at or world.clock.now()).isoformat()}
    return signed_by(world, said)


def signed_by(world, said):
    def sign(connection):
        own = world.room.keys(connection, world.room.hand(TENANT, "test"))
        with own.signing_key() as seed:
            return certificate.signed(seed, looks.verifier(own, TENANT), certificate.CERTIFICATE, said)

    return world.look(sign)


def test_what_a_key_certified_after_its_end_counts_for_nothing(world, tmp_path):
    moment = world.clock.now()
    texts = {days: certificate_signed(world, moment + timedelta(days=days)) for days in (0, 1, 2)}
    silent = signed_by(world, {})
    replace(world, compromised=True, since=moment + timedelta(hours=12))
    exported(world, tmp_path / "log")
    known = Keyholders([pinned(world)], handovers_in(tmp_path / "log"))
    assert certificate.verified(texts[0], known)
    for text in (texts[1], texts[2], silent):
        with pytest.raises(Tampered, match="had ended"):
            certificate.verified(text, known)


def test_a_provider_that_is_out_leaves_the_key_that_signs(world, monkeypatch):
    before = pinned(world)

    def out(_items):
        raise KeyUnavailable("The provider cannot be reached.", advice="Wait.")

    monkeypatch.setattr(world.ring._provider, "wrap", out)
    with pytest.raises(KeyUnavailable):
        replace(world)
    assert pinned(world) == before
    assert world.current(SigningKey) == []
    monkeypatch.undo()
    assert replace(world).number == 2


def test_while_entries_are_written_no_checkpoint_is_signed_by_a_key_that_ended(world, tmp_path):
    """Checkpoints are signed the whole time; each of them fits the keys of its size."""
    first, origin = pinned(world), world.origin()
    renewing = Renewing(world.gate, lambda tenant: world.actor("system:operator", tenant=tenant))
    kept = []

    async def writes(ended):
        number = 0
        while not ended.is_set():
            number += 1
            await world.gate.perform(file_of(origin, number), world.actor())
            kept.append(await world.store.checkpoint(TENANT))

    async def both():
        ended = asyncio.Event()
        writing = asyncio.gather(writes(ended), writes(ended))
        for _ in range(4):
            await asyncio.sleep(0.05)
            world.clock.move(seconds=1)
            await renewing.signing_keys([TENANT], SigningUse.LOG, Ended(before=world.clock.now()))
        ended.set()
        await writing

    def file_of(origin, number):
        return world_file(origin, f"W-{id(asyncio.current_task())}-{number}")

    world.loop(both())
    exported(world, tmp_path / "log")
    assert len(world.current(SigningKey)) == 5
    assert len(kept) > 4
    for key in (first, pinned(world)):
        report = verify_folder(tmp_path / "log", key, earlier=kept)
        assert report.ok, report
    assert world.findings() == []


def test_instants_are_told_as_they_are_signed(world):
    world.clock.at = datetime(2026, 11, 24, 8, 30, 15, 999_999, tzinfo=UTC)
    replace(world)
    (text,) = keys(world).handovers
    assert "\nended 2026-11-25T08:30:15Z\n" in text
