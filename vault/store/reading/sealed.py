"""The confidential part of a level: room is left for each value, and every stored cell is loaded once, unopened."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from domain import ids
from domain.ids import Id
from domain.ports import Fetch, Rows, Scope, SealedValue
from domain.reading import ERASED, NOT_GRANTED, TRAINING_LAPSED, Level, Reveal
from domain.records import Confidential
from vault.keys import DekName
from vault.seal import Cell
from vault.store.material import Material, ReadyMaterial
from vault.store.reading import celled
from vault.store.reading.columns import Unsupported
from vault.store.reading.dialects import Dialect
from vault.store.reading.gathering import Gathering
from vault.store.reading.rows import Row

Owners = Mapping[Id, tuple[Id, Row]]
"""The subject and the row of each record."""


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
        self._classes = {tag: asks[0].field.data_class.value for tag, asks in self.asked.items()}
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

    def load(self, run: Gathering, owners: Owners) -> Generator[Fetch, Rows, None]:
        """Hands on every cell of some records, still sealed, with the places its value goes to.

        The subject is the record's own: a cell or key that was moved from elsewhere does not open under it. Wrapped
        keys are loaded for the records of which a key is not ready.
        """
        found = yield celled.sealed(self._dialect).fetch(self.values(run.scope, owners))
        cold = self._place_ready(run, owners, found)
        if cold:
            self._place(run, owners, (yield celled.sealed_with_keys(self._dialect).fetch(self.values(run.scope, cold))))

    def values(self, scope: Scope, records: Iterable[Id]) -> dict[str, Any]:
        """What both statements are given."""
        return {
            "tenant": scope.tenant,
            "record_type": self._table,
            "records": self._dialect.listed(list(records)),
            "tags": self._dialect.listed(list(self.asked)),
        }

    def _place_ready(self, run: Gathering, owners: Owners, rows: Rows) -> dict[Id, None]:
        """Hands on the cells of the records whose keys are all ready; the records that are left."""
        tenant, table, classes = ids.raw(run.scope.tenant), self._table, self._classes
        names = [DekName(tenant, ids.raw(owners[row[0]][0]), classes[row[1]], row[5]) for row in rows]
        deks = run.ring.ready(tenant, rows[0][6] or 0, names) if rows else ()
        cold = {row[0]: None for row, dek in zip(rows, deks, strict=True) if dek is None and row[4]}
        for row, name, dek in zip(rows, names, deks, strict=True):
            record, tag, version, schema, envelope, *_ = row
            if record in cold:
                continue
            cell = Cell(tenant, name.subject, name.data_class, table, ids.raw(record), version, tag, schema)
            material = ReadyMaterial(dek, cell, envelope) if dek is not None and envelope else None
            self._hand_on(run, owners[record], row, material)
        return cold

    def _place(self, run: Gathering, owners: Owners, rows: Rows) -> None:
        """Hands on cells with their wrapped keys."""
        for row in rows:
            self._hand_on(run, owners[row[0]], row, Material(self._table, *row[3:]) if row[4] else None)

    def _hand_on(self, run: Gathering, owner: tuple[Id, Row], stored: Sequence[Any], material: object | None) -> None:
        """One cell, with the places its value goes to; one that was erased holds nothing."""
        record, tag, version, *_ = stored
        subject, row = owner
        if material is None:
            self._tell_erased(tag, row)
            return
        for field, label, reveal in self.asked[tag]:
            sealed = SealedValue(field, run.scope.tenant, subject, record, version, material, reveal is None)
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
    courses = dict(reveal.courses)
    closed = [
        {"field": name, "reason": reason, "unlock": _unlock(reason, classes[name].action, courses.get(name, ""))}
        for name, reason in reveal.closed
    ]
    return reveal.withheld, closed


def _unlock(reason: str, action: str, course: str = "") -> str:
    if reason == ERASED:
        return "Nothing: its key is destroyed, and nobody can bring it back."
    if reason == NOT_GRANTED:
        return f"A role that is granted {action}."
    if reason == TRAINING_LAPSED:
        return f"Completing {course}, which {action} needs."
    return f"What {reason} asks for, under a role that is granted {action}."
