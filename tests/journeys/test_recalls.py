"""What is withdrawn is recalled by itself: signed, sent to the partner's address, again until it is taken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

import httpx2
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from api.app import job
from api.jobs import recalling
from api.jobs.recalling import deliver
from api.jobs.sending import send
from domain.actors import Actor
from domain.consent.handover import delivering
from tests.journeys.commands import environment
from tests.journeys.conftest import Installation, mutation

NEAR = "127.0.0.0/8"
PURPOSE = "PARTNER_CREDIT_DECISION"
DELIVERIES = "{ recallDeliveries(first: 50) { nodes { id state attempts failure status recall { id cause } } } }"
SHORTLY = """
import sys
from datetime import timedelta
from domain.actors import Actor
from domain.consent.handover import delivering
delivering.LEASE = timedelta(seconds=2)
from api.cli import main
sys.argv[0] = "credence"
main()
"""
"""The command as it is run, but for a lease that a test can wait for."""


class Mailbox:
    """The partner's address: it keeps what it takes, and answers as it is told."""

    def __init__(self):
        self.taken, self.answers, self.came = [], [], threading.Event()
        self.hold = None
        """While this is set, it holds the next request until the event is."""
        box = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                box.came.set()
                if box.hold is not None:
                    box.hold.wait(30)
                status = box.answers.pop(0) if box.answers else 204
                if status == 204:
                    box.taken.append(body)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                """It keeps no log."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/recalls"

    def end(self):
        """Nobody is there any more."""
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()


@pytest.fixture
def mailbox():
    box = Mailbox()
    yield box
    box.end()


@pytest.fixture
def installation(database, tmp_path):
    """An installation that may send to this machine, and does so without waiting long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recalling, "POLL_SECONDS", 0.2)
        patch.setattr(delivering, "FIRST_WAIT", timedelta(seconds=0.1))
        running = Installation(database.url, tmp_path / "data", recall_networks=(ip_network(NEAR),)).start()
        yield running
        running.stop()


@pytest.fixture
def officer(installation, tenant):
    return installation.client(tenant, "privacy_officer")


@pytest.fixture
def bank(installation, tenant, officer):
    """A partner, and its program."""
    asked = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": [PURPOSE]}
    partner = officer.done("registerPartner", asked, "partner { id }")["partner"]["id"]
    installation.approve(tenant, partner)
    for field, shows, scope in (
        ("requestDisclosure", "disclosure { id }", ("contact.phone",)),
        ("acknowledgeRecall", "recall { state compliance }", ()),
    ):
        installation.trust(tenant, mutation(field, shows), *scope)
    return partner, installation.client(tenant, "partner_client", person="bank", partner=partner)


def disclosed(installation, tenant, officer, bank, count):
    """So many consents of as many customers, each used once by the partner."""
    partner, program = bank
    asked = {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]}
    source = officer.done("registerSource", asked, "source { id }")["source"]["id"]
    analyst = installation.client(tenant, "credit_analyst")
    consents = []
    for number in range(count):
        opened = {"reference": f"C-{number}", "name": "Yunfan", "kind": "ENTERPRISE"}
        opened["basic"] = {"phone": "010-55550100"}
        opened["origin"] = {"source": source, "lawfulBasis": "CONTRACT"}
        file = analyst.done("openCreditFile", opened, "creditFile { id }")["creditFile"]["id"]
        given = {
            "creditFile": file,
            "partner": partner,
            "purpose": PURPOSE,
            "fields": ["contact.phone"],
            "use": "STANDING",
            "notAfter": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
            "noticeDigest": "ab" * 32,
            "givenBy": "Li",
        }
        consents.append(officer.done("grantConsent", given, "consent { id }")["consent"]["id"])
        wanted = {
            "creditFile": file,
            "purpose": PURPOSE,
            "fields": ["contact.phone"],
            "idempotencyKey": f"key-{number}-key",
        }
        program.done("requestDisclosure", wanted, "disclosure { id }")
    return consents


def nodes(officer):
    return sorted(officer.ask(DELIVERIES)["recallDeliveries"]["nodes"], key=lambda node: node["id"])


