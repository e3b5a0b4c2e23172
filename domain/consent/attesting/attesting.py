"""A partner asks yes or no about a fact; the answer is signed, counted as a use, and holds no value (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain import canonical
from domain.actors import Actor
from domain.consent.attesting.facts import answer, is_disputed
from domain.consent.attesting.predicates import PERIOD_DAYS, PREDICATES, VERSION, Predicate, PredicateCode, threshold_of
from domain.consent.consents import Consent, Disclosure, DisclosureState, Partner
from domain.consent.decision import Question, Reason, Verdict, decide
from domain.consent.disclosing import again_allowed, check_key, partner_of, refused, used
from domain.consent.giving import reference
from domain.consent.handover.handing import key_of
from domain.consent.keys import PartnerKey
from domain.consent.notices import superseded
from domain.consent.trusted import within
from domain.consent.words import DisclosureAction
from domain.custody.holds import bars_disclosure
from domain.errors import NotConsented, NotFound
from domain.files.parties import CreditFile, FileState
from domain.ids import Id
from domain.operations import OWN, Asked, Decided, Operation, operation
from domain.ports import Handover, Unit
from domain.reading import Purpose
from domain.records import Record, fact, link, record

TYPE = "attestation+jwt"
"""The `typ` of an answer."""


@record("tn", table="attestation", read="attestation:read")
class Attestation(Record):
    """What was asked about a customer and answered with yes or no (Ch.4 §4)."""

    credit_file: Id = link("CreditFile", "The file it is about. Ch.4 §4")
    partner: Id = link("Partner", "Who asked. Ch.4 §4", same_subject=False)
    disclosure: Id = link("Disclosure", "The disclosure it is. Ch.4 §4")
    predicate: PredicateCode = fact("What was asked. Ch.4 §4", filter=True)
    predicates_version: int = fact("The version of the list of predicates. Ch.4 §4")
    threshold: str = fact("The threshold, and behind a slash the days looked back over where there are any. Ch.4 §4")
    answer: bool = fact("The answer. Ch.4 §4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An attestation with the disclosure it is; its answer leaves signed, and sealed where the partner has a key."""

    disclosure: Disclosure
    sealed_to: str | None = None


