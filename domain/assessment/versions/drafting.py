"""Writing a credit policy version: drafted, revised, submitted for review, or taken back (Ch.9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from domain.actors import Actor
from domain.assessment.assessments import CreditPolicy, Interpretation, LegalReference, PolicyState
from domain.assessment.policies import in_force, placed, text_of
from domain.assessment.policy import PolicyDocument
from domain.assessment.versions.changes import changes_between
from domain.assessment.versions.reading import read_document
from domain.assessment.versions.simulations import PolicySimulation
from domain.errors import Code, Conflict, Malformed
from domain.files.codes import required_text
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit

MOST_REFERENCES: Final = 50
WRITTEN: Final = (PolicyState.DRAFT, PolicyState.SIMULATED)
_NOT_YET: Final = (*WRITTEN, PolicyState.IN_REVIEW, PolicyState.APPROVED)
_READ: Final = (PolicyState.APPROVED, PolicyState.SCHEDULED, PolicyState.IN_FORCE)


@operation("credit_policy:draft", chapter="9")
class DraftCreditPolicy(Operation[CreditPolicy]):
    """Drafts a credit policy version: a whole document, held against every rule of one; nothing rests on it yet (Ch.9).

    The form of a document is published as a JSON schema: `docs/credit-policy.schema.json`.
    """

    document: str
    """The whole document, as JSON. Ch.9"""
    reason: str
    """Why it is drafted. Ch.9"""
    legal_references: tuple[LegalReference, ...] = ()
    """The law it rests on. Ch.9"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditPolicy]:
        """What is unsound is not even drafted; what it changes against the version in force is kept with it.

        Chapter: 9.
        Raises:  Malformed with the place in the document; NotInForce.
        """
        reason, references = required_text(self.reason, "reason"), _references(self.legal_references)
        document = read_document(self.document)
        _check_number(document, 1 + max((number for (number,) in unit.select(CreditPolicy, ("number",))), default=0))
        draft = CreditPolicy(
            stamp=unit.stamp(CreditPolicy),
            number=document.number,
            content_digest=document.digest,
            document=text_of(document),
            state=PolicyState.DRAFT,
            reason=reason,
            legal_references=references,
            drafted_by=actor.person,
            authors=(actor.person,),
        )
        draft = _compared(unit, draft, document)
        unit.add([draft])
        return ended(draft)


@operation("credit_policy:draft", chapter="9")
class ReviseCreditPolicy(Operation[CreditPolicy]):
    """Gives a draft another content, which has another digest: a simulation of what it was counts no more (Ch.9)."""

    policy: Id
    """The draft. Ch.9"""
    document: str
    """The whole document, as JSON. Ch.9"""
    reason: str | None = None
    """Why it is drafted; as it was where nothing is said. Ch.9"""
    legal_references: tuple[LegalReference, ...] | None = None
    """The law it rests on; as it was where nothing is said. Ch.9"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditPolicy]:
        """Once it is in review its content is fixed.

        Chapter: 9.
        Raises:  Conflict (INVALID_TRANSITION); Malformed with the place in the document.
        """
        found = in_state(unit, self.policy, WRITTEN, "It is no draft any more.", "Withdraw it, and draft another.")
        document = read_document(self.document)
        _check_number(document, found.number)
        references, same = self.legal_references, document.digest == found.content_digest
        revised = replace(
            found,
            content_digest=document.digest,
            document=text_of(document),
            state=found.state if same else PolicyState.DRAFT,
            simulation=found.simulation if same else None,
            reason=found.reason if self.reason is None else required_text(self.reason, "reason"),
            legal_references=found.legal_references if references is None else _references(references),
            authors=with_author(found, actor),
        )
        return ended(unit.replace(_compared(unit, revised, document)))


@operation("credit_policy:submit", chapter="9")
class SubmitCreditPolicy(Operation[CreditPolicy]):
    """Submits a draft for review: from now on its content is fixed, and another person decides (Ch.9)."""

    policy: Id
    """The draft. Ch.9"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditPolicy]:
        """A simulation of just this content, against what is in force now, comes first.

        Chapter: 9.
        Raises:  Conflict.
        """
        found = in_state(unit, self.policy, WRITTEN, "It is no draft any more.", "Look at its state.")
        _check_simulated(unit, found)
        submitted = replace(found, state=PolicyState.IN_REVIEW, authors=with_author(found, actor))
        return ended(unit.replace(_compared(unit, submitted, read_document(found.document))))


