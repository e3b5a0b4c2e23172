"""Which orders of a list follow an index."""

from __future__ import annotations

from collections.abc import Iterator

from domain.records import Shape


def orders(shape: Shape) -> Iterator[str]:
    """The columns by which the current rows of a record are kept in order.

    Words of a list are ordered by their place in it, which no column holds: their index finds equal ones.
    """
    yield "recorded_at"
    yield from (fact.name for fact in shape.facts.values() if fact.order and (fact.name,) not in shape.unique)
