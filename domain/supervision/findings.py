"""What examining the audit log can find: each kind is declared once, with the clause it is about and its sentence."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Final

from domain.records import Record, fact, record

MOST_EVIDENCE: Final = 20
"""How many entries a finding names at most; how many there are it counts."""


class FindingKind(Enum):
    """What was found."""

    READ_WITHOUT_PURPOSE = "READ_WITHOUT_PURPOSE"
    """Confidential values were opened, and no purpose is recorded (Ch.4 §4)."""
    SELF_APPROVAL = "SELF_APPROVAL"
    """Somebody tried to decide alone what takes two persons (Ch.8 §1)."""
    CONSENT_NEAR_END = "CONSENT_NEAR_END"
    """A consent was used within its last days (Ch.4 §4)."""
    DISCLOSURE_WITHOUT_CONSENT = "DISCLOSURE_WITHOUT_CONSENT"
    """Something was disclosed to a partner, and no consent entry fits it (Ch.4 §4)."""
    UNUSUAL_VOLUME = "UNUSUAL_VOLUME"
    """Somebody did far more on a day than he and his role do (Ch.8 §1)."""
    UNUSUAL_HOURS = "UNUSUAL_HOURS"
    """Confidential values were opened by staff at night (Ch.4 §4)."""
    FAILED_TOKENS = "FAILED_TOKENS"
    """Many tokens failed within minutes (Ch.4 §4)."""
    OVERDUE_REVIEW = "OVERDUE_REVIEW"
    """The review of a customer is overdue (Ch.5 §3)."""
    OVERRIDE_WITHOUT_PROOF = "OVERRIDE_WITHOUT_PROOF"
    """Somebody broke the glass in an emergency, and nobody reviewed it in time (Ch.8 §1)."""
    HONEY_FILE_TOUCHED = "HONEY_FILE_TOUCHED"
    """Somebody touched a file that nobody has reason to read (Ch.4 §4)."""
    OPENED_WITHOUT_ENTRY = "OPENED_WITHOUT_ENTRY"
    """More confidential values were opened than entries account for (Ch.4 §4)."""


CLAUSES: Final = {
    FindingKind.READ_WITHOUT_PURPOSE: "4.4",
    FindingKind.SELF_APPROVAL: "8.1",
    FindingKind.CONSENT_NEAR_END: "4.4",
    FindingKind.DISCLOSURE_WITHOUT_CONSENT: "4.4",
    FindingKind.UNUSUAL_VOLUME: "8.1",
    FindingKind.UNUSUAL_HOURS: "4.4",
    FindingKind.FAILED_TOKENS: "4.4",
    FindingKind.OVERDUE_REVIEW: "5.3",
    FindingKind.OVERRIDE_WITHOUT_PROOF: "8.1",
    FindingKind.HONEY_FILE_TOUCHED: "4.4",
    FindingKind.OPENED_WITHOUT_ENTRY: "4.4",
}
"""The clause that each kind is about."""


@record("fd", table="audit_finding", read="audit:read", unique=(("told_once",),), subject_reach=False)
class AuditFinding(Record):
    """Something that examining the audit log found, with the entries that show it (Ch.8 §1)."""

    kind: FindingKind = fact("What was found. Ch.8 §1", filter=True)
    clause: str = fact("The clause it is about. Ch.8 §1", filter=True)
    alarm: bool = fact("Whether nobody waits with it. Ch.8 §1", filter=True)
    told_once: str = fact("What tells it from every other: it is found once. Ch.8 §1")
    at: datetime = fact("When it happened, or the last of it. Ch.8 §1", order=True, filter=True)
    actor: str = fact("Who did it; empty where nobody did. Ch.8 §1", filter=True)
    count: int = fact("How many entries, or records, show it. Ch.8 §1")
    entries: tuple[str, ...] = fact("The audit entries that show it: the first of them. Ch.8 §1")
    resources: tuple[str, ...] = fact("The records it is about: the first of them. Ch.8 §1")
    says: str = fact("What was found, in a sentence without confidential values. Ch.8 §1")


@record("ex", table="audit_examination", read="audit:read", subject_reach=False)
class Examination(Record):
    """How far the audit log was examined: each entry once, in the order of the log (Ch.8 §1)."""

    reached: int = fact("The place of the first entry that is not examined yet. Ch.8 §1")
    days_until: datetime = fact("Until when whole days were examined. Ch.8 §1")
    found: int = fact("How many findings there were in the last step. Ch.8 §1")
