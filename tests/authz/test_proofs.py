import time
from datetime import UTC, datetime, timedelta

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from authz.nonces import WINDOW_SECONDS as NONCE_SECONDS
from authz.nonces import Nonces
from authz.proofs import MAX_BYTES, WINDOW_SECONDS, Flaw, check_proof, is_same_place
from domain.actors import Credentials
from domain.errors import NotAuthenticated
from tests.proofs import new_key, proof_of

URL = "https://credit.example/graphql"
TOKEN = "a.good.token"
NONCES = Nonces(b"s" * 32)
NOW = datetime.now(UTC)
KEY = new_key()


def proof(key=KEY, url=URL, method="POST", token=TOKEN, **changes):
    changes = {"nonce": NONCES.current(NOW), "iat": int(NOW.timestamp())} | changes
    return proof_of(key, token, method, url, **changes)


def checked(*proofs, now=NOW):
    return check_proof(Credentials(token=TOKEN, bound=True, proofs=proofs, method="POST", url=URL), NONCES, now)


def flaw(*proofs, now=NOW):
    with pytest.raises(NotAuthenticated) as caught:
        checked(*proofs, now=now)
    assert caught.value.message == "The proof of the key is not valid."
    assert caught.value.__context__ is None
    return Flaw(caught.value.cause)


@pytest.mark.parametrize("key", [KEY, OKPKey.generate_key("Ed25519", private=True)], ids=["ES256", "Ed25519"])
def test_a_proof_names_its_key_and_is_told_from_every_other(key):
    first, second = checked(proof(key)), checked(proof(key))
    assert first.key == second.key == key.thumbprint()
    assert first.once != second.once
    assert first.until == int(NOW.timestamp()) + WINDOW_SECONDS


def test_two_keys_may_use_the_same_name_for_a_proof():
    assert checked(proof(jti="one")).once == checked(proof(jti="one")).once
    assert checked(proof(jti="one")).once != checked(proof(new_key(), jti="one")).once


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"method": "GET"}, Flaw.PROOF_WRONG_METHOD),
        ({"method": "post"}, Flaw.PROOF_WRONG_METHOD),
        ({"htm": None}, Flaw.PROOF_MISSING_CLAIM),
        ({"htm": 1}, Flaw.PROOF_MISSING_CLAIM),
        ({"url": "https://credit.example/graphql/"}, Flaw.PROOF_WRONG_URL),
        ({"url": "http://credit.example/graphql"}, Flaw.PROOF_WRONG_URL),
        ({"url": "https://credit.example:444/graphql"}, Flaw.PROOF_WRONG_URL),
        ({"url": "https://credit.example.evil/graphql"}, Flaw.PROOF_WRONG_URL),
        ({"url": "/graphql"}, Flaw.PROOF_WRONG_URL),
        ({"htu": None}, Flaw.PROOF_MISSING_CLAIM),
        ({"token": "another.good.token"}, Flaw.PROOF_OF_ANOTHER_TOKEN),
        ({"ath": None}, Flaw.PROOF_MISSING_CLAIM),
        ({"jti": None}, Flaw.PROOF_MISSING_CLAIM),
        ({"jti": ""}, Flaw.PROOF_MISSING_CLAIM),
        ({"jti": "x" * 257}, Flaw.PROOF_MALFORMED),
        ({"nonce": None}, Flaw.PROOF_WITHOUT_NONCE),
        ({"nonce": "AAAA"}, Flaw.PROOF_WITH_OLD_NONCE),
        ({"nonce": NONCES.current(NOW - timedelta(seconds=2 * NONCE_SECONDS))}, Flaw.PROOF_WITH_OLD_NONCE),
        ({"nonce": Nonces(b"t" * 32).current(NOW)}, Flaw.PROOF_WITH_OLD_NONCE),
        ({"iat": None}, Flaw.PROOF_MISSING_CLAIM),
        ({"iat": True}, Flaw.PROOF_MISSING_CLAIM),
        ({"iat": str(int(time.time()))}, Flaw.PROOF_MISSING_CLAIM),
        ({"iat": int(NOW.timestamp()) - WINDOW_SECONDS - 1}, Flaw.PROOF_WRONG_TIME),
        ({"iat": int(NOW.timestamp()) + WINDOW_SECONDS + 1}, Flaw.PROOF_WRONG_TIME),
        ({"header": {"typ": "JWT"}}, Flaw.PROOF_WRONG_TYPE),
        ({"header": {"jwk": {}}}, Flaw.PROOF_KEY_NOT_ALLOWED),
        ({"header": {"jwk": KEY.as_dict(private=True)}}, Flaw.PROOF_KEY_NOT_ALLOWED),
        ({"header": {"kid": "one"}}, Flaw.PROOF_MALFORMED),
        ({"header": {"crit": ["b64"], "b64": False}}, Flaw.PROOF_MALFORMED),
        ({"signed_by": new_key()}, Flaw.PROOF_BAD_SIGNATURE),
    ],
)
def test_whatever_is_wrong_with_a_proof_is_found(changes, expected):
    assert flaw(proof(**changes)) is expected


