"""Each statement has a place in a status list that says nothing of when it was issued, or to whom (Ch.3 §3)."""

from __future__ import annotations

from typing import Final

from domain.ids import Id
from domain.ports import Unit
from domain.statements.statements import CreditStatement, StatusList

SIZE: Final = 1 << 17
"""How many statements share a list: 16 KiB of bits, which nobody is told apart in."""
TRIES: Final = 8
"""How often a free place is looked for before the list counts as full: when every try fails, most of it is taken."""


def place_for(unit: Unit, statement: Id) -> tuple[int, int]:
    """The number of a list and a place in it: drawn by a keyed function of the statement's own id.

    Nobody without the key can tell which places belong to statements that were issued one after another. Two that draw
    the same place at once are told apart by the database, and one of them draws again.

    Chapter: 3.3.
    """
    lists = unit.find(StatusList)
    newest = max(lists, key=lambda one: one.number, default=None)
    if newest is not None:
        for attempt in range(TRIES):
            index = _drawn(unit, statement, newest, attempt)
            taken = unit.select(CreditStatement, ("id",), status_list=newest.number, status_index=index)
            if next(iter(taken), None) is None:
                return newest.number, index
    opened = StatusList(stamp=unit.stamp(StatusList), number=newest.number + 1 if newest else 1, size=SIZE)
    unit.add([opened])
    return opened.number, _drawn(unit, statement, opened, 0)


def _drawn(unit: Unit, statement: Id, listed: StatusList, attempt: int) -> int:
    return int(unit.pseudonym(statement, f"status/{listed.number}/{attempt}"), 16) % listed.size
