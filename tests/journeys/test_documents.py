"""Documents over HTTP, as a clerk files them and a lawyer reads them, with a real client and a real server."""

from __future__ import annotations

import base64
import hashlib
import os

import httpx2
import pytest

PDF = b"%PDF-1.7\n"
NAME = "判决书 (2026) 12.pdf"
SOURCE = {"type": "COURT_PUBLICATION", "name": "the court", "lawfulBases": ["LEGALLY_PUBLIC"]}
PURPOSE = "LEGAL_CLAIM"


def paper(size):
    """A document of a size."""
    return PDF + os.urandom(size - len(PDF))


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
        return httpx2.put(f"{self.url}/documents/{document}", content=content, headers=given, timeout=60)

    def fetch(self, document, client=None, purpose=PURPOSE, reason="the claim against it"):
        """The answer to a download."""
        headers = {"Authorization": f"Bearer {(client or self.lawyer).token}"}
        if reason is not None:
            headers["Credence-Reason"] = reason
        query = {} if purpose is None else {"purpose": purpose}
        return httpx2.get(f"{self.url}/documents/{document}", params=query, headers=headers, timeout=60)

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
