"""Whose rows a reading finds, what it refuses, and what it hands on unopened; on both databases."""

from __future__ import annotations

import base64
import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actors import Rights
from domain.errors import Malformed
from domain.ids import Id
from domain.ports import Scope
from domain.reading import (
    NOT_GRANTED,
    Labelled,
    Level,
    Link,
    Page,
    Purpose,
    Reading,
    Reveal,
    Slot,
    Times,
    Where,
    judge,
)
from domain.records import SHAPES, STAMP_FIELDS, Computed, DataClass
from tests.vault.corpus import NOW, Corpus
from tests.vault.shelf import RING, Shelf, cell_of, opened
from tests.vault.wishes import Everything
from vault.store.material import Material
from vault.store.reading import SqlReadings
from vault.store.reading.columns import Unsupported

CORPUS = Corpus(11)
HOME, AWAY = CORPUS.tenants
FILE, ASSESSMENT, CONSENT = SHAPES["CreditFile"], SHAPES["Assessment"], SHAPES["Consent"]
ID = (Labelled("id", "id"),)


@pytest.fixture(scope="module")
def shelf(read_database):
    return Shelf(read_database, CORPUS)


def judged(*levels, but=()):
    """A judged reading of some levels, under all rights but a few."""
    rights = Rights(id=1, version="v", allowed=Everything(but))
    return judge(Reading(tuple(Labelled(f"r{place}", level) for place, level in enumerate(levels))), rights)


def current(shape, tenant=HOME):
    """The current records of a tenant."""
    rows = [row for row in CORPUS.records if row.shape is shape and row.stamp.tenant == tenant]
    return sorted((row for row in rows if row.stamp.superseded_at is None), key=lambda row: row.id)


def listed(shape, **more):
    """A page of ids."""
    return Level(shape=shape, facts=ID, page=Page(Slot(0)), **more)


def ids(page):
    """The ids of a page."""
    return [row["id"] for row in page["rows"]]


def strings(part):
    """Every text in an answer."""
    if isinstance(part, dict):
        return {text for item in part.values() for text in strings(item)}
    if isinstance(part, list):
        return {text for item in part for text in strings(item)}
    return {part} if isinstance(part, str) else set()


def test_no_reading_finds_another_tenants_rows(shelf):
    away = {row.id for row in CORPUS.records if row.stamp.tenant == AWAY}
    for shape in SHAPES.values():
        fact = [item for item in shape.facts.values() if item.target]
        ways = [
            *(Labelled(item.name, Link(item, Level(shape=SHAPES[item.target], facts=ID))) for item in fact),
            *(Labelled(item.name, Link(item, listed(SHAPES[item.target]))) for item in shape.children.values()),
        ]
        by_id = Level(shape=shape, facts=ID, where=(Where("id", "in", Slot(1)),), page=Page(Slot(0)))
        draft = shelf.read(judged(listed(shape, links=tuple(ways)), by_id), Scope(tenant=HOME), [50, tuple(away)])
        assert not strings(draft.answer) & away
        assert not {*draft.subjects, *draft.resources} & away
        assert draft.answer["r1"]["rows"] == []


def test_a_partner_finds_the_rows_that_name_it_itself_and_nothing_else(shelf):
    partner = next(
        row.partner for row in current(CONSENT) if row.partner in {item.id for item in current(SHAPES["Partner"])}
    )
    shapes = list(SHAPES.values())
    draft = shelf.read(judged(*map(listed, shapes)), Scope(tenant=HOME, partner=partner), [50])
    for place, shape in enumerate(shapes):
        named = [row.id for row in current(shape) if shape.partner_reach and row.partner == partner]
        mine = [partner] if shape.name == "Partner" else named
        assert ids(draft.answer[f"r{place}"]) == mine


def test_a_customer_finds_the_rows_about_itself_and_nothing_else(shelf):
    subject = current(FILE)[0].subject_id
    shapes = list(SHAPES.values())
    draft = shelf.read(judged(*map(listed, shapes)), Scope(tenant=HOME, subject=subject), [50])
    assert ids(draft.answer[f"r{shapes.index(FILE)}"])
    for place, shape in enumerate(shapes):
        mine = [
            row.id
            for row in current(shape)
            if shape.shown_to_all or (shape.subject_reach and row.subject_id == subject)
        ]
        assert ids(draft.answer[f"r{place}"]) == mine


