"""Alembic's entry: `credence migrate` hands over a connection; the `alembic` command finds CREDENCE_DATABASE_URL."""

from __future__ import annotations

import os

import sqlalchemy as sa
from alembic import context

from vault.store import tables
from vault.store.schema import migrations


def run(connection: sa.Connection) -> None:
    """Whatever was asked for, in the one transaction that the connection is in."""
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        include_object=migrations.declared_for(connection.dialect.name),
        compare_type=True,
        # SQLite has no identity columns to compare with; nothing else has a default.
        compare_server_default=connection.dialect.name != "sqlite",
        transactional_ddl=True,
    )
    context.run_migrations()


def main() -> None:
    """On the connection given, or on one of our own."""
    if context.is_offline_mode():
        raise SystemExit("Migrations need a database: what they guard depends on what it holds.")
    given = context.config.attributes.get("connection")
    if given is not None:
        run(given)
        return
    url = os.environ.get("CREDENCE_DATABASE_URL")
    if not url:
        raise SystemExit("Set CREDENCE_DATABASE_URL to the database that is meant.")
    migrations.within(url, run)


main()
