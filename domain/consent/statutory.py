"""Handing data to an authority because a law demands it: its own record and path, and never a consent (Ch.4 §4).

One person proposes it with the legal ground, two others approve it, and only then are values opened. The customer
sees it in its access log, unless the law forbids to tell; then the reason for that is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final

from domain.actors import Actor
from domain.consent.attesting.predicates import DISCLOSABLE
from domain.documents.documents import Document, FilingState
from domain.errors import Code, Malformed, NotFound, NotPermitted
from domain.files.codes import required_text, short_text
from domain.files.parties import CreditFile, FileState
from domain.ids import Id
from domain.operations import Asked, Decided, Operation, operation
from domain.persons.duties import Apart
from domain.ports import SealedValue, Unit
from domain.records import Record, fact, link, record

_APART: Final = Apart(record="StatutoryDisclosure", by="disclosure", authors=("proposed_by", "first_approver"))
DUTY: Final = "STATUTORY_DUTY"
"""What the access log says it was done for."""


class AuthorityKind(Enum):
    """What kind of body demands the data."""

    COURT = "COURT"
    """法院"""
    PROCURATORATE = "PROCURATORATE"
    """检察院"""
    PUBLIC_SECURITY = "PUBLIC_SECURITY"
    """公安机关"""
    TAX = "TAX"
    """税务机关"""
    SUPERVISOR = "SUPERVISOR"
    """监管部门"""
    OTHER_PUBLIC_BODY = "OTHER_PUBLIC_BODY"
    FOREIGN_BODY = "FOREIGN_BODY"
    """A foreign judicial or enforcement body: nothing goes there without an approval (rule CN-P14)."""


class StatutoryState(Enum):
    """PROPOSED → APPROVED_ONCE → APPROVED → RELEASED; or REJECTED by either approver."""

    PROPOSED = "PROPOSED"
    APPROVED_ONCE = "APPROVED_ONCE"
    """One of two other persons approved it."""
    APPROVED = "APPROVED"
    """Two other persons approved it."""
    REJECTED = "REJECTED"
    RELEASED = "RELEASED"


_WAITING: Final = {
    StatutoryState.PROPOSED: StatutoryState.APPROVED_ONCE,
    StatutoryState.APPROVED_ONCE: StatutoryState.APPROVED,
}


@record("sd", table="statutory_disclosure", read="disclosure:read", subject_reach=False)
class StatutoryDisclosure(Record):
    """What an authority gets of a customer because a law demands it; it rests on no consent (Ch.4 §4)."""

    credit_file: Id = link("CreditFile", "The file it is about. Ch.4 §4", action="credit_file:read", same_subject=False)
    authority: str = fact("Who demands it. Ch.4 §4")
    authority_kind: AuthorityKind = fact("What kind of body that is. Ch.4 §4", filter=True)
    legal_reference: str = fact("The law and article it is demanded under. Ch.4 §4")
    letter: str = fact("The number of the letter or order. Ch.4 §4")
    approval: str | None = fact("The approval for a foreign body, where it is one. Ch.4 §4", default=None)
    document: Id | None = link(
        "Document", "The letter or order itself, on file. Ch.4 §4", default=None, same_subject=False
    )
    fields: tuple[str, ...] = fact("Tags of the confidential fields that are demanded. Ch.4 §4")
    concealed: bool = fact("Whether the law forbids to tell the customer. Ch.4 §4", default=False, filter=True)
    state: StatutoryState = fact("Where it stands. Ch.4 §4", default=StatutoryState.PROPOSED, filter=True)
    proposed_by: str = fact("Who proposed it. Ch.8 §1")
    first_approver: str | None = fact("Who approved it first: another person. Ch.8 §1", default=None)
    second_approver: str | None = fact("Who approved it then: a third person. Ch.8 §1", default=None)
    released_by: str | None = fact("Who released it. Ch.8 §1", default=None)
    released_at: datetime | None = fact("When it was first released. Ch.4 §4", default=None, order=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A statutory disclosure, and the tags of the values that are opened for it, in the order they come."""

    disclosure: StatutoryDisclosure
    tags: tuple[str, ...]


