"""A statement is believed when everything about it holds, and otherwise refused for one clear reason."""

import json
import string
from datetime import timedelta

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from tests.vault.statements.conftest import AUDIENCE, CLAIMS, NONCE, NOW, SECONDS
from vault.statements.compact import decode, encode, parse, sign, written
from vault.statements.publishing import Trusted
from vault.statements.reasons import Reason, Untrue, advice, sentence
from vault.statements.sdjwt import Compact, digest

LETTERS = string.ascii_letters + string.digits + "-_"


def claims_of(text):
    return dict(parse(Compact.read(text).signed).claims)


def again(scene, text=None, header=None, drop=(), **changed):
    """A statement of the same claims, changed and signed anew by the company; its disclosures are kept."""
    whole = Compact.read(text or scene.text)
    claims = {name: value for name, value in claims_of(text or scene.text).items() if name not in drop} | changed
    return Compact(scene.signed(header, **claims), whole.disclosures).presented


def test_what_the_company_signed_is_true_with_all_of_it_or_a_part(scene):
    whole = scene.verdict()
    assert (whole.ok, dict(whole.claims), whole.presented, whole.status_at) == (True, CLAIMS, None, None)
    part = scene.verdict(scene.shown(), audience=AUDIENCE, nonce=NONCE, status=scene.listed(3, 99))
    assert dict(part.claims) == {"grade_at_least_B": True, "as_of": "2026-11-20"}
    assert (part.presented.audience, part.presented.nonce, part.presented.at) == (AUDIENCE, NONCE, NOW)
    assert (part.status_at, part.expires_at - part.issued_at) == (NOW, timedelta(days=30))


def test_a_presentation_holds_no_word_of_what_it_does_not_show(scene):
    shown = scene.shown("grade_at_least_B")
    texts = shown + "".join(decode(part).decode(errors="ignore") for part in shown.replace(".", "~").split("~") if part)
    for hidden in ("云帆", "BBB", "grade_at_least_A", "2026-11-20"):
        assert hidden not in texts
    assert "grade_at_least_B" in texts


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(-2, "NOT_YET_VALID"), (-1, None), (0, None), (30 * 24 * 60 - 1, None), (30 * 24 * 60, "EXPIRED")],
)
def test_a_statement_counts_from_when_it_was_issued_until_it_expires(scene, minutes, expected):
    assert scene.reason(at=NOW + timedelta(minutes=minutes)) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"audience": "https://other.example", "nonce": NONCE}, "WRONG_AUDIENCE"),
        ({"audience": AUDIENCE, "nonce": "n-1"}, "WRONG_NONCE"),
        ({"audience": AUDIENCE}, None),
        ({"nonce": NONCE}, None),
        ({}, None),
    ],
)
def test_a_presentation_is_for_one_audience_and_one_occasion(scene, asked, expected):
    assert scene.reason(scene.shown(), **asked) == expected


def test_who_only_copied_a_statement_proves_nothing(scene):
    assert scene.reason(nonce=NONCE) == "HOLDER_NOT_PROVEN"
    assert scene.reason(scene.text, audience=AUDIENCE) == "HOLDER_NOT_PROVEN"
    thief = ECKey.generate_key("P-256", private=True)
    stolen = Compact.read(scene.shown())
    binding = sign(thief, {"typ": "kb+jwt"}, claims_of_binding(stolen))
    assert scene.reason(stolen.presented + binding) == "BAD_HOLDER_SIGNATURE"


def claims_of_binding(whole):
    return dict(parse(whole.binding).claims)


def test_the_holder_s_signature_is_about_exactly_what_is_shown(scene):
    one, other = Compact.read(scene.shown("grade")), Compact.read(scene.shown("grade_at_least_B"))
    assert scene.reason(other.presented + one.binding) == "OTHER_DISCLOSURES"
    assert scene.reason(Compact(one.signed, ()).presented + one.binding) == "OTHER_DISCLOSURES"


@pytest.mark.parametrize("seconds", [-120, 120])
def test_a_presentation_before_the_statement_or_in_the_future_cannot_be(scene, seconds):
    assert scene.reason(scene.shown(now=SECONDS + seconds)) == "WRONG_PRESENTATION_TIME"


@pytest.mark.parametrize("missing", ["aud", "nonce", "iat", "sd_hash"])
def test_a_presentation_says_whom_when_and_what(scene, missing):
    whole = Compact.read(scene.shown())
    claims = claims_of_binding(whole)
    del claims[missing]
    assert scene.reason(whole.presented + sign(scene.holder, {"typ": "kb+jwt"}, claims)) == "MISSING_CLAIM"


