"""Where in the log a fact has a value: the log is cut into stretches, and each value has one small row in a stretch.

A row holds the places of a stretch at which the value stands, so that conditions are put together by `and` and `or` of
whole numbers before any entry is read. It is built behind the log, like everything that readers find by (ADR 0006).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from domain.audit import Outcome
from domain.files.trail import AuditEntry
from domain.ids import Id
from vault.store.tables import audit_stretch, audit_term

STRETCH: Final = 1_024
"""How many entries a stretch has."""
FACTS: Final = tuple(
    fact.name for fact in AuditEntry.shape.facts.values() if fact.filter and fact.type in {str, Outcome}
)
"""The facts of an entry that are found by their value."""
LONGEST: Final = 512
"""How much of a value is kept: what only begins alike is told apart when the entries are read."""
_WHOLE: Final = STRETCH // 8
_AT_ONCE: Final = 400


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
    places: dict[tuple[str, str, int], list[int]] = {}
    times: dict[int, list[datetime]] = {}
    for row in rows:
        stretch, place = divmod(row["log_index"], STRETCH)
        times.setdefault(stretch, []).append(row["at"])
        for fact in FACTS:
            term = fact, row[fact], stretch
            if term in places:
                places[term].append(place)
            else:
                places[term] = [place]
    found: dict[tuple[str, str, int], int] = {}
    for (fact, value, stretch), held in places.items():
        term = fact, kept(value), stretch
        found[term] = found.get(term, 0) | _bits(held)
    first = rows[0]["log_index"] // STRETCH
    if rows[0]["log_index"] % STRETCH:
        _join(connection, tenant, first, found, times)
    _write(connection, tenant, found, times)


def _join(
    connection: sa.Connection,
    tenant: Id,
    stretch: int,
    found: dict[tuple[str, str, int], int],
    times: dict[int, list[datetime]],
) -> None:
    """Adds what is known of a stretch already."""
    own, term = audit_stretch.c, audit_term.c
    known = connection.execute(
        sa.select(own.earliest, own.latest).where(own.tenant == tenant, own.stretch == stretch)
    ).first()
    if known is not None:
        times[stretch] += known
    keys = [(fact, value) for fact, value, at in found if at == stretch]
    for part in _parts(keys):
        select = sa.select(term.fact, term.value, term.places).where(
            term.tenant == tenant, term.stretch == stretch, sa.tuple_(term.fact, term.value).in_(part)
        )
        for fact, value, places in connection.execute(select):
            found[fact, value, stretch] |= unpack(bytes(places))


def _write(
    connection: sa.Connection,
    tenant: Id,
    found: Mapping[tuple[str, str, int], int],
    times: Mapping[int, Sequence[datetime]],
) -> None:
    terms = [
        {"tenant": tenant, "fact": fact, "value": value, "stretch": stretch, "places": pack(places)}
        for (fact, value, stretch), places in sorted(found.items())
    ]
    connection.execute(_TERM, terms)
    spans = [
        {"tenant": tenant, "stretch": stretch, "earliest": min(known), "latest": max(known)}
        for stretch, known in times.items()
    ]
    connection.execute(_STRETCH, spans)


def _upsert(table: sa.Table, *changed: str) -> sa.TextClause:
    names = [column.name for column in table.columns]
    key = ", ".join(column.name for column in table.primary_key)
    sets = ", ".join(f"{name} = excluded.{name}" for name in changed)
    text = (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)}) "  # noqa: S608 - names of our own
        f"ON CONFLICT ({key}) DO UPDATE SET {sets}"
    )
    return sa.text(text).bindparams(*(sa.bindparam(column.name, type_=column.type) for column in table.columns))


_TERM = _upsert(audit_term, "places")
_STRETCH = _upsert(audit_stretch, "earliest", "latest")


def _parts(keys: Sequence[tuple[str, str]]) -> Iterable[Sequence[tuple[str, str]]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]
