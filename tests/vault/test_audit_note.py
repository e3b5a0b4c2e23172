import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import ids
from domain.errors import Malformed
from tests.vault import logs
from vault import hazmat
from vault.audit import note


@given(st.binary(min_size=16, max_size=16))
def test_the_origin_of_a_log_names_its_tenant(raw):
    tenant = ids.encode("te", raw)
    assert note.origin(tenant) == f"credence/{tenant}"
    assert note.tenant_of(note.origin(tenant)) == tenant


@pytest.mark.parametrize("text", ["", "te_1", "cf_" + "0" * 26, "te_" + "0" * 25 + "U", "te_" + "z" * 26])
def test_only_a_tenant_has_a_log(text):
    with pytest.raises(Malformed):
        note.origin(text)
    with pytest.raises(Malformed):
        note.tenant_of(f"credence/{text}")


def test_an_origin_of_another_kind_names_no_tenant():
    for text in ("te_" + "0" * 26, "example.com/te_" + "0" * 26, "credence/credence/te_" + "0" * 26):
        with pytest.raises(Malformed):
            note.tenant_of(text)


def test_what_could_not_be_read_again_is_not_signed():
    root = bytes(32)
    for origin, size, hashed in (("two\nlines", 1, root), ("", 1, root), ("log", -1, root), ("log", 1, b"short")):
        with pytest.raises(Malformed):
            note.sign_checkpoint(note.Checkpoint(origin, size, hashed), [logs.LOG])
    for text in ("half \ud800\n", "tab\t\n", "no newline", ""):
        with pytest.raises(Malformed):
            note.sign_note(text, [logs.LOG])


def test_a_note_has_as_many_signatures_as_can_be_read_again():
    existing = [note.Signature(f"key{number}", bytes(4), b"?") for number in range(note.MAX_SIGNATURES)]
    signed = note.sign_note("text\n", [logs.LOG], existing[1:])
    assert len(note.parse_note(signed.encode()).unverified) == note.MAX_SIGNATURES
    with pytest.raises(Malformed, match="at most 100"):
        note.sign_note("text\n", [logs.LOG], existing)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x07b", "a\ud800b"])
def test_a_name_that_could_not_stand_in_a_note_is_no_name_of_a_key(name):
    with pytest.raises(Malformed):
        note.Verifier(name, note.ED25519, logs.KEY.public)
    with pytest.raises(Malformed):
        note.sign_note("text\n", [], [note.Signature(name, bytes(4), b"?")])


class Witness:
    """A key that cosigns checkpoints at a time."""

    name = "witness.example"

    def __init__(self, seconds):
        self.seconds = seconds
        self.key = logs.signer(self.name, b"witness")
        self.verifier = note.Verifier(self.name, note.COSIGNATURE, self.key.public)
        self.key_id = self.verifier.key_id

    def sign(self, message):
        """The time and the signature over it and the text."""
        cosigned = note.cosigned_message(message.decode(), self.seconds)
        return self.seconds.to_bytes(8, "big") + self.key.sign(cosigned)


@pytest.mark.parametrize("seconds", [0, 1_735_689_600, 2**63 - 1])
def test_a_cosignature_binds_its_time(seconds):
    witness = Witness(seconds)
    signed = note.sign_note("text\n", [witness])
    assert note.open_note(signed.encode(), [witness.verifier]).text == "text\n"
    later = note.parse_note(signed.encode()).unverified[0]
    moved = note.Signature(later.name, later.key_id, (seconds ^ 1).to_bytes(8, "big") + later.signature[8:])
    for wrong in (moved, note.Signature(later.name, later.key_id, later.signature[:-1])):
        with pytest.raises(note.BadSignature):
            note.open_note(note.sign_note("text\n", [], [wrong]).encode(), [witness.verifier])


def test_a_cosignature_of_a_time_outside_the_format_is_bad():
    witness = Witness(2**63)
    with pytest.raises(note.BadSignature):
        note.open_note(note.sign_note("text\n", [witness]).encode(), [witness.verifier])


def test_a_cosignature_with_ml_dsa_44_commits_to_witness_time_origin_size_and_root():
    seed = bytes(range(32))
    public = hazmat.mldsa44_public(seed)
    signer = note.Cosigner(
        "w.example", public, lambda message: hazmat.mldsa44_sign(seed, message), lambda: 1_767_225_600, note.ML_DSA_44
    )
    text = note.Checkpoint("log.example", 7, b"\1" * 32, "an extension\n").text
    signature, key = signer.sign(text.encode()), signer.verifier()
    assert len(signature) == 8 + 2_420
    assert note.Verifier.read(str(key)) == key
    assert key.verifies(text, signature)
    # Extension lines are not signed; everything else is.
    assert key.verifies(note.Checkpoint("log.example", 7, b"\1" * 32).text, signature)
    for other in (
        note.Checkpoint("log.example", 8, b"\1" * 32).text,
        note.Checkpoint("log.example", 7, b"\2" * 32).text,
        note.Checkpoint("other.example", 7, b"\1" * 32).text,
        "no checkpoint\n",
    ):
        assert not key.verifies(other, signature)
    assert not key.verifies(text, bytes(7) + b"\1" + signature[8:])
    assert not key.verifies(text, signature[:-1])
    assert not note.Verifier("v.example", note.ML_DSA_44, public).verifies(text, signature)
