import json
import os
import stat
from datetime import UTC, datetime, timedelta

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from authz.issuing import Bound, LocalIssuer
from authz.roles import JOB, ROLES
from authz.tokens import Trusted, Verifier
from domain import ids
from domain.errors import Conflict, KeyUnavailable, Malformed

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TENANT = ids.encode("te", bytes(16))
PARTNER = ids.encode("pa", bytes([2] * 16))
CUSTOMER = ids.encode("cu", bytes([3] * 16))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("keys") / "issuer.json"


@pytest.fixture(scope="module")
def issuer(path):
    return LocalIssuer.create(path)


@pytest.fixture(scope="module")
def verifier(issuer):
    return Verifier([issuer.trusted()], TENANT.__eq__)


def test_the_key_file_is_private_and_is_never_overwritten(path, issuer):
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(Conflict):
        LocalIssuer.create(path)
    assert path.read_bytes() == before
    assert issuer.jwks()


def test_a_key_that_cannot_be_written_whole_is_not_there_at_all_and_can_be_made_later(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    file = tmp_path / "issuer.json"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(KeyUnavailable, match="cannot be written"):
            LocalIssuer.create(file)
    assert list(tmp_path.iterdir()) == []
    file.with_name("issuer.json.new").write_text("what a crash left behind")
    assert LocalIssuer.create(file).jwks() == LocalIssuer.load(file).jwks()
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path, mode):
    file = tmp_path / "issuer.json"
    LocalIssuer.create(file)
    file.chmod(mode)
    with pytest.raises(KeyUnavailable, match="readable by others"):
        LocalIssuer.load(file)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '"x"',
        "1",
        "\xff",
        '{"kty":"EC"}',
        json.dumps(ECKey.generate_key("P-256").as_dict(private=False)),
        json.dumps(ECKey.generate_key("P-384").as_dict(private=True)),
        json.dumps(OctKey.generate_key(256).as_dict(private=True)),
    ],
    ids=range(10),  # a name that holds a new key is another in each process
)
def test_a_file_without_a_signing_key_is_refused(tmp_path, content):
    file = tmp_path / "issuer.json"
    file.touch(0o600)
    file.write_text(content, encoding="latin-1")
    with pytest.raises(KeyUnavailable):
        LocalIssuer.load(file)


def test_an_absent_key_file_is_refused_with_what_makes_a_new_one(tmp_path):
    with pytest.raises(KeyUnavailable, match="not there") as absent:
        LocalIssuer.load(tmp_path / "none.json")
    assert "credence migrate" in absent.value.advice


def test_the_exported_keys_are_public(issuer):
    (key,) = issuer.jwks()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def _jwk(key, **members):
    return {**key.as_dict(private=False), "kid": "one", **members}


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [ECKey.generate_key("P-256").as_dict(private=True) | {"kid": "one"}],
        [ECKey.generate_key("P-256").as_dict(private=False)],
        [_jwk(ECKey.generate_key("P-256")), _jwk(ECKey.generate_key("P-256"))],
        [_jwk(ECKey.generate_key("P-384"))],
        [_jwk(ECKey.generate_key("P-256"), use="enc")],
        [_jwk(ECKey.generate_key("P-256"), alg="ES384")],
        [OctKey.generate_key(256).as_dict(private=True) | {"kid": "one"}],
        [{"kty": "future", "kid": "one"}],
    ],
)
def test_an_issuer_is_trusted_with_its_own_public_signing_keys_alone(keys):
    with pytest.raises(Malformed):
        Verifier([Trusted(issuer="i", audience="a", keys={"keys": keys})], lambda _tenant: True)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_short_rsa_key_is_not_trusted():
    keys = {"keys": [_jwk(RSAKey.generate_key(1024))]}
    with pytest.raises(Malformed):
        Verifier([Trusted(issuer="i", audience="a", keys=keys)], lambda _tenant: True)


def test_an_issuer_is_trusted_once(issuer):
    with pytest.raises(Malformed):
        Verifier([issuer.trusted(), issuer.trusted()], lambda _tenant: True)


@pytest.mark.parametrize("role", [role for role in ROLES if role != JOB])
def test_a_token_can_be_issued_for_every_role_but_that_of_jobs(issuer, verifier, role):
    partner = PARTNER if role == "partner_client" else None
    subject = CUSTOMER if role == "customer_self" else None
    key = "k" * 43 if partner else ""
    bound = Bound(key=key) if partner else None
    token = issuer.issue(TENANT, "li", [role], partner, subject, lifetime=HOUR, now=NOW, bound=bound)
    assert verifier.verify(token, NOW, key).roles == {role}


@pytest.mark.parametrize(
    "arguments",
    [
        {"roles": []},
        {"roles": ["nobody"]},
        {"roles": [JOB]},
        {"roles": ["partner_client"]},
        {"roles": ["sales"], "partner": PARTNER},
        {"roles": ["sales"], "lifetime": timedelta(0)},
        {"roles": ["sales"], "person": ""},
        {"roles": ["sales"], "tenant": ""},
    ],
)
def test_a_token_that_no_verifier_would_accept_is_not_issued(issuer, arguments):
    with pytest.raises(Malformed):
        issuer.issue(**({"tenant": TENANT, "person": "li", "lifetime": HOUR, "now": NOW} | arguments))
