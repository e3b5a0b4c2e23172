"""One document goes for good, alone: its bytes, its name and its keys; others of the same customer stay."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from api.jobs.erasing import finish
from api.jobs.retaining import sweep
from domain.consent.consents import ConsentUse
from domain.consent.giving import GrantConsent
from domain.consent.terms import ConsentProof
from domain.consent.words import EvidenceMethod
from domain.custody.erasures import Erasure, ErasureReason, ErasureState
from domain.custody.holds import PlaceLegalHold
from domain.custody.relation import EndRelation
from domain.documents.deleting import DeleteDocument
from domain.documents.documents import Document, FilingState
from domain.errors import Conflict, KeyUnavailable, Malformed, NotFound, NotPermitted
from domain.files.correcting import WithdrawRecord
from domain.files.history import DefaultKind
from domain.files.recording.events import RecordDefault
from domain.files.sources import Origin
from domain.money import Money
from domain.reading import Purpose
from tests.vault.documents import test_stored_documents as stored
from tests.vault.keeping.test_erasing import places, scanned
from tests.world import NOW, TENANT
from vault.audit import certificate
from vault.audit.handover import Keyholders
from vault.audit.note import Verifier
from vault.store import looks
from vault.store.tables import sealed_field, vault_dek, vault_dek_wrap

pair, blobs, archive = stored.pair, stored.blobs, stored.archive


def delete(archive, document, person="officer"):
    asked = DeleteDocument(document=document.id, reason=ErasureReason.PURPOSE_ENDED, because="the claim is settled")
    return archive.world.do(asked, archive.world.actor(person))


def finished(world):
    return world.loop(finish(world.gate, world.store, [TENANT], lambda _: world.actor("system:operator")))


def secrets(world, document):
    """Bytes that must lie nowhere afterwards: sealed values, and the wraps of the keys they lay under."""

    def look(connection):
        cell, dek, wrap = sealed_field.c, vault_dek.c, vault_dek_wrap.c
        cells = connection.execute(sa.select(cell.envelope, cell.dek_id).where(cell.record_id == document.id)).all()
        own = [row.dek_id for row in cells]
        wraps = connection.scalars(sa.select(wrap.wrapped).where(wrap.dek_id.in_(own))).all()
        assert connection.scalar(sa.select(sa.func.count()).where(dek.dek_id.in_(own), dek.kek_epoch > 0)) == 2
        return [*(bytes(row.envelope) for row in cells), *map(bytes, wraps)]

    return world.look(look)


def test_a_document_goes_alone_with_its_bytes_its_name_and_its_keys(archive, blobs):
    world = archive.world
    gone, kept = archive.stored(), archive.stored(name="kept.pdf")
    wanted = secrets(world, gone)
    assert len(wanted) == 6
    erasure = delete(archive, gone)
    assert (erasure.state, erasure.records, erasure.keys, erasure.cells) == (
        ErasureState.DESTROYING,
        (gone.id,),
        2,
        4,
    )
    with pytest.raises(NotFound):
        archive.open(gone)
    assert archive.read(kept) == stored.CONTENT
    assert archive.open(kept)[0] == "kept.pdf"
    (done,) = finished(world)
    assert (done.state, done.reason) == (ErasureState.ERASED, ErasureReason.PURPOSE_ENDED)
    assert [name.document for name in blobs.names(TENANT)] == [kept.id]
    key = Verifier.read(world.look(looks.verifying_key(world.room, TENANT, "auditor")))
    assert certificate.verified(done.certificate, Keyholders([key]))["records"] == [gone.id]
    assert places(scanned(world), wanted) == []
    states = {one.id: one.state for one in world.current(Document)}
    assert states == {gone.id: FilingState.ERASED, kept.id: FilingState.STORED}
    assert archive.read(kept) == stored.CONTENT
    assert world.findings() == []
    with pytest.raises(Conflict, match="erased already"):
        delete(archive, gone)
    assert archive.read(archive.stored(name="later.pdf")) == stored.CONTENT


def test_the_entry_tells_what_was_deleted_and_not_why_in_words(archive):
    document = archive.stored()
    erasure = delete(archive, document)
    said = archive.last()
    assert (said["action"], said["outcome"]) == ("sealed_document:delete", "DONE")
    assert {document.id, erasure.id, archive.file.id} <= set(said["resources"])
    assert "settled" not in json.dumps(said)
    assert said["commitment"]


def test_a_legal_hold_keeps_a_document(archive):
    document = archive.stored()
    hold = PlaceLegalHold(credit_file=archive.file.id, reason="Case 12", owner="counsel")
    archive.world.do(hold, archive.world.actor("legal"))
    with pytest.raises(Conflict, match="legal hold of counsel"):
        delete(archive, document)
    assert archive.read(document) == stored.CONTENT
    assert archive.world.current(Erasure) == []


def test_what_is_evidence_of_a_record_stays_and_the_record_is_named(archive):
    world, document = archive.world, archive.stored()
    origin = Origin(source=archive.origin.source, lawful_basis=archive.origin.lawful_basis, evidence=document.id)
    recording = RecordDefault(
        credit_file=archive.file.id,
        origin=origin,
        kind=DefaultKind.LATE_PAYMENT,
        amount=Money(100, "CNY"),
        since_on=NOW.date(),
    )
    record = world.do(recording)
    with pytest.raises(Conflict, match=f"evidence of {record.id}\\."):
        delete(archive, document)
    assert archive.read(document) == stored.CONTENT
    world.do(WithdrawRecord(record=record.id, reason="it was paid"), world.actor("other"))
    delete(archive, document)
    finished(world)
    assert world.findings() == []


def test_a_document_that_never_came_is_deleted_and_its_upload_does_not_end(archive):
    awaited = archive.register()
    received = archive.received(archive.begin(awaited))
    delete(archive, awaited)
    with pytest.raises((Malformed, KeyUnavailable)):
        archive.store(awaited, received)
    (done,) = finished(archive.world)
    assert done.certificate
    assert archive.world.findings() == []


def test_whoever_may_not_delete_is_refused_and_nothing_is_lost(archive):
    document = archive.stored()
    archive.world.grants.denied.add("sealed_document:delete")
    with pytest.raises(NotPermitted):
        delete(archive, document)
    assert archive.read(document) == stored.CONTENT


def swept(world):
    return {one.record: one for one in world.loop(sweep(world.gate, world.actor("system:retention"), dry=False))}


def test_documents_end_with_the_relation_but_for_the_proof_of_a_consent(archive, blobs):
    world = archive.world
    gone, proof = archive.stored(), archive.stored(name="proof.pdf")
    wanted = secrets(world, gone)
    grant = GrantConsent(
        credit_file=archive.file.id,
        partner=world.partner().id,
        purpose=Purpose.PARTNER_CREDIT_DECISION,
        fields=("contact.phone",),
        use=ConsentUse.STANDING,
        not_after=NOW + timedelta(days=9),
        notice_digest="ab" * 32,
        given_by="the board",
        proof=ConsentProof(evidence_document=proof.id, evidence_method=EvidenceMethod.WET_SCAN),
    )
    consent = world.do(grant)
    world.do(EndRelation(credit_file=archive.file.id, reason="the contract ended"))
    world.clock.at = NOW.replace(year=2030)
    due = swept(world)
    assert (due[gone.id].rule, due[gone.id].stays) == ("CN-P4-DOCUMENTS", False)
    assert due[proof.id].needed_by == (consent.id,)
    assert not due[archive.file.id].stays
    assert all(one.certificate for one in finished(world))
    assert [name.document for name in blobs.names(TENANT)] == [proof.id]
    assert places(scanned(world), wanted) == []
    world.clock.at = NOW.replace(year=2032)
    due = swept(world)
    assert (due[consent.id].rule, due[proof.id].rule) == ("CN-P2", "CN-P4-DOCUMENTS")
    finished(world)
    assert list(blobs.names(TENANT)) == []
    assert swept(world) == {}
    assert world.findings() == []


def test_no_certificate_is_given_while_the_key_of_a_content_stands(archive):
    world, document = archive.world, archive.stored()
    own = sa.select(sealed_field.c.dek_id).where(sealed_field.c.field_tag == Document.content.tag)
    dek = bytes(world.look(lambda connection: connection.scalar(own)))
    delete(archive, document)
    form = f"X'{dek.hex()}'" if world.database.dialect == "sqlite" else f"'\\x{dek.hex()}'"
    world.database.execute(f"UPDATE vault_dek SET kek_epoch = 1 WHERE dek_id = {form}")  # noqa: S608 - our own
    with pytest.raises(Conflict, match="1 keys"):
        finished(world)
