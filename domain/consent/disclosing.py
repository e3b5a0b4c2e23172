"""Disclosure to a partner: consent is checked in the same transaction that records it (Ch.4 §4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain import canonical
from domain.actors import Actor
from domain.consent.attesting.predicates import DISCLOSABLE
from domain.consent.consents import (
    Consent,
    ConsentUse,
    Disclosure,
    DisclosureState,
    Partner,
    Withheld,
)
from domain.consent.decision import Question, Reason, Verdict, decide, used_today
from domain.consent.giving import reference
from domain.consent.handover.handing import handed, key_of
from domain.consent.notices import superseded
from domain.consent.trusted import within
from domain.consent.words import DisclosureAction
from domain.custody.holds import bars_disclosure
from domain.errors import Code, Malformed, NotConsented, NotFound, NotPermitted
from domain.files.parties import CreditFile, FileState
from domain.ids import Id
from domain.objections.objections import is_contested
from domain.operations import OWN, Asked, Decided, Operation, operation
from domain.ports import SealedValue, Unit
from domain.reading import Purpose

MAX_FIELDS = 50
MIN_KEY, MAX_KEY = 8, 200
"""Characters of an idempotency key."""
_TAG = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """A disclosure, and the tags of the values that are opened for it, in the order they come."""

    disclosure: Disclosure
    tags: tuple[str, ...]
    sealed_to: str | None = None
    """The thumbprint of the key they are sealed to, where the partner has one: then they leave in no other form."""


@operation("disclosure:request", chapter="4.4")
class RequestDisclosure(Operation[Disclosed]):
    """Asks, as a partner, for a customer's confidential fields for one purpose (Ch.4 §4)."""

    credit_file: Id
    """The file of the customer the partner asks about. Ch.4 §4"""
    purpose: Purpose
    """What the fields are asked for. Ch.4 §4"""
    fields: tuple[str, ...]
    """Tags of the confidential fields asked for, 1 to 50. Ch.4 §4"""
    idempotency_key: str
    """The partner's own key, 8 to 200 characters: asking again with it discloses nothing new. Ch.4 §4"""
    action: DisclosureAction = DisclosureAction.VIEW
    """What the partner wants to do with it. Ch.4 §4"""
    onward_to: Id | None = None
    """Whom it wants to hand it on to, where it does; the consent must allow it. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Disclosed]:
        """Exactly the consented fields that are on file are disclosed; without consent it is refused and says no more.

        The consent's row is locked, decided on and used in this transaction: a withdrawal comes before or after it,
        never between. Asking again under the same key gives the same disclosure and uses nothing up; neither does a
        request that would disclose nothing.

        Chapter: 4.4.
        """
        partner = partner_of(unit, actor)
        self._check()
        within(unit, actor, self.purpose, self.fields)
        digest = canonical.digest(self._request(partner))
        # Locked before the key is looked for: a request that comes second finds what the first one disclosed.
        consents = unit.find(Consent, lock=True, credit_file=self.credit_file, partner=partner.id)
        # A token that names consents opens nothing under others.
        consents = [consent for consent in consents if not actor.consents or consent.id in actor.consents]
        earlier = unit.find(Disclosure, partner=partner.id, idempotency_key=self.idempotency_key)
        if earlier:
            question, known = self._question(unit, consents), earlier[0].fields
            consent = again_allowed(unit, earlier[0], partner, question, known, digest, actor)
            return _decided(unit, earlier[0], _load(unit, unit.get(CreditFile, self.credit_file), known), consent)
        files = unit.find(CreditFile, id=self.credit_file)
        # Whom else the customer gave one is for the audit log alone: the refusal reads as every other does.
        others = consents or [
            one for one in unit.find(Consent, credit_file=self.credit_file) if one.partner != partner.id
        ]
        verdict = _decided_on(others, partner, self._question(unit, consents), self.fields)
        if not files or files[0].state is not FileState.OPEN or verdict.consent is None:
            raise refused(files, verdict)
        return self._disclose(unit, files[0], verdict.consent, verdict, digest)

    def asked(self) -> Asked:
        """The purpose, and the fields asked for that can be disclosed at all: what is no tag may hold anything.

        Chapter: 4.4, 8.1.
        """
        return Asked(purpose=self.purpose.value, fields=tuple(tag for tag in DISCLOSABLE if tag in self.fields))

    def _request(self, partner: Partner) -> dict[str, object]:
        """What makes two requests under one idempotency key the same request."""
        return {
            "partner": partner.id,
            "creditFile": self.credit_file,
            "purpose": self.purpose.value,
            "action": self.action.value,
            "onwardTo": self.onward_to,
            "fields": sorted(self.fields),
        }

    def _question(self, unit: Unit, consents: Sequence[Consent]) -> Question:
        found = [] if self.onward_to is None else unit.find(Partner, id=self.onward_to)
        if self.onward_to is not None and not found:
            raise not_consented(Reason.REDISCLOSURE.value)
        return Question(
            purpose=self.purpose,
            at=unit.now,
            action=self.action,
            onward=found[0] if found else None,
            superseded=superseded(unit, (consent.notice_digest for consent in consents)),
            held=bars_disclosure(unit, self.credit_file),
        )

    def _check(self) -> None:
        if not 1 <= len(self.fields) <= MAX_FIELDS:
            raise Malformed(
                f"Ask for 1 to {MAX_FIELDS} fields.", advice="Ask in parts, each with its own key.", path=("fields",)
            )
        for index, field in enumerate(self.fields):
            # What is no tag at all may hold anything, and must not get into a disclosure.
            if not _TAG.fullmatch(field):
                raise Malformed(
                    "A field is named by its tag.",
                    advice="Use tags such as contact.phone.",
                    path=("fields", str(index)),
                )
        check_key(self.idempotency_key)

    def _disclose(
        self, unit: Unit, file: CreditFile, consent: Consent, verdict: Verdict, digest: str
    ) -> Decided[Disclosed]:
        sealed = _load(unit, file, verdict.allowed)
        on_file = {value.field.tag for value in sealed}
        if not on_file:
            raise NotFound("None of these fields is on file.", advice=Reason.NOT_ON_FILE.unlock, path=("fields",))
        denied = verdict.denied | {tag: Reason.NOT_ON_FILE for tag in verdict.allowed if tag not in on_file}
        consent = used(unit, consent)
        disclosure = Disclosure(
            stamp=unit.stamp(Disclosure, subject=file.subject_id),
            credit_file=file.id,
            pseudonym=unit.pairwise(file.subject_id, consent.partner),
            partner=consent.partner,
            consent=consent.id,
            consent_version=consent.stamp.version,
            purpose=self.purpose,
            action=self.action,
            onward_to=self.onward_to,
            fields=tuple(tag for tag in verdict.allowed if tag in on_file),
            withheld=tuple(
                Withheld(field=tag, reason=denied[tag].value, unlock=denied[tag].unlock)
                for tag in dict.fromkeys(self.fields)
                if tag in denied
            ),
            obligations=verdict.obligations,
            delete_by=verdict.delete_by,
            state=DisclosureState.PARTIAL if denied else DisclosureState.RELEASED,
            contested=is_contested(unit, file.id),
            idempotency_key=self.idempotency_key,
            request_digest=digest,
        )
        unit.add([disclosure])
        return _decided(unit, disclosure, sealed, consent)


def partner_of(unit: Unit, actor: Actor) -> Partner:
    """The partner that asks for itself.

    Chapter: 4.4.
    Raises:  NotPermitted where nobody asks for a partner.
    """
    if actor.partner is None:
        raise NotPermitted("Only a partner asks for a disclosure.", advice="Use a partner's token.")
    return unit.get(Partner, actor.partner)


def check_key(idempotency_key: str) -> None:
    """Refuses an idempotency key that is too short, too long, or not printable.

    Chapter: 4.4.
    Raises:  Malformed.
    """
    if not MIN_KEY <= len(idempotency_key) <= MAX_KEY or not idempotency_key.isprintable():
        raise Malformed(
            f"An idempotency key has {MIN_KEY} to {MAX_KEY} printable characters.",
            advice="Send a key of your own making, a new one for each new request.",
            path=("idempotencyKey",),
        )


def again_allowed(
    unit: Unit,
    earlier: Disclosure,
    partner: Partner,
    question: Question,
    tags: Sequence[str],
    digest: str,
    actor: Actor,
) -> Consent:
    """The consent under which an earlier disclosure is told again, which uses nothing up.

    Chapter: 4.4.
    Raises:  NotConsented where it may not be told any more; Malformed where another thing is asked under its key.
    """
    if actor.consents and earlier.consent not in actor.consents:
        raise not_consented("CONSENT_NOT_NAMED")
    if earlier.request_digest != digest:
        raise Malformed(
            "This idempotency key was used for another request.",
            code=Code.CONFLICT,
            advice="Use a new key for a new request.",
            path=("idempotencyKey",),
        )
    consent = unit.get(Consent, earlier.consent, lock=True) if earlier.consent else None
    # A withdrawal bites at once, also on a retry; a use that is spent already is not spent again.
    unspent = [] if consent is None else [replace(consent, uses=0, day_uses=0)]
    notices = superseded(unit, (one.notice_digest for one in unspent))
    verdict = decide(unspent, partner, replace(question, superseded=notices), tags)
    files = unit.find(CreditFile, id=earlier.credit_file)
    if consent is None or verdict.consent is None or not files or files[0].state is not FileState.OPEN:
        raise refused(files, verdict)
    return consent


def used(unit: Unit, consent: Consent) -> Consent:
    """The consent after one more use, where its uses are counted at all.

    Chapter: 4.4.
    """
    if consent.use is ConsentUse.STANDING and consent.max_per_day is None:
        return consent
    today = used_today(consent, unit.now)
    counted = replace(
        consent,
        uses=consent.uses + (consent.use is not ConsentUse.STANDING),
        day_from=consent.day_from if today else unit.now,
        day_uses=today + 1,
    )
    return unit.replace(counted)


def _decided_on(consents: Sequence[Consent], partner: Partner, question: Question, fields: Sequence[str]) -> Verdict:
    """The decision over the fields that can be disclosed at all; the others are unknown to a partner."""
    known = [tag for tag in fields if tag in DISCLOSABLE]
    verdict = decide(consents, partner, question, known)
    return replace(verdict, denied=verdict.denied | {tag: Reason.UNKNOWN_FIELD for tag in fields if tag not in known})


def _load(unit: Unit, file: CreditFile, tags: Sequence[str]) -> list[SealedValue[Any]]:
    return unit.sealed([file], [DISCLOSABLE[tag] for tag in tags])


def _decided(
    unit: Unit, disclosure: Disclosure, sealed: Sequence[SealedValue[Any]], consent: Consent
) -> Decided[Disclosed]:
    tags, key = tuple(value.field.tag for value in sealed), key_of(unit, disclosure.partner)
    return Decided(
        value=Disclosed(disclosure=disclosure, tags=tags, sealed_to=None if key is None else key.jkt),
        reveals=tuple(sealed),
        purpose=disclosure.purpose.value,
        consent=reference(consent),
        resources=(disclosure.id, disclosure.credit_file, *([] if key is None else [key.id])),
        signs=None if key is None else handed(unit, disclosure, consent, key, tags),
        proves=(OWN,),
    )


def refused(files: Sequence[CreditFile], verdict: Verdict) -> NotConsented:
    """One refusal for every cause: a partner must not learn from it whether the customer exists.

    Chapter: 4.4.
    """
    if not files:
        cause = "NO_SUCH_FILE"
    elif verdict.consent is not None:
        cause = "FILE_NOT_OPEN"
    else:
        cause = ",".join(sorted({reason.value for reason in verdict.denied.values()}))
    return not_consented(cause)


def not_consented(cause: str) -> NotConsented:
    """The refusal itself; its cause is for the audit log alone.

    Chapter: 4.4.
    """
    return NotConsented(
        "No consent in force lets you have any of these fields for this purpose.", cause=cause, path=("creditFile",)
    )
