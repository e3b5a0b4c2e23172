"""What a company has set about one person besides its roles, as it was looked up before the Gate is passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.ids import Id
from domain.persons.reach import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """An action that needs a course, and until when the person has it; None where it never had."""

    action: str
    course: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """A broken glass: what it gives, to whom, about which customer, and how long."""

    id: Id
    person: str
    customer: Id
    actions: tuple[str, ...]
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What limits and what widens the roles of one person."""

    reach: Reach | None = None
    """Which customers it finds; every one where nothing is said."""
    lapses: tuple[Lapse, ...] = ()
    """What its roles hold only as long as its training does."""
    glass: Glass | None = None
    """The broken glass that it acts under."""

    @property
    def limit(self) -> Reach | None:
        """What is found and changed at most: under a broken glass the one customer it was broken for."""
        return self.reach if self.glass is None else Reach(only=self.glass.customer)


PLAIN = Standing()
"""Of whoever is limited by its roles alone."""
