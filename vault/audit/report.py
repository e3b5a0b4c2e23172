"""What a check of a log found: each problem by its kind and its place, as many as a reader can use."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum

MAX_LISTED = 100
"""Problems of one kind beyond these are counted, not listed; no kind hides another."""


class Kind(Enum):
    """What is wrong. Kinds are added, never renamed: scripts read them."""

    ALTERED = "ALTERED"
    """Bytes that are not those the log committed to."""
    MISSING = "MISSING"
    EXTRA = "EXTRA"
    """What no checkpoint promises."""
    REORDERED = "REORDERED"
    TRUNCATED = "TRUNCATED"
    """The log ends before its checkpoint says so."""
    WRONG_ROOT = "WRONG_ROOT"
    """Entries and tiles lead to another root than the checkpoint's."""
    FORK = "FORK"
    """An earlier checkpoint is not a prefix: the log showed two histories."""
    ROLLED_BACK = "ROLLED_BACK"
    """An earlier checkpoint promises more entries than this one."""
    UNPROVEN = "UNPROVEN"
    """Other damage hides whether an earlier checkpoint is a prefix."""
    BAD_SIGNATURE = "BAD_SIGNATURE"
    WRONG_KEY = "WRONG_KEY"
    WRONG_ORIGIN = "WRONG_ORIGIN"
    UNWITNESSED = "UNWITNESSED"
    """A witness that should have cosigned has not."""
    MALFORMED = "MALFORMED"
    """A file or an entry that does not follow its format."""
    WRONG_TENANT = "WRONG_TENANT"
    REPEATED = "REPEATED"
    """Two entries with one id."""
    UNREADABLE = "UNREADABLE"
    """The medium failed; nothing is said about the content."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where."""

    kind: Kind
    place: str = ""
    detail: str = ""

    def __str__(self) -> str:
        place = f" {self.place}" if self.place else ""
        return self.kind.value + place + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a check: `ok` only when everything held."""

    origin: str = ""
    size: int = 0
    """What the checkpoint promises."""
    root: bytes = b""
    key: str = ""
    """The believed key that signed the checkpoint, as it is pinned."""
    pruned: int = 0
    """How many entries at the beginning are not there any more, as an entry of the log says."""
    problems: tuple[Problem, ...] = ()
    found: int = 0
    """How many problems there are, listed or not."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.found

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if self.found > len(lines):
            lines.append(f"and {self.found - len(lines)} more")
        if self.origin:
            gone = f", the first {self.pruned} of them pruned" if self.pruned else ""
            lines.append(f"{self.origin}: {self.size} entries{gone}, root {self.root.hex()}")
        return "\n".join([*lines, "ok" if self.ok else "NOT OK"])


class Findings:
    """Gathers problems; the same one twice is one."""

    def __init__(self) -> None:
        self._listed: dict[Problem, None] = {}
        self._of: Counter[Kind] = Counter()
        self.found = 0

    def add(self, kind: Kind, place: str = "", detail: str = "") -> None:
        """Notes a problem."""
        problem = Problem(kind, place, detail)
        if problem in self._listed:
            return
        self.found += 1
        if self._of[kind] < MAX_LISTED:
            self._of[kind] += 1
            self._listed[problem] = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Those that are listed, in the order they were found."""
        return tuple(self._listed)
