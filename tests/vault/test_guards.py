"""What the databases refuse by themselves, whatever is asked of them and by whom."""

# ruff: noqa: S608 - every name that stands in a statement here is our own

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from domain.custody.rules import BURIED
from tests.vault.corpus import NOW, Corpus
from tests.vault.shelf import Shelf
from vault.store import engines, tables
from vault.store.schema.columns import instant_text

CORPUS = Corpus(5, size=3)
HOME, AWAY = CORPUS.tenants
RECORDS = sorted(shape.table for shape in tables.shapes().values() if not shape.ledger)
LEDGERS = sorted(shape.table for name, shape in tables.shapes().items() if shape.ledger and name not in tables.VIEWS)
KEPT = (
    *LEDGERS,
    "audit_batch",
    "audit_checkpoint",
    "audit_cosignature",
    "audit_posting",
    "audit_tile",
    "tenant_register",
    "tombstone",
)
REFUSED = (sqlite3.IntegrityError, asyncpg.RestrictViolationError)
"""What a trigger of ours raises: SQLite calls every RAISE(ABORT) a constraint."""


def bare(tenant):
    """A row for every table that holds no record."""
    return {
        "audit_batch": {"first_index": 0, "size": 1, "peaks": b"p", "entries": b"e", "lists": b"", "at": NOW},
        "audit_checkpoint": {"size": 1, "text": "one"},
        "audit_cosignature": {"size": 1, "witness": "w1", "line": "one", "at": NOW},
        "audit_found": {"size": 1},
        "audit_posting": {"subject": "cu_1", "first_index": 0, "last_index": 0, "places": "[0]"},
        "audit_tile": {"level": 0, "place": 0, "root": b"r", "hashes": b"h"},
        "audit_outbox": {"id": "ae_waits", "entry": b"e"},
        "audit_payload": {"entry": "ae_1", "subject": "cu_1", "dek_id": b"d", "envelope": b"v"},
        "blind_index": {"field_tag": "t", "ver": 1, "token": b"t", "subject": "cu_1", "record_id": f"cf_{tenant}"},
        "blind_index_state": {"field_tag": "t", "ver": 1, "normaliser": "phone/1", "reached": ""},
        "spent": {"once": "0" * 64, "until": 1},
        "tenant_register": {},
        "tombstone": {"record_id": "tt_1", "rule": "CN-P4", "digest": "ab"},
        "vault_dek": {
            "dek_id": b"d",
            "subject": "cu_1",
            "data_class": "contact",
            "version": 1,
            "alg": "a",
            "kek_epoch": 1,
        },
        "vault_dek_wrap": {"dek_id": b"d", "kek_epoch": 1, "wrapped": b"w"},
        "vault_key": {"purpose": "kek", "epoch": 9, "wrapped": b"w", "generation": 0},
    }


def filled(database):
    """The database, with rows of two tenants in every table."""
    Shelf(database, CORPUS)
    for tenant in CORPUS.tenants:
        for table, row in bare(tenant).items():
            known = {name: stored(database, value) for name, value in row.items()}
            database.insert(table, {"tenant": tenant, **known})
    for table in tables.metadata.tables:
        assert len(database.fetch(f"SELECT DISTINCT tenant FROM {table}")) == 2, table
    return database


@pytest.fixture
def full(database):
    """A full database of either kind."""
    return filled(database)


@pytest.fixture
def served(postgresql):
    """A full PostgreSQL."""
    return filled(postgresql)


def columns_of(table):
    """The names of its columns."""
    return [column.name for column in tables.metadata.tables[table].columns]


def stored(database, value):
    """A value as the driver takes it."""
    at_sqlite = database.dialect == "sqlite" and isinstance(value, datetime)
    return instant_text(value) if at_sqlite else value


def content(database, table):
    """All rows of a table."""
    return sorted(map(repr, database.fetch(f"SELECT * FROM {table}")))


def refused(database, table, *statements):
    """Each statement is refused by a trigger, and changes nothing."""
    before = content(database, table)
    assert before
    for statement in statements:
        with pytest.raises(REFUSED, match=f"^{table} "):
            database.execute(statement)
    assert content(database, table) == before


