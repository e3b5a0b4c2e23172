"""Documents through the real Gate, over both databases and both stores."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from domain.custody.erasing import ApproveErasure, CertifyErasure, ProposeErasure
from domain.custody.erasures import ErasureReason
from domain.documents.documents import Document, EvidenceKind, FilingState
from domain.documents.filing import AbandonUploads, BeginUpload, RegisterDocument, StoreDocument
from domain.documents.reading import OpenDocument
from domain.errors import AuditUnavailable, Conflict, KeyUnavailable, Malformed, NotFound, NotPermitted, Tampered
from domain.files.opening import BasicInformation
from domain.reading import Purpose
from tests.conftest import fresh
from tests.stored import StoredWorld
from tests.vault.documents import stores
from tests.vault.documents.test_blobs import kept
from tests.world import OTHER_TENANT, TENANT
from vault.documents.blobs import Name
from vault.documents.format import HEAD_BYTES
from vault.store.tables import DESTROYED

PDF = "application/pdf"
CONTENT = b"%PDF-1.7\n" + os.urandom(40_000)


class Archive:
    """A company whose documents a test files and reads."""

    def __init__(self, world):
        self.world = world
        self.origin = world.origin()
        self.file = world.file(self.origin)

    def register(self, file=None, name="judgment.pdf", tenant=TENANT, origin=None):
        """A registered document."""
        asked = RegisterDocument(
            credit_file=(file or self.file).id,
            kind=EvidenceKind.COURT_PAPER,
            origin=origin or self.origin,
            file_name=name,
        )
        return self.world.do(asked, self.world.actor(tenant=tenant))

    def begin(self, document):
        """Where its content is written to."""
        begun = self.world.perform(BeginUpload(document=document.id), self.actor(document))
        (slot,) = begun.opened
        return slot

    def received(self, slot, content=CONTENT):
        """What was received, kept."""

        async def sent():
            for start in range(0, len(content), 7_000):
                await slot.write(content[start : start + 7_000])
            return await slot.keep()

        return self.world.loop(sent())

    def store(self, document, received, media=PDF):
        """The document with its content."""
        asked = StoreDocument(document=document.id, received=received, media_type=media)
        return self.world.do(asked, self.actor(document))

    def stored(self, content=CONTENT, **more):
        """A stored document."""
        document = self.register(**more)
        return self.store(document, self.received(self.begin(document), content))

    def open(self, document):
        """The name, type and digest of a document, and the way to its content."""
        asked = OpenDocument(document=document.id, purpose=Purpose.LEGAL_CLAIM, reason="the claim")
        return self.world.perform(asked, self.actor(document)).opened

    def read(self, document):
        """The content of a document."""
        *_, way = self.open(document)

        async def whole():
            try:
                return b"".join([piece async for piece in way.pieces()])
            finally:
                await way.close()

        return self.world.loop(whole())

    def name(self, document, version=2):
        """The name of its blob."""
        return Name(document.stamp.tenant, document.subject_id, document.id, version)

    def actor(self, document):
        """Somebody of its company."""
        return self.world.actor(tenant=document.stamp.tenant)

    def last(self):
        """The newest entry of the log."""
        return json.loads(self.world.leaves()[-1])

    def kinds(self):
        """The kinds of everything that is wrong."""
        return {finding.kind for finding in self.world.findings()}


PAIRS = (
    pytest.param(("sqlite", "folder"), id="sqlite-folder"),
    pytest.param(("postgresql", "bucket"), id="postgresql-bucket", marks=pytest.mark.postgres),
)
OTHER_PAIRS = (
    pytest.param(("sqlite", "bucket"), id="sqlite-bucket"),
    pytest.param(("postgresql", "folder"), id="postgresql-folder", marks=pytest.mark.postgres),
)


@pytest.fixture(params=PAIRS)
def pair(request):
    """A database and a store of documents."""
    return request.param


@pytest.fixture
def blobs(pair, request, tmp_path):
    """The store of the pair."""
    with stores.emptied(pair[1], request, tmp_path) as found:
        yield found


@pytest.fixture
def archive(pair, blobs, request, loop, tmp_path):
    with fresh(pair[0], request, tmp_path) as database, StoredWorld(database, loop, tmp_path, blobs) as world:
        world.open_tenant()
        yield Archive(world)


def bytes_of(blobs, name):
    """The sealed bytes of a blob."""
    source = blobs.open(name)
    try:
        return source.read(1 << 30)
    finally:
        source.close()


@pytest.mark.parametrize("pair", [*PAIRS, *OTHER_PAIRS], indirect=True)
def test_a_document_is_stored_and_read_and_nothing_is_wrong_with_it(archive):
    document = archive.stored()
    assert (document.state, document.size) == (FilingState.STORED, len(CONTENT))
    name, media, sha256, way = archive.open(document)
    archive.world.loop(way.close())
    assert (name, media, sha256) == ("judgment.pdf", PDF, hashlib.sha256(CONTENT).hexdigest())
    assert archive.read(document) == CONTENT
    assert archive.world.findings() == []


def test_the_entries_tell_what_was_stored_and_read_and_why_by_its_keyed_digest_alone(archive):
    document = archive.stored()
    said = archive.last()
    assert (said["action"], said["digest"]) == ("sealed_document:store", document.digest)
    assert {f"{document.id}/documents.content", document.id} <= {row[0] for row in said["written"]}
    archive.read(document)
    said = archive.last()
    assert said["actions"] == ["sealed_document:read", "reveal:documents"]
    assert (said["purpose"], said["digest"], said["outcome"]) == ("LEGAL_CLAIM", document.digest, "DONE")
    assert {"documents.content", "documents.sha256"} <= set(said["fields"])
    assert "commitment" in said
    whole = b"".join(archive.world.leaves())
    plain = hashlib.sha256(CONTENT).hexdigest().encode()
    assert [text for text in (plain, b"judgment.pdf", b"the claim", b"application/pdf") if text in whole] == []


def test_the_keyed_digest_tells_equal_documents_of_one_customer_and_of_no_other(archive):
    basic = BasicInformation()
    other = archive.world.file(archive.origin, "C-2", basic)
    digests = [
        archive.stored().digest,
        archive.stored(name="copy.pdf").digest,
        archive.stored(file=other).digest,
        archive.stored(CONTENT + b"x").digest,
    ]
    assert digests[0] == digests[1]
    assert len({hashlib.sha256(CONTENT).hexdigest(), *digests[1:]}) == 4


def test_nothing_can_be_read_before_it_is_stored(archive, blobs):
    document = archive.register()
    with pytest.raises(NotFound):
        archive.open(document)
    slot = archive.begin(document)
    archive.world.loop(slot.write(CONTENT))
    with pytest.raises(NotFound):
        archive.open(document)
    archive.world.loop(slot.keep())
    with pytest.raises(NotFound):
        archive.open(document)
    assert list(blobs.names(TENANT)) == [archive.name(document)]
    assert archive.world.findings() == []


def test_an_upload_that_another_overtook_does_not_end(archive):
    document = archive.register()
    first = archive.begin(document)
    second = archive.begin(document)
    early, late = archive.received(first, b"%PDF-1.7 early"), archive.received(second, b"%PDF-1.7 late")
    with pytest.raises(Conflict):
        archive.store(document, early)
    stored = archive.store(document, late)
    assert archive.read(stored) == b"%PDF-1.7 late"
    assert archive.kinds() == {"STRAY_CONTENT"}


def test_what_is_stored_never_changes(archive):
    document = archive.stored()
    with pytest.raises(Malformed):
        archive.begin(document)


def test_what_never_came_is_given_up_after_a_day(archive):
    document, stored = archive.register(), archive.stored()
    assert archive.world.do(AbandonUploads()) == 0
    archive.world.clock.move(days=1)
    assert archive.world.do(AbandonUploads()) == 1
    states = {one.id: one.state for one in archive.world.current(Document)}
    assert states == {document.id: FilingState.ABANDONED, stored.id: FilingState.STORED}
    with pytest.raises(Malformed):
        archive.begin(document)


# Bytes in the wrong place.


def moved(blobs, from_, to):
    """Puts the bytes of one blob in the place of another."""
    kept(blobs, to, bytes_of(blobs, from_))


def refused(archive, document):
    """The document is not read, and a second entry says so."""
    with pytest.raises(Tampered):
        archive.open(document)
    said = [json.loads(leaf) for leaf in archive.world.leaves(document.stamp.tenant)[-2:]]
    assert [one["outcome"] for one in said] == ["DONE", "FAILED"]
    assert said[1]["code"] == "TAMPERED"


def test_the_bytes_of_another_document_of_the_same_customer_are_refused(archive, blobs):
    first, second = archive.stored(), archive.stored()
    moved(blobs, archive.name(first), archive.name(second))
    refused(archive, second)
    assert archive.kinds() == {"TAMPERED"}
    assert archive.read(first) == CONTENT


def test_the_bytes_of_another_customer_or_company_are_refused(archive, blobs):
    other = archive.world.file(archive.origin, "C-2", BasicInformation())
    archive.world.open_tenant(OTHER_TENANT, "Other")
    origin = archive.world.origin(tenant=OTHER_TENANT)
    foreign = archive.world.file(origin, tenant=OTHER_TENANT)
    here, there = archive.stored(), archive.stored(file=other)
    beyond = archive.stored(file=foreign, tenant=OTHER_TENANT, origin=origin)
    for one in (there, beyond):
        moved(blobs, archive.name(here), archive.name(one))
        refused(archive, one)
    assert archive.read(here) == CONTENT


def test_the_bytes_of_an_upload_that_was_overtaken_are_refused(archive, blobs):
    document = archive.register()
    early = archive.received(archive.begin(document), b"%PDF-1.7 early")
    assert early.content.version == 2
    stored = archive.store(document, archive.received(archive.begin(document), b"%PDF-1.7 late"))
    moved(blobs, archive.name(document, 2), archive.name(document, 3))
    refused(archive, stored)


def test_cells_that_change_places_with_their_bytes_are_refused(archive, blobs):
    first, second = archive.stored(), archive.stored(CONTENT + b"x")
    database = archive.world.database
    tags = "field_tag = 'documents.content'"
    database.execute(
        f"UPDATE sealed_field SET envelope = (SELECT envelope FROM sealed_field WHERE record_id = '{first.id}' "  # noqa: S608 - ids of our own
        f"AND {tags}) WHERE record_id = '{second.id}' AND {tags}"
    )
    moved(blobs, archive.name(first), archive.name(second))
    refused(archive, second)
    assert {"TAMPERED", "CELL"} <= archive.kinds()


# Bytes that are gone or altered.


def test_a_document_whose_bytes_are_gone_is_found(archive, blobs):
    document = archive.stored()
    blobs.remove(archive.name(document))
    refused(archive, document)
    assert archive.kinds() == {"CONTENT_MISSING"}


@pytest.mark.parametrize("how", ["altered", "cut off", "extended", "emptied"])
def test_a_document_whose_bytes_are_not_as_they_were_is_found(archive, blobs, how):
    document = archive.stored()
    name = archive.name(document)
    sealed = bytes_of(blobs, name)
    wrong = {
        "altered": sealed[:30_000] + bytes([sealed[30_000] ^ 1]) + sealed[30_001:],
        "cut off": sealed[: HEAD_BYTES + 2 * 16_400],
        "extended": sealed + bytes(16),
        "emptied": b"",
    }
    kept(blobs, name, wrong[how])
    refused(archive, document)
    assert archive.kinds() == {"TAMPERED"}


def test_bytes_that_no_document_has_are_found(archive, blobs):
    document = archive.stored()
    kept(blobs, archive.name(document, 9), b"left behind")
    assert archive.kinds() == {"STRAY_CONTENT"}


def test_a_record_that_tells_of_another_document_is_found(archive):
    archive.stored()
    database = archive.world.database
    if database.dialect == "postgresql":
        database.execute("ALTER TABLE document DISABLE TRIGGER ALL")
    else:
        for (name,) in database.fetch(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'document'"
        ):
            database.execute(f"DROP TRIGGER {name}")
    database.execute("UPDATE document SET size = 1 WHERE size IS NOT NULL")
    assert archive.kinds() == {"CONTENT_RECORD", "ROW"}


def test_a_document_whose_key_is_destroyed_does_not_open_and_takes_nothing(archive):
    document, awaited = archive.stored(), archive.register()
    received = archive.received(archive.begin(awaited))
    ours = "alg = 'Cobblestone-256'"
    database = archive.world.database
    database.execute(f"DELETE FROM vault_dek_wrap WHERE dek_id IN (SELECT dek_id FROM vault_dek WHERE {ours})")  # noqa: S608 - our own
    database.execute(f"UPDATE vault_dek SET kek_epoch = {DESTROYED} WHERE {ours}")  # noqa: S608 - our own
    with pytest.raises(KeyUnavailable):
        archive.open(document)
    with pytest.raises(KeyUnavailable):
        archive.store(awaited, received)
    assert "KEY_MISSING" in archive.kinds()


@pytest.mark.parametrize("data_class", [None, "documents"])
def test_the_documents_of_a_customer_are_erased_without_a_trace_in_the_store(archive, blobs, data_class):
    world = archive.world
    gone, begun = archive.stored(), archive.register()
    slot = archive.begin(begun)
    asked = ProposeErasure(target=archive.file.id, data_class=data_class, reason=ErasureReason.REQUEST)
    proposed = world.do(asked, world.actor("first"))
    erasure = world.do(ApproveErasure(erasure=proposed.id), world.actor("second"))
    assert {one.id: (one.state, one.size, one.digest) for one in world.current(Document)} == {
        one.id: (FilingState.ERASED, None, None) for one in (gone, begun)
    }
    with pytest.raises((NotFound, Malformed)):
        archive.open(gone)
    # An upload that was on its way when it was erased does not end; a sweep takes what it left.
    with pytest.raises(Malformed):
        archive.store(begun, archive.received(slot))
    world.loop(world.store.forget(TENANT, erasure))
    assert list(blobs.names(TENANT)) == []
    world.do(CertifyErasure(erasure=erasure.id))
    assert world.findings() == []


def test_a_customer_whose_bytes_are_forgotten_has_none_left(archive, blobs):
    other = archive.world.file(archive.origin, "C-2", BasicInformation())
    gone, stays = archive.stored(), archive.stored(file=other)
    assert blobs.forget(TENANT, gone.subject_id) == 1
    refused(archive, gone)
    assert archive.read(stays) == CONTENT


# The Gate.


def test_nothing_opens_when_it_cannot_be_recorded(archive, monkeypatch):
    document = archive.stored()
    opened = []
    blobs = archive.world.blobs
    monkeypatch.setattr(type(blobs), "open", lambda _, name: opened.append(name))

    async def broken(_):
        raise AuditUnavailable("The log is gone.")

    monkeypatch.setattr(archive.world.store, "write", broken)
    with pytest.raises(AuditUnavailable):
        archive.open(document)
    assert opened == []


@pytest.mark.parametrize("action", ["sealed_document:read", "reveal:documents"])
def test_each_action_of_reading_is_needed(archive, action):
    document = archive.stored()
    archive.world.grants.denied.add(action)
    with pytest.raises(NotPermitted):
        archive.open(document)
    said = archive.last()
    assert (said["outcome"], said["purpose"]) == ("REFUSED", "LEGAL_CLAIM")


def test_a_document_of_another_company_is_not_there(archive):
    document = archive.stored()
    archive.world.open_tenant(OTHER_TENANT, "Other")
    foreign = archive.world.actor(tenant=OTHER_TENANT)
    asked = OpenDocument(document=document.id, purpose=Purpose.LEGAL_CLAIM, reason="the claim")
    with pytest.raises(NotFound):
        archive.world.perform(asked, foreign)
    with pytest.raises(NotFound):
        archive.world.perform(BeginUpload(document=document.id), foreign)


def test_names_and_contents_are_sealed_under_keys_of_their_own_each_by_one_algorithm(archive):
    document = archive.stored()
    rows = archive.world.database.fetch("SELECT alg, data_class FROM vault_dek WHERE data_class = 'documents'")
    assert sorted(tuple(row) for row in rows) == [("AES-256-GCM", "documents"), ("Cobblestone-256", "documents")]
    assert archive.read(document) == CONTENT
