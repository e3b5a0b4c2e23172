"""How long records are kept: rules as data, and the sweep that ends what is past its time (Ch.4 §4).

A rule names its reference and how sure its wording is; a legal hold beats every rule. What ends is deleted for good:
its values and the keys they lay under; its row stays as a tombstone, `EXPIRED`, without anything confidential.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Any, Final

from domain.actors import Actor
from domain.assessment.invalidating import withdrawn
from domain.custody.epochs import readable_until
from domain.custody.erasures import Erasure, ErasureReason, ErasureState
from domain.custody.holds import holding
from domain.errors import Malformed, Stale
from domain.files.days import days
from domain.files.history import CreditRecord, DefaultEvent, PublicSanction, RecordStatus
from domain.files.parties import CreditFile, Customer
from domain.ids import Id
from domain.operations import Collecting, Decided, operation
from domain.ports import SealedValue, Unit
from domain.records import Confidential

AT_ONCE: Final = 200
"""How many records one step of the sweep looks at."""


class Mark(Enum):
    """How sure it is what a rule's reference says."""

    VERIFIED = "VERIFIED"
    """The article was read."""
    SECONDARY = "SECONDARY"
    """It is known from a summary or an excerpt."""


class Parties(Enum):
    """Whose records a rule is about."""

    NATURAL = "NATURAL"
    """One person stands behind the customer."""
    FIRM = "FIRM"
    EVERYBODY = "EVERYBODY"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRule:
    """A ceiling: a kind of record is kept so many years after the first of some days, and then deleted."""

    id: str
    reference: str
    mark: Mark
    record: type[CreditRecord]
    parties: Parties
    since: tuple[Confidential[date], ...]
    """The sealed days its time is counted from: the earliest of those on file."""
    years: int


