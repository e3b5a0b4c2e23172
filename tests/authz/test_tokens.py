import base64
import hmac
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from authz.issuing import Bound, LocalIssuer
from authz.roles import JOB
from authz.tokens import AUDIENCE, LOCAL, MAX_BYTES, Cause, Trusted, Verifier, claimed_tenant
from domain import ids
from domain.errors import Code, NotAuthenticated

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TENANT = ids.encode("te", bytes(16))
OTHER_TENANT = ids.encode("te", bytes([1] * 16))
PARTNER = ids.encode("pa", bytes([2] * 16))
CUSTOMER = ids.encode("cu", bytes([3] * 16))
CONSENT = ids.encode("co", bytes([4] * 16))
KEY = "k" * 43
DROP = object()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("keys") / "issuer.json"


@pytest.fixture(scope="module")
def issuer(path):
    return LocalIssuer.create(path)


@pytest.fixture(scope="module")
def verifier(issuer):
    return Verifier([issuer.trusted()], {TENANT, OTHER_TENANT}.__contains__)


@pytest.fixture
def sign(issuer):
    """Signs claims and headers that the issuer itself would never put together."""

    def signed(claims=None, *, header=None, key=None):
        seconds = int(NOW.timestamp())
        body = {"iss": LOCAL, "aud": AUDIENCE, "sub": "li", "tenant": TENANT, "roles": ["sales"]}
        body |= {"iat": seconds, "exp": seconds + 3600} | (claims or {})
        head = {"alg": "ES256", "kid": issuer._kid, "typ": "at+jwt"} | (header or {})
        body, head = ({k: v for k, v in part.items() if v is not DROP} for part in (body, head))
        registry = jws.JWSRegistry(algorithms=[head.get("alg", "")], strict_check_header=False)
        return jws.serialize_compact(head, json.dumps(body), key or issuer._key, registry=registry)

    return signed


def cause(verifier, token, now=NOW):
    with pytest.raises(NotAuthenticated) as caught:
        verifier.verify(token, now)
    error = caught.value
    assert error.message == "The bearer token is not valid."
    assert error.code is Code.NOT_AUTHENTICATED
    assert error.__cause__ is None
    assert error.__context__ is None
    return Cause(error.cause)


