"""What becomes of records past their time: their values and keys go, their facts are blanked, their history is buried.

The row that stays is a tombstone: its id and links, and where it stood, with nothing of what it told. The digest of its
last version stays in the store, so that a copy that turns up can be told to be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, TypeVar

from domain.assessment.invalidating import withdrawn
from domain.custody.epochs import readable_until
from domain.custody.erasing import recalled
from domain.custody.erasures import Erasure, ErasureReason, ErasureState
from domain.custody.rules import BURIED, Rule
from domain.documents.documents import Document, FilingState
from domain.files.days import days
from domain.files.history import CreditRecord, RecordStatus
from domain.files.parties import ContactPerson, CreditFile, FileState
from domain.ids import Id
from domain.money import Money
from domain.ports import Unit
from domain.records import DataClass, Record
from domain.statements.falling import statements_fall
from domain.statements.statements import RevokedBecause

R = TypeVar("R", bound=Record)

SWEEPER: Final = "system:retention"
"""Who proposes what the sweep ends."""
SHREDDED: Final = tuple(item.value for item in DataClass if item is not DataClass.DOCUMENTS)
"""The classes that end with a credit file: documents have a rule of their own, entries of the log another."""


def blanked(record: R, names: Sequence[str]) -> R:
    """A record with some of its facts blanked: nothing of what they said is left.

    Chapter: 4.4.
    Shape:   idempotent.
    """
    return replace(record, **{name: blank(record, name) for name in names})


def blank(record: Record, name: str) -> Any:
    """What a blanked fact holds: nothing where it may be absent, and a value that says nothing where it may not.

    Chapter: 4.4.
    Raises:  TypeError for a fact that has no such value.
    """
    fact, value = record.shape.facts[name], getattr(record, name)
    if fact.optional:
        return None
    if record.shape is CreditFile.shape and name == "reference":
        return str(record.id)  # references are unique
    if isinstance(value, tuple):
        return ()
    if isinstance(value, Money):
        return Money(0, value.currency)
    if isinstance(value, date) and not isinstance(value, datetime):
        return date.min
    if type(value) is str:
        return ""
    if type(value) is bool:
        return False
    raise TypeError(f"{record.shape.name}.{name} cannot be blanked.")


def end(unit: Unit, file: CreditFile, rule: Rule, records: Sequence[Record]) -> None:
    """Ends records of one file by a rule, for good; whoever calls it locked the file and looked for holds.

    Chapter: 4.4.
    """
    if isinstance(records[0], CreditFile):
        _shred(unit, file, rule)
        return
    subjects: dict[Id, list[Record]] = {}
    for record in records:
        subjects.setdefault(record.subject_id, []).append(record)
    for subject, own in subjects.items():
        _delete(unit, file, rule, subject, own)


def _delete(unit: Unit, file: CreditFile, rule: Rule, subject: Id, records: Sequence[Record]) -> None:
    """The values, then the keys they lay under: what else these protect is sealed anew before."""
    calendar = days(unit)
    gone = [record.id for record in records]
    for record in records:
        if isinstance(record, CreditRecord):
            withdrawn(unit, calendar, record)
        _entomb(unit, record, rule.blanks)
        gone += _along(unit, rule, record)
    shape = records[0].shape
    sealed = (*shape.confidential.values(), *shape.contents.values())
    classes = tuple(dict.fromkeys(one.data_class.value for one in sealed))
    lost = unit.destruction.empty([record.id for record in records]) if classes else 0
    for name in classes if lost else ():
        unit.rotation.renew(subject, name)
    if shape in BURIED:
        unit.destruction.bury(gone, rule.id)
    contents = sum(isinstance(record, Document) and record.state is FilingState.STORED for record in records)
    keys = (len(classes) if lost else 0) + contents
    erasure = _erasure(unit, file, rule, subject=subject, records=tuple(gone), classes=classes, keys=keys, cells=lost)
    unit.add([erasure])


def _shred(unit: Unit, file: CreditFile, rule: Rule) -> None:
    """Every key of the customer and of the persons in its file, but those of documents; then what stood in clear."""
    persons = [person.subject_id for person in unit.find(ContactPerson, customer=file.customer)]
    subjects = (file.subject_id, *persons)
    lost = [unit.destruction.shred(subject, SHREDDED) for subject in subjects]
    statements_fall(unit, file.id, RevokedBecause.FILE_ERASED)
    gone = [file.id, *_along(unit, rule, file)]
    unit.replace(replace(blanked(file, rule.blanks), state=FileState.DESTROYING))
    unit.destruction.bury(gone, rule.id)
    erasure = _erasure(
        unit,
        file,
        rule,
        subject=file.subject_id,
        subjects=subjects,
        records=tuple(gone),
        classes=SHREDDED,
        keys=sum(one.keys for one in lost),
        cells=sum(one.cells for one in lost),
    )
    unit.add([replace(erasure, recipients=recalled(unit, file, erasure, SHREDDED))])


def _entomb(unit: Unit, record: Record, names: Sequence[str]) -> None:
    new = blanked(record, names)
    if isinstance(new, CreditRecord):
        new = replace(new, status=RecordStatus.EXPIRED)
    if isinstance(new, Document):
        new = replace(new, state=FilingState.ERASED, size=None, digest=None)
    unit.replace(new)


def _along(unit: Unit, rule: Rule, record: Record) -> list[Id]:
    """Ends what goes along with a record; which that was."""
    gone: list[Id] = []
    for one in rule.along:
        named = record.id if one.on == "id" else getattr(record, one.on)
        for child in unit.find(one.record, lock=True, **_equal(one.by, named)):
            _entomb(unit, child, one.blanks)
            gone.append(child.id)
    return gone


def _equal(name: str, value: Id) -> dict[str, Any]:
    return {name: value}


def _erasure(unit: Unit, file: CreditFile, rule: Rule, *, subject: Id, **lost: Any) -> Erasure:
    return Erasure(
        stamp=unit.stamp(Erasure, subject=subject),
        credit_file=file.id,
        rule=rule.id,
        reason=ErasureReason.RETENTION,
        state=ErasureState.DESTROYING,
        proposed_by=SWEEPER,
        epoch=unit.rotation.standing().epoch,
        destroyed_at=unit.now,
        effective_at=readable_until(unit),
        **lost,
    )
