"""Documents as records: what one is, of whom, and where it stands; its name, type and content are sealed (Ch.4 §3)."""

from __future__ import annotations

from enum import Enum

from domain.files.sources import Provenanced
from domain.ids import Id
from domain.records import DataClass, confidential, content, fact, link, record


class EvidenceKind(Enum):
    """What a document is."""

    CONTRACT = "CONTRACT"
    """An agreement with the customer, or a guarantee for it."""
    COURT_PAPER = "COURT_PAPER"
    """A judgment, an order, a claim or another paper of a court."""
    REPORT = "REPORT"
    """A report of a credit agency, an auditor or an expert."""
    STATEMENT = "STATEMENT"
    """A financial statement as the customer gave it."""
    CONSENT = "CONSENT"
    """A consent as it was signed, or the notice as it was shown."""
    LICENCE = "LICENCE"
    """A licence or another paper of identity."""
    CORRESPONDENCE = "CORRESPONDENCE"
    """A letter, a reminder or an answer."""
    OTHER = "OTHER"
    """Any other."""


class FilingState(Enum):
    """AWAITED → STORED, or ABANDONED when nothing came; any of them → ERASED."""

    AWAITED = "AWAITED"
    """It is registered, and its content has not come."""
    STORED = "STORED"
    """Its content is kept, sealed; it never changes."""
    ABANDONED = "ABANDONED"
    """Its content did not come in time."""
    ERASED = "ERASED"
    """Its content is gone for ever, and its keys with it."""


@record("do", table="document", read="sealed_document:read")
class Document(Provenanced):
    """A document of a customer's credit file, sealed whole: evidence that records link to (Ch.4 §3)."""

    credit_file: Id = link("CreditFile", "The file it belongs to. Ch.3 §1")
    kind: EvidenceKind = fact("What it is. Ch.4 §3", filter=True)
    state: FilingState = fact("Where it stands. Ch.4 §3", filter=True, default=FilingState.AWAITED)
    size: int | None = fact("How many bytes it has; null while there is none. Ch.4 §3", default=None, order=True)
    digest: str | None = fact(
        "Its keyed digest, HMAC-SHA-256 in hex; null while there is none. Equal documents of one customer have the "
        "same; without the company's key it says nothing of what is in them. Ch.4 §3",
        default=None,
    )

    file_name = confidential(
        "documents.file_name", DataClass.DOCUMENTS, str, "The name of the file. Ch.4 §3", bucket=64
    )
    media_type = confidential(
        "documents.media_type", DataClass.DOCUMENTS, str, "Its media type, as its bytes tell it. Ch.4 §3", bucket=64
    )
    sha256 = confidential(
        "documents.sha256", DataClass.DOCUMENTS, str, "SHA-256 of its content, in hex. Ch.4 §3", bucket=32
    )
    content = content("documents.content", "The document itself. Ch.4 §3")
