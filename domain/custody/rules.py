"""How long each kind of record is kept, as data: the law or our choice behind it, the clock, the term, and the end.

A rule is never looser than the design of the law behind it; a new wording is a new version of the pack. Nothing here
decides: the sweep does, and a legal hold beats every rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from domain.assessment.assessments import Assessment, AssessmentState
from domain.consent.attesting.attesting import Attestation
from domain.consent.consents import Consent, ConsentEvent, ConsentState, Disclosure
from domain.consent.handover.recalling import Recall
from domain.consent.statutory import StatutoryDisclosure, StatutoryState
from domain.controls import ControlAction
from domain.documents.documents import Document, FilingState
from domain.files.history import DefaultEvent, PublicSanction, RecordStatus, TradeTransaction
from domain.files.parties import ContactPerson, CreditFile, FileState
from domain.files.trail import AuditEntry
from domain.objections.objections import OPEN, Objection, ObjectionState
from domain.records import Confidential, Record, Shape
from domain.statements.statements import CreditStatement

PACK: Final = "CN 2026-11"
"""The jurisdiction and version of these rules."""


class Mark(Enum):
    """How sure it is what a rule's reference says."""

    VERIFIED = "VERIFIED"
    """The article was read."""
    SECONDARY = "SECONDARY"
    """It is known from a summary or an excerpt."""
    HOUSE = "HOUSE"
    """The law asks for an end and names no term: the term is ours."""
    UNVERIFIED = "UNVERIFIED"
    """It is general knowledge, and was not looked up."""


class Parties(Enum):
    """Whose records a rule is about."""

    NATURAL = "NATURAL"
    """One person stands behind the customer."""
    FIRM = "FIRM"
    EVERYBODY = "EVERYBODY"


class Ending(Enum):
    """What becomes of a record past its time."""

    DELETE = "DELETE"
    """Its sealed values go, and the key they lay under; its facts are blanked and its earlier versions go."""
    ANONYMISE = "ANONYMISE"
    """It has no sealed values: its facts are blanked and its earlier versions go."""
    SHRED = "SHRED"
    """The keys of the customer and of the persons in its file are destroyed, all but those of documents; until then,
    where something still needs it or a hold stands, it is RESTRICTED: stored and read, and nothing else."""
    PRUNE = "PRUNE"
    """It is pruned from the audit log by a command of its own, never by the sweep."""
    ELSEWHERE = "ELSEWHERE"
    """It is not kept here: whoever keeps it applies the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When the time of a record begins: the earliest of the days that are known; while none is, it has not begun."""

    says: str
    sealed: tuple[Confidential[date], ...] = ()
    """Sealed days."""
    facts: tuple[str, ...] = ()
    """Days and instants that stand on the record."""
    closed: tuple[Enum, ...] = ()
    """States in which the day it was last changed counts too."""
    relation: bool = False
    """Whether the last day of the customer relation counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Along:
    """Records that end with the one a rule is about."""

    record: type[Record]
    by: str
    """Their fact that names it."""
    on: str = "id"
    """What of it they name."""
    blanks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How long a kind of record is kept, and what becomes of it then."""

    id: str
    reference: str
    mark: Mark
    record: type[Record] | None
    """The kind; none where it is not kept here."""
    kind: str = ""
    """What it is, where no record of ours is it."""
    parties: Parties = Parties.EVERYBODY
    since: Clock
    years: int = 0
    months: int = 0
    floor: bool = False
    """Whether the law says at least: then nothing may be kept for less."""
    ending: Ending
    alive: tuple[str, tuple[Enum, ...]] | None = None
    """The fact that says whether it ended already, and its values while it has not."""
    blanks: tuple[str, ...] = ()
    """The facts that are blanked."""
    along: tuple[Along, ...] = ()

    @property
    def name(self) -> str:
        """What it is about, in a word."""
        return self.kind if self.record is None else self.record.shape.name