@operation("statutory:propose", chapter="4.4, 8.1")
class ProposeStatutoryDisclosure(Operation[StatutoryDisclosure]):
    """Proposes to hand data to an authority because a law demands it (Ch.4 §4)."""

    credit_file: Id
    """The file it is about. Ch.4 §4"""
    authority: str
    """Who demands it. Ch.4 §4"""
    authority_kind: AuthorityKind
    """What kind of body that is. Ch.4 §4"""
    legal_reference: str
    """The law and article it is demanded under. Ch.4 §4"""
    letter: str
    """The number of the letter or order. Ch.4 §4"""
    fields: tuple[str, ...]
    """Tags of the confidential fields that are demanded, and no more. Ch.4 §4"""
    approval: str | None = None
    """The approval of the competent authority; needed for a foreign body. Ch.4 §4"""
    document: Id | None = None
    """The letter or order itself, a stored document of this file. Ch.4 §4"""
    concealed: bool = False
    """Whether the law forbids to tell the customer. Ch.4 §4"""
    concealed_because: str | None = None
    """By which rule it is forbidden; kept sealed beside the audit entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[StatutoryDisclosure]:
        """It names law, letter and known fields; what is concealed says why; rule CN-P14 holds for foreign bodies.

        Chapter: 4.4, 8.1.
        """
        _staff_only(actor)
        because = self._because()
        tags = _known(self.fields)
        approval = short_text(self.approval, "approval")
        if self.authority_kind is AuthorityKind.FOREIGN_BODY and approval is None:
            raise Malformed(
                "Nothing goes to a foreign judicial or enforcement body without approval (rule CN-P14, verified).",
                code=Code.MISSING_VALUE,
                advice="Obtain the approval of the competent authority, and send its reference.",
                path=("approval",),
            )
        file = unit.get(CreditFile, self.credit_file)
        if self.document is not None and not unit.find(
            Document, id=self.document, credit_file=file.id, state=FilingState.STORED
        ):
            raise NotFound("This is no stored document of the file.", path=("document",))
        proposed = StatutoryDisclosure(
            # It is its own subject: to read of it must not show in the log of the customer.
            stamp=unit.stamp(StatutoryDisclosure),
            credit_file=file.id,
            authority=required_text(self.authority, "authority"),
            authority_kind=self.authority_kind,
            legal_reference=required_text(self.legal_reference, "legalReference"),
            letter=required_text(self.letter, "letter"),
            approval=approval,
            document=self.document,
            fields=tags,
            concealed=self.concealed,
            proposed_by=actor.person,
        )
        unit.add([proposed])
        return Decided(value=proposed, note=because, purpose=DUTY, resources=(proposed.id,))

    def _because(self) -> str:
        if self.concealed:
            return required_text(self.concealed_because or "", "concealedBecause")
        if self.concealed_because is not None:
            raise Malformed(
                "A reason to conceal goes with concealed alone.",
                advice="Say concealed: true, or leave the reason out.",
                path=("concealedBecause",),
            )
        return ""


@operation("statutory:approve", chapter="4.4, 8.1", apart=_APART)
class ApproveStatutoryDisclosure(Operation[StatutoryDisclosure]):
    """Approves a statutory disclosure; it takes two persons beside the one who proposed it (Ch.4 §4)."""

    disclosure: Id
    """The statutory disclosure. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[StatutoryDisclosure]:
        """Nobody approves what he proposed, nor approves twice.

        Chapter: 4.4, 8.1.
        """
        found = _waiting(unit, actor, self.disclosure)
        first = found.first_approver is None
        return _told(
            unit.replace(
                replace(
                    found,
                    state=_WAITING[found.state],
                    first_approver=actor.person if first else found.first_approver,
                    second_approver=None if first else actor.person,
                )
            )
        )


@operation("statutory:approve", chapter="4.4, 8.1", apart=_APART)
class RejectStatutoryDisclosure(Operation[StatutoryDisclosure]):
    """Rejects a statutory disclosure that waits for approval (Ch.4 §4)."""

    disclosure: Id
    """The statutory disclosure. Ch.4 §4"""
    reason: str
    """Why; it is kept sealed beside the audit entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[StatutoryDisclosure]:
        """Who could approve it may reject it.

        Chapter: 4.4, 8.1.
        """
        reason = required_text(self.reason, "reason")
        found = _waiting(unit, actor, self.disclosure)
        return replace(_told(unit.replace(replace(found, state=StatutoryState.REJECTED))), note=reason)


@operation("statutory:release", chapter="4.4, 8.1")
class ReleaseStatutoryDisclosure(Operation[Handed]):
    """Opens what an authority demands, twice approved; the customer sees it in its access log (Ch.4 §4)."""

    disclosure: Id
    """The statutory disclosure, which is approved. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Handed]:
        """Exactly the fields that were approved and are on file are opened; what is concealed has its own way.

        Chapter: 4.4, 8.1.
        """
        return _released(unit, actor, self.disclosure, concealed=False)

    def asked(self) -> Asked:
        """For what it was asked.

        Chapter: 8.1.
        """
        return Asked(purpose=DUTY)


