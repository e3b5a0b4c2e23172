"""A credit policy as somebody writes it: JSON text that is read exactly, or refused with the place named (Ch.9)."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from domain import canonical
from domain.assessment.policy import PolicyDocument, from_json
from domain.assessment.versions.soundness import problems
from domain.errors import Code, Malformed

MAX_TEXT: Final = 1024 * 1024
"""Characters of a document."""
TOLD: Final = 10
"""How many problems a refusal tells."""
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_document(text: str, name: str = "document") -> PolicyDocument:
    """The document that a text holds, once nothing is wrong with it.

    Chapter: 5.1, 5.2, 5.4, 9.
    Raises:  Malformed: the sentence tells each problem with its JSON path, `path` is the place of the first.
    """
    try:
        document = from_json(_parsed(text))
    except Malformed as error:
        place = f"{json_path(error.path)}: " if error.path else ""
        raise Malformed(place + error.message, advice=_ADVICE, path=(name, *error.path)) from None
    found = problems(document)
    if found:
        told = [f"{json_path(one.path)}: {one.says}" for one in found[:TOLD]]
        if len(found) > TOLD:
            told.append(f"And {len(found) - TOLD} more.")
        code = Code.FORBIDDEN_CATEGORY if found[0].forbidden else Code.MALFORMED
        raise Malformed(" ".join(told), code=code, advice=_ADVICE, path=(name, *found[0].path))
    canonical.encode(document.to_json())
    return document


_ADVICE = "Put these places right; `credence policy schema` prints the form of a document."


def json_path(path: tuple[str, ...]) -> str:
    """A place in a document as a JSON path, such as $.scorecards[0].code.

    Chapter: 9.
    """
    parts = (
        f"[{key}]" if key.isdecimal() else f".{key}" if _WORD.fullmatch(key) else f"[{json.dumps(key)}]" for key in path
    )
    return "$" + "".join(parts)


def _parsed(text: str) -> object:
    if len(text) > MAX_TEXT:
        raise Malformed(f"A document has at most {MAX_TEXT:,} characters.")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_float=_no_float, parse_constant=_no_float)
    except RecursionError:
        raise Malformed("The document is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"The document is no JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except ValueError:
        raise Malformed("A number of the document is too large.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand once: of two, nobody could say which counts."""
    entries = dict(pairs)
    if len(entries) < len(pairs):
        keys = [key for key, _ in pairs]
        raise Malformed("A key stands twice in one object.", path=(next(k for k in keys if keys.count(k) > 1),))
    return entries


def _no_float(_: str) -> object:
    raise Malformed("A number with a fraction stands in the document; shares are basis points, edges are texts.")
