"""Whatever is changed behind the back of the log is found, and told with its place."""

from __future__ import annotations

from functools import partial

import pytest
import sqlalchemy as sa

from domain.files.history import DocumentKind, TradeTransaction
from domain.files.opening import BasicInformation, UpdateBasicInformation
from domain.files.parties import CreditFile
from domain.files.recording.documents import Document, RecordTransactions
from domain.money import Money
from domain.operations import OPERATIONS, Decided
from tests.vault.trying import Try
from tests.world import NOW, PHONE
from vault.store import tables

DAY = NOW.date()


@pytest.fixture
def file(world):
    """A file with sealed values and enough rows that their list leaves the entry for its side payload."""
    origin = world.origin()
    file = world.file(origin)
    documents = tuple(
        Document(
            source_row=f"row {number}",
            kind=DocumentKind.RECEIVABLE,
            number=str(number),
            issued_on=DAY,
            net=Money(100, "CNY"),
            total=Money(100, "CNY"),
        )
        for number in range(270)
    )
    world.do(RecordTransactions(credit_file=file.id, origin=origin, documents=documents))
    assert world.findings() == []
    return file


@pytest.fixture(autouse=True)
def _declared(monkeypatch):
    monkeypatch.setitem(OPERATIONS, "Try", Try)


def forced(world, *statements):
    """Statements past the guards, as somebody with the database's own keys could run them."""
    tables = ("credit_file", "trade_transaction", "audit_entry", "audit_batch", "customer", "audit_payload")
    tables += ("consent", "consent_event")
    if world.database.dialect == "postgresql":
        for table in tables:
            world.database.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    else:
        names = world.database.fetch("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names:
            world.database.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        world.database.execute(statement)


def kinds(world):
    return {finding.kind for finding in world.findings()}


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE credit_file SET name = 'Somebody else'", "ROW"),
        ("UPDATE trade_transaction SET total_minor = 1 WHERE source_row = 'row 7'", "ROW"),
        ("DELETE FROM trade_transaction WHERE source_row = 'row 7'", "ROW"),
        ("DELETE FROM customer", "BROKEN_LINK"),
        ("UPDATE sealed_field SET value_version = 0 WHERE field_tag = 'contact.phone'", "ROLLED_BACK"),
        ("UPDATE sealed_field SET data_class = 'financial' WHERE field_tag = 'contact.phone'", "TAMPERED"),
        ("DELETE FROM vault_dek_wrap", "KEY_MISSING"),
        ("DELETE FROM credit_file", "ORPHAN"),
        ("UPDATE audit_entry SET leaf_hash = 'ab' WHERE log_index = 1", "LOG_ROW"),
        ("DELETE FROM audit_entry WHERE log_index = 1", "LOG_ROW"),
        ("DELETE FROM audit_batch WHERE first_index = 1", "TREE"),
        ("UPDATE audit_payload SET entry = entry || 'x'", None),
    ],
)
def test_a_change_behind_the_log_is_found(world, file, statement, kind):
    forced(world, statement)
    assert file
    if kind is None:
        assert "UNRECORDED" in kinds(world)
    else:
        assert kind in kinds(world)


def test_a_row_that_the_log_does_not_know_is_found(world, file):
    columns = ", ".join(column.name for column in _columns())
    others = ", ".join("'cf_x'" if c.name == "id" else "'R-9'" if c.name == "reference" else c.name for c in _columns())
    forced(world, f"INSERT INTO credit_file ({columns}) SELECT {others} FROM credit_file")  # noqa: S608 - made up here
    assert file
    assert "UNRECORDED" in kinds(world)


def _columns():
    from vault.store.tables import table

    return table(CreditFile.shape).columns


def test_a_whole_row_that_is_rolled_back_opens_and_is_found_against_the_log_all_the_same(world, file):
    """What no seal can tell: row, cell and token are just as they once were, and verify."""
    old = {table: kept(world, table) for table in ("credit_file", "sealed_field", "blind_index")}
    world.clock.move(days=1)
    update = UpdateBasicInformation(
        credit_file=file.id, origin=world.origin("later"), basic=BasicInformation(phone="13900139000", staff_count=7)
    )
    world.do(update)
    assert world.findings() == []
    forced(world, *(f"DELETE FROM {table}" for table in old))  # noqa: S608 - our own tables
    for table, rows in old.items():
        world.database.insert(table, *rows)
    opened = world.perform(Try(how=partial(load_phone, file)))
    assert opened.opened == (PHONE,)
    found = {(finding.kind, finding.place.partition("/")[2]) for finding in world.findings()}
    assert ("ROLLED_BACK", "contact.phone") in found
    assert "ROW" in {kind for kind, _ in found}


def test_a_sealed_value_that_is_deleted_is_found_against_the_log(world, file):
    forced(world, "DELETE FROM sealed_field WHERE field_tag = 'contact.email'")
    assert {("CELL", f"{file.id}/contact.email")} <= {(one.kind, one.place) for one in world.findings()}


def kept(world, table):
    """The rows of a table as they are now."""
    rows = world.look(lambda connection: connection.execute(sa.text(f"SELECT * FROM {table}")).mappings().all())  # noqa: S608 - ours
    return [dict(row) for row in rows]


def load_phone(file, unit):
    """The phone of a file, to be opened."""
    sealed = unit.sealed([unit.get(CreditFile, file.id)], [CreditFile.phone])
    return Decided(value=None, reveals=tuple(sealed), purpose="CREDIT_REVIEW")


def test_a_row_that_came_does_not_make_up_for_one_that_went(world, file):
    """Somebody puts a row of his own in the place of another: the count is right, and the rows are not."""
    kept = [column.name for column in tables.table(TradeTransaction.shape).columns if column.name != "id"]
    taken = ["'another'" if name == "source_row" else name for name in kept]
    where = f"FROM trade_transaction WHERE source_row = 'row 7' AND subject_id = '{file.subject_id}'"
    forced(
        world,
        f"INSERT INTO trade_transaction (id, {', '.join(kept)}) "
        f"SELECT 'tt_0000000000000000000000000a', {', '.join(taken)} {where}",
        f"DELETE {where}",
    )
    (told,) = [one for one in world.findings() if one.kind == "UNRECORDED"]
    assert told.place == "trade_transaction"
    assert "others" in told.says
