"""Documents over HTTP, as a clerk files them and a lawyer reads them, with a real client and a real server."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from api.http.contents import receiving
from domain.documents import filing
from domain.errors import AuditUnavailable
from tests import bucket
from tests.journeys import commands
from tests.journeys.conftest import Installation
from tests.proofs import Proving

PDF = b"%PDF-1.7\n"
NAME = "判决书 (2026) 12.pdf"
SOURCE = {"type": "COURT_PUBLICATION", "name": "the court", "lawfulBases": ["LEGALLY_PUBLIC"]}
PURPOSE = "LEGAL_CLAIM"


def paper(size):
    """A document of a size."""
    return PDF + os.urandom(size - len(PDF))


def proving(client):
    """What proves the key of a client that has one."""
    return Proving(client.key, client.token) if client is not None and client.key else None


class Desk:
    """Whoever files documents and reads them."""

    def __init__(self, installation, tenant):
        self.url = installation.url
        self.clerk = installation.client(tenant, "credit_analyst")
        self.lawyer = installation.client(tenant, "legal")
        self.auditor = installation.client(tenant, "auditor")
        officer = installation.client(tenant, "privacy_officer")
        self.source = officer.done("registerSource", SOURCE, "source { id }")["source"]["id"]
        self.origin = {"source": self.source, "lawfulBasis": "LEGALLY_PUBLIC"}
        opening = {"reference": "C-1", "name": "Yunfan", "kind": "ENTERPRISE", "origin": self.origin}
        self.file = self.clerk.done("openCreditFile", opening, "creditFile { id customer { id } }")["creditFile"]

    def register(self, name=NAME, kind="COURT_PAPER"):
        """The id of a registered document."""
        asked = {"creditFile": self.file["id"], "kind": kind, "origin": self.origin, "fileName": name}
        return self.clerk.done("registerDocument", asked, "document { id state }")["document"]["id"]

    def send(self, document, content, media="application/pdf", client=None, **headers):
        """The answer to an upload."""
        given = {"Authorization": f"Bearer {(client or self.clerk).token}", "Content-Type": media, **headers}
        url, proof = f"{self.url}/documents/{document}", proving(client)
        return httpx2.put(url, content=content, headers=given, auth=proof, timeout=60)

    def fetch(self, document, client=None, purpose=PURPOSE, reason="the claim against it"):
        """The answer to a download."""
        headers = {"Authorization": f"Bearer {(client or self.lawyer).token}"}
        if reason is not None:
            headers["Credence-Reason"] = reason
        query = {} if purpose is None else {"purpose": purpose}
        url, proof = f"{self.url}/documents/{document}", proving(client)
        return httpx2.get(url, params=query, headers=headers, auth=proof, timeout=60)

    def stored(self, content, **more):
        """The id of a stored document."""
        document = self.register()
        answer = self.send(document, content, **more)
        assert answer.status_code == 201, answer.text
        return document


@pytest.fixture
def desk(installation, tenant):
    """A desk with one customer's file."""
    return Desk(installation, tenant)


def entries(desk):
    """The entries of the log, oldest first."""
    asked = "{ auditEntries(first: 100) { nodes { action actions outcome purpose resources fields code } } }"
    return desk.auditor.ask(asked)["auditEntries"]["nodes"]


def test_a_document_comes_back_as_it_was_sent_and_as_a_file_alone(desk):
    content = paper(100_000)
    document = desk.register()
    sent = desk.send(document, content)
    assert sent.status_code == 201, sent.text
    told = sent.json()
    assert (told["document"], told["size"]) == (document, len(content))
    assert told["digest"] != hashlib.sha256(content).hexdigest()
    fetched = desk.fetch(document)
    assert fetched.status_code == 200, fetched.text
    assert fetched.content == content
    assert fetched.headers["content-type"] == "application/pdf"
    assert fetched.headers["content-disposition"].startswith("attachment; filename=\"document\"; filename*=UTF-8''%E5")
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert fetched.headers["cache-control"] == "no-store"
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert fetched.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert fetched.headers["credence-audit-entry"].startswith("ae_")


def blobs(installation):
    """Every file of the store of documents."""
    return sorted(path for path in (installation.folder / "documents").rglob("*") if path.is_file())


def problem(answer, status, code):
    """The one error of an answer that was refused."""
    assert answer.status_code == status, answer.text
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == code
    return error


