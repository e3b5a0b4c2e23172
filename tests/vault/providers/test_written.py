"""The forms that root keys are named in, and where their secrets are read."""

import os

import pytest

from domain.errors import KeyUnavailable, Malformed
from vault.providers import chosen
from vault.providers.written import CREDENTIALS, SecretPlace

SECRET = "hunter2"
HSM = "module-path=/m.so&pin-source"
GOOD = [
    "file:keys.json",
    "file:a%20b.json?passphrase=env:PHRASE",
    "file:keys.json?passphrase=credential:phrase",
    "pkcs11:token=credence?module-path=/m.so&pin-source=env:PIN",
    "pkcs11:token=our%20token;object=roots?module-path=/m.so&pin-source=file:/pin",
    "transit:https://bao.example/transit/credence?token=file:/t",
    "transit:https://bao.example:8200/a/b/transit/credence?token=env:T&namespace=ns1&ca=/ca.pem",
    "transit:http://127.0.0.1:8200/transit/credence?token=env:T",
    "transit:http://[::1]:8200/transit/credence?token=env:T",
    "awskms:eu-central-1/credence",
    "awskms:eu-central-1/credence?endpoint=https://kms.example&waiting-days=7",
]
BAD = [
    "",
    SECRET,
    f"gpg:{SECRET}",
    "file:",
    "file: ",
    f"FILE:{SECRET}",
    f"file:keys.json?passphrase={SECRET}",
    "file:keys.json?passphrase=env:",
    f"file:keys.json?phrase=env:{SECRET}",
    "file:keys.json?passphrase=credential:../../etc/shadow",
    f"pkcs11:token=credence?module-path=/m.so&pin-value={SECRET}",
    f"pkcs11:token=credence?module-path=/m.so&pin-source={SECRET}",
    "pkcs11:token=credence?module-path=/m.so",
    f"pkcs11:?{HSM}=env:PIN",
    f"pkcs11:token=credence;object=a/b?{HSM}=env:PIN",
    f"pkcs11:token=credence;colour={SECRET}?{HSM}=env:PIN",
    "transit:https://bao.example/transit/credence",
    f"transit:https://bao.example/transit/credence?token={SECRET}",
    f"transit:https://user:{SECRET}@bao.example/transit/credence?token=env:T",
    "transit:http://bao.example/transit/credence?token=env:T",
    "transit:ftp://bao.example/transit/credence?token=env:T",
    "transit:https://bao.example/credence?token=env:T",
    "transit:https://bao.example:port/transit/credence?token=env:T",
    "transit:https://bao.example/transit/../sys/credence?token=env:T?",
    "transit:bao.example/transit/credence?token=env:T",
    "awskms:credence",
    "awskms:eu-central-1/",
    f"awskms:eu-central-1/credence?secret={SECRET}",
    "awskms:eu-central-1/credence?endpoint=http://kms.example",
    "awskms:eu-central-1/credence?waiting-days=3",
    "awskms:eu-central-1/credence?waiting-days=seven",
]


@pytest.mark.parametrize("written", GOOD)
def test_a_form_that_is_documented_is_read(written):
    place = chosen.place(written)
    assert SECRET not in repr(place)


@pytest.mark.parametrize("written", BAD)
def test_any_other_form_is_refused_with_what_to_write_and_without_being_repeated(written):
    with pytest.raises(Malformed) as caught:
        chosen.place(written)
    error = caught.value
    assert error.path == ("keys",)
    assert ":" in error.advice
    assert SECRET not in f"{error.message} {error.advice} {error!r} {error.__cause__} {error.__context__}"


def test_a_path_and_a_label_are_decoded():
    assert str(chosen.place("file:a%20b.json").path) == "a b.json"
    assert chosen.place("pkcs11:token=our%20token?module-path=/m.so&pin-source=env:PIN").token == "our token"


def test_a_key_file_is_founded_once_with_the_folder_for_it(tmp_path):
    place = chosen.place(f"file:{tmp_path / 'new' / 'keys.json'}")
    assert place.bare()
    place.found(1)
    assert not place.bare()
    assert place.provider().health().newest() == 1
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def secret(tmp_path, text, mode=0o600):
    path = tmp_path / "secret"
    path.write_bytes(text)
    path.chmod(mode)
    return path


def test_a_secret_is_read_from_a_file_a_variable_or_a_credential(tmp_path, monkeypatch):
    path = secret(tmp_path, b"s3cret\n", 0o640)
    monkeypatch.setenv("A_PIN", "s3cret")
    monkeypatch.setenv(CREDENTIALS, str(tmp_path))
    for written in (f"file:{path}", "env:A_PIN", "credential:secret"):
        assert SecretPlace.read("PIN", written).secret() == "s3cret"


def test_a_secret_that_was_renewed_serves_at_once(tmp_path):
    place = SecretPlace.read("token", f"file:{secret(tmp_path, b'one')}")
    assert place.secret() == "one"
    secret(tmp_path, b"two")
    assert place.secret() == "two"


@pytest.mark.parametrize("text", [b"", b"\n", b"a\0b", b"x" * 5000])
def test_a_secret_that_cannot_be_one_is_refused(tmp_path, text):
    with pytest.raises(KeyUnavailable, match="no usable token"):
        SecretPlace.read("token", f"file:{secret(tmp_path, text)}").secret()


def test_a_secret_that_everybody_can_reach_is_refused(tmp_path):
    path = secret(tmp_path, b"s3cret", 0o644)
    with pytest.raises(KeyUnavailable, match="by everybody") as caught:
        SecretPlace.read("token", f"file:{path}").secret()
    assert "chmod" in caught.value.advice
    assert "s3cret" not in f"{caught.value!r}"


def test_a_secret_that_is_nowhere_is_refused_and_named_by_its_place(tmp_path, monkeypatch):
    monkeypatch.delenv(CREDENTIALS, raising=False)
    monkeypatch.delenv("NOT_SET", raising=False)
    for written, says in (
        (f"file:{tmp_path / 'none'}", "No such file"),
        ("env:NOT_SET", "no usable"),
        ("credential:phrase", "systemd"),
    ):
        with pytest.raises(KeyUnavailable, match=says) as caught:
            SecretPlace.read("passphrase", written).secret()
        assert caught.value.advice
    assert "NOT_SET" not in os.environ
