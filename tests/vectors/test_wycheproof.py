"""Project Wycheproof's vectors run against our own wrappers: right where our sizes are used, refused where not."""

import hmac
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import keywrap

from vault import hazmat

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "wycheproof"


def cases(name):
    path = FOLDER / f"{name}_test.json"
    if not path.exists():
        pytest.skip(f"the public vectors are not beside the repository: {path.name}")
    groups = json.loads(path.read_text())["testGroups"]
    return [(group, test) for group in groups for test in group["tests"]]


def raw(test, *names):
    return [bytes.fromhex(test[name]) for name in names]


def test_aes_gcm_agrees_where_keys_are_256_and_nonces_96_bits():
    ran = 0
    for group, test in cases("aes_gcm"):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue
        key, nonce, bound, text, sealed, tag = raw(test, "key", "iv", "aad", "msg", "ct", "tag")
        cipher = hazmat.aes_256_gcm(key)
        if test["result"] == "valid":
            assert hazmat.encrypt(cipher, nonce, text, bound) == sealed + tag, test["tcId"]
            assert hazmat.decrypt(cipher, nonce, sealed + tag, bound) == text, test["tcId"]
        else:
            with pytest.raises(hazmat.Forged):
                hazmat.decrypt(cipher, nonce, sealed + tag, bound)
        ran += 1
    assert ran == 66


def test_aes_gcm_refuses_every_other_size_of_key_and_nonce():
    ran = 0
    for group, test in cases("aes_gcm"):
        if (group["keySize"], group["ivSize"]) == (256, 96):
            continue
        key, nonce, bound, text, sealed, tag = raw(test, "key", "iv", "aad", "msg", "ct", "tag")
        if group["keySize"] != 256:
            with pytest.raises(ValueError, match="A key is 32 bytes"):
                hazmat.aes_256_gcm(key)
        else:
            cipher = hazmat.aes_256_gcm(key)
            with pytest.raises(ValueError, match="A nonce is 12 bytes"):
                hazmat.encrypt(cipher, nonce, text, bound)
            with pytest.raises(ValueError, match="A nonce is 12 bytes"):
                hazmat.decrypt(cipher, nonce, sealed + tag, bound)
        ran += 1
    assert ran == 250


def test_hmac_agrees_for_256_bit_keys_and_refuses_the_others():
    ran = refused = 0
    for group, test in cases("hmac_sha256"):
        key, message, tag = raw(test, "key", "msg", "tag")
        if group["keySize"] != 256:
            with pytest.raises(ValueError, match="A key is 32 bytes"):
                hazmat.hmac_sha256(key, message)
            refused += 1
            continue
        made = hazmat.hmac_sha256(key, message)[: group["tagSize"] // 8]
        assert (made == tag) is (test["result"] == "valid"), test["tcId"]
        ran += 1
    assert (ran, refused) == (162, 12)


def test_hkdf_expand_agrees_after_an_extract_by_the_standard_library():
    ran = 0
    for _, test in cases("hkdf_sha256"):
        material, salt, info, expected = raw(test, "ikm", "salt", "info", "okm")
        key = hmac.digest(salt, material, "sha256")
        if test["result"] == "valid":
            assert hazmat.hkdf_expand_sha256(key, info, test["size"]) == expected, test["tcId"]
        else:
            with pytest.raises(ValueError, match="derive"):
                hazmat.hkdf_expand_sha256(key, info, test["size"])
        ran += 1
    assert ran == 86


def test_ed25519_verifies_what_is_valid_and_nothing_else():
    ran = 0
    for group, test in cases("ed25519"):
        message, signature = raw(test, "msg", "sig")
        public = bytes.fromhex(group["publicKey"]["pk"])
        assert hazmat.ed25519_verifies(public, signature, message) is (test["result"] == "valid"), test["tcId"]
        ran += 1
    assert ran == 151


def test_aes_key_wrap_with_padding_agrees_where_whatever_it_wraps_goes_to_a_token_or_a_service():
    """No format of ours wraps keys so: it is how key material travels into tokens, by the package we rely on."""
    ran = refused = 0
    for _, test in cases("aes_kwp"):
        key, text, sealed = raw(test, "key", "msg", "ct")
        if test["result"] == "valid":
            assert keywrap.aes_key_wrap_with_padding(key, text) == sealed, test["tcId"]
            assert keywrap.aes_key_unwrap_with_padding(key, sealed) == text, test["tcId"]
            ran += 1
            continue
        with pytest.raises((keywrap.InvalidUnwrap, ValueError)):
            keywrap.aes_key_unwrap_with_padding(key, sealed)
        refused += 1
    assert (ran, refused) == (77, 177)