def encoded(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_token_names_its_person_tenant_and_roles(issuer, verifier):
    token = issuer.issue(TENANT, "li.wei", ["sales", "legal"], lifetime=HOUR, now=NOW)
    actor = verifier.verify(token, NOW)
    assert (actor.tenant, actor.person, actor.roles) == (TENANT, "li.wei", {"sales", "legal"})
    assert (actor.partner, actor.subject, actor.key) == (None, None, "")


def test_a_partner_and_a_customer_are_named_by_their_tokens(issuer, verifier):
    partner = issuer.issue(
        TENANT, "client", ["partner_client"], PARTNER, lifetime=HOUR, now=NOW, bound=Bound(key=KEY, consents=(CONSENT,))
    )
    customer = issuer.issue(TENANT, "wang", ["customer_self"], subject=CUSTOMER, lifetime=HOUR, now=NOW)
    client = verifier.verify(partner, NOW, KEY)
    assert (client.partner, client.key, client.consents) == (PARTNER, KEY, (CONSENT,))
    assert verifier.verify(customer, NOW).subject == CUSTOMER


def test_an_issuer_that_was_loaded_again_is_the_same(path, issuer, verifier):
    again = LocalIssuer.load(path)
    assert again.jwks() == issuer.jwks()
    assert verifier.verify(again.issue(TENANT, "li", ["sales"], lifetime=HOUR, now=NOW), NOW).person == "li"


def test_an_unsigned_token_is_refused(sign, verifier, issuer):
    body = sign().split(".")[1]
    for alg in ("none", "None", "NONE", ""):
        head = encoded({"alg": alg, "kid": issuer._kid, "typ": "at+jwt"})
        assert cause(verifier, f"{head}.{body}.") is Cause.ALG_NOT_ALLOWED
        assert cause(verifier, f"{head}.{body}.{sign().split('.')[2]}") is Cause.ALG_NOT_ALLOWED
        head = encoded({"alg": alg, "kid": "another", "typ": "at+jwt"})
        assert cause(verifier, f"{head}.{body}.") is Cause.ALG_NOT_ALLOWED


def test_a_signature_that_was_cut_off_is_refused(sign, verifier):
    head, body, _ = sign().split(".")
    assert cause(verifier, f"{head}.{body}.") is Cause.BAD_SIGNATURE


def test_a_change_in_any_segment_is_refused(sign, verifier):
    head, body, signature = sign().split(".")
    spaced = encoded(base64.urlsafe_b64decode(head + "==") + b" ")
    wider = json.loads(base64.urlsafe_b64decode(body + "==")) | {"roles": ["credit_manager"]}
    flipped = ("B" if signature[5] == "A" else "A").join((signature[:5], signature[6:]))
    for token in (f"{spaced}.{body}.{signature}", f"{head}.{encoded(wider)}.{signature}", f"{head}.{body}.{flipped}"):
        assert cause(verifier, token) is Cause.BAD_SIGNATURE


def test_every_single_character_of_a_token_counts(sign, verifier):
    token = sign()
    for place, character in enumerate(token):
        other = "A" if character != "A" else "B"
        with pytest.raises(NotAuthenticated):
            verifier.verify(token[:place] + other + token[place + 1 :], NOW)


def test_a_token_signed_by_another_key_under_a_known_kid_is_refused(sign, verifier):
    assert cause(verifier, sign(key=ECKey.generate_key("P-256"))) is Cause.BAD_SIGNATURE


@pytest.mark.parametrize("kid", ["another", "", DROP])
def test_an_unknown_kid_is_refused(sign, verifier, kid):
    assert cause(verifier, sign(header={"kid": kid})) is Cause.UNKNOWN_KEY


def test_a_public_key_is_no_secret_for_hs256(sign, verifier, issuer):
    body = sign().split(".")[1]
    head = encoded({"alg": "HS256", "kid": issuer._kid, "typ": "at+jwt"})
    for secret in (issuer._key.as_pem(private=False), json.dumps(issuer.jwks()["keys"][0]).encode()):
        signature = encoded(hmac.digest(secret, f"{head}.{body}".encode(), "sha256"))
        assert cause(verifier, f"{head}.{body}.{signature}") is Cause.ALG_NOT_ALLOWED


@pytest.mark.parametrize("alg", ["RS256", "Ed25519"])
def test_a_key_verifies_only_its_own_algorithm(sign, verifier, issuer, alg):
    body, signature = sign().split(".")[1:]
    head = encoded({"alg": alg, "kid": issuer._kid, "typ": "at+jwt"})
    assert cause(verifier, f"{head}.{body}.{signature}") is Cause.ALG_NOT_ALLOWED


@pytest.mark.parametrize(
    ("alg", "key"),
    [("RS256", RSAKey.generate_key(2048)), ("Ed25519", OKPKey.generate_key("Ed25519"))],
    ids=["rsa", "ed25519"],
)
def test_other_issuers_sign_with_rsa_or_ed25519(sign, alg, key):
    keys = {"keys": [{**key.as_dict(private=False), "kid": "one"}]}
    verifier = Verifier([Trusted(issuer="https://id.example", audience="api", keys=keys)], {TENANT}.__contains__)
    token = sign({"iss": "https://id.example", "aud": ["x", "api"]}, header={"alg": alg, "kid": "one"}, key=key)
    assert verifier.verify(token, NOW).person == "li"


@pytest.mark.parametrize("typ", ["JWT", "jwt", "dc+sd-jwt", "", DROP])
def test_a_token_of_another_type_is_refused(sign, verifier, typ):
    assert cause(verifier, sign(header={"typ": typ})) is Cause.WRONG_TYPE


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_type_of_access_tokens_is_accepted(sign, verifier, typ):
    assert verifier.verify(sign(header={"typ": typ}), NOW)


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit", "b64", "cty", "anything"])
def test_a_header_that_brings_its_own_key_or_rules_is_refused(sign, verifier, issuer, name):
    body, signature = sign().split(".")[1:]
    head = {"alg": "ES256", "kid": issuer._kid, "typ": "at+jwt", name: issuer.jwks()["keys"][0]}
    assert cause(verifier, f"{encoded(head)}.{body}.{signature}") is Cause.MALFORMED


@pytest.mark.parametrize(
    ("late", "expected"),
    [(3599, None), (3600, Cause.EXPIRED), (3601, Cause.EXPIRED), (-60, None), (-61, Cause.NOT_YET_VALID)],
)
def test_a_token_holds_from_its_issue_until_it_expires(sign, verifier, late, expected):
    now = NOW + timedelta(seconds=late)
    if expected is None:
        assert verifier.verify(sign(), now)
    else:
        assert cause(verifier, sign(), now) is expected


def test_a_token_does_not_hold_before_its_own_beginning(sign, verifier):
    seconds = int(NOW.timestamp())
    assert verifier.verify(sign({"nbf": seconds + 60}), NOW)
    assert cause(verifier, sign({"nbf": seconds + 61}), NOW) is Cause.NOT_YET_VALID


@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (DROP, Cause.MISSING_CLAIM),
        (None, Cause.MISSING_CLAIM),
        ("1772352000", Cause.MALFORMED),
        (True, Cause.MALFORMED),
        (1e12, Cause.MALFORMED),
        ([], Cause.MALFORMED),
    ],
)
def test_a_time_that_is_no_number_of_seconds_is_refused(sign, verifier, name, value, expected):
    assert cause(verifier, sign({name: value})) is expected


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "1e999"])
def test_a_time_that_never_comes_is_refused(verifier, issuer, sign, constant):
    head, body, _ = sign().split(".")
    text = base64.urlsafe_b64decode(body + "==").decode()
    never = text.replace(f'"exp": {int(NOW.timestamp()) + 3600}', f'"exp": {constant}')
    assert constant in never
    token = jws.serialize_compact(json.loads(base64.urlsafe_b64decode(head + "==")), never, issuer._key, ["ES256"])
    assert cause(verifier, token) is Cause.MALFORMED


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "https://elsewhere.example"}, Cause.UNKNOWN_ISSUER),
        ({"iss": DROP}, Cause.MISSING_CLAIM),
        ({"iss": [LOCAL]}, Cause.MISSING_CLAIM),
        ({"aud": "another"}, Cause.WRONG_AUDIENCE),
        ({"aud": ["another"]}, Cause.WRONG_AUDIENCE),
        ({"aud": {AUDIENCE: 1}}, Cause.WRONG_AUDIENCE),
        ({"aud": DROP}, Cause.WRONG_AUDIENCE),
        ({"sub": DROP}, Cause.MISSING_CLAIM),
        ({"sub": ""}, Cause.MISSING_CLAIM),
        ({"sub": "system:import"}, Cause.MALFORMED),
        ({"sub": "li\nwei"}, Cause.MALFORMED),
        ({"sub": "l" * 257}, Cause.MALFORMED),
        ({"tenant": DROP}, Cause.WRONG_TENANT),
        ({"tenant": "te_elsewhere"}, Cause.WRONG_TENANT),
        ({"tenant": [TENANT]}, Cause.WRONG_TENANT),
        ({"roles": DROP}, Cause.MISSING_CLAIM),
        ({"roles": []}, Cause.MISSING_CLAIM),
        ({"roles": "sales"}, Cause.MISSING_CLAIM),
        ({"roles": ["sales", "nobody"]}, Cause.UNKNOWN_ROLE),
        ({"roles": ["sales", ["legal"]]}, Cause.UNKNOWN_ROLE),
        ({"roles": [JOB]}, Cause.UNKNOWN_ROLE),
        ({"roles": ["partner_client"]}, Cause.MISSING_CLAIM),
        ({"roles": ["partner_client"], "partner": None}, Cause.MISSING_CLAIM),
        ({"roles": ["partner_client"], "partner": CUSTOMER}, Cause.MALFORMED),
        ({"roles": ["partner_client"], "partner": "pa_1"}, Cause.MALFORMED),
        ({"roles": ["partner_client"], "partner": PARTNER, "subject": CUSTOMER}, Cause.MISPLACED_CLAIM),
        ({"roles": ["customer_self"]}, Cause.MISSING_CLAIM),
        ({"roles": ["customer_self"], "subject": PARTNER}, Cause.MALFORMED),
        ({"roles": ["customer_self", "sales"], "subject": CUSTOMER}, Cause.MISPLACED_CLAIM),
        ({"roles": ["sales"], "partner": PARTNER}, Cause.MISPLACED_CLAIM),
        ({"roles": ["sales"], "subject": CUSTOMER}, Cause.MISPLACED_CLAIM),
        ({"cnf": {"jkt": "x"}}, Cause.KEY_NOT_PROVEN),
    ],
)
def test_a_claim_that_is_missing_or_wrong_is_refused(sign, verifier, claims, expected):
    assert cause(verifier, sign(claims)) is expected


