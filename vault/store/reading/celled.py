"""The statements that load sealed cells, with or without the keys of each."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from vault.store import tables
from vault.store.reading.dialects import Dialect, Statement


@cache
def sealed(dialect: Dialect) -> Statement:
    """The sealed cells of some records, without keys, and the generation of keys: whose key is ready needs no more."""
    cell, key = tables.sealed_field.c, tables.vault_key.c
    generation = sa.select(sa.func.max(key.generation)).where(key.tenant == sa.bindparam("tenant", type_=sa.Text))
    return dialect.compile(
        sa.select(
            cell.record_id,
            cell.field_tag,
            cell.value_version,
            cell.schema_version,
            cell.envelope,
            cell.dek_id,
            generation.scalar_subquery(),
        ).where(*_of_records(dialect))
    )


@cache
def sealed_with_keys(dialect: Dialect) -> Statement:
    """The statement of `sealed_cells`."""
    return dialect.compile(sealed_cells(dialect))


def _of_records(dialect: Dialect) -> tuple[sa.ColumnElement[bool], ...]:
    cell = tables.sealed_field.c
    return (
        cell.tenant == sa.bindparam("tenant", type_=sa.Text),
        cell.record_type == sa.bindparam("record_type", type_=sa.Text),
        dialect.among(cell.record_id, "records"),
        dialect.among(cell.field_tag, "tags"),
    )


def sealed_cells(dialect: Dialect) -> sa.Select[Any]:
    """The sealed cells of some records, with the wrapped keys of each: an opener needs no database.

    A key that is gone leaves its columns empty; the cell is found all the same.
    """
    cell, dek, wrap, kek = tables.sealed_field, tables.vault_dek, tables.vault_dek_wrap, tables.vault_key
    return (
        sa.select(
            cell.c.record_id,
            cell.c.field_tag,
            cell.c.value_version,
            cell.c.schema_version,
            cell.c.envelope,
            cell.c.dek_id,
            dek.c.version,
            dek.c.alg,
            dek.c.kek_epoch,
            wrap.c.wrapped,
            kek.c.wrapped,
            kek.c.generation,
        )
        .select_from(cell)
        .outerjoin(dek, sa.and_(dek.c.tenant == cell.c.tenant, dek.c.dek_id == cell.c.dek_id))
        .outerjoin(
            wrap,
            sa.and_(wrap.c.tenant == dek.c.tenant, wrap.c.dek_id == dek.c.dek_id, wrap.c.kek_epoch == dek.c.kek_epoch),
        )
        .outerjoin(
            kek,
            sa.and_(
                kek.c.tenant == dek.c.tenant,
                kek.c.epoch == dek.c.kek_epoch,
                kek.c.purpose == sa.bindparam("purpose", tables.KEK, type_=sa.Text),
            ),
        )
        .where(*_of_records(dialect))
    )
