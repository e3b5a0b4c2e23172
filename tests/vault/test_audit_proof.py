import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Malformed, Tampered
from tests.vault import logs
from vault.audit import merkle, note, proof
from vault.audit.proof import LogProof

LEAVES = [merkle.leaf_hash(entry) for entry in logs.entries(300)]
NODES = merkle.nodes_over(LEAVES)
SIGNED = {size: logs.signed(logs.entries(size)) for size in (1, 2, 3, 255, 256, 257, 300)}

proofs = st.builds(
    LogProof,
    index=st.integers(0, 2**63 - 1),
    hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
    checkpoint=st.text(max_size=100),
    extra=st.binary(max_size=60),
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_proof_shows_its_entry_at_its_place_and_nothing_else(data):
    size = data.draw(st.sampled_from(sorted(SIGNED)))
    index = data.draw(st.integers(0, size - 1))
    made = proof.prove(index, SIGNED[size], NODES)
    read = proof.read_proof(made.text.encode())
    assert read == made
    assert proof.verify(logs.entry(index), read, logs.KEY).size == size
    other = data.draw(st.integers(0, 300).filter(lambda number: number != index))
    with pytest.raises(Tampered, match="does not show"):
        proof.verify(logs.entry(other), made, logs.KEY)
    moved = LogProof(index=other, hashes=made.hashes, checkpoint=made.checkpoint)
    with pytest.raises(Tampered, match="does not show"):
        proof.verify(logs.entry(index), moved, logs.KEY)
    with pytest.raises(Tampered):
        proof.verify(logs.entry(index), made, logs.signer(seed=b"stranger").verifier())


@given(proofs)
def test_a_proof_is_read_as_it_was_written(written):
    assert proof.read_proof(written.text.encode()) == written


@given(st.binary(max_size=300) | proofs.map(lambda made: made.text[:-1].encode()))
def test_what_is_read_has_one_spelling(data):
    try:
        read = proof.read_proof(data)
    except Malformed:
        return
    assert read.text.encode() == data


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_flipped_bit_of_a_proof_goes_unnoticed(data):
    text = bytearray(proof.prove(5, SIGNED[257], NODES).text.encode())
    text[data.draw(st.integers(0, len(text) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((Malformed, Tampered)):
        proof.verify(logs.entry(5), proof.read_proof(bytes(text)), logs.KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\nindex 0\ncheckpoint\n",
        "c2sp.org/tlog-proof@v2\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex +1\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex ١\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\r\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra YQ==\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra YR==\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + "A" * 43 + "=\n" * 64 + "\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + ("A" * 43 + "=\n") * 64 + "\ncheckpoint\n",
    ],
)
def test_what_is_no_proof_is_refused(text):
    with pytest.raises(Malformed):
        proof.read_proof(text.encode())


def test_bytes_that_are_no_text_or_too_many_are_no_proof():
    long = b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + b"a" * proof.MAX_PROOF_BYTES
    for data in (b"\xff", long):
        with pytest.raises(Malformed):
            proof.read_proof(data)


def test_there_is_no_proof_of_an_entry_the_log_does_not_have():
    for index in (-1, 2):
        with pytest.raises(Malformed):
            proof.prove(index, SIGNED[2], NODES)


def test_a_proof_is_not_made_of_tiles_that_do_not_lead_to_the_checkpoint():
    with pytest.raises(Tampered, match="do not lead"):
        proof.prove(0, SIGNED[2], merkle.nodes_over(LEAVES[1:]))


def test_a_proof_of_another_log_or_without_its_witness_is_refused():
    made = proof.prove(0, SIGNED[2], NODES)
    with pytest.raises(Malformed, match="another log"):
        proof.verify(logs.entry(0), made, logs.KEY, origin=note.origin(logs.OTHER_TENANT))
    witness = logs.signer("witness.example", b"witness")
    with pytest.raises(note.UnknownKey):
        proof.verify(logs.entry(0), made, logs.KEY, witnesses=[witness.verifier()])
    text = note.parse_note(made.checkpoint.encode())
    cosigned = proof.prove(0, note.sign_note(text.text, [witness], text.unverified), NODES)
    assert proof.verify(logs.entry(0), cosigned, logs.KEY, witnesses=[witness.verifier()]).size == 2
