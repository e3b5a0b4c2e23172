"""What the store loads of a sealed cell: everything an opener needs, so that opening asks no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The envelope of one cell with its wrapped keys, in the form they are stored in.

    A key that is gone is None: the cell is still reported, and opening it fails rather than finding nothing.
    """

    record_type: str
    """The table of the record, as the cell's seal binds it."""
    schema_version: int
    """The version of the field's typed form."""
    envelope: bytes = field(repr=False)
    dek_id: bytes
    dek_version: int | None
    alg: str | None
    """The algorithm the data key serves."""
    kek_epoch: int | None
    """The epoch of the key that wraps the data key."""
    wrapped: bytes | None = field(repr=False)
    """The data key, wrapped under that epoch."""
    kek_wrapped: bytes | None = field(repr=False)
    """The tenant's key of that epoch, wrapped by the root."""

    @classmethod
    def of(cls, record_type: str, stored: Sequence[Any]) -> Self:
        """The material of a row of `reading.queries.sealed_cells`, behind its record, tag and version."""
        schema, envelope, dek_id, dek_version, alg, kek_epoch, wrapped, kek_wrapped = stored
        return cls(
            record_type=record_type,
            schema_version=schema,
            envelope=envelope,
            dek_id=dek_id,
            dek_version=dek_version,
            alg=alg,
            kek_epoch=kek_epoch,
            wrapped=wrapped,
            kek_wrapped=kek_wrapped,
        )
