"""What the store loads of a sealed cell: everything an opener needs, so that opening asks no database."""

from __future__ import annotations

from typing import NamedTuple

from vault.keys import WrappedKey
from vault.seal import Cell, Dek


class ReadyMaterial(NamedTuple):
    """The envelope of one cell whose data key was kept ready, in the order an envelope is opened with."""

    dek: Dek
    cell: Cell
    envelope: bytes

    def __repr__(self) -> str:
        return f"ReadyMaterial({self.cell.record_type}, {self.cell.schema})"


class Material(NamedTuple):
    """The envelope of one cell with its wrapped keys, in the form they are stored in.

    Behind the type of the record stand the columns of `reading.celled.sealed_cells` from the fourth on.

    A key that is gone is None: the cell is still reported, and opening it fails rather than finding nothing.
    """

    record_type: str
    """The table of the record, as the cell's seal binds it."""
    schema_version: int
    """The version of the field's typed form."""
    envelope: bytes
    dek_id: bytes
    dek_version: int | None
    alg: str | None
    """The algorithm the data key serves."""
    kek_epoch: int | None
    """The epoch of the key that wraps the data key."""
    wrapped: bytes | None
    """The data key, wrapped under that epoch."""
    kek_wrapped: bytes | None
    """The tenant's key of that epoch, wrapped by the root."""
    generation: int | None
    """Raised whenever keys of the tenant end: what was kept ready before that is not used."""

    def __repr__(self) -> str:
        return f"Material({self.record_type}, {self.schema_version})"


class ContentMaterial(NamedTuple):
    """The cell of a document's content: what stands in it, and the root that keys the digest of what is received."""

    cell: Material
    digest: WrappedKey
    kek: WrappedKey
    """What the root lies under."""

    def __repr__(self) -> str:
        return f"ContentMaterial({self.cell!r})"