def test_an_issuer_speaks_only_for_its_own_tenants(issuer, sign):
    keys = issuer.jwks()
    trusted = Trusted(issuer=LOCAL, audience=AUDIENCE, keys=keys, tenants=frozenset({OTHER_TENANT}))
    verifier = Verifier([trusted], {TENANT, OTHER_TENANT}.__contains__)
    assert cause(verifier, sign()) is Cause.WRONG_TENANT
    assert verifier.verify(sign({"tenant": OTHER_TENANT}), NOW).tenant == OTHER_TENANT


def test_a_tenant_that_is_not_served_here_is_refused_even_when_its_issuer_may_speak_for_it(issuer, sign):
    trusted = Trusted(issuer=LOCAL, audience=AUDIENCE, keys=issuer.jwks(), tenants=frozenset({TENANT}))
    assert cause(Verifier([trusted], lambda _tenant: False), sign()) is Cause.WRONG_TENANT


def test_the_key_of_one_issuer_signs_nothing_for_another(issuer, sign):
    other = ECKey.generate_key("P-256")
    elsewhere = {"keys": [{**other.as_dict(private=False), "kid": "theirs"}]}
    trusted = Trusted(issuer="https://id.example", audience=AUDIENCE, keys=elsewhere)
    verifier = Verifier([issuer.trusted(), trusted], {TENANT}.__contains__)
    assert cause(verifier, sign(header={"kid": "theirs"}, key=other)) is Cause.UNKNOWN_KEY
    assert cause(verifier, sign({"iss": "https://id.example"})) is Cause.UNKNOWN_KEY


