"""Keyed digests of what is stored: what the log keeps of every row and every cell that was written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from domain.records import Shape
from vault import hazmat
from vault.seal import pae
from vault.store.schema.columns import instant_text
from vault.store.tables import table

_ROW, _CELL = b"vault/row/1", b"vault/cell/1"


def row_digest(root: hazmat.Secret, shape: Shape, row: Mapping[str, Any]) -> str:
    """The keyed digest of one version of a row, 64 hexadecimal digits; equal on both databases for equal rows."""
    text = json.dumps([[name, row[name]] for name in _digested(shape)], default=_plain)
    message = pae(_ROW, shape.table.encode(), text.encode())
    return root.use(lambda key: hazmat.hmac_sha256(key, message)).hex()


def cell_digest(root: hazmat.Secret, envelope: bytes) -> str:
    """The keyed digest of a sealed value as it is stored."""
    message = pae(_CELL, envelope)
    return root.use(lambda key: hazmat.hmac_sha256(key, message)).hex()


@cache
def _digested(shape: Shape) -> tuple[str, ...]:
    """The columns a digest covers: all but the one that a later version sets."""
    return tuple(sorted(column.name for column in table(shape).columns if column.name != "superseded_at"))


def _plain(value: date) -> str:
    return instant_text(value) if isinstance(value, datetime) else value.isoformat()
