"""A wrong credit record is put right or withdrawn, and what was known before stays readable at its time (Ch.3 §3).

A fact in clear has its history in the versions of its record, so a document gets a new version. A sealed value has no
history: a record whose sealed values are wrong is superseded by a new one, and stays, CORRECTED, with what it said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Any, TypeVar

from domain.actors import Actor
from domain.assessment.invalidating import document_put_right, values_put_right, withdrawn
from domain.documents.evidence import check_evidence
from domain.errors import Code, Malformed, NotFound, Stale
from domain.files.checks import check_default, check_figures, check_sanction, not_future, not_negative
from domain.files.codes import check_digest, required_text
from domain.files.days import Days, days
from domain.files.history import (
    CreditRecord,
    DefaultEvent,
    DocumentKind,
    DocumentState,
    FinancialStatement,
    LitigationRecord,
    PublicSanction,
    RecordStatus,
    SourcedRecord,
    TradeTransaction,
)
from domain.files.kinds import ALL, CLEAR, OVER, SEALED
from domain.files.opening import usable
from domain.files.parties import CreditFile
from domain.files.recording.documents import check_document, findings_of
from domain.files.values import MAY_LACK, SealedCorrection, right_value, unknown_field
from domain.ids import Id, prefix_of
from domain.money import Money
from domain.objections.following import put_right, still_disputed
from domain.operations import Collecting, Decided, Operation, operation
from domain.ports import SealedValue, Unit
from domain.records import Confidential

C = TypeVar("C", bound=CreditRecord)


class Clearable(Enum):
    """What a trade document may be without."""

    DUE_ON = "DUE_ON"
    """The day it is due. Ch.4 §2"""
    SETTLED_ON = "SETTLED_ON"
    """The day it was settled. Ch.4 §2"""
    TAX = "TAX"
    """The tax. Ch.4 §2"""
    DISPUTED = "DISPUTED"
    """The part the customer disputes. Ch.4 §2"""
    COUNTERPARTY = "COUNTERPARTY"
    """The other party. Ch.4 §4"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentCorrection:
    """What is right about a trade document; what is left out stays as it is."""

    kind: DocumentKind | None = None
    """Whose document it is. Ch.4 §2"""
    number: str | None = None
    """The document's number. Ch.4 §2"""
    issued_on: date | None = None
    """The day it was issued; not in the future. Ch.4 §2"""
    due_on: date | None = None
    """The day it is due. Ch.4 §2"""
    settled_on: date | None = None
    """The day it was settled. Ch.4 §2"""
    net: Money | None = None
    """The amount before tax; negative on a red invoice. Ch.4 §2"""
    tax: Money | None = None
    """The tax. Ch.4 §2"""
    total: Money | None = None
    """The amount with tax; one document has one currency. Ch.4 §2"""
    disputed: Money | None = None
    """The part the customer disputes. Ch.4 §2"""
    state: DocumentState | None = None
    """Whether it is open, settled, void or reversed. Ch.4 §2"""
    counterparty: str | None = None
    """The other party; only a keyed pseudonym of it is kept. Ch.4 §4"""
    cleared: tuple[Clearable, ...] = ()
    """What the document is without. Ch.4 §2"""


