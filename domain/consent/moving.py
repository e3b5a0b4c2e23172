"""Consents that were recorded elsewhere are taken over with source and evidence, and leave in full (Ch.4 §3, §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final

from domain.actors import Actor
from domain.consent.consents import Consent, ConsentEvent, ConsentState, ConsentUse, Partner
from domain.consent.giving import acted, check_terms, own_consent, own_file, reference
from domain.consent.recorded.agreeing import AFTER, GIVING, state_after
from domain.consent.terms import ConsentProof, ConsentTerms
from domain.consent.words import ConsentAct
from domain.documents.documents import Document, FilingState
from domain.errors import Code, Conflict, Malformed
from domain.files.codes import required_text
from domain.files.opening import usable
from domain.files.parties import CreditFile, Tenant
from domain.files.sources import LawfulBasis, Origin, Source, lawful
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.reading import Purpose

MAX_ORIGINAL: Final = 64 * 1024
"""Characters of a record that is taken over."""
MAX_PARTS: Final = 50
"""How many consents one record may hold."""


class Taken(Enum):
    """What became of a record that was sent to be taken over."""

    STORED = "STORED"
    KNOWN = "KNOWN"
    """It is here already, as it is there."""
    CHECKED = "CHECKED"
    """It could be taken over; nothing was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAct:
    """One act on a consent, as its record tells it."""

    act: ConsentAct
    """What was done. Ch.4 §4"""
    at: datetime
    """When, with its time zone. Ch.4 §4"""
    person: str
    """Who recorded it there. Ch.4 §4"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastConsent:
    """One consent as its record tells it: one recipient and one purpose."""

    record_id: str
    """The id of the record, and of the part of it where it holds several. Ch.4 §3"""
    partner: str
    """The recipient, by its legal name or its id here. Ch.4 §4"""
    purpose: Purpose
    """The purpose. Ch.4 §4"""
    fields: tuple[str, ...]
    """Tags of the confidential fields it covers. Ch.4 §4"""
    use: ConsentUse
    """How often it may be used. Ch.4 §4"""
    max_uses: int | None
    """How many uses a counted one allows. Ch.4 §4"""
    uses: int
    """How often it was used. Ch.4 §4"""
    not_before: datetime
    """From when it holds. Ch.4 §4"""
    not_after: datetime
    """Until when it holds. Ch.4 §4"""
    notice_digest: str
    """SHA-256 of the notice as it was shown. Ch.4 §4"""
    given_by: str
    """Who gave it; empty where nobody did. Ch.4 §4"""
    evidence_digest: str | None
    """SHA-256 of the evidence. Ch.4 §4"""
    proof: ConsentProof
    """By what authority. Ch.4 §4"""
    terms: ConsentTerms
    """What else it says. Ch.4 §4"""
    onward_to: tuple[str, ...]
    """The partners it may be handed on to, by their legal names or their ids here. Ch.4 §4"""
    acts: tuple[PastAct, ...]
    """What was done about it, the oldest first. Ch.4 §4"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """What became of the consents of one record."""

    taken: Taken
    consents: tuple[Consent, ...]


@operation("consent:import", chapter="4.3, 4.4")
class ImportConsents(Operation[TakenOver]):
    """Takes over the consents of one record that was kept elsewhere: all of them, or nothing (Ch.4 §3)."""

    source: str
    """The name of the registered source the record comes from. Ch.4 §3"""
    lawful_basis: LawfulBasis
    """The lawful basis the record is kept on; the source must be registered for it. Ch.4 §3"""
    reference: str
    """The company's own number for the customer. Ch.3 §1"""
    consents: tuple[PastConsent, ...]
    """What the record holds. Ch.4 §4"""
    original: str
    """The record itself, kept sealed. Ch.4 §3"""
    dry: bool = False
    """Whether it is only checked. Ch.4 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[TakenOver]:
        """What could not be given here is not taken over either; a record is taken over once.

        Chapter: 4.3, 4.4.
        """
        source = self._source(unit)
        files = unit.find(CreditFile, lock=True, reference=required_text(self.reference, "subject"))
        if not files:
            raise Malformed(
                "No credit file belongs to the customer that is named.",
                code=Code.UNKNOWN_CUSTOMER,
                advice="Open its file first, or map its identifier to the company's own number.",
                path=("subject",),
            )
        if not 1 <= len(self.consents) <= MAX_PARTS or len(self.original) > MAX_ORIGINAL:
            raise Malformed(f"A record holds 1 to {MAX_PARTS} consents, in at most {MAX_ORIGINAL} characters.")
        file = files[0]
        usable(file)
        known = [_known(unit, file, source, past) for past in self.consents]
        if any(known):
            return self._as_known(known)
        made = [(past, _drafted(unit, file, source, past)) for past in self.consents]
        if not self.dry:
            for past, consent in made:
                self._store(unit, actor, past, consent)
        taken = Taken.CHECKED if self.dry else Taken.STORED
        consents = tuple(consent for _, consent in made)
        return Decided(
            value=TakenOver(taken=taken, consents=consents),
            resources=(file.id, source.id, *(consent.id for consent in consents if not self.dry)),
        )

    def _source(self, unit: Unit) -> Source:
        found = unit.find(Source, name=required_text(self.source, "source"))
        if not found:
            raise Malformed(
                "The source is not registered.",
                code=Code.UNKNOWN_SOURCE,
                advice="Register it with registerSource, for the basis CONSENT.",
                path=("source",),
            )
        return lawful(unit, Origin(source=found[0].id, lawful_basis=self.lawful_basis))

    def _as_known(self, known: Sequence[Consent | None]) -> Decided[TakenOver]:
        consents = tuple(consent for consent in known if consent is not None)
        if len(consents) != len(known):
            raise Conflict(
                "Some consents of this record are here already, and others are not.",
                advice="Record what is new with the operations for consents.",
            )
        return Decided(value=TakenOver(taken=Taken.KNOWN, consents=consents), resources=tuple(c.id for c in consents))

    def _store(self, unit: Unit, actor: Actor, past: PastConsent, consent: Consent) -> None:
        unit.add([consent])
        unit.seal(consent, Consent.original, self.original)
        for act in past.acts:
            acted(unit, replace(actor, person=act.person), consent, act.act, at=act.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A consent with all that its record tells beside it."""

    consent: Consent
    events: tuple[ConsentEvent, ...]
    """What was done about it, the oldest first."""
    partner: Partner
    onward: tuple[Partner, ...]
    reference: str
    company: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """Consents that leave in full."""

    credit_file: Id
    consents: tuple[Whole, ...]


