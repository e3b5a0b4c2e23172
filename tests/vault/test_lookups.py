"""What readers find of the log is built behind it, and is there whenever somebody looks."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from domain.audit import MAX_LISTED, Entry, Outcome
from domain.files.trail import AccessEntry, AuditEntry
from domain.ids import encode
from tests.world import TENANT
from vault.store import codec
from vault.store.ledger import lookups
from vault.store.tables import audit_found, audit_posting, table


def subject(number):
    return encode("cu", number.to_bytes(16, "big"))


def entry(world, subjects, action="credit_file:read"):
    now = world.clock.now()
    return Entry(
        id=world.ids.make("ae", int(now.timestamp() * 1000)),
        at=now,
        tenant=TENANT,
        actor="li",
        action=action,
        actions=("credit_file:read", "assessment:read"),
        subjects=tuple(subjects),
        fields=("credit_file.name",),
        outcome=Outcome.DONE,
    )


def accesses(world, number):
    """The accesses to one subject, as its rows are read."""
    columns = table(AccessEntry.shape).c
    select = sa.select(table(AccessEntry.shape)).where(columns.tenant == TENANT, columns.subject_id == subject(number))
    return world.look(lambda connection: connection.execute(select.order_by(columns.log_index)).mappings().all())


def test_every_subject_of_an_entry_finds_it_however_many_there_are(world):
    many = [subject(number) for number in range(MAX_LISTED + 40)]
    made = [entry(world, many), entry(world, many[:2], "assessment:read"), entry(world, ())]
    for one in made:
        world.loop(world.store.put(one))
    assert [row["entry"] for row in accesses(world, 0)] == [made[0].id, made[1].id]
    assert [row["entry"] for row in accesses(world, MAX_LISTED + 39)] == [made[0].id]
    assert accesses(world, MAX_LISTED + 40) == []
    row = accesses(world, 1)[1]
    assert row["id"] == "al_" + made[1].id[3:]
    assert (row["actor"], row["action"], row["outcome"]) == ("li", "assessment:read", "DONE")
    assert row["actions"] == "credit_file:read,assessment:read"
    assert row["fields"] == '["credit_file.name"]'
    assert row["at"] == made[1].at
    assert world.findings() == []


def test_the_row_of_an_entry_has_its_whole_lists(world):
    many = [subject(number) for number in range(MAX_LISTED + 1)]
    made = entry(world, many)
    world.loop(world.store.put(made))
    select = sa.select(table(AuditEntry.shape)).where(table(AuditEntry.shape).c.id == made.id)
    row = world.look(lambda connection: connection.execute(select).mappings().one())
    assert codec.record_of(AuditEntry.shape, row).subjects == made.subjects


def test_what_a_process_did_not_come_to_is_found_by_the_next(world, monkeypatch):
    def broken(*_):
        raise sa.exc.OperationalError("a statement", {}, OSError("lost"))

    made = entry(world, [subject(1)])
    with monkeypatch.context() as patch:
        patch.setattr(lookups, "bring_up", broken)
        world.loop(world.store.put(made))
        world.close()
    world.start()
    assert [row["entry"] for row in accesses(world, 1)] == [made.id]


def test_entries_are_findable_soon_without_anybody_asking(world):
    query = f"SELECT size FROM audit_found WHERE tenant = '{TENANT}'"  # noqa: S608 - an id of our own
    before = world.database.fetch(query)
    world.loop(world.store.put(entry(world, [subject(1)])))
    ends = time.monotonic() + 10
    while time.monotonic() < ends and world.database.fetch(query) == before:
        time.sleep(0.05)
    assert world.database.fetch(query) != before


def test_a_stretch_of_the_log_is_brought_up_in_steps_and_nothing_twice(world):
    for number in range(30):
        world.loop(world.store.put(entry(world, [subject(number % 3)])))
        world.clock.move(seconds=1)
    assert len(accesses(world, 0)) == 10

    def counted(connection):
        places = connection.execute(sa.select(audit_posting.c.subject, audit_posting.c.first_index)).all()
        return connection.scalar(sa.select(audit_found.c.size)), len(places), len(set(places))

    size, rows, distinct = world.look(counted)
    assert size >= 30
    assert rows == distinct


@pytest.mark.parametrize("most", [1, 7])
def test_the_size_of_a_step_changes_nothing(world, monkeypatch, most):
    monkeypatch.setattr(lookups, "AT_ONCE", most)
    monkeypatch.setattr(lookups.bring_up, "__defaults__", (most,))
    made = [entry(world, [subject(1)]) for _ in range(9)]
    for one in made:
        world.loop(world.store.put(one))
    assert [row["entry"] for row in accesses(world, 1)] == [one.id for one in made]