@operation("record:correct", chapter="3.3, 4.2")
class CorrectTransaction(Operation[TradeTransaction]):
    """Puts a wrong trade document right; what it said before stays readable at its time (Ch.3 §3)."""

    record: Id
    """The document. Ch.3 §3"""
    changes: DocumentCorrection
    """What is right about it. Ch.3 §3"""
    reason: str
    """Why it is corrected; it is kept sealed beside the audit entry. Ch.3 §3"""
    evidence_digest: str | None = None
    """SHA-256 of the evidence of the correction, in lower-case hex. Ch.3 §3"""
    evidence: Id | None = None
    """The document the correction rests on: stored, and of the same file. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[TradeTransaction]:
        """It keeps its place in its source, so that an import of the same row knows it; afterwards it is ACTIVE.

        Chapter: 3.3, 4.2.
        """
        reason = required_text(self.reason, "reason")
        check_digest(self.evidence_digest, "evidenceDigest")
        wrong = _found(unit, self.record, CLEAR, lock=True)
        check_evidence(unit, self.evidence, wrong.credit_file)
        facts = self._facts(unit, wrong)
        if not facts:
            raise Malformed(
                "A correction changes something.",
                code=Code.MISSING_VALUE,
                advice="Send what is right, or withdraw the document with withdrawRecord.",
                path=("changes",),
            )
        calendar = days(unit)
        facts.setdefault("disputed", still_disputed(unit, wrong))
        right = replace(
            wrong,
            stamp=replace(wrong.stamp, effective_from=calendar.begin(facts.get("issued_on", wrong.issued_on))),
            status=RecordStatus.ACTIVE,
            collector=actor.person,
            collected_at=unit.now,
            evidence_digest=self.evidence_digest or wrong.evidence_digest,
            evidence=self.evidence or wrong.evidence,
            **facts,
        )
        try:
            check_document(right, calendar.today)
        except Malformed as error:
            error.path = ("changes", *error.path)
            raise
        right = unit.replace(replace(right, findings=_findings(wrong, right)), correcting=True)
        document_put_right(unit, calendar, wrong, right)
        put_right(unit, right.id)
        return Decided(value=right, note=reason, resources=(right.id, right.credit_file))

    def _facts(self, unit: Unit, wrong: TradeTransaction) -> dict[str, Any]:
        names = ("kind", "number", "issued_on", "due_on", "settled_on", "net", "tax", "total", "disputed", "state")
        said = ((name, getattr(self.changes, name)) for name in names)
        facts = {name: value for name, value in said if value is not None}
        if self.changes.counterparty is not None:
            facts["counterparty"] = unit.pseudonym(
                wrong.subject_id, required_text(self.changes.counterparty, "counterparty")
            )
        for index, cleared in enumerate(self.changes.cleared):
            name = cleared.value.lower()
            if name in facts:
                raise Malformed(
                    "What is cleared has no value.",
                    advice="Send a value or clear it, not both.",
                    path=("changes", "cleared", str(index)),
                )
            facts[name] = None
        return facts


@operation("record:correct", chapter="3.3, 4.2", collection="record:correct", purpose="DATA_QUALITY")
class CorrectRecord(Collecting[SourcedRecord]):
    """Supersedes a default, case, rating or statement whose sealed values are wrong by a right one (Ch.3 §3)."""

    record: Id
    """The wrong record. Ch.3 §3"""
    values: tuple[SealedCorrection, ...] = ()
    """The right values; the others are taken over. Ch.3 §3"""
    cleared: tuple[str, ...] = ()
    """Tags of fields the right record is without. Ch.3 §3"""
    reason: str
    """Why it is corrected; it is kept sealed beside the audit entry. Ch.3 §3"""
    evidence_digest: str | None = None
    """SHA-256 of the evidence of the correction, in lower-case hex. Ch.3 §3"""
    evidence: Id | None = None
    """The document the correction rests on: stored, and of the same file. Ch.3 §3"""

    def collect(self, unit: Unit, actor: Actor) -> Sequence[SealedValue[Any]]:
        """The values that are taken over; nothing is opened for a correction that cannot be made.

        Chapter: 3.3, 4.4.
        """
        del actor
        required_text(self.reason, "reason")
        check_digest(self.evidence_digest, "evidenceDigest")
        wrong = _found(unit, self.record, SEALED)
        check_evidence(unit, self.evidence, wrong.credit_file)
        return unit.sealed([wrong], self._kept(wrong, self._right_values(wrong)))

    def decide_on(
        self, unit: Unit, actor: Actor, sealed: Sequence[SealedValue[Any]], opened: Sequence[Any]
    ) -> Decided[SourcedRecord]:
        """The right record is ACTIVE and names the wrong one, which stays as it was but for being CORRECTED.

        The right one takes the row of the source over, so that an import of the same row knows it.

        Chapter: 3.3, 4.2.
        """
        found = _found(unit, self.record, SEALED, lock=True)
        corrected = self._right_values(found)
        now = unit.sealed([found], self._kept(found, corrected))
        if [(one.field.tag, one.version) for one in now] != [(one.field.tag, one.version) for one in sealed]:
            raise Stale("The record changed meanwhile.")
        kept = {one.field: value for one, value in zip(sealed, opened, strict=True)}
        values = {field.tag: value for field, value in (kept | corrected).items()}
        calendar = days(unit)
        _check_together(found, values, calendar)
        unit.replace(replace(found, status=RecordStatus.CORRECTED, source_row=None), correcting=True)
        right = replace(
            found,
            stamp=unit.stamp(type(found), subject=found.subject_id, effective_from=found.stamp.effective_from),
            status=RecordStatus.ACTIVE,
            supersedes=found.id,
            collector=actor.person,
            collected_at=unit.now,
            evidence_digest=self.evidence_digest or found.evidence_digest,
            evidence=self.evidence or found.evidence,
        )
        unit.add([right])
        for field, value in (kept | corrected).items():
            unit.seal(right, field, value)
        values_put_right(unit, calendar, found, (*self.cleared, *(field.tag for field in corrected)))
        put_right(unit, found.id)
        return Decided(
            value=right,
            purpose=self.purpose,
            note=required_text(self.reason, "reason"),
            resources=(right.id, found.id, right.credit_file),
        )

    def _kept(self, wrong: CreditRecord, corrected: Mapping[Confidential[Any], Any]) -> list[Confidential[Any]]:
        """The sealed fields that are taken over."""
        gone = {*self.cleared, *(field.tag for field in corrected)}
        return [field for field in wrong.shape.confidential.values() if field.tag not in gone]

    def _right_values(self, wrong: CreditRecord) -> dict[Confidential[Any], Any]:
        """The right values by field, each checked by itself; a tag that is not known is told by its place."""
        fields = {field.tag: field for field in wrong.shape.confidential.values()}
        right: dict[Confidential[Any], Any] = {}
        for index, value in enumerate(self.values):
            field = fields.get(value.field)
            if field is None or field in right:
                raise unknown_field(value.field, fields, ("values", str(index)))
            right[field] = right_value(field, value, ("values", str(index)))
        for index, tag in enumerate(self.cleared):
            if tag not in MAY_LACK or tag not in fields or fields[tag] in right:
                raise unknown_field(tag, fields.keys() & MAY_LACK, ("cleared", str(index)))
        if not right and not self.cleared:
            raise Malformed(
                "A correction changes something.",
                code=Code.MISSING_VALUE,
                advice="Send what is right, or withdraw the record with withdrawRecord.",
                path=("values",),
            )
        return right


@operation("record:correct", chapter="3.3, 4.2")
class WithdrawRecord(Operation[CreditRecord]):
    """Withdraws a credit record that should not be there; it no longer scores and stays readable (Ch.3 §3)."""

    record: Id
    """The record. Ch.3 §3"""
    reason: str
    """Why it is withdrawn; it is kept sealed beside the audit entry. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditRecord]:
        """It keeps its place in its source, so that an import of the same row does not bring it back.

        Chapter: 3.3, 4.2.
        """
        del actor
        reason = required_text(self.reason, "reason")
        record = _found(unit, self.record, ALL, lock=True)
        gone = unit.replace(replace(record, status=RecordStatus.WITHDRAWN), correcting=True)
        withdrawn(unit, days(unit), record)
        put_right(unit, record.id)
        return Decided(value=gone, note=reason, resources=(gone.id, gone.credit_file))