def test_what_is_filed_is_told_through_graphql_and_linked_as_evidence(desk):
    document = desk.stored(paper(1000))
    default = {
        "creditFile": desk.file["id"],
        "origin": desk.origin | {"evidence": document},
        "kind": "FRAUD",
        "amount": {"amount": "1.00", "currency": "CNY"},
        "sinceOn": "2026-01-05",
    }
    desk.clerk.done("recordDefault", default, "default { id }")
    asked = """query($id: ID!) { creditFile(id: $id) {
        documents(first: 5) { nodes { id kind state size digest
            confidential(purpose: LEGAL_CLAIM) { fileName mediaType } } }
        defaults(first: 5) { nodes { evidence { id state } } } } }"""
    told = desk.lawyer.ask(asked, id=desk.file["id"])["creditFile"]
    (node,) = told["documents"]["nodes"]
    assert node["confidential"] == {"fileName": NAME, "mediaType": "application/pdf"}
    assert (node["id"], node["state"], node["size"]) == (document, "STORED", 1000)
    assert told["defaults"]["nodes"] == [{"evidence": {"id": document, "state": "STORED"}}]
    (seen,) = desk.auditor.ask("{ documents(first: 5) { nodes { id digest } } }")["documents"]["nodes"]
    assert seen == {"id": document, "digest": node["digest"]}


def test_what_is_sent_is_refused_at_the_first_byte_that_does_not_fit_and_leaves_nothing(desk, installation):
    document = desk.register()
    problem(desk.send(document, b"<html>", media="text/html"), 415, "MALFORMED")
    problem(desk.send(document, b"MZ\x90 a program"), 415, "MALFORMED")
    problem(desk.send(document, b""), 400, "MALFORMED")
    problem(desk.send(document, paper(100), **{"Content-Encoding": "gzip"}), 400, "MALFORMED")
    problem(desk.send(document, paper(100), **{"Content-Digest": "sha-256=:AAAA:"}), 400, "MALFORMED")
    wrong = base64.b64encode(hashlib.sha256(b"another").digest()).decode()
    problem(desk.send(document, paper(100), **{"Content-Digest": f"sha-256=:{wrong}:"}), 400, "MALFORMED")
    problem(desk.send("do_1", paper(100)), 400, "MALFORMED")
    problem(desk.send(desk.file["id"], paper(100)), 400, "MALFORMED")
    assert blobs(installation) == []
    content = paper(100)
    right = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert desk.send(document, content, **{"Content-Digest": f"sha-256=:{right}:"}).status_code == 201


def test_what_is_too_large_is_refused_by_its_length_and_else_as_it_comes(desk, installation, monkeypatch):
    document = desk.register()
    with socket.create_connection((urlsplit(desk.url).hostname, urlsplit(desk.url).port), timeout=10) as raw:
        head = f"PUT /documents/{document} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {desk.clerk.token}\r\n"
        raw.sendall(f"{head}Content-Type: application/pdf\r\nContent-Length: {(1 << 30) + 1}\r\n\r\n".encode())
        assert b" 413 " in raw.recv(1000)
    monkeypatch.setattr(receiving, "MAX_BYTES", 300_000)
    monkeypatch.setattr(filing, "MAX_BYTES", 300_000)
    answer = desk.send(document, iter([PDF, *[bytes(100_000)] * 3]))
    assert "300000" in problem(answer, 413, "QUERY_TOO_LARGE")["message"]
    assert blobs(installation) == []
    assert desk.send(document, iter([PDF, *[bytes(100_000)] * 2])).status_code == 201


def test_only_who_files_documents_sends_them(desk, installation, tenant):
    document = desk.register()
    for role in ("auditor", "sales", "credit_committee", "platform_admin"):
        problem(desk.send(document, paper(100), client=installation.client(tenant, role)), 403, "NOT_PERMITTED")
    answer = httpx2.put(f"{desk.url}/documents/{document}", content=paper(100))
    problem(answer, 401, "NOT_AUTHENTICATED")
    other = installation.open_tenant("Another")
    problem(desk.send(document, paper(100), client=installation.client(other, "credit_analyst")), 404, "NOT_FOUND")
    assert blobs(installation) == []
    assert [one["outcome"] for one in entries(desk) if one["action"] == "sealed_document:store"] == ["REFUSED"] * 4