def until(officer, states):
    """The deliveries, once they stand as expected."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        found = nodes(officer)
        if [node["state"] for node in found] == states:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_a_withdrawal_reaches_the_partner_by_itself_signed_and_in_order_and_it_answers(
    installation, tenant, officer, bank, mailbox
):
    partner, program = bank
    consents = disclosed(installation, tenant, officer, bank, 3)
    mailbox.answers = [500, 302]
    for consent in consents:
        officer.done("withdrawConsent", {"consent": consent}, "consent { state }")
    assert [node["state"] for node in nodes(officer)] == ["WAITING", "QUEUED", "QUEUED"]
    officer.done("setRecallAddress", {"partner": partner, "address": mailbox.url}, "partner { recallsTo }")
    found = until(officer, ["DELIVERED"] * 3)
    assert [(node["attempts"], node["failure"], node["status"]) for node in found] == [
        (3, None, 204),
        (1, None, 204),
        (1, None, 204),
    ]
    told = httpx2.get(f"{installation.url}/.well-known/credence-keys.json?company={tenant}").json()["statements"]
    key = ECKey.import_key(told["jwks"]["keys"][0])
    letters = [jws.deserialize_compact(text, key, algorithms=["ES256"]) for text in mailbox.taken]
    claims = [json.loads(letter.payload) for letter in letters]
    assert {letter.headers()["typ"] for letter in letters} == {"recall+jwt"}
    assert [one["jti"] for one in claims] == [node["id"] for node in found]
    assert [one["recall"] for one in claims] == [node["recall"]["id"] for node in found]
    assert {(one["iss"], one["aud"], one["cause"]) for one in claims} == {(told["issuer"], partner, "WITHDRAWAL")}
    answered = {"recall": claims[0]["recall"], "compliance": "DELETED"}
    recall = program.done("acknowledgeRecall", answered, "recall { state compliance }")["recall"]
    assert recall == {"state": "ACKNOWLEDGED", "compliance": "DELETED"}
    handed = installation.client(tenant, "auditor").ask(
        '{ auditEntries(first: 50, filter: {action: {eq: "disclosure:hand_over"}}) { totalCount } }'
    )
    assert handed["auditEntries"]["totalCount"] == 5


def test_to_a_network_that_is_not_allowed_nothing_is_sent(installation, tenant, officer, bank, mailbox, monkeypatch):
    monkeypatch.setattr(recalling, "send", lambda url, letter, _: send(url, letter))
    (consent,) = disclosed(installation, tenant, officer, bank, 1)
    officer.done("setRecallAddress", {"partner": bank[0], "address": mailbox.url}, "partner { id }")
    officer.done("withdrawConsent", {"consent": consent}, "consent { state }")
    ends = time.monotonic() + 30
    while not (found := nodes(officer)[0])["failure"] and time.monotonic() < ends:
        time.sleep(0.1)
    assert found["failure"] == "ADDRESS_REFUSED"
    assert mailbox.taken == []
    officer.done("setRecallAddress", {"partner": bank[0], "address": None}, "partner { id }")


def test_a_sender_that_is_killed_loses_nothing_and_several_at_a_time_send_nothing_twice(
    installation, tenant, officer, bank, mailbox
):
    consents = disclosed(installation, tenant, officer, bank, 4)
    settings = installation.settings
    for consent in consents:
        officer.done("withdrawConsent", {"consent": consent}, "consent { state }")
    mailbox.hold = threading.Event()
    installation.stop_server()
    address = delivering.SetRecallAddress(partner=bank[0], address=mailbox.url)

    async def addressed(house):
        person = Actor(tenant=tenant, person="officer", roles=frozenset({"privacy_officer"}))
        return await house.gate.perform(address, person)

    installation.house(addressed)
    words = {
        "CREDENCE_DATA_DIR": str(settings.data_dir),
        "CREDENCE_DATABASE_URL": settings.database_url,
        "CREDENCE_KEYS": settings.keys,
        "CREDENCE_ISSUER_KEY": str(settings.issuer_key),
        "CREDENCE_RECALL_NETWORKS": NEAR,
    }
    line = [sys.executable, "-c", SHORTLY, "recalls", "deliver", "--tenant", tenant, "--json"]
    mailbox.came.clear()
    killed = subprocess.Popen(line, env=environment(**words), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert mailbox.came.wait(30)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=30)
    mailbox.hold.set()
    mailbox.hold = None
    time.sleep(2.1)
    several = 3 if "postgresql" in settings.database_url else 1  # one process alone writes to SQLite
    senders = [
        subprocess.Popen(line, env=environment(**words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(several)
    ]
    for sender in senders:
        out, error = sender.communicate(timeout=60)
        assert sender.returncode == 0, out + error
    ids = Counter(json.loads(jws.extract_compact(text.encode()).payload)["jti"] for text in mailbox.taken)
    assert len(ids) == 4
    assert sorted(ids.values()) in ([1, 1, 1, 1], [1, 1, 1, 2])  # the one that was being sent may have arrived
    assert installation.house(lambda house: deliver(house, job(tenant, "recalls"))) == Counter()
    installation.start()
