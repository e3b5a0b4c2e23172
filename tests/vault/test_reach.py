"""How far a member of staff reaches: a list holds exactly what the check of each record allows; on both databases."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.actors import Rights
from domain.persons.reach import Extent, Reach, Way, extent_of, way_of
from domain.persons.within import reaches
from domain.ports import Scope
from domain.reading import Labelled, Level, Link, Page, Reading, Slot, judge
from domain.records import SHAPES
from tests.vault.corpus import NOW, Corpus
from tests.vault.shelf import Shelf
from tests.vault.wishes import Everything, limits

CORPUS = Corpus(29, size=8)
HOME = CORPUS.tenants[0]
RIGHTS = Rights(id=1, version="v", allowed=Everything())
OWNED = "customer_account_owner"
INDEXES = {Extent.OWN: (OWNED,), Extent.DEPARTMENT: (OWNED, "customer_department")}
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def shelf(read_database):
    return Shelf(read_database, CORPUS)


class Unit:
    """The current records of a company, found by their id."""

    def find(self, record, *, id):  # noqa: A002 - the word of the ports
        """The record, if it is there."""
        return [one for one in current(record.shape) if one.id == id]


def current(shape):
    """The current records of a kind."""
    rows = (one for one in CORPUS.records if one.shape is shape and one.stamp.tenant == HOME)
    return [one for one in rows if shape.ledger or one.stamp.superseded_at is None]


def listing(shape, **more):
    """A page of ids, with how many there are."""
    return Level(shape=shape, facts=(Labelled("id", "id"),), page=Page(Slot(0), wants_total=True), **more)


def read(shelf, level, reach):
    """A page."""
    judged = judge(Reading((Labelled("page", level),)), RIGHTS)
    return shelf.read(judged, Scope(tenant=HOME, reach=reach), [100]).answer["page"]


@given(reach=limits(CORPUS, HOME), name=st.sampled_from(sorted(SHAPES)))
@PATIENT
def test_a_list_holds_exactly_what_the_check_of_each_record_allows(shelf, reach, name):
    page = read(shelf, listing(SHAPES[name]), reach)
    allowed = {one.id for one in current(SHAPES[name]) if reaches(Unit(), reach, one)}
    assert {row["id"] for row in page["rows"]} == allowed
    assert page["total"] == len(allowed)


@given(reach=limits(CORPUS, HOME))
@PATIENT
def test_what_a_file_leads_to_is_within_reach_as_well(shelf, reach):
    for name, by in SHAPES["CreditFile"].children.items():
        target = SHAPES[by.target]
        level = listing(SHAPES["CreditFile"], links=(Labelled(name, Link(by, listing(target))),))
        allowed = {one.id for one in current(target) if reaches(Unit(), reach, one)}
        for row in read(shelf, level, reach)["rows"]:
            assert {child["id"] for child in row[name]["rows"]} <= allowed


def test_limits_let_something_through_and_hold_something_back():
    owner = next(one.account_owner for one in current(SHAPES["Customer"]) if one.account_owner)
    found = [reaches(Unit(), Reach(owner=owner), one) for one in current(SHAPES["CreditFile"])]
    assert True in found
    assert False in found


def many(shelf):
    """Twenty thousand more customers with their files, as PostgreSQL plans by how many there are."""
    facts = {"CreditFile": ("cf", "'customer', 'cu_' || n"), "Customer": ("cu", "'account_owner', n % 999")}
    for name, (prefix, more) in facts.items():
        shape, one = SHAPES[name], current(SHAPES[name])[0].id
        key = f"'id', '{prefix}_' || n, 'subject_id', 'cu_' || n, 'reference', 'many ' || n"
        shelf.database.execute(
            f"INSERT INTO {shape.table} SELECT (jsonb_populate_record(o, jsonb_build_object({key}, {more}))).* "  # noqa: S608 - written here
            f"FROM {shape.table} o, generate_series(1, 20000) n WHERE o.id = '{one}' AND o.superseded_at IS NULL"
        )
        shelf.database.execute(f"ANALYZE {shape.table}")


def test_a_limit_follows_an_index(database):
    shelf = Shelf(database, CORPUS)
    if database.dialect == "postgresql":
        many(shelf)
    judged = judge(Reading((Labelled("page", listing(SHAPES["CreditFile"])),)), RIGHTS)
    steps = shelf.readings.prepare(judged)
    for extent, indexes in INDEXES.items():
        department = CORPUS.ids[HOME, "Department"][0] if extent is Extent.DEPARTMENT else None
        fetch = next(steps.run(Scope(tenant=HOME, reach=Reach(owner="7", department=department)), [100], NOW))
        explain = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
        plan = "\n".join(str(row[-1]) for row in database.fetch(f"{explain} {fetch.sql}", fetch.parameters))
        assert not re.search(r"\bSCAN customer\b|Seq Scan", plan), plan
        assert all(index in plan for index in indexes), plan


def test_the_ways_to_a_customer_are_these():
    ways = {name: way_of(shape)[0] for name, shape in SHAPES.items()}
    assert ways["Customer"] is ways["Assessment"] is ways["AccessEntry"] is Way.SUBJECT
    assert ways["CreditFile"] is ways["ContactPerson"] is Way.CUSTOMER
    assert ways["StatutoryDisclosure"] is ways["BrokenGlass"] is Way.FILE
    assert ways["CreditPolicy"] is ways["Partner"] is Way.NOBODY
    assert ways["AuditEntry"] is Way.EVERYBODY


@given(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(Extent)),
    st.sets(st.sampled_from("abcd")),
    st.sampled_from("abcd"),
)
def test_a_further_role_never_widens_a_reach(extents, roles, further):
    order = [Extent.ALL, Extent.DEPARTMENT, Extent.OWN]
    assert order.index(extent_of(roles | {further}, extents)) >= order.index(extent_of(roles, extents))
