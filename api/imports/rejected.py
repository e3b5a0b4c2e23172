"""Rejected rows go to a CSV file of their own: row, column, code, message and advice, never a value of the row."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from domain.errors import Conflict, Malformed
from domain.files.importing import ImportRun, Rejection

HEADER = ("row", "column", "code", "message", "advice")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class RejectedRows:
    """The file of rejected rows, which always ends where the import stands.

    The run holds the rows of its last batch and how long the file was before: after a stop between the two, the file
    is cut there and those rows are written again.
    """

    def __init__(self, path: Path, column_of: Callable[[str], str]) -> None:
        self.path = path
        self._column_of = column_of
        self.length = 0

    def resume(self, run: ImportRun) -> None:
        """Brings the file to where a run stands; for a run at its start, a leftover of another is removed.

        Raises: Conflict when the file is not the one the run has written; Malformed when it cannot be written.
        """
        try:
            known = self.path.stat().st_size if self.path.exists() else 0
            if known < run.rejected_bytes:
                raise Conflict(
                    "The file of rejected rows of the interrupted import is not where it was.",
                    advice="Name the same file again, or put it back.",
                )
            if run.rejected_bytes:
                os.truncate(self.path, run.rejected_bytes)
            elif known:
                self._remove()
        except OSError:
            raise self._unwritable() from None
        self.length = run.rejected_bytes
        self.append(run.rejected)

    def _remove(self) -> None:
        with self.path.open("rb") as file:
            ours = file.readline().rstrip() == ",".join(HEADER).encode()
        if not ours:
            raise Conflict(
                "The place for the rejected rows is taken by another file.",
                advice="Name another place, or move that file away.",
            )
        self.path.unlink()

    def append(self, rejections: Iterable[Rejection]) -> None:
        """Adds rows, durable when it returns.

        Raises: Malformed when it cannot be written.
        """
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        if not self.length:
            writer.writerow(HEADER)
        count = 0
        for count, item in enumerate(rejections, 1):  # noqa: B007 - how many there were decides below
            cells = (self._column_of(item.field), item.code.value, item.message, item.advice)
            writer.writerow((item.row, *map(_harmless, cells)))
        if not count:
            return
        text = lines.getvalue().encode()
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            raise self._unwritable() from None
        self.length += len(text)

    def _unwritable(self) -> Malformed:
        return Malformed(
            "The file of rejected rows cannot be written.",
            advice="Name another place for it; the import goes on there.",
        )


def _harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(_FORMULA) else text
