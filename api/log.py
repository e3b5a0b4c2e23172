"""How the product logs: one form, on standard error, without values, query texts or local variables."""

from __future__ import annotations

import asyncio
import atexit
import io
import logging
import sys
from collections import deque
from contextlib import suppress
from typing import Any

import structlog

FLUSH_SECONDS = 0.05
"""How long lines of a process that serves are gathered before they are written together."""


class _StandardError(io.StringIO):
    """Standard error as it is when something is written, not as it was when the log was set up.

    Where an event loop runs, lines are gathered for a moment and written together: a write for each of them would
    cost a busy server more than the request it tells of.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque()
        self._awaited: asyncio.AbstractEventLoop | None = None
        atexit.register(self._out)

    def write(self, text: str) -> int:
        """Writes through, soon or at once."""
        self._lines.append(text)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._out()
        else:
            if self._awaited is not loop:
                self._awaited = loop
                loop.call_later(FLUSH_SECONDS, self._out)
        return len(text)

    def flush(self) -> None:
        """Nothing: what is gathered is written in a moment."""

    def _out(self) -> None:
        """Writes what is gathered; where nobody reads it any more, or the disk is full, it is lost and nothing else."""
        self._awaited = None
        lines = []
        while self._lines:
            lines.append(self._lines.popleft())
        with suppress(OSError, ValueError):
            sys.stderr.write("".join(lines))
            sys.stderr.flush()


def set_log(kind: str) -> None:
    """Logs in one form, on standard error: no values, no query text, no local variables."""
    level = logging.CRITICAL if kind == "off" else logging.INFO
    shown: Any = structlog.processors.JSONRenderer() if kind == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(_StandardError()),
    )
