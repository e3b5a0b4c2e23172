"""A statement or a commit that fails leaves a state of before or of after, and a log that agrees with it."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta

import asyncpg
import pytest
import sqlalchemy as sa

from domain.consent.consents import ConsentUse
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import GrantConsent
from domain.errors import AuditUnavailable, CreditError, Unavailable
from domain.files.opening import BasicInformation, Contact, OpenCreditFile
from domain.files.parties import CreditFile, PartyKind
from domain.reading import Purpose
from tests.world import BASIC, PHONE
from vault.store.postgres import PostgresStore

MOST = 80


class Faults:
    """Makes the n-th statement or commit of a store fail, once."""

    def __init__(self, store):
        self.left = None
        self.fired = False
        engine = store._engine.sync_engine if isinstance(store, PostgresStore) else store._engine
        sqlite = not isinstance(store, PostgresStore)
        self.error = sqlite3.OperationalError("disk I/O error") if sqlite else asyncpg.PostgresIOError("lost")
        sa.event.listen(engine, "before_cursor_execute", lambda *_: self.step())
        sa.event.listen(engine, "commit", lambda _: self.step())

    def step(self):
        """One statement, or one commit."""
        if self.left is None:
            return
        self.left -= 1
        if self.left == 0:
            self.left, self.fired = None, True
            raise sa.exc.OperationalError("a statement", {}, self.error)


def opening(origin, number):
    return OpenCreditFile(
        reference=f"C-{number}",
        name="Yunfan",
        kind=PartyKind.ENTERPRISE,
        origin=origin,
        basic=BasicInformation(phone=PHONE),
        contacts=(Contact(duty="CFO", name="Li", phone="13900139000"),),
    )


def test_whichever_statement_fails_the_work_is_whole_or_was_never_there(world):
    origin = world.origin()
    faults = Faults(world.store)
    for number in range(1, MOST):
        before = len(world.leaves())
        faults.left, faults.fired = number, False
        try:
            world.do(opening(origin, number))
        except (CreditError, sa.exc.DBAPIError):
            done = False
        else:
            done = True
        faults.left = None
        if not faults.fired:
            break
        stored = any(file.reference == f"C-{number}" for file in world.current(CreditFile))
        told = [json.loads(entry) for entry in world.leaves()[before:]]
        assert stored is done, number
        assert [entry["outcome"] for entry in told if entry["action"] == "credit_file:open"] == ["DONE"] * done, number
    else:
        pytest.fail("the work has more statements than were tried")
    assert number > 15
    assert world.findings() == []


def test_a_refusal_that_cannot_be_recorded_is_no_refusal_but_a_failure(world):
    origin = world.origin()
    world.do(opening(origin, 1))
    faults = Faults(world.store)
    for number in range(1, MOST):
        before = len(world.leaves())
        faults.left, faults.fired = number, False
        with pytest.raises((CreditError, sa.exc.DBAPIError)) as caught:
            world.do(opening(origin, 1))
        faults.left = None
        if not faults.fired:
            break
        recorded = [json.loads(entry)["outcome"] for entry in world.leaves()[before:]]
        refused = isinstance(caught.value, CreditError) and not isinstance(caught.value, Unavailable)
        assert recorded == ["INVALID"] * refused, number
    else:
        pytest.fail("the refusal has more statements than were tried")
    assert world.findings() == []


def test_what_waits_with_a_commit_that_fails_is_told_so_and_nothing_of_it_remains(world):
    origin = world.origin()
    faults = Faults(world.store)

    async def both():
        import asyncio

        gate, actor = world.gate, world.actor()
        works = [gate.perform(opening(origin, number), actor) for number in (1, 2, 3)]
        return await asyncio.gather(*works, return_exceptions=True)

    world.do(opening(origin, 0))
    faults.left = 1_000
    world.do(opening(origin, 9))
    statements = 1_000 - faults.left
    faults.left, faults.fired = statements, False
    ended = world.loop(both())
    assert faults.fired
    failed = [end for end in ended if isinstance(end, Exception)]
    # On PostgreSQL the fault may meet the sequencer: then the log is late, and no work has failed.
    assert failed or world.database.dialect == "postgresql"
    assert len(world.current(CreditFile)) == 2 + 3 - len(failed)
    assert world.findings() == []
    for number in range(1, 4):
        if not any(file.reference == f"C-{number}" for file in world.current(CreditFile)):
            world.do(opening(origin, number))
    assert len(world.current(CreditFile)) == 5


def test_no_secret_of_a_failed_statement_is_in_the_error(world):
    origin = world.origin()
    faults = Faults(world.store)
    for number in range(1, MOST):
        faults.left, faults.fired = number, False
        try:
            world.file(origin, reference=f"C-{number}", basic=BASIC)
            told = ""
        except (CreditError, sa.exc.DBAPIError) as error:
            told = f"{error}{error!r}{error.__cause__!r}{error.__context__!r}"
        assert PHONE not in told
        assert "13800138000" not in told
        if not faults.fired:
            return
    pytest.fail("the work has more statements than were tried")


def test_what_a_partner_asks_for_waits_until_its_entry_stands_in_the_tree(world, monkeypatch):
    file = world.file(world.origin())
    partner = world.partner()
    consented(world, file, partner)
    bank = world.actor("bank", "partner_client", partner=partner.id)
    if world.database.dialect == "sqlite":  # there the entry is placed in the transaction itself
        assert world.perform(asked(file, "a first request"), bank).receipt.placed
        return

    async def late(_tenant):
        return False

    with monkeypatch.context() as patched:
        patched.setattr(world.store._sequencer, "integrated", late)
        with pytest.raises(AuditUnavailable):
            world.perform(asked(file, "a first request"), bank)
    got = world.perform(asked(file, "a first request"), bank)
    assert got.opened == (PHONE,)
    outcomes = [json.loads(entry)["outcome"] for entry in world.leaves() if b'"disclosure:request"' in entry]
    assert outcomes == ["DONE", "FAILED", "DONE"]


def consented(world, file, partner):
    """The customer agreed to one request for its phone."""
    world.do(
        GrantConsent(
            credit_file=file.id,
            partner=partner.id,
            purpose=Purpose.PARTNER_CREDIT_DECISION,
            fields=("contact.phone",),
            use=ConsentUse.ONE_TIME,
            not_after=world.clock.now() + timedelta(days=1),
            notice_digest="ab" * 32,
            given_by="the board",
        )
    )


def asked(file, key):
    """What the partner asks for."""
    return RequestDisclosure(
        credit_file=file.id,
        purpose=Purpose.PARTNER_CREDIT_DECISION,
        fields=("contact.phone",),
        idempotency_key=key,
    )
