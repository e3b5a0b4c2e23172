"""How the product logs: one form, on standard error, without values, query texts or local variables."""

from __future__ import annotations

import io
import logging
import sys
from contextlib import suppress
from typing import Any

import structlog


class _StandardError(io.StringIO):
    """Standard error as it is when something is written, not as it was when the log was set up."""

    def write(self, text: str) -> int:
        """Writes through; where nobody reads it any more, or the disk is full, the line is lost and nothing else."""
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes."""
        with suppress(OSError, ValueError):
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
