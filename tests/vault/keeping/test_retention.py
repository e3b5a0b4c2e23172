"""Records past their time are deleted for good; what is held, or not past it, stays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from api.jobs.erasing import finish
from api.jobs.retaining import sweep
from domain.custody import retention
from domain.custody.erasures import Erasure, ErasureReason, ErasureState
from domain.custody.holds import PlaceLegalHold
from domain.custody.retention import SweepRecords, SweepSealed, past
from domain.custody.rules import RULES, Parties
from domain.errors import Malformed
from domain.files.history import (
    DefaultEvent,
    DefaultKind,
    PublicSanction,
    RecordStatus,
    SanctionKind,
    SanctionMatch,
    SanctionSeverity,
)
from domain.files.opening import BasicInformation, OpenCreditFile
from domain.files.parties import PartyKind
from domain.files.recording.events import RecordDefault, RecordSanction
from domain.money import Money
from tests.world import TENANT
from vault.store.tables import sealed_field, vault_dek

C5, R4, R2 = (rule.id for rule in RULES[:3])
TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("today", "due"),
    [(date(2026, 3, 1), False), (date(2026, 3, 2), True), (date(2026, 3, 3), True), (date(2030, 1, 1), True)],
)
def test_cn_c5_counts_five_years_from_the_day_a_default_ended(today, due):
    told = {"default.ended_on": date(2021, 3, 1)}
    rule = next(rule for rule in RULES if rule.id == C5)
    assert (past(rule, DefaultEvent, told, today, natural=True) is not None) is due
    assert past(rule, DefaultEvent, told, today, natural=False) is None
    assert past(rule, DefaultEvent, {}, today, natural=True) is None
    assert past(rule, PublicSanction, told, today, natural=True) is None


def test_cn_r4_ends_on_the_last_of_february_for_a_leap_day():
    rule = next(rule for rule in RULES if rule.id == R4)
    told = {"default.ended_on": date(2020, 2, 29)}
    assert past(rule, DefaultEvent, told, date(2025, 2, 28), natural=False) is None
    assert past(rule, DefaultEvent, told, date(2025, 3, 1), natural=False) == date(2020, 2, 29)


def test_cn_r2_counts_from_the_earlier_of_repair_and_end_of_publication_for_everybody():
    rule = next(rule for rule in RULES if rule.id == R2)
    told = {"sanction.repaired_on": date(2026, 5, 1), "sanction.publish_until": date(2026, 9, 1)}
    assert rule.parties is Parties.EVERYBODY
    for natural in (True, False):
        assert past(rule, PublicSanction, told, date(2026, 5, 1), natural=natural) is None
        assert past(rule, PublicSanction, told, date(2026, 5, 2), natural=natural) == date(2026, 5, 1)


def default(world, file, origin, ended):
    recording = RecordDefault(
        credit_file=file.id,
        origin=origin,
        kind=DefaultKind.LATE_PAYMENT,
        amount=Money(100, "CNY"),
        since_on=date(2018, 1, 1),
        ended_on=ended,
    )
    return world.do(recording)


@pytest.fixture
def filled(world):
    """A firm with one default past its time, one that is not, and one that never ended."""
    origin = world.origin()
    file = world.file(origin, "C-1", BasicInformation(phone="+8613800130001"))
    days = (TODAY.replace(year=2021) - timedelta(days=2), TODAY.replace(year=2021), None)
    return file, origin, [default(world, file, origin, ended) for ended in days]


def job(world):
    return world.actor("system:retention")


def swept(world, *, dry=False):
    return world.loop(sweep(world.gate, job(world), dry=dry))


def statuses(world):
    return {record.id: record.status for record in world.current(DefaultEvent)}


def cells(world, record):
    own = sa.select(sealed_field).where(sealed_field.c.tenant == TENANT, sealed_field.c.record_id == record)
    return world.look(lambda connection: connection.execute(own).all())


def test_a_dry_run_lists_what_would_go_and_deletes_nothing(world, filled):
    _, _, (old, new, never) = filled
    (due,) = swept(world, dry=True)
    assert (due.record, due.rule, due.held) == (old.id, R4, False)
    assert set(statuses(world).values()) == {RecordStatus.ACTIVE}
    assert all(bytes(cell.envelope) for one in (old, new, never) for cell in cells(world, one.id))
    assert world.findings() == []


def test_what_is_past_its_time_is_deleted_for_good_and_certified(world, filled):
    file, _, (old, new, never) = filled
    before = {one.id: cells(world, one.id) for one in (old, new, never)}
    (due,) = swept(world)
    assert due.record == old.id
    assert statuses(world) == {old.id: RecordStatus.EXPIRED, new.id: RecordStatus.ACTIVE, never.id: RecordStatus.ACTIVE}
    assert all(bytes(cell.envelope) == b"" for cell in cells(world, old.id))
    for kept in (new.id, never.id):
        assert {cell.dek_id for cell in cells(world, kept)}.isdisjoint(cell.dek_id for cell in before[kept])
        assert [cell.value_version for cell in cells(world, kept)] == [2] * len(before[kept])
    (erasure,) = world.current(Erasure)
    assert (erasure.reason, erasure.records, erasure.rule) == (ErasureReason.RETENTION, (old.id,), R4)
    assert world.findings() == []
    assert swept(world) == []
    (done,) = world.loop(finish(world.gate, world.store, [TENANT], lambda _: world.actor("system:operator")))
    assert (done.state, done.credit_file) == (ErasureState.ERASED, file.id)
    assert done.certificate
    assert world.findings() == []
    alive = sa.select(vault_dek.c.dek_id).where(vault_dek.c.kek_epoch > 0)
    living = {bytes(row) for row in world.look(lambda connection: connection.scalars(alive).all())}
    assert living.isdisjoint(bytes(cell.dek_id) for cell in before[old.id])


def test_a_legal_hold_keeps_what_is_past_its_time(world, filled):
    file, _, (old, *_) = filled
    world.do(PlaceLegalHold(credit_file=file.id, reason="Case 12", owner="counsel"), world.actor("legal"))
    (due,) = swept(world)
    assert (due.record, due.held) == (old.id, True)
    assert set(statuses(world).values()) == {RecordStatus.ACTIVE}


def test_the_sweep_goes_on_in_steps_and_takes_persons_and_sanctions_too(world, filled, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    _, origin, _ = filled
    person = world.do(OpenCreditFile(reference="C-2", name="Wang", kind=PartyKind.SOLE_TRADER, origin=origin))
    theirs = default(world, person, origin, date(2020, 1, 1))
    sanction = RecordSanction(
        credit_file=person.id,
        origin=origin,
        authority="a court",
        kind=SanctionKind.ADMINISTRATIVE_PENALTY,
        severity=SanctionSeverity.SLIGHT,
        match=SanctionMatch.CONFIRMED,
        published_on=TODAY - timedelta(days=30),
        publish_until=TODAY + timedelta(days=9),
        repaired_on=TODAY - timedelta(days=9),
    )
    repaired = world.do(sanction)
    due = {one.record: one.rule for one in swept(world)}
    assert due[theirs.id] == C5
    assert due[repaired.id] == R2
    assert len(due) == 3
    assert world.current(PublicSanction)[0].status is RecordStatus.EXPIRED
    assert world.findings() == []


def test_a_kind_that_no_rule_is_about_is_refused(world, filled):
    assert filled
    for kind, step in (("Tenant", SweepRecords), ("Consent", SweepSealed), ("DefaultEvent", SweepRecords)):
        with pytest.raises(Malformed, match="No rule"):
            world.do(step(kind=kind), job(world))
