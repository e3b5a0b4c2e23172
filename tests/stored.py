"""The real Gate over a real store: the same world as `tests.world`, with a database under it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

from domain.gate import Gate
from domain.tenancy import OpenTenant
from tests.world import TENANT, CountedIds, Granted, World
from tests.world import Clock as StandingClock
from vault.documents.folder import FolderBlobs
from vault.keys import Keyring
from vault.opening import VaultOpener
from vault.providers import chosen
from vault.statements.board import Board
from vault.store import codec
from vault.store.fsck import check_store
from vault.store.ledger.logbook import batches_of
from vault.store.postgres import PostgresStore
from vault.store.sqlite import SqliteStore
from vault.store.tables import table
from vault.store.transaction import Room

if TYPE_CHECKING:
    from pathlib import Path


class StoredWorld(World):
    """A Gate over one database, with its clock, ids and grants at hand. Close it, or use it as a context."""

    def __init__(self, database, loop, folder: Path, blobs=None, keys="") -> None:
        self.database, self.loop, self.folder = database, loop, folder
        self.clock, self.ids, self.grants = StandingClock(), CountedIds(), Granted()
        self.keys = keys or f"file:{folder / 'keys.json'}"
        place = chosen.place(self.keys)
        if place.bare():
            place.found(1)
        self.ring = Keyring(place.provider(), time.monotonic)
        self.blobs = blobs or FolderBlobs(folder / "documents")
        self.room = Room(ring=self.ring, clock=self.clock, make=self.ids, blobs=self.blobs)
        self.start()

    moment = 0.0
    """What a monotonic clock says."""

    def start(self):
        """A store, as a process that begins has it."""
        kind = SqliteStore if self.database.dialect == "sqlite" else PostgresStore

        async def started():
            store = kind(self.database.url, self.room)
            await store.start()
            return store

        self.store = self.loop(started())
        self.board = Board(self.store, self.room, "https://credence.example", moment=lambda: self.moment)
        self.gate = Gate(
            grants=self.grants,
            store=self.store,
            opener=VaultOpener(self.room),
            clock=self.clock,
            make=self.ids,
            signer=self.board,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Lets the database go."""
        self.loop(self.store.close())

    def perform(self, operation, actor=None):
        """Carries out an operation through the Gate."""
        return self.loop(self.gate.perform(operation, actor or self.actor(), request="rq-1"))

    def open_tenant(self, tenant=TENANT, name="Yunfan"):
        """A company with its keys."""
        return self.do(OpenTenant(name=name), self.actor("operator", tenant=tenant))

    def look(self, what, tenant=TENANT):
        """What a look at the database finds."""
        return self.loop(self.store.inspect(tenant, what))

    def rows(self, record, tenant=TENANT):
        """Every version of every record of a kind."""
        select = sa.select(table(record.shape)).where(table(record.shape).c.tenant == tenant)
        select = select.order_by(table(record.shape).c.id, table(record.shape).c.version)
        return self.look(
            lambda connection: [codec.record_of(record.shape, row) for row in connection.execute(select).mappings()],
            tenant,
        )

    def current(self, record, tenant=TENANT):
        """The current versions of a kind."""
        return [found for found in self.rows(record, tenant) if found.stamp.superseded_at is None]

    def versions(self, record):
        """Every version of a record, the oldest first."""
        return tuple(found for found in self.rows(type(record), record.stamp.tenant) if found.id == record.id)

    def findings(self, tenant=TENANT):
        """What is wrong with the store."""
        return self.look(lambda connection: list(check_store(connection, self.room, tenant)), tenant)

    def leaves(self, tenant=TENANT):
        """The bytes of the log, entry by entry, with everything in it that is durable now."""
        if isinstance(self.store, PostgresStore):
            self.loop(self.store._sequencer.integrated(tenant))
        return self.look(
            lambda connection: [entry for batch in batches_of(connection, tenant) for entry in batch], tenant
        )
