"""An installation over each provider of root keys, as an operator and a front end meet it."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx2
import pytest

from domain.errors import KeyUnavailable
from tests.journeys.commands import found
from tests.journeys.conftest import Installation
from tests.vault.providers.started import KINDS, bao, made, moto, tokens
from vault.keys import Keyring, Purpose
from vault.providers import chosen
from vault.store.transaction import aside

__all__ = ["bao", "made", "moto", "tokens"]

PHONE = "+8613800138000"
WAIT_SECONDS = 20


BOTH = [*((kind, "sqlite") for kind in KINDS), pytest.param(("transit", "postgresql"), marks=pytest.mark.postgres)]
"""One that is asked over a network runs on the other database too: there transactions wait beside the loop."""


LONG = [pytest.mark.slow, pytest.mark.whole]
DAYS = [
    ("file", "sqlite"),
    pytest.param(("transit", "postgresql"), marks=pytest.mark.postgres),
    *(pytest.param((kind, "sqlite"), marks=LONG) for kind in KINDS if kind != "file"),
]
"""Where an operator's whole day is played on every run; over the others it is run by name (`-m whole`)."""


@pytest.fixture(params=BOTH, ids="-".join)
def place(request):
    """A kind of provider, and a database."""
    return request.param


@pytest.fixture
def keeper(place, made):
    """A provider of that kind, with no root yet."""
    return made(place[0])


@pytest.fixture
def installation(place, keeper, request, tmp_path):
    """An installation over it, its server running; the first root is made with it."""
    database = request.getfixturevalue(place[1])
    installed = Installation(database.url, tmp_path / "data", keys=keeper.written).start()
    yield installed
    installed.stop()


def settings(installation):
    """The settings of commands beside the server."""
    return {
        "CREDENCE_DATA_DIR": str(installation.folder),
        "CREDENCE_DATABASE_URL": installation.settings.database_url,
        "CREDENCE_KEYS": installation.settings.keys,
    }


def checks(installation):
    """What readiness tells of the keys."""
    parts = httpx2.get(f"{installation.url}/readyz", timeout=10).json()["checks"]
    (name,) = (part for part in parts if part.startswith("keys"))
    return name, parts[name]


def eventually(told, wanted):
    """Waits until something is told."""
    until = time.monotonic() + WAIT_SECONDS
    while (last := told()) != wanted:
        assert time.monotonic() < until, last
        time.sleep(0.2)


def test_what_was_sealed_is_opened_and_the_operator_sees_under_which_keys(keeper, installation):
    tenant = installation.open_tenant("Yunfan Networks")
    desk = installation.client(tenant, "credit_manager")
    asked = {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]}
    source = desk.done("registerSource", asked, "source { id }")["source"]["id"]
    origin = {"source": source, "lawfulBasis": "CONTRACT"}
    asked = {"reference": "C-1", "name": "C", "kind": "ENTERPRISE", "basic": {"phone": PHONE}, "origin": origin}
    file = desk.done("openCreditFile", asked, "creditFile { id }")["creditFile"]["id"]
    query = "query($id: ID!) { creditFile(id: $id) { phoneMasked confidential(purpose: CREDIT_REVIEW) { phone } } }"
    shown = {"phoneMasked": "****8000", "confidential": {"phone": PHONE}}
    assert desk.ask(query, id=file)["creditFile"] == shown
    installation.stop()
    installation.start()
    desk = installation.client(tenant, "credit_manager")
    assert desk.ask(query, id=file)["creditFile"] == shown
    told = found("keys", "status", **settings(installation))
    assert (told["reachable"], told["roots"]) == (True, [{"version": 1, "state": "standing"}])
    assert chosen.place(keeper.written).provider().name == told["provider"]
    (epoch,) = told["companies"][tenant]
    assert epoch["epoch"] == 1
    assert epoch["data_keys"] > 0
    assert not any(secret in str(told) for secret in keeper.secrets)


def test_readiness_names_the_provider_while_it_is_out(keeper, installation):
    name = f"keys:{keeper.written.partition(':')[0]}"
    eventually(lambda: checks(installation), (name, "ok"))
    keeper.out("refuse")
    try:
        eventually(lambda: checks(installation), (name, "failed"))
        assert httpx2.get(f"{installation.url}/readyz", timeout=10).status_code == 503
        assert httpx2.get(f"{installation.url}/healthz", timeout=10).status_code == 200
    finally:
        keeper.back()
    eventually(lambda: checks(installation), (name, "ok"))