def _found(unit: Unit, id_: Id, kinds: Mapping[str, type[C]], *, lock: bool = False) -> C:
    """A record of one of the kinds that is not history yet, of a file that is open."""
    kind = kinds.get(prefix_of(id_))
    found = unit.find(kind, lock=lock, id=id_) if kind else []
    if not found:
        raise NotFound("There is no such credit record of this kind.", path=("record",))
    usable(unit.get(CreditFile, found[0].credit_file))
    if found[0].status in OVER:
        raise Malformed(
            "The record is corrected or withdrawn already.",
            code=Code.INVALID_TRANSITION,
            advice="Correct the record that supersedes it, or record a new one.",
            path=("record",),
        )
    return found[0]


def _check_together(wrong: SourcedRecord, values: Mapping[str, Any], calendar: Days) -> None:
    """What a right record says fits together, as if it were recorded now."""
    today = calendar.today
    since = values.get(DefaultEvent.default_since.tag)
    if since is not None:
        check_default(since, values.get(DefaultEvent.default_ended.tag), today)
    not_negative(values.get(DefaultEvent.default_amount.tag), "amount")
    not_negative(values.get(LitigationRecord.claim.tag), "claim")
    if isinstance(wrong, PublicSanction):
        kind, severity = (
            values[field.tag] for field in (PublicSanction.sanction_kind, PublicSanction.sanction_severity)
        )
        repaired_on = values.get(PublicSanction.repaired_on.tag)
        not_future(repaired_on or today, today, "repairedOn")
        ends = {"publishUntil": values.get(PublicSanction.publish_until.tag), "repairedOn": repaired_on}
        check_sanction(kind, severity, calendar.of(wrong.stamp.effective_from), ends)
    figures = FinancialStatement.shape.confidential
    check_figures({name: values[field.tag] for name, field in figures.items() if field.tag in values})


def _findings(wrong: TradeTransaction, right: TradeTransaction) -> tuple[str, ...]:
    """What is odd about the right document; what else was noticed about it stays."""
    judged = set(findings_of(wrong))
    return tuple(dict.fromkeys((*findings_of(right), *(one for one in wrong.findings if one not in judged))))