@pytest.mark.parametrize("fill", ["x", "é"])
def test_a_token_of_more_than_8_kib_is_refused_unread(sign, verifier, fill):
    assert cause(verifier, fill * (MAX_BYTES + 1)) is Cause.TOO_LARGE
    assert cause(verifier, sign({"sub": "l" * MAX_BYTES})) is Cause.TOO_LARGE


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "Bearer a.b.c",
        "é.é.é",
        f"é{encoded({})}.{encoded({})}.x",
        "\ud800..",
        f"{encoded([])}.{encoded({})}.x",
        f"{encoded({})}.{encoded([])}.x",
        f"{encoded(b'{')}.{encoded({})}.x",
        f"{encoded(bytes([255, 254]))}.{encoded({})}.x",
        f"{encoded({})}.{encoded(b'[' * 4000)}.x",
        f"{encoded({})}.{encoded(b'1' * 5000)}.x",
        f"{encoded({})}.{encoded({})}.x.y.z",
    ],
)
def test_what_is_not_a_token_is_refused(verifier, token):
    assert cause(verifier, token) is Cause.MALFORMED


def test_nothing_of_a_token_reaches_an_error_or_a_log(sign, verifier, caplog):
    header = {"kid": "canary-kid"}
    claims = {"sub": "canary-person\n", "roles": ["canary-role"], "tenant": "canary-tenant", "iss": "canary-issuer"}
    tokens = [sign(header=header), *(sign({name: value}) for name, value in claims.items()), "canary.canary.canary"]
    with caplog.at_level(logging.DEBUG):
        for token in tokens:
            with pytest.raises(NotAuthenticated) as caught:
                verifier.verify(token, NOW)
            said = repr((caught.value.args, vars(caught.value)))
            assert "canary" not in said
            assert token.split(".")[-1] not in said
    assert caplog.text == ""


