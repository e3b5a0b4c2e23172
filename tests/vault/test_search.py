"""What is sealed is found by its exact value, without opening anything, and the log tells who looked for what kind."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from domain.actors import Rights
from domain.audit import Outcome
from domain.consent.consents import Consent
from domain.custody.erasing import ApproveErasure, ProposeErasure
from domain.custody.erasures import ErasureReason
from domain.errors import Malformed, NotPermitted
from domain.files.identifying.reindexing import BeginIndex, BuildIndex, DropIndex, TakeIndex
from domain.files.opening import BasicInformation, Contact, OpenCreditFile, UpdateBasicInformation
from domain.files.parties import ContactPerson, CreditFile, PartyKind
from domain.gate import Plan
from domain.reading import Labelled, Level, Link, Page, Purpose, Reading, Slot, Sought, judge
from tests.world import EMAIL, OTHER_TENANT, PHONE, USCC
from vault.store.reading import SqlReadings
from vault.store.reading.columns import Unsupported
from vault.store.tables import blind_index

SHAPE = CreditFile.shape
ACCOUNT = "6222021234567890128"
ALL = (SHAPE.read, "reveal:contact", "reveal:identity", "reveal:financial")
PERSON = "13700137000"


def rights(*allowed):
    return Rights(id=len(allowed), version="grants", allowed=dict.fromkeys(allowed, "rule"))


CONTACTS = SHAPE.children["contacts"]


def of(name, place):
    """What is looked up, of the file or of a person in it."""
    person = ContactPerson.shape.confidential.get(name)
    if person is not None:
        return Sought(person, Slot(place), Purpose.CREDIT_REVIEW, CONTACTS)
    return Sought(SHAPE.confidential[name], Slot(place), Purpose.CREDIT_REVIEW)


def plan(world, own, *fields):
    """A page of files by some identifiers."""
    sought = tuple(of(name, place) for place, name in enumerate(fields, 1))
    level = Level(shape=SHAPE, facts=(Labelled("id", "id"),), sought=sought, page=Page(size=Slot(0), wants_total=True))
    judged = judge(Reading((Labelled("page", level),)), own)
    return Plan(judged=judged, steps=SqlReadings(world.database.dialect, world.ring).prepare(judged))


def find(world, monkeypatch, actor=None, own=None, **sought):
    """The references of the files that are found, through the Gate."""
    own = own or rights(*ALL)
    monkeypatch.setattr(world.grants, "rights", lambda _actor: own)
    try:
        made = plan(world, own, *sought)
        answer = world.loop(world.gate.read(made, actor or world.actor(), [20, *sought.values()], request="rq-2"))
    finally:
        monkeypatch.undo()
    assert answer["page"]["total"] == len(answer["page"]["rows"])
    return [row["id"] for row in answer["page"]["rows"]]


@pytest.fixture
def files(world):
    """Three files, two of which share a phone."""
    origin = world.origin()
    return [
        world.file(origin, "C-1", BasicInformation(unified_social_credit_code=USCC, phone=PHONE, email=EMAIL)),
        world.file(origin, "C-2", BasicInformation(phone=PHONE, bank_account=ACCOUNT)),
        world.file(origin, "C-3", BasicInformation(phone="010-55550100")),
    ]


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ({"phone": "138 0013 8000"}, [0, 1]),
        ({"phone": "０１０－５５５５　０１００"}, [2]),
        ({"phone": "13800138001"}, []),
        ({"email": "OFFICE@yunfan.example"}, [0]),
        ({"bank_account": "6222 0212 3456 7890 128"}, [1]),
        ({"unified_social_credit_code": USCC.lower()}, [0]),
        ({"phone": PHONE, "bank_account": ACCOUNT}, [1]),
        ({"phone": "01055550100", "bank_account": ACCOUNT}, []),
    ],
)
def test_files_are_found_by_identifiers_however_they_are_written(world, monkeypatch, files, sought, found):
    assert find(world, monkeypatch, **sought) == [files[place].id for place in found]


def test_a_value_that_was_replaced_is_not_found_any_more(world, monkeypatch, files):
    update = UpdateBasicInformation(
        credit_file=files[0].id, origin=world.origin("again"), basic=BasicInformation(phone="13900139000")
    )
    world.do(update)
    assert find(world, monkeypatch, phone=PHONE) == [files[1].id]
    assert find(world, monkeypatch, phone="13900139000") == [files[0].id]


def test_the_log_tells_who_looked_for_what_and_why_and_never_the_value(world, monkeypatch, files):
    before = len(world.leaves())
    find(world, monkeypatch, phone=PHONE)
    find(world, monkeypatch, phone="13800138001")
    with pytest.raises(Malformed) as caught:
        find(world, monkeypatch, phone="1380013")
    assert "1380013" not in str(caught.value)
    found, nothing, malformed = (leaf.decode() for leaf in world.leaves()[before:])
    for leaf in (found, nothing):
        assert '"contact.phone"' in leaf
        assert f'"{Purpose.CREDIT_REVIEW.value}"' in leaf
    assert files[0].subject_id in found
    assert files[2].subject_id not in found
    assert all(file.subject_id not in nothing for file in files)
    assert f'"outcome":"{Outcome.INVALID.value}"' in malformed
    assert all("13800138" not in leaf for leaf in (found, nothing, malformed))


@pytest.mark.parametrize("lacking", ALL)
def test_whoever_may_not_open_a_field_may_not_look_for_it_either(world, monkeypatch, files, lacking):
    sought = {"phone": PHONE, "bank_account": ACCOUNT, "unified_social_credit_code": USCC}
    with pytest.raises(NotPermitted):
        find(world, monkeypatch, own=rights(*(action for action in ALL if action != lacking)), **sought)
    assert files


def test_a_partner_and_a_customer_find_nothing_beyond_their_own(world, monkeypatch, files):
    bank = world.actor("bank", partner=world.partner().id)
    assert find(world, monkeypatch, actor=bank, phone=PHONE) == []
    customer = world.actor("customer", subject=files[0].subject_id)
    assert find(world, monkeypatch, actor=customer, phone=PHONE) == [files[0].id]
    stranger = world.actor("customer", subject=files[2].subject_id)
    assert find(world, monkeypatch, actor=stranger, phone=PHONE) == []


def test_one_company_finds_nothing_of_another(world, monkeypatch, files):
    world.open_tenant(OTHER_TENANT, "Another")
    assert find(world, monkeypatch, actor=world.actor(tenant=OTHER_TENANT), phone=PHONE) == []
    assert files


@pytest.fixture
def known(world):
    """Two firms that share a contact person's address, and one of them its phone."""
    origin = world.origin()

    def opened(reference, *contacts):
        opening = OpenCreditFile(
            reference=reference, name=reference, kind=PartyKind.ENTERPRISE, origin=origin, contacts=contacts
        )
        return world.do(opening)

    return [
        opened("C-1", Contact(duty="CFO", name="Li", phone=PERSON, email="li@yunfan.example")),
        opened("C-2", Contact(duty="clerk", name="Li", email="li@yunfan.example"), Contact(duty="CEO", name="Wu")),
        opened("C-3", Contact(duty="CFO", name="Li", phone="13700137009")),
    ]