def test_another_type_of_token_by_the_holder_is_no_presentation(scene):
    whole = Compact.read(scene.shown())
    claims = claims_of_binding(whole)
    assert scene.reason(whole.presented + sign(scene.holder, {"typ": "jwt"}, claims)) == "BAD_HOLDER_SIGNATURE"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"header": {"typ": "jwt"}}, "WRONG_TYPE"),
        ({"vct": "urn:example:other"}, "WRONG_TYPE"),
        ({"iss": "https://credence.example/te_x"}, "UNKNOWN_ISSUER"),
        ({"header": {"kid": "another"}}, "UNKNOWN_KEY"),
        ({"drop": ("exp",)}, "MISSING_CLAIM"),
        ({"drop": ("iat",)}, "MISSING_CLAIM"),
        ({"drop": ("cnf",)}, "MISSING_CLAIM"),
        ({"drop": ("status",)}, "MISSING_CLAIM"),
        ({"exp": "tomorrow"}, "MALFORMED"),
        ({"exp": True}, "MALFORMED"),
        ({"nbf": SECONDS + 3600}, "NOT_YET_VALID"),
        ({"cnf": {"jwk": {"kty": "oct", "k": "AA"}}}, "UNUSABLE_KEY"),
        ({"_sd_alg": "md5"}, "UNKNOWN_DIGEST_ALGORITHM"),
        ({"_sd": "all"}, "MALFORMED"),
        ({"grade": "AAA"}, "DOUBLE_CLAIM"),
        ({"_sd": []}, "UNDECLARED_DISCLOSURE"),
    ],
)
def test_what_the_company_signed_otherwise_than_a_statement_is_none(scene, changed, expected):
    assert scene.reason(again(scene, **changed)) == expected


def test_a_key_that_nobody_trusts_signs_nothing(scene):
    whole = Compact.read(scene.text)
    forged = sign(scene.other.key, {"typ": "dc+sd-jwt", "kid": scene.issuer.kid}, claims_of(scene.text))
    assert scene.reason(Compact(forged, whole.disclosures).presented) == "BAD_SIGNATURE"
    unknown = sign(scene.other.key, {"typ": "dc+sd-jwt", "kid": scene.other.kid}, claims_of(scene.text))
    assert scene.reason(Compact(unknown, whole.disclosures).presented) == "UNKNOWN_KEY"
    assert scene.reason(trusted=Trusted("https://credence.example/te_x", scene.trusted.keys)) == "UNKNOWN_ISSUER"


def test_no_token_chooses_its_own_algorithm(scene):
    whole, claims = Compact.read(scene.text), written(claims_of(scene.text))
    head = {"typ": "dc+sd-jwt", "kid": scene.issuer.kid}
    none = f"{encode(written(head | {'alg': 'none'}))}.{encode(claims)}."
    public = OctKey.import_key(json.dumps(scene.issuer.key.as_dict(private=False)))
    mac = jws.serialize_compact(head | {"alg": "HS256"}, claims, public, ["HS256"])
    for text in (none, mac):
        assert scene.reason(Compact(text, whole.disclosures).presented) == "WRONG_ALGORITHM"
    for extra in ({"jwk": scene.other.key.as_dict(private=False)}, {"crit": ["x"], "x": 1}, {"b64": True}):
        text = f"{encode(written(head | {'alg': 'ES256'} | extra))}.{encode(claims)}.{whole.signed.split('.')[2]}"
        assert scene.reason(Compact(text, whole.disclosures).presented) == "MALFORMED"


def disclosure(*parts):
    return encode(written(list(parts)))


def test_what_was_not_signed_is_not_disclosed(scene):
    whole = Compact.read(scene.text)
    added = Compact(whole.signed, (*whole.disclosures, disclosure("salt", "grade", "AAA")))
    assert scene.reason(added.presented) == "UNDECLARED_DISCLOSURE"
    twice = Compact(whole.signed, (*whole.disclosures, whole.disclosures[0]))
    assert scene.reason(twice.presented) == "DOUBLE_DIGEST"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (disclosure("salt", "exp", 9_999_999_999), "FORBIDDEN_CLAIM"),
        (disclosure("salt", "cnf", {}), "FORBIDDEN_CLAIM"),
        (disclosure("salt", "_sd", []), "FORBIDDEN_CLAIM"),
        (disclosure("salt", "...", "x"), "FORBIDDEN_CLAIM"),
        (disclosure("salt", "_sd_alg", "x"), "FORBIDDEN_CLAIM"),
        (disclosure("salt", "of an item"), "MALFORMED_DISCLOSURE"),
        (disclosure("salt"), "MALFORMED_DISCLOSURE"),
        (disclosure("salt", 7, "x"), "MALFORMED_DISCLOSURE"),
        (encode(b'{"a":1}'), "MALFORMED_DISCLOSURE"),
        (encode(b'["salt","a",1'), "MALFORMED_DISCLOSURE"),
        ("!!", "MALFORMED_DISCLOSURE"),
        ("", "MALFORMED_DISCLOSURE"),
    ],
)
def test_a_disclosure_has_its_form_even_where_the_company_signed_it(scene, made, expected):
    claims = claims_of(scene.text)
    signed = scene.signed(**(claims | {"_sd": [digest(made)]}))
    assert scene.reason(Compact(signed, (made,)).presented) == expected


