"""Entries past their time go by the rule for them; hashes and proofs stay, holds count, and everybody knows of it."""

from __future__ import annotations

from functools import partial

import pytest
import sqlalchemy as sa

from domain.audit import MAX_LISTED
from domain.custody.holds import LiftLegalHold, PlaceLegalHold
from domain.custody.pruning import LogPruning, PruneAuditLog
from domain.errors import NotFound
from domain.files.trail import AccessEntry, AuditEntry
from tests import independent
from tests.vault.ledger.grown import checkpoint, grow, subject
from tests.vault.ledger.test_listing import listed
from tests.vault.ledger.witnesses import Auditor
from tests.world import TENANT
from vault.audit.merkle import leaf_hash, root_of
from vault.audit.note import Verifier
from vault.audit.report import Kind
from vault.audit.verify import verify_folder
from vault.store import looks
from vault.store.ledger import published, tiling
from vault.store.ledger.cosigning import Quorum
from vault.store.ledger.proving import proof_of
from vault.store.ledger.terms import STRETCH
from vault.store.tables import audit_batch, audit_payload, audit_term, table

YEARS = 365 * 5 + 10
OLD, YOUNG = STRETCH + 300, 900


@pytest.fixture
def log(world):
    """A log of old entries, some of them with long lists beside the tree, and of younger ones years later."""
    grow(world, OLD - 2, 1)
    for _ in range(2):
        grow(world, 1, *range(MAX_LISTED + 5))
    world.clock.move(days=YEARS)
    grow(world, YOUNG, 1, 2)
    return world


def pruned(world, *, dry=False):
    world.loop(world.store.bring_up(TENANT))
    return world.do(PruneAuditLog(dry=dry), world.actor("system:retention"))


def count(world, found):
    own = found.c.tenant == TENANT
    return world.look(lambda connection: connection.scalar(sa.select(sa.func.count()).select_from(found).where(own)))


def exported(world, folder):
    """The log as files; what an auditor finds wrong with them, and the key that was pinned."""
    world.look(looks.exported(TENANT, checkpoint(world), folder))
    key = world.look(looks.verifying_key(world.room, TENANT, "auditor"))
    return folder, key


def test_what_is_past_its_time_goes_with_all_that_leads_to_it_and_every_proof_stays(log, tmp_path):
    auditor = Auditor(log, tmp_path / "witness")
    auditor.ask()
    leaves, kept = log.leaves(), checkpoint(log)
    young, _ = grow(log, 1)
    before, key = exported(log, tmp_path / "before")
    told = pruned(log, dry=True)
    assert (told.minimum, told.entries, told.held) == (STRETCH, STRETCH, False)
    assert log.current(LogPruning) == []
    assert pruned(log) == told
    assert pruned(log).entries == 0
    (record,) = log.current(LogPruning)
    assert (record.minimum, record.entries, record.rule) == (STRETCH, STRETCH, "CN-C8")
    # Neither entries nor what is found by them, or lies beside them, is there below the minimum index.
    entries = table(AuditEntry.shape)
    low = sa.select(sa.func.min(entries.c.log_index)).where(entries.c.tenant == TENANT)
    assert log.look(lambda connection: connection.scalar(low)) == STRETCH
    assert log.look(lambda connection: connection.scalar(sa.select(sa.func.min(audit_term.c.stretch)))) == 1
    batches = sa.select(sa.func.min(audit_batch.c.size))
    assert log.look(lambda connection: connection.scalar(batches)) > STRETCH
    assert listed(log, tmp_path)[0]["logIndex"] == STRETCH
    access = table(AccessEntry.shape).c
    seen = sa.select(sa.func.min(access.log_index)).where(access.tenant == TENANT, access.subject_id == subject(1))
    assert log.look(lambda connection: connection.scalar(seen)) == STRETCH
    # The hashes are all there: roots, tiles and proofs are what they were.
    hashes = [leaf_hash(leaf) for leaf in leaves]
    for size in (1, 700, STRETCH, len(leaves)):
        found = log.look(partial(tiling.range_at, tenant=TENANT, size=size))
        assert found.root() == root_of(hashes[:size])
    assert log.findings() == []
    proof = log.look(proof_of(TENANT, young[0].id, Quorum()))
    independent.proven(proof.leaf.encode(), proof.proof, independent.Key(key))
    assert log.look(published.file_of(TENANT, "tile/entries/000")) is None
    assert log.look(published.file_of(TENANT, "tile/0/000")) is not None
    # The export is whole without them, extends an older one, and an independent verifier accepts both.
    after, _ = exported(log, tmp_path / "after")
    report = verify_folder(after, Verifier.read(key), earlier=[kept])
    assert (report.problems, report.pruned) == ((), STRETCH)
    assert not (after / "tile/entries/000").exists()
    read = lambda path: (after / path).read_bytes()  # noqa: E731 - as short as it gets
    assert len(independent.verified(read, independent.Key(key), first=STRETCH)) == report.size - STRETCH
    exported(log, before)
    assert verify_folder(before, Verifier.read(key)).problems == ()
    # A witness sees that it only grew.
    grow(log, 1)
    auditor.ask()
    assert auditor.told()[0][0] == "COSIGNED"
    assert auditor.alarms == []
    auditor.close()


