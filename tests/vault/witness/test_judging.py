"""A witness cosigns what only grew, once, and answers everything else as C2SP tlog-witness says."""

from __future__ import annotations

import threading
from http import HTTPStatus

import pytest

from domain.errors import Malformed
from tests.vault import logs
from vault.audit import merkle, note
from vault.witness import folder
from vault.witness.asking import cosignature, written
from vault.witness.judging import MOST_BYTES, MOST_HASHES, SIZE_MEDIA, Witness

NAME = "auditor.example/w1"
FORKED = [*logs.entries(6)[:4], logs.entry(100), logs.entry(101)]
"""The same beginning, and another end."""


@pytest.fixture
def place(tmp_path):
    """The folder of a witness that follows one log."""
    folder.opened(tmp_path / "witness", NAME)
    folder.followed(tmp_path / "witness", (logs.KEY,))
    return tmp_path / "witness"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.seconds = 1_767_225_600

    def __call__(self):
        """What it shows."""
        return self.seconds


def witness_of(place, clock=None):
    """A witness over a folder, and its state."""
    state = folder.State(place)
    return Witness(folder.cosigner(place, clock or Clock()), folder.logs(place), state), state


@pytest.fixture
def witness(place):
    made, state = witness_of(place)
    yield made
    state.close()


def proof(old, leaves):
    """What shows that these entries extend the first so many of them."""
    if not 0 < old < len(leaves):
        return ()
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    return merkle.consistency_proof(old, len(leaves), merkle.nodes_over(hashes))


def request(old, leaves, hashes=None, key=logs.LOG, origin=logs.ORIGIN):
    """A request about a log of these entries."""
    return written(logs.signed(leaves, key, origin), old, proof(old, leaves) if hashes is None else hashes)


def shown(place):
    """The verifier that an auditor pins."""
    return folder.cosigner(place, Clock()).verifier()


@pytest.mark.parametrize("sizes", [(1, 2, 3), (4, 4, 5), (3, 7, 300), (256, 257, 600)])
def test_a_log_that_only_grows_is_cosigned_from_size_to_size(witness, place, sizes):
    old = 0
    for size in sizes:
        leaves = logs.entries(size)
        answer = witness.add(request(old, leaves))
        assert answer.status == HTTPStatus.OK
        found = cosignature(shown(place), logs.signed(leaves), answer.body)
        assert (found.name, int.from_bytes(found.signature[:8], "big")) == (NAME, Clock().seconds)
        old = size


def test_who_does_not_know_how_far_it_is_is_told(witness):
    assert witness.add(request(0, logs.entries(3))).status == HTTPStatus.OK
    for old, leaves in ((0, logs.entries(5)), (2, logs.entries(5)), (4, logs.entries(5)), (0, logs.entries(3))):
        answer = witness.add(request(old, leaves))
        assert (answer.status, answer.body, answer.media) == (HTTPStatus.CONFLICT, "3\n", SIZE_MEDIA)


def test_a_second_history_is_never_cosigned(witness):
    assert witness.add(request(0, logs.entries(5))).status == HTTPStatus.OK
    other = FORKED[:5]
    # Of the same size, longer, with its own proof, with that of the first history, and with none.
    assert witness.add(request(5, other)).status == HTTPStatus.CONFLICT
    for hashes in (proof(5, FORKED), proof(5, logs.entries(6)), ()):
        assert witness.add(request(5, FORKED, hashes)).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert witness.add(request(5, logs.entries(6))).status == HTTPStatus.OK


def test_a_log_that_was_cut_back_is_refused(witness):
    assert witness.add(request(0, logs.entries(5))).status == HTTPStatus.OK
    assert witness.add(request(3, logs.entries(4))).status == HTTPStatus.CONFLICT
    assert witness.add(request(5, logs.entries(4))).status == HTTPStatus.BAD_REQUEST


def test_only_keys_that_are_followed_are_believed(witness, place):
    assert witness.add(request(0, logs.entries(1), origin="credence/other")).status == HTTPStatus.NOT_FOUND
    stranger = logs.signer(seed=b"stranger")
    assert witness.add(request(0, logs.entries(1), key=stranger)).status == HTTPStatus.FORBIDDEN
    forged = request(0, logs.entries(1)).replace(b"\n1\n", b"\n2\n")
    assert witness.add(forged).status == HTTPStatus.FORBIDDEN
    assert folder.standing(place) == {logs.ORIGIN: 0}


