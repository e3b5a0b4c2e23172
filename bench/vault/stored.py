"""Pages of sealed fields read from a database, files put into one, and keys turned, beside the same without a vault."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from bench.vault.peers import FIELDS, PER_RECORD, Work
from domain.audit import Receipt, Warrant
from domain.files.opening import BasicInformation, check, draft_file
from domain.files.parties import CreditFile, PartyKind
from domain.ids import Id
from domain.operations import OPERATIONS
from domain.ports import Draft, Scope
from domain.reading import Labelled, Level, Purpose, Reveal
from tests.databases import Loop, Sqlite
from tests.stored import StoredWorld
from tests.vault.trying import Try
from tests.world import TENANT
from vault.keys import Keyring
from vault.opening import VaultOpener
from vault.providers.file import KeyFile
from vault.store.engines import sqlite_reader
from vault.store.reading import celled
from vault.store.reading.dialects import DIALECTS
from vault.store.reading.gathering import Gathering
from vault.store.reading.sealed import SealedCells
from vault.store.schema import migrations

RECORDS = FIELDS // PER_RECORD
IMPORTED = 500
TAGS = ("contact.phone", "contact.email", "financial.bank_account", "identity.legal_representative")


def basic(number: int) -> BasicInformation:
    """What is sealed of a file: four values, three of which are indexed."""
    return BasicInformation(
        phone=f"+861381{number:07}",
        email=f"office{number}@firm.example",
        bank_account=f"62220212{number:08}",
        legal_representative="张三",
    )


class Stored:
    """A database with as many sealed fields as a page has, and the same in plain text beside them."""

    def __init__(self, folder: Path, loop: Loop) -> None:
        path = folder / "credence.db"
        asyncio.run(migrations.upgrade(f"sqlite:///{path}"))
        OPERATIONS["Try"] = Try
        self.number, self.here = 0, asyncio.new_event_loop()
        self.world = StoredWorld(Sqlite(path), loop, folder)
        self.world.open_tenant()
        self.provider = KeyFile(folder / "keys.json")
        self.origin = self.world.origin()
        self.files = self.add(RECORDS)
        self.plain = sqlite3.connect(folder / "plain.db", isolation_level=None)
        self.plain.execute("PRAGMA journal_mode = WAL")
        self.plain.execute("PRAGMA synchronous = FULL")
        names = ", ".join(tag.replace(".", "_") for tag in TAGS)
        self.plain.execute(
            f"CREATE TABLE file (id TEXT PRIMARY KEY, customer TEXT, reference TEXT, name TEXT, {names})"
        )
        names_ = {field.tag: field for field in CreditFile.shape.confidential.values()}
        asked = tuple(Labelled(tag, names_[tag]) for tag in TAGS)
        level = Level(shape=CreditFile.shape, reveals=(Labelled("own", Reveal(Purpose.CREDIT_REVIEW, asked)),))
        self.cells = SealedCells(level, DIALECTS["sqlite"])
        self.subjects = {file.id: file.subject_id for file in self.files}
        values = self.cells.values(Scope(tenant=TENANT), self.subjects)
        self.statement = celled.sealed(DIALECTS["sqlite"]).fetch(values)
        self.reader = sqlite_reader(f"sqlite:///{path}")()

    def add(self, count: int, *, sealed: bool = True) -> list[CreditFile]:
        """So many files, as an import adds them: one transaction, recorded, sealed and indexed."""
        first, self.number = self.number, self.number + count

        def put(unit: Any) -> list[CreditFile]:
            files = []
            for number in range(first, first + count):
                checked = check(basic(number), unit.now.date())
                customer, file = draft_file(
                    unit, self.world.actor(), reference=f"C-{number}", name="Yunfan", kind=PartyKind.ENTERPRISE,
                    account_owner=None, checked=checked, origin=self.origin,
                )  # fmt: skip
                unit.add([customer])
                unit.add([file])
                files.append((file, checked))
            for file, checked in files:
                for field, value in checked.secrets if sealed else ():
                    unit.seal(file, field, value)
            return [file for file, _ in files]

        return self.world.do(Try(how=put))  # type: ignore[no-any-return] # whatever the test's operation returns

    def bare(self, count: int) -> None:
        """As many rows in plain text, by one `executemany` in one durable transaction."""
        first, self.number = self.number, self.number + count
        rows = []
        for number in range(first, first + count):
            own = basic(number)
            rows.append(
                (
                    f"cf_{number}",
                    f"cu_{number}",
                    f"C-{number}",
                    "Yunfan",
                    own.phone,
                    own.email,
                    own.bank_account,
                    "张三",
                )
            )
        self.plain.execute("BEGIN IMMEDIATE")
        self.plain.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self.plain.execute("COMMIT")

    def rows(self) -> list[Any]:
        """The sealed rows of a page, unopened."""
        return self.reader.execute(self.statement.sql, self.statement.parameters).fetchall()

    def loaded(self, ring: Keyring) -> Draft:
        """The same as a reading loads them, each with its place, still sealed."""
        run = Gathering(Scope(tenant=TENANT), (), date(2026, 1, 1), ring)
        rows: dict[Id, dict[str, Any]] = {id_: {} for id_ in self.subjects}
        for row in rows.values():
            self.cells.leave_room(row)
        steps = self.cells.load(run, {id_: (self.subjects[id_], row) for id_, row in rows.items()})
        with suppress(StopIteration):
            fetch = next(steps)
            while True:
                fetch = steps.send(self.reader.execute(fetch.sql, fetch.parameters).fetchall())
        return run.draft({})

    def opened(self, ring: Keyring, draft: Draft) -> Sequence[Any]:
        """What was loaded, opened under its warrant and put in its place."""
        warrant = Warrant(
            receipt=Receipt(entry=self.files[0].id, tenant=TENANT),
            tenant=TENANT,
            subjects=frozenset(self.subjects.values()),
            tags=frozenset(TAGS),
        )
        opener = VaultOpener(replace(self.world.room, ring=ring))
        opened = self.here.run_until_complete(opener.open(warrant, draft.sealed))
        draft.place(opened)
        assert len(opened) == FIELDS
        return opened

    def page(self, ring: Keyring) -> Sequence[Any]:
        """The whole: loaded and opened, as a reading does."""
        return self.opened(ring, self.loaded(ring))

    def cold(self) -> list[Any]:
        """The page with keys that nobody has unwrapped yet."""
        return self.page(Keyring(self.provider, time.monotonic))

    def works(self) -> dict[str, Work]:
        """What is measured here."""
        self.page(self.world.ring)
        ready = self.loaded(self.world.ring)
        return {
            "page: the sealed rows alone": self.rows,
            "page: what was loaded opened": lambda: self.opened(self.world.ring, ready),
            "page: opened, keys ready": lambda: self.page(self.world.ring),
            "page: opened, keys unwrapped first": self.cold,
            "import: plain rows": lambda: self.bare(IMPORTED),
            "import: the same files, nothing sealed": lambda: self.add(IMPORTED, sealed=False),
            "import: sealed and indexed": lambda: self.add(IMPORTED),
        }
