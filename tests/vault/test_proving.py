"""Whoever holds the proof of an entry shows without us that it stands in the log, whatever the log became since."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.audit import Entry, Outcome
from domain.errors import Malformed, NotFound, Tampered
from domain.ids import Id
from tests.vault import logs
from tests.world import OTHER_TENANT, TENANT
from vault.audit import merkle
from vault.audit.merkle import CompactRange
from vault.audit.proof import read_proof, verify
from vault.store.ledger.logbook import verifier

LEAVES = [merkle.leaf_hash(entry) for entry in logs.entries(300)]


def put(world, count):
    """The ids of so many entries, each durable by itself."""

    def entry():
        now = world.clock.now()
        own = world.ids.make("ae", int(now.timestamp() * 1000))
        return Entry(id=own, at=now, tenant=TENANT, actor="unknown", action="token:verify", outcome=Outcome.REFUSED)

    return [world.loop(world.store.put(entry(), placed=True)).entry for _ in range(count)]


def pinned(world):
    """The key that verifies the log."""
    return world.look(lambda connection: verifier(world.room.keys(connection, world.room.hand(TENANT, "x")), TENANT))


def test_every_entry_has_one_proof_for_ever_and_it_verifies_offline(world):
    ids = put(world, 12)
    key = pinned(world)
    first = {own: world.loop(world.store.prove(TENANT, own)) for own in ids}
    put(world, 30)
    world.loop(world.store.checkpoint(TENANT))
    for own, proof in first.items():
        assert f'"id":"{own}"' in proof.leaf
        read = read_proof(proof.proof.encode())
        assert verify(proof.leaf.encode(), read, key).size > read.index
        assert world.loop(world.store.prove(TENANT, own)) == proof
        with pytest.raises(Tampered):
            verify(proof.leaf.replace("unknown", "someone").encode(), read, key)


def test_the_newest_entry_has_a_proof_at_once(world):
    for own in put(world, 3):
        proof = world.loop(world.store.prove(TENANT, own))
        assert verify(proof.leaf.encode(), read_proof(proof.proof.encode()), pinned(world))


def test_what_is_in_no_log_or_in_that_of_another_has_no_proof(world):
    (own,) = put(world, 1)
    with pytest.raises(NotFound):
        world.loop(world.store.prove(TENANT, Id("ae_0000000000000000000000000")))
    with pytest.raises(NotFound):
        world.loop(world.store.prove(OTHER_TENANT, own))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_what_is_before_a_place_is_known_well_enough_by_its_peaks(data):
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    start = data.draw(st.integers(0, index))
    nodes = merkle.nodes_beyond(CompactRange().extend(LEAVES[:start]), LEAVES[start:size])
    proof = merkle.inclusion_proof(index, size, nodes)
    assert proof == merkle.inclusion_proof(index, size, merkle.nodes_over(LEAVES[:size]))


def test_what_lies_within_a_peak_or_after_the_end_is_not_known():
    nodes = merkle.nodes_beyond(CompactRange().extend(LEAVES[:8]), LEAVES[8:10])
    for level, index in ((0, 3), (1, 0), (0, 10), (2, 2), (4, 0)):
        with pytest.raises(Malformed):
            nodes(level, index)
