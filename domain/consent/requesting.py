"""Asking a customer for consent, and its answer: given, or refused and not asked again for a while (Ch.4 §4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from domain.actors import Actor
from domain.consent.consents import Consent, ConsentState, ConsentUse, Partner
from domain.consent.giving import acted, check_partner, check_term, check_terms, own_consent, own_file, told
from domain.consent.notices import shown
from domain.consent.terms import ConsentProof, ConsentTerms
from domain.consent.words import ConsentAct
from domain.errors import Code, Malformed
from domain.files.opening import usable
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.reading import Purpose

ASK_AGAIN_AFTER = timedelta(days=90)
"""Rule CN-P16 (Regulations on Network Data Security Management, article 22, item 5): what was refused is not asked
again for a set time. The rule is verified; how long is our choice."""


@operation("consent:request", chapter="4.4")
class RequestConsent(Operation[Consent]):
    """Asks the customer for a consent; until it is given, nothing is disclosed under it (Ch.4 §4)."""

    credit_file: Id
    """The file it would open. Ch.4 §4"""
    partner: Id
    """Whom it would name. Ch.4 §4"""
    purpose: Purpose
    """The one purpose it would cover; the partner is registered for it. Ch.4 §4"""
    fields: tuple[str, ...]
    """Tags of the confidential fields it would cover, such as contact.phone. Ch.4 §4"""
    use: ConsentUse
    """How often it could be used. Ch.4 §4"""
    not_after: datetime
    """Until when it would hold, in the future. Ch.4 §4"""
    notice_digest: str
    """SHA-256 of the notice as it is shown, in lower-case hex. Ch.4 §4"""
    max_uses: int | None = None
    """How many uses it would allow; with COUNTED only. Ch.4 §4"""
    terms: ConsentTerms | None = None
    """What else it would say. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Consent]:
        """The same is asked once at a time, and after a refusal not for 90 days, also not together with more.

        Chapter: 4.4.
        Raises:  Malformed (CONFLICT).
        """
        # The lock on the file makes two who ask the same at once come one after the other.
        file = own_file(unit, actor, self.credit_file, lock=True)
        partner = unit.get(Partner, self.partner)
        check_terms(self.fields, self.use, self.max_uses)
        check_term(unit.now, self.not_after, unit.now)
        check_partner(partner, self.purpose)
        terms = (self.terms or ConsentTerms()).checked(unit, file, partner, self.fields, self.notice_digest)
        self._check_earlier(unit, file)
        consent = Consent(
            stamp=unit.stamp(Consent, subject=file.subject_id),
            credit_file=file.id,
            partner=partner.id,
            purpose=self.purpose,
            fields=tuple(sorted(set(self.fields))),
            use=self.use,
            max_uses=1 if self.use is ConsentUse.ONE_TIME else self.max_uses,
            not_before=unit.now,
            not_after=self.not_after,
            state=ConsentState.REQUESTED,
            **terms,
        )
        unit.add([consent])
        return acted(unit, actor, consent, ConsentAct.REQUESTED)

    def _check_earlier(self, unit: Unit, file: CreditFile) -> None:
        earlier = unit.find(Consent, credit_file=file.id, partner=self.partner, purpose=self.purpose)
        same = [consent for consent in earlier if set(consent.fields) <= set(self.fields)]
        if any(consent.state is ConsentState.REQUESTED and unit.now < consent.not_after for consent in same):
            raise Malformed(
                "The customer was asked for this already and has not answered.",
                code=Code.CONFLICT,
                advice="Wait for the answer, or record it.",
                path=("fields",),
            )
        refusals = [consent.stamp.recorded_at for consent in same if consent.state is ConsentState.REFUSED]
        again = max(refusals, default=unit.now - ASK_AGAIN_AFTER) + ASK_AGAIN_AFTER
        if unit.now < again:
            raise Malformed(
                f"The customer refused this; it is not asked again for {ASK_AGAIN_AFTER.days} days (rule CN-P16,"
                " verified; the time is our choice).",
                code=Code.CONFLICT,
                advice=f"Ask again from {again.isoformat(timespec='minutes')} on; the customer may give it any time.",
                path=("fields",),
            )


@operation("consent:record", chapter="4.4")
class GiveRequestedConsent(Operation[Consent]):
    """Records that the customer gives a consent it was asked for (Ch.4 §4)."""

    consent: Id
    """The consent as it was asked for. Ch.4 §4"""
    given_by: str
    """Who gives it. Ch.4 §4"""
    evidence_digest: str | None = None
    """SHA-256 of the evidence, in lower-case hex. Ch.4 §4"""
    proof: ConsentProof | None = None
    """By what authority it is given, and how that is shown; the customer's own where nothing is said. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Consent]:
        """It holds from now on, on the terms that were shown; a request whose end has come cannot be given any more.

        Chapter: 4.4.
        """
        consent = own_consent(unit, actor, self.consent)
        _check_open(consent)
        act = (self.proof or ConsentProof()).checked(unit, consent.credit_file, self.given_by, self.evidence_digest)
        usable(unit.get(CreditFile, consent.credit_file))
        check_term(unit.now, consent.not_after, unit.now)
        check_partner(unit.get(Partner, consent.partner), consent.purpose)
        shown(unit, consent.notice_digest, consent.notice_id, consent.notice_version)
        given = unit.replace(replace(consent, state=ConsentState.GIVEN, not_before=unit.now, **act))
        return acted(unit, actor, given, ConsentAct.GIVEN)


@operation("consent:record", chapter="4.4")
class RefuseConsent(Operation[Consent]):
    """Records that the customer refuses a consent it was asked for (Ch.4 §4)."""

    consent: Id
    """The consent as it was asked for. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Consent]:
        """Only what is asked can be refused; refusing twice changes nothing, and the 90 days run from the first time.

        Chapter: 4.4.
        """
        consent = own_consent(unit, actor, self.consent)
        if consent.state is not ConsentState.REFUSED:
            _check_open(consent)
            consent = unit.replace(replace(consent, state=ConsentState.REFUSED))
            return acted(unit, actor, consent, ConsentAct.REFUSED)
        return told(consent)


def _check_open(consent: Consent) -> None:
    if consent.state is not ConsentState.REQUESTED:
        raise Malformed(
            "The consent is not asked for any more.",
            code=Code.INVALID_TRANSITION,
            advice="Withdraw a consent that was given; record a new one with grantConsent.",
            path=("consent",),
        )
