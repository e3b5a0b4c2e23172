"""What a simulation found, as a record: how a draft would change the book (Ch.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.ids import Id
from domain.money import Money
from domain.records import Record, fact, link, record


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """How many files would go from one grade to another (Ch.9)."""

    before: str
    """The grade under the version in force, or NONE. Ch.9"""
    after: str
    """The grade under the draft, or NONE. Ch.9"""
    files: int
    """How many files. Ch.9"""
    limit_before: Decimal
    """Their limits together under the version in force, in major units. Ch.9"""
    limit_after: Decimal
    """Their limits together under the draft, in major units. Ch.9"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChange:
    """What a draft would change for one segment of the book (Ch.9)."""

    kind: str
    """The kind of segment: KIND, INDUSTRY or DEPARTMENT. Ch.9"""
    segment: str
    """The segment, or NONE. Ch.9"""
    files: int
    """How many files. Ch.9"""
    winners: int
    """How many get a better grade or a higher limit, and nothing worse. Ch.9"""
    losers: int
    """How many get a worse grade or a lower limit, and nothing better. Ch.9"""
    mixed: int
    """How many get one better and the other worse. Ch.9"""
    newly_blocked: int
    """How many would be blocked that are not. Ch.9"""
    newly_ungraded: int
    """For how many the data would no longer suffice. Ch.9"""
    limit_before: Decimal
    """Their limits together under the version in force, in major units. Ch.9"""
    limit_after: Decimal
    """Their limits together under the draft, in major units. Ch.9"""


@record("si", table="policy_simulation", read="credit_policy:read", subject_reach=False)
class PolicySimulation(Record):
    """A run of a draft over every open file, against the version in force on the same inputs (Ch.9)."""

    policy: Id = link("CreditPolicy", "The draft. Ch.9", same_subject=False)
    content_digest: str = fact("The digest of the content that was run. Ch.9")
    against: str = fact("The digest of the version in force it was compared with. Ch.9")
    inputs_digest: str = fact("A digest over every file and its inputs. Ch.9")
    began_at: datetime = fact("When it began; inputs are as they were from then on. Ch.9")
    files: int = fact("How many open files there are. Ch.9")
    failed: int = fact("How many could not be assessed, such as those with amounts in another currency. Ch.9")
    failed_files: tuple[Id, ...] = fact("Some of these. Ch.9")
    winners: int = fact("How many get a better grade or a higher limit, and nothing worse. Ch.9")
    losers: int = fact("How many get a worse grade or a lower limit, and nothing better. Ch.9")
    mixed: int = fact("How many get one better and the other worse. Ch.9")
    newly_blocked: int = fact("How many would be blocked that are not: new holds. Ch.9")
    newly_ungraded: int = fact("For how many the data would no longer suffice. Ch.9")
    ungraded: int = fact("For how many the data does not suffice under the draft. Ch.9")
    limit_before: Money = fact("All limits together under the version in force. Ch.9")
    limit_after: Money = fact("All limits together under the draft. Ch.9")
    migrations: tuple[Migration, ...] = fact("How many files go from which grade to which. Ch.9")
    segments: tuple[SegmentChange, ...] = fact("The same by kind of customer, industry and department. Ch.9")
    run_by: str = fact("Who ran it. Ch.9")
