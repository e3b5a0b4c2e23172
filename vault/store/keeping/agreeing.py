"""Whether what is kept beside the entries of a log agrees with them: tiles, checkpoints, rows, and what leads to them.

The entries are the truth: everything here is made of them again and compared. What was pruned left its tiles, and the
tree above the entries that are there begins with those.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from domain.errors import CreditError
from domain.files.trail import AccessEntry, AuditEntry
from domain.ids import Id
from vault.audit import batches, note
from vault.audit.handover import Keyholders
from vault.audit.merkle import CompactRange, leaf_hash, root_of, split_hashes
from vault.audit.tiles import HEIGHT, WIDTH
from vault.findings import Finding
from vault.store.ledger import lookups, terms, tiling
from vault.store.ledger.logbook import minimum_of
from vault.store.tables import (
    audit_batch,
    audit_checkpoint,
    audit_found,
    audit_term,
    audit_tile,
    table,
)

_ENTRY: Final = table(AuditEntry.shape)
_ACCESS: Final = table(AccessEntry.shape)
_FACTS: Final = ("id", *AuditEntry.shape.facts)


def check_beside(connection: sa.Connection, tenant: Id, keys: Keyholders | None) -> Iterator[Finding]:
    """What does not agree with the entries; `keys` are those that sign the log, where they can be told."""
    found = connection.scalar(sa.select(audit_found.c.size).where(audit_found.c.tenant == tenant)) or 0
    yield from _tiles(connection, tenant, found)
    first, size, subjects = yield from _entries(connection, tenant, keys, found)
    yield from _postings(connection, tenant, first, subjects)
    promised = sa.select(sa.func.max(audit_checkpoint.c.size)).where(audit_checkpoint.c.tenant == tenant)
    if (connection.scalar(promised) or 0) > size:
        yield Finding("ROLLED_BACK", f"{size}", "A checkpoint promises more entries than there are.")


def beginning(connection: sa.Connection, tenant: Id) -> CompactRange:
    """The tree before the first entry that is there: of its tiles, where entries were pruned.

    Where those do not lead there either, it is empty, and what comes after it does not fit.
    """
    batch = audit_batch.c
    start = connection.scalar(sa.select(sa.func.min(batch.first_index)).where(batch.tenant == tenant)) or 0
    try:
        return tiling.range_at(connection, tenant, start)
    except CreditError:
        return CompactRange()


def _tiles(connection: sa.Connection, tenant: Id, size: int) -> Iterator[Finding]:
    """Every full tile is there, and is what lies below it."""
    column = audit_tile.c
    level = 0
    roots: list[bytes] = []
    while count := size >> HEIGHT * (level + 1):
        below, roots = roots, []
        rows = sa.select(column.place, column.root, column.hashes).where(column.tenant == tenant, column.level == level)
        for place, root, packed in connection.execute(rows.order_by(column.place)).all():
            hashes = split_hashes(bytes(packed))
            made = tuple(below[place * WIDTH : (place + 1) * WIDTH]) if level else hashes
            if place != len(roots) or root_of(hashes) != bytes(root) or hashes != made or len(hashes) != WIDTH:
                yield Finding("TILE", f"{level}/{place}", "A tile is not what lies below it.")
            roots.append(bytes(root))
        if len(roots) != count:
            yield Finding("TILE", f"{level}/{len(roots)}", "A full tile is not there.")
            return
        level += 1


def _entries(
    connection: sa.Connection, tenant: Id, keys: Keyholders | None, found: int
) -> Generator[Finding, None, tuple[int, int, int]]:
    """Goes through the entries; gives where they begin, where they end, and how often subjects are named in them."""
    batch = audit_batch.c
    select = sa.select(batch.first_index, batch.size, batch.entries, batch.lists).where(batch.tenant == tenant)
    minimum = minimum_of(connection, tenant)
    stretch = _Stretch(connection, tenant)
    tree = beginning(connection, tenant)
    at = tree.size
    if at > minimum:
        yield Finding("TREE", f"{minimum}", "Entries are not there that were not pruned.")
    for first, size, packed, lists in connection.execute(select.order_by(batch.first_index)).all():
        entries = batches.unpack(bytes(packed))
        if first != at or size != at + len(entries):
            yield Finding("TREE", f"{at}", "A part of the log is not there, or stands elsewhere.")
            return minimum, at, stretch.subjects
        tree = yield from _signed(connection, tenant, tree, entries, keys)
        long = json.loads(bytes(lists)) if lists else {}
        for place, text in enumerate(entries):
            if minimum <= at + place < found:
                yield from stretch.see(at + place, text, long.get(str(place)))
        at = size
    yield from stretch.close()
    return minimum, at, stretch.subjects


def _signed(
    connection: sa.Connection, tenant: Id, tree: CompactRange, entries: Sequence[bytes], keys: Keyholders | None
) -> Generator[Finding, None, CompactRange]:
    """Appends entries to the tree; every checkpoint that was signed on the way says what the tree is there."""
    signed, at = audit_checkpoint.c, tree.size
    within = signed.size.between(at + 1, at + len(entries))
    select = sa.select(signed.size, signed.text).where(signed.tenant == tenant, within).order_by(signed.size)
    for size, text in connection.execute(select).all():
        tree = tree.extend(map(leaf_hash, entries[tree.size - at : size - at]))
        try:
            said = note.parse_checkpoint(note.parse_note(text.encode()).text)
            if keys is not None:
                note.open_note(text.encode(), keys.verifiers)
        except CreditError:
            yield Finding("CHECKPOINT", f"{size}", "A checkpoint is not signed by the keys of the log.")
            continue
        if (said.origin, said.size, said.root) != (note.origin(tenant), tree.size, tree.root()):
            yield Finding("CHECKPOINT", f"{size}", "A checkpoint promises another log than this.")
    return tree.extend(map(leaf_hash, entries[tree.size - at :]))


class _Stretch:
    """Compares the entries of a stretch with the tiles, rows and terms that were made of them, when it is full."""

    def __init__(self, connection: sa.Connection, tenant: Id) -> None:
        self._connection = connection
        self._tenant = tenant
        self._rows: list[dict[str, Any]] = []
        self.subjects = 0

    def see(self, index: int, text: bytes, long: Sequence[Sequence[Id]] | None) -> Iterator[Finding]:
        """Takes the next entry."""
        row = lookups.row_of(self._tenant, index, text, long)
        self._rows.append(row)
        self.subjects += len(set(row["subjects"]))
        if (index + 1) % terms.STRETCH == 0:
            yield from self.close()

    def close(self) -> Iterator[Finding]:
        """Compares what was taken."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        first, last = rows[0]["log_index"], rows[-1]["log_index"]
        yield from self._listed(rows, first, last)
        yield from self._terms(rows, first // terms.STRETCH)
        yield from self._leaves(rows, first, last)

    def _listed(self, rows: Sequence[dict[str, Any]], first: int, last: int) -> Iterator[Finding]:
        own = _ENTRY.c
        select = sa.select(*(own[name] for name in _FACTS)).where(
            own.tenant == self._tenant, own.log_index.between(first, last)
        )
        there = {row["log_index"]: dict(row) for row in self._connection.execute(select).mappings()}
        for row in rows:
            made = lookups.stored(row)
            if there.get(row["log_index"]) != {name: made[name] for name in _FACTS}:
                yield Finding("LOG_ROW", row["id"], "The row that readers find is not that of the log.")

    def _terms(self, rows: Sequence[dict[str, Any]], stretch: int) -> Iterator[Finding]:
        made: Counter[tuple[str, str]] = Counter()
        for row in rows:
            for fact in terms.FACTS:
                made[fact, terms.kept(row[fact])] |= 1 << row["log_index"] % terms.STRETCH
        own = audit_term.c
        select = sa.select(own.fact, own.value, own.places).where(own.tenant == self._tenant, own.stretch == stretch)
        there = {(fact, value): terms.unpack(bytes(places)) for fact, value, places in self._connection.execute(select)}
        if there != dict(made):
            yield Finding("TERMS", f"{stretch}", "What entries are found by is not what they say.")

    def _leaves(self, rows: Sequence[dict[str, Any]], first: int, last: int) -> Iterator[Finding]:
        """The full tiles of leaf hashes among them."""
        column = audit_tile.c
        select = sa.select(column.place, column.hashes).where(
            column.tenant == self._tenant, column.level == 0, column.place.between(first // WIDTH, last // WIDTH)
        )
        for place, packed in self._connection.execute(select):
            start = max(place * WIDTH, first)
            hashes = split_hashes(bytes(packed))[start - place * WIDTH :]
            made = [row["leaf_hash"] for row in rows[start - first : (place + 1) * WIDTH - first]]
            if [one.hex() for one in hashes] != made:
                yield Finding("TILE", f"0/{place}", "A tile is not what lies below it.")


def _postings(connection: sa.Connection, tenant: Id, first: int, subjects: int) -> Iterator[Finding]:
    """Each subject leads to the entries that name it, once to each, and to no other."""
    own, entry = _ACCESS.c, _ENTRY.c
    joined = sa.join(
        _ACCESS, _ENTRY, sa.and_(entry.tenant == own.tenant, entry.log_index == own.log_index, entry.tenant == tenant)
    )
    select = sa.select(own.subject_id, own.log_index, entry.subjects).select_from(joined)
    seen: set[tuple[str, int]] = set()
    count = 0
    ordered = select.where(own.tenant == tenant, own.log_index >= first).order_by(own.log_index)
    with connection.execute(ordered, execution_options={"yield_per": 1_000}) as rows:
        last = -1
        for subject, index, named in rows:
            seen = seen if index == last else set()
            last = index
            if f'"{subject}"' not in named or (subject, index) in seen:
                yield Finding("POSTING", f"{index}", "A customer's access log names an entry that is not about it.")
            seen.add((subject, index))
            count += 1
    if count < subjects:
        yield Finding("POSTING", f"{subjects - count}", "Entries about customers are missing in their access logs.")
