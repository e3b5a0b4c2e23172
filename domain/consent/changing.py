"""Confirming a consent anew, and striking out one that should never have been given (Ch.4 §4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.actors import Actor
from domain.consent.consents import Consent, ConsentState, Partner
from domain.consent.giving import acted, check_partner, check_term, own_consent, told
from domain.consent.handover.recalling import recall_under
from domain.consent.notices import shown
from domain.consent.terms import ConsentProof
from domain.consent.words import ConsentAct
from domain.errors import Code, Malformed
from domain.files.codes import check_digest, required_text
from domain.files.opening import usable
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit


@operation("consent:record", chapter="4.4")
class ReconfirmConsent(Operation[Consent]):
    """Records that the customer confirms a consent anew, for another term or under a later notice (Ch.4 §4)."""

    consent: Id
    """The consent, which is given and not over. Ch.4 §4"""
    given_by: str
    """Who confirms it. Ch.4 §4"""
    not_after: datetime
    """Until when it holds now, in the future. Ch.4 §4"""
    notice_digest: str
    """SHA-256 of the notice as it was shown this time, in lower-case hex. Ch.4 §4"""
    evidence_digest: str | None = None
    """SHA-256 of the evidence of this act, in lower-case hex. Ch.4 §4"""
    proof: ConsentProof | None = None
    """By what authority it is confirmed, and how that is shown; the customer's own where nothing is said. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Consent]:
        """It is a new version by a new act; recipient, purpose, fields, uses and actions stay as they were given.

        Chapter: 4.4.
        """
        consent = own_consent(unit, actor, self.consent)
        if consent.state is not ConsentState.GIVEN or unit.now >= consent.not_after:
            raise Malformed(
                "Only a consent that holds, or will, can be confirmed anew.",
                code=Code.INVALID_TRANSITION,
                advice="Record a new consent with grantConsent.",
                path=("consent",),
            )
        usable(unit.get(CreditFile, consent.credit_file))
        check_partner(unit.get(Partner, consent.partner), consent.purpose)
        check_term(consent.not_before, self.not_after, unit.now)
        check_digest(self.notice_digest, "noticeDigest")
        name, version = shown(unit, self.notice_digest, None, None)
        act = (self.proof or ConsentProof()).checked(unit, consent.credit_file, self.given_by, self.evidence_digest)
        confirmed = replace(
            consent,
            not_after=self.not_after,
            notice_id=name,
            notice_version=version,
            notice_digest=self.notice_digest,
            **act,
        )
        return acted(unit, actor, unit.replace(confirmed), ConsentAct.RECONFIRMED)


@operation("consent:invalidate", chapter="4.4")
class InvalidateConsent(Operation[Consent]):
    """Strikes out a consent that was given wrongly, such as without authority; nothing more rests on it (Ch.4 §4)."""

    consent: Id
    """The consent, which is given. Ch.4 §4"""
    reason: str
    """Why; it is kept sealed beside the audit entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Consent]:
        """Only a given consent is struck out; twice changes nothing, and what was disclosed under it stays recorded.

        Chapter: 4.4.
        """
        reason = required_text(self.reason, "reason")
        consent = own_consent(unit, actor, self.consent)
        if consent.state is ConsentState.INVALIDATED:
            return replace(told(consent), note=reason)
        if consent.state is not ConsentState.GIVEN:
            raise Malformed(
                "Only a given consent can be struck out.",
                code=Code.INVALID_TRANSITION,
                advice="What was not given, or was withdrawn, discloses nothing anyway.",
                path=("consent",),
            )
        consent = unit.replace(replace(consent, state=ConsentState.INVALIDATED))
        recall_under(unit, consent)
        return replace(acted(unit, actor, consent, ConsentAct.INVALIDATED), note=reason)
