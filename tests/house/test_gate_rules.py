"""What only the Gate and the store may do, and what every operation and record must name."""

import ast
import csv
import re

import pytest

from domain.operations import OPERATIONS
from domain.records import SHAPES
from domain.standard import CLAUSES
from tests.house.tree import ROOT, bases, classes, declared, functions, modules, named, tree, word

CHAPTERS = {number.partition(".")[0] for number in CLAUSES}
"""Some code serves a whole chapter."""
ACTION = re.compile(r"[a-z]+(_[a-z]+)*:[a-z]+(_[a-z]+)*")
MINT = "domain/gate.py"
STORE = "vault/store/"
CHAPTER = re.compile(r"^\s*Chapter: (.+)\.$", re.MULTILINE)


def _calls(name):
    return [
        (named(path), node.lineno)
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and word(node.func) == name
    ]


def _granted():
    with (ROOT / "tests/matrix/matrix.csv").open(encoding="utf-8", newline="") as file:
        return {row[0] for row in csv.reader(file)} - {"action"}


def test_only_the_store_commits():
    assert [place for place in _calls("commit") if not place[0].startswith(STORE)] == []


def test_warrants_are_minted_in_one_place():
    found = _calls("Warrant")
    assert {place for place, _ in found} == {MINT}
    assert len(found) == 1


def test_an_audit_entry_is_made_in_one_place():
    knows = re.compile(r"from domain\.audit import [^\n]*\bEntry\b|from domain\.audit import \([^)]*\bEntry\b")
    found = {place for place, _ in _calls("Entry") if knows.search((ROOT / place).read_text(encoding="utf-8"))}
    assert found == {MINT}


def test_every_operation_is_declared():
    undeclared = [
        f"{named(path)}:{node.name}"
        for path in modules()
        for node in classes(path)
        if bases(node) & {"Operation", "Collecting"}
        and "operation" not in {word(decorator) for decorator in node.decorator_list}
        and named(path) != "domain/operations.py"
    ]
    assert undeclared == []


def test_every_operation_names_its_actions_and_clauses():
    declared()
    assert OPERATIONS
    for name, operation in OPERATIONS.items():
        asked = (*operation.actions, *filter(None, [getattr(operation, "collection", "")]))
        assert operation.actions, name
        assert all(ACTION.fullmatch(action) for action in asked), name
        assert set(operation.chapter.split(", ")) <= CLAUSES.keys(), name


def test_every_action_named_anywhere_is_in_the_matrix_of_grants():
    declared()
    named_somewhere = {action for operation in OPERATIONS.values() for action in operation.actions}
    named_somewhere |= {
        operation.collection for operation in OPERATIONS.values() if getattr(operation, "collection", "")
    }
    for shape in SHAPES.values():
        named_somewhere.add(shape.read)
        named_somewhere |= {item.action for item in (*shape.facts.values(), *shape.children.values()) if item.action}
        for sealed in shape.confidential.values():
            named_somewhere.add(sealed.data_class.action)
            named_somewhere |= {f"mask:{sealed.data_class.value}"} if sealed.mask else set()
    assert named_somewhere - _granted() == set()


def _claims():
    """Every public function of the domain that must name its clauses, with its documentation."""
    for path in modules():
        if named(path).startswith("domain/"):
            for name, node, within in functions(path):
                if within is not None and within.name.startswith("_"):
                    continue
                field = {word(decorator) for decorator in node.decorator_list} & {"property", "overload"}
                port = within is not None and "Protocol" in bases(within)
                if not node.name.startswith("_") and not field and not port:
                    yield name, ast.get_docstring(node) or ""


def test_every_public_function_of_the_domain_names_its_clauses():
    assert [name for name, text in _claims() if not CHAPTER.search(text)] == []


def test_every_clause_named_is_one_of_the_standard():
    wrong = []
    for name, text in _claims():
        for line in CHAPTER.findall(text):
            wrong += [
                f"{name}: {clause}" for clause in line.split(", ") if clause not in CLAUSES and clause not in CHAPTERS
            ]
    assert wrong == []


def test_every_record_says_which_clause_asks_for_it():
    declared()
    cited = re.compile(r"Ch\.\d")
    assert [name for name, shape in SHAPES.items() if not cited.search(shape.says)] == []


def test_every_record_row_carries_whose_it_is():
    declared()
    from vault.store.tables import shapes, table  # the tables of every record

    for shape in shapes().values():
        assert {"tenant", "subject_id", "id"} <= set(table(shape).columns.keys()), shape.name


@pytest.mark.parametrize("chapter", ["", "10", "3.6", "Ch.3", "5-6"])
def test_an_unknown_clause_is_seen(chapter):
    assert chapter not in CLAUSES
    assert chapter not in CHAPTERS