def truncations(database, table):
    """SQLite knows no TRUNCATE."""
    return [f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE"] if database.dialect == "postgresql" else []


def test_what_is_kept_is_neither_changed_nor_deleted(full):
    for table in KEPT:
        statements = [
            f"UPDATE {table} SET tenant = tenant",
            f"UPDATE {table} SET tenant = 'te_other'",
            f"DELETE FROM {table}",
            *truncations(full, table),
        ]
        refused(full, table, *statements)


def test_no_column_of_a_record_is_changed_and_no_version_deleted(full):
    for table in RECORDS:
        numbers = {column.name for column in tables.metadata.tables[table].columns if column.type.python_type is int}
        texts = {column.name for column in tables.metadata.tables[table].columns if column.type.python_type is str}
        changes = [f"UPDATE {table} SET {name} = coalesce({name}, 0) + 1" for name in numbers]
        changes += [f"UPDATE {table} SET {name} = coalesce({name}, '') || 'x'" for name in texts]
        changes += [f"UPDATE {table} SET {name} = '2001-01-01'" for name in columns_of(table) if name.endswith("_on")]
        changes += [f"UPDATE {table} SET recorded_at = created_at, effective_from = recorded_at"]
        # Not even while superseding.
        changes += [f"UPDATE {table} SET subject_id = 'x', superseded_at = recorded_at WHERE superseded_at IS NULL"]
        refused(full, table, *changes, f"DELETE FROM {table}", *truncations(full, table))


def test_a_version_is_superseded_once_and_for_good(full):
    at, later = (stored(full, NOW + timedelta(days=days)) for days in (1, 2))
    place = "?" if full.dialect == "sqlite" else "$1"
    for table in RECORDS:
        current = f"SELECT count(*) FROM {table} WHERE superseded_at IS NULL"
        ((before,),) = map(tuple, full.fetch(current))
        assert before
        full.execute(f"UPDATE {table} SET superseded_at = {place} WHERE superseded_at IS NULL", at)
        assert tuple(full.fetch(current)[0]) == (0,)
        refused(full, table, f"UPDATE {table} SET superseded_at = NULL")
        with pytest.raises(REFUSED, match="only superseded"):
            full.execute(f"UPDATE {table} SET superseded_at = {place}", later)


def test_an_earlier_version_goes_only_where_a_tombstone_of_its_own_company_names_it(full):
    at = stored(full, NOW + timedelta(days=1))
    place = "?" if full.dialect == "sqlite" else "$1"
    for table in (shape.table for shape in BURIED):
        current = f"FROM {table} WHERE superseded_at IS NULL"
        ((own,),) = map(tuple, full.fetch(f"SELECT id {current} AND tenant = '{HOME}' LIMIT 1"))
        earlier = f"DELETE FROM {table} WHERE id = '{own}'"
        full.execute(f"UPDATE {table} SET superseded_at = {place} WHERE id = '{own}' AND superseded_at IS NULL", at)
        full.insert("tombstone", {"tenant": AWAY, "record_id": own, "rule": "r", "digest": "d"})
        refused(full, table, earlier)
        full.insert("tombstone", {"tenant": HOME, "record_id": own, "rule": "r", "digest": "d"})
        other = f"SELECT count(*) FROM {table} WHERE id <> '{own}'"
        before = tuple(full.fetch(other)[0])
        full.execute(earlier)
        assert tuple(full.fetch(other)[0]) == before
        assert full.fetch(f"SELECT 1 FROM {table} WHERE id = '{own}'") == []


def test_the_current_version_stays_also_under_a_tombstone(full):
    for table in RECORDS:
        current = f"FROM {table} WHERE superseded_at IS NULL"
        ((own, tenant),) = map(tuple, full.fetch(f"SELECT id, tenant {current} AND tenant = '{HOME}' LIMIT 1"))
        full.insert("tombstone", {"tenant": tenant, "record_id": own, "rule": "r", "digest": "d"})
        refused(full, table, f"DELETE {current} AND id = '{own}'")


def test_of_two_current_versions_the_second_is_refused(full):
    for table in RECORDS:
        columns = columns_of(table)
        copied = ["version + 7" if name == "version" else name for name in columns]
        with pytest.raises((sqlite3.IntegrityError, asyncpg.UniqueViolationError)):
            full.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(copied)} "
                f"FROM {table} WHERE superseded_at IS NULL"
            )