@operation("consent:export", chapter="3.3, 4.4")
class ExportConsents(Operation[HandedOver]):
    """Lets one consent, or all of a file, leave with everything that was done about them (Ch.3 §3)."""

    credit_file: Id
    """The file; a customer's own. Ch.3 §1"""
    consent: Id | None = None
    """The one consent; all of the file where none is named. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[HandedOver]:
        """The oldest come first; a customer gets its own alone.

        Chapter: 3.3, 4.4.
        """
        file = own_file(unit, actor, self.credit_file)
        if self.consent is None:
            consents = sorted(unit.find(Consent, credit_file=file.id), key=lambda one: one.id)
        else:
            consents = [own_consent(unit, actor, self.consent)]
        if any(consent.credit_file != file.id for consent in consents):
            raise Malformed("The consent is of another file.", path=("consent",))
        events = sorted(
            unit.find(ConsentEvent, consent=tuple(consent.id for consent in consents)) if consents else (),
            key=lambda event: (event.at, event.id),
        )
        partners = {partner.id: partner for partner in unit.find(Partner)}
        company = unit.get(Tenant, actor.tenant).name
        whole = tuple(
            Whole(
                consent=consent,
                events=tuple(event for event in events if event.consent == consent.id),
                partner=partners[consent.partner],
                onward=tuple(partners[Id(one)] for one in consent.onward_to),
                reference=file.reference,
                company=company,
            )
            for consent in consents
        )
        return Decided(
            value=HandedOver(credit_file=file.id, consents=whole),
            consent=reference(consents[0]) if self.consent is not None else "",
            resources=(file.id, *(consent.id for consent in consents)),
        )


def _known(unit: Unit, file: CreditFile, source: Source, past: PastConsent) -> Consent | None:
    """The consent of a record that was taken over before, or that is our own."""
    required_text(past.record_id, "identifier")
    found = unit.find(Consent, id=past.record_id) or unit.find(Consent, source=source.id, record_id=past.record_id)
    if found and found[0].credit_file != file.id:
        raise Conflict("A consent of this id belongs to another customer.", path=("identifier",))
    if found and found[0].state is not _state(past.acts):
        raise Conflict(
            "This consent is here already, and stands otherwise.",
            advice="Record what happened since with the operations for consents, such as withdrawConsent.",
            path=("identifier",),
        )
    return found[0] if found else None


def _drafted(unit: Unit, file: CreditFile, source: Source, past: PastConsent) -> Consent:
    """The consent as it is kept, checked as if it were given here."""
    check_terms(past.fields, past.use, past.max_uses if past.use is ConsentUse.COUNTED else None)
    partner = _partner(unit, past.partner, "recipient")
    if past.purpose not in partner.purposes:
        raise Malformed(
            "The recipient is not registered for this purpose.",
            advice="Have the privacy officer register it, or map the purpose to another.",
            path=("purpose",),
        )
    if not past.not_before < past.not_after:
        raise Malformed("A consent ends after it begins.", code=Code.MALFORMED_DATE, path=("notAfter",))
    if past.uses < 0:
        raise Malformed("A number of uses is not negative.", path=("uses",))
    onward = tuple(_partner(unit, name, "onwardTo").id for name in past.onward_to)
    terms = replace(past.terms, onward_to=onward)
    _check_acts(past.acts, unit.now)
    given = any(act.act in GIVING for act in past.acts)
    proof = _proof_here(unit, file, past.proof)
    act = proof.checked(unit, file.id, past.given_by, past.evidence_digest) if given else {}
    return Consent(
        stamp=unit.stamp(Consent, subject=file.subject_id, effective_from=past.not_before),
        credit_file=file.id,
        partner=partner.id,
        purpose=past.purpose,
        fields=tuple(sorted(set(past.fields))),
        use=past.use,
        max_uses=1 if past.use is ConsentUse.ONE_TIME else past.max_uses,
        uses=past.uses,
        not_before=past.not_before,
        not_after=past.not_after,
        state=_state(past.acts),
        source=source.id,
        record_id=past.record_id,
        **terms.checked(unit, file, partner, past.fields, past.notice_digest, before=True),
        **act,
    )


def _proof_here(unit: Unit, file: CreditFile, proof: ConsentProof) -> ConsentProof:
    """The proof, with those documents that are on file here; a document elsewhere proves nothing here."""

    def here(document: Id | None) -> Id | None:
        found = document is not None and unit.find(Document, id=document, credit_file=file.id, state=FilingState.STORED)
        return document if found else None

    return replace(
        proof,
        authority_document=here(proof.authority_document),
        evidence_document=here(proof.evidence_document),
    )


def _partner(unit: Unit, name: str, path: str) -> Partner:
    name = required_text(name, path)
    found = unit.find(Partner, id=name) or unit.find(Partner, name=name)
    if not found:
        raise Malformed(
            "The recipient is no partner here.",
            code=Code.NOT_FOUND,
            advice="Register it with registerPartner under its legal name, or map its name to that of a partner.",
            path=(path,),
        )
    return found[0]


def _check_acts(acts: Sequence[PastAct], now: datetime) -> None:
    before: PastAct | None = None
    for index, act in enumerate(acts):
        path = ("status", str(index))
        if act.at.tzinfo is None or act.at > now or (before is not None and act.at < before.at):
            raise Malformed(
                "Acts on a consent follow each other in time, and none lies ahead.",
                code=Code.MALFORMED_DATE,
                advice="Send each with its time zone, the oldest first.",
                path=path,
            )
        if act.act not in AFTER.get(before.act if before else None, frozenset()):
            raise Malformed(
                "These acts on a consent do not follow each other.",
                code=Code.INVALID_TRANSITION,
                advice="A consent is requested, then given or refused; what was given is confirmed or withdrawn.",
                path=path,
            )
        required_text(act.person, "person")
        before = act
    if before is None:
        raise Malformed(
            "The record does not say what the customer decided.",
            code=Code.MISSING_VALUE,
            advice="Send its consent status.",
            path=("status",),
        )


def _state(acts: Sequence[PastAct]) -> ConsentState:
    return state_after(acts[-1].act if acts else ConsentAct.REQUESTED)
