"""A public log written by another implementation: every file and every checkpoint of it, byte for byte."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from tests.vault import logs
from vault import hazmat
from vault.audit import files, merkle, note, proof, verify
from vault.audit.note import Ed25519Signer, Verifier

PATH = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "tessera" / "golden_log.json"


@pytest.fixture
def golden():
    if not PATH.exists():
        pytest.skip(f"the public vectors are not beside the repository: {PATH.name}")
    return json.loads(PATH.read_text())


def signer(golden):
    """The signer of the published test key."""
    seed = b64decode(golden["test_signing_key"].split("+", 4)[4])[1:]
    public = hazmat.ed25519_public(seed)
    return Ed25519Signer(golden["origin"], public, lambda message: hazmat.ed25519_sign(seed, message))


def test_the_log_grown_entry_by_entry_has_the_published_files_and_checkpoints(golden, tmp_path):
    entries = [entry.encode() for entry in golden["entries_in_order"]]
    expected = {path: b64decode(data) for path, data in golden["files_base64"].items()}
    key = signer(golden)
    assert str(key.verifier()) == golden["verifier_key"]
    for size in range(len(entries) + 1):
        checkpoint = logs.signed(entries[:size], key, golden["origin"])
        assert checkpoint == golden["checkpoints"][str(size)]
        files.write_log(tmp_path, entries[:size], checkpoint)
        assert (tmp_path / "checkpoint").read_text() == checkpoint
    held = logs.contents(tmp_path)
    del held["checkpoint"]
    assert held == expected
    assert (len(held), size) == (30, 15)


def test_the_published_log_is_sound_but_for_entries_that_are_not_of_ours(golden, tmp_path):
    for path, data in golden["files_base64"].items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b64decode(data))
    (tmp_path / "checkpoint").write_text(golden["checkpoints"]["15"])
    earlier = [golden["checkpoints"][str(size)] for size in range(16)]
    report = verify.verify_folder(tmp_path, Verifier.read(golden["verifier_key"]), earlier=earlier)
    assert [str(problem).split(":")[0] for problem in report.problems] == [
        "WRONG_ORIGIN checkpoint",
        *(f"MALFORMED entry {index}" for index in range(15)),
    ]


def test_entries_of_the_published_log_are_proven_under_every_published_checkpoint(golden):
    entries = [entry.encode() for entry in golden["entries_in_order"]]
    key = Verifier.read(golden["verifier_key"])
    nodes = merkle.nodes_over([merkle.leaf_hash(entry) for entry in entries])
    for size in range(1, 16):
        for index in range(size):
            made = proof.prove(index, golden["checkpoints"][str(size)], nodes)
            assert proof.verify(entries[index], made, key).size == size
    opened = note.open_checkpoint(golden["checkpoints"]["0"].encode(), golden["origin"], key)
    assert (opened.size, opened.root) == (0, merkle.EMPTY_ROOT)
