"""The entries of a log as a list for people and spreadsheets, as JSON lines or CSV, whatever its length.

It proves nothing: the tiles do, and every line names the leaf it was made from.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final, TextIO

import sqlalchemy as sa

from domain.files.trail import AuditEntry
from domain.ids import Id
from vault.audit.files import FILE
from vault.store.tables import audit_posting, table

AT_ONCE: Final = 1_000
"""How many entries are in memory at a time."""
_ENTRY: Final = table(AuditEntry.shape).c
_FACTS: Final = ("id", *AuditEntry.shape.facts)
_LISTS: Final = ("subjects", "resources", "fields")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""


class Form(Enum):
    """How entries are listed."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are listed: those that meet every condition that is set."""

    since: datetime | None = None
    until: datetime | None = None
    """The first instant that is left out."""
    actor: str = ""
    action: str = ""
    subject: Id | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """What the rows of the entries must meet, but for the subject."""
        if self.since is not None:
            yield _ENTRY.at >= self.since
        if self.until is not None:
            yield _ENTRY.at < self.until
        if self.actor:
            yield _ENTRY.actor == self.actor
        if self.action:
            yield _ENTRY.action == self.action


def listed(tenant: Id, path: Path, form: Form, wanted: Wanted) -> Callable[[sa.Connection], int]:
    """Writes entries into a file, in the order of the log; how many. The file is there once it is whole."""

    def look(connection: sa.Connection) -> int:
        new = path.with_name(path.name + ".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            count = _write(file, form, entries(connection, tenant, wanted))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        return count

    return look


def entries(connection: sa.Connection, tenant: Id, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    """The entries that are wanted, some in memory at a time."""
    for places in _places(connection, tenant, wanted):
        conditions = (_ENTRY.tenant == tenant, places, *wanted.conditions())
        select = sa.select(*(_ENTRY[name] for name in _FACTS)).where(*conditions).order_by(_ENTRY.log_index)
        for row in connection.execute(select).mappings():
            yield _shown(row)


def _places(connection: sa.Connection, tenant: Id, wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    """Stretches of the log, in order: of a subject's entries where one is wanted, of all otherwise."""
    if wanted.subject is None:
        span = sa.select(sa.func.min(_ENTRY.log_index), sa.func.max(_ENTRY.log_index)).where(_ENTRY.tenant == tenant)
        first, last = connection.execute(span).one()
        for start in range(first or 0, -1 if last is None else last + 1, AT_ONCE):
            yield _ENTRY.log_index.between(start, start + AT_ONCE - 1)
        return
    posting = audit_posting.c
    own = sa.select(posting.places).where(posting.tenant == tenant, posting.subject == wanted.subject)
    for held in connection.scalars(own.order_by(posting.first_index)).all():
        numbers = json.loads(held)
        for at in range(0, len(numbers), AT_ONCE):
            yield _ENTRY.log_index.in_(numbers[at : at + AT_ONCE])


def _shown(row: Mapping[Any, Any]) -> Mapping[str, Any]:
    """An entry under the names it has in the API."""
    return {_named(name): _said(name, row[name]) for name in _FACTS}


def _said(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return json.loads(value) if name in _LISTS and isinstance(value, str) else value


def _named(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


def _write(file: TextIO, form: Form, found: Iterator[Mapping[str, Any]]) -> int:
    count = 0
    sheet = csv.writer(file)
    if form is Form.CSV:
        sheet.writerow(map(_named, _FACTS))
    for entry in found:
        count += 1
        if form is Form.CSV:
            sheet.writerow([_cell(value) for value in entry.values()])
        else:
            file.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n")
    return count


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return "'" + text if text.startswith(_FORMULA) else text
