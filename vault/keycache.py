"""Keys are kept for a time and in a number that are both bounded; what was forgotten meanwhile is not kept again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class KeyCache(Generic[K, V]):
    """The most recently used keys, each for at most its time; it may be shared by threads."""

    def __init__(self, clock: Callable[[], float], ttl: float, size: int) -> None:
        self._clock = clock
        self._ttl = ttl
        self._size = size
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._drops = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"KeyCache({len(self)} kept)"

    def get(self, row: K) -> V | None:
        """The key kept for a row, while its time lasts.

        It takes no lock, which would cost more than all the rest: each step is one of the interpreter's own, and a key
        that is dropped between two of them was asked for before that.
        """
        kept = self._kept.get(row)
        if kept is None:
            return None
        until, key = kept
        if self._clock() >= until:
            self._kept.pop(row, None)
            return None
        with suppress(KeyError):
            self._kept.move_to_end(row)
        return key

    def moment(self) -> int:
        """A mark to take before a key is unwrapped."""
        return self._drops

    def keep(self, row: K, key: V, moment: int) -> None:
        """Keeps a key, unless something was dropped since the mark: it may have been this one."""
        with self._lock:
            if moment != self._drops:
                return
            self._kept[row] = (self._clock() + self._ttl, key)
            self._kept.move_to_end(row)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def drop(self, concerns: Callable[[K], bool]) -> None:
        """Drops the keys of the rows concerned."""
        with self._lock:
            self._drops += 1
            for row in [row for row in self._kept if concerns(row)]:
                del self._kept[row]
