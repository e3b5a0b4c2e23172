"""The composition root: the one place that knows every floor and puts the house together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from api.clock import SystemClock
from api.granting import KeptGrants
from api.graphql.operations import declared_actions
from api.settings import PUBLIC_URL, Settings
from api.settling import Settler
from authz import proving, tokens
from authz.admitting import Authenticator, Surroundings
from authz.holding import TenantGrants
from authz.issuing import Bound, LocalIssuer
from authz.jwks import RemoteKeys
from authz.keys import registered
from authz.private import write_private
from authz.release import Release
from authz.roles import ADMINISTRATOR, AUDITOR, CUSTOMER, JOB, PARTNER, STAFF
from domain import ids
from domain.actors import Actor, Rights
from domain.consent.handover import delivering
from domain.consent.keys import KeyUse
from domain.consent.trusted import TrustState, approving
from domain.errors import NotFound
from domain.files.trail import CheckStore, ExportAuditLog
from domain.gate import Gate
from domain.ids import Id, RandomIds
from domain.persons.adjusting import Adjusting
from domain.ports import Readings, Steps
from domain.ports import Scope as Reach
from domain.tenancy import OpenTenant
from vault.audit import certificate, checking, note, verify
from vault.audit.handover import Keyholders
from vault.delivery import receipts
from vault.delivery.sealing import hybrid_of
from vault.documents.blobs import Name
from vault.documents.places import blobs_at
from vault.findings import Finding
from vault.inventory import Inventory, found_roots, inventory
from vault.keys import Keyring
from vault.opened import OPENED
from vault.opening import VaultOpener
from vault.providers import chosen
from vault.providers.port import Provider
from vault.statements import presenting, reasons, verifying
from vault.statements.board import Board
from vault.statements.publishing import Trusted
from vault.store import engines, looks
from vault.store.keeping import witnesses
from vault.store.ledger import alarming, listing, published
from vault.store.ledger.cosigning import quorum_of
from vault.store.ledger.growth import Growth
from vault.store.postgres import PostgresStore
from vault.store.reading import SqlReadings
from vault.store.schema import migrations
from vault.store.sqlite import SqliteStore
from vault.store.transaction import Room, aside
from vault.witness.asking import Place

if TYPE_CHECKING:
    from api.graphql.context import Memory
    from api.graphql.schema import Schema

T = TypeVar("T")
Cosign = Callable[[Id], Awaitable[None]]
Store = SqliteStore | PostgresStore
KeyInventory = Inventory
LogKeys = looks.LogKeys
seal_key_file = chosen.seal
handovers_in = verify.handovers_in
log_files = published
Cosigning = witnesses.Cosigning
Asked, verify_log, verify_served = checking.Asked, checking.verify_log, checking.verify_served

INSTALLATION = ids.encode("te", bytes(16))
"""The installation itself: its log takes what belongs to no company, such as tokens that name none."""
OPERATOR = f"{JOB}:operator"
"""Whoever runs commands on the machine itself; like a job, a name that no token carries."""
STAFF_ROLES, PARTNER_ROLE, CUSTOMER_ROLE = STAFF, PARTNER, CUSTOMER
"""The roles that tokens are issued for, as the rest of the interface knows them."""
new_key, thumbprint_of, make_proof = proving.new_key, proving.thumbprint_of, proving.make_proof
FIRST_EPOCH = 1
product_grants = cache(lambda: Release(declared_actions()))


@dataclass(frozen=True, kw_only=True)
class House:
    """Everything that serves: what requests, commands and jobs are given."""

    settings: Settings
    store: Store
    room: Room
    provider: Provider
    grants: TenantGrants
    adjusted: Adjusting
    """The grants as they are for each person."""
    settler: Settler
    gate: Gate
    readings: Readings
    approving: Steps
    """Looks a trusted document up: like the grants, it says what may be done, and so stands before the Gate."""
    recalls_due: Steps
    """Finds what is due to be sent: nothing leaves by it."""
    clock: SystemClock
    make: RandomIds
    issuer: LocalIssuer | None
    statements: Board
    witnesses: tuple[Place, ...] = ()

    @cached_property
    def memory(self) -> Memory:
        """What the server keeps of documents and plans."""
        from api.graphql.context import Memory  # noqa: PLC0415 - commands that serve nothing start faster

        return Memory()

    @property
    def schema(self) -> Schema:
        """The schema that is served; commands that serve nothing never build it."""
        return _schema()

    @property
    def growth(self) -> Growth:
        """Tells when a company's log has grown."""
        return self.room.growth

    opened, touched = OPENED, staticmethod(alarming.touched)
    """What this process opened; a look that finds which entries touched a honey file and raised no alarm yet."""

    def rights(self, actor: Actor) -> Rights:
        """The rights of an actor; interned."""
        return self.adjusted.rights(actor)

    @property
    def trusted_only(self) -> bool:
        """Whether everybody runs approved documents alone."""
        return self.settings.trusted_only

    async def approved(self, actor: Actor, digest: str) -> str | None:
        """The text of a document that is approved for an actor, as the store has it now; one look-up by its digest."""
        scope, words = Reach(tenant=actor.tenant), [1, digest, TrustState.APPROVED.value]
        run = self.approving.run(scope, words, self.clock.now())
        draft = await self.store.read(actor.tenant, run, alone=self.approving.alone)
        rows = draft.answer["documents"]["rows"]
        return rows[0]["text"] if rows and rows[0]["partner"] in {None, actor.partner} else None

    def public_key(self, jwk: str, use: str) -> tuple[str, str]:
        """The public key a JWK holds, bare, and its thumbprint.

        Raises: Malformed where it holds none that is accepted for a use.
        """
        return (hybrid_of(jwk) if use == KeyUse.ENC.value else None) or registered(jwk, use)

    async def open_tenant(self, name: str, time_zone: str = "Asia/Shanghai") -> Id:
        """Opens a company, with its keys and version 1 of the credit policy; its id.

        Raises: Malformed for a name or a time zone that cannot be.
        """
        opening = OpenTenant(name=name, time_zone=time_zone)
        opening.checked_name()
        tenant = self.make.make("te", int(self.clock.now().timestamp() * 1000))
        await self.gate.perform(opening, operator(tenant, ADMINISTRATOR))
        return tenant

    def token(
        self,
        tenant: Id,
        person: str,
        roles: frozenset[str],
        *,
        partner: str | None = None,
        subject: str | None = None,
        lifetime: timedelta = timedelta(hours=8),
        key: str | None = None,
        consents: Sequence[str] = (),
    ) -> str:
        """A token of the local issuer, bound to the key of a thumbprint where one is given: a partner's always is.

        Raises: Malformed when a verifier would refuse it; NotFound where there is no local issuer.
        """
        if self.issuer is None:
            raise NotFound("There is no local issuer here.", advice="Set CREDENCE_LOCAL_ISSUER=on.")
        bound = None if key is None else Bound(key=key, consents=tuple(consents))
        return self.issuer.issue(
            tenant, person, roles, partner, subject, lifetime=lifetime, now=self.clock.now(), bound=bound
        )

    async def export_log(self, tenant: Id, folder: Path, cosign: Cosign | None = None) -> str:
        """Writes a company's whole log as files, its newest checkpoint included; that checkpoint.

        Who took it along is recorded before the first file is written, and stands in the files; witnesses may cosign.
        """
        await self.gate.perform(ExportAuditLog(), operator(tenant, AUDITOR), request="command")
        checkpoint = await self.store.checkpoint(tenant)
        if cosign is not None:
            await cosign(tenant)
        await self.store.inspect(tenant, looks.exported(tenant, checkpoint, folder))
        for number, text in enumerate((await self.log_keys(tenant)).handovers, 1):
            (folder / verify.HANDOVERS).mkdir(mode=0o700, exist_ok=True)
            (folder / verify.HANDOVERS / str(number)).write_text(text, encoding="utf-8")
        return checkpoint

    async def list_log(self, tenant: Id, file: Path, form: str, wanted: Mapping[str, Any]) -> int:
        """Writes entries of a company's log into a file, once it is recorded that they leave; how many.

        Raises: Malformed for what is no subject.
        """
        subject = wanted["subject"]
        asked = ExportAuditLog(form=form, subject=None if subject is None else ids.check(subject, "cu"))
        await self.gate.perform(asked, operator(tenant, AUDITOR), request="command")
        look = listing.listed(tenant, file, listing.Form(form), listing.Wanted(**wanted))
        return await self.store.inspect(tenant, look)

    async def verifying_key(self, tenant: Id) -> str:
        """What an auditor pins to verify a company's log: `name+id+base64`."""
        return await self.store.inspect(tenant, looks.verifying_key(self.room, tenant, OPERATOR))

    async def log_keys(self, tenant: Id) -> LogKeys:
        """The keys of a company's log: the one that signs now, those before it, and how they handed over."""
        return await self.store.inspect(tenant, looks.log_keys(self.room, tenant, OPERATOR))

    async def check(self, tenant: Id) -> list[Finding]:
        """What is wrong with a company's records, seals and log; nothing is repaired.

        Who checked is recorded before the first seal is opened.
        """
        await self.gate.perform(CheckStore(), operator(tenant, ADMINISTRATOR), request="command")
        return await self.store.inspect(tenant, looks.findings(self.room, tenant))

    async def strays(self, tenant: Id, names: Sequence[Name]) -> list[Name]:
        """Of the blobs that were there before, those that no document has and none awaits."""
        return await self.store.inspect(tenant, looks.strays(tenant, names))


