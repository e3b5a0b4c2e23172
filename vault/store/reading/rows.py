"""Fetched rows become rows of the answer: facts under the reader's labels, read as their declaration says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.reading import Level
from vault.store.reading.columns import held, spelled

Row = dict[str, Any]
Raw = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a fetched row holds a fact, and how it is read; most facts are what was fetched."""

    start: int
    stop: int
    read: Callable[..., Any] | None

    def of(self, raw: Raw) -> Any:
        """The value in one row."""
        first = raw[self.start]
        if first is None or self.read is None:
            return first
        if self.stop - self.start == 1:
            return self.read(first)
        return self.read(*raw[self.start : self.stop])


class Selection:
    """The columns a statement selects, each once."""

    def __init__(self, level: Level) -> None:
        self._shape = level.shape
        self._cells: dict[str, Cell] = {}
        self.columns: list[str] = []
        """As they are spelled."""

    def cell(self, name: str) -> Cell:
        """Where a fact or stamp column stands in the rows.

        Raises: Unsupported.
        """
        if name not in self._cells:
            wanted = held(self._shape, name)
            start = len(self.columns)
            self.columns += [spelled(self._shape.table, column) for column in wanted.columns]
            self._cells[name] = Cell(start, len(self.columns), wanted.decoder())
        return self._cells[name]


class RowForm:
    """The facts and words of a level's rows."""

    def __init__(self, level: Level, asked: Selection) -> None:
        self._words: Row = {item.label: item.what for item in level.constants}
        cells = [(item.label, asked.cell(item.what)) for item in level.facts]
        self._plain = tuple((label, cell.start) for label, cell in cells if cell.read is None)
        self._read = tuple((label, cell) for label, cell in cells if cell.read is not None)

    def row(self, raw: Raw) -> Row:
        """One row of the answer."""
        row = self._words.copy()
        for label, at in self._plain:
            row[label] = raw[at]
        for label, cell in self._read:
            row[label] = cell.of(raw)
        return row
