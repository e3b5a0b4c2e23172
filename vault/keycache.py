"""Keys are kept for a time and in a number that are both bounded; what was forgotten meanwhile is not kept again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from threading import Lock
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


_GONE: Final[tuple[float, Any]] = (float("-inf"), None)


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
        """The key kept for a row, while its time lasts."""
        return self.get_many((row,))[0]

    def get_many(self, rows: Iterable[K]) -> list[V | None]:
        """The keys kept for rows, each while its time lasts.

        It takes no lock, which would cost more than all the rest: each step is one of the interpreter's own, and a key
        that is dropped between two of them was asked for before that.
        """
        now, kept = self._clock(), self._kept
        # While it is half empty nothing is near to leaving. What is used after that is moved before anything leaves.
        crowded = 2 * len(kept) >= self._size
        found: list[V | None] = []
        for row in rows:
            until, key = kept.get(row, _GONE)
            if now >= until:
                kept.pop(row, None)
                found.append(None)
                continue
            if crowded:
                with suppress(KeyError):
                    kept.move_to_end(row)
            found.append(key)
        return found

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
