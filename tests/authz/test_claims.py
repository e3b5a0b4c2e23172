"""What tokens of another issuer claim: the company they are for, what may give a role, and which are of programs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from authz.claims import DEEPEST, MOST_CLAIMED, at, claimed, client_of
from authz.issuing import LocalIssuer
from authz.tokens import Cause, Trusted, Verifier, claimed_tenant
from domain import ids
from domain.errors import Malformed, NotAuthenticated

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ISSUER, AUDIENCE = "https://login.example", "urn:credence:api"
TENANT, ELSEWHERE = ids.encode("te", bytes(16)), ids.encode("te", bytes([1] * 16))
KEY = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig", "alg": "ES256"}, private=True)
TRUSTED = Trusted(
    issuer=ISSUER,
    audience=AUDIENCE,
    keys={"keys": [KEY.as_dict(private=False)]},
    tenants=frozenset({TENANT}),
    tenant_claim="org.name",
    names={"yunfan": TENANT},
    mapped=True,
)


def signed(**claims):
    """A token of the issuer."""
    seconds = int(NOW.timestamp())
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "chen", "iat": seconds, "exp": seconds + 600}
    header = {"alg": "ES256", "kid": "k1", "typ": "at+jwt"}
    return jws.serialize_compact(header, json.dumps(said | claims), KEY, ["ES256"])


def verified(token, trusted=TRUSTED):
    """The actor of a token."""
    return Verifier([trusted], {TENANT, ELSEWHERE}.__contains__).verify(token, NOW)


def cause(token, trusted=TRUSTED):
    """Why a token is refused."""
    with pytest.raises(NotAuthenticated) as refused:
        verified(token, trusted)
    return Cause(refused.value.cause)


def test_a_token_is_for_the_company_that_its_issuer_calls_so_and_gives_no_role_by_itself():
    actor = verified(signed(org={"name": "yunfan"}, roles=["platform_admin"], groups=["a", "b"]))
    assert (actor.tenant, actor.person, actor.roles, actor.issuer) == (TENANT, "chen", frozenset(), ISSUER)
    assert {("groups", "a"), ("groups", "b"), ("org.name", "yunfan")} <= set(actor.claimed)
    assert claimed_tenant(signed(org={"name": "yunfan"}), {ISSUER: TRUSTED}) == TENANT


@pytest.mark.parametrize("org", [{"name": "another"}, {"name": ELSEWHERE}, {"name": ["yunfan"]}, {}, "yunfan", None])
def test_a_token_for_a_company_the_issuer_may_not_speak_for_is_refused(org):
    assert cause(signed(org=org, tenant=TENANT)) is Cause.WRONG_TENANT


def test_an_issuer_that_names_no_company_speaks_for_its_one_alone():
    silent = replace(TRUSTED, tenant_claim="", names={})
    assert verified(signed(), silent).tenant == TENANT
    assert cause(signed(), replace(silent, tenants=frozenset({TENANT, ELSEWHERE}))) is Cause.WRONG_TENANT
    assert cause(signed(), replace(silent, tenants=None)) is Cause.WRONG_TENANT


@pytest.mark.parametrize(
    "said",
    [
        {"sub": "billing", "client_id": "billing"},
        {"sub": "7f", "azp": "billing", "gty": "client-credentials"},
        {"sub": "7f", "azp": "billing", "idtyp": "app"},
        {"sub": "7f", "client_id": "billing", "preferred_username": "service-account-billing"},
    ],
)
@pytest.mark.parametrize("mapped", [True, False])
def test_a_program_is_known_by_its_client_and_has_no_role_of_its_token(said, mapped):
    given = {"roles": ["credit_manager"]} if said["sub"] == "7f" else {}
    actor = verified(signed(org={"name": "yunfan"}, **said, **given), replace(TRUSTED, mapped=mapped))
    assert (actor.person, actor.service, actor.roles, actor.claimed) == ("service:billing", True, frozenset(), ())


@pytest.mark.parametrize("said", [{"client_id": "desk"}, {"azp": "desk", "preferred_username": "chen"}, {}])
def test_a_person_behind_a_client_is_no_program(said):
    actor = verified(signed(org={"name": "yunfan"}, **said))
    assert (actor.person, actor.service) == ("chen", False)


@pytest.mark.parametrize("sub", ["service:billing", "system:sweep"])
def test_no_person_is_called_like_a_program_or_a_job(sub):
    assert cause(signed(org={"name": "yunfan"}, sub=sub)) is Cause.MALFORMED


@pytest.mark.parametrize("client", [7, "", "a\nb", "x" * 257, ["billing"]])
def test_what_is_no_name_of_a_client_is_none(client):
    assert client_of({"sub": client, "client_id": client}) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=30,
)


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=5), st.text(max_size=9))
def test_whatever_is_claimed_is_looked_at_without_a_fault_and_within_bounds(claims, place):
    at(claims, place)
    found = claimed(claims)
    assert len(found) <= MOST_CLAIMED
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in found)


def test_what_is_claimed_is_bounded_in_number_and_depth():
    deep = "found"
    for _ in range(DEEPEST + 3):
        deep = {"a": deep}
    assert claimed(deep) == ()
    assert len(claimed({"groups": [str(number) for number in range(1_000)]})) == MOST_CLAIMED


def test_the_local_issuer_gives_a_program_a_token_of_its_own(tmp_path):
    issuer = LocalIssuer.create(tmp_path / "issuer.json")
    token = issuer.issue(TENANT, "service:billing", (), lifetime=timedelta(hours=1), now=NOW)
    actor = verified(token, issuer.trusted())
    assert (actor.person, actor.service, actor.roles) == ("service:billing", True, frozenset())
    with pytest.raises(Malformed):
        issuer.issue(TENANT, "billing", (), lifetime=timedelta(hours=1), now=NOW)
