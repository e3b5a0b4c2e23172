"""Registering partners, giving and withdrawing consent (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.actors import Actor
from domain.consent.attesting.predicates import CONSENTABLE
from domain.consent.consents import Consent, ConsentEvent, ConsentState, ConsentUse, Partner, PartnerState
from domain.consent.handover.recalling import recall_under
from domain.consent.recorded.agreeing import GIVING, digest_of
from domain.consent.terms import ConsentProof, ConsentTerms
from domain.consent.words import ConsentAct
from domain.errors import Code, Malformed, NotFound
from domain.files.codes import required_text
from domain.files.forbidden import category_of
from domain.files.opening import usable
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.reading import Purpose


@operation("partner:register", chapter="4.4")
class RegisterPartner(Operation[Partner]):
    """Registers a third party with the purposes it may ask for; another person lets it in (Ch.4 §4)."""

    name: str
    """The partner's legal name, unique in the company. Ch.4 §4"""
    contact: str
    """How a customer reaches it about its data. Ch.4 §4"""
    purposes: tuple[Purpose, ...]
    """The purposes it may ask for, at least one. Ch.4 §4"""
    processor_for: Id | None = None
    """The partner on whose behalf it processes, where it does. Ch.4 §4"""
    registration: str | None = None
    """The number its legal entity is registered under. Ch.4 §4"""
    address: str | None = None
    """Where its legal entity has its seat. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Partner]:
        """A partner has a name of its own, a contact and at least one purpose.

        Chapter: 4.4.
        """
        name, contact = required_text(self.name, "name"), required_text(self.contact, "contact")
        if not self.purposes:
            raise Malformed(
                "A partner is registered for a purpose.",
                code=Code.MISSING_VALUE,
                advice="Send at least one purpose.",
                path=("purposes",),
            )
        if unit.find(Partner, name=name):
            raise Malformed(
                "A partner of this name exists already.",
                code=Code.CONFLICT,
                advice="Use it, or register the other one under its full legal name.",
                path=("name",),
            )
        if self.processor_for is not None:
            unit.get(Partner, self.processor_for)
        partner = Partner(
            stamp=unit.stamp(Partner),
            name=name,
            contact=contact,
            purposes=tuple(dict.fromkeys(self.purposes)),
            state=PartnerState.PROPOSED,
            processor_for=self.processor_for,
            registration=None if self.registration is None else required_text(self.registration, "registration"),
            address=None if self.address is None else required_text(self.address, "address"),
            registered_by=actor.person,
        )
        unit.add([partner])
        return Decided(value=partner, resources=(partner.id,))


@operation("partner:register", chapter="4.4")
class SuspendPartner(Operation[Partner]):
    """Suspends a partner: from now on it gets nothing, whatever was consented to (Ch.4 §4)."""

    partner: Id
    """The partner. Ch.4 §4"""
    reason: str
    """Why; it is kept sealed beside the audit entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Partner]:
        """Suspending twice changes nothing.

        Chapter: 4.4.
        """
        del actor
        return _put_in(unit, self.partner, PartnerState.SUSPENDED, required_text(self.reason, "reason"))


