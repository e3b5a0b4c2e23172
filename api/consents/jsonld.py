"""JSON-LD of a known shape: terms are spelled one way whatever prefixes a record uses; nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, TypeVar, cast

from domain.errors import Malformed

Object = Mapping[str, Any]
Path = tuple[str, ...]
E = TypeVar("E", bound=Enum)

OURS = "credence"
"""The prefix of what the vocabulary has no word for."""
NAMESPACES = {
    "dpv": "https://w3id.org/dpv#",
    "dpv-27560": "https://w3id.org/dpv/schema/dpv-27560#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    OURS: "urn:credence:consent:1#",
}
"""What every prefix stands for; a record may call them otherwise in its own context."""
_OLDER = {"https://w3id.org/dpv/dpv-pd#": "pd", "https://w3id.org/dpv/dpv-gdpr#": "eu-gdpr"}
_BY_IRI = {iri: prefix for prefix, iri in NAMESPACES.items()} | _OLDER
MAX_DEPTH = 32


def records(text: str) -> Iterator[Any]:
    """The records of a file: one object, a list of them, a graph, or one object a line.

    Raises: Malformed when it is no JSON.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 1 + 1:
            raise wrong(
                "This is no JSON.", (), "Send JSON-LD in UTF-8: one object, a list, or one object a line."
            ) from None
        yield from (_line(line) for line in lines)
        return
    if isinstance(whole, list):
        yield from whole
    elif isinstance(whole, dict) and isinstance(whole.get("@graph"), list):
        context = {"@context": whole["@context"]} if "@context" in whole else {}
        yield from (context | one if isinstance(one, dict) else one for one in cast("list[Any]", whole["@graph"]))
    else:
        yield whole


def _line(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def spelled(record: Any) -> Object:
    """The record with every term under the prefixes known here.

    Raises: Malformed when it is no object, or its context is none that can be read without fetching it.
    """
    if not isinstance(record, dict):
        raise wrong("A record is a JSON object.", (), "Send an object in the form of ISO/IEC TS 27560.")
    found = cast("dict[str, Any]", record)
    return cast("Object", _spell(found, _prefixes(found.get("@context", {})), (), keep=True))


def _prefixes(context: Any) -> dict[str, str]:
    """What the prefixes of a context mean, as prefixes known here."""
    own: dict[str, str] = {prefix: prefix for prefix in NAMESPACES}
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, str) and part.startswith("https://w3id.org/dpv"):
            continue
        if not isinstance(part, dict):
            raise wrong(
                "The context of the record cannot be read.",
                ("@context",),
                "Send prefixes with what they stand for; no other document is fetched.",
            )
        for prefix, iri in cast("dict[str, Any]", part).items():
            known = _BY_IRI.get(iri) if isinstance(iri, str) else None
            if known is not None:
                own[prefix] = known
            elif prefix in NAMESPACES:
                raise wrong(
                    "A prefix stands for another vocabulary.", ("@context", prefix), "Use the namespaces of the DPV."
                )
    return own


def _spell(value: Any, prefixes: Mapping[str, str], path: Path, *, keep: bool = False) -> Any:
    if len(path) > MAX_DEPTH:
        raise wrong("The record is nested too deeply.", path[:MAX_DEPTH], "Send a flat record.")
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return {
            _term(key, prefixes): _spell(item, prefixes, (*path, key))
            for key, item in entries.items()
            if not (keep and key == "@context")
        }
    if isinstance(value, list):
        return [_spell(item, prefixes, (*path, str(index))) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        raise wrong("A text holds half a character.", path, "Send text in UTF-8.") from None
    return _term(value, prefixes)


def _term(text: str, prefixes: Mapping[str, str]) -> str:
    prefix, colon, rest = text.partition(":")
    if colon and not rest.startswith("//") and prefix in prefixes:
        return f"{prefixes[prefix]}:{rest}"
    for iri, known in _BY_IRI.items():
        if text.startswith(iri):
            return f"{known}:{text[len(iri) :]}"
    return text


def listed(value: Any) -> list[Any]:
    """A value, or the values of a list; JSON-LD does not tell one value from a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def types(value: Any) -> frozenset[str]:
    """The types of a node."""
    return (
        frozenset(text for text in listed(value.get("@type")) if isinstance(text, str)) if _node(value) else frozenset()
    )


def concepts(value: Any) -> list[str]:
    """The words that say what a value is: its own, those it narrows, and its types."""
    if isinstance(value, str):
        return [value]
    if not _node(value):
        return []
    return [
        text for key in ("@id", "skos:broader", "@type") for text in listed(value.get(key)) if isinstance(text, str)
    ]


def text_of(value: Any, key: str, path: Path) -> str:
    """A text that a node must have.

    Raises: Malformed.
    """
    found = value.get(key) if _node(value) else None
    if not isinstance(found, str) or not found.strip():
        raise wrong(f"The record has no {key}.", (*path, key), "Send it as text.")
    return found


def ours(node: Any, name: str) -> Any:
    """What a node says under a word of our own."""
    return cast("Object", node).get(f"{OURS}:{name}") if isinstance(node, dict) else None


def our_text(node: Any, name: str) -> str | None:
    """The same, where it is a text."""
    found = ours(node, name)
    return found if isinstance(found, str) else None


def our_number(node: Object, name: str, path: Path) -> int | None:
    """The same, where it is a number.

    Raises: Malformed where it is anything else.
    """
    found = ours(node, name)
    if found is not None and (isinstance(found, bool) or not isinstance(found, int)):
        raise wrong("A whole number is expected here.", (*path, f"{OURS}:{name}"), "Send it without quotes.")
    return found


def one_of(kind: type[E], value: Any, usual: Any, path: Path) -> Any:
    """One of a closed list; the usual one where nothing is said.

    Raises: Malformed.
    """
    if value is None:
        return usual
    if value not in [one.value for one in kind]:
        raise wrong(
            "The value is not one of those allowed here.", path, "Send one of: " + ", ".join(kind.__members__) + "."
        )
    return kind(value)


def _node(value: Any) -> bool:
    return isinstance(value, dict)


def wrong(sentence: str, path: Path, advice: str) -> Malformed:
    """Why a record is refused; what it holds is not told, only where."""
    return Malformed(sentence, advice=advice, path=path)