@cache
def _schema() -> Schema:
    from api.graphql.schema import build_schema  # noqa: PLC0415 - the same

    return build_schema()


def operator(tenant: Id, role: str = ADMINISTRATOR) -> Actor:
    """Whoever runs a command on the machine, in the one role that the command needs."""
    return Actor(tenant=tenant, person=OPERATOR, roles=frozenset({role}))


def job(tenant: Id, name: str) -> Actor:
    """The actor of scheduled or commanded work of one company."""
    return Actor(tenant=tenant, person=f"{JOB}:{name}", roles=frozenset({JOB}))


def address(settings: Settings) -> str:
    """The database, without a password."""
    return engines.shown(settings.database_url)


async def prepare(settings: Settings) -> str:
    """Makes what is not there yet: database, root keys, the local issuer's key, the installation's own log."""
    revision = await migrations.upgrade(settings.database_url)
    await found_roots(settings.keys, settings.database_url, FIRST_EPOCH)
    if settings.local_issuer and not settings.issuer_key.exists():
        settings.issuer_key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        LocalIssuer.create(settings.issuer_key)
    async with open_house(settings) as house:
        if INSTALLATION not in await house.store.tenants():
            await house.gate.perform(OpenTenant(name="installation", time_zone="UTC"), operator(INSTALLATION))
    return revision


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """The house while it serves; a database of another revision or a provider of keys that is out stops the start.

    Raises: Unavailable saying what to do.
    """
    await migrations.check(settings.database_url)
    provider = chosen.place(settings.keys).provider()
    await asyncio.to_thread(provider.health)
    clock, make, days = SystemClock(), RandomIds(), settings.backup_days
    ring = Keyring(provider, time.monotonic, aside=aside, backup_days=days)
    dialect = engines.parse(settings.database_url).drivername
    places = tuple(Place.read(one.url, one.key, local=settings.witness_networks) for one in settings.witnesses)
    quorum = quorum_of([one.key for one in places], settings.witness_quorum)
    room = Room(ring=ring, clock=clock, make=make, blobs=blobs_at(settings.documents), quorum=quorum)
    store: Store = (SqliteStore if dialect == engines.SQLITE else PostgresStore)(settings.database_url, room)
    readings = SqlReadings(dialect, ring)
    grants = TenantGrants.load(declared_actions(), KeptGrants(store, readings, clock), clock)
    adjusted = Adjusting(grants, clock)
    settler = Settler(store, readings, clock.now)
    board = Board(store, room, settings.public_url or PUBLIC_URL)
    house = House(
        settings=settings,
        store=store,
        room=room,
        provider=provider,
        grants=grants,
        adjusted=adjusted,
        settler=settler,
        gate=Gate(
            grants=adjusted,
            store=store,
            opener=VaultOpener(room),
            clock=clock,
            make=make,
            signer=board,
            settled=settler.forget,
        ),
        readings=readings,
        approving=readings.prepare(approving()),
        recalls_due=readings.prepare(delivering.due()),
        clock=clock,
        make=make,
        issuer=LocalIssuer.load(settings.issuer_key) if settings.local_issuer else None,
        statements=board,
        witnesses=places,
    )
    await store.start()
    try:
        yield house
    finally:
        await store.close()


