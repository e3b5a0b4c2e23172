"""Whoever verifies a log fetches it over HTTP as files, and an independent verifier finds it sound."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import time
from contextlib import contextmanager
from ipaddress import ip_network

import httpx2
import pytest
import uvicorn

from api.app import INSTALLATION
from api.settings import WitnessPlace
from api.witness import Serving, follow, open_witness
from domain.audit import Entry, Outcome
from tests import independent
from tests.journeys import commands
from tests.journeys.conftest import Installation

MANY = 600
WAIT_SECONDS = 10
FETCHED = "audit:export"
NOT_THERE = {
    "tile/0/009": 404,
    "tile/0/002.p/255": 404,
    "tile/7/000": 404,
    "tile/0/000.p/256": 400,
    "tile/00/000": 400,
    "tile/0/x000/000": 400,
    "tile/64/000": 400,
    "tile/-1/000": 400,
    "tile/0/../../secret": 404,
}


def grown(installation, tenant, many):
    """Makes a log grow by entries of a job, and its head signed; its key."""

    async def work(house):
        now = house.clock.now()
        made = [
            Entry(
                id=house.make.make("ae", int(now.timestamp() * 1000)),
                at=now,
                tenant=tenant,
                actor="system:test",
                action="credit_file:read",
                outcome=Outcome.DONE,
            )
            for _ in range(many)
        ]
        await asyncio.gather(*map(house.store.put, made))
        await house.store.checkpoint(tenant)
        return await house.verifying_key(tenant)

    return installation.house(work)


@contextmanager
def served(application):
    """The address of a program in a thread of its own; or one where nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    if application is None:
        yield url
        return
    server = uvicorn.Server(uvicorn.Config(application, port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield url
    server.should_exit = True
    thread.join(WAIT_SECONDS)


class Reader:
    """A program that fetches files of one company's log, with or without a token."""

    def __init__(self, installation, tenant, token=""):
        self.url = f"{installation.url}/audit/{tenant}/"
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.asked = []

    def answer(self, path, **headers):
        """The whole answer."""
        self.asked.append(path)
        return httpx2.get(self.url + path, headers=self.headers | headers)

    def __call__(self, path):
        """A file."""
        answer = self.answer(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.content


@pytest.fixture
def key(installation, tenant):
    """The key of a log of some hundred entries."""
    return independent.Key(grown(installation, tenant, MANY))


def test_an_independent_verifier_finds_a_log_sound_that_it_fetched_file_by_file(installation, tenant, key):
    anybody, auditor = Reader(installation, tenant), installation.client(tenant, "auditor")
    size, root = independent.checkpoint(anybody("checkpoint").decode(), key)
    assert size > MANY
    assert independent.root(independent.tree(anybody, size)) == root
    reader = Reader(installation, tenant, auditor.token)
    entries = [json.loads(entry) for entry in independent.verified(reader, key)]
    assert len(entries) >= size
    assert {entry["tenant"] for entry in entries} == {tenant}
    # To take entries along is an entry of its own, which says which were taken.
    until = time.monotonic() + WAIT_SECONDS
    while independent.checkpoint(anybody("checkpoint").decode(), key)[0] < len(entries) + 3:
        assert time.monotonic() < until
        time.sleep(0.1)
    later = [json.loads(entry) for entry in independent.verified(reader, key)]
    taken = [entry for entry in later if entry["action"] == FETCHED]
    bundles = [path for path in reader.asked if path.startswith("tile/entries/")][:3]
    assert [(entry["actor"], entry["resources"]) for entry in taken[:3]] == [
        ("auditor", [tenant, path]) for path in bundles
    ]


def test_what_is_whole_is_kept_for_ever_entries_by_no_cache_and_nothing_else_is_there(installation, tenant, key):
    anybody = Reader(installation, tenant)
    assert {path: anybody.answer(path).status_code for path in NOT_THERE} == NOT_THERE
    reader = Reader(installation, tenant, installation.token(tenant, "auditor"))
    size, _ = independent.checkpoint(anybody("checkpoint").decode(), key)
    forms = {
        "checkpoint": ("text/plain; charset=utf-8", "public, max-age=1"),
        "tile/0/000": ("application/octet-stream", "public, max-age=31536000, immutable"),
        f"tile/0/002.p/{size - 512}": ("application/octet-stream", "public, max-age=300"),
        "tile/1/000.p/2": ("application/octet-stream", "public, max-age=300"),
    }
    for path, form in forms.items():
        answer = anybody.answer(path)
        assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, *form)
    plain = reader.answer("tile/entries/000", **{"Accept-Encoding": "identity"})
    packed = reader.answer("tile/entries/000", **{"Accept-Encoding": "gzip"})
    assert (plain.headers["cache-control"], packed.headers["content-encoding"]) == ("no-store", "gzip")
    assert plain.content == packed.content
    assert len(gzip.compress(plain.content)) < len(plain.content)


def test_entries_are_for_auditors_of_their_own_company(installation, tenant, key):
    other = installation.open_tenant("Southern Lines")
    bundle = "tile/entries/000"
    assert Reader(installation, tenant).answer(bundle).status_code == 401
    analyst = Reader(installation, tenant, installation.token(tenant, "credit_analyst"))
    assert analyst.answer(bundle).status_code == 403
    stranger = Reader(installation, tenant, installation.token(other, "auditor"))
    assert stranger.answer(bundle).status_code == 404
    refused = installation.client(other, "auditor").ask(
        '{ auditEntries(filter: {action: {eq: "audit:export"}}) { nodes { action code } } }'
    )["auditEntries"]["nodes"]
    assert refused == [{"action": FETCHED, "code": "NOT_FOUND"}]
    del key


def test_a_company_that_is_not_served_has_no_log_and_the_installation_has_its_own(installation, tenant):
    nobody = Reader(installation, "te_00000000000000000000000009")
    assert [nobody.answer(path).status_code for path in ("checkpoint", "tile/0/000.p/1")] == [404, 404]
    assert Reader(installation, "te_nonsense").answer("checkpoint").status_code == 404
    key = httpx2.get(f"{installation.url}/.well-known/credence-keys.json").json()["logs"][0]
    own = httpx2.get(f"{installation.url}/audit/checkpoint")
    size, root = independent.checkpoint(own.text, independent.Key(key))
    tile = httpx2.get(f"{installation.url}/audit/tile/0/000.p/{size}").content
    assert independent.root([tile[at : at + 32] for at in range(0, len(tile), 32)]) == root
    del tenant


def test_whoever_serves_the_log_is_not_believed_by_the_command_that_fetches_it(installation, tenant, key, tmp_path):
    served, pinned = f"{installation.url}/audit/{tenant}", key.text
    asked = ("audit", "verify", "--from", served, "--key", pinned)
    tree = commands.found(*asked, "--tree-only")
    assert (tree["ok"], tree["pinned"]) == (True, True)
    (code,) = {commands.found(*asked, expected=2)["error"]["code"]}
    assert code == "NOT_PERMITTED"
    whole = commands.found(*asked, "--token", installation.token(tenant, "auditor"))
    assert (whole["ok"], whole["problems"], whole["pruned"]) == (True, [], 0)
    other = commands.found(
        "audit", "verify", "--from", f"{installation.url}/audit", "--tree-only", "--key", pinned, expected=1
    )
    assert {problem.split()[0] for problem in other["problems"]} >= {"WRONG_KEY"}
    gone = commands.found(
        "audit", "verify", "--from", "http://log.example", "--token", "t", "--key", pinned, expected=2
    )
    assert gone["error"]["path"] == ["from"]
    # The same log as a list: who took it along stands in it.
    own = {"CREDENCE_DATABASE_URL": installation.settings.database_url, "CREDENCE_KEYS": installation.settings.keys}
    own |= {"CREDENCE_ISSUER_KEY": str(installation.settings.issuer_key)}
    file = tmp_path / "entries.csv"
    listing = ("audit", "export", file, "--tenant", tenant, "--as", "csv", "--action", FETCHED)
    assert commands.found(*listing, **own)["entries"] == len(file.read_text(encoding="utf-8").splitlines()) - 1
    assert "audit_entry:csv" in file.read_text(encoding="utf-8").splitlines()[-1]
    both = commands.found("audit", "export", file, "--tenant", tenant, "--actor", "li", expected=2, **own)
    assert both["error"]["path"] == ["as"]


def test_a_server_has_its_witnesses_cosign_and_an_auditor_asks_for_a_quorum(sqlite, tmp_path):
    witness = tmp_path / "witness"
    pinned = open_witness(witness, "auditor.example/w1")
    away = open_witness(tmp_path / "away", "auditor.example/w2")
    first = Installation(sqlite.url, tmp_path / "data")
    tenant = first.open_tenant("Yunfan Networks")
    key = first.house(lambda house: house.verifying_key(tenant))
    follow(witness, [key, first.house(lambda house: house.verifying_key(INSTALLATION))])
    serving = Serving(witness)
    with served(serving.application) as url, served(None) as nowhere:
        places = (WitnessPlace(url=url, key=pinned), WitnessPlace(url=nowhere, key=away))
        settings = {"witnesses": places, "witness_quorum": 1, "witness_networks": (ip_network("127.0.0.0/8"),)}
        installed = Installation(sqlite.url, tmp_path / "data", prepared=True, **settings).start()
        asked = ("audit", "verify", "--from", f"{installed.url}/audit/{tenant}", "--tree-only", "--key", key)
        both = ("--witness", pinned, "--witness", away)
        until = time.monotonic() + WAIT_SECONDS
        while "w1" not in Reader(installed, tenant)("checkpoint").decode():
            assert time.monotonic() < until
            time.sleep(0.1)
        assert commands.found(*asked, *both, "--quorum", "1")["ok"] is True
        missed = commands.found(*asked, *both, expected=1)
        assert [problem.split(":")[0] for problem in missed["problems"]] == ["UNWITNESSED checkpoint"]
        ready = httpx2.get(f"{installed.url}/readyz").json()
        assert ready["status"] == "ready"
        assert list(ready["witnesses"].values()) == ["COSIGNED", "UNREACHABLE"]
        installed.stop()
        own = {"CREDENCE_DATA_DIR": str(tmp_path / "data"), "CREDENCE_DATABASE_URL": sqlite.url}
        own["CREDENCE_WITNESSES"] = json.dumps([{"url": place.url, "key": place.key} for place in places])
        own["CREDENCE_WITNESS_NETWORKS"] = "127.0.0.0/8"
        shown = commands.found("audit", "witnesses", "--ask", "--tenant", tenant, expected=1, **own)["witnesses"]
        assert [(one["state"], one["behind"] == 0) for one in shown] == [("COSIGNED", True), ("UNREACHABLE", False)]
        exported = commands.found("audit", "export", tmp_path / "log", "--tenant", tenant, **own)
        given = ("audit", "verify", tmp_path / "log", "--key", exported["key"], *both, "--quorum", "1")
        assert commands.found(*given)["ok"] is True
    serving.close()
