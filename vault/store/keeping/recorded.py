"""Whether every stored row is one that the log tells of: by sums, so that a log of any length takes no memory.

A sum over the names of all versions is kept for each table: a row that came and another that went do not make up for
one another.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import sqlalchemy as sa

from domain import ids
from domain.ids import Id
from domain.records import PREFIXES, Shape
from vault.findings import Finding
from vault.store.tables import shapes, table

_AT_ONCE: Final = 1_000


class Recorded:
    """The versions of rows that the log tells of."""

    def __init__(self) -> None:
        self._sums: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def add(self, versions: Iterable[tuple[str, int]]) -> None:
        """The log tells that these were written."""
        for own, version in versions:
            name = PREFIXES[ids.prefix_of(own)].table
            self._sums[name] += _term(own, version)
            self._told[name] += 1

    def bury(self, own: str, version: int) -> None:
        """This one is gone as it should be."""
        name = PREFIXES[ids.prefix_of(own)].table
        self._sums[name] -= _term(own, version)
        self._told[name] -= 1

    def compare(self, connection: sa.Connection, tenant: Id, *, pruned: bool) -> Iterator[Finding]:
        """The tables whose rows are not those of the log.

        Of rows whose entries were pruned nothing is told any more: more may be there, and never less.
        """
        for shape in shapes().values():
            if shape.ledger:
                continue
            count, total = 0, 0
            for own, version in _versions(connection, tenant, shape):
                count, total = count + 1, total + _term(own, version)
            less, others = count < self._told[shape.table], total != self._sums[shape.table]
            if less or (others and not pruned):
                told = f"{self._told[shape.table]}{' others' * (count == self._told[shape.table])}"
                yield Finding("UNRECORDED", shape.table, f"{count} rows are stored, and the log tells of {told}.")


def _versions(connection: sa.Connection, tenant: Id, shape: Shape) -> Iterator[tuple[str, int]]:
    own = table(shape).c
    select = sa.select(own.id, own.version).where(own.tenant == tenant)
    with connection.execute(select, execution_options={"yield_per": _AT_ONCE}) as rows:
        for row in rows:
            yield row[0], row[1]


def _term(own: str, version: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{own}/{version}".encode()).digest()[:16], "big")
