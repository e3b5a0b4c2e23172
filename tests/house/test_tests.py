"""The tests themselves: each file tests something, and each test name is a sentence."""

import ast

from tests.house.tree import ROOT, named, tree

TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
ASSERTS = {"raises", "fail", "warns", "assert_equal", "compare", "same", "run_state_machine_as_test"}


def _asserts(node):
    if isinstance(node, ast.Assert):
        return True
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name in ASSERTS or name.startswith(("assert", "_assert", "check", "_check", "expect", "_expect"))
    return False


def test_every_test_file_asserts_something():
    assert TESTS
    assert [named(path) for path in TESTS if not any(_asserts(node) for node in ast.walk(tree(path)))] == []


def test_every_test_name_is_a_sentence():
    short = [
        f"{named(path)}:{node.name}"
        for path in TESTS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_") and node.name.count("_") < 3
    ]
    assert short == []


def test_no_test_is_switched_off_without_a_condition():
    found = [
        f"{named(path)}:{node.lineno}"
        for path in TESTS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"skip", "xfail"}
        if isinstance(node.value, ast.Attribute) and node.value.attr == "mark"
    ]
    assert found == []
