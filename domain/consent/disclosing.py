"""Disclosure to a partner: consent is checked in the same transaction that records it (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain import canonical
from domain.actors import Actor
from domain.consent.consents import (
    Consent,
    ConsentUse,
    Disclosure,
    DisclosureState,
    Partner,
    Withheld,
)
from domain.consent.decision import Reason, Verdict, decide, same_request
from domain.consent.giving import reference
from domain.errors import Code, Malformed, NotConsented, NotPermitted
from domain.files.parties import CreditFile, FileState
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import SealedValue, Unit
from domain.reading import Purpose
from domain.records import TAGS

MAX_FIELDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """A disclosure, and the tags of the values that are opened for it, in the order they come."""

    disclosure: Disclosure
    tags: tuple[str, ...]


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

    def decide(self, unit: Unit, actor: Actor) -> Decided[Disclosed]:
        """Exactly the consented fields are disclosed; without any, it is refused, recorded, and says no more.

        The consent's row is locked, decided on and used in this transaction: a withdrawal comes before or after it,
        never between. Asking again under the same key gives the same disclosure and uses nothing up.

        Chapter: 4.4.
        """
        if actor.partner is None:
            raise NotPermitted("Only a partner asks for a disclosure.", advice="Use a partner's token.")
        self._check()
        partner = unit.get(Partner, actor.partner)
        asked = same_request(partner.id, self.credit_file, self.purpose, self.fields)
        earlier = unit.find(Disclosure, partner=partner.id, idempotency_key=self.idempotency_key)
        if earlier:
            return self._again(unit, earlier[0], canonical.digest(asked))
        files = unit.find(CreditFile, id=self.credit_file)
        consents = unit.find(Consent, lock=True, credit_file=self.credit_file, partner=partner.id)
        verdict = decide(consents, partner, purpose=self.purpose, fields=self.fields, at=unit.now)
        if not files or files[0].state is not FileState.OPEN or verdict.consent is None:
            raise _refused(files, verdict)
        return self._disclose(unit, files[0], partner, verdict, canonical.digest(asked))

    def _check(self) -> None:
        if not 1 <= len(self.fields) <= MAX_FIELDS:
            raise Malformed(f"Ask for 1 to {MAX_FIELDS} fields.", path=("fields",))
        if not 8 <= len(self.idempotency_key) <= 200 or not self.idempotency_key.isprintable():  # noqa: PLR2004 - the bounds the sentence names
            raise Malformed("An idempotency key has 8 to 200 printable characters.", path=("idempotencyKey",))

    def _disclose(
        self, unit: Unit, file: CreditFile, partner: Partner, verdict: Verdict, digest: str
    ) -> Decided[Disclosed]:
        consent = verdict.consent
        if consent is None:
            raise AssertionError("a disclosure rests on a consent")
        if consent.use is not ConsentUse.STANDING:
            consent = unit.replace(replace(consent, uses=consent.uses + 1))
        sealed = _load(unit, file, verdict.allowed)
        disclosure = Disclosure(
            stamp=unit.stamp(Disclosure, subject=file.subject_id),
            credit_file=file.id,
            partner=partner.id,
            consent=consent.id,
            consent_version=consent.stamp.version,
            purpose=self.purpose,
            fields=verdict.allowed,
            withheld=tuple(
                Withheld(field=field, reason=reason.value, unlock=reason.unlock)
                for field, reason in verdict.denied.items()
            ),
            state=DisclosureState.PARTIAL if verdict.denied else DisclosureState.RELEASED,
            idempotency_key=self.idempotency_key,
            request_digest=digest,
        )
        unit.add([disclosure])
        return _decided(disclosure, sealed, reference(consent))

    def _again(self, unit: Unit, earlier: Disclosure, digest: str) -> Decided[Disclosed]:
        if earlier.request_digest != digest:
            raise Malformed(
                "This idempotency key was used for another request.",
                code=Code.CONFLICT,
                advice="Use a new key for a new request.",
                path=("idempotencyKey",),
            )
        consent = unit.get(Consent, earlier.consent, lock=True) if earlier.consent else None
        partner = unit.get(Partner, earlier.partner)
        # A withdrawal bites at once, also on a retry; a use that is spent already is not spent again.
        unspent = [] if consent is None else [replace(consent, uses=0)]
        verdict = decide(unspent, partner, purpose=earlier.purpose, fields=earlier.fields, at=unit.now)
        files = unit.find(CreditFile, id=earlier.credit_file)
        if consent is None or verdict.consent is None or not files or files[0].state is not FileState.OPEN:
            raise _refused(files, verdict)
        return _decided(earlier, _load(unit, files[0], earlier.fields), reference(consent))


def _load(unit: Unit, file: CreditFile, tags: Sequence[str]) -> list[SealedValue[Any]]:
    fields = [TAGS[tag] for tag in tags if TAGS[tag].record == CreditFile.shape.table]
    return unit.sealed([file], fields)


def _decided(disclosure: Disclosure, sealed: Sequence[SealedValue[Any]], consent: str) -> Decided[Disclosed]:
    return Decided(
        value=Disclosed(disclosure=disclosure, tags=tuple(value.field.tag for value in sealed)),
        reveals=tuple(sealed),
        purpose=disclosure.purpose.value,
        consent=consent,
        resources=(disclosure.id, disclosure.credit_file),
    )


def _refused(files: Sequence[CreditFile], verdict: Verdict) -> NotConsented:
    """One refusal for every cause: a partner must not learn from it whether the customer exists."""
    reasons = sorted({reason.value for reason in verdict.denied.values()})
    cause = ",".join(reasons) if files else "NO_SUCH_FILE"
    return NotConsented(
        "No consent in force lets you have any of these fields for this purpose.",
        cause=cause or Reason.NO_CONSENT.value,
        path=("creditFile",),
    )
