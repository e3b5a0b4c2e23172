"""What a record rests on: a stored document of the same customer's file (Ch.4 §3)."""

from __future__ import annotations

from domain.documents.documents import Document, FilingState
from domain.errors import Code, Malformed
from domain.ids import Id
from domain.ports import Unit


def check_evidence(unit: Unit, evidence: Id | None, credit_file: Id | None, name: str = "evidence") -> None:
    """Refuses evidence that is no stored document of the file; no document belongs to a file that is only opened now.

    Chapter: 4.3.
    Raises:  Malformed, the same for what is not there and for what is another customer's.
    """
    if evidence is None:
        return
    if credit_file is None or not unit.find(Document, id=evidence, credit_file=credit_file, state=FilingState.STORED):
        raise Malformed(
            "This is no stored document of the file.",
            code=Code.NOT_FOUND,
            advice="Register the document with registerDocument, send its content, then name it here.",
            path=(name,),
        )
