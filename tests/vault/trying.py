"""An operation that runs any function over a unit: an operation while a test says so, and in no matrix or page."""

from __future__ import annotations

from domain.operations import OPERATIONS, Decided, Operation, operation


@operation("credit_file:update", chapter="4.1")
class Try(Operation[object]):
    """Runs a function over a unit, for tests."""

    how: object

    def decide(self, unit, actor):
        """Whatever the test wants."""
        del actor
        made = self.how(unit)
        return made if isinstance(made, Decided) else Decided(value=made)


del OPERATIONS["Try"]
