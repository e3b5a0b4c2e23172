"""A receipt of a consent is believed as the company signed it, byte for byte, and by its keys alone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from domain import canonical
from domain.audit import Receipt, Warrant
from domain.ports import Attested
from tests.vault.statements.conftest import NOW, TENANT, Scene
from vault.delivery.receipts import TYPE, attest, judge_receipt
from vault.statements.compact import sign
from vault.statements.reasons import Reason

ENTRY = "en_00000000000000000000000007"
RECORD = {"schema": "ISO/IEC TS 27560:2023", "state": "GIVEN", "given": {"by": "李"}, "events": []}
CLAIMS = {"iss": "", "sub": "s", "jti": "j", "iat": int(NOW.timestamp()), "entry": ENTRY, "consent": RECORD}


@pytest.fixture(scope="module")
def scene():
    return Scene()


@pytest.fixture(scope="module")
def keys(scene):
    return {"statements": scene.issuer.metadata()}


@pytest.fixture(scope="module")
def receipt(scene):
    warrant = Warrant(
        receipt=Receipt(entry=ENTRY, tenant=TENANT), tenant=TENANT, subjects=frozenset(), tags=frozenset()
    )
    return attest(scene.issuer, warrant, Attested(id="j", about="s", issued_at=NOW, record=RECORD))


def signed(scene, header=None, issuer=None, **changes):
    """A receipt with claims of the test's own."""
    by = issuer or scene.issuer
    claims = {name: value for name, value in (CLAIMS | {"iss": by.name} | changes).items() if value is not None}
    return sign(by.key, {"typ": TYPE, "kid": by.kid} | (header or {}), claims)


def test_a_receipt_tells_what_was_attested_as_of_when_and_which_entry_holds_its_digest(scene, keys, receipt):
    judged = judge_receipt(f" {receipt}\n", keys, NOW)
    assert (judged.ok, judged.words) == (True, ("", ""))
    assert (judged.issuer, judged.issued_at, judged.entry) == (scene.issuer.name, NOW, ENTRY)
    assert judged.record == RECORD
    assert judged.digest == canonical.digest(RECORD)


def test_no_byte_of_a_receipt_changes_unnoticed(keys, receipt):
    for place in range(len(receipt)):
        other = "A" if receipt[place] != "A" else "B"
        judged = judge_receipt(receipt[:place] + other + receipt[place + 1 :], keys, NOW)
        assert not judged.ok, place
        assert (judged.record, judged.issuer, judged.entry) == ({}, "", "")
        assert all(judged.words)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _: "é", Reason.MALFORMED),
        (lambda _: "a.b", Reason.MALFORMED),
        (lambda _: "a" * (1 << 20), Reason.TOO_LARGE),
        (lambda scene: scene.text.split("~")[0], Reason.WRONG_TYPE),
        (lambda scene: signed(scene, {"typ": "JWT"}), Reason.WRONG_TYPE),
        (lambda scene: signed(scene, iss="https://other.example/te_1"), Reason.UNKNOWN_ISSUER),
        (lambda scene: signed(scene, {"kid": "x"}), Reason.UNKNOWN_KEY),
        (lambda scene: signed(scene, {"kid": scene.issuer.kid}, issuer=scene.other), Reason.BAD_SIGNATURE),
        (lambda scene: signed(scene, consent=None), Reason.MISSING_CLAIM),
        (lambda scene: signed(scene, entry=None), Reason.MISSING_CLAIM),
        (lambda scene: signed(scene, iat=True), Reason.MISSING_CLAIM),
        (lambda scene: signed(scene, iat=1 << 60), Reason.MISSING_CLAIM),
        (lambda scene: signed(scene, consent={"share": 0.5}), Reason.MALFORMED),
    ],
)
def test_what_is_no_receipt_of_the_company_is_refused_with_one_reason(scene, keys, make, reason):
    judged = judge_receipt(make(scene), keys, NOW)
    assert judged.reason is reason
    assert all(judged.words)


def test_a_receipt_of_the_future_or_under_keys_that_are_none_is_not_believed(keys, receipt):
    assert judge_receipt(receipt, keys, NOW - timedelta(seconds=61)).reason is Reason.NOT_YET_VALID
    assert judge_receipt(receipt, keys, NOW - timedelta(seconds=60)).ok
    assert judge_receipt(receipt, keys, NOW + timedelta(days=3_650)).ok
    for wrong in ({}, [], None, {"statements": None}, json.loads(json.dumps({"issuer": "x", "jwks": {"keys": []}}))):
        assert judge_receipt(receipt, wrong, NOW).reason is Reason.UNUSABLE_KEY


def test_a_receipt_counts_while_its_key_did(scene, receipt):
    told = {"statements": scene.issuer.metadata()}
    for seconds, reason in ((0, None), (-1, Reason.KEY_ENDED)):
        told["statements"]["jwks"]["keys"][0]["exp"] = int(NOW.timestamp()) + seconds
        judged = judge_receipt(receipt, told, NOW)
        assert judged.reason is reason
    assert judged.words[0]
    told["statements"]["jwks"]["keys"][0]["exp"] = "never"
    assert judge_receipt(receipt, told, NOW).reason is Reason.UNUSABLE_KEY
    foreign = Scene().issuer.metadata()["jwks"]["keys"]
    own = scene.issuer.metadata()["jwks"]["keys"][0]
    apart = {"issuer": scene.issuer.name, "jwks": {"keys": foreign}, "compromised": {"keys": [own]}}
    assert judge_receipt(receipt, apart, NOW).reason is Reason.UNUSABLE_KEY
    own["exp"] = int(NOW.timestamp())
    assert judge_receipt(receipt, apart, NOW).ok is (foreign[0]["kid"] != own["kid"])
