"""The product's own grants and their tests, as the release approved them, and texts that are weighed beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from authz import adapter, cases
from authz.roles import ROLES
from authz.table import Table
from domain.grants import content
from domain.grants.cases import Case


class Release:
    """What came with the product, for the actions its operations and fields ask for."""

    def __init__(self, actions: Iterable[str]) -> None:
        self._actions = tuple(actions)

    @property
    def rules(self) -> str:
        """The rules, as text."""
        return adapter.RULES.read_text(encoding="utf-8")

    @property
    def tests(self) -> str:
        """Their tests, as YAML."""
        return cases.shipped_text()

    def table(self, rules: str | None = None) -> Table:
        """The decision table of a text; of the product's own rules where none is given.

        Raises: Malformed naming the line that is wrong.
        """
        snapshot = content.read(self.rules if rules is None else rules, actions=self._actions, roles=ROLES)
        return Table.compile(snapshot, actions=self._actions)

    def cases(self, tests: Sequence[str] = ()) -> tuple[Case, ...]:
        """The tests in some texts; the product's own where none is given.

        Raises: Malformed naming the place.
        """
        texts = tests or (self.tests,)
        return tuple(case for text in texts for case in cases.read_cases(text, actions=self._actions))
