"""Every description in the schema is a sentence that already stands at a declaration of the domain."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cache
from itertools import pairwise

_LATER_LETTER = re.compile(r"_([a-z0-9])")


def camel(name: str) -> str:
    """The schema's spelling of a Python name: `prepayment_bp` is `prepaymentBp`."""
    return _LATER_LETTER.sub(lambda match: match.group(1).upper(), name)


def guarded(says: str, action: str) -> str:
    """A description with the action that guards what it describes."""
    return f"{says} ({action})"


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split())


@cache
def remarks(cls: type) -> dict[str, str]:
    """The sentence under each attribute of a class, as the source has it; empty where no source is at hand."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError):
        return {}
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[1:]):
        if base.__module__.split(".")[0] == cls.__module__.split(".")[0]:
            found |= remarks(base)
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    for statement, behind in pairwise(body):
        name, text = _attribute(statement), _sentence(behind)
        if name and text:
            found[name] = text
    return found


def remark(cls: type, name: str) -> str:
    """What is said of one attribute or enum member; its own words where nothing is said."""
    return remarks(cls).get(name) or name.replace("_", " ").capitalize() + "."


def _attribute(statement: ast.stmt) -> str:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return ""


def _sentence(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return first_paragraph(str(statement.value.value))
    return ""
