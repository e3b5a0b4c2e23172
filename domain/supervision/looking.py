"""What supervision sees of the audit log in a transaction: entries in order, and counts without reading them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.files.trail import AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many entries of a time have one value of a fact, and when the first and the last of them happened."""

    count: int
    first_at: datetime
    last_at: datetime


class Trail(Protocol):
    """The log of one company as far as its readers find it."""

    def size(self) -> int:
        """How many entries are found: the place behind the last of them."""
        ...

    def entries(self, first: int, most: int) -> Sequence[AuditEntry]:
        """So many entries at most from a place on, in the order of the log."""
        ...

    def tally(self, fact: str, since: datetime, until: datetime) -> Mapping[str, Tally]:
        """How many entries there are of each value of a fact, from an instant on and before another."""
        ...

    def latest(self, fact: str, value: str) -> AuditEntry | None:
        """The newest entry with a value of a fact."""
        ...