def test_a_reach_holds_behind_links_as_well(shelf):
    partner = current(CONSENT)[0].partner
    way = Link(CONSENT.facts["credit_file"], Level(shape=FILE, facts=ID))
    draft = shelf.read(
        judged(listed(CONSENT, links=(Labelled("file", way),))), Scope(tenant=HOME, partner=partner), [50]
    )
    assert draft.answer["r0"]["rows"]
    assert all(row["file"] is None for row in draft.answer["r0"]["rows"])


def test_a_version_is_found_as_it_was_known(shelf):
    old = next(
        row for row in CORPUS.records if row.shape is FILE and row.stamp.superseded_at and row.stamp.tenant == HOME
    )
    level = Level(
        shape=FILE,
        facts=(Labelled("version", "version"),),
        where=(Where("id", "=", Slot(0)),),
        times=Times(known_at=Slot(1)),
    )
    end = old.stamp.superseded_at
    for at, version in ((end - timedelta(microseconds=1), 1), (end, 2), (old.stamp.recorded_at, 1)):
        assert shelf.read(judged(level), Scope(tenant=HOME), [old.id, at]).answer == {"r0": {"version": version}}
    before = old.stamp.recorded_at - timedelta(microseconds=1)
    assert shelf.read(judged(level), Scope(tenant=HOME), [old.id, before]).answer == {"r0": None}


@pytest.mark.parametrize("part", ["", "a", "A", "%", "_", "\\", "'", "é", "e", "信", "😀"])
def test_a_text_contains_a_part_letter_by_letter(shelf, part):
    for shape in SHAPES.values():
        for name in (fact.name for fact in shape.facts.values() if fact.type is str):
            level = listed(shape, where=(Where(name, "contains", Slot(1)),))
            found = shelf.read(judged(level), Scope(tenant=HOME), [50, part]).answer["r0"]
            assert ids(found) == [
                row.id for row in current(shape) if getattr(row, name) is not None and part in getattr(row, name)
            ]


def test_subjects_and_resources_are_told_in_the_order_met(shelf):
    files = current(FILE)
    contacts = Link(FILE.children["contacts"], listed(SHAPES["ContactPerson"]))
    source = Link(FILE.facts["source"], Level(shape=SHAPES["Source"], facts=ID))
    assessment = Link(FILE.facts["assessment"], Level(shape=ASSESSMENT, facts=ID))
    draft = shelf.read(
        judged(listed(FILE, links=(Labelled("a", assessment), Labelled("s", source), Labelled("c", contacts)))),
        Scope(tenant=HOME),
        [50],
    )
    own = list(dict.fromkeys(row.subject_id for row in files))
    assert draft.resources == tuple(row.id for row in files)
    assert draft.subjects[: len(own)] == tuple(own)
    by_id = {row.id: row.subject_id for row in CORPUS.records}
    met = [row["s"]["id"] for row in draft.answer["r0"]["rows"] if row["s"]]
    met += [row["id"] for file in draft.answer["r0"]["rows"] for row in file["c"]["rows"]]
    assert draft.subjects == tuple(dict.fromkeys([*own, *(by_id[id_] for id_ in met)]))


def test_every_parent_has_pages_of_its_own(shelf):
    level = listed(FILE, links=(Labelled("a", Link(FILE.children["assessments"], Level(
        shape=ASSESSMENT, facts=ID, order=(("score", True),), page=Page(Slot(1), wants_total=True)
    ))),))  # fmt: skip
    draft = shelf.read(judged(level), Scope(tenant=HOME), [50, 1])
    lengths = set()
    for row in draft.answer["r0"]["rows"]:
        own = [item for item in current(ASSESSMENT) if item.credit_file == row["id"]]
        best = max(own, key=lambda item: (item.score is not None, item.score or 0, item.id), default=None)
        assert ids(row["a"]) == ([best.id] if best else [])
        assert row["a"]["total"] == len(own)
        assert row["a"]["more"] is (len(own) > 1)
        lengths.add(min(len(own), 2))
    assert {0, 2} <= lengths


