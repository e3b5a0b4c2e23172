"""What leaves for a partner is read by the holder of its key alone, and only as what it is."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from importlib import util

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from domain.errors import Malformed
from vault.delivery.sealing import HYBRID, About, Form, recipient_key, seal

SIGNED = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmVk"
ABOUT = About(*(bytes([number]) * 16 for number in (1, 2, 3)), 7, bytes([4]) * 16)
OTHERS = [
    replace(ABOUT, tenant=bytes(16)),
    replace(ABOUT, partner=bytes(16)),
    replace(ABOUT, consent=bytes(16)),
    replace(ABOUT, consent_version=8),
    replace(ABOUT, disclosure=bytes(16)),
]
ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Classic:
    """A partner with an X25519 key, whose program is another library."""

    def __init__(self):
        self.private = X25519PrivateKey.generate()
        self.jwk = {"kty": "OKP", "crv": "X25519", "x": b64(self.private.public_key().public_bytes_raw())}

    def read(self, sealed, about):
        """What it holds, if this partner can read it as being about this."""
        pyhpke = pytest.importorskip("pyhpke")
        suite = pyhpke.CipherSuite.new(
            pyhpke.KEMId.DHKEM_X25519_HKDF_SHA256, pyhpke.KDFId.HKDF_SHA256, pyhpke.AEADId.AES256_GCM
        )
        private = pyhpke.KEMKey.from_pyca_cryptography_key(self.private)
        raw = unb64(sealed)
        try:
            opener = suite.create_recipient_context(raw[:32], private, info=about.info(recipient_key(self.jwk)))
            return opener.open(raw[32:]).decode()
        except pyhpke.PyHPKEError:
            return None


class Hybrid:
    """A partner whose key stays closed to a computer of the future."""

    def __init__(self):
        kem, curve = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
        self.private = MLKEM768X25519PrivateKey(kem, curve)
        public = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        self.jwk = {"kty": "AKP", "alg": HYBRID, "pub": b64(public)}

    def read(self, sealed, about):
        """What it holds, if this partner can read it as being about this."""
        suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
        try:
            return suite.decrypt(unb64(sealed), self.private, about.info(recipient_key(self.jwk))).decode()
        except (InvalidTag, ValueError):
            return None


class Older:
    """A partner that knows JWE alone."""

    def __init__(self):
        self.private = ECKey.generate_key("P-256")
        self.jwk = self.private.as_dict(private=False)

    def read(self, sealed, about):
        """What it holds, if this partner can read it as being about this."""
        try:
            opened = jwe.decrypt_compact(sealed, self.private, algorithms=ALGORITHMS)
        except JoseError:
            return None
        bound = b64(hashlib.sha256(about.info(recipient_key(self.jwk))).digest())
        return opened.plaintext.decode() if opened.protected["apv"] == bound else None


PARTNERS = [Classic, Hybrid, Older]
FORMS = {Classic: Form.HPKE, Hybrid: Form.HPKE_HYBRID, Older: Form.JWE}


@pytest.fixture(params=PARTNERS)
def partner(request):
    return request.param()


def test_the_holder_of_the_key_reads_what_was_sealed(partner):
    key = recipient_key(partner.jwk)
    assert key.form is FORMS[type(partner)]
    sealed = seal(key, SIGNED, ABOUT)
    assert SIGNED not in sealed
    assert partner.read(sealed, ABOUT) == SIGNED
    assert seal(key, SIGNED, ABOUT) != sealed


def test_another_holder_reads_nothing(partner):
    assert type(partner)().read(seal(recipient_key(partner.jwk), SIGNED, ABOUT), ABOUT) is None


@pytest.mark.parametrize("about", OTHERS, ids=["tenant", "partner", "consent", "version", "disclosure"])
def test_a_sealing_is_read_as_nothing_but_what_it_is_about(partner, about):
    assert partner.read(seal(recipient_key(partner.jwk), SIGNED, ABOUT), about) is None


def test_a_sealing_with_a_changed_byte_is_not_read(partner):
    sealed = seal(recipient_key(partner.jwk), SIGNED, ABOUT)
    for at in range(0, len(sealed) - 1, 7):
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        try:
            assert partner.read(changed, ABOUT) is None
        except (ValueError, UnicodeDecodeError):  # no base64url, no JSON
            continue


def test_a_key_is_named_by_its_thumbprint():
    for key in (ECKey.generate_key("P-256"), OKPKey.generate_key("X25519")):
        assert recipient_key(key.as_dict(private=False)).id == key.thumbprint()
        more = key.as_dict(private=False) | {"kid": "mine", "use": "enc"}
        assert recipient_key(more).id == key.thumbprint()


@pytest.mark.parametrize(
    ("jwk", "says"),
    [
        ({}, "kind"),
        ({"kty": "OKP", "crv": "Ed25519", "x": b64(bytes(32))}, "kind"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "kind"),
        ({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}, "kind"),
        ({"kty": "AKP", "alg": "ML-KEM-768", "pub": b64(bytes(1184))}, "kind"),
        ({"kty": ["OKP"], "crv": "X25519", "x": b64(bytes(32))}, "kind"),
        ({"kty": "oct", "k": b64(bytes(32))}, "private"),
        (OKPKey.generate_key("X25519").as_dict(private=True), "private"),
        ({"kty": "OKP", "crv": "X25519", "x": b64(bytes(31))}, "32 bytes"),
        ({"kty": "OKP", "crv": "X25519", "x": b64(bytes(32)) + "="}, "32 bytes"),
        ({"kty": "OKP", "crv": "X25519", "x": 5}, "32 bytes"),
        ({"kty": "OKP", "crv": "X25519"}, "32 bytes"),
        ({"kty": "OKP", "crv": "X25519", "x": b64(bytes(32))}, "no point"),
        ({"kty": "AKP", "alg": HYBRID, "pub": b64(bytes(1216))}, "no point"),
        ({"kty": "EC", "crv": "P-256", "x": b64(bytes(32)), "y": b64(bytes(32))}, "no point"),
        ({"kty": "EC", "crv": "P-256", "x": None, "y": 3}, "no point"),
    ],
)
def test_a_key_that_nothing_can_be_sealed_to_is_refused_and_not_repeated(jwk, says):
    with pytest.raises(Malformed) as refused:
        recipient_key(jwk)
    assert says in refused.value.message
    assert refused.value.advice
    assert not any(len(str(value)) > 20 and str(value) in str(refused.value) for value in jwk.values())


def test_the_library_agrees_with_the_published_vectors_of_hpke():
    spec = util.find_spec("cryptography_vectors")
    if spec is None:
        pytest.skip("cryptography_vectors is not installed")
    import cryptography_vectors
    from cryptography.hazmat.primitives.hpke import rust_openssl

    with cryptography_vectors.open_vector_file("HPKE/test-vectors.json", "r") as file:
        vectors = json.load(file)
    ran = 0
    for one in vectors:
        if (one["mode"], one["kem_id"], one["kdf_id"], one["aead_id"]) != (0, 0x20, 1, 2):
            continue
        private = X25519PrivateKey.from_private_bytes(bytes.fromhex(one["skRm"]))
        suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
        first = one["encryptions"][0]
        sealed = bytes.fromhex(one["enc"]) + bytes.fromhex(first["ct"])
        opened = rust_openssl.hpke._decrypt_with_aad(
            suite, sealed, private, bytes.fromhex(one["info"]), bytes.fromhex(first["aad"])
        )
        assert opened == bytes.fromhex(first["pt"])
        ran += 1
    assert ran