_RELATION: Final = Clock(says="the last day of the customer relation", relation=True)
_ALIVE: Final = ("status", tuple(status for status in RecordStatus if status is not RecordStatus.EXPIRED))
_FILED: Final = ("state", tuple(state for state in FilingState if state is not FilingState.ERASED))
_OVER: Final = tuple(state for state in ObjectionState if state not in OPEN)
_ASSESSED: Final = (AssessmentState.IN_FORCE, AssessmentState.IN_REVIEW, AssessmentState.SCORED)

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        id="CN-C5",
        reference="征信业管理条例 16",
        mark=Mark.VERIFIED,
        record=DefaultEvent,
        parties=Parties.NATURAL,
        since=Clock(says="the day it ended", sealed=(DefaultEvent.default_ended,)),
        years=5,
        ending=Ending.DELETE,
        alive=_ALIVE,
        blanks=("evidence_digest",),
    ),
    Rule(
        id="CN-R4",
        reference="上海市社会信用条例 35-36; 深圳 42, 44-45",
        mark=Mark.VERIFIED,
        record=DefaultEvent,
        parties=Parties.FIRM,
        since=Clock(says="the day it ended", sealed=(DefaultEvent.default_ended,)),
        years=5,
        ending=Ending.DELETE,
        alive=_ALIVE,
        blanks=("evidence_digest",),
    ),
    Rule(
        id="CN-R2",
        reference="信用修复管理办法",
        mark=Mark.SECONDARY,
        record=PublicSanction,
        since=Clock(
            says="the day it was repaired, or the last day it is published, the earlier",
            sealed=(PublicSanction.repaired_on, PublicSanction.publish_until),
        ),
        ending=Ending.DELETE,
        alive=_ALIVE,
        blanks=("evidence_digest",),
    ),
    Rule(
        id="CN-L9",
        reference="民法典 188; 个人信息保护法 19, 24",
        mark=Mark.HOUSE,
        record=Assessment,
        since=Clock(
            says="the day it was superseded, rejected, withdrawn or invalidated",
            closed=tuple(state for state in AssessmentState if state not in _ASSESSED),
        ),
        years=5,
        ending=Ending.DELETE,
        blanks=(
            *("points", "reasons", "next_grade", "path", "path_barred_by", "path_from", "missing", "credit_limit"),
            *("limit_bound_by", "inputs_digest"),
        ),
    ),
    Rule(
        id="CN-C9",
        reference="征信业管理条例 25-26; 民法典 1029",
        mark=Mark.HOUSE,
        record=Objection,
        since=Clock(says="the day it was answered or taken back", closed=_OVER),
        years=5,
        ending=Ending.DELETE,
        blanks=("raised_by", "amount", "disputed_before", "evidence_digest"),
    ),
    Rule(
        id="CN-P15",
        reference="网络数据安全管理条例 12: 3 years or more",
        mark=Mark.VERIFIED,
        record=Disclosure,
        since=Clock(says="the day of the disclosure", facts=("created_at",)),
        years=5,
        floor=True,
        ending=Ending.ANONYMISE,
        blanks=("pseudonym", "request_digest", "fields", "withheld", "obligations", "delete_by"),
        along=(
            Along(record=Recall, by="disclosure", blanks=("fields",)),
            Along(record=Attestation, by="disclosure", blanks=("threshold", "answer")),
        ),
    ),
    Rule(
        id="CN-P15-STATUTORY",
        reference="网络数据安全管理条例 12: 3 years or more",
        mark=Mark.VERIFIED,
        record=StatutoryDisclosure,
        since=Clock(
            says="the day it was released or rejected", facts=("released_at",), closed=(StatutoryState.REJECTED,)
        ),
        years=5,
        floor=True,
        ending=Ending.ANONYMISE,
        blanks=("authority", "legal_reference", "letter", "approval", "document", "fields"),
    ),
    Rule(
        id="CN-P2",
        reference="个人信息保护法 14-16; 电子签名法 4-8",
        mark=Mark.HOUSE,
        record=Consent,
        since=Clock(
            says="the day it was withdrawn, refused or invalidated, or ran out, the earlier",
            facts=("not_after",),
            closed=(ConsentState.WITHDRAWN, ConsentState.REFUSED, ConsentState.INVALIDATED),
        ),
        years=5,
        ending=Ending.DELETE,
        blanks=(
            *("given_by", "authority_digest", "authority_document", "notice_digest", "evidence_digest"),
            *("evidence_document", "withdrawal_contact", "record_id"),
        ),
        along=(
            Along(record=ConsentEvent, by="consent", blanks=("given_by", "notice_digest", "evidence_digest", "digest")),
        ),
    ),
    Rule(
        id="CN-L10",
        reference="电子签名法 4-8",
        mark=Mark.HOUSE,
        record=CreditStatement,
        since=Clock(says="the day it expired", facts=("expires_at",)),
        years=3,
        ending=Ending.ANONYMISE,
        blanks=("holder", "claims"),
    ),
    Rule(
        id="CN-P4-TRADE",
        reference="个人信息保护法 19, 47; 民法典 188",
        mark=Mark.HOUSE,
        record=TradeTransaction,
        since=_RELATION,
        years=3,
        ending=Ending.ANONYMISE,
        alive=_ALIVE,
        blanks=(
            *("number", "issued_on", "due_on", "settled_on", "net", "tax", "total", "disputed", "counterparty"),
            *("findings", "evidence_digest", "evidence"),
        ),
    ),
    Rule(
        id="CN-P4",
        reference="个人信息保护法 19, 47; 民法典 188",
        mark=Mark.HOUSE,
        record=CreditFile,
        since=_RELATION,
        years=3,
        ending=Ending.SHRED,
        alive=("state", (FileState.OPEN, FileState.RESTRICTED)),
        blanks=(
            *("reference", "name", "registered_address", "registered_capital", "established_on", "industry_code"),
            *("size_class", "staff_count", "findings", "score", "grade", "tier", "credit_limit", "net_days"),
            *("prepayment_bp", "review_due_on", "statement_by_customer", "evidence_digest", "evidence"),
        ),
        along=(
            Along(record=ContactPerson, by="customer", on="customer", blanks=("duty", "evidence_digest", "evidence")),
            Along(record=ControlAction, by="credit_file", blanks=("scope", "exit_condition")),
        ),
    ),
    Rule(
        id="CN-P4-DOCUMENTS",
        reference="个人信息保护法 19, 47; 电子签名法 4-8",
        mark=Mark.HOUSE,
        record=Document,
        since=_RELATION,
        years=3,
        ending=Ending.DELETE,
        alive=_FILED,
    ),
    Rule(
        id="CN-C8",
        reference="征信业管理条例 22; 上海市社会信用条例 13-14",
        mark=Mark.VERIFIED,
        record=AuditEntry,
        since=Clock(says="the day of the entry", facts=("at",)),
        years=5,
        floor=True,
        ending=Ending.PRUNE,
    ),
    Rule(
        id="CN-S2",
        reference="网络安全法 21(3) of 2016",
        mark=Mark.VERIFIED,
        record=None,
        kind="technical logs",
        since=Clock(says="the day of the line"),
        months=6,
        floor=True,
        ending=Ending.ELSEWHERE,
    ),
    Rule(
        id="CN-P12",
        reference="个人信息保护法 55-56",
        mark=Mark.VERIFIED,
        record=None,
        kind="impact assessments",
        since=Clock(says="the day of the assessment"),
        years=3,
        floor=True,
        ending=Ending.ELSEWHERE,
    ),
    Rule(
        id="CN-P11",
        reference="个人信息保护法 51",
        mark=Mark.HOUSE,
        record=None,
        kind="training and appraisal",
        since=Clock(says="the end of the employment"),
        years=2,
        ending=Ending.ELSEWHERE,
    ),
    Rule(
        id="CN-VOUCHERS",
        reference="会计档案管理办法",
        mark=Mark.UNVERIFIED,
        record=None,
        kind="vouchers and accounts",
        since=Clock(says="the end of the year"),
        years=10,
        floor=True,
        ending=Ending.ELSEWHERE,
    ),
)
"""Every rule, in the order the sweep applies those that are its own: what others rest on ends last."""

SWEPT: Final = (Ending.DELETE, Ending.ANONYMISE, Ending.SHRED)
"""Ends that the sweep brings about."""
KINDS: Final = tuple(dict.fromkeys(rule.record for rule in RULES if rule.record is not None and rule.ending in SWEPT))
"""The kinds of records that the sweep looks at, in its order."""
BURIED: Final[frozenset[Shape]] = frozenset(
    shape
    for rule in RULES
    if rule.record in KINDS and rule.record is not Document
    for shape in (rule.record.shape, *(one.record.shape for one in rule.along))
)
"""The kinds of which earlier versions go when they end. Those of a document say nothing of what was in it."""


def rules_of(record: type[Record]) -> tuple[Rule, ...]:
    """The rules about a kind of record.

    Chapter: 4.4.
    """
    return tuple(rule for rule in RULES if rule.record is record)


def sealed_clock(record: type[Record]) -> bool:
    """Whether the time of a kind is counted from sealed days.

    Chapter: 4.4.
    """
    return any(rule.since.sealed for rule in rules_of(record))