@pytest.mark.parametrize("size", [0, -1, 101, None, True, "5", 2.0])
def test_a_page_size_out_of_bounds_never_reaches_sql(size):
    steps = SqlReadings("sqlite", RING).prepare(judged(listed(FILE)))
    with pytest.raises(Malformed):
        next(steps.run(Scope(tenant=HOME), [size], NOW))


def encoded(value):
    """A value as a cursor would hold it."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


CURSORS = (
    st.text()
    | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())
    | st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4).map(
        encoded
    )
    | st.tuples(st.none() | st.integers() | st.text(), st.text() | st.text().map("as_".__add__)).map(encoded)
    | st.sampled_from([encoded("[" * 9), "W1tb" * 20_000, encoded([2**63, "as_1"]), encoded([1, "as_\0"]), "=", "W", 7])
)


@given(CURSORS, st.sampled_from(["score", "kind", "as_of", "created_at", "card", "security_required"]))
def test_a_cursor_that_is_none_of_the_list_is_malformed_or_harmless(cursor, column):
    level = Level(shape=ASSESSMENT, order=((column, True),), page=Page(Slot(0), Slot(1)))
    steps = SqlReadings("sqlite", RING).prepare(judged(level))
    try:
        fetch = next(steps.run(Scope(tenant=HOME), [5, cursor], NOW))
    except Malformed:
        return
    assert len(json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))) == 2
    assert fetch.parameters[0] == HOME


def test_a_cursor_of_another_list_is_refused_though_both_are_in_the_common_order():
    steps = SqlReadings("sqlite", RING).prepare(judged(Level(shape=FILE, page=Page(Slot(0), Slot(1)))))
    assert next(steps.run(Scope(tenant=HOME), [5, encoded(["cf_1"])], NOW)).parameters
    with pytest.raises(Malformed):
        next(steps.run(Scope(tenant=HOME), [5, encoded(["as_1"])], NOW))


@pytest.mark.parametrize(
    ("column", "operator", "value"),
    [
        ("name", "contains", "a\0"),
        ("name", "=", "\ud800"),
        ("score", ">=", 2**63),
        ("score", "=", True),
        ("score", "=", "7"),
        ("grade", "in", ("AAA", "ZZZ")),
        ("review_due_on", "<=", NOW),
        ("review_due_on", "<=", "2026-01-01"),
        ("collected_at", ">=", NOW.replace(tzinfo=None)),
        ("collected_at", ">=", date(2026, 1, 1)),
    ],
)
def test_a_value_that_no_column_holds_is_malformed(column, operator, value):
    level = listed(FILE, where=(Where(column, operator, Slot(1)),))
    steps = SqlReadings("postgresql", RING).prepare(judged(level))
    with pytest.raises(Malformed):
        next(steps.run(Scope(tenant=HOME), [5, value], NOW))


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "level",
    [
        Level(shape=FILE, facts=(Labelled("x", "nothing"),)),
        Level(shape=SHAPES["AuditEntry"], facts=(Labelled("x", "superseded_at"),)),
        Level(shape=FILE, order=(("credit_limit", True),)),
        Level(shape=FILE, where=(Where("findings", "=", Slot(0)),)),
        Level(shape=FILE, where=(Where("staff_count", "contains", Slot(0)),)),
        Level(shape=FILE, where=(Where("name", "like", Slot(0)),)),
        Level(shape=FILE, links=(Labelled("x", Link(FILE.facts["source"], listed(SHAPES["Source"]))),)),
        Level(shape=FILE, links=(Labelled("x", Link(FILE.facts["source"], Level(shape=ASSESSMENT))),)),
        Level(shape=FILE, links=(Labelled("x", Link(FILE.facts["name"], Level(shape=ASSESSMENT))),)),
        Level(shape=ASSESSMENT, links=(Labelled("x", Link(FILE.children["consents"], listed(CONSENT))),)),
        Level(shape=FILE, masks=(Labelled("x", SHAPES["ContactPerson"].confidential["person_name"]),)),
        Level(
            shape=FILE,
computed=(Labelled("x", Computed(type=int, needs=("nothing",), batch=lambda rows, _: rows, says="")),),
        ),
    ],
)  # fmt: skip
def test_what_no_declaration_offers_is_found_when_a_reading_is_prepared(dialect, level):
    with pytest.raises(Unsupported):
        SqlReadings(dialect, RING).prepare(judged(level))


def test_a_computed_field_is_computed_once_for_all_rows_of_its_level(shelf):
    calls = []

    def batch(rows, today):
        calls.append((list(rows), today))
        return list(range(len(rows)))

    computed = Computed(type=int, needs=("name", "credit_limit"), batch=batch, says="", name="x")
    draft = shelf.read(judged(listed(FILE, computed=(Labelled("x", computed),))), Scope(tenant=HOME), [50])
    assert calls == [([(row.name, row.credit_limit) for row in current(FILE)], NOW.date())]
    assert [row["x"] for row in draft.answer["r0"]["rows"]] == list(range(len(current(FILE))))


def test_a_cell_asked_for_twice_is_handed_on_once_and_placed_everywhere(shelf):
    phone = FILE.confidential["phone"]
    reveals = tuple(
        Labelled(purpose.value, Reveal(purpose, (Labelled("a", phone), Labelled("b", phone))))
        for purpose in (Purpose.CREDIT_REVIEW, Purpose.LEGAL_CLAIM)
    )
    id_ = next(row.id for row in current(FILE) if (row.id, phone.tag) in CORPUS.cells)
    level = Level(shape=FILE, reveals=reveals, masks=(Labelled("m", phone),), where=(Where("id", "=", Slot(0)),))
    draft = shelf.read(judged(level, level), Scope(tenant=HOME), [id_])
    assert draft.answer["r0"] == {
        "CREDIT_REVIEW": {"a": None, "b": None},
        "LEGAL_CLAIM": {"a": None, "b": None},
        "m": None,
    }
    assert sorted(item.masked for item in draft.sealed) == [False, True]
    answer = opened(draft)
    assert answer["r0"] == answer["r1"]
    assert set(answer["r0"]["LEGAL_CLAIM"].values()) == {f"{id_}/contact.phone/open"}
    assert answer["r0"]["m"] == f"{id_}/contact.phone/masked"


def test_what_stays_closed_is_not_loaded_and_says_what_would_unlock_it(shelf):
    reveal = Reveal(
        Purpose.CREDIT_REVIEW,
        (Labelled("p", FILE.confidential["phone"]), Labelled("b", FILE.confidential["bank_account"])),
        withheld=("w", "again"),
        constants=(Labelled("__typename", "CreditFileConfidential"),),
    )
    level = listed(FILE, reveals=(Labelled("c", reveal),))
    draft = shelf.read(judged(level, but=[DataClass.CONTACT.action]), Scope(tenant=HOME), [50])
    assert {item.field.tag for item in draft.sealed} == {"financial.bank_account"}
    for row in draft.answer["r0"]["rows"]:
        part = row["c"]
        assert part["__typename"] == "CreditFileConfidential"
        assert part["w"] == part["again"]
        assert [(item["field"], item["reason"]) for item in part["w"]] == [("phone", NOT_GRANTED)]
        assert "reveal:contact" in part["w"][0]["unlock"]


def test_a_sealed_cell_comes_with_everything_its_opener_needs(database):
    shelf = Shelf(database, CORPUS)
    id_ = next(row.id for row in current(FILE) if (row.id, "contact.phone") in CORPUS.cells)
    row = next(item for item in current(FILE) if item.id == id_)
    without = next(item for item in current(FILE) if (item.id, "contact.phone") not in CORPUS.cells)
    dek = {"tenant": HOME, "dek_id": b"dek", "subject": row.subject_id, "data_class": "contact"}
    level = Level(
        shape=FILE,
        reveals=(Labelled("c", Reveal(Purpose.CREDIT_REVIEW, (Labelled("p", FILE.confidential["phone"]),))),),
        where=(Where("id", "=", Slot(0)),),
    )
    gone = Material(
        record_type="credit_file",
        schema_version=1,
        envelope=f"{id_} contact.phone".encode(),
        dek_id=b"dek",
        dek_version=None,
        alg=None,
        kek_epoch=None,
        wrapped=None,
        kek_wrapped=None,
        generation=None,
    )
    # The other company's rows under the very same ids change nothing.
    database.insert("sealed_field", cell_of(row, "contact.phone") | {"tenant": AWAY, "envelope": b"away"})
    database.insert("sealed_field", cell_of(without, "contact.phone") | {"tenant": AWAY})
    database.insert("vault_dek", dek | {"tenant": AWAY, "version": 9, "alg": "AES-256-GCM", "kek_epoch": 5})
    for table in ("vault_dek_wrap", "vault_key"):
        key = {"dek_id": b"dek", "kek_epoch": 5} if table == "vault_dek_wrap" else _key(5)
        database.insert(table, {"tenant": AWAY, "wrapped": b"away", **key})
    assert shelf.read(judged(level), Scope(tenant=HOME), [without.id]).sealed == ()
    (sealed,) = shelf.read(judged(level), Scope(tenant=HOME), [id_]).sealed
    assert sealed.material == gone
    assert (sealed.tenant, sealed.subject, sealed.record, sealed.version) == (HOME, row.subject_id, id_, 3)
    assert "contact.phone" not in repr(sealed.material)
    database.insert("vault_dek", dek | {"version": 2, "alg": "AES-256-GCM", "kek_epoch": 5})
    for epoch in (4, 5):
        database.insert(
            "vault_dek_wrap", {"tenant": HOME, "dek_id": b"dek", "kek_epoch": epoch, "wrapped": b"w%d" % epoch}
        )
        database.insert(
            "vault_key", {"tenant": HOME, "purpose": "kek", "epoch": epoch, "wrapped": b"k%d" % epoch, "generation": 3}
        )
        database.insert(
            "vault_key", {"tenant": HOME, "purpose": "index", "epoch": epoch, "wrapped": b"i", "generation": 3}
        )
    (sealed,) = shelf.read(judged(level), Scope(tenant=HOME), [id_]).sealed
    material = sealed.material
    assert (material.dek_version, material.alg, material.kek_epoch) == (2, "AES-256-GCM", 5)
    assert (material.wrapped, material.kek_wrapped, material.generation) == (b"w5", b"k5", 3)


def _key(epoch):
    return {"purpose": "kek", "epoch": epoch, "generation": 3}


def test_facts_are_values_as_declared(shelf):
    for shape in SHAPES.values():
        names = [*shape.facts, *(STAMP_FIELDS[:3] if shape.ledger else STAMP_FIELDS)]
        level = Level(shape=shape, facts=tuple(Labelled(name, name) for name in names), page=Page(Slot(0)))
        draft = shelf.read(judged(level), Scope(tenant=HOME), [50])
        wanted = [
            {name: getattr(row.stamp if name in STAMP_FIELDS else row, name) for name in names}
            for row in current(shape)
        ]
        assert draft.answer["r0"]["rows"] == wanted
        for row, want in zip(draft.answer["r0"]["rows"], wanted, strict=True):
            assert {name: type(row[name]) for name in names} == {name: type(want[name]) for name in names}


def test_postgresql_orders_text_by_code_points_whatever_its_locale():
    level = listed(FILE, order=(("name", True),), where=(Where("reference", ">=", Slot(1)),))
    fetch = next(SqlReadings("postgresql", RING).prepare(judged(level)).run(Scope(tenant=HOME), [5, "a"], NOW))
    ordered = fetch.sql.partition("ORDER BY")[2]
    assert ordered.count('COLLATE "C"') == 2
    assert '(credit_file.reference COLLATE "C") >=' in fetch.sql


def test_one_and_fifty_files_take_the_same_statements():
    children = Link(
        FILE.children["assessments"], Level(shape=ASSESSMENT, facts=ID, page=Page(Slot(0), wants_total=True))
    )
    level = listed(FILE, links=(Labelled("a", children),), masks=(Labelled("m", FILE.confidential["phone"]),))
    steps = SqlReadings("sqlite", RING).prepare(judged(level))

    def statements(files):
        run = steps.run(Scope(tenant=HOME), [50], NOW)
        texts = [next(run).sql]
        texts.append(run.send([(Id(f"cf_{place}"), Id("cu_1")) for place in range(files)]).sql)
        texts += [run.send([]).sql for _ in range(2)]
        with pytest.raises(StopIteration):
            run.send([])
        return texts

    assert statements(1) == statements(50) == statements(0)
    assert len(statements(1)) == 4
