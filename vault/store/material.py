"""What the store loads of a sealed cell: everything an opener needs, so that opening asks no database."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    dek_id: str
    dek_version: int | None
    alg: str | None
    """The algorithm the data key serves."""
    kek_epoch: int | None
    """The epoch of the key that wraps the data key."""
    wrapped: bytes | None = field(repr=False)
    """The data key, wrapped under that epoch."""
    kek_wrapped: bytes | None = field(repr=False)
    """The tenant's key of that epoch, wrapped by the root."""
