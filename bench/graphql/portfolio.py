"""An invented portfolio in Credence's own tables, written through its own store: the same ids on every database."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from api.app import prepare
from api.settings import Settings
from domain.actors import Actor
from domain.assessment.assessments import (
    Assessment,
    AssessmentKind,
    AssessmentOutcome,
    AssessmentState,
    PointsLine,
    Reason,
)
from domain.assessment.scale import Calibration, ControlBasis, ControlKind, Grade, Tier
from domain.audit import Entry, Outcome, Trace
from domain.consent.consents import Consent, ConsentState, ConsentUse, Partner, PartnerState
from domain.controls import ControlAction, ControlState
from domain.errors import CreditError
from domain.files.parties import CreditFile, CreditStatus, Customer, PartyKind, SizeClass
from domain.files.sources import LawfulBasis, Source, SourceState, SourceType
from domain.ids import Id, encode
from domain.money import Money
from domain.ports import Unit, Work
from domain.reading import Purpose
from domain.tenancy import OpenTenant
from vault.documents.places import blobs_at
from vault.keys import Keyring
from vault.providers import chosen
from vault.store.postgres import PostgresStore
from vault.store.sqlite import SqliteStore
from vault.store.transaction import Room

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
READ, OTHER = encode("te", bytes(15) + b"\x0a"), encode("te", bytes(15) + b"\x0b")
"""The company that is read, and one beside it whose rows must never be found."""
ACTIONS = 2
"""Control actions per assessment."""
AT_ONCE = 50
"""Files per transaction."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is invented: files per company, and assessments per file of the one and of the other company."""

    files: int
    assessments: tuple[int, int] = (10, 5)


class Standing:
    """A clock that stands still: what is written is the same whenever it is written."""

    def now(self) -> datetime:
        """Always the same instant."""
        return NOW


class Counted:
    """Ids that count up."""

    def __init__(self) -> None:
        self._count = 0

    def make(self, prefix: str, milliseconds: int) -> Id:
        """The next id of a type."""
        self._count += 1
        return encode(prefix, milliseconds.to_bytes(6, "big") + self._count.to_bytes(10, "big"))


@dataclass(frozen=True, slots=True)
class Ground:
    """What the files of one company rest on."""

    source: Id
    partner: Id
    policy: Id


async def fill(settings: Settings, size: Size, told: Callable[[str], None]) -> None:
    """Makes the database and writes the portfolio of both companies."""
    await prepare(settings)
    ring = Keyring(chosen.place(settings.keys).provider(), time.monotonic)
    kind = SqliteStore if settings.database_url.startswith("sqlite") else PostgresStore
    make = Counted()
    room = Room(ring=ring, clock=Standing(), make=make, blobs=blobs_at(settings.documents))
    store = kind(settings.database_url, room)
    await store.start()
    try:
        for tenant, assessments in zip((READ, OTHER), size.assessments, strict=True):
            ground = await _work(store, make, tenant, _opened(tenant))
            for first in range(0, size.files, AT_ONCE):
                numbers = range(first, min(first + AT_ONCE, size.files))
                await _work(store, make, tenant, _files(ground, numbers, assessments))
            told(f"{size.files} files of {tenant}")
    finally:
        await store.close()


async def _work(store: SqliteStore | PostgresStore, make: Counted, tenant: Id, decide: Callable[[Unit], Any]) -> Any:
    def conclude(trace: Trace, decided: Any) -> Entry:
        assert not isinstance(decided, CreditError), decided
        return Entry(
            id=make.make("ae", int(NOW.timestamp() * 1000)),
            at=NOW,
            tenant=tenant,
            actor="system:bench",
            action="import:run",
            resources=trace.resources,
            subjects=trace.subjects,
            fields=trace.fields,
            outcome=Outcome.DONE,
            written=trace.written,
        )

    committed = await store.write(Work(tenant=tenant, actor="system:bench", decide=decide, conclude=conclude))
    return committed.result


def _opened(tenant: Id) -> Callable[[Unit], Ground]:
    def decide(unit: Unit) -> Ground:
        opening = OpenTenant(name=f"Bench {tenant[-1]}")
        opened = opening.decide(unit, Actor(tenant=tenant, person="system:bench", roles=frozenset()))
        source = Source(
            stamp=unit.stamp(Source),
            type=SourceType.SELF_PROVIDED,
            name="the customers",
            lawful_bases=(LawfulBasis.CONTRACT,),
            state=SourceState.REGISTERED,
        )
        partner = Partner(
            stamp=unit.stamp(Partner),
            name="First Bank",
            contact="dpo@bank.example",
            purposes=(Purpose.PARTNER_CREDIT_DECISION,),
            state=PartnerState.ACTIVE,
        )
        unit.add([source, partner])
        return Ground(source.id, partner.id, opened.resources[1])

    return decide


