"""A computed field counts days where the company is."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.actors import Rights
from domain.files.history import DocumentKind, TradeTransaction
from domain.files.recording.documents import Document, RecordTransactions
from domain.gate import Plan
from domain.money import Money
from domain.reading import Labelled, Level, Page, Reading, Slot, judge
from tests.world import NOW
from vault.store.reading import SqlReadings

SHAPE = TradeTransaction.shape


@pytest.mark.parametrize(("hour", "beyond"), [(15, 10), (16, 11)])
def test_days_beyond_terms_are_counted_in_the_companys_own_zone(world, monkeypatch, hour, beyond):
    origin = world.origin()
    file = world.file(origin)
    document = Document(
        source_row="1",
        kind=DocumentKind.RECEIVABLE,
        number="1",
        issued_on=date(2026, 10, 1),
        due_on=date(2026, 11, 14),
        net=Money(100, "CNY"),
        total=Money(100, "CNY"),
    )
    world.do(RecordTransactions(credit_file=file.id, origin=origin, documents=(document,)))
    world.clock.at = datetime(NOW.year, NOW.month, NOW.day, hour, 59, tzinfo=UTC)
    computed = (Labelled("days", SHAPE.computed["days_beyond_terms"]),)
    level = Level(shape=SHAPE, computed=computed, page=Page(size=Slot(0)))
    rights = Rights(id=2, version="grants-2", allowed={SHAPE.read: "rule"})
    monkeypatch.setattr(world.grants, "rights", lambda _actor: rights)
    judged = judge(Reading((Labelled("page", level),)), rights)
    plan = Plan(judged=judged, steps=SqlReadings(world.database.dialect, world.ring).prepare(judged))

    answer = world.loop(world.gate.read(plan, world.actor(), [10]))
    assert answer["page"]["rows"] == [{"days": beyond}]