def test_only_who_may_open_documents_reads_them_for_a_purpose_and_a_reason(desk, installation, tenant):
    document = desk.stored(paper(100))
    for role in ("auditor", "ar_finance", "sales", "platform_admin"):
        problem(desk.fetch(document, client=installation.client(tenant, role)), 403, "NOT_PERMITTED")
    problem(desk.fetch(document, purpose=None), 400, "MALFORMED")
    problem(desk.fetch(document, purpose="CURIOSITY"), 400, "MALFORMED")
    problem(desk.fetch(document, reason=None), 400, "MALFORMED")
    problem(desk.fetch(document, reason="%FF"), 400, "MALFORMED")
    problem(desk.fetch("do_1"), 400, "MALFORMED")
    other = installation.open_tenant("Another")
    problem(desk.fetch(document, client=installation.client(other, "legal")), 404, "NOT_FOUND")
    headers = {"Authorization": f"Bearer {desk.lawyer.token}", "Credence-Reason": "x"}
    url = f"{desk.url}/documents/{document}?purpose={PURPOSE}"
    assert httpx2.head(url, headers=headers).status_code == 400
    assert desk.fetch(document, reason="%E5%88%A4%E5%86%B3").status_code == 200
    refused = [one for one in entries(desk) if one["outcome"] == "REFUSED"]
    assert {one["purpose"] for one in refused} == {PURPOSE}


def test_a_partner_and_a_customer_get_no_document_and_learn_nothing_of_it(desk, installation, tenant):
    document = desk.stored(paper(100))
    officer = installation.client(tenant, "privacy_officer")
    registered = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": ["PARTNER_CREDIT_DECISION"]}
    partner = officer.done("registerPartner", registered, "partner { id }")["partner"]["id"]
    installation.approve(tenant, partner)
    outsiders = (
        installation.client(tenant, "partner_client", partner=partner),
        installation.client(tenant, "customer_self", subject=desk.file["customer"]["id"]),
    )
    for outsider in outsiders:
        there, nowhere = (
            problem(desk.fetch(one, client=outsider, purpose="PARTNER_CREDIT_DECISION"), 403, "NOT_PERMITTED")
            for one in (document, "do_" + "0" * 26)
        )
        assert there["message"] == nowhere["message"]
        problem(desk.send(desk.register(), paper(100), client=outsider), 403, "NOT_PERMITTED")


def test_what_is_stored_takes_no_other_content(desk, installation):
    content = paper(100)
    document = desk.stored(content)
    problem(desk.send(document, paper(100)), 409, "INVALID_TRANSITION")
    assert desk.fetch(document).content == content
    assert len(blobs(installation)) == 1


def test_of_two_uploads_at_once_one_ends(desk, installation):
    document = desk.register()
    going, ended = threading.Event(), []

    def slow():
        yield PDF + bytes(2_000_000)
        assert going.wait(30)
        yield b"the rest"

    first = threading.Thread(target=lambda: ended.append(desk.send(document, slow())))
    first.start()
    while not blobs(installation):
        time.sleep(0.01)
    second = desk.send(document, paper(500))
    going.set()
    first.join(30)
    assert second.status_code == 201
    problem(ended[0], 409, "INVALID_TRANSITION")
    assert len(blobs(installation)) == 1
    assert desk.fetch(document).content[:9] == PDF


def test_an_upload_that_breaks_off_leaves_nothing_and_can_be_sent_again(desk, installation):
    document = desk.register()
    with socket.create_connection((urlsplit(desk.url).hostname, urlsplit(desk.url).port), timeout=10) as raw:
        head = f"PUT /documents/{document} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {desk.clerk.token}\r\n"
        raw.sendall(f"{head}Content-Type: application/pdf\r\nContent-Length: 9000000\r\n\r\n".encode())
        raw.sendall(PDF + bytes(3_000_000))
        while not blobs(installation):
            time.sleep(0.01)
    for _ in range(1000):
        if not blobs(installation):
            break
        time.sleep(0.01)
    assert blobs(installation) == []
    problem(desk.fetch(document), 404, "NOT_FOUND")
    assert desk.send(document, paper(100)).status_code == 201


