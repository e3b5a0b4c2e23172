"""A draft tried on the book, page by page: every open file under it and under the version in force (Ch.9).

What a page opens is recorded before it is opened, as for any assessment; nothing is written, and what leaves is the
outcome of each file, never a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.actors import Actor
from domain.assessment import gathering
from domain.assessment.assessments import CreditPolicy
from domain.assessment.evaluate import evaluate
from domain.assessment.policies import document_of, in_force
from domain.assessment.policy import PolicyDocument
from domain.assessment.receipt import Snapshot
from domain.assessment.standing import standing_of
from domain.assessment.versions.tallying import NONE, Compared, Result
from domain.errors import Invalid, Malformed, Stale
from domain.files.days import Days, days
from domain.files.parties import CreditFile, FileState
from domain.ids import Id
from domain.operations import Collecting, Decided, operation
from domain.ports import SealedValue, Unit
from domain.reading import Purpose

AT_ONCE: Final = 50
"""How many files a page has: nobody waits long for its transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some files of the book under both versions."""

    at: datetime
    """When it was read."""
    content_digest: str
    against: str
    total: int | None
    """How many open files there are; told with the first page alone."""
    rows: tuple[Compared, ...]


@operation(
    "credit_policy:try", collection="assessment:collect", purpose=Purpose.CREDIT_REVIEW.value, chapter="5.1, 5.4, 9"
)
class TryCreditPolicy(Collecting[Page]):
    """Assesses the next files of the book under a draft, and under the version in force; it keeps nothing (Ch.9)."""

    policy: Id
    """The draft. Ch.9"""
    after: str = ""
    """The file behind which the page begins. Ch.9"""
    most: int = AT_ONCE
    """How many files it has at most. Ch.9"""

    def collect(self, unit: Unit, actor: Actor) -> Sequence[SealedValue[Any]]:
        """The sealed figures that assessments of these files read.

        Chapter: 4.4, 5.1.
        """
        del actor
        return [value for gathered in self._gathered(unit, days(unit)) for value in gathering.to_open(unit, gathered)]

    def decide_on(
        self, unit: Unit, actor: Actor, sealed: Sequence[SealedValue[Any]], opened: Sequence[Any]
    ) -> Decided[Page]:
        """Both versions read the same inputs, so what differs is their doing alone.

        Chapter: 5.1, 5.4, 9.
        Raises:  Stale where what was collected is no longer what is on file.
        """
        del actor
        draft = unit.get(CreditPolicy, self.policy)
        documents = (in_force(unit, unit.now)[1], document_of(draft))
        found = self._gathered(unit, days(unit))
        cells = {(one.record, one.field.tag, one.version) for each in found for one in gathering.to_open(unit, each)}
        if cells != {(one.record, one.field.tag, one.version) for one in sealed}:
            raise Stale("What the files hold changed meanwhile.")
        values = {(one.record, one.field.tag): value for one, value in zip(sealed, opened, strict=True)}
        page = Page(
            at=unit.now,
            content_digest=draft.content_digest,
            against=documents[0].digest,
            total=None if self.after else sum(1 for _ in unit.select(CreditFile, ("id",), state=FileState.OPEN)),
            rows=tuple(_compared(unit, documents, each, values) for each in found),
        )
        return Decided(value=page, policy=draft.content_digest, resources=(draft.id,))

    def _gathered(self, unit: Unit, calendar: Days) -> list[gathering.Gathered]:
        if not 1 <= self.most <= AT_ONCE:
            raise Malformed(f"A page has 1 to {AT_ONCE} files.", path=("most",))
        ids = [
            id_ for (id_,) in unit.select(CreditFile, ("id",), after=self.after, most=self.most, state=FileState.OPEN)
        ]
        files = {one.id: one for one in unit.find(CreditFile, id=tuple(ids))} if ids else {}
        return [gathering.gather(unit, files[id_], calendar.today, calendar) for id_ in ids if id_ in files]


def _compared(
    unit: Unit, documents: tuple[PolicyDocument, PolicyDocument], gathered: gathering.Gathered, values: gathering.Opened
) -> Compared:
    """A file under both versions; one that cannot be assessed under either tells nothing of the draft."""
    file, customer = gathered.file, gathered.customer
    segments = (
        ("KIND", customer.kind.value),
        ("INDUSTRY", file.industry_code[:1] if file.industry_code else NONE),
        ("DEPARTMENT", customer.department or NONE),
    )
    try:
        taken = [_snapshot(unit, document, gathered, values) for document in documents]
        before, after = (_result(document, one) for document, one in zip(documents, taken, strict=True))
    except Invalid:
        return Compared(file=file.id, inputs="", before=None, after=None, segments=segments)
    return Compared(file=file.id, inputs=taken[-1].digest, before=before, after=after, segments=segments)


def _snapshot(unit: Unit, document: PolicyDocument, gathered: gathering.Gathered, values: gathering.Opened) -> Snapshot:
    previous = standing_of(unit, gathered.file, document.currency)
    return gathering.snapshot(unit, document, gathered, values, requested_minor=None, previous=previous)


def _result(document: PolicyDocument, snapshot: Snapshot) -> Result:
    receipt = evaluate(document, snapshot)
    return Result(grade=receipt.grade, tier=receipt.tier, limit_minor=receipt.limit.minor if receipt.limit else 0)