@pytest.mark.parametrize("place", DAYS, ids="-".join, indirect=True)
def test_an_operator_turns_and_replaces_every_key_while_a_client_reads(installation, tmp_path):
    """No reading fails meanwhile, with any provider; the log verifies by the key that was pinned before."""
    tenant = installation.open_tenant("Yunfan Networks")
    desk = installation.client(tenant, "credit_manager")
    asked = {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]}
    origin = {"source": desk.done("registerSource", asked, "source { id }")["source"]["id"], "lawfulBasis": "CONTRACT"}
    asked = {"reference": "C-1", "name": "C", "kind": "ENTERPRISE", "basic": {"phone": PHONE}, "origin": origin}
    file = desk.done("openCreditFile", asked, "creditFile { id }")["creditFile"]["id"]
    query = "query($id: ID!) { creditFile(id: $id) { confidential(purpose: CREDIT_REVIEW) { phone } } }"
    ended, read, own = threading.Event(), [], settings(installation)

    def reads():
        while not ended.is_set():
            read.append(desk.ask(query, id=file)["creditFile"]["confidential"]["phone"])

    published = {"params": {"company": tenant}, "timeout": 10}
    keys = f"{installation.url}/.well-known/credence-keys.json"
    (pinned,) = httpx2.get(keys, **published).json()["logs"]
    reader = threading.Thread(target=reads)
    reader.start()
    try:
        assert found("keys", "rotate", **own)["epoch"] == 2
        assert found("keys", "rewrap", **own)["epoch"] == 2
        renewed = {one["company"]: one for one in found("keys", "renew", "--before", "now", **own)["companies"]}
        assert renewed[tenant]["minted"] >= renewed[tenant]["ended"] >= renewed[tenant]["sealed"] == 1
        replaced = found("keys", "replace", "log", "--before", "now", **own)
        assert tenant in {one["company"] for one in replaced["replaced"]}
        again = found("keys", "replace", "log", "--before", replaced["before"], **own)
        assert again["replaced"] == []
        (epoch,) = found("keys", "status", **own)["companies"][tenant]
        assert epoch["epoch"] == 2
    finally:
        ended.set()
        reader.join()
    assert len(read) > 5
    assert set(read) == {PHONE}
    told = httpx2.get(keys, **published).json()
    assert (len(told["logs"]), told["logs"][1], len(told["handovers"])) == (2, pinned, 1)
    log = tmp_path / "log"
    assert found("audit", "export", str(log), "--tenant", tenant, **own)["key"] == told["logs"][0]
    verified = found("audit", "verify", str(log), "--key", pinned)
    assert (verified["ok"], verified["key"]) == (True, told["logs"][0])


class Slow:
    """A key file that takes its time."""

    def __init__(self, keys):
        self.keys = keys
        self.asked = threading.Event()

    def __getattr__(self, name):
        return getattr(self.keys, name)

    def unwrap(self, items):
        """As the key file does, late."""
        self.asked.set()
        time.sleep(0.5)
        return self.keys.unwrap(items)


@pytest.mark.postgres
def test_a_slow_provider_holds_up_no_other_request_while_a_transaction_waits_for_it(postgresql, tmp_path):
    from sqlalchemy.ext.asyncio import create_async_engine

    place = chosen.place(f"file:{tmp_path / 'keys.json'}")
    place.found(1)
    kek, *_, sign = Keyring(place.provider(), time.monotonic).mint_tenant(b"\x01" * 16, 1)
    assert sign.purpose is Purpose.SIGN
    ring = Keyring(Slow(place.provider()), time.monotonic, aside=aside)

    async def work():
        engine = create_async_engine(postgresql.url.replace("postgresql:", "postgresql+asyncpg:"))
        turns = 0

        async def others():
            nonlocal turns
            while True:
                await asyncio.sleep(0.01)
                turns += 1

        running = asyncio.create_task(others())
        async with engine.begin() as connection:
            before = turns
            await connection.run_sync(lambda _: ring.warm([kek]))
            passed = turns - before
        running.cancel()
        await engine.dispose()
        return passed

    assert asyncio.run(work()) > 10


def test_root_keys_are_never_made_anew_for_a_database_that_holds_companies(database, tmp_path, made):
    installation = Installation(database.url, tmp_path / "data")
    installation.open_tenant("Yunfan Networks")
    other = made("sealed")
    refusal = found("migrate", expected=2, **(settings(installation) | {"CREDENCE_KEYS": other.written}))["error"]
    assert refusal["code"] == "CONFLICT"
    assert not other.path.exists()
    with pytest.raises(KeyUnavailable):
        other.provider().health()
