"""Who imports whom: the contracts of pyproject.toml, no cycles, and a domain that needs nothing but Python."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

from tests.house.tree import FLOORS, ROOT, modules, named, tree


def test_the_import_contracts_are_kept():
    told = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_no_modules_import_each_other_in_a_circle():
    graph = grimp.build_graph(*FLOORS, exclude_type_checking_imports=True, cache_dir=None)
    # A package that imports its own modules is no circle.
    order = TopologicalSorter(
        {module: graph.find_modules_directly_imported_by(module) - {module} for module in graph.modules}
    )
    try:
        order.prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_the_domain_imports_the_standard_library_only():
    allowed = {"domain", *sys.stdlib_module_names}
    found = []
    for path in modules():
        if named(path).startswith("domain/"):
            for node in ast.walk(tree(path)):
                names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                found += [f"{named(path)}: {name}" for name in names if name.partition(".")[0] not in allowed]
    assert found == []
