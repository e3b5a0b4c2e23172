"""Every confidential value is a canary: it appears in no byte of the database, log, error, export or audit text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import structlog

from api.log import set_log
from tests.journeys.conftest import Installation, mutation

PHONE, USCC, ACCOUNT = "+8613987654321", "91110000600037341L", "6222021234567890128"
SECRETS = {
    "phone": PHONE,
    "code": USCC,
    "account": ACCOUNT,
    "representative": "Zqxwcanary 欧阳",
    "email": "zqxw.canary@yunfan.example",
    "contact": "Kjvbcanary 司马",
    "contact phone": "+8613911122233",
    "counterparty": "Canary Buyer Mnpq",
    "court": "Canary Court Wqzx",
    "case": "(2025)京0105民初98765号",
    "authority": "Canary Authority Bnmq",
    "agency": "Canary Agency Hjkl",
    "rating": "ZQ-canary-minus",
    "note": "Canary note: the file is thin Ghty",
    "file name": "Canary-Vbxt contract.txt",
    "document": "Canary clause Plkj 第一条",
    "reason": "Canary Rtyw is asked",
}
FRAGMENTS = [
    needle
    for text in SECRETS.values()
    for needle in {text, text.removeprefix("+86"), text.split(" ", maxsplit=1)[0] if "anary" in text else text}
]


@pytest.fixture
def installation(database, tmp_path, capfd):
    """An installation that logs everything it ever logs."""
    before = structlog.get_config()
    set_log("json")
    installed = Installation(database.url, tmp_path / "data").start()
    yield installed
    installed.stop()
    structlog.configure(**before)
    del capfd


def origin(source):
    return {"source": source, "lawfulBasis": "CONTRACT"}


def amount(value):
    return {"amount": value, "currency": "CNY"}


def told(installation, tenant):
    """Everything a company tells the product, opens, discloses, and gets wrong."""
    analyst, manager = installation.client(tenant, "credit_analyst"), installation.client(tenant, "credit_manager")
    privacy, auditor = installation.client(tenant, "privacy_officer"), installation.client(tenant, "auditor")
    register = {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]}
    source = privacy.done("registerSource", register, "source { id }")["source"]["id"]
    opening = {
        "reference": "C-1",
        "name": "Yunfan Networks",
        "kind": "ENTERPRISE",
        "origin": origin(source),
        "basic": {
            "unifiedSocialCreditCode": USCC,
            "phone": PHONE,
            "email": SECRETS["email"],
            "bankAccount": ACCOUNT,
            "legalRepresentative": SECRETS["representative"],
        },
        "contacts": [{"duty": "CFO", "name": SECRETS["contact"], "phone": SECRETS["contact phone"]}],
    }
    file = analyst.done("openCreditFile", opening, "creditFile { id customer { id } }")["creditFile"]
    own = {"creditFile": file["id"], "origin": origin(source)}
    document = {
        "sourceRow": "1",
        "kind": "SALE",
        "number": "1",
        "issuedOn": "2026-01-05",
        "net": amount("10.00"),
        "total": amount("10.00"),
        "counterparty": SECRETS["counterparty"],
    }
    analyst.done("recordTransactions", {**own, "documents": [document]}, "creditFile { id }")
    case = {"court": SECRETS["court"], "caseNumber": SECRETS["case"], "role": "defendant", "severity": "MINOR"}
    analyst.done("recordLitigation", {**own, **case, "filedOn": "2026-01-05"}, "litigation { id }")
    sanction = {"authority": SECRETS["authority"], "kind": "ABNORMAL_OPERATION", "severity": "SLIGHT"}
    sanction |= {"match": "CONFIRMED", "publishedOn": "2026-01-05"}
    analyst.done("recordSanction", {**own, **sanction}, "sanction { id }")
    rating = {"agency": SECRETS["agency"], "rating": SECRETS["rating"], "band": "WEAK", "ratedOn": "2026-01-05"}
    analyst.done("recordRating", {**own, **rating}, "rating { id }")
    analyst.done("requestAssessment", {"creditFile": file["id"]}, "assessment { id reasons { sentence } }")
    # What goes wrong is told without the value.
    for broken in (
        {"phone": PHONE + "99999"},
        {"unifiedSocialCreditCode": USCC[:-1] + "A"},
        {"bankAccount": ACCOUNT + "x"},
    ):
        answer = analyst.post(
            "mutation($i: UpdateBasicInformationInput!) { updateBasicInformation(input: $i) "
            "{ errors { ... on UserError { code message advice } } } }",
            {"i": {**own, "basic": broken}},
        )
        yield "an error", answer.text
    yield "an error", analyst.post(f'{{ creditFiles(filter: {{name: {{eq: "{PHONE}"}}}} {{ x }}').text
    yield "an error", analyst.post("query($p: Int!) { creditFiles(first: $p) { totalCount } }", {"p": PHONE}).text
    # What is withheld or masked shows no more than it may.
    ask = """query($id: ID!) { creditFile(id: $id) { name findings
        confidential(purpose: SUPERVISION) { phone bankAccount legalRepresentative withheld { field } } } }"""
    yield "a withheld answer", json.dumps(auditor.ask(ask, id=file["id"]), ensure_ascii=False)
    partner = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": ["PARTNER_CREDIT_DECISION"]}
    partner = privacy.done("registerPartner", partner, "partner { id }")["partner"]["id"]
    installation.approve(tenant, partner)
    bank = installation.client(tenant, "partner_client", partner=partner)
    wanted = {
        "creditFile": file["id"],
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.phone", "identity.uscc"],
        "idempotencyKey": "canary-1",
    }
    shown = mutation("requestDisclosure", "values { text }")
    installation.trust(tenant, shown, "contact.phone", "identity.uscc")
    yield "a refusal", json.dumps(bank.change("requestDisclosure", wanted, "values { text }"))
    consent = {
        "creditFile": file["id"],
        "partner": partner,
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.phone"],
        "use": "STANDING",
        "notAfter": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        "noticeDigest": "ab" * 32,
        "givenBy": "the board",
    }
    analyst.done("grantConsent", consent, "consent { id }")
    got = bank.done("requestDisclosure", {**wanted, "idempotencyKey": "canary-2"}, "values { text }")
    assert got["values"] == [{"text": PHONE}]
    opened = manager.ask(ask.replace("SUPERVISION", "CREDIT_REVIEW"), id=file["id"])["creditFile"]["confidential"]
    assert opened["legalRepresentative"] == SECRETS["representative"]
    entries = "{ auditEntries(first: 100) { nodes { actor action cause resources subjects fields purpose request } } }"
    yield "the audit log as it is read", json.dumps(auditor.ask(entries), ensure_ascii=False)


def filed(installation, tenant):
    """A document that is filed, sent wrong and right, and read."""
    clerk, lawyer = installation.client(tenant, "credit_analyst"), installation.client(tenant, "legal")
    nodes = "{ creditFiles(first: 1) { nodes { id source { id } } } }"
    (file,) = clerk.ask(nodes)["creditFiles"]["nodes"]
    asked = {"creditFile": file["id"], "kind": "CONTRACT", "origin": origin(file["source"]["id"])}
    broken = mutation("registerDocument", "document { id }")
    wrong = asked | {"fileName": f"/{SECRETS['file name']}"}
    yield "an error", clerk.post(broken, {"input": wrong}).text
    asked["fileName"] = SECRETS["file name"]
    document = clerk.done("registerDocument", asked, "document { id }")["document"]["id"]
    url, content = f"{installation.url}/documents/{document}", SECRETS["document"].encode()
    given = {"Authorization": f"Bearer {clerk.token}", "Content-Type": "application/pdf"}
    yield "an error", httpx2.put(url, content=content, headers=given).text
    stored = httpx2.put(url, content=content, headers=given | {"Content-Type": "text/plain"})
    assert stored.status_code == 201
    yield "what is told of a stored document", stored.text
    wanted = {"Authorization": f"Bearer {lawyer.token}", "Credence-Reason": SECRETS["reason"]}
    read = httpx2.get(url, params={"purpose": "LEGAL_CLAIM"}, headers=wanted)
    assert read.content == content
    blind = {"Authorization": f"Bearer {installation.token(tenant, 'auditor')}"}
    yield "a refusal", httpx2.get(url, params={"purpose": "LEGAL_CLAIM"}, headers=wanted | blind).text


def found(place, text):
    """The canaries in a text or in bytes."""
    data = text.encode() if isinstance(text, str) else text
    return [(place, needle) for needle in FRAGMENTS if needle.encode() in data or needle.encode("utf-16-le") in data]


def database_bytes(database, installation):
    """Every byte a thief of the database would have."""
    if database.dialect == "sqlite":
        for path in Path(database.path).parent.glob("credence.db*"):
            yield path.name, path.read_bytes()
        return
    tables = database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for (table,) in tables:
        rows = database.fetch(f"SELECT t::text, to_jsonb(t)::text FROM {table} t")  # noqa: S608 - a name of our own
        text = "\n".join(part for row in rows for part in row)
        yield table, text
        # Bytes are printed in hexadecimal there.
        yield table, b"".join(bytes.fromhex(part) for part in text.replace("\\\\x", " ").split() if _is_hex(part))
    del installation


def _is_hex(text):
    return len(text) % 2 == 0 and len(text) > 16 and all(c in "0123456789abcdef" for c in text)


def test_no_confidential_value_is_where_it_should_not_be(database, installation, tmp_path, capfd):
    tenant = installation.open_tenant("Yunfan")
    leaks = []
    for place, text in told(installation, tenant):
        leaks += found(place, text)
    for place, text in filed(installation, tenant):
        leaks += found(place, text)

    folder = tmp_path / "log"
    installation.house(lambda house: house.export_log(tenant, folder))
    for path in folder.rglob("*"):
        if path.is_file():
            leaks += found(f"the exported log, {path.name}", path.read_bytes())
    for place, data in database_bytes(database, installation):
        leaks += found(f"the database, {place}", data)
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            leaks += found(f"the data directory, {path.name}", path.read_bytes())
    streams = capfd.readouterr()
    assert "graphql" in streams.err.lower()
    leaks += found("standard output", streams.out) + found("the log", streams.err)
    assert leaks == []


def test_the_search_itself_finds_what_is_there():
    assert found("here", f"x {PHONE} y")
    assert found("here", PHONE.removeprefix("+86"))
    assert found("here", SECRETS["representative"])
    assert not found("here", "nothing of the kind")
