"""What of a level the database writes itself: its rows as a whole, or some links of rows that are put in form here."""

from __future__ import annotations

from collections.abc import Sequence

from domain.reading import Level
from vault.store.reading import queries, writing
from vault.store.reading.dialects import Dialect, Json
from vault.store.reading.queries import Filled, Kind
from vault.store.reading.writing import Branch


class Texts:
    """The texts behind the columns of a level's statement, with the parameters they need."""

    def __init__(self, level: Level, dialect: Dialect, *, many: bool) -> None:
        self._level = level
        self._dialect = dialect
        names = writing.Names()
        # A row that is one of many of its parent is numbered before it is taken: writing all of them would be in vain.
        whole = None if many else writing.written(level, names, dialect)
        self.whole = whole is not None
        """Whether rows are written whole, each on every sheet of the level."""
        self.branches: dict[str, Branch] = {} if many else (whole if whole is not None else _links(level, dialect))
        """The links that are written, by their label."""
        every = [one for branch in self.branches.values() for one in branch.all()]
        self.filled: tuple[Filled, ...] = tuple(
            item for one in every for item in queries.filled(one.level, dialect, one.prefix)
        )
        self.limits: tuple[tuple[str, int, int], ...] = tuple(
            (f"{one.prefix}limit", one.level.page.size.index, one.level.page.maximum)
            for one in every
            if one.level.page is not None
        )
        """Parameter, slot and bound of every page inside."""

    def of(self, kind: Kind) -> Sequence[Json]:
        """The columns: a text for each sheet, or for each link that is written."""
        level, own, dialect = self._level, self._level.shape.table, self._dialect
        if self.whole:
            made = [writing.sheet(one, level, self.branches, own, kind, dialect) for one in level.sheets]
            return [writing.element(text) for text in made]
        return [writing.link(branch, own, kind, dialect) for branch in self.branches.values()]


def _links(level: Level, dialect: Dialect) -> dict[str, Branch]:
    names = writing.Names()
    found = {item.label: writing.branch(item.what, names, dialect) for item in level.links}
    return {label: branch for label, branch in found.items() if branch is not None}
