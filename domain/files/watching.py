"""What can be watched as it comes: records in an order that only grows, so that whoever watches misses none.

A delivery is a reading of the next page, judged and recorded like every other. Nothing is kept for a watcher that is
slow: its place in the order is all there is of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.reading import Labelled, Level, Page, Reading, Slot, Where
from domain.records import SHAPES, Shape

NEWEST = "newest"
"""Under which label `beginning` finds the newest record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Records that may be watched."""

    record: str
    grows: str
    """A whole number that is greater in every record that becomes visible later."""
    action: str
    """What a watcher needs beside the read, and what its deliveries are called in the log."""
    told_by: str = ""
    """The fact that names an action, where deliveries stand among the records: a delivery is no news, or two
    watchers would feed one another for ever."""

    @property
    def shape(self) -> Shape:
        """The record that is watched."""
        return SHAPES[self.record]


STREAMS = {
    "auditEntries": Stream(record="AuditEntry", grows="log_index", action="audit:watch", told_by="action"),
}
"""Every stream, by its name in the schema."""


def beginning(stream: Stream) -> Reading:
    """The newest record there is: a watcher that names no place begins behind it.

    Chapter: 8.1.
    """
    level = Level(
        shape=stream.shape,
        facts=(Labelled(stream.grows, stream.grows),),
        order=((stream.grows, True),),
        page=Page(size=Slot(0), wants_cursors=False),
    )
    return Reading((Labelled(NEWEST, level),), stream.action)


def behind(stream: Stream, answer: dict[str, Any]) -> int:
    """The place behind the newest record, from the answer of `beginning`.

    Chapter: 8.1.
    """
    rows = answer[NEWEST]["rows"]
    return rows[0][stream.grows] + 1 if rows else 0


def arriving(stream: Stream, level: Level, after: Slot, more: int) -> Level:
    """A page of a stream's records as a page of what arrives: behind a cursor, oldest first, no delivery among them.

    Chapter: 8.1.
    Shape:   its further arguments are those of `places`, from slot `more` on.
    """
    conditions = [Where(stream.grows, ">=", Slot(more))]
    if stream.told_by:
        conditions.append(Where(stream.told_by, "!=", Slot(more + 1)))
    page = Page(size=Slot(0)) if level.page is None else level.page
    return replace(
        level,
        where=(*level.where, *conditions),
        order=((stream.grows, False),),
        page=replace(page, after=after, wants_cursors=True, layout=None),
    )


def places(stream: Stream, first: int) -> Sequence[Any]:
    """The further arguments of what arrives: from which place on, and which action is no news.

    Chapter: 8.1.
    """
    return (first, stream.action)