def test_a_verifier_keeps_no_token_and_of_one_that_failed_nothing(sign, verifier):
    token = sign({"sub": "person-1"})
    verifier.verify(token, NOW)
    before = {name: repr(value) for name, value in vars(verifier).items()}
    assert not any(part in said for said in before.values() for part in token.split("."))
    for claims in ({"roles": ["nobody"]}, {"tenant": "nowhere"}, {"aud": "others"}):
        with pytest.raises(NotAuthenticated):
            verifier.verify(sign(claims), NOW)
    assert {name: repr(value) for name, value in vars(verifier).items()} == before


def test_a_token_that_was_checked_once_is_refused_when_it_has_expired(sign, verifier):
    token = sign({})
    assert verifier.verify(token, NOW) == verifier.verify(token, NOW)
    with pytest.raises(NotAuthenticated) as caught:
        verifier.verify(token, NOW + timedelta(days=1))
    assert caught.value.cause == Cause.EXPIRED.value


def test_what_is_remembered_of_tokens_is_bounded(sign, verifier, monkeypatch):
    monkeypatch.setattr("authz.tokens.REMEMBERED", 3)
    actors = [verifier.verify(sign({"sub": f"person-{number}"}), NOW) for number in range(9)]
    assert [actor.person for actor in actors] == [f"person-{number}" for number in range(9)]
    assert len(verifier._known) == 3


def test_keys_for_other_uses_beside_a_signing_key_are_passed_over(issuer, sign):
    keys = [
        RSAKey.generate_key(2048).as_dict(private=False, kid="one", use="enc"),
        {"kty": "future", "kid": "two"},
        *issuer.jwks()["keys"],
    ]
    trusted = Trusted(issuer=LOCAL, audience=AUDIENCE, keys={"keys": keys})
    assert Verifier([trusted], lambda _tenant: True).verify(sign(), NOW)


def test_the_tenant_a_token_claims_is_known_although_nothing_about_it_is_verified(sign):
    good = sign({"exp": 1, "aud": "another"}, header={"kid": "another"})
    head, body, _ = good.split(".")
    assert claimed_tenant(good) == TENANT
    assert claimed_tenant(f"{head}.{body}.") == TENANT


@pytest.mark.parametrize("tenant", [DROP, None, 7, [TENANT], "", "te_", PARTNER, TENANT.upper(), TENANT + " ", "te_\n"])
def test_a_tenant_that_is_none_is_not_claimed(sign, tenant):
    assert claimed_tenant(sign({"tenant": tenant})) is None


@pytest.mark.parametrize("bearer", ["", "a", "a.b.c", "...", "é.é.é", "e30.W10.x", "e30.e30.", "x" * (MAX_BYTES + 1)])
def test_what_is_no_token_claims_nothing(bearer):
    assert claimed_tenant(bearer) is None


def test_a_token_that_nests_without_end_claims_nothing():
    assert claimed_tenant(f"e30.{encoded(b'[' * 6000)}.x") is None