def test_a_digest_stands_once_and_a_claim_has_one_name(scene):
    one, other = disclosure("s1", "grade", "A"), disclosure("s2", "grade", "B")
    claims = claims_of(scene.text)
    doubled = scene.signed(**(claims | {"_sd": [digest(one), digest(one)]}))
    assert scene.reason(Compact(doubled, (one,)).presented) == "DOUBLE_DIGEST"
    named = scene.signed(**(claims | {"_sd": [digest(one), digest(other)]}))
    assert scene.reason(Compact(named, (one, other)).presented) == "DOUBLE_CLAIM"


def test_every_statement_has_as_many_digests_whatever_it_can_show(scene):
    counts = {len(claims_of(scene.issued(claims=dict(list(CLAIMS.items())[:count])))["_sd"]) for count in range(1, 6)}
    assert counts == {24}
    digests = claims_of(scene.text)["_sd"]
    assert digests == sorted(digests)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ({"revoked": (77,)}, "REVOKED"),
        ({"revoked": (76, 78)}, None),
        ({"issuer": "other"}, "BAD_STATUS_LIST"),
        ({"number": 2}, "OTHER_STATUS_LIST"),
        ({"issued": SECONDS - 3600}, "STATUS_LIST_EXPIRED"),
        ({"issued": SECONDS + 120}, "BAD_STATUS_LIST"),
        ({"size": 72}, "NOT_IN_STATUS_LIST"),
    ],
)
def test_a_status_list_says_whether_a_statement_was_revoked(scene, listed, expected):
    words = listed.pop("revoked", ())
    if listed.get("issuer"):
        listed["issuer"] = scene.other
    assert scene.reason(status=scene.listed(*words, **listed)) == expected


def test_a_statement_is_no_status_list_and_a_list_no_statement(scene):
    assert scene.reason(status=Compact.read(scene.text).signed) == "BAD_STATUS_LIST"
    assert scene.reason(scene.listed() + "~") == "WRONG_TYPE"
    assert scene.reason(status="") == "BAD_STATUS_LIST"


def spoilt(text, place):
    """The text with one letter replaced by another one."""
    other = LETTERS[(LETTERS.index(text[place]) + 1) % len(LETTERS)] if text[place] in LETTERS else "A"
    return text[:place] + other + text[place + 1 :]


def test_every_changed_byte_of_a_presentation_is_noticed(scene):
    text = scene.shown()
    unnoticed = [place for place in range(len(text)) if scene.verdict(spoilt(text, place), nonce=NONCE).ok]
    assert unnoticed == []


def test_every_lost_or_added_byte_is_noticed(scene):
    text = scene.shown()
    for place in range(len(text)):
        assert not scene.verdict(text[:place] + text[place + 1 :], nonce=NONCE).ok
    for added in ("A", "~", "=", ".", "é"):
        assert not scene.verdict(text + added, nonce=NONCE).ok
        assert not scene.verdict(added + text, nonce=NONCE).ok


def test_every_changed_byte_of_a_status_list_is_noticed(scene):
    listed = scene.listed(1, 2, 3)
    assert [place for place in range(len(listed)) if scene.verdict(status=spoilt(listed, place)).ok] == []


@pytest.mark.parametrize("text", ["", "~", "a.b.c~", "a.b~", "....~", "é~", "a" * 300_000 + "~", "~" * 1_000, "[" * 9])
def test_what_is_no_statement_is_told_so(scene, text):
    assert scene.reason(text or " ") in {"MALFORMED", "TOO_LARGE"}


def test_json_that_two_readers_would_read_differently_is_refused():
    for text in (b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 100_000, b"\xff"):
        with pytest.raises(Untrue) as refused:
            parse(f"{encode(b'{}')}.{encode(text)}.AA")
        assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        "keys",
        {"statements": None},
        {"issuer": "x", "jwks": {"keys": []}},
        {"issuer": 7, "jwks": {"keys": [{}]}},
        {"issuer": "x", "jwks": {"keys": [{"kty": "oct", "k": "AA", "kid": "a"}]}},
        {"issuer": "x", "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "a"}]}},
    ],
)
def test_a_key_file_that_names_no_usable_key_is_refused(told):
    with pytest.raises(Untrue) as refused:
        Trusted.read(told)
    assert refused.value.reason is Reason.UNUSABLE_KEY


def test_a_private_key_is_never_a_key_to_trust(scene):
    secret = scene.issuer.key.as_dict(private=True) | {"kid": "a"}
    with pytest.raises(Untrue):
        Trusted.read({"issuer": "x", "jwks": {"keys": [secret]}})


def test_every_reason_has_its_sentence_and_what_to_do():
    for reason in Reason:
        assert sentence(reason).endswith(".")
        assert advice(reason).endswith(".")
    assert len({sentence(reason) for reason in Reason}) == len(Reason)