def _files(ground: Ground, numbers: range, assessments: int) -> Callable[[Unit], None]:
    def decide(unit: Unit) -> None:
        files = [_file(unit, ground, number) for number in numbers]
        for _, file in files:
            own = [_assessment(unit, ground, file, number) for number in range(assessments)]
            actions = [_action(unit, one, number) for one in own for number in range(ACTIONS)]
            unit.add([*own, *actions, _consent(unit, ground, file)])
        for number, (_, file) in zip(numbers, files, strict=True):
            unit.seal(file, CreditFile.phone, f"+86138{number:08}")
            unit.seal(file, CreditFile.email, f"office{number}@firm.example")
            unit.seal(file, CreditFile.bank_account, f"6222{number:012}")

    return decide


def _file(unit: Unit, ground: Ground, number: int) -> tuple[Customer, CreditFile]:
    customer = Customer(stamp=unit.stamp(Customer), kind=PartyKind.ENTERPRISE, account_owner=f"staff-{number % 20}")
    score = number * 37 % 101
    file = CreditFile(
        stamp=unit.stamp(CreditFile, subject=customer.id),
        source=ground.source,
        lawful_basis=LawfulBasis.CONTRACT,
        collector="bench",
        collected_at=NOW,
        customer=customer.id,
        reference=f"C-{number:06}",
        name=f"云帆网络 {number} Networks",
        registered_address=f"{number} Zhongguancun Street",
        industry_code=f"I{number % 40:02}",
        size_class=SizeClass.MEDIUM,
        staff_count=number % 500,
        credit_status=CreditStatus.WATCH if score < 50 else CreditStatus.OK,
        score=score if number % 9 else None,
        grade=list(Grade)[number % 8] if number % 9 else None,
        tier=Tier.MEDIUM,
        credit_limit=Money(number * 1_000_00, "CNY"),
        net_days=30,
    )
    unit.add([customer, file])
    return customer, file


def _assessment(unit: Unit, ground: Ground, file: CreditFile, number: int) -> Assessment:
    score = (number * 13 + (file.score or 0)) % 101
    return Assessment(
        stamp=unit.stamp(Assessment, subject=file.subject_id),
        credit_file=file.id,
        kind=AssessmentKind.PERIODIC,
        state=AssessmentState.SUPERSEDED if number else AssessmentState.IN_FORCE,
        as_of=date(2026, 10, 1) - timedelta(days=number * 30),
        policy=ground.policy,
        policy_digest="0" * 64,
        card="EXISTING",
        outcome=AssessmentOutcome.GRADED,
        score=score,
        grade=list(Grade)[score % 8],
        tier=Tier.MEDIUM,
        calibration=Calibration.EXPERT_UNCALIBRATED,
        completeness_bp=9_000,
        points=(PointsLine(characteristic="paid_late", band="none", points=20, maximum=25, missing=False),),
        reasons=(Reason(code="paid_late", sentence="It paid late twice.", points_lost=5),),
        credit_limit=Money(score * 1_000_00, "CNY"),
        net_days=30,
        approver_level="analyst",
        prepared_by="wang",
        approved_by="li",
        inputs_digest="1" * 64,
        receipt_digest="2" * 64,
    )


def _action(unit: Unit, assessment: Assessment, number: int) -> ControlAction:
    return ControlAction(
        stamp=unit.stamp(ControlAction, subject=assessment.subject_id),
        credit_file=assessment.credit_file,
        assessment=assessment.id,
        kind=(ControlKind.INTENSIFY_MONITORING, ControlKind.REQUIRE_PREPAYMENT)[number % 2],
        basis=ControlBasis.CONTRACT_CLAUSE,
        scope="all services",
        exit_condition="the next assessment",
        deadline_on=date(2026, 12, 1) + timedelta(days=number),
        proposed_by="wang",
        approved_by="li",
        state=ControlState.ACTIVE,
    )


def _consent(unit: Unit, ground: Ground, file: CreditFile) -> Consent:
    return Consent(
        stamp=unit.stamp(Consent, subject=file.subject_id),
        credit_file=file.id,
        partner=ground.partner,
        purpose=Purpose.PARTNER_CREDIT_DECISION,
        fields=("contact.phone",),
        use=ConsentUse.STANDING,
        not_before=NOW,
        not_after=NOW + timedelta(days=365),
        state=ConsentState.GIVEN,
        given_by="the customer",
        notice_digest="3" * 64,
    )
