"""Writes the pages that follow from the code: `python docs/generate.py`, and with --check only compares.

coverage.md   clause of the standard → operations, records and functions that name it → tests that use those
grants.md     action → the roles that may do it, as Casbin says of the grants
credit-policy.schema.json  the form of a credit policy document
retention.md  record → how long it is kept, from when, on which ground, and what becomes of it then
"""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import domain  # noqa: E402 - found from the line above
from authz.release import Release  # noqa: E402 - the same
from domain.assessment.versions.form import document_schema  # noqa: E402 - the same
from domain.custody.rules import PACK, RULES, Ending, Mark, Parties, Rule  # noqa: E402 - the same
from domain.grants.effects import Effect  # noqa: E402 - the same
from domain.operations import OPERATIONS  # noqa: E402 - the same
from domain.records import SHAPES, Shape  # noqa: E402 - the same
from domain.standard import CLAUSES  # noqa: E402 - the same

CHAPTER = re.compile(r"^\s*Chapter: (.+)\.$", re.MULTILINE)
CITED = re.compile(r"Ch\.(\d)(?: §(\d))?")
MADE = "Made by `python docs/generate.py`; a check compares."


@dataclass(slots=True)
class Found:
    """What serves one clause."""

    operations: set[str] = field(default_factory=set)
    records: set[str] = field(default_factory=set)
    functions: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By the file they stand in."""
    names: set[tuple[str, str]] = field(default_factory=set)
    """Module and name of everything above, as tests import it."""
    tests: set[str] = field(default_factory=set)


def main() -> int:
    """Writes the pages, or says which of them are not current."""
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    pages = {
        "coverage.md": coverage(),
        "grants.md": grants(),
        "retention.md": retention(),
        "credit-policy.schema.json": form(),
    }
    stale = [name for name, text in pages.items() if _held(name) != text]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/{name} is not current: run `python docs/generate.py` and look at what changed.")
        return 1 if stale else 0
    for name in stale:
        (ROOT / "docs" / name).write_text(pages[name], encoding="utf-8")
        print(f"docs/{name} written")
    return 0


def form() -> str:
    """The JSON schema of a credit policy document."""
    return json.dumps(document_schema(), ensure_ascii=False, indent=2) + "\n"


def _held(name: str) -> str:
    path = ROOT / "docs" / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def coverage() -> str:
    """The page of clauses."""
    found = {number: Found() for number in CLAUSES}
    _add_operations(found)
    _add_records(found)
    _add_functions(found)
    _add_tests(found)
    lines = [
        "# Coverage of the standard",
        "",
        f"Clause → code → test. {MADE}",
        "",
        "A clause is listed with the operations and records that name it, the functions of the domain whose",
        "documentation names it, and the test files that use any of these. A clause with none of them says so.",
        "",
        "| clause | term | operations | records | functions | test files |",
        "|---|---|---|---|---|---|",
    ]
    for number, clause in CLAUSES.items():
        held = found[number]
        functions = sum(len(names) for names in held.functions.values())
        counts = (len(held.operations), len(held.records), functions, len(held.tests))
        lines.append(f"| {clause.cited} | {clause.term} | " + " | ".join(str(count) for count in counts) + " |")
    for number, clause in CLAUSES.items():
        lines += ["", f"## {clause.cited} {clause.term}", "", clause.asks, "", *_section(found[number])]
    return "\n".join(lines) + "\n"


def _section(held: Found) -> Iterator[str]:
    if not held.names:
        yield "Nothing names this clause yet."
        return
    if held.operations:
        yield "- Operations: " + ", ".join(
            f"`{name}` ({', '.join(OPERATIONS[name].actions)})" for name in sorted(held.operations)
        )
    if held.records:
        yield "- Records: " + ", ".join(f"`{name}`" for name in sorted(held.records))
    for path in sorted(held.functions):
        yield f"- `{path}`: " + ", ".join(f"`{name}`" for name in sorted(held.functions[path]))
    yield "- Tests: " + (", ".join(f"`{name}`" for name in sorted(held.tests)) or "none")


def _add_operations(found: dict[str, Found]) -> None:
    for name, operation in OPERATIONS.items():
        for number in _clauses(operation.chapter.split(", ")):
            found[number].operations.add(name)
            found[number].names.add((operation.__module__, name))


def _add_records(found: dict[str, Found]) -> None:
    for name, shape in SHAPES.items():
        for number in _clauses(_cited(shape)):
            found[number].records.add(name)
            found[number].names.add((shape.cls.__module__, name))


def _cited(shape: Shape) -> Iterator[str]:
    """The clauses a record and its fields cite."""
    parts = (shape.facts, shape.children, shape.computed, shape.confidential)
    for text in (shape.says, *(item.says for part in parts for item in part.values())):
        for chapter, clause in CITED.findall(text):
            yield f"{chapter}.{clause}" if clause else chapter


def _add_functions(found: dict[str, Found]) -> None:
    for path in sorted((ROOT / "domain").rglob("*.py")):
        place = path.relative_to(ROOT)
        module = ".".join(place.with_suffix("").parts).removesuffix(".__init__")
        for name, within, text in _documented(ast.parse(path.read_text(encoding="utf-8"))):
            for number in _clauses(part for line in CHAPTER.findall(text) for part in line.split(", ")):
                if within not in OPERATIONS:
                    found[number].functions[place.as_posix()].add(name)
                found[number].names.add((module, within or name))


def _documented(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Every public function: its full name, the class it belongs to, its documentation."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node.name, "", ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for item in (node, *node.body):
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    name = node.name if item is node else f"{node.name}.{item.name}"
                    yield name, node.name, ast.get_docstring(item) or ""


def _clauses(numbers: Iterable[str]) -> Iterator[str]:
    """The clauses meant; a chapter alone means each of its clauses."""
    for number in numbers:
        yield from (known for known in CLAUSES if known == number or known.partition(".")[0] == number)


def _add_tests(found: dict[str, Found]) -> None:
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        used = set(_used(ast.parse(text)))
        asked = {name for name in OPERATIONS if re.search(rf"\b{name[0].lower()}{name[1:]}\b", text)}
        for held in found.values():
            if held.names & used or held.operations & asked:
                held.tests.add(path.relative_to(ROOT).as_posix())


def _used(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Module and name of what a test imports from the domain, or reaches through an imported module."""
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "domain":
            for item in node.names:
                yield node.module or "", item.name
                imported[item.asname or item.name] = f"{node.module}.{item.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
            yield imported[node.value.id], node.attr