@operation("disclosure:attest", chapter="4.4")
class RequestAttestation(Operation[Answered]):
    """Asks, as a partner, yes or no about a fact of a customer, without the fact (Ch.4 §4)."""

    credit_file: Id
    """The file of the customer the partner asks about. Ch.4 §4"""
    purpose: Purpose
    """What it is asked for. Ch.4 §4"""
    predicate: PredicateCode
    """What is asked. Ch.4 §4"""
    threshold: str
    """What the fact is held against: a grade such as A, points, or days. Ch.4 §4"""
    idempotency_key: str
    """The partner's own key, 8 to 200 characters: asking again with it tells nothing new. Ch.4 §4"""
    days_back: int | None = None
    """Over how many days back it is asked, with NO_OVERDUE_BEYOND: the consent has to reach as far. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Answered]:
        """One consent has to cover the fact for ATTEST; of each predicate few thresholds are answered in 30 days.

        All consents for the partner are locked first, so that whoever asks twice at once is counted twice.

        Chapter: 4.4.
        """
        partner = partner_of(unit, actor)
        check_key(self.idempotency_key)
        predicate = PREDICATES[self.predicate]
        threshold = threshold_of(predicate, self.threshold, self.days_back)
        within(unit, actor, self.purpose, (predicate.tag,))
        consents = unit.find(Consent, lock=True, credit_file=self.credit_file, partner=partner.id)
        consents = [consent for consent in consents if not actor.consents or consent.id in actor.consents]
        digest = canonical.digest(self._request(partner, threshold))
        files = unit.find(CreditFile, id=self.credit_file)
        question = self._question(unit, files, consents)
        earlier = unit.find(Disclosure, partner=partner.id, idempotency_key=self.idempotency_key)
        if earlier:
            consent = again_allowed(unit, earlier[0], partner, question, (predicate.tag,), digest, actor)
            (kept,) = unit.find(Attestation, disclosure=earlier[0].id)
            return _decided(unit, kept, earlier[0], consent, predicate)
        verdict = decide(consents, partner, question, (predicate.tag,))
        if not files or files[0].state is not FileState.OPEN or verdict.consent is None:
            raise refused(files, verdict)
        self._refuse_halving(unit, partner, predicate, threshold)
        told = answer(unit, files[0], self.predicate, threshold)
        if told is None:
            raise NotFound("There is no such fact to tell of.", advice=Reason.NOT_ON_FILE.unlock, path=("predicate",))
        return self._answer(unit, files[0], verdict, verdict.consent, threshold, told=told, digest=digest)

    def asked(self) -> Asked:
        """The purpose, and the fact asked about.

        Chapter: 4.4, 8.1.
        """
        return Asked(purpose=self.purpose.value, fields=(PREDICATES[self.predicate].tag,))

    def _request(self, partner: Partner, threshold: str) -> dict[str, object]:
        """What makes two requests under one idempotency key the same request."""
        return {
            "partner": partner.id,
            "creditFile": self.credit_file,
            "purpose": self.purpose.value,
            "predicate": self.predicate.value,
            "threshold": threshold,
        }

    def _question(self, unit: Unit, files: Sequence[CreditFile], consents: Sequence[Consent]) -> Question:
        tag = PREDICATES[self.predicate].tag
        disputed = bool(files) and is_disputed(unit, files[0], self.predicate)
        return Question(
            purpose=self.purpose,
            at=unit.now,
            action=DisclosureAction.ATTEST,
            superseded=superseded(unit, (consent.notice_digest for consent in consents)),
            days_back={} if self.days_back is None else {tag: self.days_back},
            disputed=frozenset({tag} if disputed else ()),
            held=bars_disclosure(unit, self.credit_file),
        )

    def _refuse_halving(self, unit: Unit, partner: Partner, predicate: Predicate, threshold: str) -> None:
        """Refuses a threshold that is new where as many different ones were answered as may be in 30 days."""
        since = unit.now - timedelta(days=PERIOD_DAYS)
        found = unit.find(Attestation, partner=partner.id, credit_file=self.credit_file, predicate=self.predicate)
        answered = {one.threshold for one in found if one.stamp.created_at > since}
        if threshold not in answered and len(answered) >= predicate.thresholds:
            raise NotConsented(
                f"No more than {predicate.thresholds} different thresholds are answered in {PERIOD_DAYS} days.",
                advice=Reason.THRESHOLDS_EXHAUSTED.unlock,
                cause=Reason.THRESHOLDS_EXHAUSTED.value,
                path=("threshold",),
            )

    def _answer(
        self,
        unit: Unit,
        file: CreditFile,
        verdict: Verdict,
        consent: Consent,
        threshold: str,
        *,
        told: bool,
        digest: str,
    ) -> Decided[Answered]:
        consent = used(unit, consent)
        predicate = PREDICATES[self.predicate]
        disclosure = Disclosure(
            stamp=unit.stamp(Disclosure, subject=file.subject_id),
            credit_file=file.id,
            pseudonym=unit.pairwise(file.subject_id, consent.partner),
            partner=consent.partner,
            consent=consent.id,
            consent_version=consent.stamp.version,
            purpose=self.purpose,
            action=DisclosureAction.ATTEST,
            fields=(predicate.tag,),
            obligations=verdict.obligations,
            delete_by=verdict.delete_by,
            state=DisclosureState.RELEASED,
            idempotency_key=self.idempotency_key,
            request_digest=digest,
        )
        attestation = Attestation(
            stamp=unit.stamp(Attestation, subject=file.subject_id),
            credit_file=file.id,
            partner=consent.partner,
            disclosure=disclosure.id,
            predicate=self.predicate,
            predicates_version=VERSION,
            threshold=threshold,
            answer=told,
        )
        unit.add([disclosure, attestation])
        return _decided(unit, attestation, disclosure, consent, predicate)


def _decided(
    unit: Unit, attestation: Attestation, disclosure: Disclosure, consent: Consent, predicate: Predicate
) -> Decided[Answered]:
    key = key_of(unit, disclosure.partner)
    return Decided(
        value=Answered(disclosure=disclosure, sealed_to=None if key is None else key.jkt),
        purpose=disclosure.purpose.value,
        consent=reference(consent),
        resources=(disclosure.id, disclosure.credit_file, *([] if key is None else [key.id])),
        fields=(predicate.tag,),
        signs=_signed(unit, attestation, disclosure, consent, key),
        proves=(OWN,),
    )


def _signed(
    unit: Unit, attestation: Attestation, disclosure: Disclosure, consent: Consent, key: PartnerKey | None
) -> Callable[[Sequence[Any]], Handover]:
    """What the partner gets: the question and the answer, and what it owes for it."""
    threshold, _, back = attestation.threshold.partition("/")
    handover = Handover(
        type=TYPE,
        key=None if key is None else key.jwk,
        partner=disclosure.partner,
        consent=consent.id,
        consent_version=disclosure.consent_version or 0,
        disclosure=disclosure.id,
        issued_at=unit.now,
        claims={
            "sub": disclosure.pseudonym,
            "purpose": disclosure.purpose.value,
            "action": disclosure.action.value,
            "predicate": f"{attestation.predicate.value}/{attestation.predicates_version}",
            "threshold": threshold,
            "days_back": int(back) if back else None,
            "answer": attestation.answer,
            "as_of": attestation.stamp.created_at.isoformat(),
            "obligations": [one.value for one in disclosure.obligations],
            "delete_by": None if disclosure.delete_by is None else disclosure.delete_by.isoformat(),
        },
    )
    return lambda _: handover
