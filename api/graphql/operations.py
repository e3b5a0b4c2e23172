"""Every action the product asks for: what the grants must know, and all they may name."""

from __future__ import annotations

from functools import cache

from api.graphql.generation import declared
from domain.persons.actions import asked_for

INTROSPECT = "schema:introspect"
"""Asking the running schema about itself."""


@cache
def declared_actions() -> tuple[str, ...]:
    """The actions of every operation, record, field and class of confidential data, in the order of the alphabet.

    Whatever `domain/` declares counts, also what no field of the schema performs: commands and jobs pass the same
    Gate.
    """
    declared.load()
    return tuple(sorted({INTROSPECT, *asked_for()}))
