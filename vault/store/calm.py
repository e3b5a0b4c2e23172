"""What comes in quick succession waits for each other a moment, so that it shares one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sized

QUIET_TURNS = 2
"""After so many turns of the event loop in which nothing came, nothing more is near."""
LINGER_SECONDS = 0.004
"""How long the first one waits for others at most."""


async def calm(waiting: Sized, most: int) -> None:
    """Returns once nothing more comes in, enough waits, or the first has waited long enough.

    With one caller at a time that is at once. With many, a turn of the loop carries out one request after the other,
    and all of them would otherwise begin commits of their own.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + LINGER_SECONDS
    quiet, before = 0, len(waiting)
    while quiet < QUIET_TURNS and before < most and loop.time() < until:
        await asyncio.sleep(0)
        quiet = quiet + 1 if len(waiting) == before else 0
        before = len(waiting)
