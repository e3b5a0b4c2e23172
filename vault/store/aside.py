"""Inside a transaction that an event loop carries, whatever waits for somebody else waits beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.util.concurrency import await_only, in_greenlet

T = TypeVar("T")


def aside(call: Callable[[], T]) -> T:
    """What a call returns. Between the statements of an asynchronous connection the loop goes on meanwhile.

    Anywhere else, such as on the thread that writes to SQLite, it is called as it stands.
    """
    if not in_greenlet():
        return call()
    return await_only(asyncio.get_running_loop().run_in_executor(None, call))
