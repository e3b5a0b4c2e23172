"""What is read like a table and is put together whenever it is read.

A migration that ran is not changed by a change here: a new view needs a new migration.
"""

from __future__ import annotations

import sqlalchemy as sa

from domain.files.trail import AccessEntry
from domain.ids import encode
from vault.store import tables
from vault.store.engines import POSTGRESQL, ROLE

_PLACES = {
    "sqlite": "json_each(p.places) AS place",
    POSTGRESQL: "jsonb_array_elements_text(p.places::jsonb) AS place(value)",
}


def create(connection: sa.Connection) -> None:
    """Makes the views; on PostgreSQL row security holds in them as in the tables beneath."""
    dialect = connection.dialect.name
    connection.exec_driver_sql(access(dialect))
    if dialect == POSTGRESQL:
        connection.exec_driver_sql(f"GRANT SELECT ON {AccessEntry.shape.table} TO {ROLE}")


def access(dialect: str) -> str:
    """Who looked at whom: every place of the log that names a subject, with the entry that stands there."""
    shape = AccessEntry.shape
    whole = len(encode("", bytes(16)))
    given = {
        "tenant": "p.tenant",
        "id": f"'{shape.prefix}' || substr(e.id, length(e.id) - {whole - 1})",
        "subject_id": "p.subject",
        "entry": "e.id",
    }
    columns = [column.name for column in tables.table(shape).columns]
    selected = ", ".join(f"{given.get(name, f'e.{name}')} AS {name}" for name in columns)
    place = "CAST(place.value AS bigint)" if dialect == POSTGRESQL else "place.value"
    options = " WITH (security_invoker = true)" if dialect == POSTGRESQL else ""
    return (
        f"CREATE VIEW {shape.table}{options} AS SELECT {selected} "  # noqa: S608 - names of our own
        f"FROM audit_posting AS p, {_PLACES[dialect]}, audit_entry AS e "
        f"WHERE e.tenant = p.tenant AND e.log_index = {place}"
    )
