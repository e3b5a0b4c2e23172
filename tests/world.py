"""The real Gate over a store in memory, with clock, ids, grants and faults at hand.

world = World()
file = world.do(OpenCreditFile(...))
world.entries[-1].outcome
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

from domain.actors import Actor, Rights
from domain.audit import Entry
from domain.consent.admitting.deciding import ApprovePartner
from domain.consent.consents import Partner
from domain.consent.giving import RegisterPartner
from domain.files.opening import BasicInformation, OpenCreditFile
from domain.files.parties import CreditFile, PartyKind
from domain.files.sources import LawfulBasis, Origin, RegisterSource, SourceType
from domain.gate import Gate
from domain.ids import Id, encode
from domain.operations import OPERATIONS, Collecting, Operation, Performed
from domain.reading import Purpose
from domain.records import Record
from tests.memory import Faults, Store, Unit, Vault

R = TypeVar("R", bound=Record)
T = TypeVar("T")

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
TENANT, OTHER_TENANT = encode("te", bytes(15) + b"\1"), encode("te", bytes(15) + b"\2")

USCC, PHONE, EMAIL = "91110000600037341L", "+8613800138000", "office@yunfan.example"
BASIC = BasicInformation(unified_social_credit_code=USCC, phone=PHONE, email=EMAIL)


class Clock:
    """Time stands still until it is moved."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        """The present instant."""
        return self.at

    def move(self, **by: float) -> None:
        """Moves on: `move(days=1)`."""
        self.at += timedelta(**by)


class CountedIds:
    """Ids that count up, the same in every run."""

    def __init__(self) -> None:
        self.count = 0

    def make(self, prefix: str, milliseconds: int) -> Id:
        """The next id of a type."""
        self.count += 1
        return encode(prefix, milliseconds.to_bytes(6, "big") + self.count.to_bytes(10, "big"))


class Granted:
    """Grants in memory: every declared action but those taken away."""

    def __init__(self) -> None:
        self.denied: set[str] = set()

    async def notice(self, tenant: Id) -> None:
        """They change at once."""

    def rights(self, actor: Actor) -> Rights:
        """The rights of everybody."""
        del actor
        actions = {action for declared in OPERATIONS.values() for action in declared.actions}
        actions |= {d.collection for d in OPERATIONS.values() if issubclass(d, Collecting)}
        return Rights(id=1, version="grants-1", allowed={a: f"rule:{a}" for a in actions - self.denied})


class World:
    """A Gate over one store in memory, with its clock, ids, grants and faults at hand."""

    def __init__(self) -> None:
        self.clock, self.ids, self.faults, self.grants = Clock(), CountedIds(), Faults(), Granted()
        self.vault = Vault(self.faults)
        self.store = Store(self.clock, self.ids, self.faults, self.vault)
        self.gate = Gate(
            grants=self.grants,
            store=self.store,
            opener=self.vault,
            clock=self.clock,
            make=self.ids,
            signer=self.vault,
        )

    def actor(
        self,
        person: str = "wang",
        *roles: str,
        tenant: Id = TENANT,
        partner: Id | None = None,
        subject: Id | None = None,
    ) -> Actor:
        """Somebody who acts in a tenant."""
        return Actor(tenant=tenant, person=person, roles=frozenset(roles), partner=partner, subject=subject)

    def perform(self, operation: Operation[T], actor: Actor | None = None) -> Performed[T]:
        """Carries out an operation through the Gate."""
        return asyncio.run(self.gate.perform(operation, actor or self.actor(), request="rq-1"))

    def do(self, operation: Operation[T], actor: Actor | None = None) -> T:
        """The value of an operation carried out through the Gate."""
        return self.perform(operation, actor).value

    def origin(self, name: str = "the customer", tenant: Id = TENANT) -> Origin:
        """Where facts come from: a source registered now."""
        bases = (LawfulBasis.CONTRACT, LawfulBasis.CONSENT)
        register = RegisterSource(type=SourceType.SELF_PROVIDED, name=name, lawful_bases=bases)
        return Origin(source=self.do(register, self.actor(tenant=tenant)).id, lawful_basis=LawfulBasis.CONTRACT)

    def file(
        self, origin: Origin, reference: str = "C-1", basic: BasicInformation = BASIC, tenant: Id = TENANT
    ) -> CreditFile:
        """A credit file opened now."""
        opening = OpenCreditFile(
            reference=reference, name="Yunfan Networks", kind=PartyKind.ENTERPRISE, origin=origin, basic=basic
        )
        return self.do(opening, self.actor(tenant=tenant))

    def partner(self, name: str = "First Bank", tenant: Id = TENANT) -> Partner:
        """A partner registered now, for its own credit decisions."""
        register = RegisterPartner(name=name, contact="dpo@bank.example", purposes=(Purpose.PARTNER_CREDIT_DECISION,))
        registered = self.do(register, self.actor(tenant=tenant))
        return self.do(ApprovePartner(partner=registered.id), self.actor("zhou", tenant=tenant))

    def put(self, record: R) -> R:
        """Puts a new version of a record in place, past every rule: a state that no operation leads to yet."""
        unit = Unit(self.store, record.stamp.tenant, "nobody")
        new = unit.replace(record)
        self.store.state = unit.state
        return new

    def unit(self, actor: Actor | None = None) -> Unit:
        """A unit over the present state, for looking and for trying; nothing of it is kept."""
        actor = actor or self.actor()
        return Unit(self.store, actor.tenant, actor.person)

    def current(self, record: type[R], tenant: Id = TENANT) -> list[R]:
        """The current versions of a kind."""
        return self.store.state.current(tenant, record)

    def versions(self, record: R) -> tuple[R, ...]:
        """Every version of a record, the oldest first."""
        return cast("tuple[R, ...]", self.store.state.versions(record.stamp.tenant, record.shape, record.id))

    def secret(self, record: Record, name: str) -> object:
        """What is sealed in a field of a record, or None: for tests alone, past every rule."""
        cell = self.store.state.cells.get((record.stamp.tenant, record.id, record.shape.confidential[name].tag))
        return None if cell is None else self.vault._values[cell.key]

    @property
    def entries(self) -> list[Entry]:
        """The audit log."""
        return self.store.entries
