"""A sealed value or a wrapped key that is moved in the database to any other place does not open there."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace

import pytest

from domain.actors import Rights
from domain.errors import CreditError, KeyUnavailable, Tampered
from domain.files.opening import BasicInformation, UpdateBasicInformation
from domain.files.parties import CreditFile
from domain.gate import Gate, Plan
from domain.ids import raw
from domain.operations import OPERATIONS, Decided
from domain.reading import Labelled, Level, Purpose, Reading, Reveal, Slot, Where, judge
from tests.vault.trying import Try
from tests.world import OTHER_TENANT, PHONE, TENANT
from vault.store.reading import SqlReadings, celled

FIELDS = (CreditFile.phone, CreditFile.legal_representative)
COLUMNS = ("value_version", "subject", "data_class", "dek_id", "schema_version", "envelope")


@pytest.fixture(autouse=True)
def _declared(monkeypatch):
    monkeypatch.setitem(OPERATIONS, "Try", Try)


@pytest.fixture
def files(world):
    """Two files of one company and one of another; a value of the first is in its second version."""
    world.open_tenant(OTHER_TENANT, "Another")
    basic = BasicInformation(phone=PHONE, legal_representative="Li")
    first = world.file(world.origin(), "C-1", basic)
    second = world.file(world.origin("again"), "C-2", basic)
    update = UpdateBasicInformation(
        credit_file=first.id, origin=world.origin("new"), basic=BasicInformation(phone=PHONE)
    )
    world.do(update)
    return first, second, world.file(world.origin("theirs", OTHER_TENANT), "C-1", basic, OTHER_TENANT)


def cells(world, files):
    """Every cell as it is stored, by file and tag."""
    found = {}
    for file in files:
        for field in FIELDS:
            query = f"SELECT {', '.join(COLUMNS)} FROM sealed_field WHERE record_id = '{file.id}' AND field_tag = '{field.tag}'"  # noqa: E501, S608 - our own ids
            found[file, field] = tuple(world.database.fetch(query)[0])
    return found


def put(world, file, field, row):
    """Writes a row over a cell, past everything but the database."""
    mark = "?" if world.database.dialect == "sqlite" else None
    marks = [f"{name} = {mark or f'${place}'}" for place, name in enumerate(COLUMNS, 1)]
    where = f"record_id = '{file.id}' AND field_tag = '{field.tag}'"
    world.database.execute(f"UPDATE sealed_field SET {', '.join(marks)} WHERE {where}", *row)  # noqa: S608 - our own ids


def opened(world, file, field):
    """The value of a cell, through the Gate."""

    def load(unit):
        sealed = unit.sealed([unit.get(CreditFile, file.id)], [field])
        return Decided(value=None, reveals=tuple(sealed), purpose="CREDIT_REVIEW")

    return world.perform(Try(how=load), world.actor(tenant=file.stamp.tenant)).opened


def read(world, file, field):
    """The same as a query asks for it: a key that is ready is not loaded again."""
    rights = Rights(id=1, version="v", allowed=dict.fromkeys((CreditFile.shape.read, field.data_class.action), "rule"))
    reveal = Reveal(purpose=Purpose.CREDIT_REVIEW, fields=(Labelled("value", field),))
    level = Level(
        shape=CreditFile.shape, where=(Where("id", "=", Slot(0)),), reveals=(Labelled("confidential", reveal),)
    )
    judged = judge(Reading((Labelled("file", level),)), rights)
    plan = Plan(judged=judged, steps=SqlReadings(world.database.dialect, world.ring).prepare(judged))
    grants = SimpleNamespace(rights=lambda _: rights, notice=world.grants.notice)
    gate = Gate(grants=grants, store=world.store, opener=world.gate._opener, clock=world.clock, make=world.ids)
    answer = world.loop(gate.read(plan, world.actor("reader", tenant=file.stamp.tenant), [file.id]))
    return (answer["file"]["confidential"]["value"],)


def test_a_reader_finds_keys_ready_until_any_of_the_company_ends(world, files, monkeypatch):
    stored, loaded = cells(world, files), []
    statement = celled.sealed_with_keys
    monkeypatch.setattr(celled, "sealed_with_keys", lambda dialect: loaded.append(dialect) or statement(dialect))
    world.ring.forget(raw(TENANT))
    mine = [(file, field) for file, field in stored if file.stamp.tenant == TENANT]
    for _ in range(3):
        assert [read(world, *place) for place in mine] == [(PHONE,), ("Li",)] * 2
    assert len(loaded) == len(mine)
    world.database.execute("UPDATE vault_key SET generation = generation + 1")
    assert read(world, *mine[0]) == (PHONE,)
    assert len(loaded) == len(mine) + 1
    world.database.execute("DELETE FROM vault_dek_wrap")
    assert read(world, *mine[0]) == (PHONE,)
    world.database.execute("UPDATE vault_key SET generation = generation + 1")
    with pytest.raises(KeyUnavailable):
        read(world, *mine[0])


@pytest.mark.parametrize("opened", [opened, read], ids=["by an operation", "by a query"])
@pytest.mark.parametrize("whole", [True, False], ids=["the whole row", "the envelope and its key"])
def test_no_cell_opens_in_the_place_of_any_other(world, files, whole, opened):
    stored = cells(world, files)
    assert [opened(world, *place) for place in stored] == [(PHONE,), ("Li",)] * 3
    for place, other in permutations(stored, 2):
        moved = list(stored[other])
        if not whole:
            moved[:3] = stored[place][:3]
        put(world, *place, moved)
        with pytest.raises((Tampered, KeyUnavailable)):
            opened(world, *place)
        put(world, *place, stored[place])
    assert [opened(world, *place) for place in stored] == [(PHONE,), ("Li",)] * 3


@pytest.mark.parametrize("opened", [opened, read], ids=["by an operation", "by a query"])
@pytest.mark.parametrize("part", [0, 4], ids=["version", "schema"])
def test_a_cell_does_not_open_as_another_version_of_itself(world, files, part, opened):
    stored = cells(world, files)
    assert [opened(world, *place) for place in stored] == [(PHONE,), ("Li",)] * 3
    for place, row in stored.items():
        other = list(row)
        other[part] += 1
        put(world, *place, other)
        with pytest.raises(Tampered):
            opened(world, *place)
        put(world, *place, row)


def test_no_wrapped_key_unwraps_in_the_place_of_any_other(world, files):
    keys = world.database.fetch("SELECT tenant, dek_id, wrapped FROM vault_dek_wrap ORDER BY tenant, dek_id")
    mine = {bytes(row[3]) for row in cells(world, files).values()}
    keys = [(tenant, bytes(dek), bytes(wrapped)) for tenant, dek, wrapped in keys if bytes(dek) in mine]
    assert {tenant for tenant, _, _ in keys} == {TENANT, OTHER_TENANT}
    places = {bytes(row[3]): place for place, row in cells(world, files).items()}
    one, two = ("?", "?") if world.database.dialect == "sqlite" else ("$1", "$2")
    change = f"UPDATE vault_dek_wrap SET wrapped = {one} WHERE dek_id = {two}"  # noqa: S608 - marks of parameters
    for (_, dek, wrapped), (_, _, other) in permutations(keys, 2):
        world.database.execute(change, other, dek)
        with pytest.raises(CreditError) as caught:
            opened(world, *places[dek])
        assert isinstance(caught.value, Tampered)
        world.database.execute(change, wrapped, dek)
    assert all(opened(world, *place) for place in places.values())
