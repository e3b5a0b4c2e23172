"""What a credit policy draft would do to a book, counted file by file; the count is small, whatever the book (Ch.9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from domain.assessment.scale import Grade, Tier
from domain.ids import Id

TOLD: Final = 20
"""How many files are named that could not be assessed."""
ALL: Final = "ALL"
MIGRATION: Final = "MIGRATION"
NONE: Final = "NONE"
"""No grade, or no segment of that kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one file earns under one version."""

    grade: Grade | None
    tier: Tier | None
    limit_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One file under the version in force and under the draft, on the same inputs."""

    file: Id
    inputs: str
    """The digest of its inputs, as the draft reads them; empty where it cannot be assessed."""
    before: Result | None
    after: Result | None
    """None in both where the file cannot be assessed."""
    segments: tuple[tuple[str, str], ...]
    """Which segments it is in, by the kind of segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Sums over some files."""

    files: int = 0
    winners: int = 0
    losers: int = 0
    mixed: int = 0
    """A better grade and a lower limit, or the other way round."""
    blocked: int = 0
    """Newly blocked."""
    ungraded: int = 0
    """Newly without a grade."""
    before_minor: int = 0
    after_minor: int = 0

    def and_one(self, before: Result, after: Result) -> Count:
        """With one file more.

        Chapter: 9.
        """
        up, down = _moved(before, after)
        return Count(
            files=self.files + 1,
            winners=self.winners + (up and not down),
            losers=self.losers + (down and not up),
            mixed=self.mixed + (up and down),
            blocked=self.blocked + (after.tier is Tier.BLOCKED and before.tier is not Tier.BLOCKED),
            ungraded=self.ungraded + (after.grade is None and before.grade is not None),
            before_minor=self.before_minor + before.limit_minor,
            after_minor=self.after_minor + after.limit_minor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A book as far as it was counted."""

    content_digest: str
    """The digest of the draft."""
    against: str
    """The digest of the version in force."""
    files: int = 0
    failed: int = 0
    failed_files: tuple[Id, ...] = ()
    chain: str = ""
    """A digest over every file and its inputs, in the order of the files."""
    counts: Mapping[str, Count] = field(default_factory=dict[str, Count])
    """By `ALL`, by `MIGRATION before after`, and by kind of segment and segment."""


def _moved(before: Result, after: Result) -> tuple[bool, bool]:
    """Whether something got better, and whether something got worse."""
    old, new = (len(Grade) if one.grade is None else one.grade.rank for one in (before, after))
    limits = after.limit_minor - before.limit_minor
    return new < old or limits > 0, new > old or limits < 0


def counted(tally: Tally, rows: Sequence[Compared]) -> Tally:
    """The tally with some files more.

    Chapter: 9.
    Shape:   counted page by page it is the same as counted at once.
    """
    counts, chain, failed = dict(tally.counts), tally.chain, list(tally.failed_files)
    missed = 0
    for row in rows:
        chain = sha256(f"{chain}\n{row.file} {row.inputs}".encode()).hexdigest()
        if row.before is None or row.after is None:
            missed += 1
            failed = [*failed, row.file][:TOLD]
            continue
        for key in _keys(row, row.before, row.after):
            counts[key] = counts.get(key, Count()).and_one(row.before, row.after)
    return replace(
        tally,
        files=tally.files + len(rows),
        failed=tally.failed + missed,
        failed_files=tuple(failed),
        chain=chain,
        counts=counts,
    )


def _keys(row: Compared, before: Result, after: Result) -> Iterator[str]:
    yield ALL
    yield f"{MIGRATION} {_word(before.grade)} {_word(after.grade)}"
    for kind, name in row.segments:
        yield f"{kind} {name}"


def _word(grade: Grade | None) -> str:
    return NONE if grade is None else grade.value
