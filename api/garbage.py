"""Searches for garbage, as a server can bear them."""

from __future__ import annotations

import gc

GARBAGE = 10_000, 20, 50
"""How many objects are made before those that refer to each other are looked for, and how seldom among older ones."""


def settle() -> None:
    """What stays as long as the server is left out of every search for garbage: each would stop all requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
