"""The time it is."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)
