"""Information comes from lawful sources only, and every fact says from which (Ch.4 §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from domain.actors import Actor
from domain.errors import Code, Malformed
from domain.files.codes import check_digest, required_text, short_text
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, link, record


class SourceType(Enum):
    """Where credit information may come from (Ch.4 §3)."""

    SELF_PROVIDED = "SELF_PROVIDED"
    INTERNAL_TRANSACTION = "INTERNAL_TRANSACTION"
    CREDIT_AGENCY = "CREDIT_AGENCY"
    INDUSTRY_ASSOCIATION = "INDUSTRY_ASSOCIATION"
    PUBLIC_CREDIT_PLATFORM = "PUBLIC_CREDIT_PLATFORM"
    COURT_PUBLICATION = "COURT_PUBLICATION"
    REGISTRY = "REGISTRY"
    PARTNER = "PARTNER"


class LawfulBasis(Enum):
    """Why a fact may be kept (personal information law, article 13)."""

    CONSENT = "CONSENT"
    SEPARATE_CONSENT = "SEPARATE_CONSENT"
    WRITTEN_CONSENT = "WRITTEN_CONSENT"
    CONTRACT = "CONTRACT"
    LEGAL_DUTY = "LEGAL_DUTY"
    LEGALLY_PUBLIC = "LEGALLY_PUBLIC"
    OTHER_STATUTE = "OTHER_STATUTE"


class SourceState(Enum):
    """A source counts only while it is registered."""

    PROPOSED = "PROPOSED"
    REGISTERED = "REGISTERED"
    SUSPENDED = "SUSPENDED"


@record("so", table="source", read="source:read", unique=(("name",),), subject_reach=False)
class Source(Record):
    """A registered source of credit information, with the lawful bases it may rest on (Ch.4 §3)."""

    type: SourceType = fact("What kind of source it is. Ch.4 §3", filter=True)
    name: str = fact("Its name, unique in the company. Ch.4 §3", order=True)
    lawful_bases: tuple[LawfulBasis, ...] = fact("The lawful bases its data may rest on. Ch.4 §3")
    licence: str | None = fact("The licence or agreement it is used under. Ch.4 §3", default=None)
    stale_after_days: int = fact("After how many days its data counts as stale. Ch.7 §2", default=365)
    state: SourceState = fact("Only a REGISTERED source may be used. Ch.4 §3", filter=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenanced(Record):
    """A record that says where it came from (Ch.4 §3)."""

    source: Id = link("Source", "The registered source it came from. Ch.4 §3", same_subject=False)
    lawful_basis: LawfulBasis = fact("The lawful basis it is kept on. Ch.4 §3")
    collector: str = fact("Who collected it. Ch.4 §3")
    collected_at: datetime = fact("When it was collected. Ch.4 §3")
    evidence_digest: str | None = fact("SHA-256 of the evidence it rests on, in hex. Ch.4 §3", default=None)
    evidence: Id | None = link("Document", "The document it rests on. Ch.4 §3", default=None, same_subject=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the facts of one operation come from: source, lawful basis, and the evidence's digest."""

    source: Id
    """The registered source the facts come from. Ch.4 §3"""
    lawful_basis: LawfulBasis
    """The lawful basis they are kept on; the source must be registered for it. Ch.4 §3"""
    collected_at: datetime | None = None
    """When they were collected; now where nothing is said. Ch.4 §3"""
    evidence_digest: str | None = None
    """SHA-256 of the evidence they rest on, in lower-case hex. Ch.4 §3"""
    evidence: Id | None = None
    """The document they rest on: stored, and of the same file. Ch.4 §3"""
    source_row: str | None = None
    """Where a record stands in its source; one source tells of one row once. Ch.4 §3"""


def past(instant: datetime, now: datetime) -> bool:
    """Whether an instant has its time zone and has come.

    Chapter: 4.2.
    """
    return instant.tzinfo is not None and instant <= now


def lawful(unit: Unit, origin: Origin) -> Source:
    """The source, when it is registered and the basis is one it may rest on; what it says of itself is well formed.

    Chapter: 4.3.
    Raises:  Malformed (UNKNOWN_SOURCE, UNLAWFUL_SOURCE, MALFORMED_DATE, MALFORMED_CODE).
    """
    if origin.collected_at is not None and not past(origin.collected_at, unit.now):
        raise Malformed(
            "What is recorded was collected before, at an instant with its time zone.",
            code=Code.MALFORMED_DATE,
            advice="Send the instant of collection, or leave it out.",
            path=("collectedAt",),
        )
    check_digest(origin.evidence_digest, "evidenceDigest")
    short_text(origin.source_row, "sourceRow")
    found = unit.find(Source, id=origin.source)
    if not found:
        raise Malformed(
            "The source is not registered.",
            code=Code.UNKNOWN_SOURCE,
            advice="Register it with registerSource, with its lawful bases, then record from it.",
            path=("source",),
        )
    source = found[0]
    if source.state is not SourceState.REGISTERED or origin.lawful_basis not in source.lawful_bases:
        raise Malformed(
            "The source may not be used on this lawful basis.",
            code=Code.UNLAWFUL_SOURCE,
            advice="Use a basis the source is registered for, or have the privacy officer register it.",
            path=("lawfulBasis",),
        )
    return source


@operation("source:register", chapter="4.3")
class RegisterSource(Operation[Source]):
    """Registers a source; without a lawful basis it stays proposed and nothing from it is accepted (Ch.4 §3)."""

    type: SourceType
    """What kind of source it is. Ch.4 §3"""
    name: str
    """Its name, unique in the company. Ch.4 §3"""
    lawful_bases: tuple[LawfulBasis, ...]
    """The lawful bases its data may rest on; with none it stays proposed. Ch.4 §3"""
    licence: str | None = None
    """The licence or agreement it is used under. Ch.4 §3"""
    stale_after_days: int = 365
    """After how many days its data counts as stale, at least 1. Ch.7 §2"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Source]:
        """A name is registered once; a source is REGISTERED only with a lawful basis.

        Chapter: 4.3.
        """
        del actor
        name = required_text(self.name, "name")
        if self.stale_after_days < 1:
            raise Malformed(
                "Data of a source counts as stale after at least one day.",
                advice="Send a number of days from 1 on.",
                path=("staleAfterDays",),
            )
        if unit.find(Source, name=name):
            raise Malformed(
                "A source of this name exists already.",
                code=Code.CONFLICT,
                advice="Use it, or choose another name.",
                path=("name",),
            )
        source = Source(
            stamp=unit.stamp(Source),
            type=self.type,
            name=name,
            lawful_bases=tuple(dict.fromkeys(self.lawful_bases)),
            licence=short_text(self.licence, "licence"),
            stale_after_days=self.stale_after_days,
            state=SourceState.REGISTERED if self.lawful_bases else SourceState.PROPOSED,
        )
        unit.add([source])
        return Decided(value=source)
