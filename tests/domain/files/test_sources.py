"""Information comes from registered sources only, on a basis they may rest on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import Code, Malformed
from domain.files.opening import OpenCreditFile
from domain.files.parties import CreditFile, PartyKind
from domain.files.sources import LawfulBasis, Origin, RegisterSource, Source, SourceState, SourceType
from tests.world import NOW, OTHER_TENANT, World


@pytest.fixture
def world():
    return World()


def register(**changes):
    given = {"type": SourceType.REGISTRY, "name": "Registry", "lawful_bases": (LawfulBasis.LEGALLY_PUBLIC,)}
    return RegisterSource(**given | changes)


def opening(origin):
    return OpenCreditFile(reference="C-1", name="Yunfan", kind=PartyKind.ENTERPRISE, origin=origin)


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"name": "  "}, Code.MISSING_VALUE, ("name",)),
        ({"name": "a\nb"}, Code.MALFORMED, ("name",)),
        ({"name": "x" * 401}, Code.MALFORMED, ("name",)),
        ({"licence": "\0"}, Code.MALFORMED, ("licence",)),
        ({"stale_after_days": 0}, Code.MALFORMED, ("staleAfterDays",)),
    ],
)
def test_a_source_that_is_not_well_described_is_refused(world, changes, code, path):
    with pytest.raises(Malformed) as refusal:
        world.do(register(**changes))
    assert (refusal.value.code, refusal.value.path) == (code, path)
    assert refusal.value.advice
    assert world.current(Source) == []


def test_a_name_is_registered_once_per_company(world):
    world.do(register())
    with pytest.raises(Malformed) as refusal:
        world.do(register(name=" Registry "))
    assert (refusal.value.code, refusal.value.path) == (Code.CONFLICT, ("name",))
    assert world.do(register(), world.actor(tenant=OTHER_TENANT)).name == "Registry"


def test_a_source_without_a_lawful_basis_stays_proposed_and_nothing_from_it_is_accepted(world):
    source = world.do(register(lawful_bases=()))
    assert source.state is SourceState.PROPOSED
    with pytest.raises(Malformed) as refusal:
        world.do(opening(Origin(source=source.id, lawful_basis=LawfulBasis.CONTRACT)))
    assert (refusal.value.code, refusal.value.path) == (Code.UNLAWFUL_SOURCE, ("lawfulBasis",))


def test_a_basis_the_source_is_not_registered_for_is_refused(world):
    source = world.do(register())
    with pytest.raises(Malformed) as refusal:
        world.do(opening(Origin(source=source.id, lawful_basis=LawfulBasis.CONSENT)))
    assert refusal.value.code is Code.UNLAWFUL_SOURCE
    assert world.current(CreditFile) == []


@pytest.mark.parametrize("known", [False, True])
def test_an_unknown_source_and_that_of_another_company_are_refused_alike(world, known):
    origin = world.origin(tenant=OTHER_TENANT)
    if not known:
        origin = replace(origin, source=origin.source[:-1] + "z")
    with pytest.raises(Malformed) as refusal:
        world.do(opening(origin))
    assert (refusal.value.code, refusal.value.path) == (Code.UNKNOWN_SOURCE, ("source",))
    assert "registerSource" in refusal.value.advice


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"collected_at": NOW + timedelta(microseconds=1)}, Code.MALFORMED_DATE, ("collectedAt",)),
        ({"collected_at": NOW.replace(tzinfo=None)}, Code.MALFORMED_DATE, ("collectedAt",)),
        ({"evidence_digest": "A" * 64}, Code.MALFORMED_CODE, ("evidenceDigest",)),
        ({"evidence_digest": "a certificate of Mr Wang"}, Code.MALFORMED_CODE, ("evidenceDigest",)),
        ({"source_row": "\n"}, Code.MALFORMED, ("sourceRow",)),
    ],
)
def test_an_origin_that_is_not_well_formed_is_refused(world, changes, code, path):
    with pytest.raises(Malformed) as refusal:
        world.do(opening(replace(world.origin(), **changes)))
    assert (refusal.value.code, refusal.value.path) == (code, path)


def test_what_is_recorded_says_where_it_came_from(world):
    origin = replace(world.origin(), collected_at=NOW - timedelta(days=1), evidence_digest="a" * 64)
    file = world.do(opening(origin), world.actor("li"))
    assert (file.source, file.lawful_basis, file.collector) == (origin.source, LawfulBasis.CONTRACT, "li")
    assert (file.collected_at, file.evidence_digest) == (NOW - timedelta(days=1), "a" * 64)