def test_a_log_that_changes_its_key_is_followed_under_both(place):
    successor = logs.signer(seed=b"successor")
    folder.followed(place, (successor.verifier(),))
    witness, state = witness_of(place)
    assert witness.add(request(0, logs.entries(2))).status == HTTPStatus.OK
    assert witness.add(request(2, logs.entries(3), key=successor)).status == HTTPStatus.OK
    state.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 0\n\n",
        b"old 00\n\nnote",
        b"old -1\n\nnote",
        b"old 9223372036854775808\n\nnote",
        b"new 0\n\nnote",
        b"old 0\nnot base64\n\nnote",
        b"old 0\nAAAA\n\nnote",
        "old 0\nä\n\nnote".encode(),
        b"old 0\n" + b"A" * MOST_BYTES,
    ],
)
def test_what_is_no_request_is_refused(witness, body):
    head, _, _ = body.partition(b"note")
    whole = head + logs.signed(logs.entries(1)).encode() if b"note" in body else body
    assert witness.add(whole).status == HTTPStatus.BAD_REQUEST


def test_a_proof_has_its_most_hashes(witness):
    many = tuple(bytes(32) for _ in range(MOST_HASHES + 1))
    assert witness.add(request(0, logs.entries(1), many)).status == HTTPStatus.BAD_REQUEST
    assert witness.add(request(0, logs.entries(1), many[1:])).status == HTTPStatus.UNPROCESSABLE_ENTITY


def test_every_changed_bit_of_a_proof_is_refused(witness):
    assert witness.add(request(0, logs.entries(5))).status == HTTPStatus.OK
    good = proof(5, logs.entries(13))
    for place in range(len(good)):
        for bit in range(0, 256, 37):
            changed = bytearray(good[place])
            changed[bit // 8] ^= 1 << bit % 8
            hashes = (*good[:place], bytes(changed), *good[place + 1 :])
            assert witness.add(request(5, logs.entries(13), hashes)).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert witness.add(request(5, logs.entries(13), good)).status == HTTPStatus.OK


def test_it_goes_on_where_it_was_after_it_ended(place):
    witness, state = witness_of(place)
    assert witness.add(request(0, logs.entries(5))).status == HTTPStatus.OK
    state.close()
    witness, state = witness_of(place)
    assert witness.add(request(0, FORKED)).body == "5\n"
    assert witness.add(request(5, FORKED)).status == HTTPStatus.UNPROCESSABLE_ENTITY
    state.close()


def test_nothing_is_signed_that_could_not_be_kept(place, monkeypatch):
    witness, state = witness_of(place)
    assert witness.add(request(0, logs.entries(2))).status == HTTPStatus.OK

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder.State, "keep", full)
    with pytest.raises(OSError, match="No space"):
        witness.add(request(2, logs.entries(3)))
    monkeypatch.undo()
    assert folder.standing(place) == {logs.ORIGIN: 2}
    state.close()


def test_of_many_at_once_one_history_is_cosigned(witness, place):
    histories = [[*logs.entries(3), logs.entry(100 + number)] for number in range(8)]
    assert witness.add(request(0, logs.entries(3))).status == HTTPStatus.OK
    answers = []

    def add(leaves):
        answers.append(witness.add(request(3, leaves)).status)

    threads = [threading.Thread(target=add, args=(leaves,)) for leaves in histories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [HTTPStatus.OK] + [HTTPStatus.CONFLICT] * 7
    assert folder.standing(place) == {logs.ORIGIN: 4}


def test_a_size_that_was_cosigned_is_cosigned_again_at_another_time(place):
    clock = Clock()
    witness, state = witness_of(place, clock)
    first = witness.add(request(0, logs.entries(2))).body
    clock.seconds += 60
    again = witness.add(request(2, logs.entries(2)))
    assert again.status == HTTPStatus.OK
    assert again.body != first
    state.close()


def test_what_is_kept_is_the_checkpoint_with_both_signatures(witness, place):
    witness.add(request(0, logs.entries(2)))
    (kept,) = [path for path in (place / folder.STATE).iterdir() if path.name != folder.LOCK]
    opened = note.open_checkpoint(kept.read_bytes(), logs.ORIGIN, logs.KEY, (shown(place),))
    assert opened.size == 2
    assert len(note.open_note(kept.read_bytes(), (logs.KEY, shown(place))).verified) == 2


def test_a_key_of_a_witness_signs_no_log_here(place):
    with pytest.raises(Malformed, match="signs no log"):
        folder.followed(place, (shown(place),))