def test_more_that_is_absent_than_an_entry_says_is_missed(log, tmp_path):
    pruned(log)
    folder, key = exported(log, tmp_path / "log")
    (folder / f"tile/entries/{STRETCH // 256:03}").unlink()
    report = verify_folder(folder, Verifier.read(key))
    assert [(problem.kind, problem.place) for problem in report.problems] == [
        (Kind.MISSING, f"tile/entries/{STRETCH // 256:03}")
    ]


def test_a_log_whose_beginning_nobody_pruned_is_not_sound_without_it(log, tmp_path):
    folder, key = exported(log, tmp_path / "log")
    for number in range(STRETCH // 256):
        (folder / f"tile/entries/{number:03}").unlink()
    report = verify_folder(folder, Verifier.read(key))
    assert [problem.kind for problem in report.problems] == [Kind.MISSING] * (STRETCH // 256)


def test_a_legal_hold_keeps_every_entry_from_the_first_about_its_customer_on(world):
    file = world.file(world.origin())
    hold = world.do(PlaceLegalHold(credit_file=file.id, reason="a court asked", owner="legal"))
    grow(world, OLD, 1)
    world.clock.move(days=YEARS)
    grow(world, 1)
    for dry in (True, False):
        told = pruned(world, dry=dry)
        assert (told.minimum, told.entries, told.held) == (0, 0, True)
    assert world.current(LogPruning) == []
    world.do(LiftLegalHold(hold=hold.id, reason="it is over"))
    assert (pruned(world).minimum, pruned(world).held) == (STRETCH, False)
    # What wrote the file is told of no more; that it is there is no finding.
    assert world.findings() == []


def test_side_payloads_of_what_was_pruned_go_too_and_the_others_stay(log):
    before = count(log, audit_payload)
    log.clock.move(days=YEARS)
    grow(log, 1, *range(MAX_LISTED + 5))
    pruned(log)
    assert (before, count(log, audit_payload)) == (2, 1)
    assert log.findings() == []


def test_the_database_itself_refuses_what_no_record_of_pruning_covers(log):
    pruned(log)
    for name, condition in (
        ("audit_entry", f"log_index = {STRETCH}"),
        ("audit_batch", f"size > {STRETCH}"),
        ("audit_posting", f"last_index >= {STRETCH}"),
    ):
        with pytest.raises(Exception, match="append-only"):
            log.database.execute(f"DELETE FROM {name} WHERE {condition}")  # noqa: S608 - names of our own
    with pytest.raises(NotFound):
        log.look(proof_of(TENANT, "ae_00000000000000000000000000", Quorum()))
