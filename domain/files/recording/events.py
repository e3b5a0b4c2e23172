"""Recording what went wrong: defaults, court cases and sanctions, with what they say under seal (Ch.4 §2)."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.actors import Actor
from domain.documents.evidence import check_evidence
from domain.errors import Code, Malformed
from domain.files.checks import check_default, check_sanction, not_future, not_negative
from domain.files.codes import required_text
from domain.files.days import Days, days
from domain.files.history import (
    DefaultEvent,
    DefaultKind,
    LitigationRecord,
    LitigationSeverity,
    PublicSanction,
    SanctionKind,
    SanctionMatch,
    SanctionSeverity,
    SourcedRecord,
)
from domain.files.opening import usable
from domain.files.parties import CreditFile
from domain.files.sources import Origin, lawful
from domain.ids import Id
from domain.money import Money
from domain.operations import Decided, Operation, operation
from domain.ports import Unit


def origin_facts(unit: Unit, actor: Actor, origin: Origin) -> dict[str, Any]:
    """Where a record comes from, as it stands in the record.

    Chapter: 4.3.
    """
    return {
        "source": origin.source,
        "lawful_basis": origin.lawful_basis,
        "collector": actor.person,
        "collected_at": origin.collected_at or unit.now,
        "evidence_digest": origin.evidence_digest,
        "evidence": origin.evidence,
        "source_row": origin.source_row,
    }


def opened_for(unit: Unit, kind: type[SourcedRecord], credit_file: Id, origin: Origin) -> CreditFile:
    """The open file a record goes to, when its source is lawful and has not told of the same row before.

    Chapter: 4.2, 4.3.
    Raises:  Malformed; NotFound.
    """
    lawful(unit, origin)
    file = unit.get(CreditFile, credit_file)
    usable(file)
    check_evidence(unit, origin.evidence, file.id)
    if origin.source_row is not None and unit.find(kind, source=origin.source, source_row=origin.source_row):
        raise Malformed(
            "A record of the same source and row is recorded already.",
            code=Code.CONFLICT,
            advice="Leave it out, or put the recorded one right with correctRecord.",
            path=("sourceRow",),
        )
    return file


@operation("default:record", chapter="4.2")
class RecordDefault(Operation[DefaultEvent]):
    """Records a default of the customer (Ch.4 §2)."""

    credit_file: Id
    """The file of the customer; it must be open. Ch.4 §2"""
    origin: Origin
    """Where the fact comes from. Ch.4 §3"""
    kind: DefaultKind
    """How the customer failed to perform; sealed. Ch.4 §2"""
    amount: Money
    """How much is at stake; sealed. Ch.4 §2"""
    since_on: date
    """Since when, not in the future; sealed. Ch.4 §2"""
    ended_on: date | None = None
    """When it ended; left out while it lasts; sealed. Ch.4 §2"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[DefaultEvent]:
        """What, how much and since when are sealed; that there is an event, and its status, are not.

        Chapter: 4.2.
        """
        return self.record(unit, actor, days(unit))

    def record(self, unit: Unit, actor: Actor, calendar: Days) -> Decided[DefaultEvent]:
        """The same by days that are known already: an import looks them up once.

        Chapter: 4.2.
        """
        file = opened_for(unit, DefaultEvent, self.credit_file, self.origin)
        check_default(self.since_on, self.ended_on, calendar.today)
        not_negative(self.amount, "amount")
        # Since when is sealed, so the row must not say it either: it holds from when it is known.
        event = DefaultEvent(
            stamp=unit.stamp(DefaultEvent, subject=file.subject_id),
            credit_file=file.id,
            **origin_facts(unit, actor, self.origin),
        )
        unit.add([event])
        unit.seal(event, DefaultEvent.default_kind, self.kind.value)
        unit.seal(event, DefaultEvent.default_amount, self.amount)
        unit.seal(event, DefaultEvent.default_since, self.since_on)
        if self.ended_on:
            unit.seal(event, DefaultEvent.default_ended, self.ended_on)
        return Decided(value=event, resources=(file.id,))


