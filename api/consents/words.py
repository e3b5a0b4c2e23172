"""What words of other vocabularies mean here: declared as data, shipped, and added to by a file of the same form."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.consent.attesting.predicates import CONSENTABLE
from domain.errors import Malformed
from domain.reading import Purpose

TABLES = ("purposes", "fields", "recipients", "subjects", "notices")
TIME_ZONE = "time_zone"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is known of other vocabularies."""

    purposes: Mapping[str, Purpose]
    fields: Mapping[str, tuple[str, ...]]
    recipients: Mapping[str, str]
    subjects: Mapping[str, str]
    notices: Mapping[str, str]
    time_zone: ZoneInfo | None = None
    """The time zone of instants that name none; they are refused where none is set."""


def words(file: Path | None = None) -> Words:
    """The shipped words, and those of a file.

    Raises: Malformed.
    """
    shipped = resources.files("api.consents").joinpath("words.toml").read_text(encoding="utf-8")
    tables = _read(shipped)
    if file is not None:
        for name, table in _read(file.read_text(encoding="utf-8")).items():
            tables[name] = tables.get(name, {}) | table if isinstance(table, dict) else table
    zone = tables.pop(TIME_ZONE, None)
    return Words(
        purposes={word: _purpose(word, meant) for word, meant in _table(tables, "purposes").items()},
        fields={word: _tags(word, meant) for word, meant in _table(tables, "fields").items()},
        recipients=_texts(tables, "recipients"),
        subjects=_texts(tables, "subjects"),
        notices=_digests(tables),
        time_zone=None if zone is None else _zone(zone),
    )


def _read(text: str) -> dict[str, Any]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _malformed(f"The map is no TOML: {error}.") from None
    for name in tables:
        if name not in {*TABLES, TIME_ZONE}:
            raise _malformed("The map has a table that is not known.", name)
    return tables


def _table(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise _malformed("This is a table of words.", name)
    return cast("dict[str, Any]", table)


def _texts(tables: Mapping[str, Any], name: str) -> dict[str, str]:
    table = _table(tables, name)
    for word, meant in table.items():
        if not isinstance(meant, str) or not meant.strip():
            raise _malformed("A word means a text.", name, word)
    return table


def _digests(tables: Mapping[str, Any]) -> dict[str, str]:
    table = _texts(tables, "notices")
    for word, meant in table.items():
        if not _DIGEST.fullmatch(meant):
            raise _malformed("A notice is named by SHA-256 of its text, in lower-case hex.", "notices", word)
    return table


def _purpose(word: str, meant: Any) -> Purpose:
    if meant not in {purpose.value for purpose in Purpose}:
        raise _malformed("A purpose means one of the closed list.", "purposes", word)
    return Purpose(meant)


def _tags(word: str, meant: Any) -> tuple[str, ...]:
    tags = meant if isinstance(meant, list) else [meant]
    if not tags or any(tag not in CONSENTABLE for tag in tags):
        raise _malformed("A kind of data means tags of confidential fields.", "fields", word)
    return tuple(tags)


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise _malformed("The time zone is not known.", TIME_ZONE) from None


def _malformed(sentence: str, *path: str) -> Malformed:
    return Malformed(sentence, advice="See docs/consents.md for what a map says.", path=path)
