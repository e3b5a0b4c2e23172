"""Every action that anything asks for: nothing else can be granted, limited or broken open."""

from __future__ import annotations

from collections.abc import Iterator

from domain.files.watching import STREAMS
from domain.operations import OPERATIONS, Collecting
from domain.records import SHAPES, DataClass, Shape


def asked_for() -> frozenset[str]:
    """The actions of every operation, record, field, stream and class of confidential data that is declared.

    Chapter: 8.1.
    """
    found = {data.action for data in DataClass}
    for operation in OPERATIONS.values():
        found.update(operation.actions)
        if issubclass(operation, Collecting):
            found.add(operation.collection)
    for shape in SHAPES.values():
        found.update(_guarding(shape))
    found.update(stream.action for stream in STREAMS.values())
    return frozenset(found)


def _guarding(shape: Shape) -> Iterator[str]:
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
