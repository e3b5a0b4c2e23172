"""Deleting one document: by whoever answers for privacy, for a reason, unless it is held or still proves something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.actors import Actor
from domain.custody.epochs import readable_until
from domain.custody.erasures import Erasure, ErasureReason, ErasureState
from domain.custody.holds import refuse_held
from domain.documents.documents import Document, FilingState
from domain.documents.evidence import resting_on
from domain.errors import Conflict
from domain.files.codes import required_text
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import DataClass

_NAMED = 5
"""How many of the records that rest on a document a refusal names."""


@operation("sealed_document:delete", chapter="4.3, 4.4")
class DeleteDocument(Operation[Erasure]):
    """Deletes one document for good: its name, its content and the key it lies under (Ch.4 §4)."""

    document: Id
    """The document. Ch.4 §3"""
    reason: ErasureReason
    """Why, as its certificate says it. Ch.4 §4"""
    because: str
    """Why, in words; it is kept sealed beside the audit entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Erasure]:
        """From here it opens for nobody; its bytes go, and it is certified, with `credence keys shred`.

        Chapter: 4.3, 4.4.
        Raises:  Conflict while it is held, or a record that counts rests on it: then the records are named.
        """
        because = required_text(self.because, "because")
        document = unit.get(Document, self.document, lock=True)
        file = unit.get(CreditFile, document.credit_file, lock=True)
        if document.state is FilingState.ERASED:
            raise Conflict("The document is erased already.", advice="Nothing is left to do.", path=("document",))
        refuse_held(unit, file.id)
        needed = resting_on(unit, document)
        if needed:
            more = f" and {len(needed) - _NAMED} more" if len(needed) > _NAMED else ""
            raise Conflict(
                f"The document is evidence of {', '.join(needed[:_NAMED])}{more}.",
                advice="Correct or withdraw what rests on it first; the proof of a consent stays while that is kept.",
                path=("document",),
            )
        erasure = end_documents(unit, file, [document], self.reason, actor.person)
        return Decided(value=erasure, note=because, resources=(erasure.id, document.id, file.id))


def end_documents(
    unit: Unit, file: CreditFile, documents: Sequence[Document], reason: ErasureReason, person: str
) -> Erasure:
    """Ends some documents of one file: cells, content keys, and the key of their names, which is renewed for the rest.

    Chapter: 4.4.
    """
    subject = file.subject_id
    for document in documents:
        unit.replace(replace(document, state=FilingState.ERASED, size=None, digest=None))
    lost = unit.destruction.empty([document.id for document in documents])
    unit.rotation.renew(subject, DataClass.DOCUMENTS.value)
    erasure = Erasure(
        stamp=unit.stamp(Erasure, subject=subject),
        credit_file=file.id,
        reason=reason,
        state=ErasureState.DESTROYING,
        proposed_by=person,
        records=tuple(document.id for document in documents),
        classes=(DataClass.DOCUMENTS.value,),
        keys=1 + len(documents),
        cells=lost,
        epoch=unit.rotation.standing().epoch,
        destroyed_at=unit.now,
        effective_at=readable_until(unit),
    )
    unit.add([erasure])
    return erasure
