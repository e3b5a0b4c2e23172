"""The sweep of retention: kind by kind, some records at a time, what is past its time ends for good (Ch.4 §4).

A legal hold beats every rule, and what another record still needs stays too: both are told. Each step is one
transaction with one entry, which names the rules and the counts; killed anywhere, the sweep is run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from domain.actors import Actor
from domain.custody.ending import blank, end
from domain.custody.holds import holding
from domain.custody.needing import needing
from domain.custody.rules import KINDS, PACK, Ending, Parties, Rule, rules_of, sealed_clock
from domain.errors import Malformed, Stale
from domain.files.days import Days, days
from domain.files.history import CreditRecord, RecordStatus
from domain.files.parties import CreditFile, Customer, FileState
from domain.ids import Id
from domain.operations import Collecting, Decided, Operation, operation
from domain.ports import SealedValue, Unit
from domain.records import Record

AT_ONCE: Final = 200
"""How many records one step of the sweep looks at."""
_LEAP: Final = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A record past its time; since when is not said, for it may be sealed."""

    record: Id
    credit_file: Id
    rule: str
    ending: Ending
    held: bool = False
    """Whether a legal hold stands on its file: then it stays."""
    needed_by: tuple[Id, ...] = ()
    """The records that still need it: then it stays too."""

    @property
    def stays(self) -> bool:
        """Whether it stays, however old it is."""
        return self.held or bool(self.needed_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """One step of the sweep: what is due, and where the next one begins."""

    due: tuple[Due, ...]
    last: str
    """The last record that was looked at; empty where there is none behind it."""
    looked_at: int = 0


@operation("retention:sweep", chapter="4.4", collection="retention:examine", purpose="RETENTION")
class SweepSealed(Collecting[Swept]):
    """Ends the records of a kind whose time is counted from sealed days; a dry run only lists them (Ch.4 §4)."""

    kind: str
    """The kind of record, by its name. Ch.4 §4"""
    after: str = ""
    """The last record that was looked at before. Ch.4 §4"""
    dry: bool = False
    """Whether nothing is ended. Ch.4 §4"""

    def collect(self, unit: Unit, actor: Actor) -> Sequence[SealedValue[Any]]:
        """The sealed days of the next records of the kind.

        Chapter: 4.4.
        """
        del actor
        record = kind_of(self.kind, sealed=True)
        fields = tuple(dict.fromkeys(day for rule in rules_of(record) for day in rule.since.sealed))
        return unit.sealed(self._next(unit, record), fields)

    def decide_on(
        self, unit: Unit, actor: Actor, sealed: Sequence[SealedValue[Any]], opened: Sequence[Any]
    ) -> Decided[Swept]:
        """What is due, and neither held nor needed, ends; each file's row is locked for it.

        Chapter: 4.4.
        Raises:  Stale when a day was put right meanwhile.
        """
        del actor
        record = kind_of(self.kind, sealed=True)
        records = self._next(unit, record)
        found = {one.id: one for one in records}
        told: dict[Id, dict[str, date]] = {}
        for value, day in zip(sealed, opened, strict=True):
            told.setdefault(value.record, {})[value.field.tag] = day
        if set(told) - set(found):
            raise Stale("The records changed meanwhile.")
        today = days(unit).today
        step = _Step(unit, dry=self.dry)
        for own, known in told.items():
            natural = step.natural(found[own].credit_file)
            rule = next((one for one in rules_of(record) if past(one, record, known, today, natural=natural)), None)
            if rule is not None:
                step.meet(found[own], found[own].credit_file, rule)
        return step.done(records[-1].id if len(records) == AT_ONCE else "", len(records))

    def _next(self, unit: Unit, record: type[CreditRecord]) -> list[CreditRecord]:
        alive = tuple(status for status in RecordStatus if status is not RecordStatus.EXPIRED)
        own = tuple(row[0] for row in unit.select(record, ("id",), after=self.after, most=AT_ONCE, status=alive))
        return unit.find(record, id=own) if own else []


@operation("retention:sweep", chapter="4.4")
class SweepRecords(Operation[Swept]):
    """Ends the records of a kind whose time is counted from what stands in clear; a dry run only lists (Ch.4 §4)."""

    kind: str
    """The kind of record, by its name. Ch.4 §4"""
    after: str = ""
    """The last record that was looked at before. Ch.4 §4"""
    dry: bool = False
    """Whether nothing is ended. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Swept]:
        """Only what is due is loaded and locked, and told of in the entry.

        Chapter: 4.4.
        """
        del actor
        record = kind_of(self.kind, sealed=False)
        (rule,) = rules_of(record)
        alive: dict[str, Any] = {} if rule.alive is None else {rule.alive[0]: rule.alive[1]}
        names = _names(record, rule)
        rows = list(unit.select(record, names, after=self.after, most=AT_ONCE, **alive))
        seen = [dict(zip(names, row, strict=True)) for row in rows]
        calendar, ended = days(unit), _relations(unit, rule, seen)
        due = tuple(row["id"] for row in seen if _over(rule, row, ended.get(_file_of(row)), calendar))
        step = _Step(unit, dry=self.dry)
        # A record that was ended before has nothing to blank: it is left alone.
        for one in unit.find(record, lock=not self.dry, id=due) if due else ():
            if rule.alive is not None or any(getattr(one, name) != blank(one, name) for name in rule.blanks):
                step.meet(one, _file_of(vars_of(one)), rule)
        return step.done(seen[-1]["id"] if len(seen) == AT_ONCE else "", len(seen))


class _Step:
    """One step of the sweep: what it meets, file by file."""

    def __init__(self, unit: Unit, *, dry: bool) -> None:
        self._unit = unit
        self._dry = dry
        self._files: dict[Id, CreditFile] = {}
        self._natural: dict[Id, bool] = {}
        self._held: dict[Id, bool] = {}
        self._due: list[Due] = []
        self._ending: dict[tuple[Id, str], tuple[Rule, list[Record]]] = {}

    def natural(self, file: Id) -> bool:
        """Whether one person stands behind the customer of a file."""
        if file not in self._natural:
            self._natural[file] = self._unit.get(Customer, self._file(file).customer).kind.natural
        return self._natural[file]

    def meet(self, record: Record, file: Id, rule: Rule) -> None:
        """A record past its time; its file is locked before anybody looks for a hold."""
        own = self._file(file, lock=not self._dry)
        if own.id not in self._held:
            self._held[own.id] = bool(holding(self._unit, own.id))
        held, needed_by = self._held[own.id], needing(self._unit, record)
        due = Due(
            record=record.id, credit_file=own.id, rule=rule.id, ending=rule.ending, held=held, needed_by=needed_by
        )
        self._due.append(due)
        if not due.stays:
            self._ending.setdefault((own.id, rule.id), (rule, []))[1].append(record)
        elif isinstance(record, CreditFile) and own.state is FileState.OPEN and not self._dry:
            self._unit.replace(replace(own, state=FileState.RESTRICTED))

    def done(self, last: str, looked_at: int) -> Decided[Swept]:
        """Ends what ends, and says what was done."""
        for (file, _), (rule, records) in () if self._dry else self._ending.items():
            end(self._unit, self._file(file), rule, records)
        swept = Swept(due=tuple(self._due), last=last, looked_at=looked_at)
        resources = tuple(dict.fromkeys(one.record for one in self._due))
        return Decided(value=swept, resources=resources, policy=_told(self._due, dry=self._dry), purpose="RETENTION")

    def _file(self, file: Id, *, lock: bool = False) -> CreditFile:
        if lock or file not in self._files:
            self._files[file] = self._unit.get(CreditFile, file, lock=lock)
        return self._files[file]


def past(rule: Rule, record: type[Record], told: Mapping[str, date], today: date, *, natural: bool) -> date | None:
    """The day a rule counts from, where its time is over today; None where it is not, or the rule is about others.

    Chapter: 4.4.
    Shape:   total; what is past its time on a day is so on every later day.
    """
    theirs = Parties.NATURAL if natural else Parties.FIRM
    if rule.record is not record or rule.parties not in {theirs, Parties.EVERYBODY}:
        return None
    since = min((told[day.tag] for day in rule.since.sealed if day.tag in told), default=None)
    return since if since is not None and today > later(since, rule) else None


def later(day: date, rule: Rule) -> date:
    """The last day on which a record is kept whose time began on a day; the last of February for a leap day.

    Chapter: 4.4.
    Units:   years and months of the calendar.
    """
    month = day.month - 1 + rule.months
    year = day.year + rule.years + month // 12
    for number in range(day.day, _LEAP - 1, -1):
        try:
            return date(year, month % 12 + 1, number)
        except ValueError:
            continue
    return date(year, month % 12 + 1, day.day)


def kind_of(name: str, *, sealed: bool) -> Any:
    """The kind of record of a name that the sweep looks at.

    Chapter: 4.4.
    Raises:  Malformed, naming those there are.
    """
    kinds = [record for record in KINDS if sealed_clock(record) is sealed]
    for record in kinds:
        if record.shape.name == name:
            return record
    raise Malformed(
        "No rule is about this kind of record.",
        advice=f"There are {', '.join(record.shape.name for record in kinds)}.",
        path=("kind",),
    )


def vars_of(record: Record) -> dict[str, Any]:
    """What says whose file a record belongs to.

    Chapter: 4.4.
    """
    return {"id": record.id, "credit_file": getattr(record, "credit_file", record.id)}


def _names(record: type[Record], rule: Rule) -> tuple[str, ...]:
    own = ("relation_ended_on",) if record is CreditFile else ("credit_file",)
    state = ("state", "recorded_at") if rule.since.closed else ()
    return tuple(dict.fromkeys(("id", *own, *rule.since.facts, *state)))


def _file_of(row: Mapping[str, Any]) -> Id:
    return Id(row.get("credit_file") or row["id"])


def _relations(unit: Unit, rule: Rule, rows: Sequence[Mapping[str, Any]]) -> dict[Id, date | None]:
    """The last day of the relation, by file, where the rule counts from it."""
    if not rule.since.relation or not rows:
        return {}
    files = tuple(dict.fromkeys(_file_of(row) for row in rows))
    return dict(unit.select(CreditFile, ("id", "relation_ended_on"), id=files))


def _over(rule: Rule, row: Mapping[str, Any], ended: date | None, calendar: Days) -> bool:
    """Whether the time of a record is over today, by what stands in clear."""
    known = [row[name] for name in rule.since.facts if row[name] is not None]
    if rule.since.closed and row["state"] in rule.since.closed:
        known.append(row["recorded_at"])
    since = [calendar.of(one) if isinstance(one, datetime) else one for one in known]
    if ended is not None:
        since.append(ended)
    return bool(since) and calendar.today > later(min(since), rule)


def _told(due: Sequence[Due], *, dry: bool) -> str:
    """The rules and how often each applied, as the entry tells it."""
    counts = Counter(
        (one.rule, "held" if one.held else "needed" if one.needed_by else "listed" if dry else "ended") for one in due
    )
    told = "; ".join(f"{rule} {what} {count}" for (rule, what), count in sorted(counts.items()))
    return f"{PACK}: {told or 'nothing due'}"
