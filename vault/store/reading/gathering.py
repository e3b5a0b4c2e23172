"""What one run gathers on its way: whose rows it met, and which sealed cells wait for which places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from domain.ids import Id
from domain.ports import Draft, Scope, SealedValue

Place = tuple[dict[str, Any], str]
"""A part of the answer and the label in it."""


@dataclass(slots=True)
class Gathering:
    """The state of one run."""

    scope: Scope
    arguments: Sequence[Any]
    today: date
    """The day it is where the company is."""
    subjects: dict[Id, None] = field(default_factory=dict)
    resources: dict[Id, None] = field(default_factory=dict)
    _sealed: dict[tuple[Any, ...], SealedValue[Any]] = field(default_factory=dict)
    _places: dict[tuple[Any, ...], list[Place]] = field(default_factory=dict)

    def meet(self, subjects: Iterable[Id], resources: Iterable[Id] = ()) -> None:
        """Notes whose rows were found, each once, in the order met."""
        self.subjects.update(dict.fromkeys(subjects))
        self.resources.update(dict.fromkeys(resources))

    def wait(self, sealed: SealedValue[Any], place: Place) -> None:
        """Notes a place for an opened value; a cell that was met before is not opened twice."""
        key = (sealed.record, sealed.field.tag, sealed.masked)
        self._sealed.setdefault(key, sealed)
        self._places.setdefault(key, []).append(place)

    def draft(self, answer: dict[str, Any]) -> Draft:
        """The end of the run."""
        return Draft(
            answer=answer,
            subjects=tuple(self.subjects),
            resources=tuple(self.resources),
            sealed=tuple(self._sealed.values()),
            place=tuple(_setter(places) for places in self._places.values()),
        )


def _setter(places: list[Place]) -> Callable[[Any], None]:
    return partial(_put, places)


def _put(places: list[Place], value: Any) -> None:
    for row, label in places:
        row[label] = value
