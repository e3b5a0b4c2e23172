"""A file is read in bounded batches of lines, only the columns asked for; memory does not grow with the file.

CSV is read by the standard library, so that one broken line is one rejected row, in any encoding. Parquet is read by
Polars, which is loaded only then.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from api.imports.cells import Cell
from domain.errors import CreditError, Malformed

MAGIC = b"PAR1"
"""What a Parquet file begins with."""
SLICE = 65_536
"""Rows of Parquet decoded at once: batches are cut from them."""
_BLOCK = 1 << 20

Line = Sequence[Cell] | CreditError
"""The cells of a row, or why it has none."""


class Table(Protocol):
    """An opened file of rows."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in its header."""
        ...

    def batches(self, columns: Sequence[str], start: int, size: int) -> Iterator[tuple[list[Line], float]]:
        """Its rows after the first `start`, at most `size` at once, each time with the share of the file read."""
        ...


def open_table(path: Path, *, encoding: str, delimiter: str) -> Table:
    """The rows of a file: Parquet by its first bytes, CSV otherwise.

    Raises: Malformed when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            parquet = file.read(len(MAGIC)) == MAGIC
    except OSError:
        raise Malformed("The file cannot be read.", advice="Check its path and who may read it.") from None
    return ParquetTable(path) if parquet else CsvTable(path, encoding=encoding, delimiter=delimiter)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex.

    Raises: Malformed when it cannot be read.
    """
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError:
        raise Malformed("The file cannot be read.", advice="Check its path and who may read it.") from None
    return found.hexdigest()


class CsvTable:
    """A CSV file: everything is text as it stands."""

    def __init__(self, path: Path, *, encoding: str, delimiter: str) -> None:
        self._path, self._encoding, self._delimiter = path, encoding, delimiter
        with self._text() as file:
            header = _line(csv.reader(file, delimiter=delimiter)) or []
        self._columns = tuple(name.strip() for name in header)
        _check_header(self._columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in its header."""
        return self._columns

    def batches(self, columns: Sequence[str], start: int, size: int) -> Iterator[tuple[list[Line], float]]:
        """Its rows after the first `start`; blank lines are no rows."""
        whole = max(self._path.stat().st_size, 1)
        places = [self._columns.index(name) for name in columns]
        with self._text() as file:
            raw = cast("BinaryIO", file.buffer)
            rows = self._rows(csv.reader(file, delimiter=self._delimiter), places)
            for _ in islice(rows, start):
                pass
            while batch := list(islice(rows, size)):
                yield batch, raw.tell() / whole

    def _text(self) -> TextIOWrapper:
        """The file as text; bytes that are none stay recognisable, so that their row alone is rejected."""
        return self._path.open(encoding=self._encoding, errors="surrogateescape", newline="")

    def _rows(self, lines: Iterator[list[str]], places: Sequence[int]) -> Iterator[Line]:
        width = len(self._columns)
        _line(lines)
        while True:
            try:
                cells = _line(lines)
            except csv.Error:
                yield Malformed("The row is no CSV.", advice="Look for a quote that is not closed.")
                continue
            if cells is None:
                return
            if len(cells) == width:
                yield [cells[place] for place in places]
            elif cells:
                yield Malformed(
                    f"The row has {len(cells)} cells and the header {width}.",
                    advice="Put text that holds the delimiter in quotes.",
                )


def _line(lines: Iterator[list[str]]) -> list[str] | None:
    """The next line; None after the last."""
    try:
        return next(lines, None)
    except UnicodeError:
        raise Malformed(
            "The file is not in the encoding the map names.", advice="Name its encoding, such as gb18030."
        ) from None


class ParquetTable:
    """A Parquet file: cells are typed as it declares."""

    def __init__(self, path: Path) -> None:
        import polars as pl  # noqa: PLC0415 - a heavy library, loaded only when Parquet is read

        self._polars: Any = pl
        self._lazy: Any = pl.scan_parquet(path)
        try:
            self._columns = tuple(self._lazy.collect_schema().names())
            self._height = int(self._lazy.select(pl.len()).collect().item())
        except pl.exceptions.PolarsError:
            raise _broken() from None
        _check_header(self._columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in its schema."""
        return self._columns

    def batches(self, columns: Sequence[str], start: int, size: int) -> Iterator[tuple[list[Line], float]]:
        """Its rows after the first `start`."""
        step = max(SLICE // size, 1) * size
        for first in range(start, self._height, step):
            try:
                frame = self._lazy.select(list(columns)).slice(first, step).collect()
            except self._polars.exceptions.PolarsError:
                raise _broken() from None
            for offset in range(0, frame.height, size):
                part = frame.slice(offset, size)
                yield part.rows(), min((first + offset + part.height) / self._height, 1.0)


def _check_header(columns: Sequence[str]) -> None:
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if not any(columns):
        raise Malformed("The file has no header.", advice="Put the names of the columns into its first row.")
    if twice:
        raise Malformed(
            "The file has two columns of one name: " + ", ".join(twice) + ".", advice="Give each column its own name."
        )


def _broken() -> Malformed:
    return Malformed("The file is no readable Parquet.", advice="Write it anew, or send it as CSV.")
