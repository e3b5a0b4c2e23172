"""One key of a log hands over to the next: who pinned either of them believes both, each in its own time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.errors import Malformed
from tests.vault import logs
from vault.audit import handover, note
from vault.audit.handover import Keyholders
from vault.audit.merkle import CompactRange, leaf_hash
from vault.audit.note import Checkpoint
from vault.audit.verify import verify_folder

ENDED = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SIZE, AT = 40, 25
SECOND, THIRD = logs.signer(seed=b"second"), logs.signer(seed=b"third")


def checkpoint(size):
    tree = CompactRange().extend([leaf_hash(entry) for entry in logs.entries(size)])
    return Checkpoint(logs.ORIGIN, size, tree.root())


def over(former, following, *, size=AT, compromised=False):
    return handover.hand_over(checkpoint(size), former, following, ENDED, compromised=compromised)


@pytest.fixture
def log(tmp_path):
    """A log signed by the second key, to which the first one handed over."""
    return made(tmp_path / "log", SECOND, over(logs.LOG, SECOND))


def made(folder, signer, *handovers):
    logs.written(folder, logs.entries(SIZE), key=signer)
    for number, text in enumerate(handovers, 1):
        (folder / "handover").mkdir(exist_ok=True)
        (folder / "handover" / str(number)).write_text(text, encoding="utf-8")
    return folder


def lines(folder, key=logs.KEY, **given):
    return [str(problem) for problem in verify_folder(folder, key, **given).problems]


def test_a_handover_reads_back_and_is_a_checkpoint_of_its_log_signed_by_both():
    text = over(logs.LOG, SECOND)
    read = handover.read(text)
    assert (read.former, read.following, read.ended) == (logs.KEY, SECOND.verifier(), ENDED)
    assert not read.compromised
    assert read.signed_by(logs.KEY)
    assert read.signed_by(SECOND.verifier())
    assert not read.signed_by(THIRD.verifier())
    opened = note.open_checkpoint(text.encode(), logs.ORIGIN, logs.KEY, (SECOND.verifier(),))
    assert replace(opened, rest="") == checkpoint(AT)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("former-key", "older-key"),
        ("next-key", "former-key"),
        ("ended 2026-11-26T12:00:00Z", "ended yesterday"),
        ("ended 2026-11-26T12:00:00Z", "ended 2026-13-26T12:00:00Z"),
        ("ended 2026-11-26T12:00:00Z\n", ""),
        ("ended 2026-11-26T12:00:00Z\n", "ended 2026-11-26T12:00:00Z\nmore\n"),
        (str(SECOND.verifier()), str(logs.KEY)),
        (logs.ORIGIN + "\n", note.origin(logs.OTHER_TENANT) + "\n"),
    ],
)
def test_what_is_no_handover_is_refused(before, after):
    text = over(logs.LOG, SECOND)
    assert before in text
    with pytest.raises(Malformed):
        handover.read(text.replace(before, after))


def test_who_pinned_the_former_key_accepts_the_next_one_on_its_word(log):
    report = verify_folder(log, logs.KEY)
    assert report.ok
    assert report.key == str(SECOND.verifier())
    earlier = logs.signed(logs.entries(AT))
    assert verify_folder(log, logs.KEY, earlier=[earlier]).ok


def test_who_pinned_the_next_key_knows_of_the_former_one(log):
    earlier = logs.signed(logs.entries(AT - 5))
    assert verify_folder(log, SECOND.verifier(), earlier=[earlier]).ok
    forged = logs.signed(logs.entries(AT + 1))
    (problem,) = lines(log, SECOND.verifier(), earlier=[forged])
    assert problem.startswith("WRONG_KEY earlier checkpoint 1")
    assert "no more than 25 entries" in problem


def test_keys_hand_over_again_and_again_and_the_files_may_lie_in_any_order(tmp_path):
    chain = [over(logs.LOG, SECOND), over(SECOND, THIRD, size=AT + 5)]
    for number, handovers in enumerate((chain, chain[::-1])):
        folder = made(tmp_path / str(number), THIRD, *handovers)
        for pinned in (logs.KEY, SECOND.verifier(), THIRD.verifier()):
            report = verify_folder(folder, pinned, earlier=[logs.signed(logs.entries(AT))])
            assert report.ok
            assert report.key == str(THIRD.verifier())


def test_without_the_handover_the_next_key_is_a_stranger(log):
    (log / "handover/1").unlink()
    assert lines(log)[0].startswith("WRONG_KEY checkpoint")


def test_a_handover_that_the_former_key_did_not_sign_hands_over_nothing(tmp_path):
    text = over(THIRD, SECOND).replace(str(THIRD.verifier()), str(logs.KEY))
    signed = note.sign_note(note.parse_note(text.encode()).text, [SECOND])
    assert lines(made(tmp_path / "log", SECOND, signed))[0].startswith("WRONG_KEY checkpoint")


def test_a_handover_that_the_next_key_did_not_sign_hands_over_nothing(tmp_path):
    alone = note.sign_note(note.parse_note(over(logs.LOG, SECOND).encode()).text, [logs.LOG])
    assert lines(made(tmp_path / "log", SECOND, alone))[0].startswith("WRONG_KEY checkpoint")


def test_the_former_key_signs_nothing_after_it_handed_over(tmp_path):
    folder = made(tmp_path / "log", logs.LOG, over(logs.LOG, SECOND))
    for pinned in (logs.KEY, SECOND.verifier()):
        (problem,) = lines(folder, pinned)
        assert "it ended there" in problem


def test_a_handover_of_another_history_is_a_fork(tmp_path):
    entries = [*logs.entries(AT - 1), b"{}"]
    tree = CompactRange().extend([leaf_hash(entry) for entry in entries])
    other = Checkpoint(logs.ORIGIN, AT, tree.root())
    text = handover.hand_over(other, logs.LOG, SECOND, ENDED, compromised=False)
    assert lines(made(tmp_path / "log", SECOND, text)) == [
        "FORK handover 1: the checkpoint of size 25 is not a prefix",
    ]


def test_a_key_that_hands_over_twice_is_named(tmp_path):
    folder = made(tmp_path / "log", SECOND, over(logs.LOG, SECOND), over(logs.LOG, THIRD, size=AT + 1))
    (problem,) = lines(folder)
    assert problem.startswith("FORK handover to ")
    assert "hands over twice" in problem


def test_a_compromised_key_hands_nothing_over_and_the_next_one_has_to_be_pinned(tmp_path):
    folder = made(tmp_path / "log", SECOND, over(logs.LOG, SECOND, compromised=True))
    assert lines(folder)[0].startswith("WRONG_KEY checkpoint")
    report = verify_folder(folder, SECOND.verifier(), earlier=[logs.signed(logs.entries(AT))])
    assert report.ok
    assert lines(folder, SECOND.verifier(), earlier=[logs.signed(logs.entries(AT + 1))])[0].startswith("WRONG_KEY")


def test_who_has_the_compromised_key_cannot_hand_over_to_a_key_of_its_own(tmp_path):
    stolen = over(logs.LOG, THIRD, size=AT - 1)
    folder = made(tmp_path / "log", THIRD, stolen, over(logs.LOG, SECOND, compromised=True))
    found = lines(folder, logs.KEY, others=[SECOND.verifier()])
    assert found[0].startswith("WRONG_KEY checkpoint: signed by")
    assert THIRD.key_id.hex() in found[0]


def test_a_file_that_is_no_handover_is_named_and_says_nothing(log):
    (log / "handover/2").write_text("nothing", encoding="ascii")
    (problem,) = lines(log)
    assert problem.startswith("MALFORMED handover 2")


def test_keys_of_another_log_are_believed_nothing_about_this_one():
    other = logs.signer(name=note.origin(logs.OTHER_TENANT), seed=b"other")
    known = Keyholders([other.verifier()], [over(logs.LOG, SECOND)])
    assert known.verifiers == (other.verifier(),)
    assert known.used == []
