"""Every action the product asks for: what the grants must know, and all they may name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from api.graphql.generation import declared
from domain.files.watching import STREAMS
from domain.operations import OPERATIONS, Collecting
from domain.records import SHAPES, DataClass, Shape

INTROSPECT = "schema:introspect"
"""Asking the running schema about itself."""


@cache
def declared_actions() -> tuple[str, ...]:
    """The actions of every operation, record, field and class of confidential data, in the order of the alphabet.

    Whatever `domain/` declares counts, also what no field of the schema performs: commands and jobs pass the same
    Gate.
    """
    declared.load()
    found = {INTROSPECT, *(data.action for data in DataClass)}
    for operation in OPERATIONS.values():
        found.update(operation.actions)
        if issubclass(operation, Collecting):
            found.add(operation.collection)
    for shape in SHAPES.values():
        found.update(_asked(shape))
    found.update(stream.action for stream in STREAMS.values())
    return tuple(sorted(found))


def _asked(shape: Shape) -> Iterator[str]:
    """The actions that guard a record and its fields."""
    yield shape.read
    actions = [
        *(fact.action for fact in shape.facts.values()),
        *(link.action for link in shape.children.values()),
        *(derived.action for derived in shape.computed.values()),
        *(sealed.action for sealed in shape.confidential.values()),
    ]
    yield from (action for action in actions if action is not None)
    for sealed in shape.confidential.values():
        if sealed.mask is not None:
            yield f"mask:{sealed.data_class.value}"
