"""A document is registered for an open file, its content taken once, and records link to it as evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from operator import attrgetter

import pytest

from domain.consent.consents import ConsentUse
from domain.consent.giving import GrantConsent
from domain.consent.terms import ConsentProof
from domain.documents.content import Content, Received
from domain.documents.documents import Document, EvidenceKind, FilingState
from domain.documents.erasing import erase_documents
from domain.documents.filing import AbandonUploads, BeginUpload, RegisterDocument, StoreDocument
from domain.documents.reading import OPENED, OpenDocument
from domain.errors import Code, Conflict, Malformed, NotFound
from domain.files.history import DefaultKind, LitigationSeverity
from domain.files.opening import BasicInformation, OpenCreditFile, UpdateBasicInformation
from domain.files.parties import FileState, PartyKind
from domain.files.recording.events import RecordDefault, RecordLitigation
from domain.files.sources import LawfulBasis
from domain.money import Money
from domain.reading import Purpose
from tests.world import NOW, World

SHA = "ab" * 32


class Room:
    """A world with one file."""

    def __init__(self):
        self.world = World()
        self.origin = self.world.origin()
        self.file = self.world.file(self.origin)

    def register(self, file=None, **more):
        """A registered document."""
        asked = {"kind": EvidenceKind.CONTRACT, "origin": self.origin, "file_name": "contract.pdf"} | more
        return self.world.do(RegisterDocument(credit_file=(file or self.file).id, **asked))

    def begin(self, document):
        """The version that the next upload is sealed for."""
        self.world.do(BeginUpload(document=document.id))
        return self.world.unit().sealed([document], [Document.content])[0].version + 1

    def store(self, document, version):
        """The document with its content."""
        content = Content(head=b"h" * 76, version=version)
        received = Received(content=content, size=9, sha256=SHA, digest="cd" * 32)
        return self.world.do(StoreDocument(document=document.id, received=received, media_type="application/pdf"))

    def stored(self, **more):
        """A stored document."""
        document = self.register(**more)
        return self.store(document, self.begin(document))

    def put_in(self, state):
        """The file in another state."""
        self.file = self.world.put(replace(self.file, state=state))


@pytest.fixture
def room():
    return Room()


def refused(what, action, *arguments, code=None, path=None, **more):
    with pytest.raises(what) as told:
        action(*arguments, **more)
    assert code is None or told.value.code is code
    assert path is None or told.value.path == path
    return told.value


def test_a_registered_document_is_awaited_and_its_name_is_sealed(room):
    document = room.register(file_name="合同 (2026).pdf")
    assert (document.state, document.size, document.digest) == (FilingState.AWAITED, None, None)
    assert document.subject_id == room.file.subject_id
    assert room.world.secret(document, "file_name") == "合同 (2026).pdf"
    assert "documents.file_name" in room.world.entries[-1].fields


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " a.pdf",
        "a.pdf ",
        "a/b.pdf",
        "..\\b.pdf",
        "..",
        ".",
        "a\nb.pdf",
        "a\0.pdf",
        "a" * 256,
        "合" * 86,
        "\u202egpj.exe",
    ],
)
def test_a_name_that_is_a_path_or_that_no_system_keeps_is_refused_without_being_repeated(room, name):
    told = refused(Malformed, room.register, file_name=name, path=("fileName",))
    assert not name.strip(" .") or name not in told.message + told.advice


@pytest.mark.parametrize("name", ["a", "a" * 255, "合" * 85, "a..b", ".profile", "contract 1.pdf"])
def test_names_that_every_system_keeps_are_taken(room, name):
    assert room.world.secret(room.register(file_name=name), "file_name") == name


def test_a_document_comes_from_a_lawful_source_only(room):
    unlawful = replace(room.origin, lawful_basis=LawfulBasis.LEGAL_DUTY)
    refused(Malformed, room.register, origin=unlawful, code=Code.UNLAWFUL_SOURCE)


def test_what_is_stored_tells_its_size_and_keyed_digest_and_seals_the_rest(room):
    document = room.stored()
    assert (document.state, document.size, document.digest) == (FilingState.STORED, 9, "cd" * 32)
    assert room.world.secret(document, "sha256") == SHA
    assert room.world.secret(document, "media_type") == "application/pdf"
    entry = room.world.entries[-1]
    assert (entry.action, entry.digest) == ("sealed_document:store", "cd" * 32)


def test_only_the_upload_that_began_last_ends(room):
    document = room.register()
    early, late = room.begin(document), room.begin(document)
    refused(Conflict, room.store, document, early)
    assert room.store(document, late).state is FilingState.STORED


def test_nothing_is_stored_that_no_upload_began(room):
    refused(Conflict, room.store, room.register(), 1)


def test_what_is_stored_or_given_up_takes_nothing_more(room):
    stored, late = room.stored(), room.register()
    room.world.clock.move(hours=24)
    assert room.world.do(AbandonUploads()) == 1
    for document in (stored, late):
        refused(Malformed, room.begin, document, code=Code.INVALID_TRANSITION)


def test_what_is_still_young_is_not_given_up(room):
    document = room.register()
    room.world.clock.move(hours=23, minutes=59)
    assert room.world.do(AbandonUploads()) == 0
    room.begin(document)


@pytest.mark.parametrize("state", [FileState.RESTRICTED, FileState.DESTROYING, FileState.ERASED])
def test_a_file_that_is_not_open_takes_and_gives_no_document(room, state):
    stored, awaited = room.stored(), room.register()
    version = room.begin(awaited)
    room.put_in(state)
    for work in (room.register, lambda: room.begin(awaited), lambda: room.store(awaited, version)):
        refused(Malformed, work, code=Code.INVALID_TRANSITION)
    asked = OpenDocument(document=stored.id, purpose=Purpose.LEGAL_CLAIM, reason="the claim")
    refused(Malformed, room.world.do, asked, code=Code.INVALID_TRANSITION)


def test_reading_opens_what_belongs_to_the_document_and_keeps_the_reason_apart(room):
    document = room.stored()
    ended = room.world.perform(OpenDocument(document=document.id, purpose=Purpose.LEGAL_CLAIM, reason=" the claim "))
    assert ended.opened[:3] == ("contract.pdf", "application/pdf", SHA)
    entry = room.world.entries[-1]
    assert (entry.purpose, entry.digest) == ("LEGAL_CLAIM", document.digest)
    assert entry.payload == (("note", "the claim"),)
    assert {field.tag for field in OPENED} <= set(entry.fields)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 401, "a\nb"])
def test_reading_needs_a_reason(room, reason):
    document = room.stored()
    asked = OpenDocument(document=document.id, purpose=Purpose.LEGAL_CLAIM, reason=reason)
    refused(Malformed, room.world.do, asked, path=("reason",))
    assert room.world.entries[-1].purpose == "LEGAL_CLAIM"


def test_what_is_awaited_is_not_there_to_be_read(room):
    asked = OpenDocument(document=room.register().id, purpose=Purpose.LEGAL_CLAIM, reason="the claim")
    refused(NotFound, room.world.do, asked)


def test_every_document_of_a_subject_is_erased_and_says_nothing_of_what_it_was(room):
    stored, awaited = room.stored(), room.register()
    other = room.stored(file=room.world.file(room.origin, "C-2", BasicInformation()))
    unit = room.world.unit()
    assert erase_documents(unit, room.file.subject_id) == 2
    assert erase_documents(unit, room.file.subject_id) == 0
    found = {one.id: (one.state, one.size, one.digest) for one in unit.find(Document)}
    gone = (FilingState.ERASED, None, None)
    assert found == {stored.id: gone, awaited.id: gone, other.id: (FilingState.STORED, 9, "cd" * 32)}


# Evidence.


def a_default(room, evidence):
    return RecordDefault(
        credit_file=room.file.id,
        origin=replace(room.origin, evidence=evidence),
        kind=DefaultKind.FRAUD,
        amount=Money(100, "CNY"),
        since_on=date(2026, 1, 5),
    )


def a_case(room, evidence):
    return RecordLitigation(
        credit_file=room.file.id,
        origin=replace(room.origin, evidence=evidence),
        court="Haidian District Court",
        case_number="(2026) 1",
        role="defendant",
        severity=LitigationSeverity.MINOR,
        filed_on=date(2026, 1, 5),
    )


def an_update(room, evidence):
    return UpdateBasicInformation(
        credit_file=room.file.id, origin=replace(room.origin, evidence=evidence), name="Yunfan Ltd"
    )


def a_consent(room, evidence):
    partner = room.world.partner(f"Bank {room.world.ids.count}")
    return GrantConsent(
        credit_file=room.file.id,
        partner=partner.id,
        purpose=Purpose.PARTNER_CREDIT_DECISION,
        fields=("contact.phone",),
        use=ConsentUse.STANDING,
        not_after=NOW + timedelta(days=30),
        notice_digest=SHA,
        given_by="Li, director",
        proof=ConsentProof(evidence_document=evidence),
    )


def a_document(room, evidence):
    return RegisterDocument(
        credit_file=room.file.id,
        kind=EvidenceKind.OTHER,
        origin=replace(room.origin, evidence=evidence),
        file_name="translation.pdf",
    )


WAYS = [a_default, a_case, an_update, a_consent, a_document]


@pytest.mark.parametrize("way", WAYS)
def test_a_record_links_to_the_document_it_rests_on(room, way):
    document = room.stored()
    linked = attrgetter("evidence_document" if way is a_consent else "evidence")
    assert linked(room.world.do(way(room, document.id))) == document.id
    assert linked(room.world.do(way(room, None))) is None


@pytest.mark.parametrize("way", WAYS)
def test_evidence_is_a_stored_document_of_the_same_file(room, way):
    other = room.world.file(room.origin, "C-2", BasicInformation())
    foreign, awaited = room.stored(file=other), room.register()
    place = ("evidenceDocument" if way is a_consent else "evidence",)
    told = [
        refused(Malformed, room.world.do, way(room, wrong), path=place).message
        for wrong in (foreign.id, awaited.id, room.file.id)
    ]
    assert len(set(told)) == 1


def test_a_file_that_is_opened_now_has_no_document_yet(room):
    document = room.stored()
    opening = OpenCreditFile(
        reference="C-9", name="X", kind=PartyKind.ENTERPRISE, origin=replace(room.origin, evidence=document.id)
    )
    refused(Malformed, room.world.do, opening, path=("evidence",))