def test_an_upload_that_stalls_is_given_up(desk, installation, monkeypatch):
    monkeypatch.setattr(receiving, "STALL_SECONDS", 0.2)
    document = desk.register()
    connection = http.client.HTTPConnection(urlsplit(desk.url).netloc, timeout=10)
    connection.putrequest("PUT", f"/documents/{document}")
    for name, value in {"Authorization": f"Bearer {desk.clerk.token}", "Content-Type": "application/pdf"}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", "100")
    connection.endheaders(PDF)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["errors"][0]["extensions"]["code"]) == (503, "OVERLOADED")
    connection.close()
    assert blobs(installation) == []


@pytest.mark.parametrize("how", ["altered", "cut off", "gone"])
def test_of_a_document_that_is_not_as_it_was_no_byte_leaves_and_the_check_finds_it(desk, installation, tenant, how):
    document = desk.stored(paper(200_000))
    (path,) = blobs(installation)
    if how == "gone":
        path.unlink()
    elif how == "cut off":
        os.truncate(path, 76 + 5 * 16_400)
    else:
        with path.open("r+b") as file:
            file.seek(150_000)
            file.write(b"altered")
    answer = desk.fetch(document)
    problem(answer, 503, "TAMPERED")
    assert "content-disposition" not in answer.headers
    assert [one["outcome"] for one in entries(desk) if "reveal:documents" in one["actions"]] == ["DONE", "FAILED"]
    kinds = {finding.kind for finding in installation.house(lambda house: house.check(tenant))}
    assert kinds == {"CONTENT_MISSING" if how == "gone" else "TAMPERED"}


def test_no_byte_leaves_when_its_entry_cannot_be_recorded(desk, monkeypatch):
    from vault.store.postgres import PostgresStore
    from vault.store.sqlite import SqliteStore

    document = desk.stored(paper(100))

    async def broken(*_, **__):
        raise AuditUnavailable("The log is gone.")

    with monkeypatch.context() as patched:
        for store in (SqliteStore, PostgresStore):
            patched.setattr(store, "write", broken)
        answer = desk.fetch(document)
    problem(answer, 503, "AUDIT_UNAVAILABLE")
    assert desk.fetch(document).status_code == 200


def test_a_document_over_a_store_that_speaks_s3_comes_back_as_it_was_sent(database, tmp_path, monkeypatch):
    with bucket.served() as client, bucket.emptied(client) as name:
        for key, value in bucket.KEYS.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", client.meta.endpoint_url)
        installed = Installation(database.url, tmp_path / "data", documents=f"s3:{name}/credence").start()
        try:
            desk = Desk(installed, installed.open_tenant("Yunfan"))
            for size in (1000, 20_000_000):
                content = paper(size)
                assert desk.fetch(desk.stored(content)).content == content
            keys = [one["Key"] for one in client.list_objects_v2(Bucket=name)["Contents"]]
            assert len(keys) == 2
            assert all(key.startswith("credence/te_") for key in keys)
            client.delete_object(Bucket=name, Key=keys[0])
            desk.register()
        finally:
            installed.stop()


