"""What is particular to AWS KMS: what it says when it refuses, and races for an alias."""

import pytest

from domain.errors import KeyUnavailable
from vault import hazmat
from vault.providers import awskms, chosen
from vault.providers.crew import Silent
from vault.providers.port import Context, Purpose, RootState

CONTEXT = Context(b"\x01" * 16, Purpose.KEK, 1)
SAID = "arn:aws:iam::111122223333:user/somebody is not authorized"


class Refusing:
    """A client that is always refused with one code."""

    def __init__(self, code):
        self.code = code

    def __getattr__(self, verb):
        exceptions = pytest.importorskip("botocore.exceptions")

        def refuse(**_):
            raise exceptions.ClientError({"Error": {"Code": self.code, "Message": SAID}}, verb)

        return refuse


def refused(code):
    pytest.importorskip("boto3")
    return awskms.AwsKms(chosen.place("awskms:eu-central-1/credence"), lambda: Refusing(code))


@pytest.mark.parametrize("code", ["ThrottlingException", "KMSInternalException", "ServiceUnavailable", "x y\n"])
def test_a_service_that_cannot_serve_now_is_out_as_a_whole(code):
    provider = refused(code)
    with pytest.raises(Silent) as caught:
        provider.wrap([(CONTEXT, hazmat.random_secret())] * 3)
    assert SAID not in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException", "UnrecognizedClientException"])
def test_a_role_that_may_not_is_told_so_without_what_the_service_says_of_it(code):
    provider = refused(code)
    with pytest.raises(KeyUnavailable, match="may not") as caught:
        provider.health()
    assert SAID not in f"{caught.value.message}{caught.value.advice}"
    (item,) = provider.wrap([(CONTEXT, hazmat.random_secret())])
    assert isinstance(item, KeyUnavailable)


def test_a_machine_without_a_role_is_told_so(made, monkeypatch, tmp_path):
    keeper = made("awskms")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(KeyUnavailable, match="role may not"):
        chosen.place(keeper.written).provider().health()


def test_of_two_who_make_a_root_one_is_told_and_leaves_no_key_behind(made):
    keeper = made("awskms")
    first, second = keeper.provider(), keeper.provider()
    first.generate(1)
    late = second.health
    second.health = lambda: awskms.Health({})
    with pytest.raises(KeyUnavailable, match="Somebody else"):
        second.generate(1)
    second.health = late
    assert second.health().roots == {1: RootState.STANDING}
    client = keeper._admin()
    states = [
        client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        for page in client.get_paginator("list_keys").paginate()
        for key in page["Keys"]
    ]
    ours = [state["KeyState"] for state in states if keeper.key in state["Description"]]
    assert sorted(ours) == ["Enabled", "Enabled", "PendingDeletion"]


def test_the_waiting_period_is_the_one_that_is_set(made):
    keeper = made("awskms")
    keeper.written += "&waiting-days=7"
    provider = keeper.provider()
    provider.generate(1)
    provider.destroy(1)
    told = keeper._admin().describe_key(KeyId=keeper._id(1))["KeyMetadata"]
    waits = told["DeletionDate"] - told["CreationDate"]
    assert 6 <= waits.days <= 7


def test_a_beginning_that_was_broken_off_is_gone_on_with(made):
    provider = made("awskms").provider()
    provider._created("hmac", {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})
    provider.generate(1)
    assert provider.health().roots == {1: RootState.STANDING}
