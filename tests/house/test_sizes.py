"""Budgets of size: what outgrows them is divided, not excused."""

import ast
from collections import Counter
from statistics import median

from tests.house.tree import ROOT, bases, classes, files, functions, modules, named, word

MODULE_LINES = 400
FUNCTION_LINES = 60
MEDIAN_LINES = 10
PORT_METHODS = 10
FOLDER_MODULES = 15
SAYS_NOTHING = {"manager", "helper", "utils", "util", "service", "handler", "base", "common", "misc"}


def _lines(node: ast.AST) -> int:
    return node.end_lineno - node.lineno + 1


def test_no_module_is_longer_than_400_lines():
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


def test_no_function_is_longer_than_60_lines():
    found = [
        (f"{named(path)}:{node.lineno} {node.name}", _lines(node))
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [item for item in found if item[1] > FUNCTION_LINES] == []


def test_half_of_all_functions_are_about_ten_lines_or_less():
    assert median(_lines(node) for path in modules() for _, node, _ in functions(path)) <= MEDIAN_LINES


def test_a_port_has_at_most_ten_methods():
    ports = [node for path in modules() for node in classes(path) if "Protocol" in bases(node)]
    assert ports
    sizes = {
        node.name: sum(
            isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
            and "property" not in {word(decorator) for decorator in item.decorator_list}
            for item in node.body
        )
        for node in ports
    }
    assert {name: size for name, size in sizes.items() if size > PORT_METHODS} == {}


def test_a_folder_holds_about_a_dozen_modules():
    held = Counter(named(path.parent) for path in modules() if path.name != "__init__.py")
    assert {folder: count for folder, count in held.items() if count > FOLDER_MODULES} == {}


def test_no_module_or_class_has_a_name_that_says_nothing():
    names = [named(path) for path in modules() if {path.stem, path.stem.removesuffix("s")} & SAYS_NOTHING]
    names += [named(path.parent) for path in modules() if path.parent.name in SAYS_NOTHING]
    ending = tuple(name.capitalize() for name in SAYS_NOTHING)
    names += [
        f"{named(path)}:{node.name}" for path in modules() for node in classes(path) if node.name.endswith(ending)
    ]
    assert names == []


def test_the_top_level_is_fixed():
    known = {
        *("api", "authz", "domain", "vault", "alembic", "tests", "bench", "docs", "deploy"),
        *("schema.graphql", "pyproject.toml", "alembic.ini", "requirements.lock", "requirements-dev.lock"),
        *("README.md", "LICENSE", "SECURITY.md", "credence.example.toml"),
    }
    top = {path.relative_to(ROOT).parts[0] for path in files()}
    assert {name for name in top if not name.startswith(".")} - known == set()
