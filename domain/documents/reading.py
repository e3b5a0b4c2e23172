"""Reading a document: for a purpose and a reason, recorded before its first byte leaves (Ch.4 §4)."""

from __future__ import annotations

from domain.actors import Actor
from domain.documents.documents import Document, FilingState
from domain.errors import NotFound, Tampered
from domain.files.codes import required_text
from domain.files.opening import usable
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.operations import Asked, Decided, Operation, operation
from domain.ports import Unit
from domain.reading import Purpose

OPENED = (Document.file_name, Document.media_type, Document.sha256, Document.content)
"""What is opened of a document that is read, in this order."""


@operation("sealed_document:read", "reveal:documents", chapter="4.4, 8.1")
class OpenDocument(Operation[Document]):
    """Lets a document be read by whoever may open documents, for a purpose and a reason (Ch.4 §4)."""

    document: Id
    """The document. Ch.4 §3"""
    purpose: Purpose
    """What it is read for. Ch.4 §4"""
    reason: str
    """Why; it is kept sealed beside the audit entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Document]:
        """What is stored is opened with its name and type; the entry names its keyed digest.

        Chapter: 4.4.
        """
        del actor
        reason = required_text(self.reason, "reason")
        document = unit.get(Document, self.document)
        usable(unit.get(CreditFile, document.credit_file))
        if document.state is not FilingState.STORED:
            raise NotFound("The content of this document is not there.", advice="Send it first.", path=("document",))
        sealed = unit.sealed([document], OPENED)
        if len(sealed) != len(OPENED):
            raise Tampered("What belongs to a document is not there.")
        return Decided(
            value=document,
            reveals=tuple(sealed),
            purpose=self.purpose.value,
            digest=document.digest or "",
            note=reason,
            resources=(document.credit_file,),
        )

    def asked(self) -> Asked:
        """The purpose, and what would have been opened.

        Chapter: 4.4, 8.1.
        """
        return Asked(purpose=self.purpose.value, fields=tuple(field.tag for field in OPENED))
