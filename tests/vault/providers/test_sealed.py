"""A key file that is sealed with a passphrase."""

import json

import pytest

from domain.errors import KeyUnavailable, Malformed
from vault import hazmat
from vault.providers import chosen
from vault.providers.keytext import FORMAT, SEALED
from vault.providers.port import Context, Purpose

PHRASE = "correct horse battery staple"
CONTEXT = Context(b"\x01" * 16, Purpose.KEK, 1)


@pytest.fixture
def phrase(tmp_path):
    """The file with the passphrase."""
    path = tmp_path / "phrase"
    path.touch(mode=0o600)
    path.write_text(PHRASE, encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


@pytest.fixture
def written(path, phrase):
    return f"file:{path}?passphrase=file:{phrase}"


@pytest.fixture
def keys(written):
    chosen.place(written).found(1)
    return chosen.place(written).provider()


@pytest.mark.usefixtures("keys")
def test_the_file_tells_nothing_but_its_salt(path):
    entries = json.loads(path.read_text(encoding="utf-8"))
    assert set(entries) == {"format", "salt", "sealed"}
    assert entries["format"] == SEALED
    assert path.stat().st_mode & 0o777 == 0o600
    assert FORMAT.encode() not in bytes.fromhex(entries["sealed"])


def test_each_change_seals_anew_under_another_nonce(keys, path):
    before = json.loads(path.read_text(encoding="utf-8"))["sealed"]
    keys.generate(2)
    after = json.loads(path.read_text(encoding="utf-8"))["sealed"]
    assert before[:24] != after[:24]
    assert keys.health().newest() == 2


@pytest.mark.usefixtures("keys")
def test_a_wrong_passphrase_is_refused_and_a_right_one_serves_without_a_new_start(written, phrase):
    fresh = chosen.place(written).provider()
    phrase.write_text("wrong", encoding="utf-8")
    with pytest.raises(KeyUnavailable, match="does not open") as caught:
        fresh.health()
    assert "wrong" not in caught.value.message.replace("wrong passphrase", "")
    phrase.write_text(PHRASE, encoding="utf-8")
    assert fresh.health().newest() == 1


@pytest.mark.usefixtures("keys")
def test_every_changed_part_of_the_file_is_refused(path, written):
    entries = json.loads(path.read_text(encoding="utf-8"))
    for name in ("salt", "sealed"):
        digits = entries[name]
        for place in (0, len(digits) // 2, len(digits) - 1):
            changed = digits[:place] + ("0" if digits[place] != "0" else "1") + digits[place + 1 :]
            path.write_text(json.dumps(entries | {name: changed}), encoding="utf-8")
            with pytest.raises(KeyUnavailable):
                chosen.place(written).provider().health()
    for cut in ({"sealed": "00"}, {"salt": ""}, {"sealed": 7}, {"more": 1}):
        path.write_text(json.dumps(entries | cut), encoding="utf-8")
        with pytest.raises(KeyUnavailable, match=r"damaged|passphrase"):
            chosen.place(written).provider().health()


@pytest.mark.usefixtures("keys")
def test_a_sealed_file_without_its_passphrase_and_a_plain_one_with_one_are_refused(path, written, tmp_path):
    with pytest.raises(KeyUnavailable, match="is sealed") as caught:
        chosen.place(f"file:{path}").provider().health()
    assert "?passphrase=" in caught.value.advice
    plain = tmp_path / "plain.json"
    chosen.place(f"file:{plain}").found(1)
    with pytest.raises(KeyUnavailable, match="not sealed") as caught:
        chosen.place(written.replace("keys.json", "plain.json")).provider().health()
    assert "keys seal" in caught.value.advice


def test_a_plain_file_is_sealed_and_its_passphrase_changed_while_what_it_wraps_stays(path, written, tmp_path):
    plain = chosen.place(f"file:{path}")
    plain.found(1)
    (wrapped,) = plain.provider().wrap([(CONTEXT, hazmat.Secret(bytearray(range(32))))])
    root = json.loads(path.read_text(encoding="utf-8"))["roots"]["1"]
    with path.open("rb") as before:
        chosen.seal(written, None)
        assert before.read().strip(b"\0") == b""
    assert root not in path.read_text(encoding="utf-8")
    with pytest.raises(KeyUnavailable, match="is sealed"):
        chosen.seal(written, None)
    other = tmp_path / "other"
    other.touch(mode=0o600)
    other.write_text("another one", encoding="utf-8")
    former, _, source = written.partition("?passphrase=")
    chosen.seal(f"{former}?passphrase=file:{other}", source)
    with pytest.raises(KeyUnavailable, match="does not open"):
        chosen.place(written).provider().health()
    (key,) = chosen.place(f"{former}?passphrase=file:{other}").provider().unwrap([(CONTEXT, wrapped)])
    assert key.use(bytes) == bytes(range(32))


def test_there_is_nothing_to_seal_where_no_passphrase_is_named(path):
    for written in (f"file:{path}", "awskms:eu-central-1/credence"):
        with pytest.raises(Malformed):
            chosen.seal(written, None)
    with pytest.raises(Malformed) as caught:
        chosen.seal(f"file:{path}?passphrase=env:A", "hunter2")
    assert "hunter2" not in f"{caught.value!r}{caught.value.message}{caught.value.advice}"


def test_what_a_passphrase_makes_never_changes_or_no_sealed_file_could_be_opened():
    key = hazmat.argon2id("password", b"somesaltsomesalt")
    assert key.use(bytearray.hex) == "81db97a7e67a891784a2599bc879f957cb3512d273984bd97d8a18fc59ff01e2"
    assert (hazmat.ARGON2_KIBIBYTES, hazmat.ARGON2_PASSES, hazmat.ARGON2_LANES) == (65536, 3, 4)
    with pytest.raises(ValueError, match="salt"):
        hazmat.argon2id("password", b"short")
