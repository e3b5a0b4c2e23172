"""Public specifications of selective disclosure, and the `sd-jwt` library: each side reads what the other wrote."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import yaml
from joserfc.jwk import ECKey

from vault.hazmat import random_bytes
from vault.statements.compact import decode, parse, sign, verifies
from vault.statements.sdjwt import Compact, Concealing, Hidden, digest, shown

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "sdjwt"
FILES = ("sd_jwt_python_specs.json", "ietf_sd_jwt_specs.json", "ietf_sd_jwt_vc_specs.json")
ISSUER = "https://issuer.example"


class Marked:
    """What a specification marks as selectively disclosable: a key, or a value of a list."""

    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return hash(self.value)

    def __eq__(self, other):
        return isinstance(other, Marked) and self.value == other.value


class Loader(yaml.SafeLoader):
    """YAML with `!sd`."""


def _marked(loader, node):
    if isinstance(node, yaml.MappingNode):
        return Marked(loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Marked(loader.construct_sequence(node, deep=True))
    kept = yaml.ScalarNode(loader.resolve(yaml.ScalarNode, node.value, (node.style is None, False)), node.value)
    return Marked(loader.construct_object(kept))


Loader.add_constructor("!sd", _marked)


def specifications():
    """Every specification, by its file and path; an absent folder is one visible skip."""
    found = []
    for file in FILES:
        if (FOLDER / file).exists():
            for path, text in json.loads((FOLDER / file).read_text()).items():
                if not path.endswith("settings.yml"):
                    found.append(pytest.param(text, id=f"{file.split('_spec')[0]}:{path.split('/')[-2]}"))
    return found or [pytest.param("", id="absent")]


def tree(value, hide):
    """A specification's claims, with what is marked made by `hide(key or None, value)`."""
    if isinstance(value, dict):
        made = {}
        for key, inner in value.items():
            name, own = hide(key.value, tree(inner, hide)) if isinstance(key, Marked) else (key, tree(inner, hide))
            made[name] = own
        return made
    if isinstance(value, list):
        return [
            hide(None, tree(item.value, hide))[1] if isinstance(item, Marked) else tree(item, hide) for item in value
        ]
    return value.isoformat() if isinstance(value, date) else value


def read(text):
    """The claims with marks, and what the holder discloses."""
    if not text:
        pytest.skip("the public vectors are not beside the repository")
    specification = yaml.load(text, Loader)  # noqa: S506 - a safe loader with one more tag
    return specification["user_claims"], specification.get("holder_disclosed_claims", {}), specification


def ours(claims, key):
    """Issued by us: the compact form."""
    concealing = Concealing(random_bytes)
    hidden = tree(claims, lambda name, value: (name, Hidden(value)))
    signed = sign(key, {"typ": "example+sd-jwt"}, concealing.conceal({"iss": ISSUER} | hidden, decoys=2))
    return Compact(signed, tuple(concealing.disclosures)).presented


def plain(claims):
    """Everything that is claimed."""
    return tree(claims, lambda name, value: (name, value))


def theirs(claims, key):
    """Issued by the library."""
    issuer = pytest.importorskip("sd_jwt.issuer")
    common = pytest.importorskip("sd_jwt.common")
    whole = {"iss": ISSUER} | tree(
        claims, lambda name, value: (common.SDObj(name) if name is not None else None, _item(common, name, value))
    )
    return issuer.SDJWTIssuer(whole, native(key), sign_alg="ES256", add_decoy_claims=True).sd_jwt_issuance


def _item(common, name, value):
    return value if name is not None else common.SDObj(value)


def native(key):
    """A key as the library takes it."""
    jwk = pytest.importorskip("jwcrypto.jwk")
    return jwk.JWK(**key.as_dict(private=key.is_private))


def presented(text, disclosed):
    """What the library's holder presents."""
    holder = pytest.importorskip("sd_jwt.holder").SDJWTHolder(text)
    holder.create_presentation(disclosed)
    return holder.sd_jwt_presentation


def believed(text, key):
    """What the library's verifier reads."""
    verifier = pytest.importorskip("sd_jwt.verifier")
    return verifier.SDJWTVerifier(text, lambda *_: native(key)).get_verified_payload()


def mine(text, key):
    """What we read of a presentation, whose signature verifies."""
    whole = Compact.read(text)
    signed = parse(whole.signed)
    assert verifies(signed, key)
    return shown(signed.claims, whole.disclosures)


@pytest.fixture(scope="module")
def key():
    return ECKey.generate_key("P-256", private=True)


@pytest.mark.parametrize("text", specifications())
def test_what_we_issue_the_library_presents_and_both_read_alike(text, key):
    claims, disclosed, specification = read(text)
    issued = ours(claims, key)
    assert mine(issued, key) == {"iss": ISSUER} | plain(claims)
    text = presented(issued, disclosed)
    found = believed(text, key)
    assert mine(text, key) == found
    if "expect_verified_user_claims" in specification:
        assert found == {"iss": found["iss"]} | plain(specification["expect_verified_user_claims"])


@pytest.mark.parametrize("text", specifications())
def test_what_the_library_issues_we_read_as_it_does(text, key):
    claims, disclosed, specification = read(text)
    issued = theirs(claims, key)
    assert mine(issued, key) == {"iss": ISSUER} | plain(claims)
    text = presented(issued, disclosed)
    found = believed(text, key)
    assert mine(text, key) == found
    if "expect_verified_user_claims" in specification:
        assert found == {"iss": found["iss"]} | plain(specification["expect_verified_user_claims"])


def vectors(name):
    path = FOLDER / "disclosures.json"
    if not path.exists():
        pytest.skip("the public vectors are not beside the repository")
    return json.loads(path.read_text())[name]


def test_a_claim_spelled_differently_is_the_same_claim_under_other_digests():
    same = vectors("same_claim")
    for text in same["disclosures"]:
        assert json.loads(decode(text)) == same["decoded"]
        assert shown({"_sd": [digest(text)]}, [text]) == {"family_name": "Möbius"}
    assert len({digest(text) for text in same["disclosures"]}) == 4


def test_digests_are_those_of_the_text_as_it_is_spelled():
    cases = vectors("digests_sha256") + vectors("recursive")["disclosures"]
    for case in cases:
        assert digest(case["disclosure"]) == case["digest"]
    assert len(cases) == 5
