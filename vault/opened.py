"""How many sealed values this process opened, by company and class, and under which entries it was told to.

What counts is the opening itself, whoever asks for it; what is told comes from the warrants. A report takes both and
holds them against the log. What a process that is killed had counted since its last report is gone with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from domain.ids import Id, encode


@dataclass(slots=True)
class Taken:
    """What was counted of one company since the last report."""

    opened: Counter[str] = field(default_factory=Counter[str])
    """How many values of each class were opened."""
    told: Counter[tuple[Id, str]] = field(default_factory=Counter[tuple[Id, str]])
    """How many values of each class were to be opened under each entry."""

    def __bool__(self) -> bool:
        return bool(self.opened or self.told)


class Opened:
    """The counts of this process; any thread adds to them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[bytes, Taken] = {}

    def count(self, cells: Iterable[tuple[bytes, str]]) -> None:
        """Counts values that were opened: of which company, of which class."""
        with self._lock:
            for (tenant, data_class), many in Counter(cells).items():
                self._of(tenant).opened[data_class] += many

    def tell(self, tenant: bytes, entry: Id, classes: Iterable[str]) -> None:
        """Notes what is to be opened under an entry, before it is."""
        with self._lock:
            told = self._of(tenant).told
            for data_class, many in Counter(classes).items():
                told[entry, data_class] += many

    def tenants(self) -> list[Id]:
        """The companies of which something was counted."""
        with self._lock:
            return [encode("te", tenant) for tenant, taken in self._counts.items() if taken]

    def take(self, tenant: bytes) -> Taken:
        """What was counted of a company; from now on it is counted anew."""
        with self._lock:
            return self._counts.pop(tenant, Taken())

    def give_back(self, tenant: bytes, taken: Taken) -> None:
        """Counts again what could not be reported."""
        with self._lock:
            own = self._of(tenant)
            own.opened.update(taken.opened)
            own.told.update(taken.told)

    def _of(self, tenant: bytes) -> Taken:
        return self._counts.setdefault(tenant, Taken())


OPENED: Final = Opened()
"""Of this process: there is one way to open values, and it counts here."""
