"""Writes the first revision anew from the declared tables: `python bench/initial_revision.py`.

Only while nothing is released. A released revision never changes: a new table or column is a new revision, for which
`alembic revision --autogenerate` writes the draft. Databases of the old first revision are then thrown away.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from domain.custody.rules import BURIED
from vault.store import tables
from vault.store.schema import columns

PATH = Path(__file__).parents[1] / "alembic" / "versions" / "0001_initial.py"
STAMPS = ("tenant", "id", "subject_id", "version", "created_at", "created_by", "effective_from", "effective_to")
STAMPS += ("recorded_at", "superseded_at")
APPEND_ONLY = ("audit_checkpoint", "audit_cosignature", "audit_tile", "tombstone")
PRUNED = ("audit_batch", "audit_entry", "audit_posting")
OUTBOX, PAYLOAD, REGISTER = ("audit_outbox",), ("audit_payload",), ("tenant_register",)

HEAD = '''"""The tables of the first release, and what its database refuses."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from vault.store.schema import guards, views

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

RECORDS = {records!r}
BURIED = {buried!r}
"""Records that end by a rule of retention: of these earlier versions may go."""
APPEND_ONLY = {append_only!r}
PRUNED = {pruned!r}
"""Of the log: what goes below its minimum index, and nothing else of it."""
OUTBOX = {outbox!r}
PAYLOADS = {payloads!r}
REGISTERS = {registers!r}
KEYS_AND_CELLS = {rest!r}
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text is compared by code point on both databases."""


def upgrade() -> None:
    """Every table, then its guards."""
    for create in TABLES:
        create()
    connection = op.get_bind()
    guards.prepare(connection)
    for table in RECORDS:
        guards.guard_record(connection, table, buried=table in BURIED)
    for table in APPEND_ONLY:
        guards.guard_append_only(connection, table)
    for table in PRUNED:
        guards.guard_log(connection, table)
    for table in OUTBOX:
        guards.guard_outbox(connection, table)
    for table in PAYLOADS:
        guards.guard_payload(connection, table)
    for table in REGISTERS:
        guards.guard_register(connection, table)
    for table in KEYS_AND_CELLS:
        guards.guard_tenant(connection, table, "SELECT", "INSERT", "UPDATE", "DELETE")
    views.create(connection)


def downgrade() -> None:
    """There is no way back: it would delete what may only be added to."""
    raise RuntimeError("Revisions only lead forward: restore a backup instead.")


def _instant(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=null)


def _stamps() -> tuple[sa.Column[Any], ...]:
    """The columns that every version of a record has."""
    return (
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("subject_id", WORDS, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("created_at"),
        sa.Column("created_by", WORDS, nullable=False),
        _instant("effective_from"),
        _instant("effective_to", null=True),
        _instant("recorded_at"),
        _instant("superseded_at", null=True),
    )


def _record(name: str, *columns: sa.Column[Any]) -> None:
    """The table of a record: on PostgreSQL its key starts with the tenant, on SQLite its ids are unique."""
    key = sa.PrimaryKeyConstraint("tenant", "id", "version", name=f"{{name}}_key").ddl_if(dialect="postgresql")
    op.create_table(name, *_stamps(), *columns, key)
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(f"{{name}}_version", name, ["tenant", "id", "version"], unique=True)
    _current(f"{{name}}_current", name, "id")
    _current(f"{{name}}_by_recorded_at", name, "recorded_at", "id", unique=False)
    op.create_index(f"{{name}}_subject_id", name, ["tenant", "subject_id"])


def _current(index: str, name: str, *columns: str, unique: bool = True) -> None:
    """What is unique among the versions that are current, or in what order they are."""
    where = sa.text("superseded_at IS NULL")
    op.create_index(index, name, ["tenant", *columns], unique=unique, sqlite_where=where, postgresql_where=where)
'''


def main() -> None:
    """Writes the file and puts it into the house's format."""
    PATH.write_text("\n".join(text()))
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(PATH)], check=True)  # noqa: S603 - our own file


def text() -> Iterator[str]:
    """The lines of the revision."""
    # In the order of their names: the order of declaration follows from imports.
    names = sorted(tables.metadata.tables)
    records = tuple(sorted(shape.table for shape in tables.shapes().values() if not shape.ledger))
    ledgers = tuple(
        sorted(shape.table for shape in tables.shapes().values() if shape.ledger and shape.name not in tables.VIEWS)
    )
    known = {*records, *ledgers, *APPEND_ONLY, *PRUNED, *OUTBOX, *PAYLOAD, *REGISTER}
    yield HEAD.format(
        records=records,
        buried=tuple(sorted(shape.table for shape in BURIED)),
        append_only=(*(name for name in ledgers if name not in PRUNED), *APPEND_ONLY),
        pruned=PRUNED,
        outbox=OUTBOX,
        payloads=PAYLOAD,
        registers=REGISTER,
        rest=tuple(name for name in names if name not in known),
    )
    for name in names:
        table = tables.metadata.tables[name]
        yield f"\n\ndef _{name}() -> None:"
        yield from _record(table) if name in records else _other(table)
    yield "\n\nTABLES = ("
    yield from (f"    _{name}," for name in names)
    yield ")\n"


def _record(table: sa.Table) -> Iterator[str]:
    yield f'    _record("{table.name}",'
    yield from (f"        {_column(column)}," for column in table.columns if column.name not in STAMPS)
    yield "    )"
    for index in _indexes(table):
        own = str(index.name).removeprefix(f"{table.name}_")
        if own in {"version", "current", "subject_id", "by_recorded_at"}:
            continue
        if index.dialect_options["sqlite"]["where"] is not None:
            columns = ", ".join(f'"{column.name}"' for column in list(index.columns)[1:])
            more = "" if index.unique else ", unique=False"
            yield f'    _current("{index.name}", "{table.name}", {columns}{more})'
        else:
            yield _index(index, table)


def _other(table: sa.Table) -> Iterator[str]:
    yield f'    op.create_table("{table.name}",'
    yield from (f"        {_column(column)}," for column in table.columns)
    columns = ", ".join(f'"{column.name}"' for column in table.primary_key)
    yield f'        sa.PrimaryKeyConstraint({columns}, name="{table.primary_key.name}"),'
    if table.dialect_options["sqlite"]["autoincrement"]:
        yield "        sqlite_autoincrement=True,"
    yield "    )"
    yield from (_index(index, table) for index in _indexes(table))


def _indexes(table: sa.Table) -> list[sa.Index]:
    return sorted(table.indexes, key=lambda index: str(index.name))


def _index(index: sa.Index, table: sa.Table) -> str:
    columns = [column.name for column in index.columns]
    unique = ", unique=True" if index.unique else ""
    return f'    op.create_index("{index.name}", "{table.name}", {columns!r}{unique})'


def _column(column: sa.Column) -> str:
    if isinstance(column.type, columns.Instant):
        return f'_instant("{column.name}"{", null=True" if column.nullable else ""})'
    more = ""
    kind = "WORDS" if column.type is columns.WORDS else f"sa.{type(column.type).__name__}()"
    if column.identity is not None:
        kind += '.with_variant(sa.Integer(), "sqlite")'
        more = f", sa.Identity(always={column.identity.always})"
    return f'sa.Column("{column.name}", {kind}{more}, nullable={column.nullable})'


if __name__ == "__main__":
    main()