@operation("partner:register", chapter="4.4")
class ReinstatePartner(Operation[Partner]):
    """Lets a suspended partner ask again; consents that still hold count again (Ch.4 §4)."""

    partner: Id
    """The partner. Ch.4 §4"""
    reason: str
    """Why; it is kept sealed beside the audit entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Partner]:
        """Reinstating twice changes nothing.

        Chapter: 4.4.
        """
        del actor
        return _put_in(unit, self.partner, PartnerState.ACTIVE, required_text(self.reason, "reason"))


def _put_in(unit: Unit, partner_id: Id, state: PartnerState, reason: str) -> Decided[Partner]:
    partner = unit.get(Partner, partner_id, lock=True)
    if partner.state not in {PartnerState.ACTIVE, PartnerState.SUSPENDED}:
        raise Malformed(
            "The partner was not let in.",
            code=Code.INVALID_TRANSITION,
            advice="Decide on it with approvePartner or rejectPartner.",
            path=("partner",),
        )
    if partner.state is not state:
        partner = unit.replace(replace(partner, state=state))
    return Decided(value=partner, note=reason, resources=(partner.id,))


@operation("consent:record", chapter="4.4")
class GrantConsent(Operation[Consent]):
    """Records that the customer consents: whom, for what, which fields, how often, until when (Ch.4 §4)."""

    credit_file: Id
    """The file it opens; a customer gives consent for its own only. Ch.4 §4"""
    partner: Id
    """Whom it names. Ch.4 §4"""
    purpose: Purpose
    """The one purpose it covers; the partner is registered for it. Ch.4 §4"""
    fields: tuple[str, ...]
    """Tags of the confidential fields it covers, such as contact.phone. Ch.4 §4"""
    use: ConsentUse
    """How often it may be used. Ch.4 §4"""
    not_after: datetime
    """Until when it holds, in the future. Ch.4 §4"""
    notice_digest: str
    """SHA-256 of the notice as it was shown, in lower-case hex. Ch.4 §4"""
    given_by: str
    """Who gave it. Ch.4 §4"""
    not_before: datetime | None = None
    """From when it holds; from now on where nothing is said. Ch.4 §4"""
    max_uses: int | None = None
    """How many uses it allows; with COUNTED only. Ch.4 §4"""
    evidence_digest: str | None = None
    """SHA-256 of the evidence, in lower-case hex. Ch.4 §4"""
    proof: ConsentProof | None = None
    """By what authority it is given, and how that is shown; the customer's own where nothing is said. Ch.4 §4"""
    terms: ConsentTerms | None = None
    """What else it says. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Consent]:
        """A consent names known confidential fields, an end, and the notice as shown; a customer gives only its own.

        Chapter: 4.4.
        """
        file = own_file(unit, actor, self.credit_file)
        partner = unit.get(Partner, self.partner)
        begins = self.not_before or unit.now
        check_terms(self.fields, self.use, self.max_uses)
        check_term(begins, self.not_after, unit.now)
        check_partner(partner, self.purpose)
        terms = (self.terms or ConsentTerms()).checked(unit, file, partner, self.fields, self.notice_digest)
        act = (self.proof or ConsentProof()).checked(unit, file.id, self.given_by, self.evidence_digest)
        consent = Consent(
            stamp=unit.stamp(Consent, subject=file.subject_id, effective_from=begins),
            credit_file=file.id,
            partner=partner.id,
            purpose=self.purpose,
            fields=tuple(sorted(set(self.fields))),
            use=self.use,
            max_uses=1 if self.use is ConsentUse.ONE_TIME else self.max_uses,
            not_before=begins,
            not_after=self.not_after,
            state=ConsentState.GIVEN,
            **terms,
            **act,
        )
        unit.add([consent])
        return acted(unit, actor, consent, ConsentAct.GIVEN)


@operation("consent:withdraw", chapter="4.4")
class WithdrawConsent(Operation[Consent]):
    """Withdraws a consent, in one step; the next disclosure is refused at once (Ch.4 §4)."""

    consent: Id
    """The consent to withdraw. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Consent]:
        """Only a given consent can be withdrawn, also of a file that is not open; twice changes nothing.

        Whoever got something under it is told to delete it.

        Chapter: 4.4.
        """
        consent = own_consent(unit, actor, self.consent)
        if consent.state is not ConsentState.WITHDRAWN:
            if consent.state is not ConsentState.GIVEN:
                raise Malformed(
                    "Only a given consent can be withdrawn.",
                    code=Code.INVALID_TRANSITION,
                    advice="Refuse a request with refuseConsent; what was refused discloses nothing anyway.",
                    path=("consent",),
                )
            consent = unit.replace(replace(consent, state=ConsentState.WITHDRAWN))
            recall_under(unit, consent)
            return acted(unit, actor, consent, ConsentAct.WITHDRAWN)
        return told(consent)


def check_terms(fields: Sequence[str], use: ConsentUse, max_uses: int | None) -> None:
    """Refuses terms that name no confidential field of a file, or one of another kind, or an impossible use.

    A name that is not known may hold anything, so it is told by its place.

    Chapter: 4.3, 4.4.
    Raises:  Malformed; FORBIDDEN_CATEGORY for what is never collected.
    """
    if not fields:
        raise Malformed(
            "A consent names at least one field.",
            code=Code.MISSING_VALUE,
            advice="Send tags of confidential fields, such as contact.phone.",
            path=("fields",),
        )
    for index, field in enumerate(fields):
        if field in CONSENTABLE:
            continue
        category = category_of(field)
        raise Malformed(
            f"A field of the category {category.words} is not collected."
            if category
            else "A consent names confidential fields of the credit file by their tags.",
            code=Code.FORBIDDEN_CATEGORY if category else Code.MALFORMED,
            advice="Use these tags: " + ", ".join(sorted(CONSENTABLE)) + ".",
            path=("fields", str(index)),
        )
    if (use is ConsentUse.COUNTED) != (max_uses is not None) or (max_uses is not None and max_uses < 1):
        raise Malformed(
            "maxUses goes with COUNTED, and is at least 1.",
            advice="Send it with COUNTED, and leave it out otherwise.",
            path=("maxUses",),
        )


