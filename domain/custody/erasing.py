"""Erasing: proposed by one person, approved by another, finished where storage holds nothing of it (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from domain.actors import Actor
from domain.consent.attesting.predicates import class_of
from domain.consent.consents import Disclosure
from domain.consent.handover.recalling import RELEASED, RecallCause, issue
from domain.custody.epochs import readable_until
from domain.custody.erasures import CERTIFICATE, WHOLE, Erasure, ErasureReason, ErasureState, statement
from domain.custody.holds import refuse_held
from domain.documents.erasing import erase_documents
from domain.errors import Conflict, Malformed
from domain.files.parties import ContactPerson, CreditFile, FileState
from domain.ids import Id, prefix_of
from domain.operations import Decided, Operation, operation
from domain.persons.duties import Apart
from domain.ports import Unit
from domain.records import DataClass
from domain.statements.falling import statements_fall
from domain.statements.statements import RevokedBecause

_APART: Final = Apart(record="Erasure", by="erasure", authors=("proposed_by",))


@operation("erasure:propose", chapter="4.4")
class ProposeErasure(Operation[Erasure]):
    """Proposes to erase a credit file, one class of its data, or a person named in it (Ch.4 §4)."""

    target: Id
    """The credit file, or the contact person. Ch.4 §4"""
    data_class: str | None = None
    """The one class of data, such as `contact`; everything where none is named. Ch.4 §4"""
    reason: ErasureReason
    """Why. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Erasure]:
        """What is held is not even proposed, and a proposal waits for its decision before the next one.

        Chapter: 4.4.
        """
        known = [item.value for item in DataClass]
        if self.data_class is not None and self.data_class not in known:
            raise Malformed(
                "There is no such class of data.", advice=f"There are {', '.join(known)}.", path=("dataClass",)
            )
        file, person = _target(unit, self.target)
        refuse_held(unit, file.id)
        _refuse_erased(file)
        subject = file.subject_id if person is None else person.subject_id
        waiting = unit.find(Erasure, credit_file=file.id, state=ErasureState.PROPOSED)
        if any((one.person, one.data_class) == (person and person.id, self.data_class) for one in waiting):
            raise Conflict("This erasure waits for its decision already.", path=("target",))
        erasure = Erasure(
            stamp=unit.stamp(Erasure, subject=subject),
            credit_file=file.id,
            person=None if person is None else person.id,
            data_class=self.data_class,
            reason=self.reason,
            proposed_by=actor.person,
        )
        unit.add([erasure])
        return Decided(value=erasure, resources=(erasure.id, file.id))


@operation("erasure:approve", chapter="4.4", apart=_APART)
class ApproveErasure(Operation[Erasure]):
    """Approves an erasure that another person proposed: its keys are destroyed in this very change (Ch.4 §4)."""

    erasure: Id
    """The erasure, which waits for a decision. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Erasure]:
        """From here nothing of it opens, for anybody; a legal hold stops it, and so does whoever proposed it.

        Chapter: 4.4.
        """
        erasure = _waiting(unit, self.erasure)
        file = unit.get(CreditFile, erasure.credit_file, lock=True)
        refuse_held(unit, file.id)
        _refuse_erased(file)
        subjects, classes = _scope(unit, erasure, file)
        lost = [unit.destruction.shred(subject, classes) for subject in subjects]
        if DataClass.DOCUMENTS.value in classes:
            for subject in subjects:
                erase_documents(unit, subject)
        if erasure.data_class is None and erasure.person is None:
            unit.replace(replace(file, state=FileState.DESTROYING))
            statements_fall(unit, file.id, RevokedBecause.FILE_ERASED)
        destroyed = unit.replace(
            replace(
                erasure,
                state=ErasureState.DESTROYING,
                decided_by=actor.person,
                subjects=subjects,
                classes=tuple(classes),
                keys=sum(one.keys for one in lost),
                cells=sum(one.cells for one in lost),
                recipients=recalled(unit, file, erasure, classes),
                destroyed_at=unit.now,
                epoch=unit.rotation.standing().epoch,
                effective_at=readable_until(unit),
            )
        )
        return Decided(value=destroyed, resources=(destroyed.id, file.id))


@operation("erasure:approve", chapter="4.4", apart=_APART)
class RejectErasure(Operation[Erasure]):
    """Rejects an erasure that another person proposed; nothing is erased (Ch.4 §4)."""

    erasure: Id
    """The erasure, which waits for a decision. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Erasure]:
        """Who could approve it may reject it.

        Chapter: 4.4.
        """
        erasure = _waiting(unit, self.erasure)
        rejected = unit.replace(replace(erasure, state=ErasureState.REJECTED, decided_by=actor.person))
        return Decided(value=rejected, resources=(rejected.id, rejected.credit_file))


