"""The `sd-jwt` library believes our statements, and we believe what its holder presents of them."""

from __future__ import annotations

import pytest

from tests.vault.statements.conftest import AUDIENCE, NONCE, SECONDS

issuing = pytest.importorskip("sd_jwt.issuer", reason="the sd-jwt library is not installed")
jwk = pytest.importorskip("jwcrypto.jwk")
holding = pytest.importorskip("sd_jwt.holder")
verifying = pytest.importorskip("sd_jwt.verifier")


def native(key):
    return jwk.JWK(**key.as_dict(private=key.is_private))


def test_the_library_verifies_what_our_holder_presents(scene):
    found = verifying.SDJWTVerifier(
        scene.shown("grade_at_least_B", "name"), lambda *_: native(scene.issuer.key), AUDIENCE, NONCE
    ).get_verified_payload()
    assert (found["grade_at_least_B"], found["name"], found["iss"]) == (True, "云帆网络", scene.issuer.name)
    assert "grade" not in found


@pytest.mark.parametrize(("audience", "nonce"), [("https://other.example", NONCE), (AUDIENCE, "n-2")])
def test_the_library_refuses_what_was_presented_to_another(scene, audience, nonce):
    with pytest.raises(ValueError, match="Invalid"):
        verifying.SDJWTVerifier(scene.shown(), lambda *_: native(scene.issuer.key), audience, nonce)


def test_we_verify_what_the_library_s_holder_presents(scene, monkeypatch):
    monkeypatch.setattr("sd_jwt.holder.time", lambda: SECONDS)
    holder = holding.SDJWTHolder(scene.text)
    holder.create_presentation({"grade": True}, NONCE, AUDIENCE, native(scene.holder), "ES256")
    verdict = scene.verdict(holder.sd_jwt_presentation, audience=AUDIENCE, nonce=NONCE)
    assert verdict.ok
    assert dict(verdict.claims) == {"grade": "BBB"}