def test_sqlite_replaces_no_row_either(sqlite):
    filled(sqlite)
    for table in (*RECORDS, *KEPT, "audit_outbox"):
        columns = ", ".join(columns_of(table))
        replaced = f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table}"
        moved = f"UPDATE OR REPLACE {table} SET rowid = (SELECT max(rowid) FROM {table})"
        refused(sqlite, table, replaced, moved)


def test_an_entry_leaves_the_outbox_only_when_it_stands_in_its_own_tenants_log(full):
    refused(
        full,
        "audit_outbox",
        "DELETE FROM audit_outbox",
        "UPDATE audit_outbox SET tenant = tenant",
        *truncations(full, "audit_outbox"),
    )
    entry = next(row for row in CORPUS.records if row.shape.table == "audit_entry")
    columns = columns_of("audit_entry")
    new = {"id": "'ae_waits'", "tenant": f"'{HOME}'"}
    full.execute(
        f"INSERT INTO audit_entry ({', '.join(columns)}) SELECT {', '.join(new.get(name, name) for name in columns)} "
        f"FROM audit_entry WHERE id = '{entry.id}'"
    )
    refused(full, "audit_outbox", f"DELETE FROM audit_outbox WHERE tenant = '{AWAY}'")
    full.execute(f"DELETE FROM audit_outbox WHERE tenant = '{HOME}'")
    assert [row[0] for row in full.fetch("SELECT tenant FROM audit_outbox")] == [AWAY]


def test_positions_in_the_outbox_are_never_given_twice(full):
    place = "?" if full.dialect == "sqlite" else "$1"
    taken = {row[0] for row in full.fetch("SELECT position FROM audit_outbox")}
    entry = next(row for row in CORPUS.records if row.shape.table == "audit_entry" and row.stamp.tenant == HOME)
    full.insert("audit_outbox", {"tenant": HOME, "id": entry.id, "entry": b"e"})
    (new,) = {row[0] for row in full.fetch("SELECT position FROM audit_outbox")} - taken
    full.execute(f"DELETE FROM audit_outbox WHERE position = {place}", new)
    full.insert("audit_outbox", {"tenant": HOME, "id": "ae_next", "entry": b"e"})
    ((next_,),) = map(tuple, full.fetch("SELECT position FROM audit_outbox WHERE id = 'ae_next'"))
    assert next_ > new > max(taken)


def test_a_payload_is_never_changed_and_goes_with_its_subject(full):
    refused(full, "audit_payload", "UPDATE audit_payload SET envelope = envelope", *truncations(full, "audit_payload"))
    full.execute("DELETE FROM audit_payload WHERE subject = 'cu_1'")
    assert full.fetch("SELECT 1 FROM audit_payload") == []


def test_keys_cells_and_tokens_can_be_destroyed(full):
    for table in ("sealed_field", "blind_index", "vault_dek", "vault_dek_wrap", "vault_key"):
        full.execute(f"DELETE FROM {table}")
        assert full.fetch(f"SELECT 1 FROM {table}") == []


class Application:
    """A connection as the application makes it."""

    def __init__(self, database, connection):
        self._loop, self._connection = database.loop, connection

    def fetch(self, sql, *parameters):
        """All rows of one statement."""
        return [tuple(row) for row in self._loop(self._connection.fetch(sql, *parameters))]

    def execute(self, sql, *parameters):
        """What the server says it did."""
        return self._loop(self._connection.execute(sql, *parameters))


@contextmanager
def application(database, tenant=None):
    """The application, in a transaction of a tenant or of none."""
    settings = engines._settings(engines.ROLE) | ({} if tenant is None else {engines.TENANT: tenant})
    connection = database.loop(asyncpg.connect(database.url, server_settings=settings))
    try:
        yield Application(database, connection)
    finally:
        database.loop(connection.close())


@pytest.mark.postgres
def test_a_tenant_sees_its_own_rows_and_no_others(served):
    with application(served, HOME) as app:
        for table in tables.metadata.tables:
            seen = app.fetch(f"SELECT DISTINCT tenant FROM {table}")
            assert seen == [(HOME,)] or table == "tenant_register", table


@pytest.mark.postgres
@pytest.mark.parametrize("tenant", [None, "", "te_unknown", "%", "te_' OR '1'='1"])
def test_without_a_tenant_nothing_is_seen(served, tenant):
    with application(served, tenant) as app:
        for table in tables.metadata.tables:
            seen = app.fetch(f"SELECT 1 FROM {table}")
            assert len(seen) == (2 if table == "tenant_register" else 0), table


