"""The files of the repository, as the rules of the house read them."""

import ast
import importlib
import pkgutil
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLOORS = ("api", "authz", "domain", "vault")
UNREAD = {"build", "dist", "node_modules", "credence-data"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or would be, committed; in a copy without its history every file that is no by-product."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        told = subprocess.run(
            [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode == 0:
            found = (ROOT / name for name in told.stdout.split("\0") if name)
            return tuple(sorted(path for path in found if path.is_file()))
    return tuple(sorted(_walk(ROOT)))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        hidden = path.name.startswith(".") and path.is_dir() and path.name != ".ci"
        if hidden or path.name in UNREAD or path.name == "__pycache__" or path.suffix == ".egg-info":
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def named(path: Path) -> str:
    """A file as people name it: from the top of the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def modules() -> tuple[Path, ...]:
    """The source files of the four floors."""
    return tuple(path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py")))


def python_files() -> tuple[Path, ...]:
    """Every Python file, tests and migrations too."""
    return tuple(path for path in files() if path.suffix == ".py")


def texts() -> Iterator[tuple[str, str]]:
    """Every text file with its text."""
    for path in files():
        try:
            yield named(path), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a source file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, ast.ClassDef | None]]:
    """Every function of a module that stands at its top or in a class, with its full name and its class."""

    def visit(body: list[ast.stmt], before: str, within: ast.ClassDef | None) -> Iterator:
        for node in body:
            if isinstance(node, ast.ClassDef):
                yield from visit(node.body, f"{before}{node.name}.", node)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{named(path)}:{before}{node.name}", node, within

    yield from visit(tree(path).body, "", None)


def classes(path: Path) -> Iterator[ast.ClassDef]:
    """Every class of a module."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef))


def word(node: ast.expr) -> str:
    """The last name of an expression: `Operation` of `operations.Operation[Consent]`, `commit` of `db.commit(…)`."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript():
            return word(node.value)
        case ast.Call():
            return word(node.func)
        case _:
            return ""


def bases(node: ast.ClassDef) -> set[str]:
    """The names of the classes a class is made from."""
    return {word(base) for base in node.bases}


@cache
def declared() -> None:
    """Imports every module of the domain, so that every record and operation is declared."""
    for module in pkgutil.walk_packages([str(ROOT / "domain")], "domain."):
        importlib.import_module(module.name)


def listed(name: str) -> list[str]:
    """The lines of a list beside the tests; lines that begin with # explain it."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