@operation("statutory:conceal", chapter="4.4, 8.1")
class ReleaseConcealedDisclosure(Operation[Handed]):
    """Opens what an authority demands, twice approved, where the law forbids to tell the customer (Ch.4 §4)."""

    disclosure: Id
    """The statutory disclosure, which is approved and concealed. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Handed]:
        """As any other is released; the entry stands in the audit log, and not in the customer's access log.

        Chapter: 4.4, 8.1.
        """
        return _released(unit, actor, self.disclosure, concealed=True)

    def asked(self) -> Asked:
        """For what it was asked.

        Chapter: 8.1.
        """
        return Asked(purpose=DUTY)


def _known(fields: Sequence[str]) -> tuple[str, ...]:
    unknown = [str(index) for index, tag in enumerate(fields) if tag not in DISCLOSABLE]
    if unknown or not fields:
        raise Malformed(
            "A statutory disclosure names confidential fields of the credit file by their tags.",
            advice="Use these tags: " + ", ".join(sorted(DISCLOSABLE)) + ".",
            path=("fields", *unknown[:1]),
        )
    return tuple(sorted(set(fields)))


def _staff_only(actor: Actor) -> None:
    if actor.partner is not None or actor.subject is not None:
        raise NotPermitted("Only the company answers an authority.", advice="Ask the company's legal department.")


def _waiting(unit: Unit, actor: Actor, id_: Id) -> StatutoryDisclosure:
    """One that waits for approval, locked, when this person may decide on it."""
    _staff_only(actor)
    found = unit.get(StatutoryDisclosure, id_, lock=True)
    if found.state not in _WAITING:
        raise _no_step("It does not wait for approval.")
    return found


def _released(unit: Unit, actor: Actor, id_: Id, *, concealed: bool) -> Decided[Handed]:
    _staff_only(actor)
    found = unit.get(StatutoryDisclosure, id_, lock=True)
    if found.concealed is not concealed:
        way = "releaseConcealedDisclosure" if found.concealed else "releaseStatutoryDisclosure"
        raise Malformed("It is released in another way.", advice=f"Use {way}.", path=("disclosure",))
    # A release that failed after it was recorded is done again by the same person, under an entry of its own.
    if found.state is StatutoryState.RELEASED and actor.person != found.released_by:
        raise _no_step("It was released already.")
    if found.state not in {StatutoryState.APPROVED, StatutoryState.RELEASED}:
        raise _no_step("Two persons have to approve it before it is released.")
    file = unit.get(CreditFile, found.credit_file)
    if file.state not in {FileState.OPEN, FileState.RESTRICTED}:
        raise _no_step("The file is erased.")
    sealed: list[SealedValue[Any]] = unit.sealed([file], [DISCLOSABLE[tag] for tag in found.fields])
    if not sealed:
        raise NotFound("None of these fields is on file.", advice="Tell the authority so.", path=("fields",))
    if found.state is StatutoryState.APPROVED:
        released = replace(found, state=StatutoryState.RELEASED, released_by=actor.person, released_at=unit.now)
        found = unit.replace(released)
    return Decided(
        value=Handed(disclosure=found, tags=tuple(value.field.tag for value in sealed)),
        reveals=tuple(sealed),
        purpose=DUTY,
        resources=(found.id, file.id),
    )


def _told(found: StatutoryDisclosure) -> Decided[StatutoryDisclosure]:
    return Decided(value=found, purpose=DUTY, resources=(found.id,))


def _no_step(sentence: str) -> Malformed:
    return Malformed(
        sentence,
        code=Code.INVALID_TRANSITION,
        advice="Read it again: its state says where it stands.",
        path=("disclosure",),
    )