@pytest.mark.postgres
def test_a_setting_made_for_one_transaction_ends_with_it(served):
    with application(served) as app:
        app.execute(f"BEGIN; SELECT set_config('{engines.TENANT}', '{HOME}', true)")
        assert app.fetch("SELECT count(*) > 0 FROM customer") == [(True,)]
        app.execute("COMMIT")
        assert app.fetch("SELECT count(*) FROM customer") == [(0,)]


@pytest.mark.postgres
def test_a_row_of_another_tenant_is_not_inserted(served):
    with application(served, HOME) as app:
        for table in tables.metadata.tables:
            columns = [name for name in columns_of(table) if name != "position"]
            row = served.fetch(f"SELECT * FROM {table} WHERE tenant = '{AWAY}'")[0]
            values = dict(row) | ({"id": "new"} if "id" in columns else {})
            names = ", ".join(columns)
            places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
            insert = f"INSERT INTO {table} ({names}) VALUES ({places})"
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                app.execute(insert, *(values[name] for name in columns))


@pytest.mark.postgres
def test_a_row_of_another_tenant_is_not_updated_or_deleted(served):
    with application(served, HOME) as app:
        for table in ("sealed_field", "blind_index", "vault_dek", "vault_dek_wrap", "vault_key"):
            assert app.execute(f"UPDATE {table} SET tenant = tenant WHERE tenant = '{AWAY}'") == "UPDATE 0"
            assert app.execute(f"DELETE FROM {table} WHERE tenant = '{AWAY}'") == "DELETE 0"
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                app.execute(f"UPDATE {table} SET tenant = '{AWAY}'")
        for table in RECORDS:
            assert app.execute(f"UPDATE {table} SET superseded_at = now() WHERE tenant = '{AWAY}'") == "UPDATE 0"
        for table in ("audit_outbox", "audit_payload"):
            assert app.execute(f"DELETE FROM {table} WHERE tenant = '{AWAY}'") == "DELETE 0"


@pytest.mark.postgres
def test_a_tenant_works_on_its_own_rows(served):
    with application(served, HOME) as app:
        for table in RECORDS:
            done = app.execute(f"UPDATE {table} SET superseded_at = $1 WHERE superseded_at IS NULL", datetime.now(UTC))
            assert done != "UPDATE 0", table
        for table in ("sealed_field", "blind_index", "vault_dek", "vault_dek_wrap", "vault_key", "audit_payload"):
            assert app.execute(f"DELETE FROM {table}") != "DELETE 0", table
        app.execute(f"INSERT INTO audit_outbox (tenant, id, entry) VALUES ('{HOME}', 'ae_new', '')")


@pytest.mark.postgres
def test_the_application_cannot_take_its_guards_away(served):
    attempts = (
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "ALTER TABLE customer DISABLE ROW LEVEL SECURITY",
        "DROP POLICY customer_tenant ON customer",
        "DROP TRIGGER audit_entry_append_only ON audit_entry",
        "CREATE OR REPLACE FUNCTION credence_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "UPDATE customer SET subject_id = subject_id",
        "DELETE FROM customer",
        "TRUNCATE audit_entry",
        "UPDATE alembic_version SET version_num = 'x'",
        "CREATE TABLE audit_shadow (tenant text)",
    )
    with application(served, HOME) as app:
        for attempt in attempts:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                app.execute(attempt)
        app.execute("SET row_security = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            app.fetch("SELECT * FROM customer")


@pytest.mark.postgres
def test_a_temporary_table_does_not_pass_for_the_log(served):
    with application(served, HOME) as app:
        app.execute("CREATE TEMPORARY TABLE audit_entry (tenant text, id text)")
        app.execute("INSERT INTO pg_temp.audit_entry SELECT tenant, id FROM audit_outbox")
        with pytest.raises(asyncpg.RestrictViolationError):
            app.execute("DELETE FROM audit_outbox")


@pytest.mark.postgres
def test_resetting_the_role_leads_back_to_the_application(served):
    with application(served, HOME) as app:
        app.execute("RESET ROLE")
        assert app.fetch("SELECT current_user") == [(engines.ROLE,)]
