"""A published statement stays readable for ever; the second implementation here shares nothing with the first.

P-256, HKDF and the digests are in plain Python; what is signed is cut by hand.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vault import hazmat
from vault.statements.publishing import Trusted, issuer_of
from vault.statements.verifying import Expected, verify

PUBLISHED = json.loads(
    (Path(__file__).resolve().parents[2] / "vault" / "testdata" / "statement_1.json").read_text(encoding="utf-8")
)
AT = datetime.fromtimestamp(PUBLISHED["at"], UTC)
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add(one, other):
    """The sum of two points; None is the neutral one."""
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P) if one == other else (y2 - y1) * pow(x2 - x1, -1, P)
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def times(number, point):
    """A point added to itself so often."""
    total = None
    while number:
        total = add(total, point) if number & 1 else total
        point, number = add(point, point), number >> 1
    return total


def cut(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(jwk):
    return int.from_bytes(cut(jwk["x"])), int.from_bytes(cut(jwk["y"]))


def signed(text, public):
    """The claims of a signed text, whose signature holds."""
    head, body, signature = text.split(".")
    digest = int.from_bytes(hashlib.sha256(f"{head}.{body}".encode()).digest())
    raw = cut(signature)
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    assert len(raw) == 64
    assert 0 < r < N
    assert 0 < s < N
    inverse = pow(s, -1, N)
    found = add(times(digest * inverse % N, G), times(r * inverse % N, public))
    assert found is not None
    assert found[0] % N == r
    assert json.loads(cut(head))["alg"] == "ES256"
    return json.loads(cut(body))


def fingerprint(text):
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def test_the_signing_key_follows_from_the_published_root():
    root, tenant = bytes.fromhex(PUBLISHED["root"]), bytes.fromhex(PUBLISHED["tenant"])
    parts = (b"vault/statement-key/1", tenant, (1).to_bytes(4))
    info = len(parts).to_bytes(4) + b"".join(len(part).to_bytes(4) + part for part in parts)
    first = hmac.digest(root, info + b"\1", "sha256")
    material = (first + hmac.digest(root, first + info + b"\2", "sha256"))[:48]
    (jwk,) = PUBLISHED["keys"]["statements"]["jwks"]["keys"]
    assert times(int.from_bytes(material) % (N - 1) + 1, G) == point(jwk)
    made = issuer_of(hazmat.Secret(bytearray(root)), tenant, PUBLISHED["keys"]["statements"]["issuer"])
    assert made.metadata() == PUBLISHED["keys"]["statements"]


def test_the_published_statement_is_read_without_the_product():
    (jwk,) = PUBLISHED["keys"]["statements"]["jwks"]["keys"]
    text, *disclosures, last = PUBLISHED["statement"].split("~")
    claims = signed(text, point(jwk))
    assert last == ""
    assert {fingerprint(one) for one in disclosures} < set(claims["_sd"])
    assert {name: value for _, name, value in map(json.loads, map(cut, disclosures))} == PUBLISHED["claims"]
    head, binding = PUBLISHED["presentation"].rsplit("~", 1)
    bound = signed(binding, point(claims["cnf"]["jwk"]))
    assert (bound["aud"], bound["nonce"]) == (PUBLISHED["audience"], PUBLISHED["nonce"])
    assert bound["sd_hash"] == fingerprint(head + "~")
    assert {name: value for _, name, value in map(json.loads, map(cut, head.split("~")[1:]))} == PUBLISHED["shown"]
    index = claims["status"]["status_list"]["idx"]
    for name, expected in (("valid_list", 0), ("revoked_list", 1)):
        listed = signed(PUBLISHED[name], point(jwk))
        assert listed["sub"] == claims["status"]["status_list"]["uri"]
        bits = zlib.decompress(cut(listed["status_list"]["lst"]))
        assert bits[index // 8] >> index % 8 & 1 == expected


@pytest.mark.parametrize(("name", "reason"), [("valid_list", None), ("revoked_list", "REVOKED")])
def test_the_product_reads_what_it_published(name, reason):
    expected = Expected(audience=PUBLISHED["audience"], nonce=PUBLISHED["nonce"])
    trusted = Trusted.read(PUBLISHED["keys"])
    verdict = verify(PUBLISHED["presentation"], trusted, AT, status=PUBLISHED[name], expected=expected)
    assert (verdict.reason.value if verdict.reason else None) == reason
    assert dict(verdict.claims) == ({} if reason else PUBLISHED["shown"])
    whole = verify(PUBLISHED["statement"], trusted, AT)
    assert dict(whole.claims) == PUBLISHED["claims"]