def authenticator(house: House) -> Authenticator:
    """The door of a house."""
    local = [house.issuer.trusted()] if house.issuer else []
    others = [tokens.Trusted(**one.trusted()) for one in house.settings.issuers]
    remote = {one.issuer: RemoteKeys(one.issuer, one.jwks_uri) for one in house.settings.issuers if one.jwks is None}

    async def secret() -> bytes:
        return await house.store.inspect(
            INSTALLATION, looks.derived(house.room, INSTALLATION, OPERATOR, b"dpop-nonces")
        )

    around = Surroundings(
        installation=INSTALLATION,
        gate=house.gate,
        store=house.store,
        clock=house.clock,
        noticed=house.grants.notice,
        barred=house.settler.barred,
        settled=house.settler.settled,
        secret=secret,
    )
    return Authenticator([*local, *others], around, remote)


async def key_inventory(settings: Settings) -> KeyInventory:
    """Which keys there are, told without opening the house: it may be the provider that is out."""
    return await inventory(chosen.place(settings.keys).provider(), settings.database_url)


def verify_certificate(text: str, *pinned: str, handovers: Sequence[str] = ()) -> Mapping[str, Any]:
    """What a certificate of erasure says, judged by pinned keys alone. Raises: Malformed; Tampered."""
    return certificate.verified(text, Keyholders(map(note.Verifier.read, pinned), handovers))


Verdict = verifying.Verdict
Judged = receipts.Judged
judge_receipt = receipts.judge_receipt
new_holder_key, holder_key = presenting.new_key, presenting.private_key
write_private_key = write_private
private_text, public_text = presenting.private_text, presenting.public_text
present_statement = presenting.present


def verify_statement(
    text: str,
    keys: object,
    status: str | None = None,
    *,
    now: datetime,
    audience: str | None = None,
    nonce: str | None = None,
) -> Verdict:
    """Whether a credit statement is believed, under keys that are trusted; it needs no database and no network."""
    try:
        trusted = Trusted.read(keys)
    except reasons.Untrue as error:
        return Verdict(reason=error.reason)
    return verifying.verify(
        text, trusted, now, status=status, expected=verifying.Expected(audience=audience, nonce=nonce)
    )


def reason_words(verdict: Verdict) -> tuple[str, str]:
    """Why a statement is not believed, and what to do about it; two empty texts where it is."""
    reason = verdict.reason
    return ("", "") if reason is None else (reasons.sentence(reason), reasons.advice(reason))
