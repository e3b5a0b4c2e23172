"""Readings become SQL: a judged reading is compiled once per plan, and runs on sqlite3 and on asyncpg alike.

The number of statements follows from the reading alone: one per level, one more for the sealed cells of a level and
another where a key of them is not ready, one more for a total, one in all for the company's day where computed fields
ask, and two in all for the keys and versions of blind indexes where something is looked up. No statement finds a row
of another tenant.
"""

from __future__ import annotations

from domain.ports import Steps
from domain.reading import Judged
from vault.keys import Keyring
from vault.store.reading.dialects import DIALECTS
from vault.store.reading.steps import SqlSteps


class SqlReadings:
    """The compiler of readings for one database, `sqlite` or `postgresql`."""

    def __init__(self, dialect: str, ring: Keyring) -> None:
        self._dialect = DIALECTS[dialect]
        self._ring = ring

    def prepare(self, judged: Judged) -> Steps:
        """The steps of a reading.

        Raises: Unsupported where the reading asks for something no declaration offers; running it never does.
        """
        return SqlSteps(judged.reading, self._dialect, self._ring)
