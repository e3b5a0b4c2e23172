"""What is particular to tokens: PINs, modules, and objects that somebody else had a hand in."""

import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import KeyUnavailable, Malformed
from vault import hazmat
from vault.providers import chosen
from vault.providers.port import Context, Purpose, RootState

ROOT = Path(__file__).parents[3]
CONTEXT = Context(b"\x01" * 16, Purpose.KEK, 1)
HEALTH = "import sys; from vault.providers import chosen; print(chosen.place(sys.argv[1]).provider().health())"


@pytest.fixture
def token(made):
    """A token with a root."""
    one = made("pkcs11")
    chosen.place(one.written).found(1)
    return one


def elsewhere(written):
    """What health is in a process of its own, where nobody has logged in yet."""
    return subprocess.run(
        [sys.executable, "-c", HEALTH, written], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_wrong_pin_is_refused_and_not_shown(token):
    assert "STANDING" in elsewhere(token.written).stdout
    (token.folder / "pin").write_text("00000000", encoding="utf-8")
    told = elsewhere(token.written).stderr
    assert "refuses the PIN" in told
    assert "00000000" not in told


def test_a_token_or_a_module_that_is_not_there_is_named(token, tmp_path):
    for written in (
        token.written.replace(token.label, "another"),
        token.written.replace(token.tokens.module, str(tmp_path / "none.so")),
    ):
        with pytest.raises(KeyUnavailable) as caught:
            chosen.place(written).provider().health()
        assert "PKCS#11 token" in caught.value.message


def test_of_two_objects_with_one_name_neither_serves(token):
    import pkcs11

    provider = token.provider()
    (wrapped,) = provider.wrap([(CONTEXT, hazmat.random_secret())])
    with token.session() as session:
        session.generate_key(pkcs11.KeyType.AES, 256, label="roots-root-1", store=True)
    (refused,) = provider.unwrap([(CONTEXT, wrapped)])
    assert isinstance(refused, KeyUnavailable)
    assert "2 objects" in refused.message


def test_a_root_whose_end_was_broken_off_serves_no_more_and_is_ended_by_asking_again(token):
    import pkcs11

    provider = token.provider()
    provider.generate(2)
    (wrapped,) = provider.wrap([(CONTEXT, hazmat.random_secret())])
    with token.session() as session:
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.DATA,
                pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.LABEL: "roots-root-1",
                pkcs11.Attribute.VALUE: b"destroyed",
            }
        )
    (refused,) = provider.unwrap([(CONTEXT, wrapped)])
    assert isinstance(refused, KeyUnavailable)
    assert provider.health().roots == {1: RootState.DESTROYED, 2: RootState.STANDING}
    provider.destroy(1)
    with token.session() as session:
        assert (
            list(
                session.get_objects(
                    {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY, pkcs11.Attribute.LABEL: "roots-root-1"}
                )
            )
            == []
        )


def test_a_beginning_that_was_broken_off_is_gone_on_with(made):
    from vault.providers.objects import Objects

    hsm = made("pkcs11")
    provider = hsm.provider()
    provider._one(Objects._make_beside)
    provider.generate(1)
    assert provider.health().roots == {1: RootState.STANDING}
    assert provider.hmac([b""]) == hsm.provider().hmac([b""])


@pytest.mark.parametrize(
    ("module", "written"),
    [
        ("pkcs11", "pkcs11:token=credence?module-path=/m.so&pin-source=env:PIN"),
        ("boto3", "awskms:eu-central-1/credence"),
    ],
)
def test_an_extra_that_is_not_installed_is_named(monkeypatch, module, written):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Malformed) as caught:
        chosen.place(written).provider()
    assert "pip install" in caught.value.advice