def grants() -> str:
    """The page of actions and roles."""
    actions = sorted({*_actions(), *_ruled()})
    table = Release(actions).table()
    lines = [
        "# Who may do what",
        "",
        f"Action → roles, from `authz/rules.csv`. {MADE}",
        "",
        "Roles alone decide nothing more than this: the tenant, one's own file, consent, delegation levels and the",
        "separation of duty between two persons are decided by the operations. A deny outweighs every allow that",
        "another role of the same person has.",
        "",
        "| action | allowed | denied whatever else |",
        "|---|---|---|",
    ]
    for action, cells in table.matrix().items():
        sides = (
            (role for role in table.roles if cells[role].effect is effect) for effect in (Effect.ALLOW, Effect.DENY)
        )
        lines.append(f"| `{action}` | " + " | ".join(", ".join(side) for side in sides) + " |")
    return "\n".join(lines) + "\n"


MARKS = {
    Mark.VERIFIED: "the article was read",
    Mark.SECONDARY: "known from a summary",
    Mark.HOUSE: "the law names no term: it is ours",
    Mark.UNVERIFIED: "not looked up",
}
ENDINGS = {
    Ending.DELETE: "deleted",
    Ending.ANONYMISE: "anonymised",
    Ending.SHRED: "shredded",
    Ending.PRUNE: "pruned from the log",
    Ending.ELSEWHERE: "not kept here",
}
WHOSE = {Parties.NATURAL: " of a natural person or a sole trader", Parties.FIRM: " of a firm", Parties.EVERYBODY: ""}


def retention() -> str:
    """The page of the rules of retention."""
    lines = [
        "# How long what is kept",
        "",
        f"The rules of retention, version {PACK}, from `domain/custody/rules.py`. {MADE}",
        "",
        "They are our own words and no legal advice. `retentionRules` shows them over the API, with every earlier",
        "version; `credence retention rules` lists them; [erasure](erasure.md) tells how they are applied.",
        "",
        "| rule | record | kept | counted from | then | ground | sure |",
        "|---|---|---|---|---|---|---|",
    ]
    for rule in RULES:
        cells = (
            f"`{rule.id}`",
            (f"`{rule.name}`" if rule.record else rule.name) + WHOSE[rule.parties],
            _term(rule),
            rule.since.says,
            ENDINGS[rule.ending],
            rule.reference,
            MARKS[rule.mark],
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "What is blanked on the row that stays, and what ends along with it:", ""]
    for rule in RULES:
        parts = [(rule.record, rule.blanks), *((one.record, one.blanks) for one in rule.along)]
        told = [f"`{record.shape.name}`: {', '.join(names)}" for record, names in parts if record and names]
        if told:
            lines.append(f"- `{rule.id}`: {'; '.join(told)}")
    return "\n".join(lines) + "\n"


def _term(rule: Rule) -> str:
    spans = [f"{count} {word}" for count, word in ((rule.years, "years"), (rule.months, "months")) if count]
    return ("at least " if rule.floor else "") + (" and ".join(spans) or "until then")


def _actions() -> Iterator[str]:
    """Every action that an operation or a record names."""
    for operation in OPERATIONS.values():
        yield from operation.actions
    for shape in SHAPES.values():
        yield shape.read
        yield from (item.data_class.action for item in shape.confidential.values())


def _ruled() -> Iterator[str]:
    """Every action that a grant names."""
    for line in (ROOT / "authz" / "rules.csv").read_text(encoding="utf-8").splitlines():
        if line.startswith("p,"):
            _, _, thing, verb, *_ = (cell.strip() for cell in line.split(","))
            yield f"{thing}:{verb}"


if __name__ == "__main__":
    sys.exit(main())
