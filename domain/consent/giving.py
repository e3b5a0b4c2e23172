"""Registering partners, giving and withdrawing consent (Ch.4 §4)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from domain.actors import Actor
from domain.consent.consents import Consent, ConsentState, ConsentUse, Partner, PartnerState
from domain.errors import Code, Malformed, NotFound
from domain.files.opening import usable
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.reading import Purpose
from domain.records import TAGS

_DIGEST = re.compile(r"[0-9a-f]{64}")


@operation("partner:register", chapter="4.4")
class RegisterPartner(Operation[Partner]):
    """Registers a third party with the purposes it may ask for (Ch.4 §4)."""

    name: str
    """The partner's legal name, unique in the company. Ch.4 §4"""
    contact: str
    """How a customer reaches it about its data. Ch.4 §4"""
    purposes: tuple[Purpose, ...]
    """The purposes it may ask for, at least one. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Partner]:
        """A partner has a name of its own, a contact and at least one purpose.

        Chapter: 4.4.
        """
        del actor
        name, contact = self.name.strip(), self.contact.strip()
        if not name or not contact or not self.purposes:
            raise Malformed("A partner needs a name, a contact and at least one purpose.", path=("name",))
        if unit.find(Partner, name=name):
            raise Malformed("A partner of this name exists already.", code=Code.CONFLICT, path=("name",))
        partner = Partner(
            stamp=unit.stamp(Partner),
            name=name,
            contact=contact,
            purposes=tuple(dict.fromkeys(self.purposes)),
            state=PartnerState.ACTIVE,
        )
        unit.add([partner])
        return Decided(value=partner, resources=(partner.id,))


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
    """Who gave it, and by what authority. Ch.4 §4"""
    not_before: datetime | None = None
    """From when it holds; from now on where nothing is said. Ch.4 §4"""
    max_uses: int | None = None
    """How many uses it allows; with COUNTED only. Ch.4 §4"""
    evidence_digest: str | None = None
    """SHA-256 of the evidence, in lower-case hex. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Consent]:
        """A consent names known confidential fields, an end, and the notice as shown; a customer gives only its own.

        Chapter: 4.4.
        """
        file = own_file(unit, actor, self.credit_file)
        partner = unit.get(Partner, self.partner)
        begins = self.not_before or unit.now
        self._check(partner, begins, unit.now)
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
            given_by=self.given_by.strip(),
            notice_digest=self.notice_digest,
            evidence_digest=self.evidence_digest,
        )
        unit.add([consent])
        return Decided(
            value=consent,
            purpose=self.purpose.value,
            consent=reference(consent),
            resources=(consent.id, file.id),
        )

    def _check(self, partner: Partner, begins: datetime, now: datetime) -> None:
        unknown = sorted(set(self.fields) - set(TAGS))
        if unknown or not self.fields:
            raise Malformed(
                "A consent names confidential fields by their tags.",
                advice="Use tags such as contact.phone; unknown: " + (", ".join(unknown) or "none were sent") + ".",
                path=("fields",),
            )
        if self.purpose not in partner.purposes:
            raise Malformed("The partner is not registered for this purpose.", path=("purpose",))
        if self.not_after <= max(begins, now):
            raise Malformed(
                "A consent must end after it begins, in the future.", code=Code.MALFORMED_DATE, path=("notAfter",)
            )
        counted = self.use is ConsentUse.COUNTED
        if counted != (self.max_uses is not None) or (self.max_uses is not None and self.max_uses < 1):
            raise Malformed("maxUses goes with COUNTED, and is at least 1.", path=("maxUses",))
        if not self.given_by.strip():
            raise Malformed("A consent says who gave it.", code=Code.MISSING_VALUE, path=("givenBy",))
        for name, digest in (("noticeDigest", self.notice_digest), ("evidenceDigest", self.evidence_digest)):
            if digest is not None and not _DIGEST.fullmatch(digest):
                raise Malformed("A digest is SHA-256 in lower-case hex.", code=Code.MALFORMED_CODE, path=(name,))


@operation("consent:withdraw", chapter="4.4")
class WithdrawConsent(Operation[Consent]):
    """Withdraws a consent, in one step; the next disclosure is refused at once (Ch.4 §4)."""

    consent: Id
    """The consent to withdraw. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Consent]:
        """Only a given consent can be withdrawn; withdrawing twice changes nothing.

        Chapter: 4.4.
        """
        consent = unit.get(Consent, self.consent, lock=True)
        own_file(unit, actor, consent.credit_file, any_state=True)
        if consent.state is not ConsentState.WITHDRAWN:
            if consent.state is not ConsentState.GIVEN:
                raise Malformed("Only a given consent can be withdrawn.", code=Code.INVALID_TRANSITION)
            consent = unit.replace(replace(consent, state=ConsentState.WITHDRAWN))
        return Decided(
            value=consent,
            purpose=consent.purpose.value,
            consent=reference(consent),
            resources=(consent.id, consent.credit_file),
        )


def own_file(unit: Unit, actor: Actor, credit_file: Id, *, any_state: bool = False) -> CreditFile:
    """The file, which for a customer acting for itself must be its own.

    Chapter: 3.3, 4.4.
    Raises:  NotFound.
    """
    file = unit.get(CreditFile, credit_file)
    if actor.subject is not None and file.subject_id != actor.subject:
        raise NotFound("There is no such credit file.", path=("creditFile",), cause="NOT_OWN_FILE")
    if not any_state:
        usable(file)
    return file


def reference(consent: Consent) -> str:
    """A consent with its version, as audit entries name it.

    Chapter: 4.4.
    """
    return f"{consent.id}/{consent.stamp.version}"
