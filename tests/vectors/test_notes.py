"""Public vectors of signed notes, verifier keys, checkpoints and tile paths."""

import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from domain.errors import Malformed
from vault import hazmat
from vault.audit import merkle, note, tiles
from vault.audit.note import Ed25519Signer, Signature, Verifier

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "notes"


def vectors(name):
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip(f"the public vectors are not beside the repository: {path.name}")
    return json.loads(path.read_text())


def signer_of(key):
    """The signer of a published test key."""
    verifier = Verifier.read(key["vkey"])
    seed = bytes.fromhex(key["seed_hex"]) if "seed_hex" in key else b64decode(key["skey"].split("+", 4)[4])[1:]
    assert hazmat.ed25519_public(seed) == verifier.public
    return Ed25519Signer(verifier.name, verifier.public, lambda message: hazmat.ed25519_sign(seed, message))


def signature_of(item):
    raw = b64decode(item["base64"])
    return Signature(item["name"], raw[:4], raw[4:])


def test_every_note_opens_or_is_refused_as_published():
    golang = vectors("golang_note")
    ran = 0
    for case in golang["open"]:
        verifiers = [Verifier.read(golang["keys"][name]["vkey"]) for name in case["verifiers"]]
        message = b64decode(case["message_base64"])
        if error := case.get("error"):
            kind = {"invalid": note.BadSignature, "note has": note.UnknownKey}
            expected = next((kind[start] for start in kind if error.startswith(start)), Malformed)
            with pytest.raises(expected):
                note.open_note(message, verifiers)
        else:
            opened = note.open_note(message, verifiers)
            assert opened.text == case["text"], case["name"]
            assert [*opened.verified] == [signature_of(item) for item in case["sigs"]], case["name"]
            assert [*opened.unverified] == [signature_of(item) for item in case["unverified"]], case["name"]
        ran += 1
    assert ran == 16


def test_notes_are_signed_and_countersigned_byte_for_byte():
    golang = vectors("golang_note")
    peter, enoch = (signer_of(golang["keys"][name]) for name in ("peter", "enoch"))
    assert note.sign_note(golang["sign"]["text"], [peter]) == golang["sign"]["note"]
    before = note.parse_note(golang["add_signature"]["note_before"].encode())
    assert note.sign_note(before.text, [enoch], before.unverified) == golang["add_signature"]["note_after"]


def test_signing_again_replaces_the_earlier_signature_of_the_key():
    golang = vectors("golang_note")
    case, peter = golang["replaced_signature"], signer_of(golang["keys"]["peter"])
    earlier = Signature(case["existing_signature"]["name"], peter.key_id, b"BADSIGN")
    assert note.sign_note(case["text"], [peter, peter], [earlier]) == golang["sign"]["note"]


def test_what_cannot_be_a_note_is_not_signed():
    golang = vectors("golang_note")
    peter = signer_of(golang["keys"]["peter"])
    with pytest.raises(Malformed):
        note.sign_note(golang["sign_errors"][0]["text"], [peter])
    case = golang["sign_errors"][1]
    with pytest.raises(Malformed):
        note.sign_note(case["text"], [peter], [signature_of(case["existing_signature"])])


def test_a_known_key_under_another_name_or_id_is_unknown():
    golang = vectors("golang_note")
    for message in golang["mismatched_verifier"]["notes"]:
        with pytest.raises(note.UnknownKey):
            note.open_note(message.encode(), [Verifier.read(golang["keys"]["peter"]["vkey"])])


def test_every_part_and_every_changed_byte_of_a_verifier_key_is_refused():
    golang = vectors("golang_note")
    vkey = golang["keys"]["peter"]["vkey"]
    parts = {vkey[start:end] for start in range(len(vkey)) for end in range(start, len(vkey) + 1)} - {vkey}
    changed = {vkey[:at] + chr(ord(vkey[at]) + 1) + vkey[at + 1 :] for at in range(len(vkey))}
    for text in (*parts, *changed, *golang["bad_verifier_keys"].values()):
        with pytest.raises(Malformed):
            Verifier.read(text)


def test_ed25519_and_ml_dsa_44_keys_are_accepted_and_all_other_kinds_refused():
    keys = vectors("formats_note_keys")
    accepted = []
    for case in keys["accepted_vkeys"]:
        if "Ed25519" in case["name"]:
            assert str(Verifier.read(case["vkey"])) == case["vkey"]
            accepted.append(Verifier.read(case["vkey"]).algorithm)
        else:
            with pytest.raises(Malformed):
                Verifier.read(case["vkey"])
    assert accepted == [note.ED25519, note.ED25519, note.COSIGNATURE]
    for case in keys["refused_vkeys"]:
        with pytest.raises(Malformed):
            Verifier.read(case["vkey"])
    with pytest.raises(Malformed, match="key id"):
        Verifier.read(keys["wrong_key_id"]["vkey"])
    right = Verifier.read(keys["wrong_key_id"]["right_vkey"])
    assert (right.algorithm, str(right)) == (note.ML_DSA_44, keys["wrong_key_id"]["right_vkey"])
    assert str(signer_of(keys["ed25519_key_pair"]).verifier()) == keys["ed25519_key_pair"]["vkey"]


