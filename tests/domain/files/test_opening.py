"""Credit files are opened and updated with checked basic information."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.errors import Code, Malformed, NotFound
from domain.files.opening import BasicInformation, Contact, OpenCreditFile, UpdateBasicInformation
from domain.files.parties import ContactPerson, CreditFile, Customer, FileState, PartyKind
from domain.money import Money
from tests.world import BASIC, EMAIL, NOW, OTHER_TENANT, PHONE, USCC, World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def origin(world):
    return world.origin()


def opening(origin, **changes):
    given = {"reference": "C-1", "name": "Yunfan", "kind": PartyKind.ENTERPRISE, "origin": origin}
    return OpenCreditFile(**given | changes)


def test_a_file_is_opened_with_its_customer_and_its_values_sealed(world, origin):
    contact = Contact(duty=" finance ", name="Zhao Min", phone="010-8888 8888", email="Zhao@Yunfan.example")
    basic = replace(BASIC, phone="138 0013 8000", registered_capital=Money(100, "CNY"), established_on=date(2001, 2, 3))
    file = world.do(opening(origin, basic=basic, contacts=(contact,), account_owner=" li "))
    customer, person = world.current(Customer)[0], world.current(ContactPerson)[0]
    assert file.subject_id == customer.id == file.customer
    assert customer.account_owner == "li"
    assert (world.secret(file, "phone"), world.secret(file, "email")) == (PHONE, EMAIL)
    assert world.secret(file, "unified_social_credit_code") == USCC
    assert PHONE not in repr(file)
    assert (person.subject_id, person.duty) == (person.id, "finance")
    assert world.secret(person, "person_phone") == "+861088888888"
    assert "Zhao" not in repr(person)


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"reference": " "}, Code.MISSING_VALUE, ("reference",)),
        ({"name": "\t"}, Code.MISSING_VALUE, ("name",)),
        ({"name": "a\u202eb"}, Code.MALFORMED, ("name",)),
        ({"reference": "x" * 401}, Code.MALFORMED, ("reference",)),
        ({"account_owner": "\ud800"}, Code.MALFORMED, ("accountOwner",)),
        ({"basic": BasicInformation(staff_count=-1)}, Code.MALFORMED_AMOUNT, ("staffCount",)),
        (
            {"basic": BasicInformation(registered_capital=Money(-1, "CNY"))},
            Code.MALFORMED_AMOUNT,
            ("registeredCapital",),
        ),
        (
            {"basic": BasicInformation(established_on=NOW.date() + timedelta(days=1))},
            Code.MALFORMED_DATE,
            ("establishedOn",),
        ),
        (
            {"basic": BasicInformation(unified_social_credit_code="91110000600037341M")},
            Code.MALFORMED_CODE,
            ("unifiedSocialCreditCode",),
        ),
        ({"basic": BasicInformation(phone="12")}, Code.MALFORMED_CODE, ("phone",)),
        ({"basic": BasicInformation(email="nobody")}, Code.MALFORMED_CODE, ("email",)),
        ({"basic": BasicInformation(bank_account="x")}, Code.MALFORMED_CODE, ("bankAccount",)),
        ({"basic": BasicInformation(legal_representative="\n\n")}, Code.MALFORMED, ("legalRepresentative",)),
        ({"contacts": (Contact(duty="", name="Zhao"),)}, Code.MISSING_VALUE, ("contacts", "0", "duty")),
        ({"contacts": (Contact(duty="finance", name=" "),)}, Code.MISSING_VALUE, ("contacts", "0", "name")),
        (
            {"contacts": (Contact(duty="finance", name="Zhao", phone="1"),)},
            Code.MALFORMED_CODE,
            ("contacts", "0", "phone"),
        ),
    ],
)
def test_what_is_not_well_formed_opens_no_file(world, origin, changes, code, path):
    with pytest.raises(Malformed) as refusal:
        world.do(opening(origin, **changes))
    assert (refusal.value.code, refusal.value.path) == (code, path)
    assert refusal.value.advice
    assert world.current(CreditFile) == world.current(Customer) == world.current(ContactPerson) == []


def test_a_birthday_is_not_taken_for_a_day_of_establishment(world, origin):
    basic = BasicInformation(established_on=date(1980, 1, 1))
    with pytest.raises(Malformed) as refusal:
        world.do(opening(origin, kind=PartyKind.NATURAL_PERSON, basic=basic))
    assert (refusal.value.code, refusal.value.path) == (Code.FORBIDDEN_CATEGORY, ("establishedOn",))
    file = world.do(opening(origin, kind=PartyKind.NATURAL_PERSON))
    with pytest.raises(Malformed) as again:
        world.do(UpdateBasicInformation(credit_file=file.id, origin=origin, basic=basic))
    assert again.value.code is Code.FORBIDDEN_CATEGORY


def test_a_reference_belongs_to_one_file_of_a_company(world, origin):
    world.do(opening(origin))
    with pytest.raises(Malformed) as refusal:
        world.do(opening(origin, reference=" C-1 "))
    assert (refusal.value.code, refusal.value.path) == (Code.CONFLICT, ("reference",))
    other = world.origin(tenant=OTHER_TENANT)
    assert world.do(opening(other), world.actor(tenant=OTHER_TENANT)).reference == "C-1"


def test_a_unified_social_credit_code_belongs_to_one_file_of_a_company(world, origin):
    first = world.file(origin)
    with pytest.raises(Malformed) as refusal:
        world.do(opening(origin, reference="C-2", basic=BasicInformation(unified_social_credit_code=USCC.lower())))
    assert (refusal.value.code, refusal.value.path) == (Code.CONFLICT, ("unifiedSocialCreditCode",))
    second = world.file(origin, "C-2", BasicInformation())
    with pytest.raises(Malformed):
        world.do(UpdateBasicInformation(credit_file=second.id, origin=origin, basic=BASIC))
    assert world.do(UpdateBasicInformation(credit_file=first.id, origin=origin, basic=BASIC)).id == first.id
    assert world.file(world.origin(tenant=OTHER_TENANT), tenant=OTHER_TENANT).id != first.id


def test_an_update_supersedes_what_it_names_and_leaves_the_rest(world, origin):
    file = world.file(origin, basic=replace(BASIC, industry_code="I65"))
    world.clock.move(days=1)
    basic = BasicInformation(phone="+8613900139000", staff_count=7)
    updated = world.do(UpdateBasicInformation(credit_file=file.id, origin=origin, basic=basic), world.actor("zhou"))
    old, new = world.versions(file)
    assert new == updated
    assert (old.stamp.superseded_at, old.staff_count) == (world.clock.at, None)
    assert (new.name, new.industry_code, new.staff_count, new.collector) == (file.name, "I65", 7, "zhou")
    assert (world.secret(file, "phone"), world.secret(file, "email")) == ("+8613900139000", EMAIL)
    assert {tag for tag in world.entries[-1].fields if "." in tag} == {"contact.phone"}


def test_what_is_odd_is_kept_as_a_finding_once(world, origin):
    retired = BasicInformation(unified_social_credit_code="91160100123456788F")
    file = world.file(origin, basic=retired)
    assert file.findings == ("REGION_UNKNOWN",)
    again = world.do(UpdateBasicInformation(credit_file=file.id, origin=origin, basic=retired))
    assert again.findings == ("REGION_UNKNOWN",)


def test_an_update_adds_contacts(world, origin):
    file = world.file(origin)
    contact = Contact(duty="finance", name="Zhao Min")
    world.do(UpdateBasicInformation(credit_file=file.id, origin=origin, contacts=(contact,)))
    (person,) = world.current(ContactPerson)
    assert person.customer == file.customer


@pytest.mark.parametrize("state", [FileState.RESTRICTED, FileState.DESTROYING, FileState.ERASED])
def test_a_file_that_is_not_open_takes_nothing(world, origin, state):
    file = world.file(origin)
    world.put(replace(file, state=state))
    with pytest.raises(Malformed) as refusal:
        world.do(UpdateBasicInformation(credit_file=file.id, origin=origin, name="Other"))
    assert (refusal.value.code, refusal.value.path) == (Code.INVALID_TRANSITION, ("creditFile",))


def test_the_file_of_another_company_is_not_there(world, origin):
    file = world.file(origin)
    other = world.origin(tenant=OTHER_TENANT)
    with pytest.raises(NotFound):
        world.do(UpdateBasicInformation(credit_file=file.id, origin=other, name="x"), world.actor(tenant=OTHER_TENANT))
    assert world.versions(file) == (file,)