class Serving:
    """A server in a process of its own over the data of an installation, so that it can be killed."""

    def __init__(self, installation):
        self.installation = installation
        settings = installation.settings
        environment = {
            "CREDENCE_DATABASE_URL": settings.database_url,
            "CREDENCE_KEYS": settings.keys,
            "CREDENCE_DOCUMENTS": settings.documents,
            "CREDENCE_ISSUER_KEY": str(settings.issuer_key),
            "CREDENCE_DATA_DIR": str(settings.data_dir),
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = environment
        self.process = commands.started("serve", "--port", self.port, **environment)
        self.url = f"http://127.0.0.1:{self.port}"
        for _ in range(600):
            try:
                if httpx2.get(f"{self.url}/healthz").status_code == 200:
                    return
            except httpx2.TransportError:
                assert self.process.poll() is None, self.process.communicate()
                time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def end(self, signal_name="terminate"):
        """Ends it."""
        getattr(self.process, signal_name)()
        self.process.communicate(timeout=30)

    def megabytes(self, field="VmRSS"):
        """The memory of the process, or its most so far (VmHWM)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{field}:")) / 1024


@pytest.fixture
def apart(installation, tenant):
    """A desk at a server in a process of its own."""
    installation.stop_server()
    serving = Serving(installation)
    installation.url = serving.url
    desk = Desk(installation, tenant)
    desk.serving = serving
    yield desk
    if serving.process.poll() is None:
        serving.end()


def test_a_server_killed_in_an_upload_leaves_nothing_that_is_read_and_a_sweep_removes_it(apart, installation):
    document, kept = apart.register(), apart.stored(content := paper(1000))
    with socket.create_connection(("127.0.0.1", apart.serving.port), timeout=10) as raw:
        head = f"PUT /documents/{document} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {apart.clerk.token}\r\n"
        raw.sendall(f"{head}Content-Type: application/pdf\r\nContent-Length: 9000000\r\n\r\n".encode())
        raw.sendall(PDF + bytes(5_000_000))
        while not any(path.name.endswith(".part") and path.stat().st_size > 1_000_000 for path in blobs(installation)):
            time.sleep(0.01)
        apart.serving.end("kill")
    (part,) = (path for path in blobs(installation) if path.name.endswith(".part"))
    again = Serving(installation)
    installation.url = apart.url = again.url
    try:
        problem(apart.fetch(document), 404, "NOT_FOUND")
        assert apart.fetch(kept).content == content
        assert apart.send(document, paper(2000)).status_code == 201
        settings = again.environment
        assert commands.found("sweep", **settings)["parts"] == 0
        os.utime(part, (time.time() - 90_000,) * 2)
        assert commands.found("sweep", **settings)["parts"] == 1
        assert not part.exists()
        assert commands.found("fsck", **settings)["ok"] is True
    finally:
        again.end()


def flow(desk, size):
    """A document of a size sent and fetched with little memory on this side; the digests of both."""
    piece, sent, came = bytes(1 << 20), hashlib.sha256(), hashlib.sha256()

    def pieces():
        left, first = size, PDF
        while left:
            part = (first + piece)[: min(left, 1 << 20)]
            first, left = b"", left - len(part)
            sent.update(part)
            yield part

    document = desk.register("large.pdf")
    given = {"Authorization": f"Bearer {desk.clerk.token}", "Content-Type": "application/pdf"}
    answer = httpx2.put(f"{desk.url}/documents/{document}", content=pieces(), headers=given, timeout=600)
    assert answer.status_code == 201, answer.text
    headers = {"Authorization": f"Bearer {desk.lawyer.token}", "Credence-Reason": "the claim"}
    url = f"{desk.url}/documents/{document}?purpose={PURPOSE}"
    with httpx2.stream("GET", url, headers=headers, timeout=600) as fetched:
        for part in fetched.iter_bytes(1 << 20):
            came.update(part)
    return sent.hexdigest(), came.hexdigest()


FLAT_MEGABYTES = 24
"""How much more memory a document may cost than a small one; a document of 64 MiB kept whole would cost more."""
has_memory = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


def _flat(apart, size):
    flow(apart, 1 << 20)  # everything that is made once is made
    before = apart.serving.megabytes("VmHWM")
    sent, came = flow(apart, size)
    assert sent == came
    assert apart.serving.megabytes("VmHWM") - before < FLAT_MEGABYTES


@has_memory
def test_64_mib_are_sent_and_fetched_in_flat_memory(apart):
    _flat(apart, 64 << 20)


@has_memory
@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.timeout(900)
def test_a_whole_gibibyte_is_sent_and_fetched_in_flat_memory(apart):
    _flat(apart, 1 << 30)


def test_an_officer_deletes_one_document_and_it_is_certified(apart, installation, tenant):
    officer = installation.client(tenant, "privacy_officer")
    kept, gone = apart.stored(paper(3_000)), apart.stored(paper(5_000))
    asked = {"document": gone, "reason": "UNLAWFUL", "because": "it was another customer's"}
    clerk = apart.clerk.change("deleteDocument", asked, "erasure { id }")
    assert [error["code"] for error in clerk["errors"]] == ["NOT_PERMITTED"]
    erasure = officer.done("deleteDocument", asked, "erasure { id state records }")["erasure"]
    assert (erasure["state"], erasure["records"]) == ("DESTROYING", [gone])
    problem(apart.fetch(gone), 404, "NOT_FOUND")
    settings = apart.serving.environment
    assert commands.found("keys", "shred", **settings)["erased"][0]["erasure"] == erasure["id"]
    told = officer.ask("query($id: ID!) { erasure(id: $id) { state certificate } }", id=erasure["id"])["erasure"]
    assert told["state"] == "ERASED"
    assert told["certificate"].count(".") == 2
    assert apart.fetch(kept).status_code == 200
    assert commands.found("fsck", **settings)["ok"] is True