@operation("litigation:record", chapter="4.2")
class RecordLitigation(Operation[LitigationRecord]):
    """Records a court case that names the customer (Ch.4 §2)."""

    credit_file: Id
    """The file of the customer; it must be open. Ch.4 §2"""
    origin: Origin
    """Where the fact comes from. Ch.4 §3"""
    court: str
    """The court; sealed. Ch.4 §2"""
    case_number: str
    """The case number; sealed. Ch.4 §2"""
    role: str
    """The customer's role in the case; sealed. Ch.4 §2"""
    severity: LitigationSeverity
    """How heavily it weighs; sealed. Ch.5 §1"""
    claim: Money | None = None
    """The amount claimed; sealed. Ch.4 §2"""
    filed_on: date
    """The day it was filed, not in the future. Ch.4 §2"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[LitigationRecord]:
        """Everything about the case but the day it was filed is sealed.

        Chapter: 4.2.
        """
        return self.record(unit, actor, days(unit))

    def record(self, unit: Unit, actor: Actor, calendar: Days) -> Decided[LitigationRecord]:
        """The same by days that are known already: an import looks them up once.

        Chapter: 4.2.
        """
        file = opened_for(unit, LitigationRecord, self.credit_file, self.origin)
        not_future(self.filed_on, calendar.today, "filedOn")
        court, number = required_text(self.court, "court"), required_text(self.case_number, "caseNumber")
        role = required_text(self.role, "role")
        not_negative(self.claim, "claim")
        case = LitigationRecord(
            stamp=unit.stamp(LitigationRecord, subject=file.subject_id, effective_from=calendar.begin(self.filed_on)),
            credit_file=file.id,
            **origin_facts(unit, actor, self.origin),
        )
        unit.add([case])
        unit.seal(case, LitigationRecord.court, court)
        unit.seal(case, LitigationRecord.case_number, number)
        unit.seal(case, LitigationRecord.role, role)
        unit.seal(case, LitigationRecord.severity, self.severity.value)
        if self.claim:
            unit.seal(case, LitigationRecord.claim, self.claim)
        return Decided(value=case, resources=(file.id,))


@operation("sanction:record", chapter="4.2")
class RecordSanction(Operation[PublicSanction]):
    """Records a public sanction of the customer, or that a register was searched and holds none (Ch.4 §2)."""

    credit_file: Id
    """The file of the customer; it must be open. Ch.4 §2"""
    origin: Origin
    """Where the fact comes from. Ch.4 §3"""
    authority: str
    """The authority that imposed it, or the register that was searched; sealed. Ch.4 §2"""
    kind: SanctionKind
    """What it is; NONE where the search found nothing; sealed. Ch.4 §2"""
    severity: SanctionSeverity
    """How heavily it weighs; NONE where the search found nothing; sealed. Ch.5 §1"""
    match: SanctionMatch
    """Whether a person confirmed that it is about this customer and no namesake; sealed. Ch.4 §2"""
    published_on: date
    """The day it was published or the register was searched, not in the future. Ch.4 §2"""
    publish_until: date | None = None
    """The last day it is published; sealed. Ch.4 §2"""
    repaired_on: date | None = None
    """The day it was repaired or removed, not in the future; sealed. Ch.4 §2"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[PublicSanction]:
        """Everything about it but the day it was published is sealed.

        Chapter: 4.2.
        """
        return self.record(unit, actor, days(unit))

    def record(self, unit: Unit, actor: Actor, calendar: Days) -> Decided[PublicSanction]:
        """The same by days that are known already: an import looks them up once.

        Chapter: 4.2.
        """
        file = opened_for(unit, PublicSanction, self.credit_file, self.origin)
        not_future(self.published_on, calendar.today, "publishedOn")
        if self.repaired_on:
            not_future(self.repaired_on, calendar.today, "repairedOn")
        authority = required_text(self.authority, "authority")
        ends = {"publishUntil": self.publish_until, "repairedOn": self.repaired_on}
        check_sanction(self.kind.value, self.severity.value, self.published_on, ends)
        sanction = PublicSanction(
            stamp=unit.stamp(PublicSanction, subject=file.subject_id, effective_from=calendar.begin(self.published_on)),
            credit_file=file.id,
            **origin_facts(unit, actor, self.origin),
        )
        unit.add([sanction])
        unit.seal(sanction, PublicSanction.authority, authority)
        unit.seal(sanction, PublicSanction.sanction_kind, self.kind.value)
        unit.seal(sanction, PublicSanction.sanction_severity, self.severity.value)
        unit.seal(sanction, PublicSanction.sanction_match, self.match.value)
        if self.publish_until:
            unit.seal(sanction, PublicSanction.publish_until, self.publish_until)
        if self.repaired_on:
            unit.seal(sanction, PublicSanction.repaired_on, self.repaired_on)
        return Decided(value=sanction, resources=(file.id,))
