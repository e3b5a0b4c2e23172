"""Two sequences of leaf hashes side by side: what the log committed to, and what the entries hash to.

They are compared as they stream by. After a difference both are brought into step again, so that one removed entry
is one finding, and not an alteration of every entry after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from vault.audit.report import Findings, Kind

AHEAD = 256
"""How far a moved entry is looked for."""


class Alignment:
    """Compares what is promised with what is there, and names the entries that differ.

    Shape: finds nothing when both sequences are equal, and something whenever they are not.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._promised: deque[tuple[int, bytes]] = deque()
        self._there: deque[tuple[int, bytes]] = deque()
        self._count = 0

    def feed(self, first: int, promised: Sequence[bytes], there: Sequence[bytes]) -> None:
        """Takes the next hashes of both sides; both begin at the same place in the log."""
        self._count += len(there)
        if not self._promised and not self._there and tuple(promised) == tuple(there):
            return
        self._promised.extend(enumerate(promised, first))
        self._there.extend(enumerate(there, first))
        while min(len(self._promised), len(self._there)) > AHEAD:
            self._step()

    def finish(self, size: int, *, cut: bool = False) -> None:
        """Names what is left when both sides have ended.

        `size` is what the checkpoint promises; `cut` says that the end of the log is known to be absent.
        """
        while self._promised and self._there:
            self._step()
        if self._promised or cut:
            said = f"the checkpoint promises {size} entries, {self._count} are there"
            self._findings.add(Kind.TRUNCATED, detail=said)
        if self._there:
            last, _ = self._there[-1]
            self._findings.add(Kind.EXTRA, _span(self._there[0][0], last), "the log committed to no such entry")
        self._promised.clear()
        self._there.clear()

    def _step(self) -> None:
        (at, promised), (place, there) = self._promised[0], self._there[0]
        if promised != there:
            moved = self._found(self._promised, there)
            awaited = self._found(self._there, promised)
            if moved and moved == awaited:
                self._findings.add(Kind.REORDERED, f"entries {at} and {at + moved}")
                self._there[moved] = (self._there[moved][0], there)  # both are told
            elif self._in_step() or not (moved or awaited):
                self._findings.add(Kind.ALTERED, f"entry {at}")
            elif moved:
                self._findings.add(Kind.MISSING, _span(at, at + moved - 1), "the entries after it have moved up")
                for _ in range(moved):
                    self._promised.popleft()
            else:
                self._findings.add(Kind.EXTRA, _span(place, place + awaited - 1), f"inserted before entry {at}")
                for _ in range(awaited):
                    self._there.popleft()
        self._promised.popleft()
        self._there.popleft()

    def _in_step(self) -> bool:
        """Whether the next entries agree where they are, so that this one alone differs."""
        pair = [queue[1][1] for queue in (self._promised, self._there) if len(queue) > 1]
        return len(pair) > 1 and pair[0] == pair[1]

    @staticmethod
    def _found(queue: deque[tuple[int, bytes]], wanted: bytes) -> int:
        """How many places further on a hash stands; 0 when it is not near."""
        near = enumerate(islice(queue, AHEAD))
        return next((distance for distance, (_, found) in near if found == wanted), 0)


def _span(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first} to {last}"