def test_the_note_of_the_specification_verifies():
    case = vectors("c2sp")["signed_note"]
    opened = note.open_note(case["note"].encode(), [Verifier.read(case["vkey"])])
    assert opened.text == "This is an example message.\n"
    with pytest.raises(note.BadSignature):
        note.open_note(case["note"].replace("example m", "Example m").encode(), [Verifier.read(case["vkey"])])


def test_the_cosigned_checkpoint_of_the_specification_gives_the_message_the_witness_signed():
    case = vectors("c2sp")["cosigned_checkpoint"]
    parsed = note.parse_note(case["note"].encode())
    checkpoint = note.parse_checkpoint(parsed.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    line = next(signature for signature in parsed.unverified if signature.name == case["witness"])
    assert int.from_bytes(line.signature[:8], "big") == case["timestamp"]
    assert note.cosigned_message(parsed.text, case["timestamp"]).decode() == case["ed25519_signed_message"]


def test_the_lines_of_checkpoints_are_written_and_read_as_published():
    formats = vectors("formats_checkpoint")
    for case in formats["marshal"]:
        assert note.Checkpoint(case["origin"], case["size"], b64decode(case["hash_base64"])).text == case["want"]
    cases = [*formats["unmarshal"], formats["extension_lines"] | {"message": formats["extension_lines"]["text"]}]
    for case in cases:
        if case.get("refused"):
            with pytest.raises(Malformed):
                note.parse_lines(case["message"])
        else:
            read = note.parse_lines(case["message"])
            expected = (case["origin"], case["size"], b64decode(case["hash_base64"]), case["rest"])
            assert (read.origin, read.size, read.root, read.rest) == expected
            assert read.text == case["message"]
            if len(read.root) != merkle.HASH_BYTES:
                with pytest.raises(Malformed, match="32 bytes"):
                    note.parse_checkpoint(case["message"])
    assert len(cases) == 13


def test_tree_notes_of_the_go_checksum_database_are_read_as_published():
    case = vectors("golang_tlog")["tree_note"]
    root = merkle.leaf_hash(case["root_is_leaf_hash_of"].encode())
    origin = case["text"].split("\n")[0]
    assert note.Checkpoint(origin, case["size"], root).text == case["text"]
    for text in (case["text"], *case["accepted"]):
        read = note.parse_lines(text)
        assert (read.origin, read.size, read.root) == (origin, case["size"], root)
    other_origin, hexadecimal, long_root = case["refused"]
    assert note.parse_checkpoint(other_origin).origin != origin
    for text in (hexadecimal, long_root):
        with pytest.raises(Malformed):
            note.parse_checkpoint(text)


def test_signed_checkpoints_open_when_the_log_itself_signed_and_the_origin_is_expected():
    formats = vectors("formats_signed_checkpoint")
    signers = {name: signer_of(key) for name, key in formats["keys"].items()}
    log, *others = (signers[name].verifier() for name in formats["verifiers"])
    # The published bodies hold a root of six bytes, which a checkpoint of ours cannot have.
    root = b64encode(bytes(32)).decode()
    for case in formats["cases"]:
        signed_by = [signers[name] for name in case["signers"]]
        short = note.sign_note(case["body"], signed_by).encode()
        message = note.sign_note(case["body"].replace("YWJjZGVm", root), signed_by).encode()
        if case["signers"]:
            assert len(note.open_note(message, [log, *others]).verified) == case["verified_signatures"], case["desc"]
        if case["refused"]:
            with pytest.raises((Malformed, note.UnknownKey)):
                note.open_checkpoint(message, case["origin_expected"], log, others)
        else:
            assert note.open_checkpoint(message, case["origin_expected"], log, others).size == 42
            with pytest.raises(Malformed, match="32 bytes"):
                note.open_checkpoint(short, case["origin_expected"], log, others)
    assert len(formats["cases"]) == 12


def test_tile_paths_are_those_of_the_go_checksum_database_without_the_height():
    ran = 0
    for case in vectors("golang_tlog")["tile_paths"]:
        head, _, rest = case["path"].removeprefix("tile/").partition("/")
        path = "tile/" + rest.replace("data", "entries")
        if case.get("refused"):
            with pytest.raises(Malformed):
                tiles.read_path(path)
        else:
            width = case["width"] if ".p/" in path else tiles.WIDTH
            assert int(head) == case["height"]
            assert tiles.read_path(path) == tiles.Tile(case["level"], case["index"], width)
            assert tiles.Tile(case["level"], case["index"], width).path == path
        ran += 1
    assert ran == 8