PERSONS = rights(*ALL, "contact_person:read")


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ({"person_phone": "137 0013 7000"}, [0]),
        ({"person_email": "LI@yunfan.example"}, [0, 1]),
        ({"person_phone": PERSON, "person_email": "li@yunfan.example"}, [0]),
        ({"person_phone": "13700137001"}, []),
        ({"phone": PERSON}, []),
    ],
)
def test_files_are_found_by_the_phone_and_address_of_a_person_in_them(world, monkeypatch, known, sought, found):
    assert find(world, monkeypatch, own=PERSONS, **sought) == [known[place].id for place in found]


def test_whoever_may_not_read_contact_persons_does_not_find_by_them(world, monkeypatch, known):
    with pytest.raises(NotPermitted):
        find(world, monkeypatch, person_phone=PERSON)
    customer = world.actor("customer", subject=known[0].subject_id)
    assert find(world, monkeypatch, actor=customer, own=PERSONS, person_phone=PERSON) == []
    bank = world.actor("bank", partner=world.partner().id)
    assert find(world, monkeypatch, actor=bank, own=PERSONS, person_phone=PERSON) == []
    world.open_tenant(OTHER_TENANT, "Another")
    assert find(world, monkeypatch, actor=world.actor(tenant=OTHER_TENANT), own=PERSONS, person_phone=PERSON) == []


def test_a_person_that_is_erased_is_not_found_and_leaves_no_token(world, monkeypatch, known):
    person = next(one for one in world.current(ContactPerson) if one.customer == known[0].customer)
    tokens = sa.select(blind_index).where(blind_index.c.subject == person.subject_id)
    assert len(world.look(lambda connection: connection.execute(tokens).all())) == 2
    proposed = world.do(ProposeErasure(target=person.id, reason=ErasureReason.REQUEST), world.actor("first"))
    world.do(ApproveErasure(erasure=proposed.id), world.actor("second"))
    assert world.look(lambda connection: connection.execute(tokens).all()) == []
    assert find(world, monkeypatch, own=PERSONS, person_phone=PERSON) == []
    assert find(world, monkeypatch, own=PERSONS, person_email="li@yunfan.example") == [known[1].id]
    assert world.findings() == []


def test_the_index_of_persons_turns_while_they_are_found(world, monkeypatch, known):
    field = ContactPerson.person_phone.tag
    world.do(BeginIndex(field=field))
    assert find(world, monkeypatch, own=PERSONS, person_phone=PERSON) == [known[0].id]
    while world.do(BuildIndex(field=field)):
        assert find(world, monkeypatch, own=PERSONS, person_phone=PERSON) == [known[0].id]
    assert world.do(TakeIndex(field=field)) == 2
    while world.do(DropIndex(field=field)):
        pass
    assert find(world, monkeypatch, own=PERSONS, person_phone=PERSON) == [known[0].id]
    assert world.findings() == []


def test_an_index_is_asked_at_a_root_and_of_an_indexed_field_alone(world):
    field = CreditFile.legal_representative
    sought = (Sought(field, Slot(0), Purpose.CREDIT_REVIEW),)
    readings = SqlReadings(world.database.dialect, world.ring)
    with pytest.raises(Unsupported):
        readings.prepare(judge(Reading((Labelled("one", Level(shape=SHAPE, sought=sought)),)), rights(*ALL)))
    inner = Level(shape=SHAPE, sought=(Sought(CreditFile.phone, Slot(0), Purpose.CREDIT_REVIEW),))
    outer = Level(shape=Consent.shape, links=(Labelled("file", Link(Consent.shape.facts["credit_file"], inner)),))
    with pytest.raises(Unsupported):
        readings.prepare(judge(Reading((Labelled("one", outer),)), rights(*ALL)))
