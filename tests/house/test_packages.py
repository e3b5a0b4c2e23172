"""What is installed is what stands in the repository, and only what belongs there."""

import subprocess
import sys
import tomllib
from importlib.metadata import distributions

from tests.house.tree import FLOORS, ROOT, files, named

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NOT_SHIPPED = ("vault/testdata/",)
"""Published vectors: for those who read the repository."""


def test_every_package_is_listed():
    folders = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for floor in FLOORS
        for path in (ROOT / floor).rglob("__init__.py")
    }
    shipped = set(PROJECT["tool"]["setuptools"]["packages"])
    extra = set(PROJECT["tool"]["setuptools"].get("package-dir", {}))
    assert shipped - extra == folders


def test_every_folder_with_modules_is_a_package():
    bare = {
        named(path.parent)
        for path in files()
        if path.suffix == ".py" and named(path).startswith(tuple(f"{floor}/" for floor in FLOORS))
        if not (path.parent / "__init__.py").exists()
    }
    assert bare == set()


def test_every_data_file_of_a_package_is_shipped():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]
    lost = []
    for path in files():
        name = named(path)
        if not name.startswith(tuple(f"{floor}/" for floor in FLOORS)) or path.suffix == ".py":
            continue
        shipped = any(
            path.match(pattern) and (package == "*" or name.startswith(package.replace(".", "/") + "/"))
            for package, globs in patterns.items()
            for pattern in globs
        )
        lost += [] if shipped or name.startswith(NOT_SHIPPED) else [name]
    assert lost == []


def test_alembic_is_a_folder_of_scripts_and_no_package():
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_no_distribution_named_casbin_is_installed():
    """Two distributions fill the module `casbin`; the product rests on pycasbin alone."""
    names = {str(item.metadata["Name"]).lower() for item in distributions()}
    assert "pycasbin" in names
    assert "casbin" not in names


def test_the_lock_pins_what_the_project_asks_for():
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    asked = PROJECT["project"]["dependencies"]
    pinned = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            name, _, version = line.split(" ")[0].partition("==")
            pinned[canonicalize_name(name)] = version
    for text in asked:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        assert name in pinned, text
        assert requirement.specifier.contains(pinned[name]), text


def test_no_floor_is_imported_by_asking_for_another():
    """The command line starts fast: the domain alone pulls in no other floor."""
    code = "import sys, domain.gate; print([n for n in sys.modules if n.partition('.')[0] in ('api','authz','vault')])"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.strip() == "[]"


def test_a_command_that_serves_nothing_does_not_load_what_serves():
    slow = {"graphql", "polars", "sqlalchemy", "starlette", "strawberry", "uvicorn"}
    code = f"import sys, api.cli; print(sorted({slow} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
