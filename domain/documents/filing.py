"""Registering a document, taking its content, and giving up on what never came (Ch.4 §3)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from domain.actors import Actor
from domain.documents.content import MAX_BYTES, Content, Received
from domain.documents.documents import Document, EvidenceKind, FilingState
from domain.documents.evidence import check_evidence
from domain.errors import Code, Conflict, Malformed
from domain.files.opening import usable
from domain.files.parties import CreditFile
from domain.files.sources import Origin, lawful
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import SealedValue, Unit

AWAITED_FOR = timedelta(days=1)
"""How long the content of a document is awaited."""
NAME_BYTES = 255
"""How long the name of a file may be, in UTF-8."""
_NO_NAME = re.compile(r"[/\\\x00-\x1f\x7f]|^\.{1,2}$|^\s|\s$")


def file_name(value: str) -> str:
    """The name of a file, as every system can keep it.

    Chapter: 4.3.
    Shape:   idempotent.
    Raises:  Malformed.
    """
    if not value or not value.isprintable() or len(value.encode()) > NAME_BYTES or _NO_NAME.search(value):
        raise Malformed(
            f"A file name is 1 to {NAME_BYTES} bytes of printable text without slashes, and no path.",
            advice="Send the last part of the path alone.",
            path=("fileName",),
        )
    return value


@operation("sealed_document:register", chapter="4.3")
class RegisterDocument(Operation[Document]):
    """Registers a document of a customer's file; its content is then sent to PUT /documents/{id} (Ch.4 §3)."""

    credit_file: Id
    """The file it belongs to; it must be open. Ch.3 §1"""
    kind: EvidenceKind
    """What it is. Ch.4 §3"""
    origin: Origin
    """Where it comes from. Ch.4 §3"""
    file_name: str
    """The name of the file, without a path; sealed. Ch.4 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Document]:
        """Its content is awaited for a day; what it is called is sealed.

        Chapter: 4.3.
        """
        lawful(unit, self.origin)
        file = unit.get(CreditFile, self.credit_file)
        usable(file)
        check_evidence(unit, self.origin.evidence, file.id)
        document = Document(
            stamp=unit.stamp(Document, subject=file.subject_id),
            credit_file=file.id,
            kind=self.kind,
            source=self.origin.source,
            lawful_basis=self.origin.lawful_basis,
            collector=actor.person,
            collected_at=self.origin.collected_at or unit.now,
            evidence_digest=self.origin.evidence_digest,
            evidence=self.origin.evidence,
        )
        unit.add([document])
        unit.seal(document, Document.file_name, file_name(self.file_name))
        return Decided(value=document, resources=(file.id,))


@operation("sealed_document:store", chapter="4.3, 8.1")
class BeginUpload(Operation[Document]):
    """Lets the content of a registered document be sent: what is opened is where it is written to (Ch.4 §3)."""

    document: Id
    """The document. Ch.4 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Document]:
        """The cell gets its key; an upload that began before can no longer end.

        Chapter: 4.3.
        """
        del actor
        document = awaited(unit, self.document)
        unit.seal(document, Document.content, Content())
        return Decided(value=document, reveals=(cell(unit, document),), resources=(document.credit_file,))


@operation("sealed_document:store", chapter="4.3, 8.1")
class StoreDocument(Operation[Document]):
    """Takes what was received as the content of a document: from now on it can be read, and never changes (Ch.4 §3)."""

    document: Id
    """The document. Ch.4 §3"""
    received: Received
    """What was received. Ch.4 §3"""
    media_type: str
    """Its media type, as its bytes tell it. Ch.4 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Document]:
        """Only the upload that began last ends; the entry names the keyed digest of what is stored.

        Chapter: 4.3.
        """
        del actor
        document = awaited(unit, self.document)
        if cell(unit, document).version + 1 != self.received.content.version:
            raise _overtaken()
        received = self.received
        document = unit.replace(replace(document, state=FilingState.STORED, size=received.size, digest=received.digest))
        unit.seal(document, Document.content, received.content)
        unit.seal(document, Document.media_type, self.media_type)
        unit.seal(document, Document.sha256, received.sha256)
        return Decided(value=document, digest=received.digest, resources=(document.credit_file,))


@operation("sealed_document:sweep", chapter="4.3")
class AbandonUploads(Operation[int]):
    """Gives up on documents whose content did not come in time; how many there were (Ch.4 §3)."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[int]:
        """What is abandoned is registered anew where it comes after all.

        Chapter: 4.3.
        """
        del actor
        late = [
            document
            for document in unit.find(Document, lock=True, state=FilingState.AWAITED)
            if document.stamp.created_at + AWAITED_FOR <= unit.now
        ]
        for document in late:
            unit.replace(replace(document, state=FilingState.ABANDONED))
        return Decided(value=len(late))


def awaited(unit: Unit, document: Id) -> Document:
    """A document whose content is awaited, locked; its file is open.

    Chapter: 4.3.
    Raises:  NotFound; Malformed (INVALID_TRANSITION) for one whose content came, or is not awaited any more.
    """
    found = unit.get(Document, document, lock=True)
    usable(unit.get(CreditFile, found.credit_file))
    if found.state is not FilingState.AWAITED:
        raise Malformed(
            "The content of this document is not awaited.",
            code=Code.INVALID_TRANSITION,
            advice="Register a document anew: what is stored never changes.",
            path=("document",),
        )
    return found


def cell(unit: Unit, document: Document) -> SealedValue[Content]:
    """What stands for the content of a document.

    Chapter: 4.3.
    Raises:  Conflict where nothing does yet.
    """
    found = unit.sealed([document], [Document.content])
    if not found:
        raise _overtaken()
    return found[0]


def too_large() -> Malformed:
    """Why a document is not taken that has too many bytes.

    Chapter: 4.3.
    """
    return Malformed(
        f"A document has at most {MAX_BYTES} bytes.",
        code=Code.QUERY_TOO_LARGE,
        advice="Send it in parts, each as a document of its own.",
    )


def _overtaken() -> Conflict:
    return Conflict("Another upload of this document began meanwhile.", advice="Let one upload end at a time.")
