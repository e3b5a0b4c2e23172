"""What a record rests on: a stored document of the same customer's file (Ch.4 §3)."""

from __future__ import annotations

from typing import Any, Final

from domain.documents.documents import Document, FilingState
from domain.errors import Code, Malformed
from domain.ids import Id
from domain.ports import Unit
from domain.records import SHAPES, Record, Shape

_OVER: Final = frozenset({"CORRECTED", "DESTROYING", "ERASED", "ABANDONED", "EXPIRED", "WITHDRAWN"})
"""States of records that are put right, taken back or gone: nothing rests on their evidence any more."""


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


def resting_on(unit: Unit, document: Document) -> list[Id]:
    """The records of its file that name a document as what they rest on, and still count.

    A consent and a disclosure to an authority need their proof as long as they are kept, also when they are over.

    Chapter: 4.3.
    """
    found: list[Id] = []
    for shape in SHAPES.values():
        names = [fact.name for fact in shape.facts.values() if fact.target == Document.shape.name]
        for name in names:
            equal: dict[str, Any] = {name: document.id}
            if "credit_file" in shape.facts:
                equal["credit_file"] = document.credit_file
            rows = unit.find(shape.cls, **equal)
            found += [row.id for row in rows if not _over(shape, row)]
    return list(dict.fromkeys(found))


def _over(shape: Shape, record: Record) -> bool:
    """Whether a record that states how it stands counts no more; a consent that is over still needs its proof."""
    stated = shape.name in {Document.shape.name, "CreditFile"}
    name = "status" if "status" in shape.facts else "state" if stated else ""
    return bool(name) and getattr(record, name).value in _OVER
