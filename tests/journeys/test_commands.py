"""Commands from a first installation to an audit, an import that is killed, and a log that is tampered with."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import time

import httpx2
import pytest

from api.app import open_house
from api.settings import load
from api.tour.cast import Cast
from domain.files.history import TradeTransaction
from domain.files.importing import ImportRun
from domain.files.sources import LawfulBasis, RegisterSource, SourceType
from domain.ids import Id
from tests.journeys.commands import found, started
from tests.journeys.conftest import Client

ROWS = 30_000
CUSTOMERS = 40
MAP = """
kind = "{kind}"
source = "Own invoices"
lawful_basis = "CONTRACT"
"""
CUSTOMER_MAP = (
    MAP.format(kind="customers") + '[columns]\nreference = "id"\nname = "name"\n[constants]\nkind = "ENTERPRISE"\n'
)
INVOICE_MAP = MAP.format(kind="invoices") + (
    '[columns]\nreference = "id"\nnumber = "number"\nissued_on = "issued"\ndue_on = "due"\ntotal = "total"\n'
    '[constants]\nkind = "RECEIVABLE"\ncurrency = "CNY"\n'
)


@pytest.fixture
def settings(database, tmp_path):
    """The settings of an installation over either database."""
    data = tmp_path / "data"
    return {
        "CREDENCE_DATA_DIR": str(data),
        "CREDENCE_DATABASE_URL": database.url,
        "CREDENCE_KEYS": f"file:{data / 'keys.json'}",
        "CREDENCE_ISSUER_KEY": str(data / "issuer.json"),
    }


@pytest.fixture
def tenant(settings):
    """A company that the commands opened, with a source."""
    assert found("migrate", **settings)["revision"] == found("migrate", **settings)["revision"]
    opened = found("tenant", "open", "Yunfan Networks", **settings)["tenant"]
    assert found("tenant", "list", **settings) == {"tenants": [opened]}
    source = RegisterSource(
        type=SourceType.INTERNAL_TRANSACTION, name="Own invoices", lawful_bases=(LawfulBasis.CONTRACT,)
    )
    within(settings, opened, lambda cast: cast.privacy.do(source))
    return opened


def within(settings, tenant, work):
    """What some work of the people of a company gives."""

    async def go():
        async with open_house(load(settings)) as house:
            return await work(Cast.of(house, Id(tenant)))

    return asyncio.run(go())


async def _all(cast, record, *facts):
    return [row async for row in cast.analyst.rows(record, *facts)]


@pytest.fixture
def files(tmp_path):
    """Customers and many invoices of theirs, a few of them wrong."""
    customers = "\n".join(["id,name", *(f"C{number},Firm {number}" for number in range(CUSTOMERS))])
    (tmp_path / "customers.csv").write_text(customers + "\n")
    lines = ["id,number,issued,due,total"]
    for number in range(ROWS):
        total = "12,34" if number % 10_000 == 7 else f"{number % 900 + 1}.50"
        customer = "NOBODY" if number % 10_000 == 8 else f"C{number % CUSTOMERS}"
        lines.append(f'{customer},{number},2026-01-05,2026-02-05,"{total}"')
    (tmp_path / "invoices.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "customers.toml").write_text(CUSTOMER_MAP)
    (tmp_path / "invoices.toml").write_text(INVOICE_MAP)
    return tmp_path


def imported(kind, files, **settings):
    return found("import", kind, files / f"{kind}.csv", "--map", files / f"{kind}.toml", **settings)


def test_an_import_that_is_killed_goes_on_and_nothing_is_lost_or_doubled(database, settings, tenant, files):
    assert imported("customers", files, **settings)["stored"] == CUSTOMERS
    words = ("import", "invoices", files / "invoices.csv", "--map", files / "invoices.toml", "--json")
    for wanted in (1, ROWS // 3):
        command = started(*words, **settings)
        deadline = time.monotonic() + 120
        while rows_of(database) < wanted and command.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        command.kill()
        command.communicate()
    before = rows_of(database)
    assert before > 0
    ended = imported("invoices", files, **settings)
    assert ended["resumedAt"] > 0
    wrong = 2 * ROWS // 10_000
    assert (ended["read"], ended["stored"], ended["rejected"], ended["known"]) == (ROWS, ROWS - wrong, wrong, 0)
    assert rows_of(database) == ROWS - wrong
    rejected = (files / "invoices.rejected.csv").read_text(encoding="utf-8-sig")
    assert rejected.count("MALFORMED_AMOUNT") == rejected.count("UNKNOWN_CUSTOMER") == wrong // 2
    assert "12,34" not in rejected
    again = imported("invoices", files, **settings)
    assert (again["stored"], again["resumedAt"]) == (ROWS - wrong, ROWS)
    assert rows_of(database) == ROWS - wrong
    (run_,) = [
        row
        for row in within(settings, tenant, lambda cast: _all(cast, ImportRun, "rows_read"))
        if row["rows_read"] == ROWS
    ]
    assert run_
    assert found("fsck", **settings)["ok"] is True


def rows_of(database):
    table = TradeTransaction.shape.table
    return database.fetch(f"SELECT count(*) FROM {table} WHERE superseded_at IS NULL")[0][0]  # noqa: S608 - a name of our own


def test_an_exported_log_verifies_and_whatever_is_changed_in_it_is_found(settings, tenant, files, tmp_path):
    assert imported("customers", files, **settings)["stored"] == CUSTOMERS
    log = tmp_path / "log"
    exported = found("audit", "export", log, **settings)
    verified = found("audit", "verify", log, "--key", exported["key"])
    assert (verified["ok"], verified["entries"]) == (True, exported["entries"])
    kept = tmp_path / "earlier"
    shutil.copy(log / "checkpoint", kept)
    found("token", "--role", "auditor", **settings)
    imported("customers", files, **settings)
    found("audit", "export", log, **settings)
    assert found("audit", "verify", log, "--key", exported["key"], "--earlier", kept)["ok"] is True

    bundle = next((log / "tile" / "entries").rglob("*.p/*"))
    whole = bundle.read_bytes()
    assert tenant.encode() in whole
    for damaged in (whole.replace(b'"DONE"', b'"FINE"', 1), whole[:-30], whole + whole[:40]):
        bundle.write_bytes(damaged)
        report = found("audit", "verify", log, "--key", exported["key"], expected=1)
        assert report["ok"] is False
        assert report["problems"]
    bundle.write_bytes(whole)
    assert found("audit", "verify", log, "--key", exported["key"])["ok"] is True


def test_a_command_that_cannot_be_carried_out_says_why_in_a_sentence(settings, tmp_path):
    nothing = settings | {"CREDENCE_DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}"}
    command = started("tenant", "list", **nothing)
    out, err = command.communicate(timeout=60)
    assert command.returncode == 2
    assert "credence migrate" in out + err
    assert "Traceback" not in out + err
    command = started("serve", **(settings | {"CREDENCE_COLOUR": "red"}))
    _, err = command.communicate(timeout=60)
    assert command.returncode == 2
    assert "colour" in err


def test_a_demo_says_who_is_in_it_and_answers(tmp_path):
    command = started("demo", "--port", "0", "--customers", "3", "--data-dir", tmp_path / "demo", "--json")
    try:
        first = json.loads(command.stdout.readline())
        assert set(first) == {"url", "tenant", "tokens", "creditFiles", "partner"}
        assert len(first["creditFiles"]) == 3
        assert {"auditor", "partner_client", "customer_self", "credit_analyst"} <= set(first["tokens"])
    finally:
        command.terminate()
        command.communicate(timeout=60)


def test_two_processes_serve_one_postgresql_and_sqlite_is_for_one(database, settings, tenant):
    words = ("serve", "--port", free_port(), "--workers", "2")
    if database.dialect == "sqlite":
        command = started(*words, **settings)
        _, err = command.communicate(timeout=60)
        assert command.returncode == 2
        assert "PostgreSQL" in err
        return
    token = found("token", "--role", "credit_manager", **settings)["token"]
    command = started(*words, **settings)
    try:
        client = Client(f"http://127.0.0.1:{words[2]}", token)
        answers = [answered(client, number) for number in range(12)]
        client.close()
    finally:
        command.terminate()
        command.communicate(timeout=60)
    assert len(set(answers)) == len(answers)
    report = found("fsck", "--tenant", tenant, **settings)
    assert report["ok"] is True


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answered(client, number):
    """The entry of a change, once the server answers."""
    change = {"type": "REGISTRY", "name": f"source {number}", "lawfulBases": ["LEGALLY_PUBLIC"]}
    for _ in range(300):
        try:
            return client.done("registerSource", change, "source { id }")["auditEntry"]
        except httpx2.ConnectError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")
