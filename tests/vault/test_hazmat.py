import copy
import pickle

import pytest

from vault import hazmat

SHORT, LONG = bytes(31), bytes(33)


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(24), SHORT, LONG])
def test_keys_of_any_other_size_are_refused_everywhere(key):
    for use in (
        lambda: hazmat.aes_256_gcm(key),
        lambda: hazmat.Secret(bytearray(key)),
        lambda: hazmat.hkdf_expand_sha256(key, b""),
        lambda: hazmat.hmac_sha256(key, b""),
        lambda: hazmat.ed25519_public(key),
        lambda: hazmat.ed25519_sign(key, b""),
        lambda: hazmat.ed25519_verifies(key, bytes(64), b""),
    ):
        with pytest.raises(ValueError, match="A key is 32 bytes"):
            use()


@pytest.mark.parametrize("nonce", [b"", bytes(8), bytes(11), bytes(13), bytes(16)])
def test_nonces_of_any_other_size_are_refused(nonce):
    cipher = hazmat.aes_256_gcm(bytes(32))
    for use in (hazmat.encrypt, hazmat.decrypt, hazmat.decrypt_key):
        with pytest.raises(ValueError, match="A nonce is 12 bytes"):
            use(cipher, nonce, bytes(48), b"")


def test_an_encrypted_key_of_another_size_is_refused():
    cipher = hazmat.aes_256_gcm(bytes(32))
    with pytest.raises(ValueError, match="An encrypted key is 48 bytes"):
        hazmat.decrypt_key(cipher, bytes(12), bytes(49), b"")


def test_a_key_goes_through_a_cipher_and_comes_back():
    cipher, key = hazmat.aes_256_gcm(bytes(32)), hazmat.random_secret()
    sealed = key.use(lambda raw: hazmat.encrypt(cipher, bytes(12), raw, b"bound"))
    assert hazmat.decrypt_key(cipher, bytes(12), sealed, b"bound").use(bytes) == key.use(bytes)
    with pytest.raises(hazmat.Forged):
        hazmat.decrypt_key(cipher, bytes(12), sealed, b"other")


def test_a_secret_is_overwritten_when_its_block_ends():
    buffer = bytearray(b"k" * 32)
    with hazmat.Secret(buffer) as secret:
        assert secret.use(bytes) == b"k" * 32
    assert buffer == bytes(32)
    with pytest.raises(ValueError, match="wiped"):
        secret.use(bytes)


def test_a_secret_is_overwritten_when_its_block_fails():
    buffer = bytearray(b"k" * 32)
    with pytest.raises(RuntimeError), hazmat.Secret(buffer):
        raise RuntimeError
    assert buffer == bytes(32)


def test_a_secret_is_overwritten_when_nobody_holds_it():
    buffer = bytearray(b"k" * 32)
    secret = hazmat.Secret(buffer)
    del secret
    assert buffer == bytes(32)


def test_a_secret_is_neither_shown_nor_copied_nor_serialised():
    secret = hazmat.Secret(bytearray(b"k" * 32))
    for shown in (repr(secret), str(secret), f"{secret}", repr([secret])):
        assert "kkk" not in shown
        assert (b"k" * 32).hex() not in shown
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not serialised"):
            copying(secret)


def test_wiping_overwrites_the_buffer_itself():
    buffer = bytearray(b"secret")
    view = memoryview(buffer)
    hazmat.wipe(buffer)
    assert bytes(view) == bytes(6)


def test_two_random_secrets_differ():
    assert hazmat.random_secret().use(bytes) != hazmat.random_secret().use(bytes)
    assert len(hazmat.random_bytes(12)) == 12


def test_a_signature_verifies_for_its_message_and_key_alone():
    seed = bytes(range(32))
    public, signature = hazmat.ed25519_public(seed), hazmat.ed25519_sign(seed, b"root")
    assert hazmat.ed25519_verifies(public, signature, b"root")
    assert not hazmat.ed25519_verifies(public, signature, b"roof")
    assert not hazmat.ed25519_verifies(hazmat.ed25519_public(bytes(32)), signature, b"root")
    assert not hazmat.ed25519_verifies(public, signature[:63], b"root")
    assert hazmat.ed25519_sign(seed, b"root") == signature


def test_derived_bytes_have_the_length_asked_for_and_differ_by_purpose():
    assert len(hazmat.hkdf_expand_sha256(bytes(32), b"a")) == 32
    assert hazmat.hkdf_expand_sha256(bytes(32), b"a", 80)[:32] == hazmat.hkdf_expand_sha256(bytes(32), b"a")
    assert hazmat.hkdf_expand_sha256(bytes(32), b"a") != hazmat.hkdf_expand_sha256(bytes(32), b"b")


def test_a_signing_key_follows_from_its_material_and_is_one_of_the_curve():
    """A.2.1 of FIPS 186-5: the material modulo the order less one, plus one."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for number, expected in (
        (0, 1),
        (order - 2, order - 1),
        (order - 1, 1),
        (2**384 - 1, (2**384 - 1) % (order - 1) + 1),
    ):
        key = hazmat.p256_private(number.to_bytes(48))
        assert key.private_numbers().private_value == expected
    with pytest.raises(ValueError, match="material"):
        hazmat.p256_private(bytes(32))