def test_there_is_one_proof_of_a_bounded_size():
    assert flaw() is Flaw.NO_PROOF
    assert flaw(proof(), proof()) is Flaw.SEVERAL_PROOFS
    assert flaw("x" * (MAX_BYTES + 1)) is Flaw.PROOF_TOO_LARGE
    for text in ("", "a.b", "a.b.c", "....", "\udcff.b.c"):
        assert flaw(text) is Flaw.PROOF_MALFORMED


def test_no_other_algorithm_and_no_other_kind_of_key_proves_anything():
    weak = ECKey.generate_key("P-384", private=True)
    assert flaw(proof_of(weak, TOKEN, "POST", URL, header={"alg": "ES384"})) is Flaw.PROOF_ALG_NOT_ALLOWED
    rsa = RSAKey.generate_key(2048, private=True)
    assert flaw(proof_of(rsa, TOKEN, "POST", URL, header={"alg": "RS256"})) is Flaw.PROOF_ALG_NOT_ALLOWED
    edwards = OKPKey.generate_key("Ed25519", private=True)
    assert flaw(proof(header={"jwk": edwards.as_dict(private=False)})) is Flaw.PROOF_KEY_NOT_ALLOWED
    head, body, _ = proof().split(".")
    assert flaw(f"{head}.{body}.") is Flaw.PROOF_BAD_SIGNATURE


def test_every_single_character_of_a_proof_counts():
    good = proof()
    for place, character in enumerate(good):
        other = "A" if character != "A" else "B"
        with pytest.raises(NotAuthenticated):
            checked(good[:place] + other + good[place + 1 :])


def test_a_nonce_is_good_while_it_is_given_out_and_as_long_again():
    nonce = NONCES.current(NOW)
    assert NONCES.is_good(nonce, NOW)
    assert NONCES.is_good(nonce, NOW + timedelta(seconds=NONCE_SECONDS))
    assert not NONCES.is_good(nonce, NOW + timedelta(seconds=2 * NONCE_SECONDS))
    assert not NONCES.is_good(NONCES.current(NOW + timedelta(seconds=NONCE_SECONDS)), NOW)
    assert Nonces(b"s" * 32).is_good(nonce, NOW)
    with pytest.raises(ValueError, match="32 bytes"):
        Nonces(b"short")


@pytest.mark.parametrize(
    ("named", "same"),
    [
        ("https://credit.example/graphql", True),
        ("HTTPS://CREDIT.example:443/graphql", True),
        ("https://credit.example/gr%61phql?x=1#y", True),
        ("https://credit.example/graphql%2F", False),
        ("https://user@credit.example/graphql", False),
        ("https://credit.example:x/graphql", False),
        ("https://credit.example\t/graphql", False),
        ("ftp://credit.example/graphql", False),
        ("https:///graphql", False),
        ("", False),
    ],
)
def test_an_address_is_the_same_whatever_its_spelling(named, same):
    assert is_same_place(named, URL) is same