RULES: Final[tuple[RetentionRule, ...]] = (
    RetentionRule(
        id="CN-C5",
        reference="征信业管理条例 16",
        mark=Mark.VERIFIED,
        record=DefaultEvent,
        parties=Parties.NATURAL,
        since=(DefaultEvent.default_ended,),
        years=5,
    ),
    RetentionRule(
        id="CN-R4",
        reference="上海市社会信用条例 35-36; 深圳 42, 44-45",
        mark=Mark.VERIFIED,
        record=DefaultEvent,
        parties=Parties.FIRM,
        since=(DefaultEvent.default_ended,),
        years=5,
    ),
    RetentionRule(
        id="CN-R2",
        reference="信用修复管理办法",
        mark=Mark.SECONDARY,
        record=PublicSanction,
        parties=Parties.EVERYBODY,
        since=(PublicSanction.repaired_on, PublicSanction.publish_until),
        years=0,
    ),
)
"""The rules that the sweep applies, in the order it looks at kinds of records."""
KINDS: Final = tuple(dict.fromkeys(rule.record for rule in RULES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A record past its time; since when is sealed, and not said."""

    record: Id
    credit_file: Id
    rule: str
    held: bool = False
    """Whether a legal hold stands on its file: then it stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """One step of the sweep: what is due, and where the next one begins."""

    due: tuple[Due, ...]
    last: str
    """The last record that was looked at; empty where there is none behind it."""


@operation("retention:sweep", chapter="4.4", collection="retention:examine", purpose="RETENTION")
class SweepRecords(Collecting[Swept]):
    """Deletes the records of a kind that are past their time; a dry run only lists them (Ch.4 §4)."""

    kind: str
    """The kind of record, by its name. Ch.4 §4"""
    after: str = ""
    """The last record that was looked at before. Ch.4 §4"""
    dry: bool = False
    """Whether nothing is deleted. Ch.4 §4"""

    def collect(self, unit: Unit, actor: Actor) -> Sequence[SealedValue[Any]]:
        """The sealed days of the next records of the kind.

        Chapter: 4.4.
        """
        del actor
        record = _kind(self.kind)
        fields = tuple(dict.fromkeys(day for rule in RULES if rule.record is record for day in rule.since))
        return unit.sealed(self._next(unit, record), fields)

    def decide_on(
        self, unit: Unit, actor: Actor, sealed: Sequence[SealedValue[Any]], opened: Sequence[Any]
    ) -> Decided[Swept]:
        """What is due and not held is deleted for good, record by record; each file's row is locked for it.

        Chapter: 4.4.
        Raises:  Stale when a day was put right meanwhile.
        """
        del actor
        record = _kind(self.kind)
        records = self._next(unit, record)
        found = {one.id: one for one in records}
        told: dict[Id, dict[str, date]] = {}
        for value, day in zip(sealed, opened, strict=True):
            told.setdefault(value.record, {})[value.field.tag] = day
        if set(told) - set(found):
            raise Stale("The records changed meanwhile.")
        today = days(unit).today
        due = [self._due(unit, found[own], held_days, today) for own, held_days in told.items()]
        past = tuple(one for one in due if one is not None)
        if not self.dry:
            self._delete(unit, [found[one.record] for one in past if not one.held])
        last = records[-1].id if len(records) == AT_ONCE else ""
        resources = tuple(dict.fromkeys(one.record for one in past))
        return Decided(value=Swept(due=past, last=last), resources=resources)

    def _next(self, unit: Unit, record: type[CreditRecord]) -> list[CreditRecord]:
        alive = (status for status in RecordStatus if status is not RecordStatus.EXPIRED)
        rows = unit.select(record, ("id",), status=tuple(alive))
        own = [row[0] for row in rows if row[0] > self.after][:AT_ONCE]
        return unit.find(record, id=tuple(own)) if own else []

    def _due(self, unit: Unit, record: CreditRecord, told: Mapping[str, date], today: date) -> Due | None:
        file = unit.get(CreditFile, record.credit_file, lock=not self.dry)
        natural = unit.get(Customer, file.customer).kind.natural
        for rule in RULES:
            if past(rule, type(record), told, today, natural=natural) is not None:
                held = bool(holding(unit, file.id))
                return Due(record=record.id, credit_file=file.id, rule=rule.id, held=held)
        return None

    def _delete(self, unit: Unit, records: Sequence[CreditRecord]) -> None:
        """The values, then the keys they lay under: what else these protect is sealed anew before."""
        subjects: dict[tuple[Id, Id], list[Id]] = {}
        calendar = days(unit)
        for record in records:
            withdrawn(unit, calendar, record)
            subjects.setdefault((record.subject_id, record.credit_file), []).append(record.id)
            unit.replace(replace(record, status=RecordStatus.EXPIRED))
        for (subject, file), own in subjects.items():
            lost = unit.destruction.empty(own)
            classes = tuple({one.data_class.value for one in _kind(self.kind).shape.confidential.values()})
            for name in classes:
                unit.rotation.renew(subject, name)
            unit.add([_erasure(unit, subject, file, own, classes, lost)])


def past(
    rule: RetentionRule, record: type[CreditRecord], told: Mapping[str, date], today: date, *, natural: bool
) -> date | None:
    """The day a rule counts from, where its time is over today; None where it is not, or the rule is about others.

    Chapter: 4.4.
    Shape:   total; what is past its time on a day is so on every later day.
    """
    theirs = Parties.NATURAL if natural else Parties.FIRM
    if rule.record is not record or rule.parties not in {theirs, Parties.EVERYBODY}:
        return None
    known = [told[day.tag] for day in rule.since if day.tag in told]
    since = min(known, default=None)
    return since if since is not None and today > _later(since, rule.years) else None


def _later(day: date, years: int) -> date:
    """The same day so many years later; the last of February for a leap day."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _kind(name: str) -> type[CreditRecord]:
    for record in KINDS:
        if record.shape.name == name:
            return record
    raise Malformed(
        "No rule is about this kind of record.",
        advice=f"There are {', '.join(record.shape.name for record in KINDS)}.",
        path=("kind",),
    )


def _erasure(unit: Unit, subject: Id, file: Id, records: Iterable[Id], classes: tuple[str, ...], cells: int) -> Erasure:
    return Erasure(
        stamp=unit.stamp(Erasure, subject=subject),
        credit_file=file,
        reason=ErasureReason.RETENTION,
        state=ErasureState.DESTROYING,
        proposed_by="system:retention",
        records=tuple(records),
        classes=classes,
        keys=1,
        cells=cells,
        epoch=unit.rotation.standing().epoch,
        destroyed_at=unit.now,
        effective_at=readable_until(unit),
    )
