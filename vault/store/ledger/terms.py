"""Where in the log a fact has a value: the log is cut into stretches, and each value has one small row in a stretch.

A row holds the places of a stretch at which the value stands, so that conditions are put together by `and` and `or` of
whole numbers before any entry is read. It is built behind the log, like everything that readers find by (ADR 0006).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from domain.audit import Outcome
from domain.files.trail import AuditEntry
from domain.ids import Id
from vault.store.engines import POSTGRESQL, SQLITE
from vault.store.tables import audit_stretch

STRETCH: Final = 1_024
"""How many entries a stretch has."""
FACTS: Final = tuple(
    fact.name for fact in AuditEntry.shape.facts.values() if fact.filter and fact.type in {str, Outcome}
)
"""The facts of an entry that are found by their value."""
LONGEST: Final = 512
"""How much of a value is kept: what only begins alike is told apart when the entries are read."""
_WHOLE: Final = STRETCH // 8


def kept(value: str) -> str:
    """A value as it is found by."""
    return value[:LONGEST]


def pack(places: int) -> bytes:
    """The places of a stretch: a list of them while that is shorter, two bytes each; otherwise a bit for each.

    Shape: gives back what was packed when it is unpacked; `places` is a whole number with a bit for each place.
    """
    if places.bit_count() * 2 >= _WHOLE:
        return places.to_bytes(_WHOLE, "little")
    return b"".join(place.to_bytes(2, "little") for place in each(places))


def _bits(places: Sequence[int]) -> int:
    bits = bytearray(_WHOLE)
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(bits, "little")


def unpack(packed: bytes) -> int:
    """The places, as a whole number with a bit for each."""
    if len(packed) == _WHOLE:
        return int.from_bytes(packed, "little")
    places = 0
    for at in range(0, len(packed), 2):
        places |= 1 << int.from_bytes(packed[at : at + 2], "little")
    return places


def span(packed: bytes) -> tuple[int, int, int]:
    """How many places there are, and the first and the last of them."""
    if len(packed) == _WHOLE:
        places = int.from_bytes(packed, "little")
        return places.bit_count(), (places & -places).bit_length() - 1, places.bit_length() - 1
    return len(packed) // 2, int.from_bytes(packed[:2], "little"), int.from_bytes(packed[-2:], "little")


def each(places: int) -> Iterator[int]:
    """Every place, in order."""
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest


def note(connection: sa.Connection, tenant: Id, rows: Sequence[Mapping[str, Any]]) -> None:
    """Makes entries findable by their facts: they stand behind all that were noted before, without a gap."""
    first = rows[0]["log_index"]
    found: dict[tuple[str, str, int], int] = {}
    times: dict[int, list[datetime]] = {}
    start = 0
    while start < len(rows):
        stretch, place = divmod(first + start, STRETCH)
        part = rows[start : start + STRETCH - place]
        times[stretch] = [row["at"] for row in part]
        for fact in FACTS:
            _gather(found, fact, stretch, place, [row[fact] for row in part])
        start += len(part)
    if first % STRETCH:
        _join(connection, tenant, first // STRETCH, found, times)
    _write(connection, tenant, found, times)


def _gather(found: dict[tuple[str, str, int], int], fact: str, stretch: int, place: int, values: Sequence[str]) -> None:
    """The places of each value of a fact in one stretch. Most facts are mostly empty: where, is what remains."""
    places: dict[str, list[int]] = {}
    for at, value in enumerate(values, place):
        if value:
            if value in places:
                places[value].append(at)
            else:
                places[value] = [at]
    empty = ((1 << len(values)) - 1) << place
    for value, held in places.items():
        term, bits = (fact, kept(value), stretch), _bits(held)
        empty &= ~bits
        found[term] = found.get(term, 0) | bits
    if empty:
        found[fact, "", stretch] = empty


def _join(
    connection: sa.Connection,
    tenant: Id,
    stretch: int,
    found: dict[tuple[str, str, int], int],
    times: dict[int, list[datetime]],
) -> None:
    """Adds what is known of a stretch already."""
    own = audit_stretch.c
    known = connection.execute(
        sa.select(own.earliest, own.latest).where(own.tenant == tenant, own.stretch == stretch)
    ).first()
    if known is not None:
        times[stretch] += known
    keys = [(fact, value) for fact, value, at in found if at == stretch]
    wanted: Any = (
        (json.dumps(keys),) if connection.dialect.name == SQLITE else tuple(map(list, zip(*keys, strict=True)))
    )
    for fact, value, places in connection.exec_driver_sql(_KNOWN[connection.dialect.name], (tenant, stretch, *wanted)):
        found[fact, value, stretch] |= unpack(bytes(places))


def _write(
    connection: sa.Connection,
    tenant: Id,
    found: Mapping[tuple[str, str, int], int],
    times: Mapping[int, Sequence[datetime]],
) -> None:
    terms = [(tenant, fact, value, stretch, pack(places)) for (fact, value, stretch), places in sorted(found.items())]
    connection.exec_driver_sql(_KEPT[connection.dialect.name], terms)
    spans = [
        {"tenant": tenant, "stretch": stretch, "earliest": min(known), "latest": max(known)}
        for stretch, known in times.items()
    ]
    connection.execute(_STRETCH, spans)


_STRETCH: Final = sa.text(
    "INSERT INTO audit_stretch (tenant, stretch, earliest, latest) VALUES (:tenant, :stretch, :earliest, :latest) "
    "ON CONFLICT (tenant, stretch) DO UPDATE SET earliest = excluded.earliest, latest = excluded.latest"
).bindparams(*(sa.bindparam(column.name, type_=column.type) for column in audit_stretch.columns))

# These two come once for every few entries, and go to the driver as they stand.
_INTO: Final = "INSERT INTO audit_term (tenant, fact, value, stretch, places)"
_AGAIN: Final = "ON CONFLICT (tenant, fact, value, stretch) DO UPDATE SET places = excluded.places"
_KEPT: Final = {
    SQLITE: f"{_INTO} VALUES (?, ?, ?, ?, ?) {_AGAIN}",
    POSTGRESQL: f"{_INTO} VALUES ($1, $2, $3, $4, $5) {_AGAIN}",
}
_OF: Final = "SELECT fact, value, places FROM audit_term WHERE"
_KNOWN: Final = {
    SQLITE: f"{_OF} tenant = ? AND stretch = ? AND (fact, value) IN "  # noqa: S608 - words of our own
    "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))",
    POSTGRESQL: f"{_OF} tenant = $1 AND stretch = $2 AND (fact, value) IN "  # noqa: S608 - words of our own
    "(SELECT * FROM unnest(CAST($3 AS text[]), CAST($4 AS text[])))",
}
