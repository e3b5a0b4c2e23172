"""Entries are listed for people and spreadsheets: what is asked for, in order, and no cell begins a formula."""

from __future__ import annotations

import csv
import json

import pytest

from tests.vault.ledger.grown import grow, subject
from tests.world import TENANT
from vault.store.ledger import listing
from vault.store.ledger.listing import Form, Wanted

FORMULAS = ("=HYPERLINK(0)", "+1", "-1", "@SUM(A1)", "\t=1")


def listed(world, tmp_path, form=Form.JSONL, **wanted):
    """What is written, as it is read again."""
    path = tmp_path / f"entries.{form.value}"
    count = world.look(listing.listed(TENANT, path, form, Wanted(**wanted)))
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.glob("*.new")) == []
    text = path.read_text(encoding="utf-8")
    found = list(csv.DictReader(text.splitlines(keepends=True))) if form is Form.CSV else None
    found = [json.loads(line) for line in text.splitlines()] if found is None else found
    assert len(found) == count
    return found


@pytest.fixture
def log(world, monkeypatch):
    """A log of four kinds of entries, read a few at a time."""
    monkeypatch.setattr(listing, "AT_ONCE", 7)
    grow(world, 20, 1)
    world.clock.move(hours=1)
    grow(world, 20, 1, 2, action="assessment:read", actor="wang")
    world.clock.move(hours=1)
    grow(world, 20, 3)
    return world


def test_entries_are_listed_by_time_actor_action_and_subject_in_the_order_of_the_log(log, tmp_path):
    whole = listed(log, tmp_path)
    assert [entry["logIndex"] for entry in whole] == list(range(len(whole)))
    now = log.clock.now()
    by_subject = listed(log, tmp_path, subject=subject(1))
    assert {tuple(entry["subjects"]) for entry in by_subject} == {(subject(1),), (subject(1), subject(2))}
    assert len(by_subject) == 40
    assert [entry["logIndex"] for entry in by_subject] == sorted(entry["logIndex"] for entry in by_subject)
    assert len(listed(log, tmp_path, subject=subject(1), actor="wang")) == 20
    assert len(listed(log, tmp_path, action="assessment:read")) == 20
    assert len(listed(log, tmp_path, since=now)) == 20
    assert {entry["actor"] for entry in listed(log, tmp_path, since=log.clock.now(), until=now)} == set()
    assert listed(log, tmp_path, subject=subject(9)) == []


def test_a_list_in_cells_says_the_same_as_one_in_lines(log, tmp_path):
    lines, cells = listed(log, tmp_path), listed(log, tmp_path, Form.CSV)
    assert list(cells[0]) == list(lines[0])
    for line, row in zip(lines, cells, strict=True):
        assert {name: " ".join(value) if isinstance(value, list) else str(value) for name, value in line.items()} == row


def test_no_cell_begins_a_formula(world, tmp_path):
    for formula in FORMULAS:
        grow(world, 1, actor=formula)
    cells = [row["actor"] for row in listed(world, tmp_path, Form.CSV)][-len(FORMULAS) :]
    assert cells == ["'" + formula for formula in FORMULAS]
    assert [line["actor"] for line in listed(world, tmp_path)][-len(FORMULAS) :] == list(FORMULAS)
