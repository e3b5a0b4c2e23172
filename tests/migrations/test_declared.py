"""What the revisions make is what the tables declare, to the last index, and every row is guarded."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from domain.custody.rules import BURIED
from vault.store import engines, tables
from vault.store.schema import migrations, views

REGENERATE = "run `python bench/initial_revision.py`, or once released: write a new revision"
LEDGERS = {shape.table for name, shape in tables.shapes().items() if shape.ledger and name not in tables.VIEWS}
RECORDS = {shape.table for shape in tables.shapes().values() if not shape.ledger}
PRUNED = {"audit_batch", "audit_entry", "audit_posting"}
KEPT = {"audit_checkpoint", "audit_cosignature", "audit_tile", "tenant_register", "tombstone"} | (LEDGERS - PRUNED)
KEYS_AND_CELLS = {
    "audit_found",
    "audit_stretch",
    "audit_term",
    "blind_index",
    "blind_index_state",
    "sealed_field",
    "spent",
    "vault_dek",
    "vault_dek_wrap",
    "vault_key",
}
GRANTS = {
    **dict.fromkeys(RECORDS, "INSERT, SELECT, UPDATE (superseded_at)"),
    **dict.fromkeys((shape.table for shape in BURIED), "DELETE, INSERT, SELECT, UPDATE (superseded_at)"),
    **dict.fromkeys(KEPT, "INSERT, SELECT"),
    **dict.fromkeys(("audit_outbox", "audit_payload", *PRUNED), "DELETE, INSERT, SELECT"),
    **dict.fromkeys(KEYS_AND_CELLS, "DELETE, INSERT, SELECT, UPDATE"),
    **dict.fromkeys((*tables.views.tables, "alembic_version"), "SELECT"),
}
"""What the application may do on PostgreSQL."""


def test_alembic_finds_nothing_to_change(database):
    def differences(connection):
        options = {
            "include_object": migrations.declared_for(connection.dialect.name),
            "compare_type": True,
            "compare_server_default": connection.dialect.name != "sqlite",
        }
        return compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata)

    assert migrations.within(database.url, differences) == [], REGENERATE


def test_sqlite_holds_the_very_text_that_the_declarations_give(sqlite, tmp_path):
    def held(connection):
        rows = connection.execute(
            sa.text("SELECT name, sql FROM sqlite_master WHERE type <> 'trigger' AND name <> 'alembic_version'")
        )
        return {name: re.sub(r"\s+", " ", sql or "") for name, sql in rows if not name.startswith("sqlite_")}

    declared = f"sqlite:///{tmp_path / 'declared.db'}"

    def make(connection):
        tables.metadata.create_all(connection)
        views.create(connection)

    migrations.within(declared, make)
    wanted, found = migrations.within(declared, held), migrations.within(sqlite.url, held)
    found = {name: sql for name, sql in found.items() if "alembic_version" not in name}
    assert found == wanted, REGENERATE


@pytest.mark.postgres
def test_postgresql_holds_the_very_columns_keys_and_indexes_that_the_declarations_give(postgresql, server):
    columns = """SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity,
        identity_generation, collation_name FROM information_schema.columns
        JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'alembic_version'"""
    keys = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid <> to_regclass('alembic_version')"""
    indexes = (
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )

    def held(connection):
        return {tuple(row) for query in (columns, keys, indexes) for row in connection.execute(sa.text(query))}

    def make(connection):
        tables.metadata.create_all(connection)
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num text)"))

    name = server.create()
    try:
        migrations.within(server.url_of(name), make)
        wanted, found = migrations.within(server.url_of(name), held), migrations.within(postgresql.url, held)
    finally:
        server.drop(name)
    assert found - wanted == set(), REGENERATE
    assert wanted - found == set(), REGENERATE


@pytest.mark.postgres
def test_no_table_is_without_a_tenant_a_policy_and_forced_row_security(postgresql):
    rows = postgresql.fetch(
        """SELECT relname, relrowsecurity AND relforcerowsecurity,
            EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polpermissive),
            EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant' AND attnotnull)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"""
    )
    assert {name: tuple(guarded) for name, *guarded in rows} == {
        **dict.fromkeys(tables.metadata.tables, (True, True, True)),
        **dict.fromkeys(tables.views.tables, (False, False, False)),  # the tables beneath it are guarded
        "alembic_version": (False, False, False),
    }
    query = "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
    options = {row[0]: row[1] for row in postgresql.fetch(query)}
    assert options == {name: ["security_invoker=true"] for name in tables.views.tables}


@pytest.mark.postgres
def test_every_policy_asks_for_the_tenant_of_the_transaction(postgresql):
    said = f"current_setting('{engines.TENANT}'::text, true)"
    own, once = f"(tenant = {said})", f"(tenant = ( SELECT {said} AS current_setting))"
    rows = postgresql.fetch("SELECT tablename, cmd, qual, with_check FROM pg_policies ORDER BY tablename, cmd")
    expected = [(name, "ALL", once, own) for name in tables.metadata.tables if name != "tenant_register"]
    expected += [("tenant_register", "INSERT", None, own), ("tenant_register", "SELECT", "true", None)]
    assert [tuple(row) for row in rows] == sorted(expected)


@pytest.mark.postgres
def test_the_application_may_do_what_its_work_needs_and_no_more(postgresql):
    rows = postgresql.fetch(
        """SELECT relname, privilege_type, NULL AS attname
            FROM pg_class, aclexplode(relacl)
            WHERE relnamespace = 'public'::regnamespace AND grantee IN (0, $1::regrole)
        UNION ALL SELECT relname, privilege_type, attname
            FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
            WHERE relnamespace = 'public'::regnamespace AND grantee IN (0, $1::regrole)""",
        (engines.ROLE,),
    )
    granted = {}
    for table, privilege, column in rows:
        granted.setdefault(table, set()).add(f"{privilege} ({column})" if column else privilege)
    assert {table: ", ".join(sorted(some)) for table, some in granted.items()} == GRANTS


@pytest.mark.postgres
def test_the_role_of_the_application_is_above_nobody(postgresql):
    (row,) = postgresql.fetch(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolbypassrls, rolreplication "
        "FROM pg_roles WHERE rolname = $1",
        (engines.ROLE,),
    )
    assert not any(row)


def test_every_table_is_guarded_by_a_trigger_unless_its_rows_may_change(database):
    if database.dialect == "sqlite":
        rows = database.fetch("SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'")
    else:
        rows = database.fetch("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
    assert {row[0] for row in rows} == set(tables.metadata.tables) - KEYS_AND_CELLS
