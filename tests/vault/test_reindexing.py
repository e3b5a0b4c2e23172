"""The next version of a blind index is built while people search and write, and nothing is lost at any step."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from api.jobs.reindexing import Reindexing
from domain.errors import Conflict, Malformed
from domain.files.identifying import identifiers, reindexing
from domain.files.identifying.identifiers import NORMALISERS, Exact, Normaliser
from domain.files.identifying.reindexing import BeginIndex, BuildIndex, DropIndex, TakeIndex
from domain.files.opening import BasicInformation, UpdateBasicInformation
from domain.files.parties import CreditFile
from domain.operations import OPERATIONS
from domain.records import TAGS
from tests.vault.trying import Try
from tests.world import OTHER_TENANT, TENANT

TAG = CreditFile.phone.tag
STEPS = (BeginIndex, *[BuildIndex] * 5, TakeIndex, *[DropIndex] * 5)
"""Every step of one rebuilding of seven values, two at a time."""


@pytest.fixture(autouse=True)
def _declared(monkeypatch):
    monkeypatch.setitem(OPERATIONS, "Try", Try)
    monkeypatch.setattr(reindexing, "AT_ONCE", 2)


@pytest.fixture
def origin(world):
    return world.origin()


def phone(place):
    return f"+861380013800{place}"


@pytest.fixture
def files(world, origin):
    """Seven files with a phone each."""
    return [world.file(origin, f"C-{place}", BasicInformation(phone=phone(place))) for place in range(7)]


def found(world, number):
    """The files that have a phone."""
    return world.do(Try(how=lambda unit: unit.look_up(CreditFile.phone, number)))


def versions(world):
    """How many tokens there are of each version of the phone index."""
    rows = world.database.fetch(
        f"SELECT ver, count(*) FROM blind_index WHERE field_tag = '{TAG}' GROUP BY ver ORDER BY ver"  # noqa: S608 - ours
    )
    return {row[0]: row[1] for row in rows}


def rebuild(world, *tenants):
    """The whole way, as the command goes it."""
    job = Reindexing(world.gate, lambda tenant: world.actor(tenant=tenant))
    return world.loop(job.run(tenants or (TENANT,), [TAG], lambda _share, _word: None))


def step(world, kind):
    return world.do(kind(field=TAG))


def test_at_every_step_everything_is_found_and_written_values_with_it(world, files, origin):
    expected = {phone(place): [file.id] for place, file in enumerate(files)}
    for number, kind in enumerate(STEPS):
        step(world, kind)
        fresh = f"+86139001390{number:02}"
        moved = files[number % 7]
        update = UpdateBasicInformation(credit_file=moved.id, origin=origin, basic=BasicInformation(phone=fresh))
        expected = {value: [id_ for id_ in held if id_ != moved.id] for value, held in expected.items()}
        expected[fresh] = [moved.id]
        world.do(update)
        opened = world.file(origin, f"N-{number}", BasicInformation(phone=f"+86137001370{number:02}"))
        expected[f"+86137001370{number:02}"] = [opened.id]
        assert {value: found(world, value) for value in expected} == expected, kind
        assert [one for one in world.findings() if one.kind.startswith("INDEX")] == []
    assert set(versions(world)) == {2}


@pytest.mark.parametrize("done", range(len(STEPS) + 1))
def test_broken_off_after_any_step_it_is_brought_to_its_end(world, files, done):
    for kind in STEPS[:done]:
        step(world, kind)
    before = versions(world)
    (ended,) = rebuild(world)
    assert versions(world) == {ended.version: 7}
    begun_anew = done == 0 or set(before) == {2}
    assert ended.version == (3 if done and begun_anew else 2)
    assert [found(world, phone(place)) for place in range(7)] == [[file.id] for file in files]
    assert world.findings() == []


def test_a_step_that_fails_leaves_what_was_there_and_is_done_again(world, files, monkeypatch):
    step(world, BeginIndex)
    step(world, BuildIndex)
    before = versions(world)
    seen = []

    def refusing(text):
        seen.append(text)
        if len(seen) > 1:
            raise Malformed("It is not well formed.")
        return text

    known = {**NORMALISERS, "phone/1": Normaliser(refusing)}
    monkeypatch.setattr(identifiers, "NORMALISERS", known)
    with pytest.raises(Conflict) as caught:
        step(world, BuildIndex)
    assert phone(3) not in str(caught.value) + caught.value.advice
    assert caught.value.__context__ is None
    monkeypatch.undo()
    monkeypatch.setattr(reindexing, "AT_ONCE", 2)
    assert versions(world) == before
    rebuild(world)
    assert versions(world) == {2: 7}
    assert files


def test_a_new_normaliser_takes_effect_with_the_version_that_is_built_by_it(world, files, monkeypatch):
    known = {**NORMALISERS, "phone/2": Normaliser(lambda text: NORMALISERS["phone/1"].write(text)[-8:])}
    monkeypatch.setattr(identifiers, "NORMALISERS", known)
    renamed = replace(TAGS[TAG], index=Exact(normaliser="phone/2"))
    monkeypatch.setitem(TAGS, TAG, renamed)
    other = f"+86139{phone(0)[-8:]}"
    assert found(world, phone(0)) == [files[0].id]
    assert found(world, other) == []
    rebuild(world)
    assert found(world, other) == [files[0].id]
    assert world.findings() == []


def test_nothing_is_taken_while_a_token_is_missing(world, files):
    step(world, BeginIndex)
    while step(world, BuildIndex):
        pass
    world.database.execute(f"DELETE FROM blind_index WHERE ver = 2 AND record_id = '{files[3].id}'")  # noqa: S608 - ours
    with pytest.raises(Conflict, match="1 values"):
        step(world, TakeIndex)
    assert found(world, phone(4)) == [files[4].id]
    rebuild(world)
    assert versions(world) == {2: 7}


def test_writers_and_a_rebuilding_at_once_lose_nothing(world, files, origin):
    async def all_at_once():
        job = Reindexing(world.gate, lambda tenant: world.actor(tenant=tenant))
        updates = [
            UpdateBasicInformation(
                credit_file=file.id, origin=origin, basic=BasicInformation(phone=f"+8615900159{turn}{place:02}")
            )
            for turn in range(3)
            for place, file in enumerate(files)
        ]

        async def update(one):
            await asyncio.sleep(0.001)
            await world.gate.perform(one, world.actor())

        running = job.run([TENANT], [TAG], lambda _share, _word: None)
        await asyncio.gather(running, *map(update, updates), return_exceptions=False)

    world.loop(all_at_once())
    assert set(versions(world)) == {2}
    assert world.findings() == []


@pytest.mark.parametrize("done", [0, 2, 5, 7])
def test_no_token_of_an_erased_customer_survives_or_comes_back(world, files, done):
    for kind in STEPS[:done]:
        step(world, kind)
    gone = files[4]
    world.do(Try(how=lambda unit: unit.destruction.shred(gone.subject_id, ["contact"])))
    rebuild(world)
    rows = world.database.fetch(f"SELECT 1 FROM blind_index WHERE subject = '{gone.subject_id}'")  # noqa: S608 - ours
    assert list(rows) == []
    assert found(world, phone(4)) == []
    assert sum(versions(world).values()) == 6


def test_each_company_has_its_own_version(world, files):
    world.open_tenant(OTHER_TENANT, "Another")
    assert [(one.company, one.version, one.looked_at) for one in rebuild(world, TENANT, OTHER_TENANT)] == [
        (TENANT, 2, 7),
        (OTHER_TENANT, 2, 0),
    ]
    assert rebuild(world)[0].version == 3
    assert files


def test_every_step_has_an_entry_that_names_the_field_and_no_value(world, files):
    before = len(world.leaves())
    rebuild(world)
    leaves = [leaf.decode() for leaf in world.leaves()[before:]]
    assert all('"action":"index:rebuild"' in leaf for leaf in leaves)
    assert sum(f'"{TAG}"' in leaf for leaf in leaves) == 4
    assert not any(phone(place) in leaf for leaf in leaves for place in range(7))
    assert files


def test_a_field_without_an_index_is_refused_with_those_that_have_one(world):
    with pytest.raises(Malformed) as caught:
        world.do(BeginIndex(field="rating.band"))
    assert TAG in caught.value.advice


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("DELETE FROM blind_index WHERE record_id = '{file}'", "INDEX_MISSING"),
        ("UPDATE blind_index SET ver = 9 WHERE record_id = '{file}'", "INDEX_MISSING"),
        ("UPDATE blind_index SET token = {other} WHERE record_id = '{file}'", "INDEX_WRONG"),
        ("UPDATE blind_index SET record_id = 'cf_nobody' WHERE record_id = '{file}'", "INDEX_ORPHAN"),
        ("UPDATE blind_index_state SET field_tag = 'contact.none' WHERE field_tag = 'contact.phone'", "INDEX_UNKNOWN"),
    ],
)
def test_a_token_that_does_not_fit_is_found(world, files, statement, kind):
    other = f"(SELECT token FROM blind_index WHERE record_id = '{files[1].id}')"  # noqa: S608 - ours
    world.database.execute(statement.format(file=files[0].id, other=other))
    findings = [finding for finding in world.findings() if finding.kind == kind]
    assert len(findings) == 1
    assert "380013" not in findings[0].says


def test_values_that_are_less_different_than_declared_are_found(world, origin):
    for place in range(100):
        shared = phone(0) if place % 2 else f"+861370013{place:04}"
        world.file(origin, f"C-{place}", BasicInformation(phone=shared))
    (crowd,) = world.findings()
    assert (crowd.kind, crowd.place) == ("INDEX_CROWDED", TAG)
    assert "Of 100 values 51 are different" in crowd.says
