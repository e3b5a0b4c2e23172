"""Random readings over records of every kind give what the naive interpreter gives, on both databases."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.actors import Rights
from domain.ports import Scope
from domain.reading import Labelled, Level, Link, Page, Reading, Slot, judge
from domain.records import SHAPES
from tests.vault.corpus import NOW, Corpus
from tests.vault.oracle import Oracle, compare, keys, whole
from tests.vault.shelf import Shelf, opened
from tests.vault.wishes import Everything, Wishing, wishes

CORPORA = {seed: Corpus(seed) for seed in (7, 8)}
ALL = Rights(id=1, version="v", allowed=Everything())
PATIENT = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def shelves(read_database):
    return {seed: Shelf(read_database, corpus) for seed, corpus in CORPORA.items()}


@pytest.fixture(params=CORPORA)
def shelf(shelves, request):
    return shelves[request.param]


def counted(steps, run):
    """How many statements a run fetches, each answered by `run`."""
    count, rows = 0, None
    try:
        while True:
            fetch = steps.send(rows)
            rows, count = run(fetch), count + 1
    except StopIteration:
        return count


def test_random_readings_give_what_the_naive_interpreter_gives(shelf):
    @PATIENT
    @given(wishes(shelf.corpus))
    def check(wish):
        draft = shelf.read(wish.judged, wish.scope, wish.arguments)
        oracle = Oracle(shelf.corpus.records, shelf.corpus.cells, wish.scope, wish.arguments, NOW)
        assert opened(draft) == oracle.answer(wish.judged.reading)
        assert set(draft.subjects) == oracle.subjects
        assert set(draft.resources) == oracle.resources
        assert len(set(draft.subjects)) == len(draft.subjects)
        assert {(item.record, item.field.tag, item.masked) for item in draft.sealed} == oracle.opened
        assert len(draft.sealed) == len(oracle.opened)

    check()


def test_the_number_of_statements_follows_from_the_reading_alone(shelf):
    @PATIENT
    @given(wishes(shelf.corpus))
    def check(wish):
        steps = shelf.readings.prepare(wish.judged)
        everybody = Scope(tenant=wish.scope.tenant)
        cold: list[str] = []

        def fetch(one):
            cold.extend(["vault_dek_wrap"] if "vault_dek_wrap" in one.sql else [])
            return shelf.fetch(one)

        found = counted(steps.run(everybody, wish.arguments, NOW), fetch)
        none = counted(steps.run(wish.scope, wish.arguments, NOW), lambda _: [])
        assert found - len(cold) == none == expected(wish.judged.reading)

    check()


def expected(reading):
    """One per level, one for a total, one for the open cells of a level, one for the day if asked; keys come beside."""
    return any(level.computed for level in reading.levels()) + sum(
        1 + bool(level.page and level.page.wants_total) + bool(level.masks or any(map(open_fields, level.reveals)))
        for level in reading.levels()
    )


def open_fields(reveal):
    """Whether something of a reveal is not closed."""
    closed = dict(reveal.what.closed)
    return [item for item in reveal.what.fields if item.what.name not in closed]


def test_every_link_of_every_record_can_be_followed(shelf):
    tenant = shelf.corpus.tenants[0]
    for shape in SHAPES.values():
        ways = [*(fact for fact in shape.facts.values() if fact.target), *shape.children.values()]
        for way in ways:
            many = way.name in shape.children
            there = Level(shape=SHAPES[way.target], facts=(Labelled("id", "id"),), page=Page(Slot(0)) if many else None)
            level = Level(shape=shape, links=(Labelled("way", Link(way, there)),), page=Page(Slot(0)))
            judged = judge(Reading((Labelled("all", level),)), ALL)
            oracle = Oracle(shelf.corpus.records, set(), Scope(tenant=tenant), [50], NOW)
            assert opened(shelf.read(judged, Scope(tenant=tenant), [50])) == oracle.answer(judged.reading)


def test_cursors_walk_every_list_exactly_once_under_every_order(shelf):
    @PATIENT
    @given(st.data())
    def check(data):
        tenant = data.draw(st.sampled_from(shelf.corpus.tenants))
        shape = data.draw(st.sampled_from(list(SHAPES.values())))
        columns = data.draw(st.lists(st.sampled_from(Wishing.comparable(shape)), max_size=3))
        order = tuple((name, data.draw(st.booleans())) for name in columns)
        size = data.draw(st.integers(1, 4))
        page = Page(Slot(0), Slot(1), wants_total=True)
        level = Level(shape=shape, facts=(Labelled("id", "id"),), order=order, page=page)
        judged = judge(Reading((Labelled("all", level),)), ALL)
        walked = walk(shelf, judged, tenant, size)
        rows = [row for row in shelf.corpus.records if row.shape is shape and row.stamp.tenant == tenant]
        rows = [row for row in rows if row.stamp.superseded_at is None]
        assert sorted(walked) == sorted(row.id for row in rows)
        by_id = {row.id: row for row in rows}
        total = whole(order)
        for one, next_ in pairwise(walked):
            assert compare(total, keys(total, by_id[one]), keys(total, by_id[next_])) < 0

    check()


def walk(shelf, judged, tenant, size):
    """The ids of a list, page by page."""
    ids, cursor, more = [], None, True
    while more:
        draft = shelf.read(judged, Scope(tenant=tenant), [size, cursor])
        page = draft.answer["all"]
        assert page["earlier"] is (cursor is not None)
        ids += [row["id"] for row in page["rows"]]
        more = page["more"]
        assert not more or len(page["rows"]) == size
        cursor = page["cursors"][-1] if page["cursors"] else None
    assert page["total"] == len(ids)
    return ids
