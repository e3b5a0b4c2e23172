"""A memory bounded by weight, of which each owner fills a share at most."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")

OWNERS = 4
"""How many owners fill the memory together; one alone fills this part of it."""


class _Share:
    """What one owner put in, longest unused first."""

    def __init__(self) -> None:
        self.weights: OrderedDict[Hashable, int] = OrderedDict()
        self.total = 0


class Lru(Generic[V]):
    """A memory whose weight is bounded: what was not asked for longest goes first, and who fills most gives first.

    What one owner puts in pushes out only its own until it fills its share, so a flood leaves others what they have.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._part = max(size // OWNERS, 1)
        self._held: dict[Hashable, tuple[V, _Share]] = {}
        self._shares: dict[str, _Share] = {}
        self._total = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def weight(self) -> int:
        """How heavy everything is that is remembered."""
        return self._total

    def find(self, key: Hashable) -> V | None:
        """What is remembered under a key, which is then the last to go."""
        held = self._held.get(key)
        if held is None:
            return None
        held[1].weights.move_to_end(key)
        return held[0]

    def keep(self, key: Hashable, value: V, owner: str = "", weight: int = 1) -> None:
        """Remembers a value for its owner; what is heavier than a share is not remembered at all."""
        if key in self._held:
            self._drop(key, self._held[key][1])
        if weight > self._part:
            return
        share = self._shares.setdefault(owner, _Share())
        self._held[key] = (value, share)
        share.weights[key] = weight
        share.total += weight
        self._total += weight
        while share.total > self._part:
            self._drop(next(iter(share.weights)), share)
        while self._total > self._size:
            heaviest = max(self._shares.values(), key=lambda one: one.total)
            self._drop(next(iter(heaviest.weights)), heaviest)
        if len(self._shares) > len(self._held):
            self._shares = {name: one for name, one in self._shares.items() if one.weights}

    def get(self, key: Hashable, make: Callable[[], V], owner: str = "", weight: int = 1) -> V:
        """What is remembered under a key, or what is made now; a failure is not remembered."""
        held = self.find(key)
        if held is None:
            held = make()
            self.keep(key, held, owner, weight)
        return held

    def _drop(self, key: Hashable, share: _Share) -> None:
        weight = share.weights.pop(key)
        share.total -= weight
        self._total -= weight
        del self._held[key]
