"""Every module of `domain/` is loaded, so that all it declares is offered and guarded, and nothing is forgotten."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import walk_packages

import domain


@cache
def load() -> tuple[str, ...]:
    """The modules of the domain; loading them fills the registers of records and operations."""
    names = tuple(sorted(module.name for module in walk_packages(domain.__path__, "domain.")))
    for name in names:
        import_module(name)
    return names
