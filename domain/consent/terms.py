"""What a consent says beyond whom, for what and until when, and who gave it on what authority (Ch.4 §4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.consent.consents import Partner
from domain.consent.notices import language_code, shown
from domain.consent.words import Authority, ConsentKind, DisclosureAction, EvidenceMethod, Redisclosure
from domain.documents.evidence import check_evidence
from domain.errors import Code, Malformed
from domain.files.codes import check_digest, required_text, short_text
from domain.files.parties import CreditFile, Customer
from domain.ids import Id
from domain.ports import Unit

MAX_DAYS: Final = 3_660
"""How many days back, or of keeping, a consent can speak of: ten years."""
MAX_PER_DAY: Final = 10_000
MAX_ONWARD: Final = 20
OF_PERSONS: Final = frozenset({"identity.legal_representative"})
"""Tags of what tells of a natural person whatever the customer is."""
_JURISDICTION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTerms:
    """What a consent says beyond whom, for what and until when (ISO/IEC TS 27560)."""

    jurisdiction: str = "CN"
    """The law it is given under, as ISO 3166 writes countries and regions. Ch.4 §4"""
    language: str = "zh"
    """The language the customer is addressed in. Ch.4 §4"""
    kind: ConsentKind = ConsentKind.SEPARATE
    """Whether it is asked for by itself; GENERAL opens nothing that tells of a natural person. Ch.4 §4"""
    notice_id: str | None = None
    """The name of the notice; found by its digest where the notice is published here. Ch.4 §4"""
    notice_version: str | None = None
    """The version of the notice; found by its digest where the notice is published here. Ch.4 §4"""
    lookback_days: int | None = None
    """How many days back the credit records may lie that it opens, 1 to 3660. Ch.4 §4"""
    actions: tuple[DisclosureAction, ...] = (DisclosureAction.VIEW,)
    """What the recipient may do with it. Ch.4 §4"""
    redisclosure: Redisclosure = Redisclosure.PROHIBITED
    """Whether the recipient may hand it on. Ch.4 §4"""
    onward_to: tuple[Id, ...] = ()
    """The partners it may be handed on to; with NAMED only. Ch.4 §4"""
    retention_days: int | None = None
    """After how many days the recipient deletes it, 1 to 3660; at the end of the consent otherwise. Ch.4 §4"""
    max_per_day: int | None = None
    """How many uses it allows in a day of 24 hours; as many as there are otherwise. Ch.4 §4"""
    withdrawal_contact: str | None = None
    """Whom the customer may turn to in order to withdraw it, besides withdrawConsent. Ch.4 §4"""

    def checked(
        self,
        unit: Unit,
        file: CreditFile,
        partner: Partner,
        tags: Sequence[str],
        notice: str,
        *,
        before: bool = False,
    ) -> dict[str, Any]:
        """The facts of the consent, checked; rule CN-P5 asks for a separate consent where persons are told of.

        A consent that was given `before` may rest on a notice that was superseded since.

        Chapter: 4.4.
        Raises:  Malformed; NotFound for a partner that is not there.
        """
        if not _JURISDICTION.fullmatch(self.jurisdiction):
            raise Malformed(
                "A jurisdiction is written like CN or CN-SH.",
                code=Code.MALFORMED_CODE,
                advice="Send the code of ISO 3166.",
                path=("jurisdiction",),
            )
        for value, most, name in (
            (self.lookback_days, MAX_DAYS, "lookbackDays"),
            (self.retention_days, MAX_DAYS, "retentionDays"),
            (self.max_per_day, MAX_PER_DAY, "maxPerDay"),
        ):
            if value is not None and not 1 <= value <= most:
                raise Malformed(f"The {name} lie between 1 and {most}.", path=(name,))
        check_digest(notice, "noticeDigest")
        said = short_text(self.notice_id, "noticeId"), short_text(self.notice_version, "noticeVersion")
        known, version = shown(unit, notice, *said, before=before)
        self._check_kind(unit, file, tags)
        return {
            "jurisdiction": self.jurisdiction,
            "language": language_code(self.language),
            "kind": self.kind,
            "notice_id": known,
            "notice_version": version,
            "notice_digest": notice,
            "lookback_days": self.lookback_days,
            "actions": self._actions(),
            "redisclosure": self.redisclosure,
            "onward_to": self._onward(unit, partner),
            "retention_days": self.retention_days,
            "max_per_day": self.max_per_day,
            "withdrawal_contact": short_text(self.withdrawal_contact, "withdrawalContact"),
        }

    def _actions(self) -> tuple[DisclosureAction, ...]:
        if not self.actions:
            raise Malformed("A consent allows at least one action.", code=Code.MISSING_VALUE, path=("actions",))
        return tuple(action for action in DisclosureAction if action in self.actions)

    def _check_kind(self, unit: Unit, file: CreditFile, tags: Sequence[str]) -> None:
        natural = unit.get(Customer, file.customer).kind.natural or not OF_PERSONS.isdisjoint(tags)
        if self.kind is ConsentKind.GENERAL and natural:
            raise Malformed(
                "What tells of a natural person needs a separate consent (rule CN-P5, verified).",
                advice="Ask for it by itself, naming the recipient, and record it as SEPARATE.",
                path=("kind",),
            )

    def _onward(self, unit: Unit, partner: Partner) -> tuple[Id, ...]:
        named = tuple(sorted(set(self.onward_to)))
        if (self.redisclosure is Redisclosure.NAMED) != bool(named) or len(named) > MAX_ONWARD or partner.id in named:
            raise Malformed(
                f"onwardTo goes with NAMED: 1 to {MAX_ONWARD} other partners.",
                advice="Name whom it may be handed on to, or leave it out and say PROHIBITED or PROCESSORS_ONLY.",
                path=("onwardTo",),
            )
        for one in named:
            unit.get(Partner, one)
        return named


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentProof:
    """By what authority a consent is given, and how that is shown (L10: kept so that it can serve as evidence)."""

    authority: Authority = Authority.SUBJECT
    """By what authority it is given; any but the customer's own needs proof. Ch.4 §4"""
    authority_digest: str | None = None
    """SHA-256 of the proof of authority, in lower-case hex. Ch.4 §4"""
    authority_document: Id | None = None
    """The proof of authority, where it is a document of this file. Ch.4 §4"""
    evidence_method: EvidenceMethod | None = None
    """How it is shown that it was given. Ch.4 §4"""
    evidence_document: Id | None = None
    """The evidence, where it is a document of this file. Ch.4 §4"""

    def checked(self, unit: Unit, file: Id, given_by: str, evidence: str | None) -> dict[str, Any]:
        """The facts of the act by which a consent is given; nobody gives another's without proof that he may.

        Chapter: 4.4.
        Raises:  Malformed; NO_AUTHORITY where the proof is missing.
        """
        check_digest(evidence, "evidenceDigest")
        check_digest(self.authority_digest, "authorityDigest")
        proven = self.authority_digest is not None or self.authority_document is not None
        if self.authority is not Authority.SUBJECT and not proven:
            raise Malformed(
                "Who gives a consent for another needs proof of authority.",
                code=Code.NO_AUTHORITY,
                advice="Send the digest of the proof, or the document on file; otherwise the customer gives it itself.",
                path=("authorityDigest",),
            )
        for document, name in (
            (self.authority_document, "authorityDocument"),
            (self.evidence_document, "evidenceDocument"),
        ):
            check_evidence(unit, document, file, name)
        return {
            "given_by": required_text(given_by, "givenBy"),
            "authority": self.authority,
            "authority_digest": self.authority_digest,
            "authority_document": self.authority_document,
            "evidence_digest": evidence,
            "evidence_method": self.evidence_method,
            "evidence_document": self.evidence_document,
        }
