"""What is performed on a database: versions, two times, uniqueness, seals, refusals, tenants, races."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.audit import Warrant
from domain.errors import KeyUnavailable, Malformed, NotFound, NotPermitted, Stale, Tampered
from domain.files.opening import BasicInformation, OpenCreditFile, UpdateBasicInformation
from domain.files.parties import CreditFile, Customer, PartyKind, Tenant
from domain.files.sources import Source
from domain.money import Money
from domain.operations import OPERATIONS, Decided
from domain.ports import SealedValue
from tests.vault.trying import Try
from tests.world import OTHER_TENANT, PHONE, TENANT, USCC
from vault.opening import VaultOpener


@pytest.fixture(autouse=True)
def _declared(monkeypatch):
    """It is an operation while these tests run, and in no matrix or page."""
    monkeypatch.setitem(OPERATIONS, "Try", Try)


def sealed_of(world, file, *fields, actor=None):
    """The sealed values of a file, opened through the Gate."""

    def load(unit):
        found = unit.sealed([unit.get(CreditFile, file.id)], fields)
        return Decided(value=[value.field.tag for value in found], reveals=tuple(found), purpose="CREDIT_REVIEW")

    return world.perform(Try(how=load), actor)


def test_a_record_comes_back_as_it_was_stored(world):
    file = world.file(world.origin(), basic=BasicInformation(registered_capital=Money(5_000_000, "CNY"), phone=PHONE))
    assert world.do(Try(how=lambda unit: unit.get(CreditFile, file.id))) == file
    assert world.do(Try(how=lambda unit: unit.find(CreditFile, reference=("C-1", "C-2")))) == [file]
    assert world.do(Try(how=lambda unit: unit.find(CreditFile, registered_capital=Money(5_000_000, "CNY")))) == [file]
    assert world.do(Try(how=lambda unit: unit.find(CreditFile, registered_address=None))) == [file]
    assert world.do(Try(how=lambda unit: unit.find(Customer, subject_id=file.subject_id)))[0].id == file.customer


def test_facts_are_streamed_in_the_order_of_ids(world):
    origin = world.origin()
    files = [world.file(origin, reference=f"C-{number}", basic=BasicInformation()) for number in range(5)]

    def stream(unit):
        return list(unit.select(CreditFile, ("id", "reference", "registered_capital", "state")))

    assert world.do(Try(how=stream)) == [(file.id, file.reference, None, file.state) for file in files]


def test_a_change_holds_from_now_and_a_correction_from_when_the_error_did(world):
    file = world.file(world.origin())
    world.clock.move(days=1)
    changed = world.do(Try(how=lambda unit: unit.replace(replace(file, staff_count=5))))
    world.clock.move(days=1)
    corrected = world.do(Try(how=lambda unit: unit.replace(replace(changed, staff_count=6), correcting=True)))
    first, second, third = world.versions(file)
    assert (first.stamp.version, second.stamp.version, third.stamp.version) == (1, 2, 3)
    assert first.stamp.superseded_at == second.stamp.recorded_at == changed.stamp.effective_from
    assert corrected.stamp.effective_from == changed.stamp.effective_from < corrected.stamp.recorded_at
    assert [version.staff_count for version in (first, second, third)] == [None, 5, 6]


def test_a_version_that_is_not_current_any_more_cannot_be_replaced(world):
    file = world.file(world.origin())
    world.do(Try(how=lambda unit: unit.replace(replace(file, staff_count=5))))
    with pytest.raises(Stale):
        world.do(Try(how=lambda unit: unit.replace(replace(file, staff_count=6))))
    assert [version.staff_count for version in world.versions(file)] == [None, 5]


def test_rows_that_are_known_are_left_out_where_that_is_asked_for(world):
    origin = world.origin("first")
    (source,) = [found for found in world.current(Source) if found.id == origin.source]

    def add(unit):
        fresh = [
            replace(source, stamp=unit.stamp(Source), name=name) for name in ("first", "second", "second", "third")
        ]
        return unit.add(fresh, skip_known=True)

    assert world.do(Try(how=add)) == 2
    assert sorted(found.name for found in world.current(Source)) == ["first", "second", "third"]


def test_what_is_unique_stays_so_whoever_looked_first(world):
    origin = world.origin("first")
    (source,) = [found for found in world.current(Source) if found.id == origin.source]
    with pytest.raises(Stale):
        world.do(Try(how=lambda unit: unit.add([replace(source, stamp=unit.stamp(Source))])))
    assert len(world.current(Source)) == 1


def test_what_is_refused_leaves_its_entry_alone(world):
    origin = world.origin()

    def half(unit):
        unit.add([Customer(stamp=unit.stamp(Customer), kind=PartyKind.ENTERPRISE)])
        raise Malformed("No.", cause="BECAUSE")

    before = len(world.leaves())
    with pytest.raises(Malformed):
        world.do(Try(how=half))
    assert world.current(Customer) == []
    (entry,) = world.leaves()[before:]
    said = json.loads(entry)
    assert (said["outcome"], said["code"], said["cause"], said["written"]) == ("INVALID", "MALFORMED", "BECAUSE", [])
    assert origin


def test_a_bug_leaves_nothing_at_all(world):
    def broken(unit):
        unit.add([Customer(stamp=unit.stamp(Customer), kind=PartyKind.ENTERPRISE)])
        raise RuntimeError

    before = len(world.leaves())
    with pytest.raises(RuntimeError):
        world.do(Try(how=broken))
    assert len(world.leaves()) == before
    assert world.current(Customer) == []


def test_values_are_opened_after_their_entry_and_as_they_were_sealed(world):
    file = world.file(world.origin())
    end = sealed_of(world, file, CreditFile.phone, CreditFile.unified_social_credit_code, CreditFile.bank_account)
    assert end.value == ["contact.phone", "identity.uscc"]
    assert end.opened == (PHONE, USCC)
    said = json.loads(world.leaves()[-1])
    assert said["fields"] == ["contact.phone", "identity.uscc"]
    assert said["purpose"] == "CREDIT_REVIEW"


def test_a_new_value_of_a_cell_is_its_next_version(world):
    origin = world.origin()
    file = world.file(origin)
    new = BasicInformation(phone="+8613900139000")
    for _ in range(2):
        world.do(UpdateBasicInformation(credit_file=file.id, origin=origin, basic=new))
    assert sealed_of(world, file, CreditFile.phone).opened == ("+8613900139000",)
    rows = world.database.fetch("SELECT value_version FROM sealed_field WHERE field_tag = 'contact.phone'")
    assert [tuple(row) for row in rows] == [(3,)]


def test_an_indexed_value_is_found_by_it_and_by_no_older_one(world):
    origin = world.origin()
    file = world.file(origin)
    find = Try(
        how=lambda unit: (unit.look_up(CreditFile.phone, PHONE), unit.look_up(CreditFile.phone, "+8613900139000"))
    )
    assert world.do(find) == ([file.id], [])
    world.do(UpdateBasicInformation(credit_file=file.id, origin=origin, basic=BasicInformation(phone="+8613900139000")))
    assert world.do(find) == ([], [file.id])


def test_a_value_of_another_type_is_no_value_of_the_field(world):
    file = world.file(world.origin())
    with pytest.raises(TypeError):
        world.do(Try(how=lambda unit: unit.seal(file, CreditFile.phone, 13800138000)))
    with pytest.raises(TypeError):
        world.do(Try(how=lambda unit: unit.look_up(CreditFile.legal_representative, "Li")))


def test_a_pseudonym_is_another_one_for_every_subject_and_tenant(world):
    world.open_tenant(OTHER_TENANT, "Other")
    file = world.file(world.origin())
    other = world.actor(tenant=OTHER_TENANT)
    made = {
        world.do(Try(how=lambda unit: unit.pseudonym(file.subject_id, "B1"))),
        world.do(Try(how=lambda unit: unit.pseudonym(file.subject_id, "B2"))),
        world.do(Try(how=lambda unit: unit.pseudonym(file.customer[:-1] + "0", "B1"))),
        world.do(Try(how=lambda unit: unit.pseudonym(file.subject_id, "B1")), other),
    }
    assert len(made) == 4
    assert world.do(Try(how=lambda unit: unit.pseudonym(file.subject_id, "B1"))) in made


def test_no_record_of_one_company_is_there_for_another(world):
    world.open_tenant(OTHER_TENANT, "Other")
    file = world.file(world.origin())
    other = world.actor(tenant=OTHER_TENANT)
    with pytest.raises(NotFound):
        world.do(Try(how=lambda unit: unit.get(CreditFile, file.id)), other)
    assert world.do(Try(how=lambda unit: unit.find(CreditFile)), other) == []
    assert world.do(Try(how=lambda unit: list(unit.select(CreditFile, ("id",)))), other) == []
    assert world.do(Try(how=lambda unit: unit.sealed([file], [CreditFile.phone])), other) == []
    assert world.do(Try(how=lambda unit: unit.look_up(CreditFile.phone, PHONE)), other) == []
    assert [found.id for found in world.current(Tenant, OTHER_TENANT)] == [OTHER_TENANT]


def test_a_unit_writes_rows_of_its_own_company_only(world):
    file = world.file(world.origin())
    stranger = replace(file, stamp=replace(file.stamp, tenant=OTHER_TENANT))
    with pytest.raises(AssertionError):
        world.do(Try(how=lambda unit: unit.add([stranger])))


def test_a_company_without_keys_takes_nothing(world):
    with pytest.raises(KeyUnavailable):
        world.do(Try(how=lambda unit: unit.pseudonym(TENANT, "x")), world.actor(tenant=OTHER_TENANT))


def test_the_opener_opens_what_the_warrant_names_and_nothing_else(world):
    file = world.file(world.origin())
    kept: list[SealedValue] = []
    world.do(Try(how=lambda unit: kept.extend(unit.sealed([file], [CreditFile.phone, CreditFile.email]))))
    receipt = sealed_of(world, file, CreditFile.phone).receipt
    opener, only = VaultOpener(world.room), frozenset({"contact.phone"})
    warrant = Warrant(receipt=receipt, tenant=TENANT, subjects=frozenset({file.subject_id}), tags=only)
    assert world.loop(opener.open(warrant, kept[:1])) == [PHONE]
    with pytest.raises(NotPermitted):
        world.loop(opener.open(warrant, kept))
    for moved in (kept[0]._replace(record=file.customer), kept[0]._replace(version=2)):
        with pytest.raises(Tampered):
            world.loop(opener.open(warrant, [moved]))
    masked = kept[0]._replace(masked=True)
    assert world.loop(opener.open(warrant, [masked]))[0].endswith("8000")


def test_a_value_moved_to_another_record_does_not_open(world):
    origin = world.origin()
    first = world.file(origin, basic=BasicInformation(phone=PHONE))
    second = world.file(origin, reference="C-2", basic=BasicInformation(phone="+8613900139000"))
    table = "sealed_field"
    world.database.execute(
        f"UPDATE {table} SET envelope = (SELECT envelope FROM {table} WHERE record_id = '{first.id}'), "  # noqa: S608 - made up here
        f"dek_id = (SELECT dek_id FROM {table} WHERE record_id = '{first.id}') WHERE record_id = '{second.id}'"
    )
    with pytest.raises((Tampered, KeyUnavailable)):
        sealed_of(world, second, CreditFile.phone)
    assert json.loads(world.leaves()[-1])["outcome"] == "FAILED"


def test_of_many_at_once_each_is_whole_and_the_log_names_each(world):
    origin = world.origin()
    before = len(world.leaves())

    async def many():
        opening = [
            OpenCreditFile(reference=f"C-{number % 20}", name="N", kind=PartyKind.ENTERPRISE, origin=origin)
            for number in range(40)
        ]
        gate, actor = world.gate, world.actor()
        return await asyncio.gather(*(gate.perform(one, actor) for one in opening), return_exceptions=True)

    ended = world.loop(many())
    refused = [end for end in ended if isinstance(end, Exception)]
    assert len(refused) == 20
    assert all(isinstance(error, Malformed) for error in refused)
    assert sorted(file.reference for file in world.current(CreditFile)) == sorted(f"C-{n}" for n in range(20))
    said = [json.loads(entry) for entry in world.leaves()[before:]]
    assert sorted(entry["outcome"] for entry in said) == ["DONE"] * 20 + ["INVALID"] * 20
    assert len({entry["id"] for entry in said}) == 40
    assert world.findings() == []


def test_a_new_process_goes_on_where_the_last_one_ended(world):
    file = world.file(world.origin())
    size = len(world.leaves())
    world.close()
    world.start()
    assert sealed_of(world, file, CreditFile.phone).opened == (PHONE,)
    assert len(world.leaves()) == size + 1
    assert world.findings() == []


def test_a_checkpoint_is_signed_within_a_second_of_growth(world):
    world.origin()
    size = len(world.leaves())
    world.clock.move(seconds=2)
    for _ in range(100):
        rows = world.database.fetch("SELECT max(size) FROM audit_checkpoint")
        if rows[0][0] == size:
            break
        world.loop(asyncio.sleep(0.05))
    assert rows[0][0] == size
    world.clock.move(days=-timedelta(days=1).days)