@operation("credit_policy:withdraw", chapter="9")
class WithdrawCreditPolicy(Operation[CreditPolicy]):
    """Takes a version back that is not in force yet (Ch.9)."""

    policy: Id
    """The version. Ch.9"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditPolicy]:
        """One person is enough to stop it; a version that came to its time is superseded by another alone.

        Chapter: 9.
        Raises:  Conflict (INVALID_TRANSITION).
        """
        found = unit.get(CreditPolicy, self.policy, lock=True)
        waits = found.state is PolicyState.SCHEDULED and (found.in_force_from or unit.now) > unit.now
        if not waits:
            in_state(unit, self.policy, _NOT_YET, "It is in force, or was decided on.", "Draft another version.")
        return ended(unit.replace(replace(found, state=PolicyState.WITHDRAWN, decided_by=actor.person)))


@operation("credit_policy:interpret", chapter="9")
class InterpretCreditPolicy(Operation[Interpretation]):
    """Says how the credit department reads a place of a version; the version itself stays as it is (Ch.9)."""

    policy: Id
    """The version, which is approved. Ch.9"""
    clause: str
    """The place: a JSON path of the document, or a clause of the standard. Ch.9"""
    text: str
    """What it means. Ch.9"""
    legal_references: tuple[LegalReference, ...] = ()
    """The law this rests on. Ch.9"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Interpretation]:
        """It is added to the others, and changes no decision.

        Chapter: 9.
        Raises:  Conflict (INVALID_TRANSITION).
        """
        says = "Only a version that is approved, scheduled or in force is interpreted."
        found = in_state(unit, self.policy, _READ, says, "Revise the draft instead.")
        written = Interpretation(
            stamp=unit.stamp(Interpretation),
            policy=found.id,
            clause=required_text(self.clause, "clause"),
            text=required_text(self.text, "text"),
            legal_references=_references(self.legal_references),
            written_by=actor.person,
        )
        unit.add([written])
        return Decided(value=written, policy=found.content_digest, resources=(written.id, found.id))


def _check_simulated(unit: Unit, found: CreditPolicy) -> None:
    run = None if found.simulation is None else unit.get(PolicySimulation, found.simulation)
    base, _ = in_force(unit, unit.now)
    if run is None or run.content_digest != found.content_digest:
        raise Conflict(
            "Its present content was not simulated.",
            advice="Simulate it: whoever decides sees what it changes for the whole book.",
            path=("policy",),
        )
    if run.against != base.content_digest:
        raise Conflict(
            "Another version came into force since it was simulated.", advice="Simulate it again.", path=("policy",)
        )


def in_state(unit: Unit, id_: Id, states: tuple[PolicyState, ...], says: str, advice: str) -> CreditPolicy:
    """A version, locked, once it is where it has to be.

    Chapter: 9.
    Raises:  Conflict (INVALID_TRANSITION).
    """
    found = unit.get(CreditPolicy, id_, lock=True)
    if found.state not in states:
        raise Conflict(says, code=Code.INVALID_TRANSITION, advice=advice, path=("policy",))
    return found


def with_author(found: CreditPolicy, actor: Actor) -> tuple[str, ...]:
    """Everybody who had a hand in it, and who has now.

    Chapter: 8.1, 9.
    """
    return tuple(dict.fromkeys((*found.authors, actor.person)))


def ended(policy: CreditPolicy) -> Decided[CreditPolicy]:
    """A version as the end of an operation; the entry names its content.

    Chapter: 9.
    """
    return Decided(value=policy, policy=policy.content_digest, resources=(policy.id,))


def _compared(unit: Unit, draft: CreditPolicy, document: PolicyDocument) -> CreditPolicy:
    """The draft with what it changes against the last version that has its time: the one it would follow."""
    standing = placed(unit)
    base, before = in_force(unit, max(standing[-1].in_force_from, unit.now) if standing else unit.now)
    return replace(draft, base=base.content_digest, changes=changes_between(before, document))


def _check_number(document: PolicyDocument, expected: int) -> None:
    if document.number != expected:
        raise Malformed(
            f"$.number: This is version {expected}.", advice=f"Write {expected}.", path=("document", "number")
        )


def _references(given: tuple[LegalReference, ...]) -> tuple[LegalReference, ...]:
    if len(given) > MOST_REFERENCES:
        raise Malformed(f"At most {MOST_REFERENCES} references to the law.", path=("legalReferences",))
    return tuple(
        LegalReference(
            law=required_text(one.law, "law"),
            article=required_text(one.article, "article"),
            says=required_text(one.says, "says"),
        )
        for one in given
    )
