"""Documents are erased with the customer they are about (Ch.4 §4)."""

from __future__ import annotations

from dataclasses import replace

from domain.documents.documents import Document, FilingState
from domain.ids import Id
from domain.ports import Unit


def erase_documents(unit: Unit, subject: Id) -> int:
    """Marks every document of a subject as erased, awaited ones too; how many there were.

    Whoever calls it destroys the keys, and has the store of documents forget the subject once this is durable.

    Chapter: 4.4.
    Shape:   idempotent.
    """
    found = [
        document
        for document in unit.find(Document, lock=True, subject_id=subject)
        if document.state is not FilingState.ERASED
    ]
    for document in found:
        unit.replace(replace(document, state=FilingState.ERASED, size=None, digest=None))
    return len(found)
