"""What SQLite's planner is told about the tables, so that its plans are those of a large installation from the start.

Without statistics it takes every index that begins with the tenant for one that finds ten rows, and walks a whole
company's rows where a key would find one. The figures are those of many rows in few companies. They decide between
plans and never what is found.
"""

from __future__ import annotations

import sqlalchemy as sa

ROWS = 1_000_000
OF_A_TENANT = 250_000
OF_A_LINK = 100
"""How many rows share a subject, a link or another searched fact."""
_VERSIONS = ["tenant", "id", "version"]
OF_A_RECORD = 4
"""How many versions a record has: what is read now is found among the current rows alone."""
ALL_OF_A_TENANT = 400_000
"""Rows of a tenant with every version."""
_COARSE = frozenset({"purpose", "epoch", "field_tag", "ver", "kek_epoch", "data_class"})
"""Columns that hardly narrow what those before them leave."""


def tell(connection: sa.Connection) -> None:
    """Writes the figures of every index there is; they hold for connections that are made after that."""
    connection.exec_driver_sql("ANALYZE")
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    tables = connection.exec_driver_sql(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    ).fetchall()
    for (table,) in tables:
        for _, index, unique, *_ in connection.exec_driver_sql(f"PRAGMA index_list({table})").fetchall():
            columns = [name for *_, name in connection.exec_driver_sql(f"PRAGMA index_info({index})").fetchall()]
            connection.exec_driver_sql(
                "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)",
                (table, index, figures(columns, unique=bool(unique))),
            )


def figures(columns: list[str], *, unique: bool) -> str:
    """The figures of one index: all rows, then how many share the first column, the first two, and so on."""
    if columns == _VERSIONS:
        return f"{ROWS} {ALL_OF_A_TENANT} {OF_A_RECORD} 1"
    left = ROWS
    found = [left]
    for place, name in enumerate(columns, 1):
        if name == "tenant":
            left = min(left, OF_A_TENANT)
        elif (unique and place == len(columns)) or name == "id":
            left = 1
        elif name not in _COARSE:
            left = min(left, OF_A_LINK)
        found.append(left)
    return " ".join(map(str, found))
