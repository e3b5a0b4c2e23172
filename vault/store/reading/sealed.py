"""The confidential part of a level: room is left for each value, and every stored cell is loaded once, unopened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from domain.ids import Id
from domain.ports import Fetch, Rows, SealedValue
from domain.reading import ERASED, NOT_GRANTED, Level, Reveal
from domain.records import Confidential
from vault.store.material import Material
from vault.store.reading import queries
from vault.store.reading.columns import Unsupported
from vault.store.reading.dialects import Dialect
from vault.store.reading.gathering import Gathering
from vault.store.reading.rows import Row


class Ask(NamedTuple):
    """One confidential field asked for at one place of a row."""

    field: Confidential[Any]
    label: str
    reveal: str | None
    """The label of the reveal it stands under; a masked form stands on the row itself."""


class SealedCells:
    """What a level asks of its sealed cells."""

    def __init__(self, level: Level, dialect: Dialect) -> None:
        self._table = level.shape.table
        self._dialect = dialect
        self._masks = tuple(item.label for item in level.masks)
        self._reveals = tuple((item.label, _template(item.what), *_withheld(item.what)) for item in level.reveals)
        asks = [Ask(item.what, item.label, None) for item in level.masks]
        for reveal in level.reveals:
            closed = dict(reveal.what.closed)
            asks += [
                Ask(item.what, item.label, reveal.label) for item in reveal.what.fields if item.what.name not in closed
            ]
        self.asked: dict[str, list[Ask]] = {}
        """The open ones, by tag; empty where nothing needs to be loaded."""
        for ask in asks:
            self.asked.setdefault(ask.field.tag, []).append(ask)
        for field in _fields(level):
            if level.shape.confidential.get(field.name) != field:
                raise Unsupported(f"{level.shape.name} declares no confidential field {field.name}.")

    def leave_room(self, row: Row) -> None:
        """Puts a null where each value will stand, and says what stays closed and why."""
        for label in self._masks:
            row[label] = None
        for label, template, lists, closed in self._reveals:
            part = dict(template)
            for withheld in lists:
                part[withheld] = [dict(item) for item in closed]
            row[label] = part

    def fetch(self, tenant: Id, records: Sequence[Id]) -> Fetch:
        """The statement that loads the cells of some records."""
        values = {
            "tenant": tenant,
            "record_type": self._table,
            "records": self._dialect.listed(list(dict.fromkeys(records))),
            "tags": self._dialect.listed(list(self.asked)),
        }
        return queries.sealed(self._dialect).fetch(values)

    def place(self, run: Gathering, owners: Mapping[Id, tuple[Id, Row]], rows: Rows) -> None:
        """Hands on every cell, still sealed, with the places its value goes to.

        The subject is the record's own: a cell or key that was moved from elsewhere does not open under it.
        """
        tenant, table = run.scope.tenant, self._table
        for stored in rows:
            record, tag, version = stored[0], stored[1], stored[2]
            subject, row = owners[record]
            if not stored[4]:
                self._tell_erased(tag, row)
                continue
            material = Material(table, *stored[3:])
            for field, label, reveal in self.asked[tag]:
                sealed = SealedValue(field, tenant, subject, record, version, material, reveal is None)
                run.wait(sealed, (row if reveal is None else row[reveal], label))

    def _tell_erased(self, tag: str, row: Row) -> None:
        """Says of a value that was erased why it is not there, as of what stays closed; its places stay empty."""
        for field, _, reveal in self.asked[tag]:
            for label, _, lists, _ in self._reveals:
                told = {"field": field.name, "reason": ERASED, "unlock": _unlock(ERASED, field.data_class.action)}
                for withheld in lists if label == reveal else ():
                    if told not in row[label][withheld]:
                        row[label][withheld].append(told)


def _fields(level: Level) -> list[Confidential[Any]]:
    return [
        *(item.what for item in level.masks),
        *(item.what for reveal in level.reveals for item in reveal.what.fields),
    ]


def _template(reveal: Reveal) -> Row:
    words = {item.label: item.what for item in reveal.constants}
    return {**words, **{item.label: None for item in reveal.fields}}


def _withheld(reveal: Reveal) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """The labels that ask what stayed closed, and what did: each field, why, and what would unlock it."""
    classes = {item.what.name: item.what.data_class for item in reveal.fields}
    closed = [
        {"field": name, "reason": reason, "unlock": _unlock(reason, classes[name].action)}
        for name, reason in reveal.closed
    ]
    return reveal.withheld, closed


def _unlock(reason: str, action: str) -> str:
    if reason == ERASED:
        return "Nothing: its key is destroyed, and nobody can bring it back."
    if reason == NOT_GRANTED:
        return f"A role that is granted {action}."
    return f"What {reason} asks for, under a role that is granted {action}."
