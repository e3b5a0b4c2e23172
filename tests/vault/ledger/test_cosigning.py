"""Witnesses cosign every new checkpoint, no write waits for them, and what they say against the log is heard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests import independent
from tests.vault.ledger.grown import grow
from tests.vault.ledger.witnesses import Auditor
from tests.world import TENANT
from vault.audit import note
from vault.audit.note import Checkpoint
from vault.store.ledger import published
from vault.store.ledger.cosigning import Quorum, called, quorum_of
from vault.store.ledger.proving import proof_of


@pytest.fixture
def auditor(world, tmp_path):
    made = Auditor(world, tmp_path, 3)
    yield made
    made.close()


def size_of(text):
    """How many entries a checkpoint promises."""
    return int(text.split("\n")[1])


def shown(world, quorum):
    """The checkpoint that is served."""
    return world.look(published.checkpoint_of(TENANT, quorum)).decode()


def test_every_new_checkpoint_is_cosigned_and_an_independent_verifier_sees_it(world, auditor):
    keys = [independent.Key(str(key)) for key in (auditor.key, *auditor.verifiers)]
    for count in (3, 300, 1):
        made, checkpoint = grow(world, count)
        auditor.ask()
        size = size_of(checkpoint)
        assert auditor.told() == [("COSIGNED", size, 0)] * 3
        assert independent.checkpoint(shown(world, Quorum()), *keys)[0] == size
    before = auditor.asked
    auditor.ask()
    assert auditor.asked == before
    quorum = quorum_of(auditor.verifiers, 3)
    proof = world.look(proof_of(TENANT, made[-1].id, quorum))
    place = independent.proven(proof.leaf.encode(), proof.proof, *keys)
    assert world.leaves()[place] == proof.leaf.encode()


def test_a_witness_that_is_away_holds_up_nobody_and_is_asked_again_later(world, auditor):
    quorum = quorum_of(auditor.verifiers, 2)
    _, checkpoint = grow(world, 2)
    auditor.ask()
    first = size_of(checkpoint)
    auditor.away = {1, 2}
    _, checkpoint = grow(world, 2)
    auditor.ask()
    second = size_of(checkpoint)
    assert auditor.told() == [("COSIGNED", second, 0), *[("UNREACHABLE", first, second - first)] * 2]
    assert dict(auditor.cosigning.worst())[called(auditor.verifiers[1])] == "UNREACHABLE"
    # What a quorum cosigned comes first; who asks for none gets the newest.
    assert size_of(shown(world, quorum)) == first
    assert size_of(shown(world, replace(quorum, needed=1))) == second
    assert size_of(shown(world, Quorum())) == second
    asked, auditor.away = auditor.asked, set()
    auditor.ask()
    assert auditor.asked == asked
    world.clock.move(seconds=3)
    auditor.ask()
    assert auditor.told() == [("COSIGNED", second, 0)] * 3
    assert size_of(shown(world, quorum)) == second
    assert auditor.alarms == []


def test_a_witness_that_does_not_follow_the_log_refuses_and_that_is_told(world, auditor):
    (auditor.folders[0] / "logs").write_text("")
    grow(world, 1)
    auditor.ask()
    (state, size, _), *others = auditor.told()
    assert (state, size) == ("REFUSING", 0)
    assert {state for state, _, _ in others} == {"COSIGNED"}
    (said, *_) = [one.said for one in world.loop(auditor.cosigning.told(TENANT))]
    assert "404" in said
    assert auditor.alarms == []


@pytest.mark.parametrize("more", [-1, 0, 5])
def test_what_a_witness_says_against_the_log_is_an_alarm_once(world, auditor, more):
    _, checkpoint = grow(world, 4)
    size = size_of(checkpoint)
    # The witness has seen another history of this log, shorter, as long or longer: it was rewritten, or went back.
    other = Checkpoint(note.origin(TENANT), size + more, b"\1" * 32)
    auditor.states[0].keep(other.origin, (other.text + "\n\u2014 x AAAAAAA=\n").encode())
    for _ in range(2):
        world.clock.move(minutes=10)
        auditor.ask()
    assert auditor.alarms == [(TENANT, f"witness/{called(auditor.verifiers[0])}", size)]
    assert [state for state, _, _ in auditor.told()] == ["INCONSISTENT", "COSIGNED", "COSIGNED"]
    grow(world, 10)
    world.clock.move(minutes=10)
    auditor.ask()
    assert len(auditor.alarms) == 1
