"""Whoever owns the database is found out: by fsck, by the export that is verified offline, or by a witness.

Each case is done past every guard, on both databases, by somebody who knows how the log is made and has no key of it.
"""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from domain.errors import Malformed
from domain.files.sources import LawfulBasis, RegisterSource, SourceType
from tests.vault import logs
from tests.vault.ledger.grown import checkpoint, grow, subject
from tests.vault.ledger.witnesses import Auditor
from tests.world import TENANT
from vault.audit import batches
from vault.audit.merkle import CompactRange, leaf_hash
from vault.audit.note import Checkpoint, Verifier, origin, sign_checkpoint
from vault.audit.verify import verify_folder
from vault.store import looks, tables
from vault.store.ledger import sequencer

MANY = 300
AT = 7
"""The place that is tampered with."""


@pytest.fixture
def log(world):
    """A log of some hundred entries about two customers."""
    grow(world, MANY, 1)
    grow(world, 3, 1, 2)
    assert world.findings() == []
    return world


class Owner:
    """Somebody with the database's own keys, its guards switched off."""

    def __init__(self, world):
        self.world, self.database = world, world.database
        if self.database.dialect == "postgresql":
            for table in tables.metadata.tables:
                self.database.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        else:
            for (name,) in self.database.fetch("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                self.database.execute(f"DROP TRIGGER {name}")

    def run(self, *statements):
        """Statements, as they stand."""
        for statement in statements:
            self.database.execute(statement)

    def bytes(self, value):
        """Bytes as they stand in a statement."""
        return f"'\\x{value.hex()}'" if self.database.dialect == "postgresql" else f"X'{value.hex()}'"

    def rewrite(self, leaves):
        """The log has these entries and no others, in one batch with a tree that fits them."""
        at = self.database.fetch("SELECT max(at) FROM audit_batch")[0][0]
        tree = CompactRange().extend(map(leaf_hash, leaves))
        row = {"tenant": TENANT, "first_index": 0, "size": tree.size, "peaks": tree.pack()}
        self.run("DELETE FROM audit_batch")
        self.database.insert("audit_batch", row | {"entries": batches.pack(leaves), "lists": b"", "at": at})

    def forget(self):
        """No checkpoint was ever signed, and nothing was made of the entries."""
        made = ("audit_checkpoint", "audit_entry", "audit_posting", "audit_found", "audit_tile", "audit_term")
        self.run(*(f"DELETE FROM {table}" for table in (*made, "audit_stretch")))  # noqa: S608 - tables of our own

    def again(self, *, forgetful=False):
        """The store, as it begins over what is there now."""
        self.world.close()
        if forgetful:
            self.forget()
        self.world.start()


def altered(leaves):
    """One entry says that somebody else acted."""
    said = json.loads(leaves[AT]) | {"actor": "somebody"}
    other = json.dumps(said, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    return [*leaves[:AT], other, *leaves[AT + 1 :]]


REWRITTEN = {
    "altered": altered,
    "deleted": lambda leaves: leaves[:AT] + leaves[AT + 1 :],
    "reordered": lambda leaves: [*leaves[:AT], leaves[AT + 1], leaves[AT], *leaves[AT + 2 :]],
    "truncated": lambda leaves: leaves[:-20],
    "forked": lambda leaves: [*leaves[:-20], *leaves[:-20:-1]],
}
BY_FSCK = {
    "altered": {"CHECKPOINT", "LOG_ROW", "TILE"},
    "deleted": {"CHECKPOINT", "LOG_ROW", "TILE", "ROLLED_BACK"},
    "reordered": {"CHECKPOINT", "LOG_ROW", "TILE"},
    "truncated": {"ROLLED_BACK"},
    "forked": {"LOG_ROW"},
}


def kinds(world):
    return {finding.kind for finding in world.findings()}


def exported(world, folder):
    """The log as files, under its newest checkpoint; and the key that was pinned."""
    world.look(looks.exported(TENANT, checkpoint(world), folder))
    return folder


def pinned(world):
    """The key an auditor pinned when the company was opened."""
    return Verifier.read(world.look(looks.verifying_key(world.room, TENANT, "auditor")))


@pytest.mark.parametrize("how", REWRITTEN)
def test_a_log_whose_entries_are_altered_deleted_reordered_truncated_or_forked_is_named(log, tmp_path, how):
    auditor = Auditor(log, tmp_path / "witness")
    kept, key = checkpoint(log), pinned(log)
    auditor.ask()
    owner = Owner(log)
    owner.rewrite(REWRITTEN[how](log.leaves()))
    # What was made of the entries before tells that they are others now.
    assert kinds(log) >= BY_FSCK[how]
    # Who takes that away too, and has a new head signed, is told by whoever kept an older one, offline or as a witness.
    owner.again(forgetful=True)
    auditor.cosigning.store = log.store
    report = verify_folder(exported(log, tmp_path / "log"), key, earlier=[kept])
    assert {problem.kind.value for problem in report.problems} & {"FORK", "ROLLED_BACK"}
    grow(log, 1)
    auditor.ask()
    assert len(auditor.alarms) == 1
    assert auditor.told()[0][0] == "INCONSISTENT"
    auditor.close()


def test_an_older_database_that_came_back_is_sound_in_itself_and_told_by_witness_and_kept_checkpoint(log, tmp_path):
    auditor = Auditor(log, tmp_path / "witness")
    tables_ = [table for table in tables.metadata.sorted_tables if table.name != "audit_outbox"]
    before = {table.name: [dict(row) for row in log.look(_all(table))] for table in tables_}
    grow(log, 5)
    kept = checkpoint(log)
    auditor.ask()
    owner = Owner(log)
    for table in tables_:
        owner.run(f"DELETE FROM {table.name}")  # noqa: S608 - a table of our own
        if before[table.name]:
            owner.database.insert(table.name, *before[table.name])
    owner.again()
    auditor.cosigning.store = log.store
    assert log.findings() == []
    report = verify_folder(exported(log, tmp_path / "log"), pinned(log), earlier=[kept])
    assert [problem.kind.value for problem in report.problems] == ["ROLLED_BACK"]
    auditor.ask()
    assert len(auditor.alarms) == 1
    # Also once it has grown past what was seen before, another way.
    grow(log, 9)
    log.clock.move(minutes=10)
    auditor.ask()
    assert auditor.told()[0][0] == "INCONSISTENT"
    auditor.close()


def _all(table):
    return lambda connection: connection.execute(sa.text(f"SELECT * FROM {table.name}")).mappings().all()  # noqa: S608 - ours


def test_a_checkpoint_signed_with_another_key_is_named(log, tmp_path):
    text, key = checkpoint(log), pinned(log)
    head = CompactRange().extend(map(leaf_hash, log.leaves()))
    forged = sign_checkpoint(
        Checkpoint(origin(TENANT), head.size, head.root()), [logs.signer(origin(TENANT), b"another")]
    )
    assert forged != text
    Owner(log).run(f"UPDATE audit_checkpoint SET text = '{forged}' WHERE size = {head.size}")  # noqa: S608 - our own
    assert kinds(log) == {"CHECKPOINT"}
    report = verify_folder(exported(log, tmp_path / "log"), key)
    assert [problem.kind.value for problem in report.problems] == ["WRONG_KEY"]


def test_entries_that_do_not_lead_to_their_checkpoint_are_not_even_exported(log, tmp_path):
    Owner(log).rewrite(altered(log.leaves()))
    with pytest.raises(Malformed, match="does not fit"):
        exported(log, tmp_path / "log")


CUSTOMER, STRANGER = subject(2), subject(9)
BESIDE = {
    f"DELETE FROM audit_posting WHERE subject = '{CUSTOMER}'": "POSTING",  # noqa: S608 - ids of our own
    f"UPDATE audit_posting SET places = '[1]' WHERE subject = '{CUSTOMER}'": "POSTING",  # noqa: S608 - the same
    f"UPDATE audit_posting SET subject = '{STRANGER}' WHERE subject = '{CUSTOMER}'": "POSTING",  # noqa: S608 - the same
    "UPDATE audit_entry SET actor = 'nobody' WHERE log_index = 7": "LOG_ROW",
    "UPDATE audit_entry SET subjects = '[]' WHERE log_index = 7": "LOG_ROW",
    "DELETE FROM audit_entry WHERE log_index = 299": "LOG_ROW",
    "DELETE FROM audit_term WHERE fact = 'actor' AND value = 'li'": "TERMS",
    "UPDATE audit_term SET value = 'nobody' WHERE fact = 'actor' AND value = 'li'": "TERMS",
    "DELETE FROM audit_tile": "TILE",
    "UPDATE audit_tile SET root = hashes": "TILE",
    "DELETE FROM audit_batch WHERE size > 200": "ROLLED_BACK",
}


def test_what_is_kept_beside_the_entries_is_held_against_them(log):
    owner, missed = Owner(log), []
    for statement, kind in BESIDE.items():
        name = next(word for word in statement.split() if word.startswith("audit_"))
        before = [dict(row) for row in log.look(_all(tables.metadata.tables[name]))]
        owner.run(statement)
        missed += [] if kind in kinds(log) else [statement]
        owner.run(f"DELETE FROM {name}")  # noqa: S608 - a table of our own
        log.database.insert(name, *before)
    assert missed == []
    assert log.findings() == []


@pytest.mark.postgres
def test_an_entry_that_vanishes_before_it_has_its_place_is_missed_by_what_it_wrote(
    postgresql, loop, tmp_path, monkeypatch
):
    from tests.stored import StoredWorld

    monkeypatch.setattr(sequencer, "PATIENCE_SECONDS", 0.1)
    with StoredWorld(postgresql, loop, tmp_path) as world:
        world.open_tenant()
        assert world.findings() == []
        monkeypatch.setattr(sequencer, "_pending", lambda *_: [])
        world.do(RegisterSource(type=SourceType.SELF_PROVIDED, name="ours", lawful_bases=(LawfulBasis.CONTRACT,)))
        assert postgresql.fetch("SELECT count(*) FROM audit_outbox")[0][0] == 1
        Owner(world).run("DELETE FROM audit_outbox")
        monkeypatch.undo()
        assert "UNRECORDED" in kinds(world)
