"""Nothing in the read schema is beyond the compiler: every field, link, filter and order, on both dialects."""

from __future__ import annotations

import pytest
from graphql import get_named_type, get_nullable_type

from api.graphql.generation.inputs import OPERATORS
from domain.actors import Rights
from domain.ports import Scope
from domain.reading import Labelled, Level, Link, Page, Reading, Slot, Times, Where, judge
from domain.records import SHAPES
from tests.oracle.naive import SCHEMA, snake
from tests.vault.corpus import NOW, Corpus
from tests.vault.shelf import Shelf
from tests.vault.wishes import Everything

ALL = Rights(id=1, version="v", allowed=Everything())
RECORDS = tuple(name for name in SHAPES if f"{name}Connection" in SCHEMA.type_map)
VALUES = {"String": "a", "ID": "cf_" + "0" * 26, "Int": 1, "Boolean": True, "Date": NOW.date(), "DateTime": NOW}


@pytest.fixture(scope="module")
def shelf(read_database):
    return Shelf(read_database, Corpus(7))


def run(shelf, level, *arguments):
    """The database takes every statement of a level."""
    steps = shelf.readings.prepare(judge(Reading((Labelled("all", level),)), ALL))
    return shelf.database.run(shelf.corpus.tenants[0], steps.run(Scope(tenant=shelf.corpus.tenants[0]), arguments, NOW))


def paged(shape, **more):
    """A page of a record."""
    return Level(shape=shape, facts=(Labelled("id", "id"),), page=Page(Slot(0), wants_total=True), **more)


def conditions(name):
    """Every condition that the published filter of a record knows, with a value."""
    filters = SCHEMA.get_type(f"{name}Filter")
    for key, one in (filters.fields if filters else {}).items():
        for word, offered in get_nullable_type(one.type).fields.items():
            leaf = get_named_type(offered.type)
            value = VALUES.get(leaf.name) or next(iter(leaf.values))
            yield snake(SHAPES[name], key), OPERATORS[word], (value,) if word == "in" else value


@pytest.mark.parametrize("name", RECORDS)
def test_every_filter_compiles_alone_and_behind_every_link(shelf, name):
    found = list(conditions(name))
    for column, operator, value in found:
        assert "all" in run(shelf, paged(SHAPES[name], where=(Where(column, operator, Slot(1)),)), 3, value).answer
    wheres = tuple(Where(column, operator, Slot(place)) for place, (column, operator, _) in enumerate(found, 1))
    values = [value for _, _, value in found]
    for shape in SHAPES.values():
        for way in shape.children.values():
            if way.target == name:
                inner = paged(SHAPES[name], where=wheres)
                outer = paged(shape, links=(Labelled("way", Link(way, inner)),))
                assert "all" in run(shelf, outer, 3, *values).answer


@pytest.mark.parametrize("name", RECORDS)
def test_every_order_compiles_in_both_directions_and_at_every_time(shelf, name):
    orders = SCHEMA.get_type(f"{name}OrderField")
    for word in orders.values if orders else ():
        for descending in (False, True):
            for times in (Times(), Times(Slot(1)), Times(None, Slot(1)), Times(Slot(1), Slot(1))):
                level = paged(SHAPES[name], order=((word.lower(), descending),), times=times)
                assert "all" in run(shelf, level, 3, NOW).answer


@pytest.mark.parametrize("name", SHAPES)
def test_every_fact_link_mask_and_computed_field_compiles(shelf, name):
    shape = SHAPES[name]
    ways = [*(fact for fact in shape.facts.values() if fact.target), *shape.children.values()]
    links = tuple(
        Labelled(way.name, Link(way, paged(SHAPES[way.target]) if way.name in shape.children else bare(way)))
        for way in ways
    )
    level = Level(
        shape=shape,
        facts=tuple(Labelled(key, key) for key in ("id", *shape.facts)),
        masks=tuple(Labelled(f"{key}Masked", one) for key, one in shape.confidential.items() if one.mask),
        computed=tuple(Labelled(key, one) for key, one in shape.computed.items()),
        links=links,
        page=Page(Slot(0), wants_total=True),
    )
    assert "all" in run(shelf, level, 3).answer


def bare(way):
    """The one record behind a link."""
    return Level(shape=SHAPES[way.target], facts=(Labelled("id", "id"),))