def check_term(begins: datetime, ends: datetime, now: datetime) -> None:
    """Refuses a term that is over before it begins, or has no time zone.

    Chapter: 4.4.
    Raises:  Malformed (MALFORMED_DATE).
    """
    for instant, name in ((begins, "notBefore"), (ends, "notAfter")):
        if instant.tzinfo is None:
            raise Malformed(
                "An instant needs its time zone.",
                code=Code.MALFORMED_DATE,
                advice="Write it like 2026-11-24T08:30:00Z.",
                path=(name,),
            )
    if ends <= max(begins, now):
        raise Malformed(
            "A consent must end after it begins, in the future.",
            code=Code.MALFORMED_DATE,
            advice="Send an end that lies ahead.",
            path=("notAfter",),
        )


def check_partner(partner: Partner, purpose: Purpose) -> None:
    """Refuses to ask or to record a consent for a partner that could not use it.

    Chapter: 4.4.
    Raises:  Malformed.
    """
    if partner.state is not PartnerState.ACTIVE:
        raise Malformed(
            "The partner is suspended, or was not let in yet.",
            code=Code.INVALID_TRANSITION,
            advice="Have another person approve it, or the privacy officer reinstate it.",
            path=("partner",),
        )
    if purpose not in partner.purposes:
        raise Malformed(
            "The partner is not registered for this purpose.",
            advice="Use one of its purposes, or have the privacy officer register it.",
            path=("purpose",),
        )


def own_file(unit: Unit, actor: Actor, credit_file: Id, *, lock: bool = False) -> CreditFile:
    """The open file, which for a customer acting for itself must be its own; another's is not there for it.

    Chapter: 3.3, 4.4.
    Raises:  NotFound.
    """
    found = unit.find(CreditFile, lock=lock, id=credit_file)
    if not found or not _own(actor, found[0].subject_id):
        raise NotFound(
            "There is no such credit file.", path=("creditFile",), cause="NOT_OWN_FILE" if found else "NO_SUCH_FILE"
        )
    usable(found[0])
    return found[0]


def own_consent(unit: Unit, actor: Actor, consent: Id) -> Consent:
    """The consent, locked; a customer acting for itself finds its own only.

    Chapter: 3.3, 4.4.
    Raises:  NotFound.
    """
    found = unit.find(Consent, lock=True, id=consent)
    if not found or not _own(actor, found[0].subject_id):
        raise NotFound(
            "There is no such consent.", path=("consent",), cause="NOT_OWN_CONSENT" if found else "NO_SUCH_CONSENT"
        )
    return found[0]


def _own(actor: Actor, subject: Id) -> bool:
    return actor.subject is None or actor.subject == subject


def acted(
    unit: Unit, actor: Actor, consent: Consent, act: ConsentAct, *, at: datetime | None = None
) -> Decided[Consent]:
    """The end of an act on a consent: its event is kept beside it, and its audit entry tells it.

    Chapter: 4.4, 8.1.
    """
    giving = act in GIVING
    event = ConsentEvent(
        stamp=unit.stamp(ConsentEvent, subject=consent.subject_id),
        consent=consent.id,
        consent_version=consent.stamp.version,
        act=act,
        at=at or unit.now,
        person=actor.person,
        given_by=consent.given_by if giving else None,
        authority=consent.authority if giving else None,
        notice_digest=consent.notice_digest,
        evidence_digest=consent.evidence_digest if giving else None,
        digest=digest_of(consent),
    )
    unit.add([event])
    return told(consent)


def told(consent: Consent) -> Decided[Consent]:
    """The end of an operation on a consent, as its audit entry tells it.

    Chapter: 4.4, 8.1.
    """
    return Decided(
        value=consent,
        purpose=consent.purpose.value,
        consent=reference(consent),
        resources=(consent.id, consent.credit_file),
    )


def reference(consent: Consent) -> str:
    """A consent with its version, as audit entries name it.

    Chapter: 4.4.
    """
    return f"{consent.id}/{consent.stamp.version}"
