"""What a witness keeps is its own, whole, and taken by one process at a time."""

from __future__ import annotations

import shutil
import stat

import pytest

from domain.errors import Malformed, NotFound, Overloaded, Tampered
from tests.vault import logs
from vault.audit import note
from vault.witness import folder

NAME = "auditor.example/w1"


@pytest.fixture
def place(tmp_path):
    folder.opened(tmp_path / "witness", NAME)
    return tmp_path / "witness"


def test_a_new_witness_belongs_to_its_owner_alone(place):
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE((place / "key").stat().st_mode) == 0o600
    *head, name, known_as, data = (place / "key").read_text().strip().split("+", 4)
    verifier = folder.cosigner(place, lambda: 0).verifier()
    assert (head, name, known_as) == (["PRIVATE", "KEY"], NAME, verifier.key_id.hex())
    assert len(data) == 44


def test_its_key_cosigns_what_its_verifier_verifies(place):
    signer = folder.cosigner(place, lambda: 1_767_225_600)
    signed = note.sign_note("text\n", [signer])
    assert note.open_note(signed.encode(), [signer.verifier()]).text == "text\n"


@pytest.mark.parametrize("name", ["", "a b", "a+b"])
def test_a_name_that_no_key_can_have_makes_no_witness(tmp_path, name):
    with pytest.raises(Malformed):
        folder.opened(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_a_witness_is_not_made_where_something_is(place):
    before = (place / "key").read_bytes()
    with pytest.raises(Malformed, match="not empty"):
        folder.opened(place, NAME)
    assert (place / "key").read_bytes() == before


def test_logs_are_followed_once_each_and_stay(place):
    other = logs.signer("credence/other", b"other").verifier()
    folder.followed(place, (logs.KEY,))
    assert folder.followed(place, (other, logs.KEY)) == (logs.KEY, other) == folder.logs(place)
    assert folder.standing(place) == {logs.ORIGIN: 0, "credence/other": 0}


def test_its_state_is_taken_by_one(place):
    state = folder.State(place)
    with pytest.raises(Overloaded):
        folder.State(place)
    state.close()
    folder.State(place).close()


def test_a_witness_without_its_state_does_not_begin_again(place):
    shutil.rmtree(place / folder.STATE)
    with pytest.raises(NotFound, match="no state"):
        folder.State(place)


@pytest.mark.parametrize("kept", [b"", b"nonsense", None])
def test_a_damaged_state_is_told_and_not_taken_for_none(place, kept):
    state = folder.State(place)
    other = logs.signed(logs.entries(2), origin="credence/other").encode()
    state.keep(logs.ORIGIN, other if kept is None else kept)
    with pytest.raises(Tampered, match="damaged"):
        state.latest(logs.ORIGIN)
    state.close()


def test_a_key_that_others_can_read_is_refused(place):
    (place / "key").chmod(0o644)
    with pytest.raises(Tampered, match="Others"):
        folder.cosigner(place, lambda: 0)


@pytest.mark.parametrize("change", [lambda text: text[:-9], lambda text: text.replace("w1", "w2"), lambda _: "key"])
def test_a_key_that_is_not_as_it_was_written_is_refused(place, change):
    text = (place / "key").read_text()
    (place / "key").write_text(change(text))
    with pytest.raises(Malformed):
        folder.cosigner(place, lambda: 0)


def test_what_is_no_witness_is_told(tmp_path):
    for look in (folder.logs, folder.standing, lambda place: folder.cosigner(place, lambda: 0)):
        with pytest.raises(NotFound):
            look(tmp_path)