@operation("erasure:finish", chapter="4.4")
class PendingErasures(Operation[tuple[Erasure, ...]]):
    """Lists the erasures whose keys are destroyed and that are not certified yet (Ch.4 §4)."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[tuple[Erasure, ...]]:
        """What is listed is finished next: first storage, then the certificate.

        Chapter: 4.4.
        """
        pending = tuple(unit.find(Erasure, state=ErasureState.DESTROYING))
        return Decided(value=pending, resources=(*(one.id for one in pending), actor.tenant))


@operation("erasure:finish", chapter="4.4")
class CertifyErasure(Operation[Erasure]):
    """Certifies an erasure once storage was cleaned: counts what is left, which is nothing, and signs (Ch.4 §4)."""

    erasure: Id
    """The erasure, whose keys are destroyed. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Erasure]:
        """Without nothing left there is no certificate; done twice, the first one stands.

        Chapter: 4.4.
        """
        del actor
        erasure = unit.get(Erasure, self.erasure, lock=True)
        if erasure.state is ErasureState.ERASED:
            return Decided(value=erasure, resources=(erasure.id, erasure.credit_file))
        if erasure.state is not ErasureState.DESTROYING:
            raise Conflict("The erasure was not approved.", path=("erasure",))
        left = sum(unit.destruction.remaining(Id(subject), erasure.classes) for subject in erasure.subjects)
        left += unit.destruction.remaining_of([Id(own) for own in erasure.records])
        if left:
            raise Conflict(f"{left} keys, values or tokens are still there.", advice="Call the operator.")
        if erasure.whole:
            file = unit.get(CreditFile, erasure.credit_file, lock=True)
            unit.replace(replace(file, state=FileState.ERASED))
        certificate = unit.destruction.signed(CERTIFICATE, statement(erasure, unit.now))
        erased = unit.replace(replace(erasure, state=ErasureState.ERASED, certificate=certificate))
        return Decided(value=erased, resources=(erased.id, erased.credit_file))


def _target(unit: Unit, target: Id) -> tuple[CreditFile, ContactPerson | None]:
    """The file a target belongs to, locked, and the person where it is one."""
    if prefix_of(target) == ContactPerson.shape.prefix:
        person = unit.get(ContactPerson, target)
        (file,) = unit.find(CreditFile, lock=True, customer=person.customer)
        return file, person
    if prefix_of(target) != CreditFile.shape.prefix:
        raise Malformed("A credit file or a contact person is erased.", path=("target",))
    return unit.get(CreditFile, target, lock=True), None


def _waiting(unit: Unit, erasure: Id) -> Erasure:
    found = unit.get(Erasure, erasure, lock=True)
    if found.state is not ErasureState.PROPOSED:
        raise Conflict("The erasure does not wait for a decision.", path=("erasure",))
    return found


def _refuse_erased(file: CreditFile) -> None:
    if file.state in {FileState.DESTROYING, FileState.ERASED}:
        raise Conflict("The credit file is erased already.", path=("target",))


def _scope(unit: Unit, erasure: Erasure, file: CreditFile) -> tuple[tuple[Id, ...], Sequence[str]]:
    """Whose keys of which classes: a whole file takes the persons along that are named in it alone."""
    classes = WHOLE if erasure.data_class is None else (erasure.data_class,)
    if erasure.person is not None:
        return (unit.get(ContactPerson, erasure.person).subject_id,), classes
    if erasure.data_class is not None:
        return (file.subject_id,), classes
    persons = [person.subject_id for person in unit.find(ContactPerson, customer=file.customer)]
    return (file.subject_id, *persons), classes


def recalled(unit: Unit, file: CreditFile, erasure: Erasure, classes: Sequence[str]) -> tuple[str, ...]:
    """The partners that were given something of it, each told to delete it; of persons named in it nothing is given.

    Chapter: 4.4.
    """
    if erasure.person is not None:
        return ()
    told: dict[str, None] = {}
    for disclosure in unit.find(Disclosure, credit_file=file.id, state=RELEASED):
        fields = [tag for tag in disclosure.fields if class_of(tag).value in classes]
        if fields:
            issue(unit, disclosure, fields, RecallCause.ERASURE)
            told[disclosure.partner] = None
    return tuple(told)
